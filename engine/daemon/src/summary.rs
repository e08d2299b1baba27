//! What a run came to, as plain data for people and programs: built from the state alone. `report` prints it.

use crate::data::DataFolder;
use conductor::Ledger;
use evolution::event::{ProposalOutcome, StoppedBy};
use evolution::id::{CandidateId, CommitId};
use evolution::likeness::Embedded;
use evolution::state::{CandidateRecord, Fate, Phase, State};
use objectives::Scores;
use serde::Serialize;
use std::collections::BTreeMap;

/// Every outcome of a proposal, with its name on the wire.
pub(crate) const OUTCOMES: [(ProposalOutcome, &str); 7] = [
    (ProposalOutcome::Applied, "applied"),
    (ProposalOutcome::Duplicate, "duplicate"),
    (ProposalOutcome::Similar, "similar"),
    (ProposalOutcome::NoChange, "no_change"),
    (ProposalOutcome::DoesNotApply, "does_not_apply"),
    (ProposalOutcome::Refused, "refused"),
    (ProposalOutcome::Failed, "failed"),
];

/// One objective as readers need it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ObjectiveLine {
    pub(crate) name: String,
    pub(crate) direction: objectives::Direction,
    pub(crate) unit: Option<String>,
    pub(crate) weight: f64,
}

/// A candidate with its scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Scored {
    pub(crate) candidate_id: CandidateId,
    pub(crate) commit: CommitId,
    pub(crate) scores: Scores,
    /// Whether it passed every gate.
    pub(crate) viable: bool,
    /// Cases passed and cases known, where the target has cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cases: Option<(usize, usize)>,
    /// Share of the baseline won by objective, positive for better; absent for the baseline itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) improvement: Option<BTreeMap<String, f64>>,
}

/// Counts of a run. The fields are those of the contract; `rejected` counts candidates, not answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Counts {
    pub(crate) evaluations: u64,
    pub(crate) proposals: u64,
    pub(crate) duplicates: u64,
    pub(crate) viable: u64,
    pub(crate) rejected: u64,
    pub(crate) accepted: u64,
    pub(crate) proposal_outcomes: BTreeMap<&'static str, u64>,
    /// Rejections by gate.
    pub(crate) gates: BTreeMap<String, u64>,
    /// Evaluations by how they ended.
    pub(crate) evaluation_outcomes: BTreeMap<&'static str, u64>,
}

/// The answer of `darwind run --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunSummary {
    pub(crate) run_id: String,
    pub(crate) agent_id: String,
    pub(crate) target: String,
    pub(crate) seed: u64,
    pub(crate) stopped_by: &'static str,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    pub(crate) wall_s: f64,
    pub(crate) evaluator_s: f64,
    pub(crate) overhead_s: f64,
    pub(crate) isolation: String,
    pub(crate) objectives: Vec<ObjectiveLine>,
    pub(crate) baseline: Option<Scored>,
    pub(crate) best: Option<Scored>,
    pub(crate) front: Vec<CandidateId>,
    pub(crate) hypervolume: f64,
    pub(crate) champion_history: Vec<CandidateId>,
    /// What language models were asked for; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) llm: Option<ModelLine>,
    /// How many of the programs have an embedding; absent when none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) embeddings: Option<EmbeddingLine>,
    pub(crate) data_dir: String,
}

impl RunSummary {
    /// Sums a run up. `interrupted` is a run that can be resumed, whatever its log says.
    pub(crate) fn new(state: &State, ledger: &Ledger, interrupted: bool, data: &DataFolder) -> Self {
        let ids = |numbers: &[u32]| numbers.iter().map(|number| state.id(*number)).collect();
        Self {
            run_id: state.run.run_id.to_string(),
            agent_id: state.run.agent_id.clone(),
            target: state.run.target.clone(),
            seed: state.run.seed,
            stopped_by: stopped_by(state, interrupted),
            counts: counts(state),
            wall_s: ledger.wall_s,
            evaluator_s: ledger.evaluator_s,
            overhead_s: ledger.overhead_s,
            isolation: state.isolation.clone(),
            objectives: objective_lines(state),
            baseline: baseline(state),
            best: best(state),
            front: ids(&state.front),
            hypervolume: state.hypervolume,
            champion_history: ids(&state.champion_history),
            llm: model_line(state),
            embeddings: embedding_line(state),
            data_dir: data.path().display().to_string(),
        }
    }
}

/// What language models were asked for and what that cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct ModelLine {
    pub(crate) calls: u64,
    pub(crate) tokens: TokenCounts,
    /// In US dollars; `None` where a price is not known.
    pub(crate) cost_usd: Option<f64>,
}

/// Tokens, as endpoints report them: those read include those from a cache, those written those of thinking.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct TokenCounts {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) reasoning: u64,
    pub(crate) output: u64,
}

/// How many programs have an embedding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct EmbeddingLine {
    /// Programs with one, the baseline among them.
    pub(crate) known: u64,
    /// Programs for which one was asked and not had: they are compared by their syntax trees.
    pub(crate) missing: u64,
    /// Why the latest of those has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
}

