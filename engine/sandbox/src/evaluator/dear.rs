//! Objectives that take whole programs: CPU time, memory, the project's own evaluator.

use super::calibration::{EMPTY, EVALUATOR, patience};
use super::draft::Draft;
use super::{LocalEvaluator, MEMORY_BAND, NO_DIFFERENCE, NOISE_RUNS, NOISE_S, ROUNDING, meets, score_of};
use crate::bench::{BenchError, Trouble};
use crate::measure::{self, Timed, median};
use crate::plan::{Contract, Measure, ObjectivePlan};
use crate::reporting::{Asking, Report};
use evolution::acceptance::CORRECTNESS_GATE;
use evolution::candidate::{CheckResult, Outcome, Separation};
use evolution::ports::{EvaluationRequest, Purpose};

/// What an evaluation's log says before the reason why judge and candidate share a process.
pub const TOGETHER: &str = "the evaluator cannot judge apart from the candidate";

/// Whether two values of a metric differ by rounding at most: no progress, and none lost.
fn is_rounding(a: f64, b: f64) -> bool {
    (a - b).abs() <= NO_DIFFERENCE * a.abs().max(b.abs())
}

/// Notes whether an evaluator that says so called a candidate correct. What it measured counts all the same, so that those
/// which are incorrect can be told from each other.
fn judge_correctness(report: &Report, draft: &mut Draft) {
    let reason = report.incorrect.as_ref().map(|trouble| trouble.detail.clone()).unwrap_or_default();
    if let Some(trouble) = &report.incorrect {
        draft.evaluation.outcome = trouble.outcome;
        draft.evaluation.detail.clone_from(&trouble.detail);
    }
    let passed = report.incorrect.is_none();
    draft.evaluation.checks.push(CheckResult { name: CORRECTNESS_GATE.to_owned(), passed, reason });
}

