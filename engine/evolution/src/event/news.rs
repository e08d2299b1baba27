//! What a run hears of its peers: packages that came for its program, packages that it told, peers that changed. They come
//! from outside at any moment; recorded in the run's own log, they are part of what its decisions follow from.

use super::Event;
use crate::id::CandidateId;
use crate::part::Part;
use crate::state::State;
use serde::{Deserialize, Serialize};

/// Payload of [`Event::KnowledgeReceived`]: a package for this run's program, without its source text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct KnowledgeReceived {
    /// The package's SHA-256, hexadecimal.
    pub digest: String,
    /// Who sent it: credentials and agent, as trust is kept.
    pub from: String,
    /// The agent that found it.
    pub source_agent: String,
    /// What kind of improvement it is: the operator that made it.
    pub improvement_type: String,
    /// How well it fits, 0 to 1.
    pub compatibility: f64,
    /// Whether it waits to be proposed; else it fitted too badly.
    pub queued: bool,
    /// Name of the peer whose key signed it; absent without a signature that was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
}

/// Payload of [`Event::KnowledgeShared`]: this run told a peer of an improvement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct KnowledgeShared {
    /// The candidate whose change was told; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modification_id: Option<CandidateId>,
    /// The package's SHA-256, hexadecimal.
    pub digest: String,
    /// The peer.
    pub to: String,
    /// Attempts made, from 1.
    pub attempts: u32,
    /// `accepted`, `declined` or `failed`.
    pub outcome: String,
    /// Why, when it was not accepted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Payload of [`Event::PeerChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PeerChanged {
    /// The peer's name, or the agent's that joined or left a group.
    pub name: String,
    /// `added`, `removed`, `joined`, `left`, `answers`, `fails`.
    pub change: String,
    /// Its breaker after it, for a peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<super::BreakerState>,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Payload of [`Event::SearchDivided`]: who else searches this run's program now, and which part each looks at first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SearchDivided {
    /// This run's part; absent when it searches alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// Names of the peers that have the others.
    pub with: Vec<String>,
}

/// One thing that a run hears of its peers.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A package came for its program.
    Received(KnowledgeReceived),
    /// A package of its own was told, or not.
    Shared(KnowledgeShared),
    /// A peer changed.
    Peer(PeerChanged),
    /// Others began to search its program, or ended.
    Divided(SearchDivided),
}

/// Most news of peers that one run records; what comes later is in the data folder's own streams.
pub const MAX_NEWS: usize = 10_000;

impl KnowledgeReceived {
    /// Equal for the same news.
    pub fn key(&self) -> String {
        self.digest.clone()
    }
}

impl KnowledgeShared {
    /// Equal for the same news.
    pub fn key(&self) -> String {
        format!("{} {} {}", self.digest, self.outcome, self.to)
    }
}

impl News {
    /// Equal for the same news, by which a run tells what it has recorded already; none for what may happen again.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Received(received) => Some(received.key()),
            Self::Shared(shared) => Some(shared.key()),
            Self::Peer(_) | Self::Divided(_) => None,
        }
    }

    /// Whether a run has yet to record it, and has room for it.
    pub fn is_news_to(&self, state: &State) -> bool {
        let changes = match self {
            Self::Divided(divided) => divided.part != state.part,
            _ => self.key().is_none_or(|key| !state.heard.contains(&key)),
        };
        changes && state.news < MAX_NEWS
    }
}

impl From<News> for Event {
    fn from(news: News) -> Self {
        match news {
            News::Received(received) => Self::KnowledgeReceived(received),
            News::Shared(shared) => Self::KnowledgeShared(shared),
            News::Peer(changed) => Self::PeerChanged(changed),
            News::Divided(divided) => Self::SearchDivided(divided),
        }
    }
}
