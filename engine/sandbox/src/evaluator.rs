//! The cascade: a candidate is judged by cheap gates before dear ones and leaves at the first that it fails, with the
//! reason kept. One evaluator serves one worker, on a bench of its own.

mod calibration;
mod cases;
mod checks;
mod dear;
mod draft;
mod statics;

use crate::bench::{Bench, BenchError, Bill, Trouble};
use crate::cases::CaseFile;
use crate::plan::{CaseSource, EvaluationPlan, Measure, ObjectivePlan};
use crate::workspace::Side;
pub use calibration::Calibration;
pub use dear::TOGETHER;
use draft::Draft;
use evolution::candidate::{
    CheckResult, Comparison, ComparisonVerdict, Evaluation, Outcome, Separation, SourceFiles,
};
use evolution::ports::{EvaluationRequest, Evaluator, EvaluatorError, Purpose};
use objectives::{Direction, Scores};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use syntax::Module;

/// Runs of a noisy command on the baseline, from which its noise is taken.
const NOISE_RUNS: usize = 5;
/// CPU seconds after which no further run of the baseline is made once there are two.
const NOISE_S: f64 = 20.0;
/// CPU seconds that a case has at first, at least.
const MIN_CASE_S: f64 = 0.2;
/// How many times the dearest passing case of the baseline a case may take at first.
const CASE_FACTOR: f64 = 20.0;
/// How many times longer a case may take while its lines are recorded. Recording slows Python about tenfold; a case that
/// is cut short has shown most of its lines by then.
const TRACE_FACTOR: f64 = 4.0;
/// Cases whose lines are recorded, at most.
const MAX_TRACED: u32 = 200;
/// Relative difference of an evaluator's numbers that counts as none.
const ROUNDING: f64 = 1e-9;
/// Relative difference of a metric to the parent's that is taken for the rounding of sums in another order.
const NO_DIFFERENCE: f64 = 1e-12;
/// Relative difference of memory that counts as none.
const MEMORY_BAND: f64 = 0.02;

/// Evaluates candidates on this machine.
pub struct LocalEvaluator {
    bench: Bench,
    plan: Arc<EvaluationPlan>,
    calibration: Arc<Mutex<Calibration>>,
    baseline: SourceFiles,
    case_file: Option<CaseFile>,
}

impl LocalEvaluator {
    /// Sets up an evaluator in `folder`, which is its own. `launcher` is the binary that is a launcher when its first
    /// argument says so.
    ///
    /// # Errors
    /// When the folder cannot be written, the launcher cannot be run, or the file of cases makes no sense.
    pub fn new(
        plan: Arc<EvaluationPlan>,
        launcher: PathBuf,
        folder: &Path,
        calibration: Arc<Mutex<Calibration>>,
    ) -> Result<Self, EvaluatorError> {
        let bench = Bench::new(plan.clone(), launcher, folder).map_err(|error| fault(&error))?;
        let read = |path: &str| std::fs::read(plan.target.tree.join(path)).ok();
        let files =
            plan.target.mutable.iter().filter_map(|path| Some((path.clone(), Arc::from(read(path)?))));
        let baseline = SourceFiles(files.collect());
        let case_file = plan.objectives.iter().find_map(|objective| match &objective.measure {
            Measure::PassRate(CaseSource::File(path)) => Some(path.clone()),
            _ => None,
        });
        let case_file = case_file
            .map(|path| {
                let content = read(&path).and_then(|bytes| String::from_utf8(bytes).ok());
                let content =
                    content.ok_or_else(|| EvaluatorError::Impossible(format!("{path} cannot be read")))?;
                let source = |path: &str| String::from_utf8(read(path)?).ok();
                CaseFile::parse(&content, &plan.target.mutable, source)
                    .map_err(|reason| EvaluatorError::Impossible(format!("{path}: {reason}")))
            })
            .transpose()?;
        Ok(Self { bench, plan, calibration, baseline, case_file })
    }

