//! Peers, what flows between them and the daemon, and notifications that did not arrive. Filled by the daemon, which knows.

use serde::Serialize;
use utoipa::ToSchema;

/// The peers, their groups, and the packages that flow between them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Collective {
    /// Peers by name.
    pub peers: Vec<Peer>,
    /// Groups that agents formed here, by name.
    pub groups: Vec<Group>,
    /// Sources of packages, by name.
    pub sources: Vec<Source>,
    /// The newest packages that came, were tried and went; the newest first, at most 100.
    pub flow: Vec<Flow>,
    /// Push notifications that could not be delivered, oldest first.
    pub dead_letters: Vec<Letter>,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Peer {
    /// Its name here.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Its breaker: whether it is asked.
    pub breaker: PeerBreaker,
    /// Questions that it answered.
    pub answered: u64,
    /// How long it takes to answer, in milliseconds, the newest counting most; null before the first answer.
    pub latency_ms: Option<f64>,
    /// Why the last question failed; null when it did not.
    pub fault: Option<String>,
    /// Ids of its skills.
    pub skills: Vec<String>,
    /// What it says it can do.
    pub capabilities: PeerCapabilities,
    /// Id of the key by which it is known again and with which it signs packages; null when it signs nothing.
    pub key_id: Option<String>,
}

/// The state of a peer's breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PeerBreaker {
    /// It is asked.
    Closed,
    /// It is not asked.
    Open,
    /// It is asked once, to see.
    HalfOpen,
}

/// What an agent says it can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PeerCapabilities {
    /// Kinds of validation that it carries out.
    pub validation_types: Vec<String>,
    /// Kinds of improvement that it has seen.
    pub improvement_experience: Vec<String>,
    /// Programs that it can judge, by `agent_id`.
    pub targets: Vec<String>,
}

/// A group of agents that evolve together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Group {
    /// Its name.
    pub group_id: String,
    /// Its members.
    pub members: Vec<Member>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Member {
    /// Its name.
    pub agent_id: String,
    /// What it says it can do.
    pub capabilities: PeerCapabilities,
}

/// How the packages of a source turned out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Source {
    /// Credentials, or the peer that signed, and the agent.
    pub source: String,
    /// Trust in it, 0 to 1; 0.5 for the unknown.
    pub trust: f64,
    /// Packages received.
    pub received: u32,
    /// Judgements in which one improved a program here.
    pub improved: u32,
    /// Judgements in which the program was viable with one and no better.
    pub neutral: u32,
    /// Judgements in which the program was not viable with one.
    pub failed: u32,
}

/// How well a package fits, with the parts of the score, each 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Fit {
    /// The whole: the weighted sum of the parts.
    pub score: f64,
    /// How alike its functions and the local ones are.
    pub structure: f64,
    /// Share of parameters in common.
    pub interface: f64,
    /// Share of its objectives that are objectives here.
    pub objectives: f64,
    /// Trust in its source.
    pub trust: f64,
}

/// One package that came, was tried, or went.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "event_type", rename_all = "snake_case")]
pub enum Flow {
    /// A package came.
    KnowledgeReceived {
        /// When, Unix milliseconds.
        time_ms: i64,
        /// The package's SHA-256, hexadecimal.
        digest: String,
        /// Who sent it, as trust is kept.
        from: String,
        /// Name of the peer whose key signed it; null without a signature that was verified.
        signed_by: Option<String>,
        /// The agent that found it.
        source_agent: String,
        /// What kind of improvement it is.
        improvement_type: String,
        /// The sender's name for the transfer.
        transfer_id: String,
        /// The program that it fits best; empty when there is none.
        target: String,
        /// How well.
        compatibility: Fit,
        /// Whether it waits to be tried there.
        queued: bool,
    },
    /// A package was tried in a run.
    Judged {
        /// When, Unix milliseconds.
        time_ms: i64,
        /// The package.
        digest: String,
        /// The program.
        target: String,
        /// The run.
        occasion: String,
        /// Whether it improved the program.
        improved: bool,
        /// Whether the program was viable with it.
        viable: bool,
    },
    /// A package was told to a peer.
    KnowledgeShared {
        /// When, Unix milliseconds.
        time_ms: i64,
        /// The package.
        digest: String,
        /// The peer.
        to: String,
        /// Our name for the transfer.
        transfer_id: String,
        /// Attempts made.
        attempts: u32,
        /// How it ended.
        outcome: Transfer,
        /// The candidate whose change it is; empty where it is not known.
        modification_id: String,
    },
}

/// How a transfer to a peer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// The peer took it into its queue.
    Accepted,
    /// The peer did not want it, and why.
    Declined(String),
    /// It did not arrive, and why.
    Failed(String),
}

/// A push notification that could not be delivered, without what it says and the secrets of its webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Letter {
    /// Its number, for sending it again.
    pub number: u64,
    /// The task that it tells of.
    pub task_id: String,
    /// Whose task.
    pub owner: String,
    /// The webhook's id.
    pub config_id: String,
    /// The webhook.
    pub url: String,
    /// Why it did not get there.
    pub reason: String,
    /// When it was given up, RFC 3339.
    pub at: String,
    /// Whether what it says was kept, so that it can be sent again.
    pub kept: bool,
}

/// A letter that was sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Redelivered {
    /// The letter.
    pub number: u64,
    /// Whether it has been delivered, now or earlier; else it stays and can be sent again.
    pub delivered: bool,
}
