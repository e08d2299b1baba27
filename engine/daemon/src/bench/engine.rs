//! The engine's own cost: a whole run by the real conductor, store and repository, over a landscape that costs nothing
//! to evaluate. What is left is the engine: deciding, recording, committing.

use super::contained::{self, Contained};
use super::process;
use crate::cli::EngineBenchFlags;
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use conductor::{Conductor, Ports};
use evolution::candidate::{
    CaseResult, CheckResult, Cost, Evaluation, FileChange, Outcome, Patch, Proposal, Separation, SourceFiles,
};
use evolution::event::{Event, ProposerInfo, RunStarted};
use evolution::id::{BASELINE, RunId};
use evolution::ports::{
    Clock, EvaluationRequest, Evaluator, EvaluatorError, OperatorPrior, ProposalFeedback, ProposalRequest,
    Proposer, ProposerError, Screener, Screening,
};
use evolution::settings::{Budget, Settings};
use objectives::{Objective, ObjectiveSet, Scores};
use serde::Serialize;
use snapshots::{Access, GitSnapshots, ImportRequest, Selection};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::SqliteStore;

/// Numbers in the program that is tuned.
const NUMBERS: usize = 60;
/// Evaluations that are compared at the beginning and at the end.
const WINDOW: u64 = 1000;
/// The program's file.
const FILE: &str = "program.py";

/// What was measured.
#[derive(Debug, Serialize)]
struct Answer {
    /// A whole run against the same contained evaluations alone; absent when it was not asked for.
    contained: Option<Contained>,
    candidates: u64,
    front: usize,
    wall_s: f64,
    /// Milliseconds of CPU an evaluation, everything of the engine together.
    cpu_ms_per_evaluation: Option<f64>,
    /// Resident memory at the end, in MiB, and before the run.
    resident_mib: Option<f64>,
    resident_before_mib: Option<f64>,
    /// CPU of the last thousand evaluations over that of the first thousand.
    last_to_first_thousand: Option<f64>,
    /// Every thousand evaluations by itself.
    thousands: Vec<Window>,
}

/// A thousand evaluations.
#[derive(Debug, Serialize)]
struct Window {
    cpu_ms_per_evaluation: f64,
    /// The same by thread.
    threads: BTreeMap<String, f64>,
}

impl Window {
    fn between(before: &BTreeMap<String, Duration>, after: &BTreeMap<String, Duration>) -> Self {
        let spent = after.iter().map(|(name, now)| {
            let then = before.get(name).copied().unwrap_or_default();
            (name.clone(), now.saturating_sub(then).as_secs_f64() * 1000.0 / WINDOW as f64)
        });
        let threads: BTreeMap<String, f64> = spent.collect();
        Self { cpu_ms_per_evaluation: threads.values().sum(), threads }
    }
}

/// `darwind bench engine`.
pub(super) fn measure(flags: &EngineBenchFlags, terminal: Terminal) -> Result<Exit, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder", error))?;
    let before = process::resident();
    let conductor = prepare(folder.path(), u64::from(flags.candidates))?;
    let begun = Instant::now();
    let mut marks = vec![process::cpu().unwrap_or_default()];
    let mut done: u64 = 0;
    let ending = conductor
        .drive(&mut |_, event| {
            if matches!(event, Event::ValidationCompleted(_)) {
                done += 1;
                if done.is_multiple_of(WINDOW) {
                    marks.push(process::cpu().unwrap_or_default());
                }
            }
        })
        .map_err(|error| Failure::caused("the run failed", error))?;
    let wall = begun.elapsed();
    let resident = process::resident();
    let windows: Vec<Window> = marks
        .iter()
        .zip(marks.iter().skip(1))
        .map(|(before, after)| Window::between(before, after))
        .collect();
    let totals: Vec<f64> = windows.iter().map(|window| window.cpu_ms_per_evaluation).collect();
    let mean = totals.iter().sum::<f64>() / totals.len() as f64;
    let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
    let contained = match flags.contained {
        0 => None,
        evaluations => Some(contained::measure(evaluations, terminal)?),
    };
    let answer = Answer {
        contained,
        candidates: ending.state.counters.evaluations,
        front: ending.state.front.len(),
        wall_s: wall.as_secs_f64(),
        cpu_ms_per_evaluation: mean.is_finite().then_some(mean),
        resident_mib: resident.map(mib),
        resident_before_mib: before.map(mib),
        last_to_first_thousand: match totals.as_slice() {
            [first, .., last] if *first > 0.0 => Some(last / first),
            _ => None,
        },
        thousands: windows,
    };
    if terminal.wants_json() {
        terminal.json(&answer)?;
        return Ok(Exit::Done);
    }
    let figure = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "unknown".to_owned(), |v| format!("{v:.3}{unit}"))
    };
    terminal.line(&format!("candidates                {} in {:.1} s", answer.candidates, answer.wall_s))?;
    terminal.line(&format!("CPU an evaluation         {}", figure(answer.cpu_ms_per_evaluation, " ms")))?;
    terminal.line(&format!(
        "resident                  {} (before the run {})",
        figure(answer.resident_mib, " MiB"),
        figure(answer.resident_before_mib, " MiB")
    ))?;
    terminal
        .line(&format!("last to first thousand    {}", figure(answer.last_to_first_thousand, " times")))?;
    if let Some(contained) = &answer.contained {
        terminal.line(&format!(
            "run to bare evaluations   {:.3} times ({:.2} s to {:.2} s for the same {} at {}, {} at once)",
            contained.run_to_bare,
            contained.run_s,
            contained.bare_s,
            contained.evaluations,
            contained.isolation,
            contained.workers
        ))?;
    }
    Ok(Exit::Done)
}

