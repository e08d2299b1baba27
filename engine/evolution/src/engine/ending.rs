//! The second judgement of a winner, budgets, and the end of a run.

use super::{Engine, MAX_VERIFICATIONS, WARNING_SHARE};
use crate::acceptance::{self, Refusal};
use crate::breaker::Permit;
use crate::candidate::Evaluation;
use crate::event::{BudgetNote, Event, ImprovementRejected, RunFinished, StoppedBy};
use crate::fold::FoldError;
use crate::id::{BASELINE, Number};
use crate::picking;
use crate::ports::Purpose;
use crate::state::{EVALUATOR_BREAKER, Phase, RUN_BREAKER};

impl Engine {
    pub(super) fn on_verified(&mut self, number: Number, fresh: &Evaluation) -> Result<(), FoldError> {
        if self.state.rollback.as_ref().is_some_and(|rollback| rollback.to == number) {
            return self.on_rollback_measured(number, fresh);
        }
        let Err(refusal) = acceptance::confirms(&self.state, number, fresh) else { return Ok(()) };
        let front = self.state.front.clone();
        let modification_id = self.state.id(number);
        let Refusal { gate, reason } = refusal;
        self.record(Event::ImprovementRejected(ImprovementRejected { modification_id, gate, reason }))?;
        self.note_front(&front)?;
        match self.state.peaks.champion(&self.state.run.objectives) {
            Some(best) => self.crown(best, "verification"),
            None => self.crown(BASELINE, "verification"),
        }
    }

    pub(super) fn on_unverifiable(&mut self, number: Number, reason: &str) -> Result<(), FoldError> {
        if self.state.rollback.as_ref().is_some_and(|rollback| rollback.to == number) {
            return self.on_rollback_failed(number, reason);
        }
        self.verifications = MAX_VERIFICATIONS;
        Ok(())
    }

    pub(super) fn finish_if_done(&mut self) -> Result<(), FoldError> {
        self.warn_of_budgets()?;
        if self.state.phase != Phase::Running || self.state.rollback.is_some() {
            return Ok(());
        }
        let stop = self.stop_reason();
        let by_time = stop.is_some_and(|(by, _)| by == StoppedBy::Time);
        let waiting =
            if by_time { !self.running.is_empty() } else { self.state.in_flight().next().is_some() };
        if waiting || !self.running.is_empty() || (!by_time && !self.retries.is_empty()) {
            return Ok(());
        }
        let stop = match stop {
            Some(stop) => stop,
            None if self.exhausted() => (StoppedBy::Exhausted, "no proposer has anything left to propose"),
            None => return Ok(()),
        };
        let unverified = self
            .state
            .champion
            .filter(|champion| *champion != BASELINE && !self.state.verified.contains(champion));
        if let Some(champion) = unverified.filter(|_| self.verifications < MAX_VERIFICATIONS) {
            self.verifications += 1;
            return self.start_evaluation(champion, Purpose::Verify);
        }
        self.finish(stop.0, stop.1)
    }

    /// Whether nothing can be proposed though budget, breakers and phase would allow it.
    pub(super) fn exhausted(&mut self) -> bool {
        let barred = [RUN_BREAKER, EVALUATOR_BREAKER].iter().any(|name| {
            self.state
                .breakers
                .get(*name)
                .is_some_and(|breaker| matches!(breaker.permit(self.now_ms), Permit::No { .. }))
        });
        !barred && picking::is_exhausted(&self.state)
    }

    pub(crate) fn finish(&mut self, stopped_by: StoppedBy, reason: &str) -> Result<(), FoldError> {
        let note = match stopped_by {
            StoppedBy::Evaluations => {
                self.budget_notes().into_iter().find(|note| note.budget == "evaluations")
            }
            StoppedBy::Time => self.budget_notes().into_iter().find(|note| note.budget == "time"),
            StoppedBy::LlmTokens => self.budget_notes().into_iter().find(|note| note.budget == "llm_tokens"),
            StoppedBy::LlmCostUsd => {
                self.budget_notes().into_iter().find(|note| note.budget == "llm_cost_usd")
            }
            StoppedBy::Exhausted => self
                .budget_notes()
                .into_iter()
                .find(|note| note.budget == "proposals" && note.spent >= note.limit),
            _ => None,
        };
        if let Some(note) = note {
            self.record(Event::BudgetExhausted(note))?;
        }
        let rolled_back_to = self.state.rollback.as_ref().map(|rollback| rollback.to);
        self.ready.clear();
        self.retries
            .retain(|(number, purpose)| *purpose == Purpose::Verify && Some(*number) == rolled_back_to);
        self.answers.clear();
        self.discards.clear();
        self.record(Event::RunFinished(RunFinished { stopped_by, reason: reason.to_owned() }))
    }

    pub(super) fn budget_notes(&self) -> Vec<BudgetNote> {
        let state = &self.state;
        let note = |budget: &str, spent: f64, limit: Option<f64>| {
            limit.map(|limit| BudgetNote { budget: budget.to_owned(), spent, limit })
        };
        let counters = &state.counters;
        [
            note(
                "evaluations",
                counters.evaluations as f64,
                state.budget.evaluations.map(|limit| limit as f64),
            ),
            note("proposals", counters.proposals as f64, state.budget.proposals.map(|limit| limit as f64)),
            note("llm_tokens", state.llm.tokens() as f64, state.budget.llm_tokens.map(|limit| limit as f64)),
            note("llm_cost_usd", state.llm.cost_usd.unwrap_or(0.0), state.budget.llm_cost_usd),
            note("time", state.active_ms(self.now_ms) as f64, state.budget.time_ms.map(|limit| limit as f64)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub(super) fn warn_of_budgets(&mut self) -> Result<(), FoldError> {
        if self.state.phase != Phase::Running {
            return Ok(());
        }
        for note in self.budget_notes() {
            if note.spent >= WARNING_SHARE * note.limit && !self.state.warned.contains(&note.budget) {
                self.record(Event::BudgetWarning(note))?;
            }
        }
        Ok(())
    }
}
