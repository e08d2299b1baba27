#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
//! A stored run to read: driven by the real conductor over a real store and a real repository, with a proposer and an
//! evaluator whose answers are known. And the binary, with a data folder of its own.

use conductor::{Conductor, Ports};
use evolution::candidate::{
    CheckResult, Cost, Evaluation, FileChange, ModelUsage, Outcome, Patch, Proposal, Separation, SourceFiles,
};
use evolution::event::{ProposerInfo, RunStarted};
use evolution::id::{BASELINE, RunId};
use evolution::ports::{
    Clock, EvaluationRequest, Evaluator, EvaluatorError, OperatorPrior, ProposalFeedback, ProposalRequest,
    Proposer, ProposerError, Screener, Screening,
};
use evolution::settings::{Budget, Settings};
use evolution::shape::Shape;
use objectives::{Direction, Objective, ObjectiveSet, Scores};
use snapshots::{Access, GitSnapshots, ImportRequest, Selection};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::SqliteStore;

/// The run's name.
pub(crate) const RUN: &str = "0123456789ab";

/// The binary with this data folder, without anything of the environment that changes what it prints.
pub(crate) fn darwind(data: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_darwind"));
    command
        .env("DARWIND_DATA_DIR", data)
        .env("NO_COLOR", "1")
        .env_remove("NO_GRAPHICS")
        .env("LANG", "C.UTF-8");
    command
}

/// What the binary wrote to standard output, as JSON.
pub(crate) fn json(output: &std::process::Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stdout));
    })
}

/// Whether this machine can contain nothing at all: a run is refused then, and there is nothing to see.
#[expect(clippy::print_stdout, reason = "what cannot be seen here is said")]
pub(crate) fn refused(output: &std::process::Output) -> bool {
    let refused = output.status.code() == Some(3);
    if refused {
        println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
    }
    refused
}

/// A clock that moves one millisecond with every look.
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// The one number of the program `SPEED = n`.
fn number(files: &SourceFiles) -> i64 {
    files.text("program.py").unwrap().trim().rsplit(' ').next().unwrap().parse().unwrap()
}

/// Makes the program one quicker a proposal.
pub(crate) struct Tuner;

impl Proposer for Tuner {
    fn name(&self) -> &str {
        "ast"
    }

    fn operators(&self) -> Vec<OperatorPrior> {
        vec![OperatorPrior { name: "tune".to_owned(), yield_mean: 0.5, strength: 2.0, parents: 1 }]
    }

    fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ProposerError> {
        let quicker = 100 - i64::from(request.number);
        let content = format!("SPEED = {quicker}\n").into_bytes();
        let change = FileChange { path: "program.py".to_owned(), content: Some(content.into()) };
        Ok(Proposal {
            patch: Patch(vec![change]),
            rationale: format!("speed {quicker}, \"quicker\" than before"),
            operator: request.operator.clone(),
            detail: serde_json::Value::Null,
            cost: Cost::default(),
        })
    }

    fn observe(&mut self, _: &ProposalFeedback) {}

    fn recall(&mut self, _: u32, _: &[u32], _: &str, _: &serde_json::Value) {}
}

/// Every text is a program of its own.
pub(crate) struct Plain;

impl Screener for Plain {
    fn screen(&self, parent: &SourceFiles, patch: &Patch) -> Screening {
        Screening {
            fingerprint: number(&parent.patched(patch)).to_string(),
            refused: None,
            shape: Shape::default(),
            usage: ModelUsage::default(),
        }
    }
}

/// A speed that five divides fails its tests; every other is its own score.
pub(crate) struct Reader;

impl Evaluator for Reader {
    fn evaluate(&mut self, request: &EvaluationRequest) -> Result<Evaluation, EvaluatorError> {
        let speed = number(&request.files);
        let passed = speed % 5 != 0 || request.number == BASELINE;
        let reason = if passed { String::new() } else { "five divides it".to_owned() };
        let scores = if passed { vec![("performance", speed as f64)] } else { Vec::new() };
        Ok(Evaluation {
            outcome: if passed { Outcome::Ok } else { Outcome::Wrong },
            detail: String::new(),
            isolation: "L1".to_owned(),
            separation: Separation::Split,
            checks: vec![CheckResult { name: "tests".to_owned(), passed, reason }],
            scores: Scores::from_pairs(scores).unwrap(),
            metrics: Default::default(),
            cases: Vec::new(),
            cases_total: 0,
            suspicion: Vec::new(),
            comparisons: Vec::new(),
            denials: Default::default(),
            log: String::new(),
            cost: Cost::default(),
        })
    }
}

/// Drives a run of 12 evaluations over the program in `target` into the data folder.
pub(crate) fn store_run(data: &Path, target: &Path) {
    begin(data, target, Box::new(Reader)).drive(&mut |_, _| {}).unwrap();
}

/// Begins such a run with an evaluator.
pub(crate) fn begin(data: &Path, target: &Path, evaluator: Box<dyn Evaluator>) -> Conductor {
    std::fs::write(target.join("program.py"), "SPEED = 100\n").unwrap();
    let run = RunId::new(RUN);
    let folder = data.join("runs").join(RUN);
    std::fs::create_dir_all(&folder).unwrap();
    let may_change = Arc::new(|path: &str| path == "program.py");
    let mut snapshots =
        GitSnapshots::open(&folder.join("repository.git"), Access::Write, may_change).unwrap();
    let import = ImportRequest {
        directory: target,
        selection: Selection::default(),
        id: run.candidate(BASELINE),
        summary: "the unchanged program".to_owned(),
        trailers: Vec::new(),
        time_ms: 1_700_000_000_000,
    };
    let baseline = snapshots.import(&import).unwrap().commit;
    let objective: Objective = serde_json::from_value(serde_json::json!({
        "name": "performance", "direction": Direction::Minimize, "weight": 1.0, "threshold": null, "unit": "s", "bound": null,
    }))
    .unwrap();
    let started = RunStarted {
        version: evolution::event::VERSION,
        run_id: run,
        agent_id: "toy".to_owned(),
        target: target.display().to_string(),
        seed: 7,
        objectives: ObjectiveSet::new(vec![objective]).unwrap(),
        settings: Settings { lookahead: 2, ..Settings::default() },
        budget: Budget { evaluations: Some(12), ..Budget::default() },
        proposers: vec![ProposerInfo { name: "ast".to_owned(), operators: Tuner.operators(), fed: false }],
        baseline,
        fingerprint: "100".to_owned(),
        shape: Shape::default(),
        configuration: serde_json::Value::Null,
    };
    let ports = Ports {
        log: Arc::new(SqliteStore::open(&data.join("darwind.sqlite")).unwrap()),
        clock: Arc::new(Ticks(AtomicI64::new(1_700_000_000_000))),
        snapshots: Box::new(snapshots),
        screener: Arc::new(Plain),
        proposers: vec![Box::new(Tuner)],
        evaluators: vec![evaluator],
    };
    Conductor::begin(ports, started).unwrap()
}
