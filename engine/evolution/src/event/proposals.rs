//! Payloads about proposals: asked for, come to nothing, made.

use super::StoppedBy;
use crate::candidate::Cost;
use crate::id::{CandidateId, CommitId, Number};
use crate::part::Part;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};

/// Payload of [`super::Event::ProposalRequested`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProposalRequested {
    /// The number that the proposal will bear.
    pub number: Number,
    /// The proposer asked.
    pub proposer: String,
    /// The operator chosen.
    pub operator: String,
    /// Parents' numbers, the first being what the patch applies to.
    pub parents: Vec<Number>,
    /// Numbers of the archive members shown beside the parents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Number>>"))]
    pub peers: Vec<Number>,
    /// Boldness at that moment.
    pub learning_rate: f64,
    /// The part of the search to look at first, where others search the same program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub part: Option<Part>,
}

/// What a proposer's answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ProposalOutcome {
    /// It became a candidate.
    Applied,
    /// Its program was evaluated before.
    Duplicate,
    /// Its program is nearly one that was proposed before: their embeddings are too similar for an evaluation to be worth it.
    Similar,
    /// It changes nothing, or the proposer had nothing to offer.
    NoChange,
    /// Its change does not fit the parent.
    DoesNotApply,
    /// It touches a protected path, or is too large.
    Refused,
    /// The proposer failed.
    Failed,
}

/// Payload of [`super::Event::ProposalDiscarded`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProposalDiscarded {
    /// Its number.
    pub number: Number,
    /// What it came to; never `applied`.
    pub outcome: ProposalOutcome,
    /// Why.
    pub reason: String,
    /// The proposer has nothing left for this parent and operator.
    #[serde(default)]
    pub exhausted: bool,
    /// The candidate with the same program, for a duplicate; for a similar one, with the most similar program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub duplicate_of: Option<CandidateId>,
    /// What its proposer noted down, if there was a proposal at all.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub detail: serde_json::Value,
    /// What it cost all the same.
    #[serde(default, skip_serializing_if = "Cost::is_nothing")]
    #[cfg_attr(test, ts(optional, as = "Option<Cost>"))]
    pub cost: Cost,
    /// The budget that could not bear it: the run ends with what is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub out_of: Option<StoppedBy>,
}

/// Payload of [`super::Event::ImprovementProposed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImprovementProposed {
    /// The candidate's name.
    pub modification_id: CandidateId,
    /// Its number.
    pub number: Number,
    /// Its parents.
    pub parents: Vec<CandidateId>,
    /// Who proposed it.
    pub proposer: String,
    /// With which operator.
    pub operator: String,
    /// Why.
    pub rationale: String,
    /// Its snapshot.
    pub commit: CommitId,
    /// Its program's fingerprint.
    pub fingerprint: String,
    /// Files that it changes against its first parent.
    pub files: Vec<String>,
    /// Size of the change against the baseline: bytes of the files that differ, for ties between equal candidates.
    #[serde(default)]
    pub changed_bytes: u64,
    /// What its program looks like, where the archive policy wants to know.
    #[serde(default, skip_serializing_if = "Shape::is_nothing")]
    pub shape: Shape,
    /// What its proposer noted down.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub detail: serde_json::Value,
    /// What the proposal cost.
    pub cost: Cost,
}
