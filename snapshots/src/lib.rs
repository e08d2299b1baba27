//! Git memory: every candidate a commit in a bare repository that the engine owns.
//!
//! [`GitSnapshots`] is the run's repository and implements [`evolution::ports::Snapshots`]; [`ImportRequest`] makes
//! the baseline of a target, [`Destination`] brings a winner home, [`FileDiff`] says what changed. The user's own
//! repository is only ever read, save for the one new branch that [`Destination::Branch`] asks for. Not here: which
//! candidate is worth keeping, and any clock (callers hand in Unix milliseconds).
//!
//! No configuration, hook, filter or attribute of the user's or of the machine takes part: the run's repository is
//! read through a bare object database, and no `git` program is ever started. New candidates stand in a journal first
//! and are packed by the batch, so that a candidate costs one write; [`GitSnapshots::flush`] makes all of them visible
//! to other programs.

mod apply;
mod bundle;
mod diff;
mod error;
mod import;
mod journal;
mod memory;
mod notes;
mod object;
mod pack;
mod patch_text;
mod paths;
mod refs;
mod repository;
mod rollback;
mod snapshot;
mod tree;
mod unbundle;
mod work_tree;

pub use apply::{Applied, Destination};
pub use diff::{DiffHunk, DiffLine, FileDiff, FileVersion, LineOrigin};
pub use error::SnapshotsError;
pub use import::{IGNORED_NAMES, Import, ImportRequest, Selection};
pub use memory::{Access, GitSnapshots, MayChange};
pub use object::FileKind;
pub use paths::{MAX_DEPTH, MAX_PATH_BYTES};
pub use snapshot::{ChangedFile, TreeFile};
pub use unbundle::{MAX_BUNDLE_BYTES, unbundle};
