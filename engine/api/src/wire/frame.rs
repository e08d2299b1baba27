//! Frames of `darwind.v1`, both ways, as `monitor-ui/PROTOCOL.md` says them. A page ignores kinds and fields that it does
//! not know, so that a later daemon may add to them; what a page says is read strictly where it commands.

use super::command::CommandName;
use super::run::{Budget, RunHead, Spent};
use crate::access::Role;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

/// What the daemon says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "t", rename_all = "lowercase")]
pub(crate) enum ServerFrame {
    /// The first frame.
    Hello(Hello),
    /// A subscription begins after `from`; records follow as deltas, up to `to` those of the past.
    Resume { id: String, run: String, epoch: String, from: u64, to: u64 },
    /// A subscription begins with the state at `seq`; the binary frame before this one holds its candidates.
    Snap { id: String, run: String, epoch: String, seq: u64, state: Box<SnapState> },
    /// Records `from` to `to`.
    D {
        id: String,
        run: String,
        from: u64,
        to: u64,
        #[cfg_attr(test, ts(as = "Vec<super::record::LogRecord>"))]
        ev: Vec<Arc<RawValue>>,
    },
    /// Records `from` to `to` were not sent, because the client read too slowly.
    Gap {
        id: String,
        run: String,
        from: u64,
        to: u64,
        /// How many records that is.
        missed: u64,
    },
    /// The newest runs.
    Runs { id: String, runs: Vec<RunHead> },
    /// What became of a command.
    Ack {
        id: String,
        ok: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        error: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        seq: Option<u64>,
    },
    /// The answer to a ping.
    Pong { now: i64 },
    /// A frame was not understood, or asks for what there is not.
    Err {
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        id: Option<String>,
        code: Refusal,
        message: String,
    },
}

/// Why a frame was refused.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    /// It is no frame.
    BadFrame,
    /// There is no such topic.
    UnknownTopic,
    /// There is no such run.
    UnknownRun,
    /// Too many subscriptions.
    TooMany,
}

/// Who is speaking.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Hello {
    /// Version of the protocol.
    pub(crate) proto: u8,
    /// The newest run's log: its name and the moment of its first event.
    pub(crate) epoch: Option<String>,
    /// That run's newest event.
    pub(crate) seq: u64,
    /// The program and its version.
    pub(crate) server: &'static str,
    /// Version of the frames' meaning; a page of another version should be loaded again.
    pub(crate) schema: &'static str,
    /// What can be asked for.
    pub(crate) caps: &'static [&'static str],
    /// What the client may do.
    pub(crate) role: Role,
    /// The daemon's time, Unix milliseconds.
    pub(crate) now: i64,
    /// The newest runs.
    pub(crate) runs: Vec<RunHead>,
}

/// A moment of a run: its event, its time, and what had been begun and spent by then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Moment {
    pub(crate) seq: u64,
    /// Seconds since the run's first event.
    pub(crate) time: f64,
    pub(crate) evaluations: u64,
    /// US dollars spent on models; 0 where no price is known.
    pub(crate) spent: f64,
}

/// A step of the champion.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ChampionStep {
    #[serde(flatten)]
    pub(crate) at: Moment,
    pub(crate) number: u32,
    pub(crate) reason: String,
    pub(crate) rationale: String,
}

/// A point of the learning rate's history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RatePoint {
    #[serde(flatten)]
    pub(crate) at: Moment,
    pub(crate) rate: f64,
    pub(crate) success_rate: f64,
}

/// A point of the hypervolume's history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct VolumePoint {
    #[serde(flatten)]
    pub(crate) at: Moment,
    pub(crate) value: f64,
}

/// A breaker's step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BreakerStep {
    #[serde(flatten)]
    pub(crate) at: Moment,
    pub(crate) from: super::run::BreakerWord,
    pub(crate) to: super::run::BreakerWord,
    pub(crate) reason: String,
}