/// The line of a run that has an embedding model.
fn embedding_line(state: &State) -> Option<EmbeddingLine> {
    let Embedded { known, missing, reason } = state.embedded();
    (known + missing > 0).then(|| EmbeddingLine { known, missing, reason: reason.to_owned() })
}

/// The line of a run that has a language model, used or not.
fn model_line(state: &State) -> Option<ModelLine> {
    let llm = &state.llm;
    let has = state.arms.iter().any(|arm| arm.proposer == proposers::llm::NAME);
    (has || !llm.is_nothing()).then_some(ModelLine {
        calls: llm.calls,
        tokens: TokenCounts {
            input: llm.input,
            cached: llm.cached,
            reasoning: llm.reasoning,
            output: llm.output,
        },
        cost_usd: llm.cost_usd,
    })
}

fn stopped_by(state: &State, interrupted: bool) -> &'static str {
    match state.phase {
        Phase::Finished(by) if !interrupted => stopped_word(by),
        _ => "interrupt",
    }
}

/// What ended a run, as it stands on the wire.
pub(crate) fn stopped_word(by: StoppedBy) -> &'static str {
    match by {
        StoppedBy::Evaluations => "evaluations",
        StoppedBy::Time => "time",
        StoppedBy::LlmTokens => "llm_tokens",
        StoppedBy::LlmCostUsd => "llm_cost_usd",
        StoppedBy::Goal => "goal",
        StoppedBy::Interrupt => "interrupt",
        StoppedBy::Exhausted => "exhausted",
        StoppedBy::Failure => "failure",
    }
}

/// What a run is doing, in the words of the API.
pub(crate) fn phase_word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Running => "running",
        Phase::Paused => "paused",
        Phase::Finished(StoppedBy::Interrupt) => "stopped",
        Phase::Finished(StoppedBy::Failure) => "failed",
        Phase::Finished(_) => "finished",
    }
}

/// A candidate's fate in a word.
pub(crate) fn fate_word(fate: Fate) -> &'static str {
    match fate {
        Fate::Undecided => "undecided",
        Fate::Abandoned => "abandoned",
        Fate::Rejected => "rejected",
        Fate::Archived => "archived",
        Fate::Accepted => "accepted",
        Fate::Revoked => "revoked",
    }
}

/// The counts.
pub(crate) fn counts(state: &State) -> Counts {
    let counters = &state.counters;
    let by_outcome = OUTCOMES
        .map(|(outcome, name)| (name, counters.proposal_outcomes.get(&outcome).copied().unwrap_or(0)));
    Counts {
        evaluations: counters.evaluations,
        proposals: counters.proposals,
        duplicates: counters.proposal_outcomes.get(&ProposalOutcome::Duplicate).copied().unwrap_or(0),
        viable: counters.viable,
        rejected: counters.rejected,
        accepted: counters.accepted,
        proposal_outcomes: by_outcome.into_iter().collect(),
        gates: counters.gates.clone(),
        evaluation_outcomes: counters.outcomes.clone(),
    }
}

/// The objectives.
pub(crate) fn objective_lines(state: &State) -> Vec<ObjectiveLine> {
    let line = |objective: &objectives::Objective| ObjectiveLine {
        name: objective.name.clone(),
        direction: objective.direction,
        unit: objective.unit.clone(),
        weight: objective.weight,
    };
    state.run.objectives.iter().map(line).collect()
}

/// The unchanged target, once it was measured.
pub(crate) fn baseline(state: &State) -> Option<Scored> {
    state
        .baseline()
        .filter(|record| record.outcome.is_some())
        .map(|record| Scored { improvement: None, ..scored(state, record) })
}

/// The best that is known: the champion; while nobody is viable, whoever passes most, which is no winner yet.
pub(crate) fn best_record(state: &State) -> Option<&CandidateRecord> {
    if let Some(champion) = state.champion.filter(|_| !state.archived.is_empty()) {
        return state.candidate(champion);
    }
    let measured =
        state.candidates().filter(|record| record.outcome.is_some() && record.fate != Fate::Revoked);
    measured.fold(None, |best: Option<&CandidateRecord>, record| match best {
        Some(best) if (best.passed.len(), best.quality) >= (record.passed.len(), record.quality) => {
            Some(best)
        }
        _ => Some(record),
    })
}

/// The same with its scores.
pub(crate) fn best(state: &State) -> Option<Scored> {
    best_record(state).map(|record| scored(state, record))
}

/// A candidate with its scores and what it won.
pub(crate) fn scored(state: &State, record: &CandidateRecord) -> Scored {
    let known = state.case_names.len();
    let before = state.baseline().map(|baseline| &baseline.scores);
    let improvement = before.map(|before| state.run.objectives.improvement(before, &record.scores));
    Scored {
        candidate_id: state.id(record.number),
        commit: record.commit.clone(),
        scores: record.scores.clone(),
        viable: state.is_viable(record.number),
        cases: (known > 0).then(|| (record.passed.len(), known)),
        improvement,
    }
}
