//! Gates: commands that must succeed.

use super::LocalEvaluator;
use super::calibration::{WALL, patience};
use super::draft::Draft;
use crate::bench::{BenchError, Trouble};
use crate::command::{Command, classify};
use crate::measure;
use crate::plan::{CaseSource, CheckPlan, Measure, ObjectivePlan};
use crate::suite::SuiteRun;
use evolution::candidate::{CheckResult, Outcome, Separation};
use evolution::ports::{EvaluationRequest, Purpose};
use std::time::Instant;

impl LocalEvaluator {
    pub(super) fn checks(
        &mut self,
        request: &EvaluationRequest,
        draft: &mut Draft,
    ) -> Result<(), BenchError> {
        let plan = self.plan.clone();
        for check in &plan.checks {
            let began = Instant::now();
            let checked = self.check(check, request, draft)?;
            if request.purpose == Purpose::Baseline {
                let wall_s = began.elapsed().as_secs_f64();
                draft.evaluation.metrics.insert(format!("{WALL}{}", check.name), wall_s);
                self.learn(|calibration| {
                    calibration.walls.insert(check.name.clone(), wall_s);
                });
            }
            match checked {
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

    pub(super) fn check(
        &mut self,
        check: &CheckPlan,
        request: &EvaluationRequest,
        draft: &mut Draft,
    ) -> Result<Result<(), Trouble>, BenchError> {
        let wall = match request.purpose {
            Purpose::Judge => patience(self.calibration().walls.get(&check.name).copied(), check.timeout),
            _ => check.timeout,
        };
        let (framework, arguments) = match classify(&check.run) {
            Command::Unittest(arguments) => ("unittest", arguments),
            Command::Pytest(arguments) => ("pytest", arguments),
            _ => return Ok(measure::run(&mut self.bench, &check.run, wall, request.seed)?.map(drop)),
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
            limit_s: wall.as_secs_f64(),
            trace: false,
            apart: false,
            reverse: false,
            wall,
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
}
