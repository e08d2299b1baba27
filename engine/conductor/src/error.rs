//! Why a run could not be driven any further. Whatever was appended before stays true, and the run can be resumed.

use evolution::FoldError;
use evolution::ports::SnapshotError;
use store::StoreError;

/// Why a run could not be driven any further.
#[derive(Debug, thiserror::Error)]
pub enum ConductorError {
    /// The log could not be written or read.
    #[error("the run's log: {0}")]
    Store(#[from] StoreError),
    /// A snapshot could not be made or read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The log and the core disagree.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A record of the log is not an event that this darwind knows.
    #[error("record {seq} of the run's log is not an event that this darwind knows: {reason}")]
    UnknownRecord {
        /// Its sequence number.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// An event could not be written as JSON.
    #[error("an event could not be written: {0}")]
    Encoding(serde_json::Error),
    /// The run has no such candidate.
    #[error("the run has no candidate {0}")]
    NoCandidate(u32),
    /// The system has no threads left.
    #[error("no thread could be started: {0}")]
    Thread(std::io::Error),
    /// Every port's thread is gone: a bug.
    #[error("a worker thread ended unexpectedly; the run can be resumed")]
    WorkerGone,
}
