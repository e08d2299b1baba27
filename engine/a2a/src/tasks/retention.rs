//! What is kept and what goes: tasks that ended or wait too long, and the oldest when there are too many. What goes
//! from memory is no longer read from the log either, so the log's old segments can go too.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::cell::now_ms;
use super::running::RETRY_AFTER;
use super::{Cell, Tasks, remark};
use crate::error::{A2aError, ErrorKind};
use crate::model::{Metadata, TaskState};

/// How often old tasks are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// How long the events of a task that ended are kept for followers who lost their connection.
const TAIL_FOR: Duration = Duration::from_secs(60);

impl Tasks {
    /// Makes room for one more task.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when every task that is kept is under way.
    pub(super) fn make_room(&self) -> Result<(), A2aError> {
        let limits = self.limits();
        loop {
            let (count, bytes) = self.kept();
            if count < limits.max_tasks && bytes < limits.max_bytes {
                return Ok(());
            }
            if let Some(id) = self.shared.journal.oldest_ended() {
                self.forget(&id);
            } else if let Some(cell) = self.longest_waiting() {
                self.abandon(&cell, "the server needed the room");
            } else {
                let text = "this server keeps as many tasks as it can, and all are under way";
                return Err(A2aError::busy(ErrorKind::Overloaded, text, RETRY_AFTER));
            }
        }
    }

    fn forget(&self, id: &str) {
        let mut index = self.shared.index();
        let Some(cell) = index.cells.remove(id) else { return };
        let alias = cell.lock().standing.alias.clone();
        if let Some(alias) = alias {
            index.aliases.remove(&(cell.owner.to_string(), alias));
        }
    }

    /// The task that waits for its client longest.
    fn longest_waiting(&self) -> Option<Arc<Cell>> {
        let cells: Vec<Arc<Cell>> = self.shared.index().cells.values().cloned().collect();
        let waiting = cells.into_iter().filter_map(|cell| {
            let state = cell.lock();
            let since = state.standing.status_ms;
            let waits = state.standing.task.status.state.is_interrupted() && !state.running;
            drop(state);
            waits.then_some((since, cell))
        });
        waiting.min_by_key(|(since, _)| *since).map(|(_, cell)| cell)
    }

    /// Ends a task whose client stayed away; it is then kept as any that ended.
    fn abandon(&self, cell: &Arc<Cell>, why: &str) {
        let message = remark(format!("nobody answered in time: {why}"));
        // Should it end by another's hand first, that is as good.
        let _ = cell.write_status(TaskState::Failed, message, Metadata::new());
    }

    /// Lets go of what is too old.
    pub(crate) fn sweep(&self) {
        let limits = self.limits();
        let now = now_ms();
        let age = |ms: i64| Duration::from_millis(now.saturating_sub(ms).max(0).unsigned_abs());
        let cells: Vec<Arc<Cell>> = self.shared.index().cells.values().cloned().collect();
        for cell in cells {
            let state = cell.lock();
            let (task_state, age) = (state.standing.task.status.state, age(state.standing.status_ms));
            let (running, has_tail) = (state.running, !state.tail.is_empty());
            drop(state);
            if task_state.is_terminal() && age > limits.finished_for {
                self.forget(&cell.id);
            } else if task_state.is_terminal() && has_tail && age > TAIL_FOR {
                cell.drop_tail();
            } else if task_state.is_interrupted() && !running && age > limits.waiting_for {
                self.abandon(&cell, "the task waited longer than this server keeps it");
            }
        }
        while self.shared.total_bytes.load(Ordering::Relaxed) > limits.max_bytes
            || self.kept().0 > limits.max_tasks
        {
            let Some(id) = self.shared.journal.oldest_ended() else { break };
            self.forget(&id);
        }
    }

    /// Sweeps from time to time for as long as anybody holds the tasks.
    pub(super) fn keep_swept(&self) {
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                let Some(shared) = shared.upgrade() else { return };
                Self { shared }.sweep();
            }
        });
    }
}
