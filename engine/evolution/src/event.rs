//! Everything that can happen in a run, as one closed enum. The log is made of these, and the state is their fold.
//!
//! Names are those of the wire; a field may be added with a default, never renamed. `VERSION` rises when a reader of
//! older logs would have to know.

use crate::candidate::{Cost, Evaluation};
use crate::id::{CandidateId, CommitId, Number, RunId};
use crate::ports::{OperatorPrior, Purpose};
use objectives::{ObjectiveSet, Scores};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the events' form that this code writes.
pub const VERSION: u32 = 1;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    ImprovementProposed(ImprovementProposed),
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
}

/// Payload of [`Event::RunStarted`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Form of the events that follow.
    pub version: u32,
    /// The run's name.
    pub run_id: RunId,
    /// The target's name.
    pub agent_id: String,
    /// Where the target lay when the run began; for people, never read again by the run.
    pub target: String,
    /// Seed of every decision.
    pub seed: u64,
    /// What is measured.
    pub objectives: ObjectiveSet,
    /// How the core decides.
    pub settings: crate::settings::Settings,
    /// What may be spent.
    pub budget: crate::settings::Budget,
    /// The proposers in use with their operators.
    pub proposers: Vec<ProposerInfo>,
    /// The unchanged target's snapshot.
    pub baseline: CommitId,
    /// Fingerprint of the unchanged target.
    pub fingerprint: String,
    /// The whole configuration as it was read, for `show` and for a resume.
    pub configuration: serde_json::Value,
}

/// A proposer and what it can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProposerInfo {
    /// Its name.
    pub name: String,
    /// Its operators.
    pub operators: Vec<OperatorPrior>,
}

/// Payload of [`Event::RunResumed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResumed {
    /// Why: a command, or a restart.
    pub reason: String,
    /// Evaluations under way when the last process ended: they are carried out again, and recorded once.
    pub in_flight: Vec<CandidateId>,
}

/// A payload of a reason alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reasoned {
    /// Why.
    pub reason: String,
}

/// What ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// The budget of evaluations is spent.
    Evaluations,
    /// The budget of time is spent.
    Time,
    /// Nothing better is possible: every objective sits at its bound.
    Goal,
    /// A person or a signal stopped it.
    Interrupt,
    /// No proposer has anything left, or the budget of proposals is spent.
    Exhausted,
    /// The baseline did not pass, or the machinery gave up.
    Failure,
}

/// Payload of [`Event::RunFinished`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    /// What ended it.
    pub stopped_by: StoppedBy,
    /// More about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A command from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Dispatch nothing new until resumed.
    PauseEvolution,
    /// Go on.
    ResumeEvolution,
    /// End the run now; what is under way is finished first.
    StopEvolution,
    /// Move the champion to this candidate and verify it.
    RollbackModification {
        /// The candidate to go back to.
        modification_id: CandidateId,
    },
    /// Make this candidate the champion though the weights prefer another.
    Promote {
        /// The candidate.
        modification_id: CandidateId,
    },
    /// Change what may still be spent; absent budgets stay as they are.
    SetBudget {
        /// New limits.
        budget: crate::settings::Budget,
    },
}

/// Payload of [`Event::ControlReceived`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub refused: Option<String>,
}

/// Payload of [`Event::ProposalRequested`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProposalRequested {
    /// The number that the proposal will bear.
    pub number: Number,
    /// The proposer asked.
    pub proposer: String,
    /// The operator chosen.
    pub operator: String,
    /// Parents' numbers, the first being what the patch applies to.
    pub parents: Vec<Number>,
    /// Numbers of the archive members shown beside the parents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<Number>,
    /// Boldness at that moment.
    pub learning_rate: f64,
}

/// What a proposer's answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalOutcome {
    /// It became a candidate.
    Applied,
    /// Its program was evaluated before.
    Duplicate,
    /// It changes nothing, or the proposer had nothing to offer.
    NoChange,
    /// Its change does not fit the parent.
    DoesNotApply,
    /// It touches a protected path, or is too large.
    Refused,
    /// The proposer failed.
    Failed,
}

/// Payload of [`Event::ProposalDiscarded`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProposalDiscarded {
    /// Its number.
    pub number: Number,
    /// What it came to; never `applied`.
    pub outcome: ProposalOutcome,
    /// Why.
    pub reason: String,
    /// The proposer has nothing left for this parent and operator.
    #[serde(default)]
    pub exhausted: bool,
    /// The candidate with the same program, for a duplicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<CandidateId>,
    /// What its proposer noted down, if there was a proposal at all.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub detail: serde_json::Value,
}

