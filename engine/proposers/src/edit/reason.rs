//! Why an answer is no change.

use serde::{Deserialize, Serialize};

/// The closed set of reasons why an answer is no change. Each is counted apart: they call for different remedies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The answer is empty.
    Empty,
    /// The answer was cut off before its end.
    Truncated,
    /// Nothing in it reads as an edit.
    NoEdit,
    /// An edit is begun and not ended, or its notation is broken.
    Malformed,
    /// It is larger than what is read, or has too many edits.
    TooLarge,
    /// It names a file that is not there or may not change.
    UnknownFile,
    /// It does not say which of several files it means.
    WhichFile,
    /// The text to be replaced is not in the file.
    NotFound,
    /// The text to be replaced is there more than once.
    Ambiguous,
    /// It changes text outside the evolve blocks.
    OutsideBlocks,
    /// The result is not a valid program.
    Syntax,
    /// It leaves everything as it is: the usual failure of small models.
    NoChange,
}

impl Reason {
    /// Its name in records.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::NoEdit => "no_edit",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::UnknownFile => "unknown_file",
            Self::WhichFile => "which_file",
            Self::NotFound => "not_found",
            Self::Ambiguous => "ambiguous",
            Self::OutsideBlocks => "outside_blocks",
            Self::Syntax => "syntax",
            Self::NoChange => "no_change",
        }
    }
}

/// An answer that is no change, and what was wrong with it in words that help to correct it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", .reason.code())]
pub struct Rejection {
    /// Why, as one of a closed set.
    pub reason: Reason,
    /// More about it.
    pub detail: String,
}

impl Rejection {
    /// A rejection.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}
