//! The cascade: a candidate is judged by cheap gates before dear ones and leaves at the first that it fails, with the
//! reason kept. One evaluator serves one worker, on a bench of its own.

use crate::bench::{Bench, BenchError, Bill, Trouble};
use crate::cases::{CaseFile, CaseRun, Findings};
use crate::command::{Command, classify};
use crate::localisation;
use crate::measure::{self, Timed, median};
use crate::plan::{CaseSource, CheckPlan, EvaluationPlan, Measure, ObjectivePlan};
use crate::policy;
use crate::suite::SuiteRun;
use crate::workspace::Side;
use evolution::candidate::{
    CheckResult, Comparison, ComparisonVerdict, Evaluation, Outcome, Separation, SourceFiles,
};
use evolution::ports::{EvaluationRequest, Evaluator, EvaluatorError, Purpose};
use objectives::{Direction, Scores};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
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
/// Relative difference of memory that counts as none.
const MEMORY_BAND: f64 = 0.02;

/// What was learnt on the baseline and is needed to judge others. Shared by the evaluators of a run; part of the
/// baseline's recorded evaluation, so that a resumed run has it too.
#[derive(Debug, Clone, Default)]
pub struct Calibration {
    /// Names of the cases.
    known: Vec<String>,
    /// CPU seconds that a case has at first.
    case_limit_s: Option<f64>,
    /// CPU seconds of a program that does nothing.
    empty_s: Option<f64>,
    /// Output of each noisy command, where it is the same each time; `None` where it is not.
    outputs: BTreeMap<String, Option<Vec<u8>>>,
    /// What judges apart from the candidate: names of objectives and checks, and [`EVALUATOR`].
    apart: BTreeSet<String>,
    /// The policy's findings.
    findings: BTreeMap<&'static str, u32>,
}

/// Metric that keeps the first limit of a case with the baseline's evaluation.
const CASE_LIMIT: &str = "engine.case_limit_s";
/// Start of the metrics that keep with the baseline's evaluation what judges apart from the candidate.
const APART: &str = "engine.apart.";
/// Name of the project's own evaluator among what judges apart.
const EVALUATOR: &str = "evaluator";
/// Metric that keeps the cost of an empty program with the baseline's evaluation.
const EMPTY: &str = "engine.empty_program_s";

impl Calibration {
    /// What a recorded evaluation of the baseline tells.
    pub fn of(baseline: &Evaluation) -> Self {
        Self {
            known: baseline.cases.iter().map(|case| case.name.clone()).collect(),
            case_limit_s: baseline.metrics.get(CASE_LIMIT).copied(),
            empty_s: baseline.metrics.get(EMPTY).copied(),
            apart: baseline
                .metrics
                .keys()
                .filter_map(|name| Some(name.strip_prefix(APART)?.to_owned()))
                .collect(),
            ..Self::default()
        }
    }
}

/// Evaluates candidates on this machine.
pub struct LocalEvaluator {
    bench: Bench,
    plan: Arc<EvaluationPlan>,
    calibration: Arc<Mutex<Calibration>>,
    baseline: SourceFiles,
    case_file: Option<CaseFile>,
}

/// An evaluation being put together.
struct Draft {
    evaluation: Evaluation,
    /// Set when the cascade is over.
    over: bool,
}

impl Draft {
    fn stop(&mut self, trouble: Trouble) {
        self.evaluation.outcome = trouble.outcome;
        self.evaluation.detail = trouble.detail;
        self.over = true;
    }

    fn score(&mut self, name: &str, value: f64) -> Result<(), Trouble> {
        let all = self.evaluation.scores.iter().map(|(name, value)| (name.to_owned(), value));
        let all = all.chain([(name.to_owned(), value)]).collect::<Vec<_>>();
        self.evaluation.scores =
            Scores::from_pairs(all).map_err(|error| Trouble::new(Outcome::Protocol, error.to_string()))?;
        Ok(())
    }

    /// Notes how something was kept apart from the candidate: the weakest holds for the whole.
    fn kept(&mut self, separation: Separation) {
        let weakness = |separation: Separation| match separation {
            Separation::Split => 0,
            Separation::Canary => 1,
            Separation::Shared => 2,
        };
        if weakness(separation) > weakness(self.evaluation.separation) {
            self.evaluation.separation = separation;
        }
    }

