//! How the core decides and what may be spent: the numbers, with the seeds' defaults. Reading them from a file is the
//! daemon's work; here they are only data, and part of the log.

mod diversity;

pub use diversity::{
    ArchivePolicy, BUILT_IN_FEATURES, COMPLEXITY, DIVERSITY, GridSettings, IslandSettings, MAX_BINS,
    MAX_FEATURES, MAX_ISLANDS, MAX_NEIGHBOURS, MAX_PATIENCE, NoveltySettings, RestartSettings, SCORE,
};

use serde::{Deserialize, Serialize};

/// The core's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How parents are chosen.
    pub selection: SelectionPolicy,
    /// Which candidates are kept as parents.
    pub archive: ArchivePolicy,
    /// Cosine similarity of embeddings above which a proposal counts as a program that is known and is not evaluated, 0 to 1;
    /// `None`: whatever is proposed may be evaluated.
    pub similarity: Option<f64>,
    /// When the search starts anew; `None` for never.
    pub restart: Option<RestartSettings>,
    /// How many proposals may be under way or waiting for an earlier one's verdict. Verdicts are given in the order
    /// of the proposals' numbers, so a decision depends on this and never on which worker was quicker. 1 to
    /// [`MAX_LOOKAHEAD`].
    pub lookahead: u32,
    /// Share of proposals that start from the baseline while some of its cases fail: what leads away from it may lead
    /// nowhere. 0 to 1.
    pub root_share: f64,
    /// Evaluations after which the baseline's share ends, once another is the champion: what is one edit away has been
    /// tried by then.
    pub root_evaluations: u64,
    /// Share of the other proposals that start from the champion: climbing needs its best step again and again, the
    /// archive's breadth comes with the rest. 0 to 1; `None`: [`ArchivePolicy::champion_share`].
    pub champion_share: Option<f64>,
    /// Evaluations that a run goes on for after every objective has reached its bound, to find a simpler winner.
    pub polish: u32,
    /// The learning rate's rule.
    pub learning_rate: LearningRateSettings,
    /// The breakers' rule.
    pub breaker: BreakerSettings,
    /// Discount of old observations in the learned choice of operators, 0 to 1: an observation's weight falls by this
    /// factor with each later one of the same choice.
    pub bandit_discount: f64,
    /// Tries of one evaluation before it is given up, when the machinery fails. 1 to 10.
    pub evaluation_attempts: u32,
}

/// Largest lookahead.
pub const MAX_LOOKAHEAD: u32 = 4096;

impl Default for Settings {
    fn default() -> Self {
        Self {
            selection: SelectionPolicy::default(),
            archive: ArchivePolicy::default(),
            similarity: None,
            restart: None,
            lookahead: 16,
            root_share: 0.1,
            root_evaluations: 200,
            champion_share: None,
            polish: 16,
            learning_rate: LearningRateSettings::default(),
            breaker: BreakerSettings::default(),
            bandit_discount: 0.99,
            evaluation_attempts: 3,
        }
    }
}

/// How parents are chosen, by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectionPolicy {
    /// Sigmoid of the score over children (Darwin Gödel Machine, 2025).
    #[default]
    Dgm,
    /// Thompson sampling on the successes of a candidate's whole clade (Huxley-Gödel Machine, 2025).
    Clade,
    /// Binary tournament on Pareto rank, then crowding distance (NSGA-II, Deb et al. 2002).
    Pareto,
    /// Lexicase over test cases (Spector 2012).
    Lexicase,
    /// Every eligible parent alike.
    Uniform,
}

/// The adaptive learning rate's numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningRateSettings {
    /// Rate at the start.
    pub initial: f64,
    /// Smallest rate.
    pub min: f64,
    /// Largest rate.
    pub max: f64,
}

impl Default for LearningRateSettings {
    fn default() -> Self {
        Self { initial: 0.1, min: 0.01, max: 0.5 }
    }
}

/// The circuit breakers' numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerSettings {
    /// Whether breakers act at all.
    pub enabled: bool,
    /// Consecutive failures that open one.
    pub failure_threshold: u32,
    /// Milliseconds until an open one lets a trial through.
    pub recovery_timeout_ms: i64,
    /// Whether an applied change that proves worse is rolled back without asking.
    pub automatic_rollback: bool,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { enabled: true, failure_threshold: 5, recovery_timeout_ms: 300_000, automatic_rollback: true }
    }
}

/// What may be spent; the first one spent stops the run. `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Candidates whose evaluation is started, the baseline not included.
    pub evaluations: Option<u64>,
    /// Answers of proposers.
    pub proposals: Option<u64>,
    /// Milliseconds of wall time in which a process drives the run; pauses count, time between processes does not.
    pub time_ms: Option<i64>,
    /// Tokens of language models, read and written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub llm_tokens: Option<u64>,
    /// Price of language models, in US dollars. What has no known price does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub llm_cost_usd: Option<f64>,
}

impl Budget {
    /// These limits over others: a limit that is absent here stays what it is there.
    pub fn over(&self, other: &Self) -> Self {
        Self {
            evaluations: self.evaluations.or(other.evaluations),
            proposals: self.proposals.or(other.proposals),
            time_ms: self.time_ms.or(other.time_ms),
            llm_tokens: self.llm_tokens.or(other.llm_tokens),
            llm_cost_usd: self.llm_cost_usd.or(other.llm_cost_usd),
        }
    }
}
