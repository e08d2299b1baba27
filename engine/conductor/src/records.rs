//! Events as records of the log, and back. The record's kind is the event's name, its data the event's payload.

use crate::error::ConductorError;
use evolution::event::{Command, Event, News};
use evolution::id::RunId;
use evolution::state::State;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use store::{Expected, Log, NewRecord, Record};

/// Name of the stream that holds a run's events.
pub fn run_stream(run: &RunId) -> String {
    format!("run/{run}")
}

/// Name of the stream through which other processes command a run.
pub fn control_stream(run: &RunId) -> String {
    format!("control/{run}")
}

/// What another process appends to the control stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlRequest {
    /// The command's own id; the same id is obeyed once.
    pub id: String,
    /// What is asked.
    pub command: Command,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// An event as a record.
pub fn record_of(time_ms: i64, event: &Event) -> Result<NewRecord, ConductorError> {
    let tagged = serde_json::to_value(event).map_err(ConductorError::Encoding)?;
    let data = match tagged {
        serde_json::Value::Object(mut fields) => fields.remove("data").unwrap_or(serde_json::Value::Null),
        _ => serde_json::Value::Null,
    };
    Ok(NewRecord { kind: event.name().to_owned(), time_ms, data })
}

/// A record as an event.
pub fn event_of(record: Record) -> Result<Event, ConductorError> {
    let seq = record.seq;
    let tagged = serde_json::json!({ "event_type": record.kind, "data": record.data });
    serde_json::from_value(tagged)
        .map_err(|error| ConductorError::UnknownRecord { seq, reason: error.to_string() })
}

/// Visits a run's events in order, after sequence number `after`: (seq, time in Unix milliseconds, event).
pub fn read_events(
    log: &dyn Log,
    run: &RunId,
    after: u64,
    mut visit: impl FnMut(u64, i64, Event) -> Result<(), ConductorError>,
) -> Result<(), ConductorError> {
    let mut failure = None;
    log.replay(&run_stream(run), after, &mut |record| {
        let (seq, time_ms) = (record.seq, record.time_ms);
        match event_of(record).and_then(|event| visit(seq, time_ms, event)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failure.map_or(Ok(()), Err)
}

/// Adds news of peers to the log of a run that nobody drives: the caller holds its lease. What it has recorded already is
/// passed over.
pub fn add_news(log: &dyn Log, run: &RunId, news: Vec<News>, now_ms: i64) -> Result<(), ConductorError> {
    let mut state = replay_state(log, run)?;
    let (seq, now_ms) = (state.seq, now_ms.max(state.last_ms));
    let mut records = Vec::new();
    for one in news {
        if one.is_news_to(&state) {
            let event = one.into();
            state.apply(now_ms, &event)?;
            records.push(record_of(now_ms, &event)?);
        }
    }
    if !records.is_empty() {
        log.append(&run_stream(run), Expected::Exact(seq), &records)?;
    }
    Ok(())
}

/// The state that a run's log folds to.
pub fn replay_state(log: &dyn Log, run: &RunId) -> Result<State, ConductorError> {
    let mut state: Option<State> = None;
    read_events(log, run, 0, |_, time_ms, event| {
        match (&mut state, &event) {
            (None, Event::RunStarted(started)) => state = Some(State::begin(time_ms, started)?),
            (None, _) => return Err(evolution::FoldError::NoBeginning.into()),
            (Some(state), event) => state.apply(time_ms, event)?,
        }
        Ok(())
    })?;
    state.ok_or_else(|| evolution::FoldError::NoBeginning.into())
}