    fn fail_check(&mut self, name: &str, trouble: Trouble) {
        let reason = if trouble.detail.is_empty() {
            trouble.outcome.word().to_owned()
        } else {
            trouble.detail.clone()
        };
        self.evaluation.checks.push(CheckResult { name: name.to_owned(), passed: false, reason });
        self.stop(trouble);
    }
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

    // ---- cases -----------------------------------------------------------------------------------------------------

    fn pass_rates(&mut self, request: &EvaluationRequest, draft: &mut Draft) -> Result<(), BenchError> {
        let plan = self.plan.clone();
        for objective in &plan.objectives {
            let Measure::PassRate(source) = &objective.measure else { continue };
            let findings = self.find_cases(objective, source, request, false)?;
            self.note_cases(source, request, draft, objective, findings)?;
            if draft.over {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Runs the cases of a source. A candidate that fails by time alone gets one more try with the full time.
    fn find_cases(
        &mut self,
        objective: &ObjectivePlan,
        source: &CaseSource,
        request: &EvaluationRequest,
        trace: bool,
    ) -> Result<Findings, BenchError> {
        let calibration = self.calibration();
        let wall = objective.timeout;
        let full_s = wall.as_secs_f64() / 2.0;
        let first_s = match request.purpose {
            Purpose::Baseline => (full_s / 4.0).clamp(MIN_CASE_S, 2.0),
            _ => calibration.case_limit_s.unwrap_or(2.0).min(full_s.max(MIN_CASE_S)),
        };
        let findings = self.run_cases(objective, source, request, &calibration, (first_s, trace))?;
        let timed_out = |findings: &Findings| {
            let mut failed = findings.results.iter().filter(|case| !case.passed).peekable();
            failed.peek().is_some() && failed.all(|case| case.failure == "timeout")
        };
        let worth_more = findings.passed() > 0 && request.purpose != Purpose::Baseline && !findings.gave_up;
        if !trace && worth_more && timed_out(&findings) && full_s > first_s * 2.0 {
            let longer_s = (first_s * 8.0).min(full_s);
            return self.run_cases(objective, source, request, &calibration, (longer_s, trace));
        }
        Ok(findings)
    }

    fn run_cases(
        &mut self,
        objective: &ObjectivePlan,
        source: &CaseSource,
        request: &EvaluationRequest,
        calibration: &Calibration,
        (limit_s, trace): (f64, bool),
    ) -> Result<Findings, BenchError> {
        let (name, wall) = (&objective.objective.name, objective.timeout);
        let first: &[String] = if trace { &[] } else { &request.failing_first };
        let give_up = Self::hurries(request) && !trace;
        match source {
            CaseSource::File(_) => {
                let Some(file) = &self.case_file else { return Ok(Findings::default()) };
                CaseRun { file, first, give_up, limit_s, trace, wall }.run(&mut self.bench)
            }
            CaseSource::Run(command) => {
                let (framework, arguments) = match classify(command) {
                    Command::Unittest(arguments) => ("unittest", arguments),
                    Command::Pytest(arguments) => ("pytest", arguments),
                    _ => {
                        let detail = "a pass rate is measured by a unittest or pytest command, or by cases";
                        let trouble = Some(Trouble::new(Outcome::Protocol, detail));
                        return Ok(Findings { trouble, ..Findings::default() });
                    }
                };
                let known: &[String] =
                    if request.purpose == Purpose::Baseline { &[] } else { &calibration.known };
                let suite = SuiteRun {
                    framework,
                    arguments: &arguments,
                    known,
                    first,
                    give_up,
                    stop_at_first: false,
                    limit_s,
                    trace,
                    apart: false,
                    reverse: false,
                    wall,
                    seed: request.seed,
                };
                self.run_suite(name, suite, request.purpose)
            }
        }
    }

    /// Runs tests apart from the candidate where its interface allows that, else in its process. Which it is, is found
    /// out on the baseline: both must agree there on every case.
    fn run_suite(
        &mut self,
        name: &str,
        suite: SuiteRun<'_>,
        purpose: Purpose,
    ) -> Result<Findings, BenchError> {
        let apart = SuiteRun { apart: true, reverse: purpose == Purpose::Verify, ..suite };
        if purpose == Purpose::Baseline && !suite.trace {
            let together = suite.run(&mut self.bench)?;
            if together.trouble.is_some() {
                return Ok(together);
            }
            let findings = apart.run(&mut self.bench)?;
            let reason = match findings.unfit.as_ref().or(findings.trouble.as_ref().map(|t| &t.detail)) {
                Some(reason) => reason.clone(),
                None if findings.agrees_with(&together) => {
                    self.learn(|calibration| {
                        calibration.apart.insert(name.to_owned());
                    });
                    return Ok(Findings { dearest_s: together.dearest_s, ..findings });
                }
                None => "some cases turn out otherwise".to_owned(),
            };
            self.bench.bill.note(&format!("{name} cannot be judged apart from the candidate: {reason}"));
            return Ok(together);
        }
        if self.calibration().apart.contains(name) {
            apart.run(&mut self.bench)
        } else if purpose == Purpose::Verify && !suite.trace {
            suite.run_each(&mut self.bench)
        } else {
            suite.run(&mut self.bench)
        }
    }

    /// Notes how what goes by `name` was kept apart from the candidate; `otherwise` when it was not.
    fn note_separation(&self, name: &str, otherwise: Separation, purpose: Purpose, draft: &mut Draft) {
        if !self.calibration().apart.contains(name) {
            draft.kept(otherwise);
        } else if purpose == Purpose::Baseline {
            draft.evaluation.metrics.insert(format!("{APART}{name}"), 1.0);
        }
    }

    fn note_cases(
        &mut self,
        source: &CaseSource,
        request: &EvaluationRequest,
        draft: &mut Draft,
        objective: &ObjectivePlan,
        findings: Findings,
    ) -> Result<(), BenchError> {
        if matches!(source, CaseSource::Run(_)) {
            self.note_separation(&objective.objective.name, Separation::Canary, request.purpose, draft);
        }
        let fatal = findings.trouble.clone().filter(|trouble| {
            matches!(trouble.outcome, Outcome::Tamper | Outcome::SandboxError) || findings.total == 0
        });
        if let Some(trouble) = fatal {
            draft.stop(trouble);
            return Ok(());
        }
        if request.purpose == Purpose::Baseline {
            let dearest = if findings.dearest_s > 0.0 { findings.dearest_s } else { 0.0 };
            let limit_s = (dearest * CASE_FACTOR).max(MIN_CASE_S);
            draft.evaluation.metrics.insert(CASE_LIMIT.to_owned(), limit_s);
            self.learn(|calibration| {
                calibration.case_limit_s = Some(limit_s);
                calibration.known = findings.results.iter().map(|case| case.name.clone()).collect();
            });
        }
        let passed = findings.passed();
        let total = findings.total.max(1);
        let failing = findings.results.iter().find(|case| !case.passed).cloned();
        draft.evaluation.cases = findings.results;
        draft.evaluation.cases_total = findings.total;
        if findings.gave_up {
            draft.stop(Trouble::new(Outcome::Wrong, "no case that its parent failed passes now"));
            return Ok(());
        }
        let share = passed as f64 / f64::from(total);
        if let Err(trouble) = draft.score(&objective.objective.name, share) {
            draft.stop(trouble);
            return Ok(());
        }
        if let Some(case) = failing {
            let reason =
                findings.trouble.map_or_else(String::new, |trouble| format!(" ({})", trouble.detail));
            let detail = format!("{} fails: {}{reason}", case.name, case.failure);
            draft.evaluation.outcome = Outcome::Wrong;
            draft.evaluation.detail = detail;
            if u32::try_from(passed).unwrap_or(u32::MAX) >= request.localise_from && total <= MAX_TRACED {
                self.locate(objective, source, request, draft)?;
            }
            let below = objective.objective.threshold.is_some_and(|threshold| share < threshold);
            draft.over = below && Self::hurries(request);
        }
        Ok(())
    }

    /// Runs the cases once more with their lines recorded.
    fn locate(
        &mut self,
        objective: &ObjectivePlan,
        source: &CaseSource,
        request: &EvaluationRequest,
        draft: &mut Draft,
    ) -> Result<(), BenchError> {
        let limit_s = self.calibration().case_limit_s.unwrap_or(MIN_CASE_S) * TRACE_FACTOR;
        let calibration = self.calibration();
        let limit_s = limit_s.min(objective.timeout.as_secs_f64() / 2.0);
        let findings = self.run_cases(objective, source, request, &calibration, (limit_s, true))?;
        draft.evaluation.suspicion = localisation::suspicion(&findings.coverage, &findings.blamed);
        Ok(())
    }

    // ---- checks ----------------------------------------------------------------------------------------------------

    fn checks(&mut self, request: &EvaluationRequest, draft: &mut Draft) -> Result<(), BenchError> {
        let plan = self.plan.clone();
        for check in &plan.checks {
            match self.check(check, request, draft)? {
                Ok(()) => draft.evaluation.checks.push(CheckResult {
                    name: check.name.clone(),
                    passed: true,
                    reason: String::new(),
                }),
                Err(trouble) => {
                    draft.fail_check(&check.name, trouble);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn check(
        &mut self,
        check: &CheckPlan,
        request: &EvaluationRequest,
        draft: &mut Draft,
    ) -> Result<Result<(), Trouble>, BenchError> {
        let (framework, arguments) = match classify(&check.run) {
            Command::Unittest(arguments) => ("unittest", arguments),
            Command::Pytest(arguments) => ("pytest", arguments),
            _ => return Ok(measure::run(&mut self.bench, &check.run, check.timeout, request.seed)?.map(drop)),
        };
        let same = |objective: &ObjectivePlan| match &objective.measure {
            Measure::PassRate(CaseSource::Run(run)) => *run == check.run,
            _ => false,
        };
        let failed =
            |name: &str, kind: &str| Err(Trouble::new(Outcome::Wrong, format!("{name} fails: {kind}")));
        if self.plan.objectives.iter().any(same) && !draft.evaluation.cases.is_empty() {
            // The very same tests have just been run as an objective.
            let failing = draft.evaluation.cases.iter().find(|case| !case.passed);
            return Ok(failing.map_or(Ok(()), |case| failed(&case.name, &case.failure)));
        }
        let suite = SuiteRun {
            framework,
            arguments: &arguments,
            known: &[],
            first: &[],
            give_up: false,
            stop_at_first: Self::hurries(request),
            limit_s: check.timeout.as_secs_f64(),
            trace: false,
            apart: false,
            reverse: false,
            wall: check.timeout,
            seed: request.seed,
        };
        let findings = self.run_suite(&check.name, suite, request.purpose)?;
        self.note_separation(&check.name, Separation::Canary, request.purpose, draft);
        if let Some(trouble) = findings.trouble {
            return Ok(Err(trouble));
        }
        let failing = findings.results.iter().find(|case| !case.passed);
        Ok(failing.map_or(Ok(()), |case| failed(&case.name, &case.failure)))
    }

    // ---- what the files alone tell ---------------------------------------------------------------------------------

    fn statics(&mut self, request: &EvaluationRequest, draft: &mut Draft) -> Result<(), BenchError> {
        let plan = self.plan.clone();
        let files = || request.files.0.keys().filter(|path| path.ends_with(".py"));
        let modules: Vec<Module> =
            files().filter_map(|path| request.files.text(path)).map(Module::parse).collect();
        for objective in &plan.objectives {
            let value = match &objective.measure {
                Measure::CodeSize => modules.iter().map(|module| f64::from(module.code_size())).sum(),
                Measure::Complexity => {
                    modules.iter().map(|module| f64::from(module.complexity().cyclomatic)).sum()
                }
                Measure::Safety => {
                    let found = policy::findings(&request.files);
                    if request.purpose == Purpose::Baseline {
                        self.learn(|calibration| calibration.findings = found.clone());
                    }
                    let calibration = self.calibration();
                    let before = if calibration.findings.is_empty() {
                        policy::findings(&self.baseline)
                    } else {
                        calibration.findings
                    };
                    policy::safety(&before, &found, self.bench.bill.denials.len())
                }
                _ => continue,
            };
            if let Err(trouble) = draft.score(&objective.objective.name, value) {
                draft.stop(trouble);
                return Ok(());
            }
            if Self::hurries(request) && !meets(objective, value) {
                draft.stop(Trouble::new(Outcome::Wrong, format!("{} is {value}", objective.objective.name)));
                return Ok(());
            }
        }
        Ok(())
    }

    // ---- dear objectives -------------------------------------------------------------------------------------------

    fn dear(&mut self, request: &EvaluationRequest, draft: &mut Draft) -> Result<(), BenchError> {
        let plan = self.plan.clone();
        let mut reported: Option<BTreeMap<String, f64>> = None;
        for objective in &plan.objectives {
            let value = match &objective.measure {
                Measure::CpuTime { run } => self.cpu_time(objective, run, request, draft)?,
                Measure::PeakMemory { run } => self.peak_memory(objective, run, request)?,
                Measure::Metric { name } => {
                    if reported.is_none() {
                        match self.reported(request, draft)? {
                            Ok(metrics) => reported = Some(metrics),
                            Err(trouble) => {
                                draft.stop(trouble);
                                return Ok(());
                            }
                        }
                    }
                    let value = reported.as_ref().and_then(|metrics| metrics.get(name).copied());
                    value.ok_or_else(|| {
                        Trouble::new(Outcome::Protocol, format!("the evaluator reported no {name}"))
                    })
                }
                _ => continue,
            };
            match value.and_then(|value| draft.score(&objective.objective.name, value).map(|()| value)) {
                Ok(value) if Self::hurries(request) && !meets(objective, value) => {
                    draft.evaluation.detail = format!("{} is {value}", objective.objective.name);
                    draft.over = true;
                    return Ok(());
                }
                Ok(_) => {}
                Err(trouble) => {
                    draft.stop(trouble);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn reported(
        &mut self,
        request: &EvaluationRequest,
        draft: &mut Draft,
    ) -> Result<Result<BTreeMap<String, f64>, Trouble>, BenchError> {
        let Some(evaluator) = self.plan.evaluator.clone() else {
            return Ok(Err(Trouble::new(Outcome::Protocol, "the configuration names no evaluator")));
        };
        let evaluator =
            measure::Evaluator { path: &evaluator.path, wall: evaluator.timeout, seed: request.seed };
        let reported = self.ask_evaluator(&evaluator, request.purpose)?;
        self.note_separation(EVALUATOR, Separation::Shared, request.purpose, draft);
        if let Ok(metrics) = &reported {
            draft.evaluation.metrics.extend(metrics.clone());
        }
        Ok(reported)
    }

    /// Asks the project's evaluator apart from the candidate where the candidate's interface allows that, else in its
    /// process. Which it is, is found out on the baseline: the numbers of all objectives must be the same.
    fn ask_evaluator(
        &mut self,
        evaluator: &measure::Evaluator<'_>,
        purpose: Purpose,
    ) -> Result<Result<BTreeMap<String, f64>, Trouble>, BenchError> {
        let unfit = |reason| Trouble::new(Outcome::Protocol, reason);
        if purpose == Purpose::Baseline {
            let together = evaluator.ask(&mut self.bench)?;
            let Ok(numbers) = &together else { return Ok(together) };
            let reason = match evaluator.ask_apart(&mut self.bench)? {
                Ok(Ok(apart)) if self.same_objectives(&apart, numbers) => {
                    self.learn(|calibration| {
                        calibration.apart.insert(EVALUATOR.to_owned());
                    });
                    return Ok(Ok(apart));
                }
                Ok(Ok(_)) => "its numbers differ from one time to the next, or by where it runs".to_owned(),
                Ok(Err(trouble)) => trouble.detail,
                Err(reason) => reason,
            };
            self.bench.bill.note(&format!("the evaluator cannot judge apart from the candidate: {reason}"));
            return Ok(together);
        }
        if self.calibration().apart.contains(EVALUATOR) {
            Ok(evaluator.ask_apart(&mut self.bench)?.unwrap_or_else(|reason| Err(unfit(reason))))
        } else {
            evaluator.ask(&mut self.bench)
        }
    }

    /// Whether two reports of an evaluator give every objective the same number, but for rounding.
    fn same_objectives(&self, a: &BTreeMap<String, f64>, b: &BTreeMap<String, f64>) -> bool {
        self.plan.objectives.iter().all(|objective| match &objective.measure {
            Measure::Metric { name } => match (a.get(name), b.get(name)) {
                (Some(a), Some(b)) => (a - b).abs() <= ROUNDING * a.abs().max(b.abs()),
                _ => false,
            },
            _ => true,
        })
    }

    fn cpu_time(
        &mut self,
        objective: &ObjectivePlan,
        run: &[String],
        request: &EvaluationRequest,
        draft: &mut Draft,
    ) -> Result<Result<f64, Trouble>, BenchError> {
        let name = objective.objective.name.clone();
        if !self.calibration().outputs.contains_key(&name) {
            if let Err(trouble) = self.calibrate(objective, run, request)? {
                return Ok(Err(trouble));
            }
            self.bench.show(&request.files)?;
        }
        let calibration = self.calibration();
        let empty_s = calibration.empty_s.unwrap_or(0.0);
        let stdout = calibration.outputs.get(&name).and_then(Option::as_deref);
        let timed = Timed {
            objective: &name,
            run,
            wall: objective.timeout,
            empty_s,
            stdout,
            max_pairs: self.plan.max_pairs,
            seed: request.seed,
        };
        let Some(parent) = &request.parent else {
            return self.baseline_time(&timed, draft);
        };
        let comparison = match timed.compare(&mut self.bench, &parent.files, &request.files)? {
            Ok(comparison) => comparison,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let before = parent.evaluation.scores.get(&name);
        let value = score_of(&comparison, before);
        draft.evaluation.comparisons.push(comparison);
        Ok(match value {
            Some(value) => Ok(value),
            // The parent was never timed, since it failed an earlier gate: measure on its own.
            None => timed.once(&mut self.bench)?,
        })
    }

    /// Measures the baseline several times: its score is the median, its noise the relative spread.
    fn baseline_time(
        &mut self,
        timed: &Timed<'_>,
        draft: &mut Draft,
    ) -> Result<Result<f64, Trouble>, BenchError> {
        let mut samples = Vec::new();
        while samples.len() < NOISE_RUNS && (samples.len() < 2 || samples.iter().sum::<f64>() < NOISE_S) {
            match timed.once(&mut self.bench)? {
                Ok(sample) => samples.push(sample),
                Err(trouble) => return Ok(Err(trouble)),
            }
        }
        let middle = median(&samples);
        let deviations: Vec<f64> = samples.iter().map(|sample| (sample - middle).abs() / middle).collect();
        draft.evaluation.metrics.insert(format!("{}.noise", timed.objective), median(&deviations));
        draft.evaluation.metrics.insert(EMPTY.to_owned(), timed.empty_s);
        Ok(Ok(middle))
    }

    /// Learns on the baseline what an empty program costs and whether the command prints the same each time.
    fn calibrate(
        &mut self,
        objective: &ObjectivePlan,
        run: &[String],
        request: &EvaluationRequest,
    ) -> Result<Result<(), Trouble>, BenchError> {
        let baseline = self.baseline.clone();
        self.bench.show(&baseline)?;
        let mut outputs = Vec::new();
        for _ in 0..2 {
            match measure::run(&mut self.bench, run, objective.timeout, request.seed)? {
                Ok(program) => outputs.push(program.stdout),
                Err(trouble) => return Ok(Err(trouble)),
            }
        }
        let mut empty = f64::INFINITY;
        if self.calibration().empty_s.is_none() {
            let nothing = ["python".to_owned(), self.bench.nothing()];
            for _ in 0..NOISE_RUNS {
                if let Ok(program) = measure::run(&mut self.bench, &nothing, objective.timeout, request.seed)?
                {
                    empty = empty.min(program.cpu_s);
                }
            }
        }
        let same = outputs.windows(2).all(|pair| pair.first() == pair.last());
        self.learn(|calibration| {
            if empty.is_finite() {
                calibration.empty_s = Some(empty);
            }
            let output = outputs.pop().filter(|_| same);
            calibration.outputs.insert(objective.objective.name.clone(), output);
        });
        Ok(Ok(()))
    }

    fn peak_memory(
        &mut self,
        objective: &ObjectivePlan,
        run: &[String],
        request: &EvaluationRequest,
    ) -> Result<Result<f64, Trouble>, BenchError> {
        let mut least = f64::INFINITY;
        for _ in 0..2 {
            match measure::run(&mut self.bench, run, objective.timeout, request.seed)? {
                Ok(program) => least = least.min(program.peak_memory as f64),
                Err(trouble) => return Ok(Err(trouble)),
            }
        }
        let before = request
            .parent
            .as_ref()
            .and_then(|parent| parent.evaluation.scores.get(&objective.objective.name));
        Ok(Ok(before.filter(|before| (least - before).abs() <= MEMORY_BAND * before).unwrap_or(least)))
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
        let mut evaluation = self.judge(request).map_err(|error| fault(&error))?;
        if evaluation.outcome == Outcome::SandboxError {
            return Err(EvaluatorError::Failed(evaluation.detail));
        }
        evaluation.cost.wall_s = began.elapsed().as_secs_f64();
        Ok(evaluation)
    }
}
