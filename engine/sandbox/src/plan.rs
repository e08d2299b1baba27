//! The evaluation plan: everything that an evaluator needs to know of a target, as plain data. Made once, from the
//! configuration, by whoever wires a run.

use crate::cell::{Level, Limits};
use crate::python::Python;
use objectives::Objective;
use std::path::PathBuf;
use std::time::Duration;

/// The target.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// An exported copy of the unchanged target, owned by the engine and never changed.
    pub tree: PathBuf,
    /// Paths that may change, below the tree, with `/` between parts.
    pub mutable: Vec<String>,
    /// The interpreter that it runs under.
    pub python: Python,
}

/// A gate: a command that must succeed.
#[derive(Debug, Clone)]
pub struct CheckPlan {
    /// Its name.
    pub name: String,
    /// The command; `python` and `python3` mean the target's interpreter.
    pub run: Vec<String>,
    /// Wall time after which it has failed.
    pub timeout: Duration,
}

/// Where the cases of a pass rate come from.
#[derive(Debug, Clone)]
pub enum CaseSource {
    /// A unittest or pytest command.
    Run(Vec<String>),
    /// A file of inputs and expected outputs, below the tree; see `cases`.
    File(String),
}

/// How an objective is measured.
#[derive(Debug, Clone)]
pub enum Measure {
    /// CPU seconds of a command.
    CpuTime {
        /// The command.
        run: Vec<String>,
    },
    /// Peak memory of a command, in bytes.
    PeakMemory {
        /// The command.
        run: Vec<String>,
    },
    /// Syntax tokens of the files that may change.
    CodeSize,
    /// Cyclomatic complexity of the files that may change.
    Complexity,
    /// Share of cases that pass.
    PassRate(CaseSource),
    /// One minus what the policy finds.
    Safety,
    /// A number that the evaluator reports.
    Metric {
        /// Its name there.
        name: String,
    },
}

/// An objective and how it is measured.
#[derive(Debug, Clone)]
pub struct ObjectivePlan {
    /// The objective.
    pub objective: Objective,
    /// How it is measured.
    pub measure: Measure,
    /// Wall time of one run of its command.
    pub timeout: Duration,
}

/// How a project's own evaluator is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Contract {
    /// OpenEvolve's: `evaluate(program_path)` answers numbers, and `evaluate_stage1` to `3` make a cascade.
    #[default]
    Function,
    /// ShinkaEvolve's: a program that takes `--program_path` and `--results_dir` and writes `metrics.json` and
    /// `correct.json`.
    Process,
}

/// A project's own evaluator.
#[derive(Debug, Clone)]
pub struct EvaluatorFile {
    /// Its path below the tree.
    pub path: String,
    /// Wall time of one evaluation.
    pub timeout: Duration,
    /// Time of one stage of a cascade: wall time, or CPU time of a call where the candidate is in a process of its own.
    /// `None` where only the whole is limited.
    pub stage_timeout: Option<Duration>,
    /// Whether its folder keeps the program as it was and the candidate lies elsewhere, as with OpenEvolve and
    /// ShinkaEvolve: what it imports by the program's own name is then the original. For targets of one file.
    pub keeps_original: bool,
    /// How it is asked.
    pub contract: Contract,
    /// Words that [`Contract::Process`] hands over after its own.
    pub arguments: Vec<String>,
    /// What the first stage must reach for the second to begin, and what both must for the third; `None` for no cascade,
    /// even where there are stages.
    pub cascade: Option<Vec<f64>>,
    /// Metrics that describe a candidate and are no part of the mean that stands in for `combined_score`.
    pub features: Vec<String>,
}

/// OpenEvolve's default for [`EvaluatorFile::cascade`] (`evaluator.cascade_thresholds`, of which it uses two).
pub const CASCADE_THRESHOLDS: [f64; 2] = [0.5, 0.75];

impl EvaluatorFile {
    /// An evaluator by OpenEvolve's contract and with its defaults.
    pub fn new(path: impl Into<String>, timeout: Duration) -> Self {
        Self {
            path: path.into(),
            timeout,
            stage_timeout: None,
            keeps_original: false,
            contract: Contract::Function,
            arguments: Vec::new(),
            cascade: Some(CASCADE_THRESHOLDS.to_vec()),
            features: Vec::new(),
        }
    }
}

/// Everything that an evaluator needs to know.
#[derive(Debug, Clone)]
pub struct EvaluationPlan {
    /// The target.
    pub target: Target,
    /// Gates, in order.
    pub checks: Vec<CheckPlan>,
    /// Objectives, in order.
    pub objectives: Vec<ObjectivePlan>,
    /// The project's own evaluator, if there is one.
    pub evaluator: Option<EvaluatorFile>,
    /// Folders of toolchains beside the system's, each with its programs in `bin`, that evaluators and commands may use.
    pub tools: Vec<PathBuf>,
    /// What a cell may use; wall and CPU time come from the commands' own timeouts.
    pub limits: Limits,
    /// The level that cells run at.
    pub level: Level,
    /// Most interleaved pairs of one comparison of CPU time.
    pub max_pairs: u32,
}

impl EvaluationPlan {
    /// The program whose original the evaluator's folder keeps, if it does.
    pub(crate) fn original(&self) -> Option<&String> {
        let keeps = self.evaluator.as_ref().is_some_and(|evaluator| evaluator.keeps_original);
        match self.target.mutable.as_slice() {
            [only] if keeps => Some(only),
            _ => None,
        }
    }

    /// Files that judge a candidate and that it need not see: cases with their answers, the evaluator.
    pub(crate) fn judging_files(&self) -> Vec<String> {
        let cases = self.objectives.iter().filter_map(|objective| match &objective.measure {
            Measure::PassRate(CaseSource::File(path)) => Some(path.clone()),
            _ => None,
        });
        cases.chain(self.evaluator.iter().map(|evaluator| evaluator.path.clone())).collect()
    }
}

/// Default for [`EvaluationPlan::max_pairs`].
pub const MAX_PAIRS: u32 = 40;
