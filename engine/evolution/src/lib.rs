//! The heart of darwind: what an evolution is, decides and remembers. Pure and deterministic.
//!
//! `state` is the fold of `event`s; `engine` turns one input into decisions (events to record, orders to carry out);
//! `ports` are the traits through which others carry the orders out. Nothing here does IO, knows a runtime, reads a
//! clock or draws its own randomness: the same seed and the same inputs give the same run.

pub mod acceptance;
pub mod archive;
pub mod breaker;
pub mod candidate;
pub mod cases;
pub mod choice;
pub mod consensus;
mod control;
pub mod decision;
pub mod embedding;
pub mod engine;
pub mod errand;
pub mod event;
pub mod feedback;
mod fold;
pub mod front;
pub mod id;
pub mod invariants;
pub mod learning_rate;
pub mod likeness;
pub mod lineage;
pub mod niches;
pub mod part;
pub mod picking;
pub mod ports;
pub mod selection;
pub mod settings;
pub mod shape;
pub mod stagnation;
pub mod state;
#[cfg(test)]
mod told;

pub use fold::FoldError;
