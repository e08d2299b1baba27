//! The state of a run: nothing but the fold of its events. Whoever holds the log can have it, at any sequence number.
//!
//! This file says what the state is; `fold.rs` says how each event changes it. Nothing here decides.

use crate::breaker::Breaker;
use crate::candidate::{Cost, Evaluation, ModelUsage, Outcome};
use crate::cases::CaseSet;
use crate::choice::Choice;
use crate::event::{ProposalOutcome, ProposalRequested, RunStarted, StoppedBy};
use crate::front::Peaks;
use crate::id::{BASELINE, CandidateId, CommitId, Number};
use crate::learning_rate::LearningRate;
use crate::lineage::Lineage;
use crate::niches::{Niche, Niches};
use crate::part::Part;
use crate::ports::Purpose;
use crate::settings::Budget;
use crate::shape::Shape;
use crate::stagnation::Stagnation;
use objectives::Scores;
use objectives::fronts::RankedArchive;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Name of the breaker that guards the evaluator.
pub const EVALUATOR_BREAKER: &str = "evaluator";
/// Name of the breaker that guards the whole run.
pub const RUN_BREAKER: &str = "run";

/// Name of the breaker that guards one proposer.
pub fn proposer_breaker(proposer: &str) -> String {
    format!("proposer:{proposer}")
}

/// What a run is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The baseline is being measured.
    Pending,
    /// Proposals flow.
    Running,
    /// Nothing new is dispatched.
    Paused,
    /// It is over; only commands about the champion are still obeyed.
    Finished(StoppedBy),
}

/// Where a proposal is on its way.
#[derive(Debug, Clone)]
pub enum Slot {
    /// Its proposer has not answered yet.
    Requested(ProposalRequested),
    /// It never became a candidate.
    Discarded(ProposalOutcome),
    /// It is a candidate.
    Candidate(Box<CandidateRecord>),
}

/// The fate of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its verdict is not given yet.
    Undecided,
    /// The run ended before its evaluation was started.
    Abandoned,
    /// Not viable.
    Rejected,
    /// Viable, and no improvement.
    Archived,
    /// Viable, and an improvement when it came.
    Accepted,
    /// Was viable; a second judgement took that back.
    Revoked,
}

/// What the state keeps of a candidate; the rest is in the log at `evaluation_seq`.
#[derive(Debug, Clone)]
pub struct CandidateRecord {
    /// Its place in the run.
    pub number: Number,
    /// Its parents, the first being what its patch applies to; none for the baseline.
    pub parents: Vec<Number>,
    /// Index into [`State::arms`]; `None` for the baseline.
    pub arm: Option<usize>,
    /// Its snapshot.
    pub commit: CommitId,
    /// Why it was proposed, in a sentence.
    pub rationale: Arc<str>,
    /// Files that it changes against its first parent.
    pub files: Vec<String>,
    /// Bytes of files that differ from the baseline's.
    pub changed_bytes: u64,
    /// What its program looks like.
    pub shape: Arc<Shape>,
    /// Metrics that the archive policy looks at.
    pub features: BTreeMap<String, f64>,
    /// Where it was placed among the parents, if it was worth it and there are places.
    pub niche: Option<Niche>,
    /// What its proposer noted down.
    pub detail: Arc<serde_json::Value>,
    /// Its fate.
    pub fate: Fate,
    /// The gate at which it was rejected, and why; empty otherwise.
    pub gate: String,
    /// The verdict's reason.
    pub reason: String,
    /// How its evaluation ended, once it did.
    pub outcome: Option<Outcome>,
    /// Scores measured, complete exactly when it ran through.
    pub scores: Scores,
    /// Cases passed.
    pub passed: CaseSet,
    /// Cases run, passed or not.
    pub ran: CaseSet,
    /// What its evaluation cost.
    pub cost: Cost,
    /// Which event (counted from 1) holds its evaluation; 0 before.
    pub evaluation_seq: u64,
    /// Quality in 0 to 1 for parent selection; see `archive::quality`.
    pub quality: f64,
    /// How often it was chosen as a parent.
    pub chosen: u32,
    /// Its index in the ranked archive, if it is viable.
    pub archive_index: Option<usize>,
    /// Tries of its evaluation that failed for the machinery's sake.
    pub failed_attempts: u32,
}

/// A choice of proposer and operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// The proposer's name.
    pub proposer: String,
    /// The operator's name.
    pub operator: String,
    /// How many parents it wants.
    pub parents: u8,
    /// It offers only what came from peers.
    pub fed: bool,
    /// What came of it.
    pub yields: Yields,
}

