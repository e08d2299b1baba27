//! What can be wrong with the data folder, each with what to do about it.

use crate::failure::Exit;
use conductor::ConductorError;
use snapshots::SnapshotsError;
use std::path::PathBuf;
use store::{LeaseError, StoreError};

/// Why the data folder did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    /// The platform names no folder, and none was given.
    #[error("there is no home folder, so nowhere to keep runs")]
    NoHome,
    /// The folder cannot be used.
    #[error("the data folder cannot be used: {path}: {source}", path = path.display())]
    Unusable {
        /// What cannot be used.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No run was ever kept here.
    #[error("there are no runs in {folder}", folder = folder.display())]
    NoRuns {
        /// The folder.
        folder: PathBuf,
    },
    /// A name fits nothing.
    #[error("no {what} `{text}` in {folder}", folder = folder.display())]
    Unknown {
        /// `run` or `candidate`.
        what: &'static str,
        /// What was typed.
        text: String,
        /// The folder.
        folder: PathBuf,
    },
    /// A beginning fits several.
    #[error("`{text}` may be any of {matches}")]
    Ambiguous {
        /// What was typed.
        text: String,
        /// What it fits.
        matches: String,
    },
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {0}")]
    NoRandomness(String),
    /// A lease failed.
    #[error("{0}")]
    Lease(#[from] LeaseError),
    /// A run's repository cannot be read.
    #[error("the run's repository {path} cannot be read: {source}", path = path.display())]
    Repository {
        /// The repository.
        path: PathBuf,
        /// Why.
        source: SnapshotsError,
    },
    /// A run's log could not be read.
    #[error("the run's log could not be read")]
    Log(#[from] ConductorError),
}

impl DataError {
    /// What to do, where the message does not say it already.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("name a folder with --data-dir or DARWIND_DATA_DIR".to_owned()),
            Self::Unusable { .. } => Some(
                "make the folder writable to this user, free some space, or name another with --data-dir"
                    .to_owned(),
            ),
            Self::NoRuns { .. } => {
                Some("`darwind run PATH` makes one; --data-dir looks into another folder".to_owned())
            }
            Self::Unknown { .. } => Some("`darwind runs` lists what is there".to_owned()),
            Self::Ambiguous { .. } => Some("type more of it".to_owned()),
            Self::Repository { .. } => Some(
                "`darwind show` and `darwind export --format jsonl` need the log alone and still work"
                    .to_owned(),
            ),
            Self::Store(_) | Self::Lease(_) | Self::Log(_) | Self::NoRandomness(_) => None,
        }
    }

    /// What the process tells its caller.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoHome | Self::Unknown { .. } | Self::Ambiguous { .. } => Exit::Usage,
            _ => Exit::WorkFailed,
        }
    }

    /// The error below, where it says more than the message.
    pub(crate) fn into_cause(self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        match self {
            Self::Store(error) => deeper(&error),
            Self::Log(error) => Some(Box::new(error)),
            _ => None,
        }
    }
}

/// The cause of an error whose own message was shown already.
fn deeper(error: &dyn std::error::Error) -> Option<Box<dyn std::error::Error + Send + Sync>> {
    error.source().map(|source| source.to_string().into())
}
