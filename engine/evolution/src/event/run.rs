//! Payloads about a run as a whole: how it began, was resumed and ended.

use crate::id::{CandidateId, CommitId, RunId};
use crate::ports::OperatorPrior;
use crate::shape::Shape;
use objectives::ObjectiveSet;
use serde::{Deserialize, Serialize};

/// Payload of [`super::Event::RunStarted`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RunStarted {
    /// Form of the events that follow.
    pub version: u32,
    /// The run's name.
    pub run_id: RunId,
    /// The target's name.
    pub agent_id: String,
    /// Where the target lay when the run began; for people, never read again by the run.
    pub target: String,
    /// Seed of every decision.
    pub seed: u64,
    /// What is measured.
    #[cfg_attr(test, ts(type = "Array<Objective>"))]
    pub objectives: ObjectiveSet,
    /// How the core decides.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub settings: crate::settings::Settings,
    /// What may be spent.
    pub budget: crate::settings::Budget,
    /// The proposers in use with their operators.
    pub proposers: Vec<ProposerInfo>,
    /// The unchanged target's snapshot.
    pub baseline: CommitId,
    /// Fingerprint of the unchanged target.
    pub fingerprint: String,
    /// What the unchanged target looks like, where the archive policy wants to know.
    #[serde(default, skip_serializing_if = "Shape::is_nothing")]
    pub shape: Shape,
    /// The whole configuration as it was read, for `show` and for a resume.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub configuration: serde_json::Value,
}

/// A proposer and what it can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProposerInfo {
    /// Its name.
    pub name: String,
    /// Its operators.
    pub operators: Vec<OperatorPrior>,
    /// It offers only what came from peers: see [`crate::ports::Proposer::is_fed`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fed: bool,
}

/// Payload of [`super::Event::RunResumed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RunResumed {
    /// Why: a command, or a restart.
    pub reason: String,
    /// Evaluations under way when the last process ended: they are carried out again, and recorded once.
    pub in_flight: Vec<CandidateId>,
}

/// A payload of a reason alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reasoned {
    /// Why.
    pub reason: String,
}

/// What ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// The budget of evaluations is spent.
    Evaluations,
    /// The budget of time is spent.
    Time,
    /// The budget of tokens of language models is spent.
    LlmTokens,
    /// The budget of money for language models is spent.
    LlmCostUsd,
    /// Nothing better is possible: every objective sits at its bound.
    Goal,
    /// A person or a signal stopped it.
    Interrupt,
    /// No proposer has anything left, or the budget of proposals is spent.
    Exhausted,
    /// The baseline did not pass, or the machinery gave up.
    Failure,
}

/// Payload of [`super::Event::RunFinished`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RunFinished {
    /// What ended it.
    pub stopped_by: StoppedBy,
    /// More about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    pub reason: String,
}
