//! The traits through which the core's orders are carried out. The conductor knows these and no implementation.
//!
//! All of them block; the executor gives each proposer and each evaluator a thread of its own.

use crate::candidate::{Cost, Evaluation, ModelUsage, Patch, Proposal, SourceFiles};
use crate::event::StoppedBy;
use crate::id::{CandidateId, CommitId, Number};
use crate::part::Part;
use crate::shape::Shape;
use objectives::Scores;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A candidate as a proposer sees it.
#[derive(Debug, Clone)]
pub struct CandidateView {
    /// Its place in the run.
    pub number: Number,
    /// Its name.
    pub id: CandidateId,
    /// Its snapshot.
    pub commit: CommitId,
    /// Its files that may change.
    pub files: Arc<SourceFiles>,
    /// What was measured on it.
    pub evaluation: Arc<Evaluation>,
    /// What its own proposer noted down with it; null for the baseline.
    pub detail: Arc<serde_json::Value>,
}

/// A question to a proposer.
#[derive(Debug, Clone)]
pub struct ProposalRequest {
    /// The number that the proposal will bear.
    pub number: Number,
    /// The operator that the core chose among those declared.
    pub operator: String,
    /// One parent, or two for a crossover. Never empty.
    pub parents: Vec<CandidateView>,
    /// Other members of the archive worth learning from, best first. At most [`MAX_PEERS`].
    pub peers: Vec<CandidateView>,
    /// The unchanged program.
    pub baseline: CandidateView,
    /// How bold to be, 0.01 to 0.5.
    pub learning_rate: f64,
    /// The part of the search to look at first, where peers search the same program.
    pub part: Option<Part>,
    /// Seed for every random draw of this proposal.
    pub seed: u64,
}

/// Most peers in one [`ProposalRequest`].
pub const MAX_PEERS: usize = 16;

/// An operator that a proposer offers, with what is believed of it before the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OperatorPrior {
    /// Its name, unique within the proposer.
    pub name: String,
    /// Expected share of proposals that pay, 0 to 1: the mean of the Beta prior of the learned choice.
    pub yield_mean: f64,
    /// How many observations that belief is worth, above 0.
    pub strength: f64,
    /// Parents it wants: 1, or 2 for a crossover.
    pub parents: u8,
}

/// Why a proposer has no proposal.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProposerError {
    /// It has nothing (more) to offer for this parent with this operator: not a fault, and no lesson.
    #[error("nothing left to propose here: {0}")]
    Exhausted(String),
    /// It changes nothing.
    #[error("nothing is changed: {0}")]
    NoChange(String),
    /// Its change does not apply to the parent.
    #[error("the change does not apply: {0}")]
    DoesNotApply(String),
    /// Its change touches what may not change, or is too large.
    #[error("refused: {0}")]
    Refused(String),
    /// It failed: counts for the breaker.
    #[error("the proposer failed: {0}")]
    Failed(String),
    /// What it would have to spend is more than what this budget has left: the run ends.
    #[error("the budget is spent")]
    OutOfBudget(StoppedBy),
    /// One of the others, after something was paid for.
    #[error("{}", .0.error)]
    Spent(Box<Spent>),
}

/// What a proposal cost that came to nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    /// Why it came to nothing; not itself [`ProposerError::Spent`].
    pub error: ProposerError,
    /// As [`Proposal::detail`].
    pub detail: serde_json::Value,
    /// What was paid.
    pub cost: Cost,
}

/// What became of a proposal, told to its proposer in the order of the verdicts.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposalFeedback {
    /// The proposal's number.
    pub number: Number,
    /// Its parents' numbers.
    pub parents: Vec<Number>,
    /// Its operator.
    pub operator: String,
    /// What the proposer noted down with it.
    pub detail: serde_json::Value,
    /// How it ended.
    pub result: FeedbackResult,
    /// The gate that refused it, as [`crate::event::ImprovementRejected::gate`] has it; empty when none did.
    pub gate: String,
    /// Why, in the words of the log.
    pub reason: String,
    /// Scores it reached, when it was evaluated through.
    pub scores: Option<Scores>,
    /// Share of cases passed minus the first parent's share, when both are known; -1 to 1.
    pub cases_gained: Option<f64>,
    /// Cases failed, when all were run.
    pub cases_failed: Option<u32>,
}

/// How a proposal ended, as its proposer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackResult {
    /// Its program had been seen before, or one that is nearly the same.
    Duplicate,
    /// It never became a candidate for another reason.
    Discarded,
    /// It was evaluated and is not viable.
    Rejected,
    /// It is viable and improves nothing.
    Archived,
    /// It improves on what was known.
    Accepted,
}

/// The rest of a proposal, which may take long and needs nothing of its proposer any more.
pub type ProposalJob = Box<dyn FnOnce() -> Result<Proposal, ProposerError> + Send>;

/// Most jobs of one proposer under way at once.
pub const MAX_PARALLEL: usize = 32;

/// Suggests changes. Called from one thread; its memory is a fold of `observe` and of nothing else, so that a resumed
/// run, which observes the whole past again first, proposes what the unbroken run would have.
pub trait Proposer: Send {
    /// Its name in configuration and log: `ast`, `llm`, ...
    fn name(&self) -> &str;

    /// The operators that the core may choose among. Not empty.
    fn operators(&self) -> Vec<OperatorPrior>;

