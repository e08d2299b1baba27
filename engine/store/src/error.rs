//! All that can go wrong with a store, each with what to do next in its message.
//! Not here: how a backend's own codes map onto these (`sqlite/faults.rs`).

use std::path::PathBuf;

use crate::Expected;

/// What a backend said, kept as the cause.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store did not do what it was asked. Whatever the variant, a refused append left nothing behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The stream is not where the caller expected it: somebody else appended. Read on from `expected`, then decide again.
    #[error(
        "stream `{stream}` is at record {actual}, but the append expected {expected}; read the new records first"
    )]
    Conflict {
        /// Name of the stream.
        stream: String,
        /// What the caller expected.
        expected: Expected,
        /// Sequence number of the newest record.
        actual: u64,
    },
    /// A name is empty.
    #[error("a {what} must not be empty")]
    EmptyName {
        /// Which name.
        what: &'static str,
    },
    /// Something handed in is above its limit.
    #[error("{what} is {size}, above the limit of {limit}; split it or make it smaller")]
    TooLarge {
        /// What was measured, with its unit.
        what: &'static str,
        /// The size found.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// No space left on the device, or the store reached its configured size.
    #[error(
        "no space left for {path}: free some space on its file system (or raise the store's size limit) and try again; \
             what was acknowledged before is safe"
    )]
    Full {
        /// The store's file.
        path: PathBuf,
        /// What the backend said.
        source: Cause,
    },
    /// The file, its folder or its file system cannot be written.
    #[error(
        "{path} cannot be written: give this user write permission on the file and its folder, or choose another data folder"
    )]
    ReadOnly {
        /// The store's file.
        path: PathBuf,
        /// What the backend said.
        source: Cause,
    },
    /// There is no such file, and the options did not ask to create it; or its folder does not exist.
    #[error("{path} does not exist: check the path, or create its folder first")]
    NotFound {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "{path} is damaged: keep a copy of it with its `-wal` file, then restore a backup or salvage the records with \
             `sqlite3 FILE .recover`"
    )]
    Corrupt {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        source: Cause,
    },
    /// The file is not a store: another program's database, or no database at all. It was left untouched.
    #[error("{path} is not a store of this program ({found}); it was left untouched: choose another path")]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        found: String,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "{path} has schema version {found}, this program knows versions up to {supported}; it was left untouched: \
             use the newer program, or another data folder"
    )]
    NewerSchema {
        /// The store's file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Newest version that this program knows.
        supported: u32,
    },
    /// Another process held the write lock for longer than the busy timeout.
    #[error(
        "{path} was locked by another process for more than {waited_ms} ms; try again, or look for a process that hangs"
    )]
    Busy {
        /// The store's file.
        path: PathBuf,
        /// The busy timeout, in milliseconds.
        waited_ms: u64,
        /// What the backend said.
        source: Cause,
    },
    /// The file system cannot hold a write-ahead log (most network file systems cannot).
    #[error(
        "{path} lies on a file system without shared memory maps, which the write-ahead log needs; choose a local folder"
    )]
    NoWriteAheadLog {
        /// The store's file.
        path: PathBuf,
    },
    /// The device or the file system refused to read or write.
    #[error(
        "reading or writing {path} failed: check the disk, its free space and the file size limit (`ulimit -f`), then try again"
    )]
    Io {
        /// The store's file.
        path: PathBuf,
        /// What the backend said.
        source: Cause,
    },
    /// The file was moved, replaced or deleted while it was open.
    #[error("{path} was moved or deleted while it was open: put it back and start again")]
    Moved {
        /// The store's file.
        path: PathBuf,
        /// What the backend said.
        source: Cause,
    },
    /// A fault that no other variant names.
    #[error("the store could not {doing}; please report this with its cause")]
    Backend {
        /// What it was doing.
        doing: &'static str,
        /// What the backend said.
        source: Cause,
    },
}
