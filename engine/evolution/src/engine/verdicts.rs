//! Verdicts, strictly in the order of the proposals' numbers.

use super::Engine;
use super::evaluations::aborted;
use crate::acceptance::{self, ABORTED_GATE, MACHINERY_GATE, Refusal, Verdict};
use crate::candidate::Evaluation;
use crate::decision::{Decision, Order};
use crate::event::{Event, ImprovementApplied, ImprovementArchived, ImprovementRejected, ProposalDiscarded};
use crate::feedback;
use crate::fold::FoldError;
use crate::id::{CandidateId, Number};
use crate::ports::{FeedbackResult, ProposalFeedback, Purpose};
use crate::state::Trial;

impl Engine {
    /// Gives the next number its verdict, or records that it came to nothing. Answers whether it did.
    pub(super) fn decide_next(&mut self) -> Result<bool, FoldError> {
        let decided = self.decide()?;
        if decided {
            self.renew()?;
        }
        Ok(decided)
    }

    fn decide(&mut self) -> Result<bool, FoldError> {
        let number = self.state.decided + 1;
        if let Some(discarded) = self.discards.remove(&number) {
            self.discard(discarded)?;
            return Ok(true);
        }
        match self.state.trials.get(&(number, Purpose::Judge)) {
            Some(Trial::Done(evaluation)) => {
                let evaluation = evaluation.clone();
                self.give_verdict(number, &evaluation)?;
                Ok(true)
            }
            Some(Trial::UnderWay) => Ok(false),
            None if self.is_given_up(number) => {
                let refusal = match self.state.aborted.get(&number) {
                    Some(reason) => Refusal { gate: ABORTED_GATE.to_owned(), reason: aborted(reason) },
                    None => {
                        let reason = "the evaluator could not run it".to_owned();
                        Refusal { gate: MACHINERY_GATE.to_owned(), reason }
                    }
                };
                self.reject(number, refusal, None)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    pub(super) fn discard(&mut self, discarded: ProposalDiscarded) -> Result<(), FoldError> {
        let number = discarded.number;
        let order = feedback::on_discard(&self.state, &discarded);
        debug_assert_eq!(discarded.number, number);
        let met = discarded.duplicate_of.as_ref().and_then(CandidateId::number);
        let before = met.and_then(|met| self.before(met));
        self.record(Event::ProposalDiscarded(discarded))?;
        self.note_niche(before)?;
        self.decisions.extend(order.map(|(proposer, feedback)| observe(proposer, feedback)));
        Ok(())
    }

    pub(super) fn give_verdict(&mut self, number: Number, evaluation: &Evaluation) -> Result<(), FoldError> {
        let front = self.state.front.clone();
        let before = self.before(number);
        let modification_id = self.state.id(number);
        self.note_violation(number, evaluation)?;
        match acceptance::judge(&self.state, number, evaluation) {
            Verdict::Rejected(refusal) => return self.reject(number, refusal, Some(evaluation)),
            Verdict::Accepted { delta, improvement, reason } => {
                self.note_thresholds(number, evaluation)?;
                self.record(Event::ImprovementApplied(ImprovementApplied {
                    modification_id,
                    scores: evaluation.scores.clone(),
                    improvement,
                    performance_delta: delta,
                    reason,
                }))?;
                self.tell(number, FeedbackResult::Accepted);
                self.annotate(number, evaluation, "accepted");
            }
            Verdict::Archived { delta, reason } => {
                self.record(Event::ImprovementArchived(ImprovementArchived {
                    modification_id,
                    scores: evaluation.scores.clone(),
                    performance_delta: delta,
                    reason,
                }))?;
                self.tell(number, FeedbackResult::Archived);
                self.annotate(number, evaluation, "archived");
            }
        }
        self.note_niche(before)?;
        self.note_front(&front)?;
        self.crown_best("improvement")
    }

    pub(super) fn reject(
        &mut self,
        number: Number,
        refusal: Refusal,
        evaluation: Option<&Evaluation>,
    ) -> Result<(), FoldError> {
        let modification_id = self.state.id(number);
        let Refusal { gate, reason } = refusal;
        let before = self.before(number);
        self.record(Event::ImprovementRejected(ImprovementRejected { modification_id, gate, reason }))?;
        self.note_niche(before)?;
        self.tell(number, FeedbackResult::Rejected);
        if let Some(evaluation) = evaluation {
            self.annotate(number, evaluation, "rejected");
        }
        Ok(())
    }

    pub(super) fn annotate(&mut self, number: Number, evaluation: &Evaluation, verdict: &'static str) {
        self.carry(Order::Annotate { number, scores: evaluation.scores.clone(), verdict });
    }

    pub(super) fn tell(&mut self, number: Number, result: FeedbackResult) {
        let order = feedback::on_verdict(&self.state, number, result);
        self.decisions.extend(order.map(|(proposer, feedback)| observe(proposer, feedback)));
    }
}

/// Lets a proposer hear what became of its proposal.
fn observe(proposer: String, feedback: ProposalFeedback) -> Decision {
    Decision::Carry(Order::Observe { proposer, feedback: Box::new(feedback) })
}
