//! A target in a folder of its own, and an evaluator over it at a chosen level.

use evolution::candidate::{Evaluation, SourceFiles};
use evolution::id::{BASELINE, CommitId, Number, RunId};
use evolution::ports::{CandidateView, EvaluationRequest, Evaluator, Purpose};
use objectives::{Direction, Objective};
use sandbox::cell::{Job, Lane, LaneOptions, Level, Limits};
use sandbox::{
    Calibration, CheckPlan, EvaluationPlan, LocalEvaluator, Measure, ObjectivePlan, Python, Target,
};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const LAUNCHER: &str = env!("CARGO_BIN_EXE_darwind_cell");

/// The levels at which a cell starts on this host; what is missing is printed.
pub(crate) fn levels() -> &'static [Level] {
    static LEVELS: OnceLock<Vec<Level>> = OnceLock::new();
    LEVELS.get_or_init(|| {
        let starts = |level: &Level| {
            let root = tempfile::tempdir().expect("a folder");
            let options =
                LaneOptions { launcher: LAUNCHER.into(), level: *level, root: root.path().to_owned() };
            let job = Job {
                argv: vec!["/bin/true".to_owned()],
                env: Vec::new(),
                cwd: "/".into(),
                stdin: Vec::new(),
                read_only: ["/bin", "/usr", "/lib", "/lib64"].iter().map(PathBuf::from).collect(),
                writable: Vec::new(),
                gateway: None,
                limits: Limits::default(),
            };
            let report = Lane::start(options).and_then(|mut lane| lane.run(&job));
            let works = report.as_ref().is_ok_and(|report| report.exit == sandbox::cell::Exit::Code(0));
            if !works {
                println!("skipped: level {level}: {report:?}");
            }
            works
        };
        [Level::L1, Level::L2].into_iter().filter(starts).collect()
    })
}

pub(crate) fn python() -> Python {
    Python::discover(None, None).expect("the suite needs Python 3")
}

/// A target.
pub(crate) struct Ground {
    folder: TempDir,
    plan: EvaluationPlan,
}

pub(crate) fn files(files: &[(&str, &str)]) -> SourceFiles {
    SourceFiles(files.iter().map(|(path, text)| ((*path).to_owned(), Arc::from(text.as_bytes()))).collect())
}

pub(crate) fn objective(name: &str, direction: Direction, measure: Measure) -> ObjectivePlan {
    let objective = Objective::new(name, direction).expect("a valid name");
    ObjectivePlan { objective, measure, timeout: Duration::from_secs(20) }
}

pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

impl Ground {
    /// A target of these files, of which the first `mutable` may change.
    pub(crate) fn new(level: Level, mutable: usize, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tree = folder.path().join("baseline");
        for (path, text) in files {
            let place = tree.join(path);
            std::fs::create_dir_all(place.parent().expect("a parent")).expect("a folder");
            std::fs::write(place, text).expect("a file");
        }
        let mutable = files.iter().take(mutable).map(|(path, _)| (*path).to_owned()).collect();
        let plan = EvaluationPlan {
            target: Target { name: "target".to_owned(), tree, mutable, python: python() },
            checks: Vec::new(),
            objectives: Vec::new(),
            evaluator: None,
            tools: Vec::new(),
            limits: Limits { memory: 256 << 20, processes: 16, ..Limits::default() },
            level,
            max_pairs: 10,
        };
        Self { folder, plan }
    }

    pub(crate) fn check(mut self, name: &str, run: &str) -> Self {
        self.plan.checks.push(CheckPlan {
            name: name.to_owned(),
            run: words(run),
            timeout: Duration::from_secs(20),
        });
        self
    }

    pub(crate) fn objective(mut self, name: &str, direction: Direction, measure: Measure) -> Self {
        self.plan.objectives.push(objective(name, direction, measure));
        self
    }

    pub(crate) fn plan(mut self, change: impl FnOnce(&mut EvaluationPlan)) -> Self {
        change(&mut self.plan);
        self
    }

    /// Sets the evaluator up.
    pub(crate) fn judge(self) -> Judge {
        let baseline = SourceFiles(
            self.plan
                .target
                .mutable
                .iter()
                .map(|path| {
                    (path.clone(), std::fs::read(self.plan.target.tree.join(path)).expect("a file").into())
                })
                .collect(),
        );
        let plan = Arc::new(self.plan);
        let lane = self.folder.path().join("lane");
        let calibration = Arc::new(Mutex::new(Calibration::default()));
        let evaluator = LocalEvaluator::new(plan, LAUNCHER.into(), &lane, calibration).expect("an evaluator");
        let mut judge =
            Judge { evaluator, folder: self.folder, baseline: Arc::new(baseline), parent: None, number: 0 };
        let evaluation = judge.of(&judge.baseline.clone(), Purpose::Baseline, &[]);
        judge.parent = Some(evaluation);
        judge
    }
}

/// An evaluator with a measured baseline.
pub(crate) struct Judge {
    evaluator: LocalEvaluator,
    pub folder: TempDir,
    pub baseline: Arc<SourceFiles>,
    parent: Option<Evaluation>,
    number: Number,
}

impl Judge {
    /// What was measured on the baseline.
    pub(crate) fn measured(&self) -> &Evaluation {
        self.parent.as_ref().expect("it was measured")
    }

    /// Evaluates a candidate whose first file is `text`.
    pub(crate) fn of_text(&mut self, text: &str) -> Evaluation {
        self.of(&self.files(text), Purpose::Judge, &[])
    }

    /// The baseline with its first file replaced.
    pub(crate) fn files(&self, text: &str) -> SourceFiles {
        let mut files = (*self.baseline).clone();
        *files.0.values_mut().next().expect("a file") = Arc::from(text.as_bytes());
        files
    }

    pub(crate) fn of(&mut self, files: &SourceFiles, purpose: Purpose, failing_first: &[&str]) -> Evaluation {
        self.number += 1;
        let parent =
            self.parent.clone().filter(|_| purpose != Purpose::Baseline).map(|evaluation| CandidateView {
                number: BASELINE,
                id: RunId::new("run").candidate(BASELINE),
                commit: CommitId::new("0".repeat(40)),
                files: self.baseline.clone(),
                evaluation: Arc::new(evaluation),
                detail: Arc::default(),
            });
        let request = EvaluationRequest {
            number: self.number,
            purpose,
            files: Arc::new(files.clone()),
            parent,
            failing_first: failing_first.iter().map(|name| (*name).to_owned()).collect(),
            localise_from: 1,
            seed: 0x5eed_0000 + u64::from(self.number),
            stop: Arc::default(),
        };
        self.evaluator.evaluate(&request).expect("an evaluation")
    }
}

/// Names of the cases that passed.
pub(crate) fn passed(evaluation: &Evaluation) -> Vec<&str> {
    evaluation.cases.iter().filter(|case| case.passed).map(|case| case.name.as_str()).collect()
}

/// How a case failed; empty when it passed.
pub(crate) fn failure<'e>(evaluation: &'e Evaluation, name: &str) -> &'e str {
    evaluation
        .cases
        .iter()
        .find(|case| case.name == name)
        .map_or("no such case", |case| case.failure.as_str())
}
