//! The tasks of a server: begun by messages, worked on by the agent, detached from every connection, kept in memory
//! within limits and in the log for as long.
//! Not here: what a client may ask and how it is checked (`service`), how it travels (`server`).

mod cell;
mod change;
mod following;
mod journal;
mod limits;
mod listing;
mod retention;
mod running;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use store::{Log, MemoryStore, StoreError};
use tokio::sync::Semaphore;

use crate::agent::{Agent, Call, Caller};
use crate::error::{A2aError, ErrorKind};
use crate::model::{Message, Metadata, PushConfig, Task, TaskState};

pub(crate) use cell::{Cell, now_ms};
pub use cell::{Event, MAX_INBOX, MAX_TAIL_EVENTS, MAX_UNWRITTEN};
pub(crate) use change::{Change, Standing, Webhook, parse_timestamp};
pub use change::{MAX_ARTIFACTS, MAX_HISTORY};
pub use following::Follower;
pub(crate) use following::{First, Until};
use journal::{Journal, LiveCells, Position};
pub use journal::{KEPT_SEGMENTS, SEGMENT_RECORDS};
pub use limits::Limits;
pub(crate) use limits::{Refused, Share, Shares};
pub(crate) use listing::trim_history;
pub use running::CANCEL_GRACE;
use running::RETRY_AFTER;

/// The tasks of one server. Clones share them.
#[derive(Clone)]
pub struct Tasks {
    shared: Arc<Shared>,
}

struct Shared {
    index: Mutex<Index>,
    journal: Arc<Journal>,
    /// Where they are kept, or what else belongs to them while they are in memory.
    log: Arc<dyn Log>,
    agent: Arc<dyn Agent>,
    limits: Limits,
    live: Shares,
    turns: Arc<Semaphore>,
    total_bytes: Arc<AtomicU64>,
    /// Kept alive for the journal, which empties old segments with it.
    _live_cells: Arc<dyn Fn() -> Vec<Arc<Cell>> + Send + Sync>,
    _writer: Option<JoinHandle<()>>,
}

/// Who is who.
#[derive(Default)]
struct Index {
    cells: HashMap<String, Arc<Cell>>,
    /// Ids that clients of version 0.1 gave, by owner.
    aliases: HashMap<(String, String), String>,
}

/// Why the tasks could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system gave no thread for the log.
    #[error("no thread for the tasks' log: {0}")]
    Thread(#[from] std::io::Error),
}

impl Tasks {
    /// Tasks that live in memory only, for an agent. Must be called within a tokio runtime, as must `open`.
    #[must_use]
    pub fn in_memory(agent: Arc<dyn Agent>, limits: Limits) -> Self {
        let log = Arc::new(MemoryStore::new());
        Self::assemble(agent, limits, (Arc::new(Journal::in_memory()), log), None, None)
    }

