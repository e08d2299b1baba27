//! Payloads about evaluations and what was made of them.

use crate::candidate::Evaluation;
use crate::id::{CandidateId, CommitId, Number};
use crate::ports::Purpose;
use objectives::Scores;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Payload of [`super::Event::ValidationStarted`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ValidationStarted {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its number.
    pub number: Number,
    /// Why it is evaluated.
    pub purpose: Purpose,
}

/// Payload of [`super::Event::ValidationCompleted`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ValidationCompleted {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its number.
    pub number: Number,
    /// Why it was evaluated.
    pub purpose: Purpose,
    /// What was measured.
    pub evaluation: Box<Evaluation>,
}

/// Payload of [`super::Event::EvaluationFailed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EvaluationFailed {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its number.
    pub number: Number,
    /// Why it was evaluated.
    pub purpose: Purpose,
    /// Which try this was, from 1.
    pub attempt: u32,
    /// What went wrong.
    pub reason: String,
    /// Whether it is given up now.
    pub given_up: bool,
    /// Whether somebody ended it: no fault of the machinery.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub aborted: bool,
}

/// Payload of [`super::Event::ImprovementApplied`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImprovementApplied {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its scores.
    #[cfg_attr(test, ts(as = "BTreeMap<String, f64>"))]
    pub scores: Scores,
    /// Share of the baseline won, by objective; positive is better.
    pub improvement: BTreeMap<String, f64>,
    /// The improvement over the first parent, weighted over the objectives: the seeds' `performance_delta`.
    pub performance_delta: f64,
    /// Why, for people.
    pub reason: String,
}

/// Payload of [`super::Event::ImprovementArchived`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImprovementArchived {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its scores.
    #[cfg_attr(test, ts(as = "BTreeMap<String, f64>"))]
    pub scores: Scores,
    /// Weighted improvement over the first parent; may be negative.
    pub performance_delta: f64,
    /// Why it is no improvement.
    pub reason: String,
}

/// Payload of [`super::Event::ImprovementRejected`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImprovementRejected {
    /// The candidate.
    pub modification_id: CandidateId,
    /// The gate that it failed at: a check's name, `threshold`, or `machinery`.
    pub gate: String,
    /// Why.
    pub reason: String,
}

/// Payload of [`super::Event::ChampionChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChampionChanged {
    /// The champion now.
    pub modification_id: CandidateId,
    /// Its snapshot.
    pub commit: CommitId,
    /// The champion before, absent at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub previous: Option<CandidateId>,
    /// Why: `baseline`, `improvement`, `rollback`, `promotion`, `pin`.
    pub reason: String,
}

/// Payload of [`super::Event::FrontChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FrontChanged {
    /// Members that came.
    pub joined: Vec<CandidateId>,
    /// Members that went.
    pub left: Vec<CandidateId>,
    /// Members now.
    pub size: usize,
    /// Hypervolume of the front in the unit box spanned by what the run has seen; see `State::hypervolume`.
    pub hypervolume: f64,
}
