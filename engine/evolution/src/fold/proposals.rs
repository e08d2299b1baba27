//! What was asked of proposers and what they answered.

use crate::event::{
    ImprovementProposed, KnowledgeReceived, ProposalDiscarded, ProposalOutcome, ProposalRequested,
};
use crate::id::{CandidateId, Number};
use crate::state::{CandidateRecord, Slot, State, proposer_breaker};
use std::sync::Arc;

impl State {
    pub(super) fn on_requested(&mut self, requested: &ProposalRequested) -> Result<(), String> {
        if requested.number != self.next_number() {
            return Err(format!("number {} comes out of turn", requested.number));
        }
        for parent in &requested.parents {
            if let Some(parent) = self.candidate_mut(*parent) {
                parent.chosen = parent.chosen.saturating_add(1);
            }
        }
        if self.is_fed(self.arm_index(&requested.proposer, &requested.operator)) {
            self.packages_asked = self.packages;
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
        self.llm.add(&discarded.cost.llm);
        self.out_of = self.out_of.or(discarded.out_of);
        // Who has nothing to offer has not failed to.
        self.barren = self.barren.saturating_add(u32::from(!discarded.exhausted));
        self.count_answer(discarded.outcome);
        let breaker = proposer_breaker(&requested.proposer);
        if discarded.outcome == ProposalOutcome::Failed {
            self.breaker_failure(&breaker, time_ms);
        } else {
            self.breaker_success(&breaker, time_ms);
        }
        if let Some(met) = discarded.duplicate_of.as_ref().and_then(CandidateId::number) {
            self.meet_again(met, discarded.number);
        }
        let fed = self.is_fed(arm);
        // What came since it was asked it has not looked at yet.
        let outdated = fed && self.packages > self.packages_asked;
        match (arm, discarded.exhausted, requested.parents.first()) {
            (Some(_), true, _) if outdated => {}
            (Some(arm), true, Some(parent)) => {
                self.exhausted.insert((*parent, arm));
            }
            // What a peer sent is tried once: a failure that cost no evaluation says nothing of the next.
            (Some(_), false, _) if fed => self.packages_tried += 1,
            (Some(arm), false, _) if discarded.out_of.is_none() => self.choice.observe(arm, 0.0),
            _ => {}
        }
        self.advance();
        Ok(())
    }

    /// A package that waits opens the proposers that offer such packages, for every parent.
    pub(super) fn on_received(&mut self, received: &KnowledgeReceived) {
        let new = self.hear(Some(received.key()));
        if received.queued && new {
            self.packages += 1;
            let arms = &self.arms;
            self.exhausted.retain(|(_, arm)| !arms.get(*arm).is_some_and(|arm| arm.fed));
        }
    }

    /// Counts a piece of news; answers whether it was new.
    pub(super) fn hear(&mut self, key: Option<String>) -> bool {
        self.news += 1;
        key.is_none_or(|key| self.heard.insert(key))
    }

    fn is_fed(&self, arm: Option<usize>) -> bool {
        arm.and_then(|arm| self.arms.get(arm)).is_some_and(|arm| arm.fed)
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
            shape: Arc::new(proposed.shape.clone()),
            detail: Arc::new(proposed.detail.clone()),
            ..CandidateRecord::blank(proposed.number)
        };
        self.packages_tried += usize::from(self.is_fed(record.arm));
        self.lineage.add(proposed.number, &requested.parents).map_err(|error| error.to_string())?;
        if let Some(slot) = self.slots.get_mut(proposed.number as usize) {
            *slot = Slot::Candidate(Box::new(record));
        }
        let arm = self.arm_index(&requested.proposer, &requested.operator);
        if let Some(arm) = arm.and_then(|arm| self.arms.get_mut(arm)) {
            arm.yields.tries += 1;
        }
        self.llm.add(&proposed.cost.llm);
        self.fingerprints.entry(proposed.fingerprint.clone()).or_insert(proposed.number);
        self.count_answer(ProposalOutcome::Applied);
        self.breaker_success(&proposer_breaker(&requested.proposer), time_ms);
        Ok(())
    }
}
