//! Commands and what became of them.

use super::run::Budget;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What can be asked of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandName {
    /// Start nothing new.
    PauseEvolution,
    /// Go on.
    ResumeEvolution,
    /// End the run.
    StopEvolution,
    /// Move the champion back to a candidate and measure it again.
    RollbackModification,
    /// Make a candidate the champion until something newly found is better.
    Promote,
    /// Make a candidate the champion until somebody says otherwise.
    Pin,
    /// End the evaluation of a candidate that is under way.
    AbortEvaluation,
    /// Change what may still be spent.
    SetBudget,
}

/// A command as it travels.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// What is asked.
    pub(crate) command: CommandName,
    /// The candidate that it is about, for those that are about one.
    pub(crate) modification_id: Option<String>,
    /// The new limits, for `set_budget`.
    pub(crate) budget: Option<Budget>,
    /// Why, for the log; at most 2,000 bytes.
    #[serde(default)]
    pub(crate) reason: String,
    /// The command's own id: the same id twice is obeyed once. Drawn when absent; at most 128 bytes.
    pub(crate) id: Option<String>,
    /// Refuse when the run has gone on beyond this event.
    pub(crate) expect_seq: Option<u64>,
}

/// A command that was obeyed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Done {
    /// Always true: what was refused is a problem.
    pub(crate) ok: bool,
    /// The command's id.
    pub(crate) id: String,
    /// The event that recorded it.
    pub(crate) seq: u64,
}
