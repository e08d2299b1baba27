//! Goes through a recorded run again and has its proposals made again, from the same state, seed and memory: what a
//! proposer would answer now is held against what the log says that it answered. Nothing is evaluated and nothing written.
//! Proposals after the run was resumed are left out and counted: after a crash a proposer's memory is what the log gave back,
//! not what it had been.

use crate::error::ConductorError;
use crate::executor::{Desk, answer};
use crate::records::{event_of, run_stream};
use crate::views::Views;
use evolution::FoldError;
use evolution::candidate::Patch;
use evolution::decision::Answer;
use evolution::embedding::Embedding;
use evolution::event::{Event, ImprovementProposed, ProposalDiscarded, ProposalOutcome, ProposalRequested};
use evolution::feedback;
use evolution::id::{BASELINE, Number, RunId};
use evolution::ports::{ProposalRequest, Proposer, ProposerError, Screener, Snapshots};
use evolution::state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::Log;

/// Records that are read at a time.
const PAGE: usize = 256;

/// What making a proposal again came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remade {
    /// The same proposal, or the same answer that came to nothing.
    Same,
    /// Another; in what it differs.
    Different(String),
    /// It failed for a reason outside, which cannot be made again: an endpoint that did not answer, say.
    Failed,
    /// It was made after the run was resumed, out of a memory that is not known.
    AfterResume,
}

/// What going through a run again needs.
pub struct Retracing<'r> {
    /// The log.
    pub log: &'r dyn Log,
    /// The run's snapshots, to be read.
    pub snapshots: &'r mut dyn Snapshots,
    /// Looks at files without running them.
    pub screener: Arc<dyn Screener>,
    /// Proposers whose proposals are made again; those of others are left out.
    pub proposers: Vec<Box<dyn Proposer>>,
}

/// A run on its way through its log.
struct Walk<'r> {
    log: &'r dyn Log,
    snapshots: &'r mut dyn Snapshots,
    screener: Arc<dyn Screener>,
    proposers: BTreeMap<String, Box<dyn Proposer>>,
    desk: Option<Desk>,
    views: Views,
    answers: BTreeMap<Number, Result<(Answer, Patch), ProposerError>>,
    resumed: bool,
}

/// Goes through `run`. Each proposal of a given proposer is told to `hear` with the sequence number of its record.
///
/// # Errors
///
/// When the log or a snapshot cannot be read.
pub fn retrace(
    retracing: Retracing<'_>,
    run: &RunId,
    hear: &mut dyn FnMut(u64, Number, Remade),
) -> Result<(), ConductorError> {
    let Retracing { log, snapshots, screener, proposers } = retracing;
    let proposers = proposers.into_iter().map(|proposer| (proposer.name().to_owned(), proposer)).collect();
    let mut walk = Walk {
        log,
        snapshots,
        screener,
        proposers,
        desk: None,
        views: Views::default(),
        answers: BTreeMap::new(),
        resumed: false,
    };
    let stream = run_stream(run);
    let (mut state, mut after) = (None, 0);
    loop {
        // Page by page, since making a proposal reads the log too.
        let records = log.read(&stream, after, PAGE)?;
        if records.is_empty() {
            return Ok(());
        }
        for record in records {
            let (seq, time_ms) = (record.seq, record.time_ms);
            after = seq;
            let event = event_of(record)?;
            match &mut state {
                None => {
                    let Event::RunStarted(started) = &event else {
                        return Err(FoldError::NoBeginning.into());
                    };
                    state = Some(State::begin(time_ms, started)?);
                }
                Some(state) => walk.step(state, (seq, time_ms), &event, hear)?,
            }
        }
    }
}

