//! Cases and tests: what passes, kept apart from the candidate where that is possible, and where the faults may lie.

use super::calibration::{APART, CASE_LIMIT, Calibration};
use super::draft::Draft;
use super::{CASE_FACTOR, LocalEvaluator, MAX_TRACED, MIN_CASE_S, TRACE_FACTOR};
use crate::bench::{BenchError, Trouble};
use crate::cases::{CaseRun, Findings};
use crate::command::{Command, classify};
use crate::localisation;
use crate::plan::{CaseSource, Measure, ObjectivePlan};
use crate::suite::SuiteRun;
use evolution::candidate::{Outcome, Separation};
use evolution::ports::{EvaluationRequest, Purpose};

impl LocalEvaluator {
    pub(super) fn pass_rates(
        &mut self,
        request: &EvaluationRequest,
        draft: &mut Draft,
    ) -> Result<(), BenchError> {
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
    pub(super) fn find_cases(
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

    pub(super) fn run_cases(
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
    pub(super) fn run_suite(
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
    pub(super) fn note_separation(
        &self,
        name: &str,
        otherwise: Separation,
        purpose: Purpose,
        draft: &mut Draft,
    ) {
        if !self.calibration().apart.contains(name) {
            draft.kept(otherwise);
        } else if purpose == Purpose::Baseline {
            draft.evaluation.metrics.insert(format!("{APART}{name}"), 1.0);
        }
    }

    pub(super) fn note_cases(
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
    pub(super) fn locate(
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
}
