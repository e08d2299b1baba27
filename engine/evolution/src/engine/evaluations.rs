//! Handing candidates to evaluators, and taking their answers.

use super::Engine;
use crate::acceptance::{self};
use crate::candidate::Evaluation;
use crate::decision::Order;
use crate::event::{EvaluationFailed, Event, StoppedBy, ValidationCompleted, ValidationStarted};
use crate::fold::FoldError;
use crate::id::{BASELINE, Number};
use crate::picking;
use crate::ports::{EvaluatorError, Purpose};
use crate::state::{Fate, Phase, Trial};

impl Engine {
    pub(super) fn start_evaluations(&mut self) -> Result<(), FoldError> {
        while self.running.len() < self.workers {
            if let Some((number, purpose)) = self.retries.front().copied() {
                if !self.may_evaluate(purpose)? {
                    return Ok(());
                }
                self.retries.pop_front();
                self.order_evaluation(number, purpose);
                continue;
            }
            let over = self.stop_reason().is_some_and(|(by, _)| by == StoppedBy::Time);
            if self.state.phase != Phase::Running || self.visiting || over {
                return Ok(());
            }
            if self.ready.is_empty() || !self.may_evaluate(Purpose::Judge)? {
                return Ok(());
            }
            let judged = |number: &Number| self.has_judged_parent(*number);
            let Some(number) = self.ready.iter().copied().find(judged) else { return Ok(()) };
            self.ready.remove(&number);
            self.start_evaluation(number, Purpose::Judge)?;
        }
        Ok(())
    }

    /// Whether a candidate's evaluation can look at its parent's. Parents are chosen among the judged; only a run that was
    /// begun with candidates made elsewhere has others.
    fn has_judged_parent(&self, number: Number) -> bool {
        let parent = self.state.candidate(number).and_then(|record| record.parents.first().copied());
        parent.is_none_or(|parent| parent <= self.state.decided)
    }

    /// Whether an evaluation may be handed out. One that a person's rollback waits for always may.
    pub(super) fn may_evaluate(&mut self, purpose: Purpose) -> Result<bool, FoldError> {
        let asked_for = purpose == Purpose::Verify && self.state.rollback.is_some();
        Ok(asked_for || self.breakers_permit(self.running.is_empty())?)
    }

    pub(crate) fn start_evaluation(&mut self, number: Number, purpose: Purpose) -> Result<(), FoldError> {
        if matches!(self.state.trials.get(&(number, purpose)), Some(Trial::UnderWay)) {
            // A rollback to a winner that is being verified: one answer serves both.
            return Ok(());
        }
        let modification_id = self.state.id(number);
        self.record(Event::ValidationStarted(ValidationStarted { modification_id, number, purpose }))?;
        if self.running.len() < self.workers && self.may_evaluate(purpose)? {
            self.order_evaluation(number, purpose);
        } else {
            self.retries.push_back((number, purpose));
        }
        Ok(())
    }

    pub(super) fn order_evaluation(&mut self, number: Number, purpose: Purpose) {
        let state = &self.state;
        let parent = state.candidate(number).and_then(|record| record.parents.first().copied());
        let parent_record = parent.and_then(|parent| state.candidate(parent));
        // A parent whose evaluation was given up has none to look at.
        let parent_record = parent_record.filter(|record| record.outcome.is_some());
        let parent = parent.filter(|_| parent_record.is_some());
        let failing_first = parent_record.map_or_else(Vec::new, |parent| {
            let failed = parent.ran.iter().filter(|case| !parent.passed.contains(*case));
            failed.filter_map(|case| state.case_names.get(case).cloned()).collect()
        });
        let localise_from =
            parent_record.map_or(0, |parent| u32::try_from(parent.passed.len() + 1).unwrap_or(u32::MAX));
        let seed = picking::evaluation_seed(state.run.seed, number, purpose);
        self.running.insert((number, purpose));
        self.carry(Order::Evaluate { number, purpose, parent, failing_first, localise_from, seed });
        if purpose == Purpose::Judge && self.state.aborted.contains_key(&number) {
            // It was to be ended when the last process was: what is asked again ends at once.
            self.carry(Order::Abort { number });
        }
    }

