//! Objectives that the files alone tell: size, complexity, safety.

use super::draft::Draft;
use super::{LocalEvaluator, meets};
use crate::bench::{BenchError, Trouble};
use crate::plan::Measure;
use crate::policy;
use evolution::candidate::Outcome;
use evolution::ports::{EvaluationRequest, Purpose};
use syntax::Module;

impl LocalEvaluator {
    pub(super) fn statics(
        &mut self,
        request: &EvaluationRequest,
        draft: &mut Draft,
    ) -> Result<(), BenchError> {
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
}
