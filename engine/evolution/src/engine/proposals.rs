//! Asking for proposals, and what becomes of the answers until they are snapshots.

use super::{Engine, MAX_BARREN_PROPOSALS};
use crate::breaker::Permit;
use crate::candidate::Cost;
use crate::decision::{Answer, Order};
use crate::event::{
    BreakerChanged, BreakerState, Event, ImprovementProposed, ProposalDiscarded, ProposalOutcome, StoppedBy,
};
use crate::fold::FoldError;
use crate::id::{CommitId, Number};
use crate::picking;
use crate::ports::ProposerError;
use crate::state::{EVALUATOR_BREAKER, Phase, RUN_BREAKER, Slot, proposer_breaker};

impl Engine {
    /// Why no further proposal may be asked for, if so.
    pub(super) fn stop_reason(&self) -> Option<(StoppedBy, &'static str)> {
        let state = &self.state;
        let polish = u64::from(state.run.settings.polish);
        if state.goal_at.is_some_and(|at| state.evaluations_decided >= at + polish) {
            return Some((StoppedBy::Goal, "every objective is at its best possible value"));
        }
        if state.budget.time_ms.is_some_and(|limit| state.active_ms(self.now_ms) >= limit) {
            return Some((StoppedBy::Time, "the budget of time is spent"));
        }
        if state.budget.evaluations.is_some_and(|limit| state.evaluations_decided >= limit) {
            return Some((StoppedBy::Evaluations, "the budget of evaluations is spent"));
        }
        if state.budget.proposals.is_some_and(|limit| u64::from(state.decided) >= limit) {
            return Some((StoppedBy::Exhausted, "the budget of proposals is spent"));
        }
        if state.out_of == Some(StoppedBy::LlmTokens)
            || state.budget.llm_tokens.is_some_and(|limit| state.llm.tokens() >= limit)
        {
            return Some((StoppedBy::LlmTokens, "the budget of tokens is spent"));
        }
        let spent_usd = state.llm.cost_usd.unwrap_or(0.0);
        if state.out_of == Some(StoppedBy::LlmCostUsd)
            || state.budget.llm_cost_usd.is_some_and(|limit| spent_usd >= limit)
        {
            return Some((StoppedBy::LlmCostUsd, "the budget of money for language models is spent"));
        }
        if state.barren >= MAX_BARREN_PROPOSALS {
            return Some((StoppedBy::Exhausted, "a thousand proposals in a row came to nothing"));
        }
        None
    }

    /// Whether one more proposal fits the lookahead and the budgets, counting everything on its way as spent.
    pub(super) fn has_room(&self) -> bool {
        let state = &self.state;
        let on_the_way = u64::from(state.next_number() - 1 - state.decided);
        let spent = state.evaluations_decided + on_the_way;
        on_the_way < u64::from(state.run.settings.lookahead)
            && state.budget.evaluations.is_none_or(|limit| spent < limit)
            && state.budget.proposals.is_none_or(|limit| u64::from(state.next_number() - 1) < limit)
    }

    /// Whether the breakers of the run and of the evaluator let more work out. While one of them is not closed, work goes
    /// out one piece at a time: nothing while it rests, then a trial, then another only when the last came to nothing.
    /// `idle`: nothing of the kind is under way.
    pub(super) fn breakers_permit(&mut self, idle: bool) -> Result<bool, FoldError> {
        let mut rested = Vec::new();
        for name in [RUN_BREAKER, EVALUATOR_BREAKER] {
            let Some(breaker) = self.state.breakers.get(name) else { continue };
            match (breaker.permit(self.now_ms), breaker.state()) {
                (Permit::Yes, _) => {}
                (_, BreakerState::HalfOpen) if idle => {}
                (Permit::Trial, BreakerState::Open) if idle => rested.push(name.to_owned()),
                _ => return Ok(false),
            }
        }
        for name in rested {
            self.try_breaker(name)?;
        }
        Ok(true)
    }

    /// Takes the trial of a breaker that has rested.
    pub(super) fn try_breaker(&mut self, name: String) -> Result<(), FoldError> {
        self.note(Event::BreakerChanged(BreakerChanged {
            name,
            from: BreakerState::Open,
            to: BreakerState::HalfOpen,
            reason: "its recovery time has passed; one trial".to_owned(),
            retry_at_ms: None,
        }))
    }

    pub(super) fn dispatch(&mut self) -> Result<(), FoldError> {
        while self.state.phase == Phase::Running
            && self.state.rollback.is_none()
            && self.stop_reason().is_none()
            && self.has_room()
        {
            let idle = self.state.in_flight().next().is_none();
            if !self.breakers_permit(idle)? {
                break;
            }
            let Some(requested) = picking::pick(&self.state, self.now_ms) else {
                if idle && self.restart_if_exhausted()? {
                    continue;
                }
                break;
            };
            let guard = proposer_breaker(&requested.proposer);
            if self.state.breakers.get(&guard).is_some_and(|breaker| breaker.state() == BreakerState::Open) {
                self.try_breaker(guard)?;
            }
            let order = Order::Propose(Box::new(requested.clone()));
            self.record(Event::ProposalRequested(requested))?;
            self.carry(order);
        }
        Ok(())
    }