impl Walk<'_> {
    fn step(
        &mut self,
        state: &mut State,
        (seq, time_ms): (u64, i64),
        event: &Event,
        hear: &mut dyn FnMut(u64, Number, Remade),
    ) -> Result<(), ConductorError> {
        let mut told = None;
        match event {
            Event::ImprovementProposed(proposed) => {
                if let Some(made) = self.answers.remove(&proposed.number) {
                    hear(seq, proposed.number, self.compare(state, proposed, made)?);
                }
            }
            Event::ProposalDiscarded(discarded) => {
                if let Some(made) = self.answers.remove(&discarded.number) {
                    hear(seq, discarded.number, nothing_again(state, discarded, &made));
                }
                told = feedback::on_discard(state, discarded);
            }
            _ => {}
        }
        let decided = state.decided;
        state.apply(time_ms, event)?;
        if told.is_none() {
            told = feedback::on_event(decided, state, event);
        }
        if let Some((proposer, feedback)) = told
            && let Some(proposer) = self.proposers.get_mut(&proposer)
        {
            proposer.observe(&feedback);
        }
        match event {
            Event::RunResumed(_) => {
                self.resumed = true;
                // What was asked for and not answered was asked for again, with the memory of after.
                for number in std::mem::take(&mut self.answers).into_keys() {
                    hear(seq, number, Remade::AfterResume);
                }
            }
            Event::ProposalRequested(requested) if self.proposers.contains_key(&requested.proposer) => {
                if self.resumed {
                    hear(seq, requested.number, Remade::AfterResume);
                } else {
                    self.ask(state, requested)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Has a proposal made again, at the place of the log where it was asked for.
    fn ask(&mut self, state: &State, requested: &ProposalRequested) -> Result<(), ConductorError> {
        let request = self.request(state, requested)?;
        let desk = self.desk(state)?;
        if let Some(proposer) = self.proposers.get_mut(&requested.proposer) {
            let job = proposer.begin(&request);
            self.answers.insert(requested.number, answer(job, &request, &desk));
        }
        Ok(())
    }

    fn request(
        &mut self,
        state: &State,
        requested: &ProposalRequested,
    ) -> Result<ProposalRequest, ConductorError> {
        let (views, snapshots, log) = (&mut self.views, &mut *self.snapshots, self.log);
        let mut view = |number: &Number| views.view(state, snapshots, log, *number);
        Ok(ProposalRequest {
            number: requested.number,
            operator: requested.operator.clone(),
            parents: requested.parents.iter().map(&mut view).collect::<Result<_, _>>()?,
            peers: requested.peers.iter().map(&mut view).collect::<Result<_, _>>()?,
            baseline: view(&BASELINE)?,
            learning_rate: requested.learning_rate,
            part: requested.part,
            seed: evolution::picking::proposal_seed(state.run.seed, requested.number),
        })
    }

    fn desk(&mut self, state: &State) -> Result<Desk, ConductorError> {
        if let Some(desk) = &self.desk {
            return Ok(desk.clone());
        }
        let baseline = self.views.files(state, self.snapshots, BASELINE)?;
        let desk = Desk { screener: self.screener.clone(), baseline };
        self.desk = Some(desk.clone());
        Ok(desk)
    }

    fn compare(
        &mut self,
        state: &State,
        proposed: &ImprovementProposed,
        made: Result<(Answer, Patch), ProposerError>,
    ) -> Result<Remade, ConductorError> {
        let (answer, patch) = match made {
            Ok(made) => made,
            Err(error) => return Ok(Remade::Different(format!("there is none now: {error}"))),
        };
        let parent = proposed.parents.first().and_then(|parent| parent.number()).unwrap_or(BASELINE);
        let expected = self.views.files(state, self.snapshots, parent)?.patched(&patch);
        let recorded = self.snapshots.files(&proposed.commit)?;
        let parts = [
            ("files", expected == recorded),
            ("fingerprint", answer.fingerprint == proposed.fingerprint),
            ("rationale", answer.rationale == proposed.rationale),
            ("notes", answer.detail == proposed.detail),
            ("embedding", is_same(&answer.shape.embedding, &proposed.shape.embedding)),
        ];
        let other: BTreeSet<&str> =
            parts.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect();
        if other.is_empty() {
            return Ok(Remade::Same);
        }
        Ok(Remade::Different(format!("its {} are not those recorded", Vec::from_iter(other).join(", "))))
    }
}

/// Whether an embedding is the recorded one. One that could not be had cannot be had again either.
fn is_same(made: &Embedding, recorded: &Embedding) -> bool {
    match recorded {
        Embedding::Known(_) => made == recorded,
        Embedding::Missing(_) | Embedding::Unasked => true,
    }
}

/// Holds what came to nothing against what it comes to now. `state` is that before it did.
fn nothing_again(
    state: &State,
    discarded: &ProposalDiscarded,
    made: &Result<(Answer, Patch), ProposerError>,
) -> Remade {
    if discarded.outcome == ProposalOutcome::Failed || discarded.out_of.is_some() {
        return Remade::Failed;
    }
    if discarded.outcome == ProposalOutcome::Similar
        && let Ok((answer, _)) = made
    {
        let resembled = state.too_similar(discarded.number, &answer.shape.embedding);
        let resembled = resembled.map(|(earlier, _)| state.id(earlier));
        if resembled != discarded.duplicate_of {
            return Remade::Different("it resembles another program now, or none".to_owned());
        }
    }
    let null = serde_json::Value::Null;
    let detail = match made {
        Ok((answer, _)) => &answer.detail,
        Err(ProposerError::Spent(spent)) => &spent.detail,
        Err(_) => &null,
    };
    if *detail == discarded.detail {
        Remade::Same
    } else {
        Remade::Different(format!("what came to nothing ({}) is not what was recorded", discarded.reason))
    }
}
