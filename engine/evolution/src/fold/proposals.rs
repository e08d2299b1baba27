//! What was asked of proposers and what they answered.

use crate::event::{ImprovementProposed, ProposalDiscarded, ProposalOutcome, ProposalRequested};
use crate::id::Number;
use crate::state::{CandidateRecord, Slot, State, proposer_breaker};
use std::sync::Arc;

impl State {
    pub(super) fn on_requested(&mut self, requested: &ProposalRequested) -> Result<(), String> {
        if requested.number != self.next_number() {
            return Err(format!("number {} comes out of turn", requested.number));
        }
        for parent in &requested.parents {
            *self.chosen.entry(*parent).or_default() += 1;
        }
        self.slots.push(Slot::Requested(requested.clone()));
        Ok(())
    }

    pub(super) fn requested(&self, number: Number) -> Result<ProposalRequested, String> {
        match self.slots.get(number as usize) {
            Some(Slot::Requested(requested)) => Ok(requested.clone()),
            _ => Err(format!("proposal {number} was not asked for")),
        }
    }

    pub(super) fn arm_index(&self, proposer: &str, operator: &str) -> Option<usize> {
        self.arms.iter().position(|arm| arm.proposer == proposer && arm.operator == operator)
    }

    pub(super) fn on_discarded(&mut self, time_ms: i64, discarded: &ProposalDiscarded) -> Result<(), String> {
        let requested = self.requested(discarded.number)?;
        let arm = self.arm_index(&requested.proposer, &requested.operator);
        if let Some(slot) = self.slots.get_mut(discarded.number as usize) {
            *slot = Slot::Discarded(discarded.outcome);
        }
        self.barren = self.barren.saturating_add(1);
        self.count_answer(discarded.outcome);
        let breaker = proposer_breaker(&requested.proposer);
        if discarded.outcome == ProposalOutcome::Failed {
            self.breaker_failure(&breaker, time_ms);
        } else {
            self.breaker_success(&breaker, time_ms);
        }
        match (arm, discarded.exhausted, requested.parents.first()) {
            (Some(arm), true, Some(parent)) => {
                self.exhausted.insert((*parent, arm));
            }
            (Some(arm), false, _) => self.choice.observe(arm, 0.0),
            _ => {}
        }
        self.advance();
        Ok(())
    }

    pub(super) fn count_answer(&mut self, outcome: ProposalOutcome) {
        self.counters.proposals += 1;
        *self.counters.proposal_outcomes.entry(outcome).or_default() += 1;
    }

    pub(super) fn on_proposed(&mut self, time_ms: i64, proposed: &ImprovementProposed) -> Result<(), String> {
        let requested = self.requested(proposed.number)?;
        let record = CandidateRecord {
            parents: requested.parents.clone(),
            arm: self.arm_index(&requested.proposer, &requested.operator),
            commit: proposed.commit.clone(),
            rationale: Arc::from(proposed.rationale.as_str()),
            files: proposed.files.clone(),
            changed_bytes: proposed.changed_bytes,
            detail: Arc::new(proposed.detail.clone()),
            ..CandidateRecord::blank(proposed.number)
        };
        self.lineage.add(proposed.number, &requested.parents).map_err(|error| error.to_string())?;
        if let Some(slot) = self.slots.get_mut(proposed.number as usize) {
            *slot = Slot::Candidate(Box::new(record));
        }
        self.fingerprints.entry(proposed.fingerprint.clone()).or_insert(proposed.number);
        self.count_answer(ProposalOutcome::Applied);
        self.breaker_success(&proposer_breaker(&requested.proposer), time_ms);
        Ok(())
    }
}
