//! What an agent is to this library: something that answers a message at once, or runs a task and tells how it goes.
//! Not here: what a task is made of (`model`), and who keeps it (`tasks`).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::A2aError;
use crate::model::{Artifact, Message, Metadata, Task, TaskState};
use crate::tasks::Cell;

/// A future that a trait object returns.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who asks. Tasks belong to the principal that began them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Name of the principal; "" for the one that every caller is where no credentials are asked for.
    pub principal: Arc<str>,
}

impl Caller {
    /// The caller of that name.
    #[must_use]
    pub fn named(principal: &str) -> Self {
        Self { principal: principal.into() }
    }

    /// The caller where no credentials are asked for.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::named("")
    }
}

/// A message as it reached the agent, with what its transport said beside it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    /// What is said.
    pub message: Message,
    /// Metadata of the request.
    pub metadata: Metadata,
    /// URIs of the extensions that the client activated and the card declares.
    pub extensions: Vec<String>,
    /// Media types that the client can read; empty for any.
    pub accepted_output_modes: Vec<String>,
}

/// Something that can be asked. One value serves all callers at once.
pub trait Agent: Send + Sync + 'static {
    /// The direct answer to a message that begins something new, or `None` to have it become a task. It is for what
    /// takes no time and leaves no trace; the default makes every message a task.
    ///
    /// # Errors
    /// Any error of the protocol; the client gets it as the answer.
    fn answer<'a>(&'a self, _call: &'a Call) -> Pending<'a, Result<Option<Message>, A2aError>> {
        Box::pin(async { Ok(None) })
    }

    /// Works on a task until it has ended or waits for the client. Called for the message that began the task, and
    /// again for a message to a task on which nothing runs. Returning with the task still under way fails the task.
    ///
    /// # Errors
    /// An error fails the task with the error's message; it is told to the client.
    fn run(&self, job: Job) -> Pending<'_, Result<(), A2aError>>;

    /// Goes on with a task that was under way when the server last ended. The job's message is the last that the
    /// client said. The default fails the task and says why.
    ///
    /// # Errors
    /// As `run`.
    fn resume(&self, _job: Job) -> Pending<'_, Result<(), A2aError>> {
        Box::pin(async {
            Err(A2aError::internal("the server was restarted while the task was under way; send it again"))
        })
    }
}

/// A task in the hands of its agent: what was asked, and the one pen that writes what becomes of it.
pub struct Job {
    /// The message to work on, and who sent it.
    pub call: Call,
    /// The task as it stood when the work began, with the whole conversation.
    pub task: Task,
    pub(crate) cell: Arc<Cell>,
}

/// The task has ended (most often: was canceled), so nothing more can be written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task has ended")]
pub struct Ended;

impl From<Ended> for A2aError {
    fn from(_: Ended) -> Self {
        Self::new(crate::ErrorKind::UnsupportedOperation, "the task has ended")
    }
}

impl Job {
    /// Writes the task's state, with a message about it. A task that reaches a terminal state stays there.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn status(&self, state: TaskState, message: Option<Message>) -> Result<(), Ended> {
        self.cell.write_status(state, message, Metadata::new())?;
        self.cell.drained().await;
        Ok(())
    }

    /// As [`Job::status`], with metadata on the update.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn progress(
        &self,
        state: TaskState,
        message: Option<Message>,
        metadata: Metadata,
    ) -> Result<(), Ended> {
        self.cell.write_status(state, message, metadata)?;
        self.cell.drained().await;
        Ok(())
    }

    /// Adds a whole artifact, or replaces the one of the same id.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn artifact(&self, artifact: Artifact) -> Result<(), Ended> {
        self.chunk(artifact, false, true).await
    }

    /// Adds a piece of an artifact: its parts are appended to those of the artifact of the same id.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn chunk(&self, artifact: Artifact, append: bool, last: bool) -> Result<(), Ended> {
        self.cell.write_artifact(artifact, append, last)?;
        self.cell.drained().await;
        Ok(())
    }

    /// Ends the task well.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn complete(&self, message: Option<Message>) -> Result<(), Ended> {
        self.status(TaskState::Completed, message).await
    }

    /// Returns once the task has ended by another's hand: the client canceled it, or the server shuts down. Whoever
    /// waits for it in a `select!` stops in time; what still runs after [`crate::tasks::CANCEL_GRACE`] is dropped.
    pub async fn cancelled(&self) {
        self.cell.ended().await;
    }

    /// The next message of the client to this task while it runs; waits for it. `None` once the task has ended.
    pub async fn next_message(&self) -> Option<Message> {
        self.cell.next_message().await
    }

    /// The task's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.task.id
    }
}
