//! What a proposer hears of its proposals. Computed from the state and one event, so that a resumed run, which replays
//! its log, tells exactly what the unbroken run told.

use crate::event::{Event, ProposalDiscarded, ProposalOutcome};
use crate::id::Number;
use crate::ports::{FeedbackResult, ProposalFeedback};
use crate::state::{Slot, State};

/// What to tell, and to whom, about a proposal that came to nothing. `state` is the state before the event.
pub fn on_discard(state: &State, discarded: &ProposalDiscarded) -> Option<(String, ProposalFeedback)> {
    let Some(Slot::Requested(requested)) = state.slots.get(discarded.number as usize) else { return None };
    let result = match discarded.outcome {
        ProposalOutcome::Duplicate | ProposalOutcome::Similar => FeedbackResult::Duplicate,
        _ => FeedbackResult::Discarded,
    };
    let feedback = ProposalFeedback {
        number: discarded.number,
        parents: requested.parents.clone(),
        operator: requested.operator.clone(),
        detail: discarded.detail.clone(),
        result,
        gate: String::new(),
        reason: discarded.reason.clone(),
        scores: None,
        cases_gained: None,
        cases_failed: None,
    };
    Some((requested.proposer.clone(), feedback))
}

/// What to tell, and to whom, about a candidate's verdict. `state` is the state after the verdict.
pub fn on_verdict(
    state: &State,
    number: Number,
    result: FeedbackResult,
) -> Option<(String, ProposalFeedback)> {
    let record = state.candidate(number)?;
    let arm = state.arm(record)?;
    let parent = record.parents.first().and_then(|parent| state.candidate(*parent));
    let total = state.case_names.len();
    let complete = total > 0 && record.ran.len() == total;
    let cases_gained = parent
        .filter(|_| complete)
        .map(|parent| (record.passed.len() as f64 - parent.passed.len() as f64) / total as f64);
    let feedback = ProposalFeedback {
        number,
        parents: record.parents.clone(),
        operator: arm.operator.clone(),
        detail: record.detail.as_ref().clone(),
        result,
        gate: record.gate.clone(),
        reason: record.reason.clone(),
        scores: record.outcome.is_some().then(|| record.scores.clone()),
        cases_gained,
        cases_failed: complete.then(|| u32::try_from(total - record.passed.len()).unwrap_or(u32::MAX)),
    };
    Some((arm.proposer.clone(), feedback))
}

/// What a recorded verdict tells a proposer. `decided` is how far verdicts had come before the event, `after` the state
/// after it: a second judgement's refusal comes later than the verdict and is not told.
pub fn on_event(decided: Number, after: &State, event: &Event) -> Option<(String, ProposalFeedback)> {
    let (id, result) = match event {
        Event::ImprovementApplied(applied) => (&applied.modification_id, FeedbackResult::Accepted),
        Event::ImprovementArchived(archived) => (&archived.modification_id, FeedbackResult::Archived),
        Event::ImprovementRejected(rejected) => (&rejected.modification_id, FeedbackResult::Rejected),
        _ => return None,
    };
    let number = id.number().filter(|number| *number > decided)?;
    on_verdict(after, number, result)
}