    /// Looks at answers in the order of their numbers, until one is missing or needs a snapshot.
    pub(super) fn take_answers(&mut self) {
        while self.snapshot.is_none() {
            let first = self.state.decided + 1;
            let next = (first..self.state.next_number()).find(|number| {
                matches!(self.state.slots.get(*number as usize), Some(Slot::Requested(_)))
                    && !self.discards.contains_key(number)
            });
            let Some(answer) =
                next.and_then(|number| self.answers.remove(&number).map(|answer| (number, answer)))
            else {
                return;
            };
            match self.sift(answer.0, answer.1) {
                Ok(answer_taken) => {
                    if let Some(Slot::Requested(requested)) = self.state.slots.get(answer.0 as usize) {
                        let order = Order::Snapshot {
                            number: answer.0,
                            parents: requested.parents.clone(),
                            proposer: requested.proposer.clone(),
                            operator: requested.operator.clone(),
                        };
                        self.snapshot = Some((answer.0, answer_taken));
                        self.carry(order);
                    }
                }
                Err(discarded) => {
                    self.discards.insert(discarded.number, *discarded);
                }
            }
        }
    }

    /// Tells an answer that becomes a candidate from one that comes to nothing.
    pub(super) fn sift(
        &self,
        number: Number,
        answer: Result<Answer, ProposerError>,
    ) -> Result<Answer, Box<ProposalDiscarded>> {
        let discard = |outcome, reason: String, detail, cost| {
            Box::new(ProposalDiscarded {
                number,
                outcome,
                reason,
                exhausted: false,
                duplicate_of: None,
                detail,
                cost,
                out_of: None,
            })
        };
        let answer = match answer {
            Err(error) => return Err(Box::new(discarded(number, error))),
            Ok(answer) => answer,
        };
        if answer.files.is_empty() {
            let reason = "it changes nothing".to_owned();
            return Err(discard(ProposalOutcome::NoChange, reason, answer.detail, answer.cost));
        }
        if let Some(reason) = answer.refused {
            return Err(discard(ProposalOutcome::Refused, reason, answer.detail, answer.cost));
        }
        match self.state.fingerprints.get(&answer.fingerprint).filter(|earlier| **earlier < number) {
            Some(earlier) => {
                let id = self.state.id(*earlier);
                let reason = format!("the same program as {id}");
                let mut discarded = discard(ProposalOutcome::Duplicate, reason, answer.detail, answer.cost);
                discarded.duplicate_of = Some(id);
                Err(discarded)
            }
            None => match self.state.too_similar(number, &answer.shape.embedding) {
                Some((earlier, similarity)) => {
                    let id = self.state.id(earlier);
                    let reason = format!("nearly the program of {id}: similarity {similarity:.4}");
                    let mut discarded = discard(ProposalOutcome::Similar, reason, answer.detail, answer.cost);
                    discarded.duplicate_of = Some(id);
                    Err(discarded)
                }
                None => Ok(answer),
            },
        }
    }

    pub(super) fn on_snapshot(&mut self, number: Number, commit: CommitId) -> Result<(), FoldError> {
        let Some((_, answer)) = self.snapshot.take_if(|(waiting, _)| *waiting == number) else {
            return Ok(());
        };
        let Some(Slot::Requested(requested)) = self.state.slots.get(number as usize) else { return Ok(()) };
        let proposed = ImprovementProposed {
            modification_id: self.state.id(number),
            number,
            parents: requested.parents.iter().map(|parent| self.state.id(*parent)).collect(),
            proposer: requested.proposer.clone(),
            operator: requested.operator.clone(),
            rationale: answer.rationale,
            commit,
            fingerprint: answer.fingerprint,
            files: answer.files,
            changed_bytes: answer.changed_bytes,
            shape: answer.shape,
            detail: answer.detail,
            cost: answer.cost,
        };
        self.record(Event::ImprovementProposed(Box::new(proposed)))?;
        self.ready.insert(number);
        Ok(())
    }
}

/// The record of a proposal that its proposer could not make.
fn discarded(number: Number, error: ProposerError) -> ProposalDiscarded {
    let (error, detail, cost) = match error {
        ProposerError::Spent(spent) => (spent.error, spent.detail, spent.cost),
        error => (error, serde_json::Value::Null, Cost::default()),
    };
    let outcome = match &error {
        ProposerError::Exhausted(_) | ProposerError::NoChange(_) | ProposerError::OutOfBudget(_) => {
            ProposalOutcome::NoChange
        }
        ProposerError::DoesNotApply(_) => ProposalOutcome::DoesNotApply,
        ProposerError::Refused(_) => ProposalOutcome::Refused,
        ProposerError::Failed(_) | ProposerError::Spent(_) => ProposalOutcome::Failed,
    };
    let out_of = match error {
        ProposerError::OutOfBudget(budget) => Some(budget),
        _ => None,
    };
    let exhausted = matches!(error, ProposerError::Exhausted(_));
    let reason = match error {
        ProposerError::Exhausted(reason)
        | ProposerError::NoChange(reason)
        | ProposerError::DoesNotApply(reason)
        | ProposerError::Refused(reason)
        | ProposerError::Failed(reason) => reason,
        error => error.to_string(),
    };
    ProposalDiscarded { number, outcome, reason, exhausted, duplicate_of: None, detail, cost, out_of }
}
