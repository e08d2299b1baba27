//! Everything that can happen in a run, as one closed enum. The log is made of these, and the state is their fold.
//!
//! Names are those of the wire; a field may be added with a default, never renamed. `VERSION` rises when a reader of
//! older logs would have to know.

mod news;
mod parents;
mod proposals;
mod run;
mod verdicts;

pub use news::{KnowledgeReceived, KnowledgeShared, MAX_NEWS, News, PeerChanged, SearchDivided};
pub use parents::{Migrated, NicheChanged, SearchRestarted, Voyage};
pub use proposals::{ImprovementProposed, ProposalDiscarded, ProposalOutcome, ProposalRequested};
pub use run::{ProposerInfo, Reasoned, RunFinished, RunResumed, RunStarted, StoppedBy};
pub use verdicts::{
    ChampionChanged, EvaluationFailed, FrontChanged, ImprovementApplied, ImprovementArchived,
    ImprovementRejected, ValidationCompleted, ValidationStarted,
};

use crate::id::CandidateId;
use objectives::Scores;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the events' form that this code writes.
pub const VERSION: u32 = 1;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "event_type", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The run began; everything that its decisions depend on is here.
    RunStarted(Box<RunStarted>),
    /// The process that drives the run began to drive it again, after a stop or a crash.
    RunResumed(RunResumed),
    /// Somebody asked for a pause, or the breaker opened.
    RunPaused(Reasoned),
    /// The run ended.
    RunFinished(RunFinished),
    /// A command came in from outside.
    ControlReceived(ControlReceived),
    /// The core asked a proposer for a proposal: the intent, before the effect.
    ProposalRequested(ProposalRequested),
    /// A proposal did not become a candidate.
    ProposalDiscarded(ProposalDiscarded),
    /// A proposal became a candidate with a snapshot.
    ImprovementProposed(Box<ImprovementProposed>),
    /// An evaluation was ordered: the intent, before the effect.
    ValidationStarted(ValidationStarted),
    /// An evaluation ended.
    ValidationCompleted(ValidationCompleted),
    /// The machinery could not evaluate; the evaluation will be tried again or given up.
    EvaluationFailed(EvaluationFailed),
    /// The candidate improves on what was known: it joined the front.
    ImprovementApplied(ImprovementApplied),
    /// The candidate is viable and improves nothing; it may still be a parent.
    ImprovementArchived(ImprovementArchived),
    /// The candidate is not viable.
    ImprovementRejected(ImprovementRejected),
    /// The champion is another one now.
    ChampionChanged(ChampionChanged),
    /// The first front has other members now.
    FrontChanged(FrontChanged),
    /// A candidate was placed among the parents, or found no place.
    NicheChanged(NicheChanged),
    /// Parents of islands became parents of the next ones too.
    Migrated(Migrated),
    /// The search starts anew, with other parents.
    SearchRestarted(SearchRestarted),
    /// The learning rate moved.
    LearningRateChanged(LearningRateChanged),
    /// A breaker changed its state.
    BreakerChanged(BreakerChanged),
    /// Most of a budget is spent.
    BudgetWarning(BudgetNote),
    /// A budget is spent.
    BudgetExhausted(BudgetNote),
    /// A budget was changed from outside.
    BudgetChanged(BudgetChanged),
    /// The sandbox or a policy caught a candidate at something forbidden.
    SafetyViolation(SafetyViolation),
    /// An objective crossed its threshold.
    PerformanceThresholdExceeded(ThresholdCrossed),
    /// A rollback began: the intent.
    RollbackInitiated(RollbackInitiated),
    /// A rollback ended.
    RollbackCompleted(RollbackCompleted),
    /// A peer sent a package for this program.
    KnowledgeReceived(KnowledgeReceived),
    /// A peer was told of an improvement.
    KnowledgeShared(KnowledgeShared),
    /// A peer came, went, or stopped or began to answer.
    PeerChanged(PeerChanged),
    /// Others search the same program, or no longer.
    SearchDivided(SearchDivided),
}

/// A command from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Dispatch nothing new until resumed.
    PauseEvolution,
    /// Go on.
    ResumeEvolution,
    /// End the run now; what is under way is abandoned.
    StopEvolution,
    /// Move the champion to this candidate and verify it.
    RollbackModification {
        /// The candidate to go back to.
        modification_id: CandidateId,
    },
    /// Make this candidate the champion though the weights prefer another, until something newly found is better. A pin
    /// ends by it.
    Promote {
        /// The candidate.
        modification_id: CandidateId,
    },
    /// Make this candidate the champion, or leave it that, until another is promoted or rolled back to, or it is promoted
    /// itself: no improvement replaces it.
    Pin {
        /// The candidate.
        modification_id: CandidateId,
    },
    /// End this candidate's evaluation, which is under way; it is rejected without having been judged.
    AbortEvaluation {
        /// The candidate.
        modification_id: CandidateId,
    },
    /// Change what may be spent. The new budget holds whole: what it leaves out has no limit from now on.
    SetBudget {
        /// The new limits.
        budget: crate::settings::Budget,
    },
}

