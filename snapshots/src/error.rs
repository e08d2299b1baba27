//! What can go wrong with snapshots, in words that a person can act on. Not here: the port's own error, which is
//! these words and nothing more.

use evolution::ports::SnapshotError;
use std::path::{Path, PathBuf};

/// Why a snapshot could not be made, read, exported or brought home.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotsError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// libgit2 refused.
    #[error("git: {0}")]
    Git(String),
    /// The repository holds something that is not what git prescribes.
    #[error("the repository {} is damaged: {detail}", path.display())]
    Damaged {
        /// The repository.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// No such repository, commit, reference or file.
    #[error("there is no {0}")]
    NotFound(String),
    /// The repository was opened for reading.
    #[error("{} is opened for reading only", .0.display())]
    ReadOnly(PathBuf),
    /// A path that no target may have.
    #[error("the path {path:?} is refused: {reason}")]
    Path {
        /// The path as it was given, not UTF-8 parts replaced.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A patch that does not fit its parent.
    #[error("the change to {path:?} does not fit its parent: {reason}")]
    Patch {
        /// The path of the change.
        path: String,
        /// Why it does not fit.
        reason: &'static str,
    },
    /// A target that cannot be imported as it is.
    #[error("cannot import {path:?}: {reason}")]
    Import {
        /// The path below the target's root.
        path: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A stranger's bundle that is not read.
    #[error("the bundle is not read: {0}")]
    Bundle(String),
    /// Bringing a winner home would overwrite or hide other work.
    #[error("{reason}: {}", paths.join(", "))]
    Conflict {
        /// What stands in the way, and what to do.
        reason: &'static str,
        /// The files in question, below the target's root.
        paths: Vec<String>,
    },
    /// The destination cannot take the winner in the way that was asked for.
    #[error("{0}")]
    Destination(String),
}

impl SnapshotsError {
    /// Names the action and the path of a failed system call.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// The same for a call of rustix.
    pub(crate) fn errno(action: &'static str, path: &Path) -> impl FnOnce(rustix::io::Errno) -> Self {
        let path = path.to_path_buf();
        move |errno| Self::Io { action, path, source: errno.into() }
    }
}

impl From<SnapshotsError> for SnapshotError {
    fn from(error: SnapshotsError) -> Self {
        Self(error.to_string())
    }
}
