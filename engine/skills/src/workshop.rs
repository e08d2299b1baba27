//! What the daemon lends to the skills: runs and what came of them. Methods block; they are called on threads for that.

use crate::request::{
    Capabilities, FeedbackRequest, GroupRequest, Program, TransferRequest, ValidationRequest,
};
use evolution::consensus::Recommendation;
use evolution::event::Event;
use evolution::id::RunId;
use evolution::settings::Budget;
use knowledge::Compatibility;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// A run that a peer asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The name that it shall bear.
    pub run: RunId,
    /// The program with its configuration.
    pub program: Program,
    /// Seed of every decision; drawn when absent.
    pub seed: Option<u64>,
    /// Limits that hold instead of the configuration's.
    pub budget: Budget,
}

/// An event of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Its number.
    pub seq: u64,
    /// When it was recorded, in Unix milliseconds.
    pub time_ms: i64,
    /// What happened.
    pub event: Event,
}

/// The champion of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    /// Its files that may change, by path; those that are text.
    pub files: BTreeMap<String, String>,
    /// Its difference from the unchanged program, as a patch that `git apply` takes; empty when there is none.
    pub patch: String,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The run summed up, in the form of `darwind run --json`.
    pub summary: Value,
    /// Why it failed, if it did.
    pub failure: Option<String>,
    /// The champion; `None` when nobody is viable.
    pub winner: Option<Winner>,
    /// The first front: candidates with their scores.
    pub front: Vec<Value>,
}

/// What a candidate was found to be worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What is recommended.
    pub recommendation: Recommendation,
    /// Why, in a sentence.
    pub feedback: String,
    /// Everything that was measured, in the form of the validation response.
    pub details: Value,
}

/// What became of a package that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The program that it was queued for, as a proposal to be validated.
    pub queued_for: Option<String>,
    /// How well it fits the program that it fits best.
    pub compatibility: Compatibility,
    /// Why it was queued or not.
    pub reason: String,
}

/// A member of an evolution group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub agent_id: String,
    /// What it says it can do.
    pub capabilities: Capabilities,
}

/// Why the workshop did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkshopError {
    /// What was asked cannot be done as it was asked; the text says what to change.
    #[error("{0}")]
    Refused(String),
    /// The fault is on this side.
    #[error("{0}")]
    Failed(String),
}

/// What the daemon can do for the skills.
pub trait Workshop: Send + Sync + 'static {
    /// Whether there is a run of that name.
    fn is_known(&self, run: &RunId) -> bool;

    /// Tells every event of a run from the first on, then those that come, until `hear` breaks. Now and then, when nothing
    /// happened, `hear` is called with `None`.
    ///
    /// # Errors
    /// [`WorkshopError::Failed`] when the log cannot be read.
    fn follow(
        &self,
        run: &RunId,
        hear: &mut dyn FnMut(Option<Heard>) -> ControlFlow<()>,
    ) -> Result<(), WorkshopError>;

    /// Sees to it that the run is under way or over: begins it, unless there is one of its name already.
    ///
    /// # Errors
    /// [`WorkshopError`].
    fn begin(&self, order: Order) -> Result<(), WorkshopError>;

    /// Ends a run for good; what is under way is finished first.
    ///
    /// # Errors
    /// [`WorkshopError`].
    fn stop(&self, run: &RunId, reason: &str) -> Result<(), WorkshopError>;

    /// What a run came to that has just finished.
    ///
    /// # Errors
    /// [`WorkshopError`].
    fn outcome(&self, run: &RunId) -> Result<Outcome, WorkshopError>;

    /// Runs a candidate in the sandbox against the evaluator of its program.
    ///
    /// # Errors
    /// [`WorkshopError`].
    fn validate(&self, request: &ValidationRequest) -> Result<Measured, WorkshopError>;

    /// Takes a package in; what fits is queued as a proposal.
    ///
    /// # Errors
    /// [`WorkshopError`].
    fn receive(&self, from: &str, request: &TransferRequest) -> Result<Received, WorkshopError>;

    /// What is thought of an improvement.
    ///
    /// # Errors
    /// [`WorkshopError`].
    fn assess(&self, from: &str, request: &FeedbackRequest) -> Result<Measured, WorkshopError>;

    /// Lets an agent join or leave a group; answers the members after it.
    ///
    /// # Errors
    /// [`WorkshopError`].
    fn regroup(&self, request: &GroupRequest) -> Result<Vec<Member>, WorkshopError>;

    /// What this agent can do, as groups hear of it.
    fn capabilities(&self) -> Member;
}
