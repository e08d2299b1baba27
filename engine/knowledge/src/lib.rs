//! What the collective learnt: an accepted improvement becomes a [`Package`] that a peer can reuse; a peer's package is
//! read within limits, held against the local program ([`Compatibility`]), adapted to it ([`adapt`]), and remembered with
//! what became of it ([`Memory`]).
//!
//! Nothing of a package is ever run or applied here: adapting it makes a patch, which goes the way of every proposal.

mod adapt;
mod compatibility;
mod extract;
mod graph;
mod memory;
mod package;
mod shape;

pub use adapt::{AdaptError, adapt};
pub use compatibility::{Compatibility, LocalContext, compatibility};
pub use extract::{Improvement, extract};
pub use graph::{KnowledgeGraph, Similar};
pub use memory::{Judgement, Memory, MemoryError, Note, Remembered, STREAM, TransferOutcome, Trust};
pub use package::{
    Applicability, ChangeKind, CodeChange, CodePattern, Goal, Impact, MAX_CHANGES, MAX_PACKAGE_BYTES,
    MAX_SOURCE_BYTES, MAX_WORDS, Package, PackageError, PackageSignature, SCHEMA,
};
pub use shape::Shape;
