//! Runs: in a list, whole, and as they are asked for.

use super::ScoresByName;
use super::candidate::Scored;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use utoipa::{IntoParams, ToSchema};

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The baseline is being measured.
    Pending,
    /// Proposals flow.
    Running,
    /// Nothing new is dispatched.
    Paused,
    /// It reached its end.
    Finished,
    /// Somebody stopped it.
    Stopped,
    /// The baseline did not pass, or the machinery gave up.
    Failed,
}

/// A run in the list that a socket sends.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RunHead {
    /// Its name.
    pub(crate) run_id: String,
    /// The target's name.
    pub(crate) agent_id: String,
    /// Where the target lay when the run began.
    pub(crate) target: String,
    /// What it is doing.
    pub(crate) state: Phase,
    /// Time of its first event, Unix milliseconds.
    pub(crate) started_at: i64,
    /// Candidates whose evaluation was started.
    pub(crate) evaluations: u64,
    /// Its newest event.
    pub(crate) seq: u64,
}

/// A run in the list of runs.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RunLine {
    #[serde(flatten)]
    pub(crate) head: RunHead,
    /// Whether a process drives it.
    pub(crate) driven: bool,
    /// How many of everything there were.
    pub(crate) counters: Counters,
}

/// The newest runs.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Runs {
    /// How many are listed here.
    pub(crate) shown: usize,
    /// How many there are.
    pub(crate) total: usize,
    /// Newest first.
    pub(crate) runs: Vec<RunLine>,
}

/// How many of everything there were.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Counters {
    /// Candidates whose evaluation was started, the baseline not included.
    pub(crate) evaluations: u64,
    /// Answers of proposers.
    pub(crate) proposals: u64,
    /// Candidates that passed every gate.
    pub(crate) viable: u64,
    /// Candidates that improved on what was known.
    pub(crate) accepted: u64,
    /// Candidates that failed a gate.
    pub(crate) rejected: u64,
    /// Answers whose program was known already.
    pub(crate) duplicates: u64,
    /// Answers by what they came to.
    pub(crate) proposal_outcomes: BTreeMap<String, u64>,
    /// Rejections by gate.
    pub(crate) gates: BTreeMap<String, u64>,
    /// Evaluations by how they ended.
    pub(crate) outcomes: BTreeMap<String, u64>,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// Less is better.
    Minimize,
    /// More is better.
    Maximize,
}

/// A number to minimise or maximise.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Objective {
    /// Its name.
    pub(crate) name: String,
    /// Which way is better.
    pub(crate) direction: Direction,
    /// How much it counts in the choice of the champion, against the other weights.
    pub(crate) weight: f64,
    /// A score worse than this makes a candidate not viable.
    pub(crate) threshold: Option<f64>,
    /// Unit of the scores.
    pub(crate) unit: Option<String>,
    /// The best score that can be had, where one is known.
    pub(crate) bound: Option<f64>,
}

/// What may be spent; absent or null is no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Budget {
    /// Candidates whose evaluation is started.
    pub(crate) evaluations: Option<u64>,
    /// Answers of proposers.
    pub(crate) proposals: Option<u64>,
    /// Milliseconds of wall time in which a process drives the run.
    pub(crate) time_ms: Option<i64>,
    /// Tokens of language models, read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) llm_tokens: Option<u64>,
    /// Price of language models, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) llm_cost_usd: Option<f64>,
}

/// What was spent.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Spent {
    /// Candidates whose evaluation was started.
    pub(crate) evaluations: u64,
    /// Answers of proposers.
    pub(crate) proposals: u64,
    /// Milliseconds in which a process drove the run.
    pub(crate) time_ms: i64,
    /// Tokens of language models, read and written.
    pub(crate) llm_tokens: u64,
    /// Price of language models, in US dollars; null where it is not known.
    pub(crate) llm_cost_usd: Option<f64>,
}

/// The state of a circuit breaker, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum BreakerWord {
    /// Work flows.
    Closed,
    /// Nothing is dispatched.
    Open,
    /// One trial is under way.
    HalfOpen,
}

