//! Runs of the agent on tasks: admission, waiting for a turn, the run itself, and what is written when it ends without
//! having said how.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::OwnedSemaphorePermit;

use super::{Cell, Refused, Share, Shared, Tasks, remark};
use crate::agent::{Call, Caller, Job};
use crate::error::{A2aError, ErrorKind};
use crate::model::{Message, Metadata, TaskState};

/// How long an agent may still run after its task was ended by another's hand; then its future is dropped.
pub const CANCEL_GRACE: Duration = Duration::from_secs(5);
/// When a client that was turned away may try again.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Tasks {
    /// Takes the caller's share of the work under way.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] or [`ErrorKind::RateLimited`].
    pub(crate) fn admit(&self, caller: &Caller) -> Result<Share, A2aError> {
        if self.has_failed() {
            return Err(A2aError::busy(
                ErrorKind::Overloaded,
                "the server cannot keep tasks at present",
                RETRY_AFTER,
            ));
        }
        self.shared.live.take(&caller.principal).map_err(|refused| match refused {
            Refused::Full => A2aError::busy(
                ErrorKind::Overloaded,
                "as many tasks are under way as this server takes",
                RETRY_AFTER,
            ),
            Refused::CallersShare => A2aError::busy(
                ErrorKind::RateLimited,
                "as many of your tasks are under way as one caller may have",
                RETRY_AFTER,
            ),
        })
    }

    /// Goes on with a task that was under way when the server last ended.
    pub(super) fn resume(&self, cell: &Arc<Cell>) {
        let caller = Caller { principal: cell.owner.clone() };
        let last = {
            let state = cell.lock();
            let said = state.standing.task.history.iter();
            said.rev().find(|message| message.role == crate::model::Role::User).cloned()
        };
        let Ok(share) = self.admit(&caller) else {
            let message = remark("the server was restarted and has no room to go on with the task");
            // It has not ended, so the write is permitted; nobody else holds it yet.
            let _ = cell.write_status(TaskState::Failed, message, Metadata::new());
            return;
        };
        let call = Call {
            caller,
            message: last.unwrap_or_default(),
            metadata: Metadata::new(),
            extensions: Vec::new(),
            accepted_output_modes: Vec::new(),
        };
        self.start(cell, call, share, true);
    }

    /// Starts the agent on a task, apart from whoever asked.
    pub(super) fn start(&self, cell: &Arc<Cell>, call: Call, share: Share, resumed: bool) {
        cell.lock().running = true;
        let (shared, cell) = (self.shared.clone(), cell.clone());
        tokio::spawn(async move {
            let _share = share;
            let mut next = Some((call, resumed));
            while let Some((call, resumed)) = next.take() {
                let Some(_turn) = turn(&shared, &cell).await else { break };
                let fault = run_once(&shared, &cell, call.clone(), resumed).await;
                next = settle(&cell, fault, call).map(|call| (call, false));
            }
            cell.lock().running = false;
        });
    }
}

/// Waits for a turn; `None` when the task ended meanwhile.
async fn turn(shared: &Arc<Shared>, cell: &Arc<Cell>) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        biased;
        turn = shared.turns.clone().acquire_owned() => turn.ok(),
        () = cell.ended() => None,
    }
}

/// Runs the agent and returns what it failed with. A panic is a fault like any other, told without its words, which
/// may hold anything.
async fn run_once(shared: &Arc<Shared>, cell: &Arc<Cell>, call: Call, resumed: bool) -> Option<String> {
    let task = cell.lock().standing.task.clone();
    let job = Job { call, task, cell: cell.clone() };
    let agent = &shared.agent;
    let run = if resumed { agent.resume(job) } else { agent.run(job) };
    let run = AssertUnwindSafe(run).catch_unwind();
    let overdue = async {
        cell.ended().await;
        tokio::time::sleep(CANCEL_GRACE).await;
    };
    tokio::select! {
        biased;
        outcome = run => match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.message),
            Err(_) => Some("the agent failed unexpectedly".to_owned()),
        },
        () = overdue => None,
    }
}

/// Decides, under the task's lock, what follows a run: a task that neither ended nor waits is failed, and what the
/// client said too late for this run begins the next.
fn settle(cell: &Arc<Cell>, fault: Option<String>, mut call: Call) -> Option<Call> {
    let mut state = cell.lock();
    let now = state.standing.task.status.state;
    if now.is_terminal() {
        state.running = false;
        return None;
    }
    let unread: Option<Message> = state.inbox.pop_front();
    if let Some(fault) = fault {
        // It has not ended, as the lock is held since the check.
        let _ = cell.write_status_held(&mut state, TaskState::Failed, remark(fault), Metadata::new());
    } else if let Some(message) = unread {
        call.message = message;
        return Some(call);
    } else if !now.is_interrupted() {
        let text = "the agent stopped without saying how the task ended";
        let _ = cell.write_status_held(&mut state, TaskState::Failed, remark(text), Metadata::new());
    }
    state.running = false;
    None
}
