//! What evaluations told, of the baseline above all.

use crate::acceptance;
use crate::archive;
use crate::candidate::Evaluation;
use crate::event::ValidationCompleted;
use crate::id::{BASELINE, Number};
use crate::ports::Purpose;
use crate::state::{EVALUATOR_BREAKER, Fate, Phase, State, Trial};

impl State {
    pub(super) fn on_completed(
        &mut self,
        time_ms: i64,
        completed: &ValidationCompleted,
    ) -> Result<(), String> {
        let key = (completed.number, completed.purpose);
        if !matches!(self.trials.get(&key), Some(Trial::UnderWay)) {
            return Err(format!("candidate {} was not under evaluation", completed.number));
        }
        self.breaker_success(EVALUATOR_BREAKER, time_ms);
        self.isolation.clone_from(&completed.evaluation.isolation);
        let word = completed.evaluation.outcome.word();
        match completed.purpose {
            Purpose::Verify => {
                self.trials.remove(&key);
                if acceptance::confirms(self, completed.number, &completed.evaluation).is_ok() {
                    self.verified.insert(completed.number);
                }
                Ok(())
            }
            Purpose::Judge => {
                *self.counters.outcomes.entry(word).or_default() += 1;
                self.note_evaluation(completed.number, &completed.evaluation)?;
                self.trials.insert(key, Trial::Done(completed.evaluation.clone()));
                Ok(())
            }
            Purpose::Baseline => {
                self.trials.remove(&key);
                self.note_evaluation(completed.number, &completed.evaluation)?;
                self.on_baseline(&completed.evaluation)
            }
        }
    }

    /// The baseline needs no verdict event: whether it is viable follows from its evaluation alone.
    pub(super) fn on_baseline(&mut self, evaluation: &Evaluation) -> Result<(), String> {
        self.tolerated.clone_from(&evaluation.denials);
        let noise = evaluation.metrics.iter();
        self.noise = noise
            .filter_map(|(name, value)| Some((name.strip_suffix(".noise")?.to_owned(), *value)))
            .collect();
        let verdict = acceptance::viability(self, evaluation);
        if let Some(record) = self.candidate_mut(BASELINE) {
            match &verdict {
                Ok(()) => record.fate = Fate::Accepted,
                Err(refusal) => {
                    record.fate = Fate::Rejected;
                    record.gate.clone_from(&refusal.gate);
                    record.reason.clone_from(&refusal.reason);
                }
            }
        }
        if verdict.is_ok() {
            self.enter_archive(BASELINE, &evaluation.scores)?;
            self.note_goal(&evaluation.scores, Fate::Accepted);
        }
        self.enter_parents(BASELINE);
        if self.phase == Phase::Pending {
            self.phase = Phase::Running;
        }
        Ok(())
    }

    pub(super) fn note_evaluation(&mut self, number: Number, evaluation: &Evaluation) -> Result<(), String> {
        let mut passed = crate::cases::CaseSet::new();
        let mut ran = crate::cases::CaseSet::new();
        for case in &evaluation.cases {
            let index = match self.case_index.get(&case.name) {
                Some(index) => *index,
                None if number == BASELINE => {
                    self.case_names.push(case.name.clone());
                    self.case_index.insert(case.name.clone(), self.case_names.len() - 1);
                    self.case_names.len() - 1
                }
                // A candidate that invents cases gains nothing by it.
                None => continue,
            };
            ran.insert(index);
            if case.passed {
                passed.insert(index);
            }
        }
        let seq = self.seq;
        let baseline =
            if number == BASELINE { None } else { self.baseline().map(|record| record.scores.clone()) };
        let quality = archive::quality(
            &self.run.objectives,
            baseline.as_ref().unwrap_or(&evaluation.scores),
            &evaluation.scores,
        );
        let repairing = match self.baseline() {
            Some(baseline) if number != BASELINE => baseline.gate == acceptance::CORRECTNESS_GATE,
            _ => acceptance::is_incorrect(evaluation),
        };
        let quality = if repairing {
            archive::quality_under_repair(quality, evaluation.failed_check().is_none())
        } else {
            quality
        };
        let wanted = self.run.settings.archive.features();
        let features = wanted.iter().filter_map(|name| Some((name.clone(), *evaluation.metrics.get(name)?)));
        let features = features.collect();
        let record = self.candidate_mut(number).ok_or_else(|| format!("no candidate {number}"))?;
        record.features = features;
        record.outcome = Some(evaluation.outcome);
        record.scores = evaluation.scores.clone();
        record.passed = passed;
        record.ran = ran;
        record.cost = evaluation.cost;
        record.evaluation_seq = seq;
        record.quality = quality;
        Ok(())
    }
}