    fn calibration(&self) -> Calibration {
        self.calibration.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, change: impl FnOnce(&mut Calibration)) {
        change(&mut self.calibration.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn judge(&mut self, request: &EvaluationRequest) -> Result<Evaluation, BenchError> {
        self.bench.bill = Bill::default();
        let mut draft = Draft { evaluation: self.blank(), over: false };
        self.bench.show(&request.files)?;
        self.syntax(request, &mut draft);
        let steps: [Step; 4] = [Self::pass_rates, Self::checks, Self::statics, Self::dear];
        for step in steps {
            if request.stop.load(Ordering::Relaxed) {
                draft.stop(Trouble::new(Outcome::SandboxError, "it was ended from outside"));
            }
            if !draft.over {
                step(self, request, &mut draft)?;
            }
        }
        if request.purpose == Purpose::Verify && !draft.over && !self.is_intact()? {
            draft.stop(Trouble::new(Outcome::Tamper, "a file that may not change has changed"));
        }
        let bill = std::mem::take(&mut self.bench.bill);
        let mut evaluation = draft.evaluation;
        evaluation.cost = bill.cost;
        evaluation.denials = bill.denials;
        evaluation.log = bill.log;
        Ok(evaluation)
    }

    fn blank(&self) -> Evaluation {
        Evaluation {
            outcome: Outcome::Ok,
            detail: String::new(),
            isolation: self.bench.level().to_string(),
            separation: Separation::Split,
            checks: Vec::new(),
            scores: Scores::default(),
            metrics: BTreeMap::new(),
            cases: Vec::new(),
            cases_total: 0,
            suspicion: Vec::new(),
            comparisons: Vec::new(),
            denials: BTreeMap::new(),
            log: String::new(),
            cost: evolution::candidate::Cost::default(),
        }
    }

    fn is_intact(&self) -> Result<bool, BenchError> {
        let path = self.bench.workspace.tree(Side::Whole).to_owned();
        self.bench.workspace.is_intact().map_err(|source| BenchError::Folder { path, source })
    }

    /// Every Python file parses. The baseline is taken as it is.
    fn syntax(&self, request: &EvaluationRequest, draft: &mut Draft) {
        for path in request.files.0.keys().filter(|path| path.ends_with(".py")) {
            let Some(text) = request.files.text(path) else {
                return draft
                    .fail_check("syntax", Trouble::new(Outcome::Wrong, format!("{path} is not UTF-8")));
            };
            if let Some(fault) = Module::parse(text).errors().first() {
                let detail = format!("{path}, line {}: {}", fault.line, fault.message);
                return draft.fail_check("syntax", Trouble::new(Outcome::Wrong, detail));
            }
        }
        draft.evaluation.checks.push(CheckResult {
            name: "syntax".to_owned(),
            passed: true,
            reason: String::new(),
        });
    }

    /// Whether the cascade may end early: only a candidate that is judged for the first time needs no more than its
    /// first failure.
    fn hurries(request: &EvaluationRequest) -> bool {
        request.purpose == Purpose::Judge
    }
}

type Step = fn(&mut LocalEvaluator, &EvaluationRequest, &mut Draft) -> Result<(), BenchError>;

/// A child's CPU time from its parent's and their ratio, so that scores stay comparable whatever else the machine does.
/// A tie takes the parent's score over, so that noise never counts as progress.
fn score_of(comparison: &Comparison, parent: Option<f64>) -> Option<f64> {
    let parent = parent?;
    Some(match comparison.verdict {
        ComparisonVerdict::Tie => parent,
        ComparisonVerdict::Better | ComparisonVerdict::Worse => parent * comparison.ratio,
    })
}

fn meets(objective: &ObjectivePlan, value: f64) -> bool {
    objective.objective.threshold.is_none_or(|threshold| match objective.objective.direction {
        Direction::Minimize => value <= threshold,
        Direction::Maximize => value >= threshold,
    })
}

fn fault(error: &BenchError) -> EvaluatorError {
    match error {
        BenchError::Folder { .. } => EvaluatorError::Impossible(error.to_string()),
        BenchError::Cell(_) => EvaluatorError::Failed(error.to_string()),
    }
}

impl Evaluator for LocalEvaluator {
    fn evaluate(&mut self, request: &EvaluationRequest) -> Result<Evaluation, EvaluatorError> {
        let began = Instant::now();
        self.bench.lane.heed(request.stop.clone());
        let mut evaluation = self.judge(request).map_err(|error| fault(&error))?;
        if evaluation.outcome == Outcome::SandboxError {
            return Err(EvaluatorError::Failed(evaluation.detail));
        }
        evaluation.cost.wall_s = began.elapsed().as_secs_f64();
        Ok(evaluation)
    }
}
