//! What is known of a candidate: its proposal, its files and its evaluation.

use objectives::Scores;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The files of a candidate that may change, by their path below the target's root with `/` between parts. Contents
/// are bytes: a target may evolve a file that is not text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFiles(pub BTreeMap<String, Arc<[u8]>>);

impl SourceFiles {
    /// The file as text, if it is there and is UTF-8.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// These files with the patch applied.
    pub fn patched(&self, patch: &Patch) -> Self {
        let mut files = self.0.clone();
        for change in &patch.0 {
            match &change.content {
                Some(content) => files.insert(change.path.clone(), content.clone()),
                None => files.remove(&change.path),
            };
        }
        Self(files)
    }
}

/// One file of a patch, whole: its new content, or `None` when it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Path below the target's root, `/` between parts, without `.` or `..`.
    pub path: String,
    /// The whole new content; `None` removes the file.
    pub content: Option<Arc<[u8]>>,
}

/// The changes of one proposal, each path at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch(pub Vec<FileChange>);

/// What a proposer answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The change against the first parent.
    pub patch: Patch,
    /// Why, in a sentence that a person reads.
    pub rationale: String,
    /// The operator that made it, by the name that the proposer declared.
    pub operator: String,
    /// What the proposer wants to find again in the log: it rebuilds its memory from this after a restart. At most
    /// [`MAX_DETAIL_BYTES`] as JSON.
    pub detail: serde_json::Value,
    /// What the proposal cost.
    pub cost: Cost,
}

/// Largest size of [`Proposal::detail`] as JSON text, in bytes.
pub const MAX_DETAIL_BYTES: usize = 16 * 1024;

/// What some work cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Cost {
    /// Wall seconds.
    pub wall_s: f64,
    /// CPU seconds of the children, all processes together.
    pub cpu_s: f64,
    /// Processes (or cells) launched.
    pub launches: u32,
    /// What language models were asked for.
    #[serde(default, skip_serializing_if = "ModelUsage::is_nothing")]
    #[cfg_attr(test, ts(optional, as = "Option<ModelUsage>"))]
    pub llm: ModelUsage,
}

impl Cost {
    /// Whether nothing was spent.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What language models were asked for and what that cost. Tokens are counted as the endpoint reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ModelUsage {
    /// Calls that were answered.
    pub calls: u64,
    /// Tokens read, those from a cache included.
    pub input: u64,
    /// Tokens read from a cache.
    pub cached: u64,
    /// Tokens written while thinking.
    pub reasoning: u64,
    /// Tokens written, those of thinking included.
    pub output: u64,
    /// Price in US dollars; `None` where it is not known, which is never the same as 0.
    pub cost_usd: Option<f64>,
}

impl ModelUsage {
    /// Whether nothing was asked.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Tokens read and written.
    pub fn tokens(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Adds another's. The price of both is known only when the price of each is; that of nothing is no obstacle.
    pub fn add(&mut self, other: &Self) {
        self.cost_usd = match (self.is_nothing(), other.is_nothing()) {
            (true, _) => other.cost_usd,
            (_, true) => self.cost_usd,
            (false, false) => self.cost_usd.zip(other.cost_usd).map(|(one, more)| one + more),
        };
        self.calls = self.calls.saturating_add(other.calls);
        self.input = self.input.saturating_add(other.input);
        self.cached = self.cached.saturating_add(other.cached);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
        self.output = self.output.saturating_add(other.output);
    }
}

/// The one word for how an evaluation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything ran and every check passed.
    Ok,
    /// It ran, and a check or a case failed.
    Wrong,
    /// A signal or an uncaught exception ended it.
    Crashed,
    /// It left before the engine's runner saw its end.
    EarlyExit,
    /// Wall or CPU time ran out.
    Timeout,
    /// Memory, processes, disk, files or output ran out.
    Limit,
    /// The sandbox denied something that it needed.
    Denied,
    /// Its answer was not in the agreed form.
    Protocol,
    /// It tried to forge its result or change what judges it.
    Tamper,
    /// The sandbox itself failed: ours, retried, never scored.
    SandboxError,
}

