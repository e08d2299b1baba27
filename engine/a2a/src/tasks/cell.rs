//! One task, alive: its standing, the tail of its events, and the one pen that may change it. Every change is checked
//! and applied under one lock, so a state that is terminal stays as it is, whoever comes second.
//! What goes out to a client waits until the log has it. Not here: the log's thread (`journal`), the collection of all
//! tasks (`tasks`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::change::{Change, MAX_ARTIFACTS, Standing, timestamp};
use super::journal::Journal;
use crate::agent::Ended;
use crate::error::{A2aError, ErrorKind};
use crate::model::{Artifact, Message, Metadata, StreamItem, Task, TaskState, TaskStatus};

/// Most events of a task that are kept for those who follow it; who is further behind gets the whole task instead.
pub const MAX_TAIL_EVENTS: usize = 512;
/// Most changes of one task that may wait for the log before its agent has to wait too.
pub const MAX_UNWRITTEN: u64 = 64;
/// Most messages of a client that may wait for a task that is under way.
pub const MAX_INBOX: usize = 16;

/// An event of a task with its number, which is also its id on a stream.
#[derive(Clone, Debug)]
pub struct Event {
    /// Number of the change, rising within the task.
    pub seq: u64,
    /// What a stream tells.
    pub item: Arc<StreamItem>,
}

/// How far the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Number of the newest change that is durable.
    pub(crate) seq: u64,
    /// The log failed; nothing more will become durable.
    pub(crate) lost: bool,
}

/// What changes under the lock.
pub(crate) struct State {
    pub(crate) standing: Standing,
    pub(crate) tail: VecDeque<Event>,
    /// Number of the newest change that is not in the tail any more.
    pub(crate) tail_after: u64,
    pub(crate) inbox: VecDeque<Message>,
    /// Whether the agent works on it.
    pub(crate) running: bool,
    /// Bytes of the task, roughly.
    pub(crate) bytes: usize,
}

/// One task, alive.
pub(crate) struct Cell {
    pub(crate) id: String,
    pub(crate) owner: Arc<str>,
    pub(crate) context_id: String,
    state: Mutex<State>,
    written: watch::Sender<Written>,
    inbox_grew: Notify,
    journal: Arc<Journal>,
    /// Bytes of all tasks together.
    total_bytes: Arc<AtomicU64>,
    limit_bytes: usize,
    /// Number of the log's segment that holds the newest full standing.
    pub(crate) base: AtomicU64,
}