/// A breaker with its history.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct BreakerHistory {
    pub(crate) name: String,
    pub(crate) state: super::run::BreakerWord,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) retry_at_ms: Option<i64>,
    pub(crate) history: Vec<BreakerStep>,
}

/// A command that came in.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CommandNote {
    #[serde(flatten)]
    pub(crate) at: Moment,
    pub(crate) id: String,
    pub(crate) command: String,
    pub(crate) modification_id: Option<String>,
    pub(crate) reason: String,
    pub(crate) refused: Option<String>,
}

/// What deserves a person's attention.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct AlertNote {
    #[serde(flatten)]
    pub(crate) at: Moment,
    /// The event that raised it, and what makes it distinct there.
    pub(crate) id: String,
    /// `serious`, `warning` or `note`.
    pub(crate) severity: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) modification_id: Option<String>,
}

/// The state beside the columns of a snapshot: small, with the histories that a page draws.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SnapState {
    #[serde(flatten)]
    pub(crate) run: SnapRun,
    /// Names of gates in the order of the column's indices.
    pub(crate) gate_names: Vec<String>,
    pub(crate) champion_history: Vec<ChampionStep>,
    pub(crate) learning_rate_history: Vec<RatePoint>,
    pub(crate) hypervolume_history: Vec<VolumePoint>,
    pub(crate) breakers: Vec<BreakerHistory>,
    pub(crate) alerts: Vec<AlertNote>,
    pub(crate) commands: Vec<CommandNote>,
    /// `split`, `canary` or `shared`, of the latest evaluation.
    pub(crate) separation: String,
    /// Wall seconds of all evaluations together.
    pub(crate) evaluator_s: f64,
}

/// What of a run's view a snapshot repeats.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct SnapRun {
    pub(crate) run_id: String,
    pub(crate) agent_id: String,
    pub(crate) target: String,
    pub(crate) seed: u64,
    pub(crate) state: super::run::Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) stopped_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) pause_reason: Option<String>,
    pub(crate) started_at: i64,
    pub(crate) last_at: i64,
    pub(crate) active_ms: i64,
    pub(crate) objectives: Vec<super::run::Objective>,
    pub(crate) budget: Budget,
    pub(crate) spent: Spent,
    pub(crate) counters: super::run::Counters,
    pub(crate) arms: Vec<super::run::Arm>,
    pub(crate) noise: super::ScoresByName,
    pub(crate) isolation: String,
}

/// What the page says.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "t", rename_all = "lowercase")]
pub(crate) enum ClientFrame {
    /// Follow something.
    Sub {
        id: String,
        topic: String,
        #[cfg_attr(test, ts(optional))]
        run: Option<String>,
        #[cfg_attr(test, ts(optional))]
        from: Option<Place>,
        #[cfg_attr(test, ts(optional))]
        at: Option<Past>,
    },
    /// Follow it no more.
    Unsub { id: String },
    /// Command a run.
    Cmd {
        id: String,
        name: CommandName,
        #[cfg_attr(test, ts(optional))]
        run: Option<String>,
        #[serde(default)]
        args: Arguments,
        #[serde(default)]
        reason: String,
        #[cfg_attr(test, ts(optional))]
        expect_seq: Option<u64>,
        #[cfg_attr(test, ts(optional))]
        confirm: Option<String>,
    },
    /// Is anybody there?
    Ping {},
}

/// A place in one log.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Place {
    /// Which log.
    pub(crate) epoch: String,
    /// The last event that is known of it.
    pub(crate) seq: u64,
}

/// A place in the past.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Past {
    /// The last event to send.
    pub(crate) seq: u64,
}

/// What a command is about.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub(crate) struct Arguments {
    /// The candidate.
    #[cfg_attr(test, ts(optional))]
    pub(crate) modification_id: Option<String>,
    /// The new limits, whole.
    #[cfg_attr(test, ts(optional))]
    pub(crate) budget: Option<Budget>,
}
