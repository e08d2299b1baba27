//! What goes into the core and what comes out of it, as data: inputs, and decisions for others to act on.

use crate::candidate::{Cost, Evaluation};
use crate::event::{Command, Event, News, ProposalRequested};
use crate::id::{CommitId, Number};
use crate::ports::{EvaluatorError, ProposalFeedback, ProposerError, Purpose};
use crate::shape::Shape;
use objectives::Scores;

/// Something that wakes the core.
#[derive(Debug, Clone)]
pub enum Input {
    /// A proposer answered, and its answer was screened.
    ProposalAnswered {
        /// Which proposal.
        number: Number,
        /// The answer without its files, which the core does not need.
        answer: Result<Answer, ProposerError>,
    },
    /// A snapshot was made.
    SnapshotMade {
        /// Of which candidate.
        number: Number,
        /// The commit.
        commit: CommitId,
    },
    /// An evaluator answered.
    EvaluationAnswered {
        /// Which candidate.
        number: Number,
        /// Why it was evaluated.
        purpose: Purpose,
        /// What was measured, or why it could not be.
        result: Result<Box<Evaluation>, EvaluatorError>,
    },
    /// Somebody commands.
    Control {
        /// The command's own id.
        id: String,
        /// What is asked.
        command: Command,
        /// Why.
        reason: String,
    },
    /// Peers did something.
    News(News),
    /// Time has passed.
    Tick,
}

/// A proposal as far as the core is concerned.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Why, in a sentence.
    pub rationale: String,
    /// What the proposer noted down.
    pub detail: serde_json::Value,
    /// Equal for equal programs.
    pub fingerprint: String,
    /// Why the patch is refused, if it is.
    pub refused: Option<String>,
    /// Files that it changes; none when it changes nothing.
    pub files: Vec<String>,
    /// Bytes of files that differ from the baseline's.
    pub changed_bytes: u64,
    /// What the program looks like; nothing where nobody asked.
    pub shape: Shape,
    /// What it cost.
    pub cost: Cost,
}

/// What the core wants done.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Append this; only then carry out what follows it.
    Record(Box<Event>),
    /// Do this.
    Carry(Order),
}

/// Something to be done by a port.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Ask a proposer what was recorded; the seed is that of [`crate::picking::proposal_seed`].
    Propose(Box<ProposalRequested>),
    /// Commit the proposal; answer before anything else.
    Snapshot {
        /// The candidate.
        number: Number,
        /// Its parents.
        parents: Vec<Number>,
        /// Who proposed it.
        proposer: String,
        /// With which operator.
        operator: String,
    },
    /// Evaluate.
    Evaluate {
        /// The candidate.
        number: Number,
        /// Why.
        purpose: Purpose,
        /// Its first parent.
        parent: Option<Number>,
        /// Names of cases that its parent failed.
        failing_first: Vec<String>,
        /// Ask for localisation when at least this many cases pass.
        localise_from: u32,
        /// Seed of the evaluation.
        seed: u64,
    },
    /// End a candidate's evaluation that is under way; it is answered all the same.
    Abort {
        /// The candidate.
        number: Number,
    },
    /// Tell a proposer what became of its proposal.
    Observe {
        /// The proposer.
        proposer: String,
        /// What became of it.
        feedback: Box<ProposalFeedback>,
    },
    /// Write scores beside a commit.
    Annotate {
        /// The candidate.
        number: Number,
        /// Its scores.
        scores: Scores,
        /// The verdict in a word.
        verdict: &'static str,
    },
    /// Move the champion's ref.
    SetChampion {
        /// The candidate.
        number: Number,
    },
}
