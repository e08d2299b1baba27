//! Begins a run with proposals that were made elsewhere: each is committed below its parent and stands in the log as
//! proposed and not yet judged, as if the process had ended there. Taking the run up has every one of them evaluated here,
//! in order, before anything new is proposed; until then none of them ranks.

use crate::dispatcher::Ports;
use crate::error::ConductorError;
use crate::records::{record_of, run_stream};
use crate::views::{changed_bytes, changed_paths};
use evolution::candidate::{Cost, FileChange, Patch, SourceFiles};
use evolution::event::{Event, ImprovementProposed, ProposalRequested, Reasoned, RunStarted};
use evolution::id::{BASELINE, CommitId, Number};
use evolution::ports::{Screening, SnapshotRequest};
use evolution::state::State;
use std::collections::HashMap;
use std::sync::Arc;
use store::{Expected, NewRecord};

/// A program that was proposed elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Adopted {
    /// Its parent, as the place of an earlier one; absent when that is not known.
    pub parent: Option<usize>,
    /// Its file.
    pub path: String,
    /// The file's text.
    pub text: String,
    /// What it was meant to do.
    pub rationale: String,
    /// What is known of it, at most [`evolution::candidate::MAX_DETAIL_BYTES`] as JSON.
    pub detail: serde_json::Value,
}

/// What became of adopted programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// The number of each, in their order. Equal programs, and those equal to the baseline, share one.
    pub numbers: Vec<Number>,
    /// How many became candidates.
    pub candidates: u32,
}

struct Adopting {
    ports: Ports,
    state: State,
    records: Vec<NewRecord>,
    now_ms: i64,
    /// Files of the candidates made so far, by number.
    files: HashMap<Number, Arc<SourceFiles>>,
}

/// Begins the run and writes the programs into it under `proposer` and `operator`. The run is left paused.
///
/// # Errors
///
/// When a snapshot cannot be made or the log not written.
pub fn adopt(
    ports: Ports,
    started: RunStarted,
    (proposer, operator): (&str, &str),
    programs: &[Adopted],
    reason: &str,
) -> Result<Adoption, ConductorError> {
    let now_ms = ports.clock.now_ms();
    let stream = run_stream(&started.run_id);
    let state = State::begin(now_ms, &started)?;
    let first = record_of(now_ms, &Event::RunStarted(Box::new(started)))?;
    let mut adopting = Adopting { ports, state, records: vec![first], now_ms, files: HashMap::new() };
    let mut adoption = Adoption::default();
    for program in programs {
        let parent = program.parent.and_then(|place| adoption.numbers.get(place)).copied();
        let before = adopting.state.next_number();
        let number = adopting.take(parent.unwrap_or(BASELINE), (proposer, operator), program)?;
        adoption.numbers.push(number);
        adoption.candidates += u32::from(number == before);
    }
    adopting.record(Event::RunPaused(Reasoned { reason: reason.to_owned() }))?;
    adopting.ports.log.append(&stream, Expected::Exact(0), &adopting.records)?;
    Ok(adoption)
}

impl Adopting {
    /// Makes a candidate of a program, or answers the one that is the same.
    fn take(
        &mut self,
        parent: Number,
        (proposer, operator): (&str, &str),
        program: &Adopted,
    ) -> Result<Number, ConductorError> {
        let files = self.files(parent)?;
        let content: Arc<[u8]> = Arc::from(program.text.as_bytes());
        let patch = Patch(vec![FileChange { path: program.path.clone(), content: Some(content) }]);
        let changed = changed_paths(&files, &patch);
        if changed.is_empty() {
            return Ok(parent);
        }
        let baseline = self.files(BASELINE)?;
        let patched = files.patched(&patch);
        if patched == *baseline {
            return Ok(BASELINE);
        }
        let Screening { fingerprint, shape, usage, .. } = self.ports.screener.screen(&files, &patch);
        if let Some(same) = self.state.fingerprints.get(&fingerprint) {
            return Ok(*same);
        }
        let number = self.state.next_number();
        let requested = ProposalRequested {
            number,
            proposer: proposer.to_owned(),
            operator: operator.to_owned(),
            parents: vec![parent],
            peers: Vec::new(),
            learning_rate: self.state.learning_rate.rate(),
            part: None,
        };
        self.record(Event::ProposalRequested(requested))?;
        let id = self.state.id(number);
        let request = SnapshotRequest {
            id: id.clone(),
            number,
            parents: vec![self.commit_of(parent)?],
            patch,
            summary: format!("{proposer}: {operator}"),
            trailers: vec![
                ("Candidate".to_owned(), id.to_string()),
                ("Parents".to_owned(), self.state.id(parent).to_string()),
                ("Proposer".to_owned(), proposer.to_owned()),
                ("Operator".to_owned(), operator.to_owned()),
            ],
            time_ms: self.now_ms,
        };
        let proposed = ImprovementProposed {
            modification_id: id,
            number,
            parents: vec![self.state.id(parent)],
            proposer: proposer.to_owned(),
            operator: operator.to_owned(),
            rationale: program.rationale.clone(),
            commit: self.ports.snapshots.commit(&request)?,
            fingerprint,
            shape,
            files: changed,
            changed_bytes: changed_bytes(&baseline, &patched),
            detail: program.detail.clone(),
            cost: Cost { llm: usage, ..Cost::default() },
        };
        self.record(Event::ImprovementProposed(Box::new(proposed)))?;
        self.files.insert(number, Arc::new(patched));
        Ok(number)
    }

    fn commit_of(&self, number: Number) -> Result<CommitId, ConductorError> {
        let record = self.state.candidate(number).ok_or(ConductorError::NoCandidate(number))?;
        Ok(record.commit.clone())
    }

    fn files(&mut self, number: Number) -> Result<Arc<SourceFiles>, ConductorError> {
        if let Some(files) = self.files.get(&number) {
            return Ok(files.clone());
        }
        let files = Arc::new(self.ports.snapshots.files(&self.commit_of(number)?)?);
        self.files.insert(number, files.clone());
        Ok(files)
    }

    fn record(&mut self, event: Event) -> Result<(), ConductorError> {
        self.state.apply(self.now_ms, &event)?;
        self.records.push(record_of(self.now_ms, &event)?);
        Ok(())
    }
}