/// What a proposer's operator brought. As with all counts, a later revocation takes nothing back: they say how candidates
/// were judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Yields {
    /// Candidates.
    pub tries: u64,
    /// Candidates that passed every gate.
    pub viable: u64,
    /// Candidates that improved on what was known.
    pub accepted: u64,
}

/// Counts of what happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Candidates whose evaluation was started, the baseline not included.
    pub evaluations: u64,
    /// Answers of proposers.
    pub proposals: u64,
    /// Answers by what they came to.
    pub proposal_outcomes: BTreeMap<ProposalOutcome, u64>,
    /// Candidates that passed every gate, the baseline not included.
    pub viable: u64,
    /// Candidates that improved on what was known.
    pub accepted: u64,
    /// Candidates that failed a gate.
    pub rejected: u64,
    /// Rejections by gate.
    pub gates: BTreeMap<String, u64>,
    /// Evaluations by how they ended.
    pub outcomes: BTreeMap<&'static str, u64>,
}

/// A rollback under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The candidate to go back to.
    pub to: Number,
    /// The champion that is left.
    pub from: Number,
}

/// An evaluation under way, or done and waiting for its turn.
#[derive(Debug, Clone)]
pub enum Trial {
    /// Started, not ended.
    UnderWay,
    /// Ended; its verdict waits for earlier numbers.
    Done(Box<Evaluation>),
}

/// The state of a run.
#[derive(Debug, Clone)]
pub struct State {
    /// How the run began.
    pub run: Arc<RunStarted>,
    /// What it is doing.
    pub phase: Phase,
    /// Every proposal by number; the first is the baseline.
    pub slots: Vec<Slot>,
    /// The choices of proposer and operator.
    pub arms: Vec<Arm>,
    /// What was learnt of them.
    pub choice: Choice,
    /// (Parent, arm) pairs that have nothing left to offer.
    pub exhausted: HashSet<(Number, usize)>,
    /// The part of the search to look at first, while peers search the same program.
    pub part: Option<Part>,
    /// Keys of the news of peers that are recorded: see [`crate::event::News::key`].
    pub heard: BTreeSet<String>,
    /// News of peers that are recorded.
    pub news: usize,
    /// Packages of peers that waited for this run, tried or not.
    pub packages: usize,
    /// How many of them were tried.
    pub packages_tried: usize,
    /// Those that had come when one was last asked for.
    pub packages_asked: usize,
    /// Names of cases by index.
    pub case_names: Vec<String>,
    /// Index of a case by name.
    pub case_index: HashMap<String, usize>,
    /// First candidate with a fingerprint.
    pub fingerprints: HashMap<String, Number>,
    /// Viable candidates by Pareto rank.
    pub archive: RankedArchive,
    /// Numbers of the archive's members by its index.
    pub archived: Vec<Number>,
    /// Members of the first front in order of arrival.
    pub front: Vec<Number>,
    /// The same by distinct points.
    pub peaks: Peaks,
    /// Hypervolume of the front; see `archive::hypervolume`.
    pub hypervolume: f64,
    /// Candidates worth being a parent (see `archive::is_stepping_stone`) that the archive policy keeps.
    pub eligible: Vec<Number>,
    /// Behaviours (cases and scores) among the eligible, so that neutral variants do not crowd them; by island, where
    /// there are some. A grid and a novelty archive tell variants apart by themselves.
    pub behaviours: HashSet<(u32, u64)>,
    /// The places of the eligible.
    pub niches: Niches,
    /// Decided evaluations at the latest migration.
    pub migrated_at: u64,
    /// What is known of progress.
    pub stagnation: Stagnation,
    /// Who descends from whom.
    pub lineage: Lineage,
    /// The candidate that is applied now.
    pub champion: Option<Number>,
    /// Champions in order, the baseline first.
    pub champion_history: Vec<Number>,
    /// A person chose the champion; only candidates from this number on may replace it by themselves.
    pub pinned_below: Number,
    /// A person chose the champion to stay, whatever is found.
    pub pinned: bool,
    /// Candidates whose evaluation somebody asked to end, with the reason, until their verdict.
    pub aborted: BTreeMap<Number, String>,
    /// Boldness.
    pub learning_rate: LearningRate,
    /// Circuit breakers by name.
    pub breakers: BTreeMap<String, Breaker>,
    /// Counts.
    pub counters: Counters,
    /// What may be spent.
    pub budget: Budget,
    /// Budgets already warned of.
    pub warned: HashSet<String>,
    /// Every number up to this one has its verdict or was discarded.
    pub decided: Number,
    /// Evaluations under way, by number and purpose.
    pub trials: BTreeMap<(Number, Purpose), Trial>,
    /// A rollback under way.
    pub rollback: Option<Rollback>,
    /// Candidates whose second judgement agreed with the first.
    pub verified: HashSet<Number>,
    /// Evaluations decided when every bounded objective first stood at its bound: decided, not started, so that the end of
    /// the run does not depend on how far later numbers have come.
    pub goal_at: Option<u64>,
    /// Ids of commands seen.
    pub commands: HashSet<String>,
    /// What the baseline itself is denied by the sandbox: no violation of a candidate's.
    pub tolerated: BTreeMap<String, u32>,
    /// Relative noise of objectives, measured on the baseline.
    pub noise: BTreeMap<String, f64>,
    /// Evaluations among the decided numbers: what the budget is held against, so that a decision never depends on
    /// how far later numbers have come.
    pub evaluations_decided: u64,
    /// What language models were asked for, by every proposal that was answered.
    pub llm: ModelUsage,
    /// The budget that could not bear a proposal any more.
    pub out_of: Option<StoppedBy>,
    /// Proposals in a row that came to nothing, up to the latest decided number.
    pub barren: u32,
    /// The isolation level of the latest evaluation.
    pub isolation: String,
    /// Events folded.
    pub seq: u64,
    /// Milliseconds in which earlier processes drove the run.
    pub earlier_ms: i64,
    /// When the present process began to drive it.
    pub session_started_ms: i64,
    /// When the latest event was recorded.
    pub last_ms: i64,
}

