//! Following a task: a cursor over its events. A follower holds nothing back from the task and is held by nothing: who
//! is slow reads on from where it was, and who fell out of the tail gets the whole task instead.

use std::sync::Arc;

use tokio::sync::watch;

use super::cell::{Cell, Event, Written};
use crate::error::{A2aError, ErrorKind};
use crate::model::{StreamItem, Task, TaskState};

/// When a follower has seen enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The task has ended.
    Ended,
    /// The task has ended, or waits for the client to say more.
    EndedOrInput,
}

/// How a follower begins.
#[derive(Debug)]
pub(crate) enum First {
    /// With what happens next.
    Next,
    /// With the whole task as it then stands.
    Whole,
    /// With the task as it stood at the cursor, so that everything after it is told as an event.
    Given(Box<Task>),
}

/// A cursor over a task's events.
pub struct Follower {
    cell: Arc<Cell>,
    written: watch::Receiver<Written>,
    /// Number of the last event given.
    cursor: u64,
    first: First,
    until: Until,
    /// An input request up to this number is an old one and ends nothing.
    since: u64,
    done: bool,
}

impl Follower {
    /// Follows from after the change `cursor`.
    pub(crate) fn new(cell: Arc<Cell>, cursor: u64, first: First, until: Until) -> Self {
        let written = cell.written();
        Self { cell, written, cursor, first, until, since: cursor, done: false }
    }

    /// The next event; waits for it. `None` at the end of the stream.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the log failed.
    pub async fn next(&mut self) -> Result<Option<Event>, A2aError> {
        loop {
            if self.done {
                return Ok(None);
            }
            let written = *self.written.borrow_and_update();
            if let Some(event) = self.ready(written) {
                return Ok(Some(event));
            }
            if self.done {
                return Ok(None);
            }
            if written.lost || self.written.changed().await.is_err() {
                self.done = true;
                return Err(A2aError::new(ErrorKind::Overloaded, "the server cannot keep tasks at present"));
            }
        }
    }

    /// The next event if the log has it already; notices the end of the stream.
    fn ready(&mut self, written: Written) -> Option<Event> {
        if let First::Given(_) = self.first {
            if self.cursor > written.seq {
                return None;
            }
            if let First::Given(task) = std::mem::replace(&mut self.first, First::Next) {
                return Some(Event { seq: self.cursor, item: Arc::new(StreamItem::Task(*task)) });
            }
        }
        let cell = self.cell.clone();
        let state = cell.lock();
        let standing = &state.standing;
        if matches!(self.first, First::Whole) || self.cursor < state.tail_after {
            if standing.seq > written.seq {
                return None;
            }
            self.first = First::Next;
            self.cursor = standing.seq;
            let (now, seq, status_seq) = (standing.task.status.state, standing.seq, standing.status_seq);
            let event = Event { seq, item: Arc::new(StreamItem::Task(standing.task.clone())) };
            self.note(now, status_seq);
            return Some(event);
        }
        // The tail is in order, so the place to go on from is found by halving.
        let at = state.tail.partition_point(|event| event.seq <= self.cursor);
        if let Some(event) = state.tail.get(at) {
            if event.seq > written.seq {
                return None;
            }
            self.cursor = event.seq;
            if let Some(now) = event.item.state() {
                self.note(now, event.seq);
            }
            return Some(event.clone());
        }
        if standing.task.status.state.is_terminal() && standing.seq <= written.seq {
            self.done = true;
        }
        None
    }

    /// Notices a state that ends the stream.
    fn note(&mut self, state: TaskState, seq: u64) {
        let waits = state == TaskState::InputRequired && self.until == Until::EndedOrInput;
        if state.is_terminal() || (waits && seq > self.since) {
            self.done = true;
        }
    }
}
