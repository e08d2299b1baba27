//! Runs as they stand: each is folded from its log once, then record by record as they arrive. A thread a run follows the
//! log; whoever wants to see more waits for its sequence number to rise and reads the log at its own pace. So the engine
//! waits for nobody, and a slow reader misses nothing.

use crate::chronicle::Chronicle;
use crate::problem::Problem;
use crate::tail::{Tail, Told};
use conductor::{event_of, run_stream};
use evolution::FoldError;
use evolution::event::Event;
use evolution::id::RunId;
use evolution::state::State;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use store::{Log, Record, StreamSummary};
use tokio::sync::watch;

/// Start of the names of streams that hold runs.
const RUN_PREFIX: &str = "run/";
/// Runs that are followed at most; more are folded when they are asked for.
const MAX_FOLLOWED: usize = 256;
/// Longest time until a follower hears that the server stops.
const LISTEN: Duration = Duration::from_millis(500);
/// How long a request waits for the first event of a run that was just started.
const FIRST_EVENT: Duration = Duration::from_secs(2);

/// A run folded up to an event: what it is, and when things happened.
pub(crate) struct Folded {
    pub(crate) state: State,
    pub(crate) chronicle: Chronicle,
    /// Time of the first event, Unix milliseconds.
    pub(crate) started_ms: i64,
}

impl Folded {
    /// Folds one more event; the first begins the run.
    pub(crate) fn fold(folded: &mut Option<Self>, time_ms: i64, event: &Event) -> Result<(), FoldError> {
        let it = match (folded.as_mut(), event) {
            (Some(it), event) => {
                it.state.apply(time_ms, event)?;
                it
            }
            (None, Event::RunStarted(started)) => folded.insert(Self {
                state: State::begin(time_ms, started)?,
                chronicle: Chronicle::default(),
                started_ms: time_ms,
            }),
            (None, _) => return Err(FoldError::NoBeginning),
        };
        it.chronicle.apply(&it.state, time_ms, event);
        Ok(())
    }
}

/// One run, followed.
pub(crate) struct Mirror {
    folded: RwLock<Option<Folded>>,
    tail: Mutex<Tail>,
    seq: watch::Sender<u64>,
}

impl Mirror {
    fn new() -> Self {
        Self { folded: RwLock::new(None), tail: Mutex::new(Tail::default()), seq: watch::Sender::new(0) }
    }

    /// Looks at the state; `None` while there is no first event.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&State) -> T) -> Option<T> {
        self.with_all(|folded| look(&folded.state))
    }

    /// Looks at the state and the histories.
    pub(crate) fn with_all<T>(&self, look: impl FnOnce(&Folded) -> T) -> Option<T> {
        self.folded.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    /// Rises with every event.
    pub(crate) fn seq(&self) -> watch::Receiver<u64> {
        self.seq.subscribe()
    }

    /// Records after `after`, as they travel, at most `most`; none when they are not held here any more.
    pub(crate) fn tail(&self, after: u64, most: usize) -> Option<Vec<Arc<Told>>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).after(after, most)
    }

    /// Takes one record. A record that this version does not know ends the following: what is shown stays true until then.
    fn take(&self, record: Record) -> Result<(), String> {
        let (seq, time_ms) = (record.seq, record.time_ms);
        let event = event_of(record).map_err(|error| error.to_string())?;
        let mut folded = self.folded.write().unwrap_or_else(PoisonError::into_inner);
        Folded::fold(&mut folded, time_ms, &event).map_err(|error| error.to_string())?;
        drop(folded);
        self.seq.send_replace(seq);
        Ok(())
    }

    /// Takes a record that has just been written, and holds it for those who follow.
    fn follow(&self, run: &RunId, record: Record) -> Result<(), String> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).push(run, record.clone());
        self.take(record)
    }
}

/// All runs of a log.
pub(crate) struct Mirrors {
    log: Arc<dyn Log>,
    followed: Mutex<HashMap<RunId, Arc<Mirror>>>,
    stopping: Arc<AtomicBool>,
}