impl Cell {
    /// A task as it stands; `written` says how far the log has it.
    pub(crate) fn new(
        standing: Standing,
        written: u64,
        journal: Arc<Journal>,
        total_bytes: Arc<AtomicU64>,
        limit_bytes: usize,
    ) -> Arc<Self> {
        let bytes = task_bytes(&standing.task);
        total_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        Arc::new(Self {
            id: standing.task.id.clone(),
            owner: standing.owner.as_str().into(),
            context_id: standing.task.context_id.clone(),
            written: watch::Sender::new(Written { seq: written, lost: false }),
            inbox_grew: Notify::new(),
            journal,
            total_bytes,
            limit_bytes,
            base: AtomicU64::new(0),
            state: Mutex::new(State {
                tail_after: standing.seq,
                standing,
                tail: VecDeque::new(),
                inbox: VecDeque::new(),
                running: false,
                bytes,
            }),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a change that the caller, holding the lock, has found permitted, and hands it to the log.
    pub(crate) fn commit(self: &Arc<Self>, state: &mut State, change: Change) -> u64 {
        let at_ms = now_ms();
        let grown = match &change {
            Change::Said(message) => message.size(),
            Change::Status { status, .. } => status.message.as_ref().map_or(0, Message::size),
            Change::Result { artifact, .. } => 2 * artifact.size(),
            Change::Stands(_) | Change::Webhook(_) | Change::WebhookGone(_) => 0,
        };
        state.bytes += grown;
        self.total_bytes.fetch_add(grown as u64, Ordering::Relaxed);
        if let Some(item) = state.standing.apply(&change, at_ms) {
            state.push_event(Event { seq: state.standing.seq, item: Arc::new(item) });
        }
        let seq = state.standing.seq;
        self.journal.write(self, seq, at_ms, change);
        seq
    }

    /// Tells that the log has the changes up to `seq`.
    pub(crate) fn set_written(&self, seq: u64) {
        self.written.send_if_modified(|written| {
            let further = seq > written.seq;
            written.seq = written.seq.max(seq);
            further
        });
    }

    /// Tells that the log failed.
    pub(crate) fn set_lost(&self) {
        self.written.send_modify(|written| written.lost = true);
    }

    /// How far the log is, to wait on.
    pub(crate) fn written(&self) -> watch::Receiver<Written> {
        self.written.subscribe()
    }

    /// Waits until the log has the change `seq`.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the log failed.
    pub(crate) async fn settled(&self, seq: u64) -> Result<(), A2aError> {
        if self.written.borrow().seq >= seq {
            return Ok(());
        }
        let mut written = self.written();
        let reached = written.wait_for(|written| written.seq >= seq || written.lost).await;
        match reached {
            Ok(written) if written.seq >= seq => Ok(()),
            _ => Err(A2aError::new(ErrorKind::Overloaded, "the server cannot keep tasks at present")),
        }
    }

    /// Waits until so little waits for the log that the agent may go on.
    pub(crate) async fn drained(&self) {
        let seq = self.lock().standing.seq;
        if seq > MAX_UNWRITTEN && self.written.borrow().seq < seq - MAX_UNWRITTEN {
            // A failed log is reported to whoever reads; the agent has nothing to gain from the news.
            let _ = self.settled(seq - MAX_UNWRITTEN / 2).await;
        }
    }

    /// The task as the log has it.
    ///
    /// # Errors
    /// As [`Cell::settled`].
    pub(crate) async fn snapshot(&self) -> Result<(Task, u64), A2aError> {
        let (task, seq) = {
            let state = self.lock();
            (state.standing.task.clone(), state.standing.seq)
        };
        self.settled(seq).await?;
        Ok((task, seq))
    }

    /// Writes the task's status unless it has ended.
    pub(crate) fn write_status(
        self: &Arc<Self>,
        state: TaskState,
        message: Option<Message>,
        metadata: Metadata,
    ) -> Result<(), Ended> {
        let mut held = self.lock();
        self.write_status_held(&mut held, state, message, metadata)
    }

    /// As `write_status`, by a caller who holds the lock.
    pub(crate) fn write_status_held(
        self: &Arc<Self>,
        held: &mut State,
        state: TaskState,
        message: Option<Message>,
        metadata: Metadata,
    ) -> Result<(), Ended> {
        if held.standing.task.status.state.is_terminal() {
            return Err(Ended);
        }
        let message = message.map(|mut message| {
            message.task_id.clone_from(&self.id);
            message.context_id.clone_from(&self.context_id);
            message
        });
        let status = TaskStatus { state, message, timestamp: timestamp(now_ms()) };
        self.commit(held, Change::Status { status, metadata });
        if state.is_terminal() {
            held.inbox.clear();
            self.journal.ended(self);
            self.inbox_grew.notify_waiters();
        }
        Ok(())
    }

    /// Writes a result unless the task has ended. A task that outgrows its limit is failed, saying so.
    pub(crate) fn write_artifact(
        self: &Arc<Self>,
        artifact: Artifact,
        append: bool,
        last_chunk: bool,
    ) -> Result<(), Ended> {
        let mut held = self.lock();
        if held.standing.task.status.state.is_terminal() {
            return Err(Ended);
        }
        let full = held.standing.task.artifacts.len() >= MAX_ARTIFACTS;
        if full || held.bytes + artifact.size() > self.limit_bytes {
            let reason = format!(
                "the task's results are larger than this server keeps ({} bytes, {MAX_ARTIFACTS} artifacts)",
                self.limit_bytes
            );
            let message = Some(Message::agent_text(reason));
            self.write_status_held(&mut held, TaskState::Failed, message, Metadata::new())?;
            return Err(Ended);
        }
        self.commit(&mut held, Change::Result { artifact, append, last_chunk });
        Ok(())
    }

    /// Waits for the end of the task.
    pub(crate) async fn ended(&self) {
        loop {
            let wake = self.inbox_grew.notified();
            tokio::pin!(wake);
            wake.as_mut().enable();
            if self.lock().standing.task.status.state.is_terminal() {
                return;
            }
            wake.await;
        }
    }

    /// Waits for a message of the client, or the end.
    pub(crate) async fn next_message(&self) -> Option<Message> {
        loop {
            let wake = self.inbox_grew.notified();
            tokio::pin!(wake);
            wake.as_mut().enable();
            {
                let mut state = self.lock();
                if let Some(message) = state.inbox.pop_front() {
                    return Some(message);
                }
                if state.standing.task.status.state.is_terminal() {
                    return None;
                }
            }
            wake.await;
        }
    }

    /// Tells a waiting agent that its inbox grew.
    pub(crate) fn wake(&self) {
        self.inbox_grew.notify_waiters();
    }

    /// Forgets the events that nobody is likely to ask for any more; the task itself stays.
    pub(crate) fn drop_tail(&self) {
        let mut state = self.lock();
        state.tail_after = state.standing.seq;
        state.tail = VecDeque::new();
        let bytes = task_bytes(&state.standing.task);
        let freed = state.bytes.saturating_sub(bytes);
        state.bytes = bytes;
        self.total_bytes.fetch_sub(freed as u64, Ordering::Relaxed);
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        let bytes = self.lock().bytes as u64;
        self.total_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl State {
    /// Puts an event at the end of the tail, and lets the oldest go.
    pub(crate) fn push_event(&mut self, event: Event) {
        if self.tail.len() >= MAX_TAIL_EVENTS
            && let Some(gone) = self.tail.pop_front()
        {
            self.tail_after = gone.seq;
        }
        self.tail.push_back(event);
    }
}

/// Bytes that a task takes, roughly.
pub(crate) fn task_bytes(task: &Task) -> usize {
    const FIXED: usize = 1024;
    FIXED
        + task.history.iter().map(Message::size).sum::<usize>()
        + task.artifacts.iter().map(Artifact::size).sum::<usize>()
        + task.status.message.as_ref().map_or(0, Message::size)
}

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
