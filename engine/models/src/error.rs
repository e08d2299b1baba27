//! Why there is no answer.

use crate::purse::Poor;
use std::time::Duration;
use store::StoreError;

/// Why there is no answer. Keys never stand in the texts.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// What the client was set up with cannot be used.
    #[error("{0}")]
    Setup(String),
    /// The call would cost more than the budget has left.
    #[error(transparent)]
    Poor(#[from] Poor),
    /// The endpoint could not be reached, or the connection broke.
    #[error("the endpoint cannot be reached: {0}")]
    Unreachable(String),
    /// The endpoint was silent for too long.
    #[error("the endpoint was silent for more than {0:?}")]
    Stalled(Duration),
    /// All tries together took too long.
    #[error("no answer within {0:?}")]
    TooSlow(Duration),
    /// The endpoint refused.
    #[error("the endpoint refused with {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said, at most some hundred characters.
        message: String,
        /// The parameter that it names apart from its words.
        parameter: Option<String>,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// What it sent is not of its dialect, or broke off.
    #[error("the answer cannot be read: {0}")]
    Garbled(String),
    /// The answer is larger than what is kept.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// A run that is gone through again asks what was never answered.
    #[error("the record holds no answer to {tag}: this is another question than the run asked")]
    Missing {
        /// What the question is for.
        tag: String,
    },
    /// The exchange could not be recorded, so its answer is not used.
    #[error("the exchange cannot be recorded: {0}")]
    Unrecorded(#[from] StoreError),
}

impl ModelError {
    /// Whether asking again may help. A refusal of the request itself (400, 401, 403, 404, 422) never does.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Stalled(_) | Self::Garbled(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 409 | 429 | 500..),
            _ => false,
        }
    }
}