    /// Ends a candidate's evaluation: where it runs, its evaluator is told and its answer waited for, so that no lane is
    /// taken twice; where it waits to be tried again, it is over now.
    pub(crate) fn abort_evaluation(&mut self, number: Number) -> Result<(), FoldError> {
        if self.running.contains(&(number, Purpose::Judge)) {
            self.carry(Order::Abort { number });
            return Ok(());
        }
        self.retries.retain(|waiting| *waiting != (number, Purpose::Judge));
        self.record_abort(number)
    }

    fn record_abort(&mut self, number: Number) -> Result<(), FoldError> {
        let reason = self.state.aborted.get(&number).map_or_else(String::new, |reason| aborted(reason));
        let attempt = self.state.candidate(number).map_or(0, |record| record.failed_attempts) + 1;
        self.record(Event::EvaluationFailed(EvaluationFailed {
            modification_id: self.state.id(number),
            number,
            purpose: Purpose::Judge,
            attempt,
            reason,
            given_up: true,
            aborted: true,
        }))
    }

    pub(super) fn on_evaluated(
        &mut self,
        number: Number,
        purpose: Purpose,
        result: Result<Box<Evaluation>, EvaluatorError>,
    ) -> Result<(), FoldError> {
        let awaited = self.running.remove(&(number, purpose));
        if !awaited || !matches!(self.state.trials.get(&(number, purpose)), Some(Trial::UnderWay)) {
            return Ok(());
        }
        if purpose == Purpose::Judge && self.state.aborted.contains_key(&number) {
            // Whatever it came to: what was obeyed holds.
            return self.record_abort(number);
        }
        let modification_id = self.state.id(number);
        match result {
            Ok(evaluation) => {
                let fresh = (purpose == Purpose::Verify).then(|| evaluation.clone());
                self.record(Event::ValidationCompleted(ValidationCompleted {
                    modification_id,
                    number,
                    purpose,
                    evaluation,
                }))?;
                match (purpose, fresh) {
                    (Purpose::Baseline, _) => self.on_baseline(),
                    (Purpose::Verify, Some(fresh)) => self.on_verified(number, &fresh),
                    _ => Ok(()),
                }
            }
            Err(error) => {
                let tries = self.state.candidate(number).map_or(0, |record| record.failed_attempts) + 1;
                let final_try = tries >= self.state.run.settings.evaluation_attempts;
                let given_up = final_try || matches!(error, EvaluatorError::Impossible(_));
                self.record(Event::EvaluationFailed(EvaluationFailed {
                    modification_id,
                    number,
                    purpose,
                    attempt: tries,
                    reason: error.to_string(),
                    given_up,
                    aborted: false,
                }))?;
                match (given_up, purpose) {
                    (false, _) => self.retries.push_back((number, purpose)),
                    (true, Purpose::Baseline) => self.finish(StoppedBy::Failure, &error.to_string())?,
                    (true, Purpose::Verify) => self.on_unverifiable(number, &error.to_string())?,
                    (true, Purpose::Judge) => {}
                }
                Ok(())
            }
        }
    }

    pub(super) fn on_baseline(&mut self) -> Result<(), FoldError> {
        let failure = self.state.baseline().and_then(|record| {
            let repairable =
                [acceptance::THRESHOLD_GATE, acceptance::CORRECTNESS_GATE].contains(&record.gate.as_str());
            let scored = self.state.run.objectives.point(&record.scores).is_ok();
            (record.fate == Fate::Rejected && !(repairable && scored))
                .then(|| format!("the unchanged target does not pass: {}: {}", record.gate, record.reason))
        });
        if let Some(reason) = failure {
            return self.finish(StoppedBy::Failure, &reason);
        }
        self.crown(BASELINE, "baseline")
    }

    pub(super) fn is_given_up(&self, number: Number) -> bool {
        let record = self.state.candidate(number);
        let ended =
            !self.state.trials.contains_key(&(number, Purpose::Judge)) && !self.ready.contains(&number);
        ended && record.is_some_and(|record| record.failed_attempts > 0)
    }
}

/// What is said of an evaluation that somebody ended.
pub(super) fn aborted(reason: &str) -> String {
    if reason.is_empty() { "somebody ended it".to_owned() } else { format!("somebody ended it: {reason}") }
}