impl Outcome {
    /// The word as it stands in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Crashed => "crashed",
            Self::EarlyExit => "early_exit",
            Self::Timeout => "timeout",
            Self::Limit => "limit",
            Self::Denied => "denied",
            Self::Protocol => "protocol",
            Self::Tamper => "tamper",
            Self::SandboxError => "sandbox_error",
        }
    }
}

/// How far the judge was kept apart from the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Separation {
    /// The candidate ran in a process of its own and never held the expected answers.
    Split,
    /// Tests and candidate shared a process; tests that must fail did fail, and an engine-owned runner reported.
    Canary,
    /// Judge and candidate shared a process and nothing of the above could be held.
    Shared,
}

/// One gate of the cascade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckResult {
    /// The check's name: configured, or one of the engine's own (`syntax`, `policy`).
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// Why not, in a sentence; may be empty when it passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    pub reason: String,
}

/// One test or input/output case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CaseResult {
    /// The case's name, stable over candidates.
    pub name: String,
    /// Whether it passed. Cases that were not run (early abort) are absent from the list.
    pub passed: bool,
    /// The kind of failure, such as an exception's class name, `wrong` or `timeout`; empty when it passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    pub failure: String,
}

/// How suspicious the lines of one file are, from the coverage of passing and failing cases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Suspicion {
    /// The file's path below the target's root.
    pub path: String,
    /// Line (from 1) and suspicion (Ochiai, 0 to 1) of every line that some failing case ran.
    pub lines: Vec<(u32, f32)>,
}

/// A paired comparison of a noisy objective with the parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Comparison {
    /// The objective's name.
    pub objective: String,
    /// Interleaved pairs measured.
    pub pairs: u32,
    /// Median of child over parent; below 1 the child is cheaper.
    pub ratio: f64,
    /// Bounds of the interval for the ratio that the sequential test used.
    pub interval: (f64, f64),
    /// `better`, `worse` or `tie`: a tie takes over the parent's score, so that noise never counts as progress.
    pub verdict: ComparisonVerdict,
}

/// What a paired comparison decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ComparisonVerdict {
    /// The interval lies on the child's side of the dead band.
    Better,
    /// The interval lies on the parent's side of the dead band.
    Worse,
    /// Neither could be shown within the allowed pairs.
    Tie,
}

/// The outcome of running a candidate. Everything that was measured is here; the log keeps it whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Evaluation {
    /// How it ended, in one word.
    pub outcome: Outcome,
    /// More about that word: the limit, the signal, what was denied.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    pub detail: String,
    /// The isolation level it ran at: `L1`, `L2` or `L3`.
    pub isolation: String,
    /// How far the judge was kept apart.
    pub separation: Separation,
    /// The gates in the order they were taken; the cascade ends at the first that failed.
    pub checks: Vec<CheckResult>,
    /// Scores of the objectives measured before the cascade ended. Complete exactly when the candidate ran through.
    #[cfg_attr(test, ts(as = "BTreeMap<String, f64>"))]
    pub scores: Scores,
    /// Every further raw number that the evaluator reported.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<BTreeMap<String, f64>>"))]
    pub metrics: BTreeMap<String, f64>,
    /// Cases that were run, in a stable order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<CaseResult>>"))]
    pub cases: Vec<CaseResult>,
    /// Cases that exist, run or not.
    #[serde(default)]
    pub cases_total: u32,
    /// Where the fault may lie, when cases failed and localisation was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Suspicion>>"))]
    pub suspicion: Vec<Suspicion>,
    /// Paired comparisons with the parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Comparison>>"))]
    pub comparisons: Vec<Comparison>,
    /// What the sandbox denied, with counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<BTreeMap<String, u32>>"))]
    pub denials: BTreeMap<String, u32>,
    /// The end of the candidate's output and error output, at most [`MAX_LOG_BYTES`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    pub log: String,
    /// What the evaluation cost.
    pub cost: Cost,
}

/// Largest size of [`Evaluation::log`], in bytes.
pub const MAX_LOG_BYTES: usize = 8 * 1024;

impl Evaluation {
    /// The first gate that did not pass, if any.
    pub fn failed_check(&self) -> Option<&CheckResult> {
        self.checks.iter().find(|check| !check.passed)
    }

    /// How many cases passed.
    pub fn cases_passed(&self) -> u32 {
        u32::try_from(self.cases.iter().filter(|case| case.passed).count()).unwrap_or(u32::MAX)
    }
}
