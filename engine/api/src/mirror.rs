//! Runs as they stand: each is folded from its log once, then record by record as they arrive. A thread a run follows the
//! log; whoever wants to see more waits for its sequence number to rise and reads the log at its own pace. So the engine
//! waits for nobody, and a slow reader misses nothing.

use crate::problem::Problem;
use conductor::{event_of, run_stream};
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

/// One run, followed.
pub(crate) struct Mirror {
    state: RwLock<Option<State>>,
    seq: watch::Sender<u64>,
}

impl Mirror {
    /// Looks at the state; `None` while there is no first event.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&State) -> T) -> Option<T> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    /// Rises with every event.
    pub(crate) fn seq(&self) -> watch::Receiver<u64> {
        self.seq.subscribe()
    }

    /// Takes one record. A record that this version does not know ends the following: what is shown stays true until then.
    fn take(&self, record: Record) -> Result<(), String> {
        let (seq, time_ms) = (record.seq, record.time_ms);
        let event = event_of(record).map_err(|error| error.to_string())?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let folded = match (state.as_mut(), &event) {
            (Some(state), event) => state.apply(time_ms, event),
            (None, Event::RunStarted(started)) => State::begin(time_ms, started).map(|begun| {
                *state = Some(begun);
            }),
            (None, _) => return Err("the log has no beginning".to_owned()),
        };
        drop(state);
        folded.map_err(|error| error.to_string())?;
        self.seq.send_replace(seq);
        Ok(())
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
        let mirror = Arc::new(Mirror { state: RwLock::new(None), seq: watch::Sender::new(0) });
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
        let (kept, stopping) = (mirror.clone(), self.stopping.clone());
        let follow = move || {
            while !stopping.load(Ordering::Relaxed) {
                match subscription.recv_timeout(LISTEN) {
                    Ok(Some(record)) => {
                        if kept.take(record).is_err() {
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
        let mut state: Option<State> = None;
        let folded = conductor::read_events(self.log.as_ref(), run, 0, |at, time_ms, event| {
            match (&mut state, &event) {
                _ if at > seq => {}
                (None, Event::RunStarted(started)) => state = Some(State::begin(time_ms, started)?),
                (None, _) => {}
                (Some(state), event) => state.apply(time_ms, event)?,
            }
            Ok(())
        });
        folded.map_err(|error| Problem::failed(error.to_string()))?;
        state.ok_or_else(|| Problem::not_found(format!("run {run} has no event {seq}")))
    }
}