    /// Whether it offers only what came from peers: it is asked while such packages wait, and for nothing else, and what
    /// comes to nothing without an evaluation teaches nothing.
    fn is_fed(&self) -> bool {
        false
    }

    /// Makes one proposal. Proposals already handed out but not yet observed must be remembered too, so that they are
    /// not handed out again.
    fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ProposerError>;

    /// How many of its jobs may be under way at once, at most [`MAX_PARALLEL`]. 0: it leaves nothing to a job. Others wait
    /// for somebody else, and the end of a run does not wait for them.
    fn parallel(&self) -> usize {
        0
    }

    /// Begins a proposal: whatever depends on what was observed is settled before this returns, so that the answer is
    /// the same whenever the job is done. By default nothing is left to do.
    fn begin(&mut self, request: &ProposalRequest) -> ProposalJob {
        let answer = self.propose(request);
        Box::new(move || answer)
    }

    /// Hears what became of one of its proposals.
    fn observe(&mut self, feedback: &ProposalFeedback);

    /// Hears of a proposal that is on its way, made before a restart: it will be observed later.
    fn recall(&mut self, number: Number, parents: &[Number], operator: &str, detail: &serde_json::Value);
}

/// What a look at the files alone tells, before anything runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Screening {
    /// Equal for programs that are the same but for layout, comments and the like.
    pub fingerprint: String,
    /// Why the patch is refused (protected path, size, text outside the allowed blocks), if it is.
    pub refused: Option<String>,
    /// What the program looks like; nothing where nobody asked.
    pub shape: Shape,
    /// What it cost to have a model place the program.
    pub usage: ModelUsage,
}

/// Looks at files without running them.
pub trait Screener: Send + Sync {
    /// Screens `patch` on `parent`.
    fn screen(&self, parent: &SourceFiles, patch: &Patch) -> Screening;
}

/// Why an evaluation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To judge a new candidate: every shortcut of the cascade is allowed.
    Judge,
    /// To measure the unchanged program: everything is run, noise is measured, faults are located.
    Baseline,
    /// To verify a candidate afresh (a rollback, a winner): everything is run, nothing is reused, judges are varied.
    Verify,
}

/// An evaluation to carry out.
#[derive(Debug, Clone)]
pub struct EvaluationRequest {
    /// The candidate.
    pub number: Number,
    /// Why.
    pub purpose: Purpose,
    /// Its files that may change; all others are the baseline's.
    pub files: Arc<SourceFiles>,
    /// Its first parent, for paired measurements; absent for the baseline.
    pub parent: Option<CandidateView>,
    /// Names of cases, those that failed most for this lineage first; the rest follow in their own order.
    pub failing_first: Vec<String>,
    /// Ask for localisation when some cases fail and at least this many pass.
    pub localise_from: u32,
    /// Seed for the order of cases, canaries and nonces.
    pub seed: u64,
    /// Becomes true when nobody wants the answer any more: the evaluator ends what it runs, with its whole tree of
    /// processes, and answers at once, whatever it has.
    pub stop: Arc<AtomicBool>,
}

/// Why there is no evaluation: a fault of the machinery, never of the candidate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluatorError {
    /// The sandbox or the judge could not run; trying again may help.
    #[error("the evaluator failed: {0}")]
    Failed(String),
    /// Trying again cannot help: a missing interpreter, isolation below what is required.
    #[error("{0}")]
    Impossible(String),
}

/// Runs candidates, one at a time, on a thread of its own. A run has one for each worker.
pub trait Evaluator: Send {
    /// Evaluates.
    fn evaluate(&mut self, request: &EvaluationRequest) -> Result<Evaluation, EvaluatorError>;
}

/// A snapshot to be made.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    /// The candidate's name.
    pub id: CandidateId,
    /// Its place in the run.
    pub number: Number,
    /// Commits of its parents, the first being what `patch` applies to. Never empty.
    pub parents: Vec<CommitId>,
    /// The change.
    pub patch: Patch,
    /// First line of the message.
    pub summary: String,
    /// Trailers in order: key, value.
    pub trailers: Vec<(String, String)>,
    /// Time of the commit, in Unix milliseconds.
    pub time_ms: i64,
}

/// Why a snapshot could not be made or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("snapshot: {0}")]
pub struct SnapshotError(pub String);

/// Git memory. Used from one thread at a time.
pub trait Snapshots: Send {
    /// Commits a candidate and gives it a ref. The same request gives the same commit.
    fn commit(&mut self, request: &SnapshotRequest) -> Result<CommitId, SnapshotError>;

    /// The files of a commit that may change.
    fn files(&mut self, commit: &CommitId) -> Result<SourceFiles, SnapshotError>;

    /// Writes scores beside a commit as a note.
    fn annotate(
        &mut self,
        commit: &CommitId,
        scores: &BTreeMap<String, f64>,
        verdict: &str,
    ) -> Result<(), SnapshotError>;

    /// Moves the champion's ref, and verifies that it points there with the tree it should have.
    fn set_champion(&mut self, commit: &CommitId) -> Result<(), SnapshotError>;
}

/// Tells the time: the conductor asks, the core is told.
pub trait Clock: Send + Sync {
    /// Unix time in milliseconds, never going back within a run.
    fn now_ms(&self) -> i64;
}