impl Mirrors {
    pub(crate) fn new(log: Arc<dyn Log>) -> Self {
        Self { log, followed: Mutex::new(HashMap::new()), stopping: Arc::new(AtomicBool::new(false)) }
    }

    pub(crate) fn log(&self) -> &Arc<dyn Log> {
        &self.log
    }

    /// Ends the followers.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Names and extents of all runs, newest first.
    pub(crate) fn list(&self) -> Result<Vec<(RunId, StreamSummary)>, Problem> {
        let streams = self.log.streams().map_err(|error| Problem::failed(error.to_string()))?;
        let run = |stream: StreamSummary| Some((RunId::new(stream.name.strip_prefix(RUN_PREFIX)?), stream));
        let mut runs: Vec<_> = streams.into_iter().filter_map(run).collect();
        runs.sort_by_key(|(_, stream)| std::cmp::Reverse(stream.first_time_ms));
        Ok(runs)
    }

    /// A run, folded up to now. Blocks while it is folded for the first time.
    pub(crate) fn get(&self, run: &RunId) -> Result<Arc<Mirror>, Problem> {
        let known = |followed: &HashMap<RunId, Arc<Mirror>>| followed.get(run).cloned();
        if let Some(mirror) = known(&self.followed.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(mirror);
        }
        let unknown =
            || Problem::not_found(format!("there is no run {run}")).help("GET /api/v1/runs lists the runs");
        let failed = |error: store::StoreError| Problem::failed(error.to_string());
        let stream = run_stream(run);
        let mut subscription = self.log.subscribe(&stream, 0).map_err(failed)?;
        let first = subscription.recv_timeout(FIRST_EVENT).map_err(failed)?.ok_or_else(unknown)?;
        let upto = self.log.last_seq(&stream).map_err(failed)?;
        let mirror = Arc::new(Mirror::new());
        let mut next = Some(first);
        while let Some(record) = next {
            let seq = record.seq;
            mirror.take(record).map_err(|reason| Problem::failed(format!("run {run}: {reason}")))?;
            next = if seq < upto { subscription.recv_timeout(LISTEN).map_err(failed)? } else { None };
        }
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mirror) = known(&followed) {
            return Ok(mirror);
        }
        if followed.len() >= MAX_FOLLOWED {
            return Ok(mirror);
        }
        let (kept, stopping, name) = (mirror.clone(), self.stopping.clone(), run.clone());
        let follow = move || {
            while !stopping.load(Ordering::Relaxed) {
                match subscription.recv_timeout(LISTEN) {
                    Ok(Some(record)) => {
                        if kept.follow(&name, record).is_err() {
                            return;
                        }
                    }
                    Ok(None) => {}
                    // The store is busy or out of room: the next look may find it well.
                    Err(_) => std::thread::sleep(LISTEN),
                }
            }
        };
        std::thread::Builder::new()
            .name("mirror".to_owned())
            .spawn(follow)
            .map_err(|error| Problem::failed(format!("no thread could be started: {error}")))?;
        followed.insert(run.clone(), mirror.clone());
        Ok(mirror)
    }

    /// The state at a sequence number, folded anew.
    pub(crate) fn state_at(&self, run: &RunId, seq: u64) -> Result<State, Problem> {
        Ok(self.folded_at(run, seq)?.state)
    }

    /// State and histories at a sequence number, folded anew.
    fn folded_at(&self, run: &RunId, seq: u64) -> Result<Folded, Problem> {
        let mut folded = None;
        let read = conductor::read_events(self.log.as_ref(), run, 0, |at, time_ms, event| {
            if at <= seq {
                Folded::fold(&mut folded, time_ms, &event)?;
            }
            Ok(())
        });
        read.map_err(|error| Problem::failed(error.to_string()))?;
        folded.ok_or_else(|| Problem::not_found(format!("run {run} has no event {seq}")))
    }
}
