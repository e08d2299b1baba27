//! How two candidates differ, file by file and line by line.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What the difference is taken from.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Against {
    /// Another candidate's name or number; the first parent when absent.
    pub(crate) against: Option<String>,
}

/// How two candidates differ.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Difference {
    /// The commit that is compared with.
    pub(crate) from: String,
    /// The candidate's commit.
    pub(crate) to: String,
    /// Files that differ.
    pub(crate) files: Vec<FileChange>,
}

/// How a file differs between two candidates.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// `added`, `deleted`, `modified`.
    pub status: &'static str,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Whether it is no text.
    pub binary: bool,
    /// Whether the parts below are not all.
    pub truncated: bool,
    /// The parts that differ.
    pub hunks: Vec<DiffPart>,
}

/// A part of a file that differs.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DiffPart {
    /// Its header as in a unified diff.
    pub header: String,
    /// Its lines.
    pub lines: Vec<DiffLine>,
}

/// One line of a difference.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DiffLine {
    /// ` `, `+` or `-`.
    #[schema(value_type = String)]
    pub kind: char,
    /// Its number in the old file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub old: Option<u32>,
    /// Its number in the new file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub new: Option<u32>,
    /// Its text without the end of line.
    pub text: String,
}
