//! What the daemon lends: starting runs, carrying commands out, and looking into git. Methods block; they are called on
//! threads of their own.

use crate::wire::difference::FileChange;
use crate::wire::peers::{Collective, Redelivered};
use evolution::event::Command;
use evolution::id::{CommitId, RunId};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A run that is asked for.
#[derive(Debug, Clone)]
pub enum NewRun {
    /// Of a folder on the daemon's machine.
    Path {
        /// The folder.
        path: PathBuf,
        /// Text of a `darwind.toml` that holds instead of the folder's own.
        config: Option<String>,
        /// Seed of every decision; drawn when absent.
        seed: Option<u64>,
    },
    /// Of files that came with the request, by path below a folder of their own.
    Files {
        /// The files, `darwind.toml` among them unless `config` is given.
        files: BTreeMap<String, String>,
        /// Text of the `darwind.toml`.
        config: Option<String>,
        /// Seed of every decision; drawn when absent.
        seed: Option<u64>,
    },
}

/// A command, with the id by which it is obeyed once.
#[derive(Debug, Clone)]
pub struct CommandRequest {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub command: Command,
    /// Why.
    pub reason: String,
}

/// What became of a command.
#[derive(Debug, Clone)]
pub struct Obeyed {
    /// Why not, when it was refused.
    pub refused: Option<String>,
    /// The event that recorded it.
    pub seq: u64,
}

/// Why the daemon could not do something.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such run, candidate or file.
    #[error("{0}")]
    NotFound(String),
    /// The request makes no sense.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// It cannot be done now.
    #[error("{0}")]
    Refused(String),
    /// The daemon's own fault.
    #[error("{0}")]
    Failed(String),
}

/// What the daemon can do for the API.
pub trait Service: Send + Sync + 'static {
    /// Starts a run, or queues it; its first event may not be recorded yet.
    ///
    /// # Errors
    /// When the target or its configuration cannot be used.
    fn start(&self, run: NewRun) -> Result<RunId, ServiceError>;

    /// Carries a command out, whoever drives the run, and waits until its log has recorded it.
    ///
    /// # Errors
    /// When the run does not answer.
    fn command(&self, run: &RunId, request: CommandRequest) -> Result<Obeyed, ServiceError>;

    /// The peers and what flows between them.
    ///
    /// # Errors
    /// When they cannot be read.
    fn peers(&self) -> Result<Collective, ServiceError>;

    /// Sends a push notification again that could not be delivered; one that was delivered meanwhile is not sent.
    ///
    /// # Errors
    /// When there never was one of that number, or it cannot be sent now.
    fn replay_letter(&self, number: u64) -> Result<Redelivered, ServiceError>;

    /// Whether some process drives a run.
    fn is_driven(&self, run: &RunId) -> bool;

    /// How two commits of a run differ.
    ///
    /// # Errors
    /// When the run's repository cannot be read.
    fn diff(&self, run: &RunId, old: &CommitId, new: &CommitId) -> Result<Vec<FileChange>, ServiceError>;

    /// A file of a commit.
    ///
    /// # Errors
    /// When there is no such file.
    fn file(&self, run: &RunId, commit: &CommitId, path: &str) -> Result<Vec<u8>, ServiceError>;
}