/// Payload of [`Event::ImprovementProposed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImprovementProposed {
    /// The candidate's name.
    pub modification_id: CandidateId,
    /// Its number.
    pub number: Number,
    /// Its parents.
    pub parents: Vec<CandidateId>,
    /// Who proposed it.
    pub proposer: String,
    /// With which operator.
    pub operator: String,
    /// Why.
    pub rationale: String,
    /// Its snapshot.
    pub commit: CommitId,
    /// Its program's fingerprint.
    pub fingerprint: String,
    /// Files that it changes against its first parent.
    pub files: Vec<String>,
    /// Size of the change against the baseline: bytes of the files that differ, for ties between equal candidates.
    #[serde(default)]
    pub changed_bytes: u64,
    /// What its proposer noted down.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub detail: serde_json::Value,
    /// What the proposal cost.
    pub cost: Cost,
}

/// Payload of [`Event::ValidationStarted`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationStarted {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its number.
    pub number: Number,
    /// Why it is evaluated.
    pub purpose: Purpose,
}

/// Payload of [`Event::ValidationCompleted`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationCompleted {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its number.
    pub number: Number,
    /// Why it was evaluated.
    pub purpose: Purpose,
    /// What was measured.
    pub evaluation: Box<Evaluation>,
}

/// Payload of [`Event::EvaluationFailed`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationFailed {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its number.
    pub number: Number,
    /// Why it was evaluated.
    pub purpose: Purpose,
    /// Which try this was, from 1.
    pub attempt: u32,
    /// What went wrong.
    pub reason: String,
    /// Whether it is given up now.
    pub given_up: bool,
}

/// Payload of [`Event::ImprovementApplied`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImprovementApplied {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its scores.
    pub scores: Scores,
    /// Share of the baseline won, by objective; positive is better.
    pub improvement: BTreeMap<String, f64>,
    /// The improvement over the first parent, weighted over the objectives: the seeds' `performance_delta`.
    pub performance_delta: f64,
    /// Why, for people.
    pub reason: String,
}

/// Payload of [`Event::ImprovementArchived`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImprovementArchived {
    /// The candidate.
    pub modification_id: CandidateId,
    /// Its scores.
    pub scores: Scores,
    /// Weighted improvement over the first parent; may be negative.
    pub performance_delta: f64,
    /// Why it is no improvement.
    pub reason: String,
}

/// Payload of [`Event::ImprovementRejected`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImprovementRejected {
    /// The candidate.
    pub modification_id: CandidateId,
    /// The gate that it failed at: a check's name, `threshold`, or `machinery`.
    pub gate: String,
    /// Why.
    pub reason: String,
}

/// Payload of [`Event::ChampionChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChampionChanged {
    /// The champion now.
    pub modification_id: CandidateId,
    /// Its snapshot.
    pub commit: CommitId,
    /// The champion before, absent at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<CandidateId>,
    /// Why: `baseline`, `improvement`, `rollback`, `promotion`.
    pub reason: String,
}

/// Payload of [`Event::FrontChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrontChanged {
    /// Members that came.
    pub joined: Vec<CandidateId>,
    /// Members that went.
    pub left: Vec<CandidateId>,
    /// Members now.
    pub size: usize,
    /// Hypervolume of the front in the unit box spanned by what the run has seen; see `State::hypervolume`.
    pub hypervolume: f64,
}

/// Payload of [`Event::LearningRateChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub retry_at_ms: Option<i64>,
}

/// Payload of the budget events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetNote {
    /// Which budget: `evaluations`, `proposals`, `time`.
    pub budget: String,
    /// Spent so far.
    pub spent: f64,
    /// The limit.
    pub limit: f64,
}

/// Payload of [`Event::BudgetChanged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetChanged {
    /// The budget now.
    pub budget: crate::settings::Budget,
    /// Why.
    pub reason: String,
}

/// Payload of [`Event::SafetyViolation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
            Self::LearningRateChanged(_) => "learning_rate_changed",
            Self::BreakerChanged(_) => "breaker_changed",
            Self::BudgetWarning(_) => "budget_warning",
            Self::BudgetExhausted(_) => "budget_exhausted",
            Self::BudgetChanged(_) => "budget_changed",
            Self::SafetyViolation(_) => "safety_violation",
            Self::PerformanceThresholdExceeded(_) => "performance_threshold_exceeded",
            Self::RollbackInitiated(_) => "rollback_initiated",
            Self::RollbackCompleted(_) => "rollback_completed",
        }
    }
}