impl LocalEvaluator {
    pub(super) fn dear(&mut self, request: &EvaluationRequest, draft: &mut Draft) -> Result<(), BenchError> {
        let plan = self.plan.clone();
        let mut reported: Option<Report> = None;
        for objective in &plan.objectives {
            let value = match &objective.measure {
                Measure::CpuTime { run } => self.cpu_time(objective, run, request, draft)?,
                Measure::PeakMemory { run } => self.peak_memory(objective, run, request)?,
                Measure::Metric { name } => {
                    if reported.is_none() {
                        match self.reported(request, draft)? {
                            Ok(report) => reported = Some(report),
                            Err(trouble) => {
                                draft.stop(trouble);
                                return Ok(());
                            }
                        }
                    }
                    let value = reported
                        .as_ref()
                        .map_or_else(|| Report::default().value(name), |report| report.value(name));
                    let before = request
                        .parent
                        .as_ref()
                        .and_then(|parent| parent.evaluation.scores.get(&objective.objective.name));
                    value.map(|value| before.filter(|before| is_rounding(value, *before)).unwrap_or(value))
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
    ) -> Result<Result<Report, Trouble>, BenchError> {
        let Some(evaluator) = self.plan.evaluator.clone() else {
            return Ok(Err(Trouble::new(Outcome::Protocol, "the configuration names no evaluator")));
        };
        let asking = Asking { evaluator: &evaluator, seed: request.seed };
        let reported = self.ask_evaluator(&asking, request.purpose, draft)?;
        self.note_separation(EVALUATOR, Separation::Shared, request.purpose, draft);
        if let Ok(report) = &reported {
            if evaluator.contract == Contract::Process {
                judge_correctness(report, draft);
            }
            draft.evaluation.metrics.extend(report.metrics.clone());
            if let Some(complaint) = report.complaint().filter(|_| report.incorrect.is_none()) {
                draft.evaluation.detail = format!("the evaluator says: {complaint}");
            }
            self.bench.bill.write(&report.text());
        }
        Ok(reported)
    }

    /// Asks the project's evaluator apart from the candidate where the candidate's interface allows that, else in its
    /// process. Which it is, is found out on the baseline: the numbers of all objectives must be the same.
    fn ask_evaluator(
        &mut self,
        asking: &Asking<'_>,
        purpose: Purpose,
        draft: &mut Draft,
    ) -> Result<Result<Report, Trouble>, BenchError> {
        let unfit = |reason| Trouble::new(Outcome::Protocol, reason);
        if purpose == Purpose::Baseline {
            let together = asking.ask(&mut self.bench)?;
            let Ok(report) = &together else { return Ok(together) };
            if report.incorrect.is_some() {
                self.bench.bill.note(&format!("{TOGETHER}: the unchanged program is incorrect in any case"));
                return Ok(together);
            }
            let reason = match asking.ask_apart(&mut self.bench)? {
                Ok(Ok(apart)) if self.same_report(&apart, report) => {
                    self.learn(|calibration| {
                        calibration.apart.insert(EVALUATOR.to_owned());
                    });
                    return Ok(Ok(apart));
                }
                Ok(Ok(_)) => match asking.ask(&mut self.bench)? {
                    Ok(again) if self.note_noise(report, &again, draft) => {
                        "its numbers differ from one time to the next".to_owned()
                    }
                    _ => "its numbers differ by where it runs".to_owned(),
                },
                Ok(Err(trouble)) => trouble.detail,
                Err(reason) => reason,
            };
            self.bench.bill.note(&format!("{TOGETHER}: {reason}"));
            return Ok(together);
        }
        if self.calibration().apart.contains(EVALUATOR) {
            Ok(asking.ask_apart(&mut self.bench)?.unwrap_or_else(|reason| Err(unfit(reason))))
        } else {
            asking.ask(&mut self.bench)
        }
    }

    /// Notes how far two reports of the unchanged program lie apart, relative to the first; whether they do at all.
    fn note_noise(&self, first: &Report, second: &Report, draft: &mut Draft) -> bool {
        let mut differ = false;
        for objective in &self.plan.objectives {
            let Measure::Metric { name } = &objective.measure else { continue };
            let (Ok(a), Ok(b)) = (first.value(name), second.value(name)) else { continue };
            let spread = (a - b).abs() / a.abs().max(f64::MIN_POSITIVE);
            if spread > ROUNDING && spread.is_finite() {
                draft.evaluation.metrics.insert(format!("{}.noise", objective.objective.name), spread);
                differ = true;
            }
        }
        differ
    }

    /// Whether two reports of an evaluator hold the same metrics and give every objective the same number, but for rounding.
    /// An evaluator that catches what goes wrong reports a zero for it, which a baseline may have too: then its other metrics
    /// are missing.
    fn same_report(&self, a: &Report, b: &Report) -> bool {
        a.metrics.keys().eq(b.metrics.keys())
            && self.plan.objectives.iter().all(|objective| match &objective.measure {
                Measure::Metric { name } => match (a.value(name), b.value(name)) {
                    (Ok(a), Ok(b)) => (a - b).abs() <= ROUNDING * a.abs().max(b.abs()),
                    _ => false,
                },
                _ => true,
            })
    }

    pub(super) fn cpu_time(
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
        let parent_s = request.parent.as_ref().and_then(|parent| parent.evaluation.scores.get(&name));
        let timed = Timed {
            objective: &name,
            run,
            wall: objective.timeout,
            child_wall: patience(parent_s, objective.timeout),
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
        let value = score_of(&comparison, parent_s);
        draft.evaluation.comparisons.push(comparison);
        Ok(match value {
            Some(value) => Ok(value),
            // The parent was never timed, since it failed an earlier gate: measure on its own.
            None => timed.once(&mut self.bench, timed.wall)?,
        })
    }

    /// Measures the baseline several times: its score is the median, its noise the relative spread.
    pub(super) fn baseline_time(
        &mut self,
        timed: &Timed<'_>,
        draft: &mut Draft,
    ) -> Result<Result<f64, Trouble>, BenchError> {
        let mut samples = Vec::new();
        while samples.len() < NOISE_RUNS && (samples.len() < 2 || samples.iter().sum::<f64>() < NOISE_S) {
            match timed.once(&mut self.bench, timed.wall)? {
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
    pub(super) fn calibrate(
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

    pub(super) fn peak_memory(
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