/// A circuit breaker.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Breaker {
    /// Its state.
    pub(crate) state: BreakerWord,
}

/// A choice of proposer and operator, with what came of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Arm {
    /// The proposer.
    pub(crate) proposer: String,
    /// The operator.
    pub(crate) operator: String,
    /// How many parents it wants.
    pub(crate) parents: u8,
    /// Candidates that came of it.
    pub(crate) tries: u64,
    /// Those that passed every gate.
    pub(crate) viable: u64,
    /// Those that improved on what was known.
    pub(crate) accepted: u64,
}

/// A run, whole: what can be said of it in little room.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Run {
    /// Its name.
    pub(crate) run_id: String,
    /// The target's name.
    pub(crate) agent_id: String,
    /// Where the target lay when the run began.
    pub(crate) target: String,
    /// Patterns of files that may change, as they were configured.
    pub(crate) files: Vec<String>,
    /// What it is doing.
    pub(crate) state: Phase,
    /// What ended it, once it ended.
    pub(crate) stopped_by: Option<String>,
    /// Whether a process drives it.
    pub(crate) driven: bool,
    /// Seed of every decision.
    pub(crate) seed: u64,
    /// The event up to which this is folded.
    pub(crate) seq: u64,
    /// Time of its first event, Unix milliseconds.
    pub(crate) started_at: i64,
    /// The same as RFC 3339.
    pub(crate) started: String,
    /// Time of its newest event, Unix milliseconds.
    pub(crate) last_event_at: i64,
    /// Milliseconds in which a process drove it.
    pub(crate) active_ms: i64,
    /// How many of everything there were.
    pub(crate) counters: Counters,
    /// What is measured.
    pub(crate) objectives: Vec<Objective>,
    /// The unchanged target, once measured.
    pub(crate) baseline: Option<Scored>,
    /// The candidate that is applied now, once the baseline is measured.
    pub(crate) champion: Option<Scored>,
    /// The same candidate, by the name that reports use.
    pub(crate) best: Option<Scored>,
    /// Members of the first front.
    pub(crate) front: Vec<String>,
    /// Hypervolume of the front.
    pub(crate) hypervolume: f64,
    /// Champions in order, the baseline first.
    pub(crate) champion_history: Vec<String>,
    /// Whether a person chose the champion to stay until it is unpinned.
    pub(crate) pinned: bool,
    /// Boldness.
    pub(crate) learning_rate: f64,
    /// Circuit breakers by what they guard.
    pub(crate) breakers: BTreeMap<String, Breaker>,
    /// What may be spent.
    pub(crate) budget: Budget,
    /// What was spent.
    pub(crate) spent: Spent,
    /// Relative noise of objectives, measured on the baseline.
    pub(crate) noise: ScoresByName,
    /// The isolation level of the latest evaluation, empty before.
    pub(crate) isolation: String,
    /// Proposers and operators.
    pub(crate) arms: Vec<Arm>,
}

/// What a run is started with: a folder on the daemon's machine, or files that are sent along.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRun {
    /// The folder.
    #[schema(value_type = Option<String>)]
    pub(crate) path: Option<PathBuf>,
    /// The files by their path below the target, with `/` between parts.
    pub(crate) files: Option<BTreeMap<String, String>>,
    /// Text of a `darwind.toml` that holds instead of the target's own.
    pub(crate) config: Option<String>,
    /// Seed of every decision; drawn when absent.
    pub(crate) seed: Option<u64>,
}

/// A run that was started.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Started {
    /// Its name.
    pub(crate) run_id: String,
}

/// How a run is looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct At {
    /// The event up to which it is folded; the newest when absent.
    pub(crate) at: Option<u64>,
}

/// A token, to be changed for a session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    /// The operator's or the viewer's token.
    pub(crate) token: String,
}

/// Who somebody is.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Session {
    /// What they may do.
    pub(crate) role: crate::access::Role,
}