/// Payload of [`Event::ControlReceived`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ControlReceived {
    /// The command's own id: the same id twice is obeyed once.
    pub id: String,
    /// What was asked.
    pub command: Command,
    /// Why, in the words of who asked.
    #[serde(default)]
    pub reason: String,
    /// Absent when it was obeyed, else why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub refused: Option<String>,
}

/// Payload of [`Event::LearningRateChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LearningRateChanged {
    /// The rate before.
    pub from: f64,
    /// The rate now.
    pub to: f64,
    /// Share of successes over the last ten.
    pub success_rate: f64,
}

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Work flows.
    Closed,
    /// Nothing is dispatched.
    Open,
    /// One trial is under way.
    HalfOpen,
}

/// Payload of [`Event::BreakerChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BreakerChanged {
    /// What it guards: `run`, `evaluator`, or `proposer:NAME`.
    pub name: String,
    /// Before.
    pub from: BreakerState,
    /// Now.
    pub to: BreakerState,
    /// Why.
    pub reason: String,
    /// Unix milliseconds at which an open breaker lets a trial through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub retry_at_ms: Option<i64>,
}

/// Payload of the budget events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BudgetNote {
    /// Which budget: `evaluations`, `proposals`, `time` (in milliseconds), `llm_tokens`, `llm_cost_usd`.
    pub budget: String,
    /// Spent so far.
    pub spent: f64,
    /// The limit.
    pub limit: f64,
}

/// Payload of [`Event::BudgetChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BudgetChanged {
    /// The budget now.
    pub budget: crate::settings::Budget,
    /// Why.
    pub reason: String,
}

/// Payload of [`Event::SafetyViolation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SafetyViolation {
    /// The candidate.
    pub modification_id: CandidateId,
    /// What it tried, with counts.
    pub denials: BTreeMap<String, u32>,
    /// In a sentence.
    pub reason: String,
}

/// Payload of [`Event::PerformanceThresholdExceeded`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ThresholdCrossed {
    /// The candidate.
    pub modification_id: CandidateId,
    /// The objective.
    pub objective: String,
    /// Its value.
    pub value: f64,
    /// The threshold that it met while nothing before it had.
    pub threshold: f64,
}

/// Payload of [`Event::RollbackInitiated`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RollbackInitiated {
    /// The candidate to go back to.
    pub modification_id: CandidateId,
    /// The champion that is left.
    pub from: CandidateId,
    /// Why.
    pub reason: String,
}

/// Payload of [`Event::RollbackCompleted`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RollbackCompleted {
    /// The champion now, when it was verified.
    pub modification_id: CandidateId,
    /// The champion that was left.
    pub from: CandidateId,
    /// Whether the fresh measurement agrees with the snapshot's within the noise.
    pub verified: bool,
    /// What was compared.
    pub reason: String,
    /// The fresh scores.
    #[serde(default)]
    #[cfg_attr(test, ts(as = "BTreeMap<String, f64>"))]
    pub scores: Scores,
}

impl Event {
    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "run_started",
            Self::RunResumed(_) => "run_resumed",
            Self::RunPaused(_) => "run_paused",
            Self::RunFinished(_) => "run_finished",
            Self::ControlReceived(_) => "control_received",
            Self::ProposalRequested(_) => "proposal_requested",
            Self::ProposalDiscarded(_) => "proposal_discarded",
            Self::ImprovementProposed(_) => "improvement_proposed",
            Self::ValidationStarted(_) => "validation_started",
            Self::ValidationCompleted(_) => "validation_completed",
            Self::EvaluationFailed(_) => "evaluation_failed",
            Self::ImprovementApplied(_) => "improvement_applied",
            Self::ImprovementArchived(_) => "improvement_archived",
            Self::ImprovementRejected(_) => "improvement_rejected",
            Self::ChampionChanged(_) => "champion_changed",
            Self::FrontChanged(_) => "front_changed",
            Self::NicheChanged(_) => "niche_changed",
            Self::Migrated(_) => "migrated",
            Self::SearchRestarted(_) => "search_restarted",
            Self::LearningRateChanged(_) => "learning_rate_changed",
            Self::BreakerChanged(_) => "breaker_changed",
            Self::BudgetWarning(_) => "budget_warning",
            Self::BudgetExhausted(_) => "budget_exhausted",
            Self::BudgetChanged(_) => "budget_changed",
            Self::SafetyViolation(_) => "safety_violation",
            Self::PerformanceThresholdExceeded(_) => "performance_threshold_exceeded",
            Self::RollbackInitiated(_) => "rollback_initiated",
            Self::RollbackCompleted(_) => "rollback_completed",
            Self::KnowledgeReceived(_) => "knowledge_received",
            Self::KnowledgeShared(_) => "knowledge_shared",
            Self::PeerChanged(_) => "peer_changed",
            Self::SearchDivided(_) => "search_divided",
        }
    }
}