impl State {
    /// A candidate's record.
    pub fn candidate(&self, number: Number) -> Option<&CandidateRecord> {
        match self.slots.get(number as usize) {
            Some(Slot::Candidate(record)) => Some(record),
            _ => None,
        }
    }

    pub(crate) fn candidate_mut(&mut self, number: Number) -> Option<&mut CandidateRecord> {
        match self.slots.get_mut(number as usize) {
            Some(Slot::Candidate(record)) => Some(record),
            _ => None,
        }
    }

    /// Every candidate in the order of numbers, the baseline first.
    pub fn candidates(&self) -> impl Iterator<Item = &CandidateRecord> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Candidate(record) => Some(record.as_ref()),
            _ => None,
        })
    }

    /// The baseline's record. It is there from the first event on.
    pub fn baseline(&self) -> Option<&CandidateRecord> {
        self.candidate(BASELINE)
    }

    /// A candidate's name.
    pub fn id(&self, number: Number) -> CandidateId {
        self.run.run_id.candidate(number)
    }

    /// The number that the next proposal will bear.
    pub fn next_number(&self) -> Number {
        Number::try_from(self.slots.len()).unwrap_or(Number::MAX)
    }

    /// Whether a candidate has passed every gate.
    pub fn is_viable(&self, number: Number) -> bool {
        self.candidate(number).is_some_and(|record| matches!(record.fate, Fate::Archived | Fate::Accepted))
    }

    /// Whether some case that is known fails on the baseline.
    pub fn baseline_fails_cases(&self) -> bool {
        self.baseline().is_some_and(|baseline| baseline.passed.len() < self.case_names.len())
    }

    /// Milliseconds in which a process has driven this run, up to `now_ms`.
    pub fn active_ms(&self, now_ms: i64) -> i64 {
        match self.phase {
            Phase::Finished(_) => self.earlier_ms,
            _ => self.earlier_ms + (now_ms - self.session_started_ms).max(0),
        }
    }

    /// Numbers on their way: asked for, and neither discarded nor judged.
    pub fn in_flight(&self) -> impl Iterator<Item = Number> + '_ {
        (self.decided + 1..self.next_number()).filter(|number| match self.slots.get(*number as usize) {
            Some(Slot::Requested(_)) => true,
            Some(Slot::Candidate(record)) => record.fate == Fate::Undecided,
            _ => false,
        })
    }

    /// The proposer and operator that made a candidate; `None` for the baseline.
    pub fn arm(&self, record: &CandidateRecord) -> Option<&Arm> {
        record.arm.and_then(|arm| self.arms.get(arm))
    }

    /// Pareto rank of a viable candidate, from 1.
    pub fn rank(&self, number: Number) -> Option<u32> {
        self.candidate(number)?.archive_index.map(|index| self.archive.rank(index))
    }
}
