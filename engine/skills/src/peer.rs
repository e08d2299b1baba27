//! A peer as it is asked: where it is, what its card says, why it gave no answer. A peer is a stranger: what it answers is
//! read with limits on size and time, and nothing of it is believed here but what its key has signed.

use a2a::ErrorKind;
use a2a::client::ClientError;
use a2a::model::{Artifact, Content, Message, Part, Task, TaskState};
use a2a::signing::{PublicKey, SigningError};
use serde_json::Value;
use std::time::Duration;

/// Where a peer is, what is shown to it, and how it is known again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerAddress {
    /// Scheme, host and port.
    pub url: String,
    /// Bearer token.
    pub token: Option<String>,
    /// The key that its card is signed with; without one any card will do.
    pub key: Option<PublicKey>,
}

/// What a peer says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCard {
    /// Its name.
    pub name: String,
    /// Ids of its skills.
    pub skills: Vec<String>,
    /// The key that its card is signed with, as it publishes it; `None` when it is not signed, or with a key that is not
    /// published where the card is.
    pub key: Option<PublicKey>,
}

/// Why a peer gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It could not be asked, or answered what cannot be read.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It did not do it, and said why.
    #[error("{}: {words}", .state.name())]
    Refused {
        /// The state in which its task ended.
        state: TaskState,
        /// Its words.
        words: String,
    },
    /// It took too long.
    #[error("no answer within {}", humantime::format_duration(*.0))]
    TooSlow(Duration),
    /// Its answer holds no data part.
    #[error("the answer holds no data part")]
    Empty,
    /// What is there does not show the key by which the peer is known.
    #[error(
        "its card is not signed with the key that is known of it: {0}; if it has a new one, add it again"
    )]
    NotThePeer(SigningError),
    /// Its card's signature does not hold with the keys that it publishes itself.
    #[error("its card is signed, and the signature does not hold: {0}")]
    Forged(SigningError),
    /// This side has nothing to ask with.
    #[error("cannot ask: {0}")]
    Runtime(#[from] std::io::Error),
}

impl PeerError {
    /// Whether the one who was asked is at fault, and not what was asked.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// Whether the same question may be answered another time though nobody changes anything: the peer could not be reached,
    /// was busy, or failed. What was refused, a card that is not the peer's, and an answer without what was asked for are
    /// the same the next time.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::TooSlow(_) | Self::Runtime(_) => true,
            Self::Refused { state, .. } => *state == TaskState::Failed,
            Self::Client(ClientError::Unreachable(_) | ClientError::Malformed(_)) => true,
            // A task that is gone went with a restart of the peer.
            Self::Client(ClientError::Agent(said)) => matches!(
                said.kind,
                ErrorKind::Internal
                    | ErrorKind::InvalidAgentResponse
                    | ErrorKind::Overloaded
                    | ErrorKind::RateLimited
                    | ErrorKind::TaskNotFound
            ),
            Self::Client(_) | Self::Empty | Self::NotThePeer(_) | Self::Forged(_) => false,
        }
    }
}

/// The last data part among the artifacts of a task that has ended well.
pub(crate) fn answer_of(task: &Task) -> Result<Value, PeerError> {
    if task.status.state != TaskState::Completed {
        let words = task.status.message.as_ref().map(Message::first_text).unwrap_or_default();
        return Err(PeerError::Refused { state: task.status.state, words: words.to_owned() });
    }
    let last = |artifact: &Artifact| data_of(&artifact.parts);
    task.artifacts.iter().rev().find_map(last).ok_or(PeerError::Empty)
}

pub(crate) fn data_of(parts: &[Part]) -> Option<Value> {
    parts.iter().rev().find_map(|part| match &part.content {
        Content::Data(value) => Some(value.clone()),
        _ => None,
    })
}
