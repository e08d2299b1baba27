//! The sections `[budget]` and `[sandbox]`: what a run may spend in all, and what one evaluation may.

use super::quantity::{duration_text, optional_duration_text};
use super::reader::{Bounds, Section};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Evaluations of a run whose configuration and command line name no budget of evaluations or time.
const DEFAULT_EVALUATIONS: u64 = 500;

/// `[budget]`: the first one spent stops the run; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BudgetSection {
    /// Candidates whose evaluation is started.
    pub(crate) evaluations: Option<u64>,
    /// Answers of proposers.
    pub(crate) proposals: Option<u64>,
    /// Wall time.
    #[serde(with = "optional_duration_text", default)]
    pub(crate) time: Option<Duration>,
    /// Tokens of language models.
    pub(crate) llm_tokens: Option<u64>,
    /// Cost of language models, in US dollars.
    pub(crate) llm_cost_usd: Option<f64>,
}

impl BudgetSection {
    /// This budget with the limits that the command line names, and never without an end.
    pub(crate) fn overridden(&self, evaluations: Option<u64>, time: Option<Duration>) -> Self {
        let mut budget = self.clone();
        budget.evaluations = evaluations.or(budget.evaluations);
        budget.time = time.or(budget.time);
        if budget.evaluations.is_none() && budget.time.is_none() && budget.proposals.is_none() {
            budget.evaluations = Some(DEFAULT_EVALUATIONS);
        }
        budget
    }

    /// As the core wants it.
    pub(crate) fn for_core(&self) -> evolution::settings::Budget {
        evolution::settings::Budget {
            evaluations: self.evaluations,
            proposals: self.proposals,
            time_ms: self.time.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
            llm_tokens: self.llm_tokens,
            llm_cost_usd: self.llm_cost_usd,
        }
    }
}

/// Reads `[budget]`.
pub(super) fn budget(top: &mut Section<'_>) -> BudgetSection {
    let Some(mut section) = top.table("budget") else { return BudgetSection::default() };
    let budget = BudgetSection {
        evaluations: section.whole("evaluations", 0..=u64::from(u32::MAX)),
        proposals: section.whole("proposals", 0..=u64::from(u32::MAX)),
        time: section.duration("time", Duration::from_millis(1)..=Duration::from_secs(366 * 24 * 3600)),
        llm_tokens: section.whole("llm_tokens", 0..=u64::MAX),
        llm_cost_usd: section.real("llm_cost_usd", Bounds::NOT_NEGATIVE),
    };
    section.finish();
    budget
}

/// An isolation level that may be required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Required {
    /// Landlock, seccomp and limits, without namespaces.
    L1,
    /// Namespaces too.
    L2,
    /// Delegated control groups too.
    L3,
}

/// `[sandbox]`: what one evaluation may use, and how well it must be contained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SandboxSection {
    /// The lowest level at which anything is run.
    pub(crate) require: Required,
    /// Memory of the whole process tree, in bytes.
    pub(crate) memory: u64,
    /// Processes and threads at once.
    pub(crate) processes: u32,
    /// Bytes written to scratch.
    pub(crate) disk: u64,
    /// Files created in scratch.
    pub(crate) files: u32,
    /// Bytes kept of standard output and of error output each.
    pub(crate) output: u64,
    /// CPU time of the whole process tree of one launch.
    #[serde(with = "duration_text")]
    pub(crate) cpu: Duration,
}

impl Default for SandboxSection {
    fn default() -> Self {
        Self {
            require: Required::L1,
            memory: 1 << 30,
            processes: 64,
            disk: 256 << 20,
            files: 4096,
            output: 1 << 20,
            cpu: Duration::from_secs(300),
        }
    }
}

/// Reads `[sandbox]`.
pub(super) fn sandbox(top: &mut Section<'_>) -> SandboxSection {
    let default = SandboxSection::default();
    let Some(mut section) = top.table("sandbox") else { return default };
    let levels = [("L3", Required::L3), ("L2", Required::L2), ("L1", Required::L1)];
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let sandbox = SandboxSection {
        require: section.choice("require", &levels).map_or(default.require, |found| found.value),
        memory: section.size("memory", 16 << 20..=1 << 44).unwrap_or(default.memory),
        processes: section.whole("processes", 1..=65_536).map_or(default.processes, small),
        disk: section.size("disk", 1 << 16..=1 << 40).unwrap_or(default.disk),
        files: section.whole("files", 16..=10_000_000).map_or(default.files, small),
        output: section.size("output", 1 << 10..=1 << 28).unwrap_or(default.output),
        cpu: section
            .duration("cpu", Duration::from_millis(100)..=Duration::from_secs(24 * 3600))
            .unwrap_or(default.cpu),
    };
    section.finish();
    sandbox
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_always_has_an_end() {
        let none = BudgetSection::default();
        assert_eq!(none.overridden(None, None).evaluations, Some(DEFAULT_EVALUATIONS));
        let timed = none.overridden(None, Some(Duration::from_secs(1)));
        assert_eq!((timed.evaluations, timed.time), (None, Some(Duration::from_secs(1))));
        let configured =
            BudgetSection { evaluations: Some(7), proposals: Some(9), ..BudgetSection::default() };
        assert_eq!(configured.overridden(None, None), configured);
        assert_eq!(configured.overridden(Some(3), None).evaluations, Some(3));
    }
}