fn prepare(folder: &Path, evaluations: u64) -> Result<Conductor, Failure> {
    let run = RunId::new("bench");
    let target = folder.join("target");
    std::fs::create_dir(&target)?;
    let baseline: Vec<i64> = vec![0; NUMBERS];
    std::fs::write(target.join(FILE), source(&baseline))?;
    let failed = |error: snapshots::SnapshotsError| Failure::caused("the repository failed", error);
    let may_change = Arc::new(|path: &str| path == FILE);
    let mut snapshots =
        GitSnapshots::open(&folder.join("repository.git"), Access::Write, may_change).map_err(failed)?;
    let import = ImportRequest {
        directory: &target,
        selection: Selection::default(),
        id: run.candidate(BASELINE),
        summary: "the unchanged program".to_owned(),
        trailers: Vec::new(),
        time_ms: 0,
    };
    let commit = snapshots.import(&import).map_err(failed)?.commit;
    let started = RunStarted {
        version: evolution::event::VERSION,
        run_id: run,
        agent_id: "bench".to_owned(),
        target: target.display().to_string(),
        seed: 1,
        objectives: landscape_objectives()?,
        settings: Settings::default(),
        budget: Budget { evaluations: Some(evaluations), ..Budget::default() },
        proposers: vec![ProposerInfo { name: "ast".to_owned(), operators: Nudge.operators() }],
        baseline: commit,
        fingerprint: source(&baseline),
        configuration: serde_json::Value::Null,
    };
    let store = SqliteStore::open(&folder.join("darwind.sqlite"))
        .map_err(|error| Failure::caused("the store failed", error))?;
    let ports = Ports {
        log: Arc::new(store),
        clock: Arc::new(Wall),
        snapshots: Box::new(snapshots),
        screener: Arc::new(ByText),
        proposers: vec![Box::new(Nudge)],
        evaluators: vec![Box::new(Landscape)],
    };
    Conductor::begin(ports, started).map_err(|error| Failure::caused("the run could not begin", error))
}

fn landscape_objectives() -> Result<ObjectiveSet, Failure> {
    let objective = |name: &str| {
        serde_json::from_value::<Objective>(serde_json::json!({
            "name": name, "direction": "minimize", "weight": 1.0, "threshold": null, "unit": null, "bound": null,
        }))
    };
    let failed = |error: serde_json::Error| Failure::caused("an objective failed", error);
    let all = vec![objective("error").map_err(failed)?, objective("size").map_err(failed)?];
    ObjectiveSet::new(all).map_err(|error| Failure::caused("the objectives failed", error))
}

fn source(numbers: &[i64]) -> String {
    let lines: Vec<String> = numbers.iter().enumerate().map(|(i, n)| format!("number_{i} = {n}\n")).collect();
    lines.concat()
}

fn numbers(files: &SourceFiles) -> Vec<i64> {
    let text = files.text(FILE).unwrap_or("");
    text.lines().filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect()
}

