//! Names of runs and candidates. They are handed in or derived, never drawn here.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A candidate's place in its run: 0 is the baseline, proposals count from 1 in the order they were asked for.
/// Numbers of proposals that never became a candidate (duplicates, say) stay unused.
pub type Number = u32;

/// The number of the baseline.
pub const BASELINE: Number = 0;

/// Names a run: lower-case hexadecimal digits, unique within a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// Wraps a name drawn by the caller.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of this run's candidate `number`.
    pub fn candidate(&self, number: Number) -> CandidateId {
        CandidateId(format!("{}-{number}", self.0))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a candidate across runs: its run's name, a dash, its number. On the wire it is the `modification_id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct CandidateId(String);

impl CandidateId {
    /// Wraps an id that was read from a log or typed by a person; it may name nothing.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The candidate's number, if the text has the shape of an id.
    pub fn number(&self) -> Option<Number> {
        self.0.rsplit_once('-').and_then(|(_, number)| number.parse().ok())
    }

    /// The run's part of the id, if the text has the shape of an id.
    pub fn run(&self) -> Option<RunId> {
        self.0.rsplit_once('-').map(|(run, _)| RunId::new(run))
    }
}

impl fmt::Display for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A git commit's object name: 40 lower-case hexadecimal digits. Kept as text: the core never computes with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct CommitId(String);

impl CommitId {
    /// Wraps an object name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The object name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