    /// Tasks that are kept in a log as well. What the log holds is read back; tasks that were under way go on by
    /// [`Agent::resume`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(agent: Arc<dyn Agent>, limits: Limits, log: Arc<dyn Log>) -> Result<Self, OpenError> {
        let mut standings: HashMap<String, (Standing, u64)> = HashMap::new();
        let position = Position::replay(&*log, &mut |replayed| match standings.get_mut(&replayed.task) {
            Some((standing, base)) => {
                if let Change::Stands(_) = replayed.change {
                    *base = replayed.segment;
                }
                // What a newer standing already holds is not applied again.
                if replayed.seq == standing.seq + 1 || matches!(replayed.change, Change::Stands(_)) {
                    standing.apply(&replayed.change, replayed.at_ms);
                }
            }
            None => {
                if let Change::Stands(standing) = replayed.change {
                    standings.insert(replayed.task, (*standing, replayed.segment));
                }
            }
        })?;
        let live: LiveCells = Arc::default();
        let (journal, writer) = Journal::on(log.clone(), position, live.clone())?;
        let tasks = Self::assemble(agent, limits, (Arc::new(journal), log), Some(live), Some(writer));
        tasks.take_back(standings);
        Ok(tasks)
    }

    /// Where the tasks, and what belongs to them, are kept.
    pub(crate) fn log(&self) -> Arc<dyn Log> {
        self.shared.log.clone()
    }

    fn assemble(
        agent: Arc<dyn Agent>,
        limits: Limits,
        (journal, log): (Arc<Journal>, Arc<dyn Log>),
        live: Option<LiveCells>,
        writer: Option<JoinHandle<()>>,
    ) -> Self {
        let shared = Arc::new_cyclic(|weak: &Weak<Shared>| {
            let of = weak.clone();
            let cells: Arc<dyn Fn() -> Vec<Arc<Cell>> + Send + Sync> = Arc::new(move || {
                of.upgrade().map_or_else(Vec::new, |shared| shared.index().cells.values().cloned().collect())
            });
            if let Some(live) = live {
                *live.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::downgrade(&cells));
            }
            Shared {
                index: Mutex::default(),
                journal,
                log,
                agent,
                live: Shares::new(limits.max_live, limits.max_live_per_caller),
                turns: Arc::new(Semaphore::new(limits.max_running)),
                limits,
                total_bytes: Arc::default(),
                _live_cells: cells,
                _writer: writer,
            }
        });
        let tasks = Self { shared };
        tasks.keep_swept();
        tasks
    }

    /// Puts tasks that were read back where they belong and goes on with those that were under way.
    fn take_back(&self, standings: HashMap<String, (Standing, u64)>) {
        let mut standings: Vec<(Standing, u64)> = standings.into_values().collect();
        standings.sort_by_key(|(standing, _)| standing.status_ms);
        for (standing, base) in standings {
            let cell = self.enter(standing, None);
            cell.base.store(base, Ordering::Release);
            let state = cell.lock().standing.task.status.state;
            if state.is_terminal() {
                self.shared.journal.ended(&cell);
            } else if !state.is_interrupted() {
                self.resume(&cell);
            }
        }
        self.sweep();
    }

    /// Makes the cell of a standing and lists it. A new one is handed to the log.
    fn enter(&self, standing: Standing, new_at_ms: Option<i64>) -> Arc<Cell> {
        let shared = &self.shared;
        let written = if new_at_ms.is_some() { 0 } else { standing.seq };
        let alias = standing.alias.clone().map(|alias| (standing.owner.clone(), alias));
        let journal = shared.journal.clone();
        let cell =
            Cell::new(standing, written, journal, shared.total_bytes.clone(), shared.limits.max_task_bytes);
        {
            let mut index = shared.index();
            if let Some(alias) = alias {
                index.aliases.insert(alias, cell.id.clone());
            }
            index.cells.insert(cell.id.clone(), cell.clone());
        }
        if let Some(at_ms) = new_at_ms {
            let state = cell.lock();
            let stands = Change::Stands(Box::new(state.standing.clone()));
            shared.journal.write(&cell, state.standing.seq, at_ms, stands);
        }
        cell
    }

    /// Begins a task with a message whose context is known; with `stood`, gives the task as it stood at first too.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] or [`ErrorKind::RateLimited`] when there is no room.
    pub(crate) fn begin(
        &self,
        mut call: Call,
        alias: Option<String>,
        webhook: Option<Webhook>,
        stood: bool,
    ) -> Result<(Arc<Cell>, Option<Box<Task>>), A2aError> {
        let share = self.admit(&call.caller)?;
        self.make_room()?;
        let at_ms = cell::now_ms();
        call.message.task_id = uuid::Uuid::now_v7().to_string();
        let mut standing = Standing::begin(&call.caller.principal, alias, call.message.clone(), at_ms);
        if let Some(mut webhook) = webhook {
            webhook.config.task_id.clone_from(&standing.task.id);
            standing.webhooks.push(webhook);
        }
        let task = stood.then(|| Box::new(standing.task.clone()));
        let cell = self.enter(standing, Some(at_ms));
        self.start(&cell, call, share, false);
        Ok((cell, task))
    }

    /// Hands a further message to a task and returns the number of the change and, with `stood`, the task after it.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedOperation`] when the task has ended; [`ErrorKind::InvalidParams`] when the message
    /// names another context; as `begin` when there is no room.
    pub(crate) fn follow_up(
        &self,
        cell: &Arc<Cell>,
        mut call: Call,
        webhook: Option<Webhook>,
        stood: bool,
    ) -> Result<(u64, Option<Box<Task>>), A2aError> {
        let message = &mut call.message;
        if !message.context_id.is_empty() && message.context_id != cell.context_id {
            return Err(A2aError::invalid("message.contextId", "is not the context of the task"));
        }
        message.context_id.clone_from(&cell.context_id);
        if let Some(webhook) = webhook {
            self.add_webhook(cell, webhook)?;
        }
        let mut state = cell.lock();
        if state.standing.task.status.state.is_terminal() {
            return Err(A2aError::new(
                ErrorKind::UnsupportedOperation,
                "the task has ended; begin a new one in the same context",
            ));
        }
        if state.bytes + call.message.size() > self.shared.limits.max_task_bytes {
            return Err(A2aError::invalid(
                "message",
                "the task's conversation is larger than this server keeps",
            ));
        }
        if state.running {
            if state.inbox.len() >= MAX_INBOX {
                let text = "the task has not yet read what was said before; wait for it";
                return Err(A2aError::busy(ErrorKind::RateLimited, text, RETRY_AFTER));
            }
            let seq = cell.commit(&mut state, Change::Said(call.message.clone()));
            state.inbox.push_back(call.message);
            let task = stood.then(|| Box::new(state.standing.task.clone()));
            drop(state);
            cell.wake();
            return Ok((seq, task));
        }
        let share = self.admit(&call.caller)?;
        let seq = cell.commit(&mut state, Change::Said(call.message.clone()));
        state.running = true;
        let task = stood.then(|| Box::new(state.standing.task.clone()));
        drop(state);
        self.start(cell, call, share, false);
        Ok((seq, task))
    }

    /// The caller's task of that id.
    ///
    /// # Errors
    /// [`ErrorKind::TaskNotFound`], whether there is none or it is another's.
    pub(crate) fn find(&self, caller: &Caller, id: &str) -> Result<Arc<Cell>, A2aError> {
        let index = self.shared.index();
        let cell = index.cells.get(id).or_else(|| {
            let alias = (caller.principal.to_string(), id.to_owned());
            index.aliases.get(&alias).and_then(|id| index.cells.get(id))
        });
        cell.filter(|cell| *cell.owner == *caller.principal)
            .cloned()
            .ok_or_else(|| A2aError::task_not_found(id))
    }

    /// The name that the caller, of version 0.1, gave a task: `id` itself, if it is one.
    pub(crate) fn alias_of(&self, caller: &Caller, id: &str) -> Option<String> {
        let alias = (caller.principal.to_string(), id.to_owned());
        self.shared.index().aliases.contains_key(&alias).then_some(alias.1)
    }

    /// Whether the caller has a task of that id or name that has not ended.
    pub(crate) fn is_under_way(&self, caller: &Caller, id: &str) -> bool {
        self.find(caller, id).is_ok_and(|cell| !cell.lock().standing.task.status.state.is_terminal())
    }

    /// Cancels a task: writes it down, then tells the agent.
    ///
    /// # Errors
    /// [`ErrorKind::TaskNotCancelable`] when it has ended.
    pub(crate) async fn cancel(&self, cell: &Arc<Cell>) -> Result<Task, A2aError> {
        cell.write_status(TaskState::Canceled, None, Metadata::new())
            .map_err(|_| A2aError::new(ErrorKind::TaskNotCancelable, "the task has already ended"))?;
        Ok(cell.snapshot().await?.0)
    }

    /// Adds or replaces a webhook of a task.
    ///
    /// # Errors
    /// [`ErrorKind::RateLimited`] when the task has as many as it may.
    pub(crate) fn add_webhook(&self, cell: &Arc<Cell>, mut webhook: Webhook) -> Result<PushConfig, A2aError> {
        webhook.config.task_id.clone_from(&cell.id);
        if webhook.config.id.is_empty() {
            webhook.config.id = uuid::Uuid::new_v4().to_string();
        }
        let config = webhook.config.clone();
        let mut state = cell.lock();
        let others = state.standing.webhooks.iter().filter(|known| known.config.id != config.id).count();
        if others >= self.shared.limits.max_webhooks_per_task {
            let text = format!("a task has at most {} webhooks", self.shared.limits.max_webhooks_per_task);
            return Err(A2aError::busy(ErrorKind::RateLimited, text, RETRY_AFTER));
        }
        cell.commit(&mut state, Change::Webhook(webhook));
        Ok(config)
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Tasks kept, and bytes that they take, roughly.
    #[must_use]
    pub fn kept(&self) -> (usize, u64) {
        (self.shared.index().cells.len(), self.shared.total_bytes.load(Ordering::Relaxed))
    }

    /// Whether the log failed; then no new work is taken until the server is started again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.shared.journal.has_failed()
    }

    pub(crate) fn agent(&self) -> &Arc<dyn Agent> {
        &self.shared.agent
    }

    /// All tasks with webhooks that are still under way.
    pub(crate) fn with_webhooks(&self) -> Vec<Arc<Cell>> {
        let cells: Vec<Arc<Cell>> = self.shared.index().cells.values().cloned().collect();
        let wanted = |cell: &Arc<Cell>| {
            let state = cell.lock();
            !state.standing.webhooks.is_empty() && !state.standing.task.status.state.is_terminal()
        };
        cells.into_iter().filter(wanted).collect()
    }
}

impl Shared {
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The webhooks of a task as its log has them; none when the task is not in it any more.
///
/// # Errors
/// The log's faults.
pub(crate) fn webhooks_in(log: &dyn Log, task: &str) -> Result<Vec<Webhook>, StoreError> {
    let mut standing: Option<Standing> = None;
    Position::replay(log, &mut |replayed| {
        if replayed.task != task {
            return;
        }
        match (&mut standing, replayed.change) {
            (Some(known), change) => {
                if replayed.seq == known.seq + 1 || matches!(change, Change::Stands(_)) {
                    known.apply(&change, replayed.at_ms);
                }
            }
            (None, Change::Stands(begun)) => standing = Some(*begun),
            (None, _) => {}
        }
    })?;
    Ok(standing.map(|standing| standing.webhooks).unwrap_or_default())
}

/// A message of the server about a task.
pub(crate) fn remark(text: impl Into<String>) -> Option<Message> {
    Some(Message::agent_text(text))
}

/// The time now, as the protocol writes it.
pub(crate) fn time_now() -> String {
    change::timestamp(cell::now_ms())
}