/// One well-mixed number from another (SplitMix64, Steele et al. 2014).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

struct Wall;

impl Clock for Wall {
    fn now_ms(&self) -> i64 {
        crate::data::now_ms()
    }
}

/// Nudges one number of the parent.
struct Nudge;

impl Proposer for Nudge {
    fn name(&self) -> &str {
        "ast"
    }

    fn operators(&self) -> Vec<OperatorPrior> {
        let operator =
            |name: &str| OperatorPrior { name: name.to_owned(), yield_mean: 0.2, strength: 2.0, parents: 1 };
        vec![operator("up"), operator("down"), operator("far")]
    }

    fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ProposerError> {
        let parent = request.parents.first().ok_or_else(|| ProposerError::Failed("no parent".to_owned()))?;
        let mut numbers = numbers(&parent.files);
        let place = usize::try_from(mixed(request.seed) % NUMBERS as u64).unwrap_or(0);
        let step = i64::try_from(1 + mixed(request.seed ^ 1) % 97).unwrap_or(1);
        if let Some(number) = numbers.get_mut(place) {
            *number += match request.operator.as_str() {
                "up" => step,
                "down" => -step,
                _ => step * 100,
            };
        }
        let change =
            FileChange { path: FILE.to_owned(), content: Some(source(&numbers).into_bytes().into()) };
        Ok(Proposal {
            patch: Patch(vec![change]),
            rationale: format!("number_{place} moved by about {step}"),
            operator: request.operator.clone(),
            detail: serde_json::json!({ "place": place, "step": step }),
            cost: Cost::default(),
        })
    }

    fn observe(&mut self, _: &ProposalFeedback) {}

    fn recall(&mut self, _: u32, _: &[u32], _: &str, _: &serde_json::Value) {}
}

/// Two programs are the same when their text is.
struct ByText;

impl Screener for ByText {
    fn screen(&self, parent: &SourceFiles, patch: &Patch) -> Screening {
        let files = parent.patched(patch);
        let text = files.text(FILE).unwrap_or("");
        let fingerprint = text.bytes().fold((1_u64, 2_u64), |(a, b), byte| {
            (mixed(a ^ u64::from(byte)), mixed(b.wrapping_add(u64::from(byte))))
        });
        Screening { fingerprint: format!("{:016x}{:016x}", fingerprint.0, fingerprint.1), refused: None }
    }
}

/// Two objectives that pull apart, a check that some fail, and a case a number.
struct Landscape;

impl Evaluator for Landscape {
    fn evaluate(&mut self, request: &EvaluationRequest) -> Result<Evaluation, EvaluatorError> {
        let numbers = numbers(&request.files);
        let goal = |place: usize| i64::try_from(mixed(place as u64) % 10_000).unwrap_or(0);
        let errors: Vec<i64> = numbers.iter().enumerate().map(|(i, n)| (n - goal(i)).abs()).collect();
        let sizes: i64 = numbers.iter().map(|n| n.abs()).sum();
        let passed = !mixed(u64::from(request.number)).is_multiple_of(4) || request.number == BASELINE;
        let scores = [("error", errors.iter().sum::<i64>() as f64), ("size", sizes as f64)];
        let scores =
            Scores::from_pairs(scores).map_err(|error| EvaluatorError::Impossible(error.to_string()))?;
        let case = |(place, error): (usize, &i64)| CaseResult {
            name: format!("case {place}"),
            passed: *error < 5_000,
            failure: if *error < 5_000 { String::new() } else { "wrong".to_owned() },
        };
        Ok(Evaluation {
            outcome: if passed { Outcome::Ok } else { Outcome::Wrong },
            detail: String::new(),
            isolation: "L1".to_owned(),
            separation: Separation::Split,
            checks: vec![CheckResult {
                name: "tests".to_owned(),
                passed,
                reason: if passed { String::new() } else { "every fourth fails".to_owned() },
            }],
            scores,
            metrics: Default::default(),
            cases: errors.iter().enumerate().map(case).collect(),
            cases_total: u32::try_from(NUMBERS).unwrap_or(u32::MAX),
            suspicion: Vec::new(),
            comparisons: Vec::new(),
            denials: Default::default(),
            log: String::new(),
            cost: Cost::default(),
        })
    }
}
