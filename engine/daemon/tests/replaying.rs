//! What `darwind replay` holds against a log, and what it leaves out: a proposal that a crash left unanswered was asked for
//! again out of another memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use conductor::{Remade, Retracing, event_of, record_of, retrace, run_stream};
use evolution::event::{Event, RunResumed};
use evolution::id::{Number, RunId};
use snapshots::{Access, GitSnapshots};
use std::path::Path;
use std::sync::Arc;
use store::{Expected, Log, MemoryStore, SqliteStore};
use support::{Plain, RUN, Tuner, store_run};
use tempfile::TempDir;

/// What came of making the proposals of a run's events again.
fn remade(data: &Path, events: &[Event]) -> Vec<(Number, Remade)> {
    let (log, run) = (MemoryStore::new(), RunId::new(RUN));
    let records: Vec<_> = (1..).zip(events).map(|(at, event)| record_of(at, event).unwrap()).collect();
    log.append(&run_stream(&run), Expected::Any, &records).unwrap();
    let repository = data.join("runs").join(RUN).join("repository.git");
    let mut snapshots = GitSnapshots::open(&repository, Access::Read, Arc::new(|_: &str| true)).unwrap();
    let retracing = Retracing {
        log: &log,
        snapshots: &mut snapshots,
        screener: Arc::new(Plain),
        proposers: vec![Box::new(Tuner)],
    };
    let mut heard = Vec::new();
    retrace(retracing, &run, &mut |_, number, remade| heard.push((number, remade))).unwrap();
    heard
}

#[test]
fn an_answer_of_after_a_crash_is_not_held_against_the_one_of_before() {
    let (data, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    store_run(data.path(), target.path());
    let store = SqliteStore::open(&data.path().join("darwind.sqlite")).unwrap();
    let records = store.read(&run_stream(&RunId::new(RUN)), 0, 1000).unwrap();
    let mut events: Vec<Event> = records.into_iter().map(|record| event_of(record).unwrap()).collect();
    let answer = events.iter().position(|event| matches!(event, Event::ImprovementProposed(_))).unwrap();
    events.truncate(answer + 1);
    let Some(Event::ImprovementProposed(proposed)) = events.last_mut() else {
        panic!("an answer was cut off")
    };
    let number = proposed.number;
    proposed.rationale = "another thought".to_owned();
    let differs = |heard: &[(Number, Remade)]| {
        heard.iter().any(|(of, remade)| *of == number && matches!(remade, Remade::Different(_)))
    };
    assert!(differs(&remade(data.path(), &events)), "without a crash the answer is held against the log");
    let resumed = RunResumed { reason: "a restart".to_owned(), in_flight: Vec::new() };
    events.insert(answer, Event::RunResumed(resumed));
    let heard = remade(data.path(), &events);
    assert!(heard.contains(&(number, Remade::AfterResume)), "{heard:?}");
    assert!(!differs(&heard), "{heard:?}");
}
