//! Reads a run's past from its log: the state, and what its proposers must hear again. A proposer's queue is filled in
//! the order of the log, so that it stands where it stood: what it answered before is recalled, what it had not answered
//! is asked again at the place where it was asked first.

use crate::error::ConductorError;
use crate::executor::ProposerTask;
use crate::records::read_events;
use evolution::FoldError;
use evolution::event::{Event, ProposalRequested};
use evolution::feedback;
use evolution::id::{Number, RunId};
use evolution::state::{Slot, State};
use std::collections::HashMap;
use store::Log;

/// One thing that a proposer is told or asked again.
pub(crate) enum Memory {
    /// Tell it.
    Tell {
        /// Whom.
        proposer: String,
        /// What.
        task: Box<ProposerTask>,
    },
    /// Ask it again.
    Ask(ProposalRequested),
}

/// A run's past.
pub(crate) struct Past {
    pub(crate) state: State,
    pub(crate) memories: Vec<Memory>,
}

/// Reads the log once; what a proposer noted down is filled in when its answer comes by.
pub(crate) fn read(log: &dyn Log, run: &RunId) -> Result<Past, ConductorError> {
    let mut state: Option<State> = None;
    let mut memories: Vec<Memory> = Vec::new();
    let mut asked: HashMap<Number, usize> = HashMap::new();
    read_events(log, run, 0, |_, time_ms, event| {
        let Some(known) = state.as_mut() else {
            let Event::RunStarted(started) = &event else { return Err(FoldError::NoBeginning.into()) };
            state = Some(State::begin(time_ms, started)?);
            return Ok(());
        };
        match &event {
            Event::ProposalRequested(requested) => {
                asked.insert(requested.number, memories.len());
                memories.push(Memory::Ask(requested.clone()));
            }
            Event::ImprovementProposed(proposed) => {
                answer(&mut memories, &asked, proposed.number, &proposed.detail)
            }
            Event::ProposalDiscarded(discarded) => {
                answer(&mut memories, &asked, discarded.number, &discarded.detail)
            }
            _ => {}
        }
        // Feedback looks at the slot before and at the record after; only discards need the former, so no copy is made.
        let discarded = match &event {
            Event::ProposalDiscarded(discarded) => feedback::on_discard(known, discarded),
            _ => None,
        };
        let decided = known.decided;
        known.apply(time_ms, &event)?;
        let verdict = if discarded.is_none() { feedback::on_event(decided, known, &event) } else { None };
        if let Some((proposer, feedback)) = discarded.or(verdict) {
            memories
                .push(Memory::Tell { proposer, task: Box::new(ProposerTask::Observe(Box::new(feedback))) });
        }
        Ok(())
    })?;
    let state = state.ok_or(FoldError::NoBeginning)?;
    memories.retain(|memory| match memory {
        Memory::Ask(requested) => {
            matches!(state.slots.get(requested.number as usize), Some(Slot::Requested(_)))
        }
        Memory::Tell { .. } => true,
    });
    Ok(Past { state, memories })
}

fn answer(
    memories: &mut [Memory],
    asked: &HashMap<Number, usize>,
    number: Number,
    detail: &serde_json::Value,
) {
    let Some(place) = asked.get(&number).and_then(|place| memories.get_mut(*place)) else { return };
    if let Memory::Ask(requested) = place {
        let task = ProposerTask::Recall {
            number,
            parents: requested.parents.clone(),
            operator: requested.operator.clone(),
            detail: detail.clone(),
        };
        *place = Memory::Tell { proposer: requested.proposer.clone(), task: Box::new(task) };
    }
}
