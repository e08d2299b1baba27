//! The `peer_knowledge` proposer: packages that peers sent and that fit this program well enough, adapted to the parent at
//! hand, each once. What a proposal came to is remembered, and with it the trust in whoever sent the package.
//!
//! A package is only ever a proposal: it is screened, committed and evaluated like any other.

use evolution::acceptance::{ABORTED_GATE, MACHINERY_GATE};
use evolution::candidate::{Cost, Outcome, Proposal};
use evolution::id::Number;
use evolution::ports::{
    CandidateView, Clock, FeedbackResult, OperatorPrior, ProposalFeedback, ProposalRequest, Proposer,
    ProposerError,
};
use knowledge::{Goal, Judgement, LocalContext, Memory, Remembered, adapt, compatibility};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The proposer's name.
pub const NAME: &str = "peer_knowledge";
/// Its one operator.
const OPERATOR: &str = "adapt";
/// Packages that are tried on one parent for one proposal.
const MAX_TRIES: usize = 16;
/// What is expected of a package before any was tried, and how many observations that belief is worth: it improved one
/// program already and fits this one, and what comes of the first few is to be heard.
const EXPECTED_YIELD: f64 = 0.5;
const BELIEF: f64 = 4.0;

/// What the proposer needs to know of its run.
pub struct Options {
    /// What came from peers.
    pub memory: Memory,
    /// The time, for what is remembered.
    pub clock: Arc<dyn Clock>,
    /// The program's name.
    pub target: String,
    /// The run's name: a package is judged once in a run.
    pub run: String,
    /// What the program is judged by.
    pub objectives: Vec<Goal>,
    /// Names of those objectives that count test cases.
    pub counting_cases: BTreeSet<String>,
    /// Least compatibility of a package that is tried, 0 to 1.
    pub threshold: f64,
}

/// The proposer.
pub struct PeerKnowledge {
    options: Options,
    /// Digests of packages handed out.
    used: HashSet<String>,
    /// Packages that did not fit a parent, by both.
    unfit: HashSet<(Number, String)>,
}

impl PeerKnowledge {
    /// A proposer that has proposed nothing yet.
    pub fn new(options: Options) -> Self {
        Self { options, used: HashSet::new(), unfit: HashSet::new() }
    }

    /// Packages that may be tried on a parent: those first that say to solve most of what it fails, and of equals the newest,
    /// for what a peer tells later mostly holds what it told before, which then has nothing left to bring.
    fn waiting(&self, parent: &CandidateView) -> Result<Vec<Remembered>, ProposerError> {
        let queued = self.options.memory.queued(&self.options.target).map_err(failed)?;
        let cases: HashMap<&str, bool> =
            parent.evaluation.cases.iter().map(|case| (case.name.as_str(), case.passed)).collect();
        let untried = |digest: &String| {
            !self.used.contains(digest) && !self.unfit.contains(&(parent.number, digest.clone()))
        };
        let mut waiting: Vec<(usize, Remembered)> = queued
            .into_iter()
            .rev()
            .filter(|one| untried(&one.package.digest))
            .filter_map(|one| Some((one.package.promise(&cases, &self.options.counting_cases)?, one)))
            .collect();
        waiting.sort_by_key(|(promise, _)| Reverse(*promise));
        Ok(waiting.into_iter().map(|(_, one)| one).collect())
    }

    /// How well a package fits now: the program as it was or the parent that was made of it, whichever it fits better. What
    /// was changed here makes it no stranger to the program.
    fn score(&self, one: &Remembered, request: &ProposalRequest) -> Result<f64, ProposerError> {
        let trust = self.options.memory.trust(&one.from).map_err(failed)?.value();
        let fits = |view: &CandidateView| {
            let local = LocalContext { files: &view.files, objectives: &self.options.objectives, trust };
            compatibility(&one.package, &local).score
        };
        Ok(request.parents.iter().chain([&request.baseline]).map(fits).fold(0.0, f64::max))
    }
}

fn failed(error: knowledge::MemoryError) -> ProposerError {
    ProposerError::Failed(error.to_string())
}

impl Proposer for PeerKnowledge {
    fn name(&self) -> &str {
        NAME
    }

    fn operators(&self) -> Vec<OperatorPrior> {
        let name = OPERATOR.to_owned();
        vec![OperatorPrior { name, yield_mean: EXPECTED_YIELD, strength: BELIEF, parents: 1 }]
    }

    fn is_fed(&self) -> bool {
        true
    }

    fn propose(&mut self, request: &ProposalRequest) -> Result<Proposal, ProposerError> {
        let nothing = || ProposerError::Exhausted("nothing of peers waits that fits here".to_owned());
        let parent = request.parents.first().ok_or_else(nothing)?;
        for one in self.waiting(parent)?.into_iter().take(MAX_TRIES) {
            let digest = one.package.digest.clone();
            let score = self.score(&one, request)?;
            // The threshold held when the package came; trust may have fallen since.
            let patch =
                if score >= self.options.threshold { adapt(&one.package, &parent.files).ok() } else { None };
            let Some(patch) = patch else {
                self.unfit.insert((parent.number, digest));
                continue;
            };
            self.used.insert(digest.clone());
            let rationale = format!(
                "{} of {} from {}, compatibility {score:.2}",
                one.package.improvement_type, one.package.source_agent, one.from
            );
            return Ok(Proposal {
                patch,
                rationale,
                operator: request.operator.clone(),
                detail: json!({ "package": digest, "from": one.from, "compatibility": score }),
                cost: Cost::default(),
            });
        }
        Err(nothing())
    }

    fn observe(&mut self, feedback: &ProposalFeedback) {
        let Some(digest) = digest_of(&feedback.detail) else { return };
        self.used.insert(digest.to_owned());
        let judgement = match feedback.result {
            FeedbackResult::Accepted => Judgement::Improved,
            FeedbackResult::Archived => Judgement::Neutral,
            FeedbackResult::Rejected => match feedback.gate.as_str() {
                // Not measured.
                MACHINERY_GATE | ABORTED_GATE => return,
                // Every check was passed; it was given up as no better in its cases.
                gate if gate == Outcome::Wrong.word() => Judgement::Neutral,
                _ => Judgement::Failed,
            },
            // What was here already tells nothing about who sent it.
            FeedbackResult::Duplicate | FeedbackResult::Discarded => return,
        };
        let Options { memory, clock, target, run, .. } = &self.options;
        // Trust that could not be written down is learned from the next package.
        let _ = memory.judged((digest, target), run, judgement, clock.now_ms());
    }

    fn recall(&mut self, _: Number, _: &[Number], _: &str, detail: &Value) {
        self.used.extend(digest_of(detail).map(str::to_owned));
    }
}

fn digest_of(detail: &Value) -> Option<&str> {
    detail.get("package").and_then(Value::as_str)
}
