//! What of a run's state is shown, as the wire's plain data. Pure: a state in, words out, so that it can be had at any
//! sequence number.

use crate::clock::timestamp;
use crate::wire::ScoresByName;
use crate::wire::candidate::{
    Candidate, CandidateHead, Case, Check, Comparison, Cost, Front, LineagePoint, Niche, Scored, Status,
    Suspicion, Told, Verdict,
};
use crate::wire::run::{
    Arm, Breaker, BreakerWord, Budget, Counters, Direction, Objective, Phase, Run, RunHead, Spent,
};
use evolution::candidate::Evaluation;
use evolution::event::{BreakerState, ProposalOutcome, StoppedBy};
use evolution::id::{BASELINE, Number};
use evolution::state::{self, CandidateRecord, Fate, State};
use serde::Serialize;
use serde_json::Value;

/// What a run is doing.
pub(crate) fn phase(phase: &state::Phase) -> Phase {
    match phase {
        state::Phase::Pending => Phase::Pending,
        state::Phase::Running => Phase::Running,
        state::Phase::Paused => Phase::Paused,
        state::Phase::Finished(StoppedBy::Interrupt) => Phase::Stopped,
        state::Phase::Finished(StoppedBy::Failure) => Phase::Failed,
        state::Phase::Finished(_) => Phase::Finished,
    }
}

/// What became of a candidate.
pub(crate) fn status(fate: Fate) -> Status {
    match fate {
        Fate::Undecided => Status::Undecided,
        Fate::Abandoned => Status::Abandoned,
        Fate::Rejected => Status::Rejected,
        Fate::Archived => Status::Archived,
        Fate::Accepted => Status::Accepted,
        Fate::Revoked => Status::Revoked,
    }
}

/// A breaker's state.
pub(crate) fn breaker(state: BreakerState) -> BreakerWord {
    match state {
        BreakerState::Closed => BreakerWord::Closed,
        BreakerState::Open => BreakerWord::Open,
        BreakerState::HalfOpen => BreakerWord::HalfOpen,
    }
}

/// The word by which a value without fields stands in the log.
pub(crate) fn word(value: impl Serialize) -> String {
    let shown = serde_json::to_value(value).unwrap_or_default();
    shown.as_str().unwrap_or_default().to_owned()
}

fn scores<'s>(pairs: impl Iterator<Item = (&'s str, f64)>) -> ScoresByName {
    pairs.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How many of everything there were.
pub(crate) fn counters(state: &State) -> Counters {
    let counters = &state.counters;
    let duplicates = counters.proposal_outcomes.get(&ProposalOutcome::Duplicate).copied().unwrap_or(0);
    Counters {
        evaluations: counters.evaluations,
        proposals: counters.proposals,
        viable: counters.viable,
        accepted: counters.accepted,
        rejected: counters.rejected,
        duplicates,
        proposal_outcomes: counters
            .proposal_outcomes
            .iter()
            .map(|(outcome, count)| (word(outcome), *count))
            .collect(),
        gates: counters.gates.clone(),
        outcomes: counters.outcomes.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect(),
    }
}

/// A run in a list.
pub(crate) fn head(state: &State, started_ms: i64) -> RunHead {
    RunHead {
        run_id: state.run.run_id.to_string(),
        agent_id: state.run.agent_id.clone(),
        target: state.run.target.clone(),
        state: phase(&state.phase),
        started_at: started_ms,
        evaluations: state.counters.evaluations,
        seq: state.seq,
    }
}

/// A candidate with its scores, as champion, best and baseline are shown; none before it is measured.
fn scored(state: &State, number: Number) -> Option<Scored> {
    let record = state.candidate(number).filter(|record| record.outcome.is_some())?;
    Some(Scored {
        candidate_id: state.id(number).to_string(),
        number,
        commit: record.commit.to_string(),
        scores: scores(record.scores.iter()),
        improvement: improvement(state, record),
    })
}

fn improvement(state: &State, record: &CandidateRecord) -> Option<ScoresByName> {
    let baseline = state.baseline().filter(|_| record.number != BASELINE)?;
    Some(state.run.objectives.improvement(&baseline.scores, &record.scores))
}

fn ids(state: &State, numbers: &[Number]) -> Vec<String> {
    numbers.iter().map(|number| state.id(*number).to_string()).collect()
}

/// What is measured.
pub(crate) fn objectives(state: &State) -> Vec<Objective> {
    let shown = state.run.objectives.iter().map(|objective| Objective {
        name: objective.name.clone(),
        // What is minimised is its own cost.
        direction: if objective.direction.cost(1.0) > 0.0 {
            Direction::Minimize
        } else {
            Direction::Maximize
        },
        weight: objective.weight,
        threshold: objective.threshold,
        unit: objective.unit.clone(),
        bound: objective.bound,
    });
    shown.collect()
}

/// What may be spent.
pub(crate) fn budget(state: &State) -> Budget {
    let budget = &state.budget;
    Budget {
        evaluations: budget.evaluations,
        proposals: budget.proposals,
        time_ms: budget.time_ms,
        llm_tokens: budget.llm_tokens,
        llm_cost_usd: budget.llm_cost_usd,
    }
}

/// Patterns of files that may change.
fn mutable(state: &State) -> Vec<String> {
    let patterns = state.run.configuration.pointer("/target/mutable").and_then(Value::as_array);
    patterns.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What ended a run.
pub(crate) fn stopped_by(state: &State) -> Option<String> {
    match state.phase {
        state::Phase::Finished(by) => Some(word(by)),
        _ => None,
    }
}

/// A run, whole. `started_ms` is the time of its first event, `driven` whether a process drives it.
pub(crate) fn run(state: &State, started_ms: i64, driven: bool, now_ms: i64) -> Run {
    let champion = || scored(state, state.champion.unwrap_or(BASELINE));
    let active_ms = state.active_ms(if driven { now_ms } else { state.last_ms });
    let breakers = state.breakers.iter();
    Run {
        run_id: state.run.run_id.to_string(),
        agent_id: state.run.agent_id.clone(),
        target: state.run.target.clone(),
        files: mutable(state),
        state: phase(&state.phase),
        stopped_by: stopped_by(state),
        driven,
        seed: state.run.seed,
        seq: state.seq,
        started_at: started_ms,
        started: timestamp(started_ms),
        last_event_at: state.last_ms,
        active_ms,
        counters: counters(state),
        objectives: objectives(state),
        baseline: scored(state, BASELINE),
        champion: champion(),
        best: champion(),
        front: ids(state, &state.front),
        hypervolume: state.hypervolume,
        champion_history: ids(state, &state.champion_history),
        pinned: state.pinned,
        learning_rate: state.learning_rate.rate(),
        breakers: breakers.map(|(name, it)| (name.clone(), Breaker { state: breaker(it.state()) })).collect(),
        budget: budget(state),
        spent: spent(state, active_ms),
        noise: state.noise.clone(),
        isolation: state.isolation.clone(),
        arms: arms(state),
    }
}

/// Proposers and operators with what came of them.
pub(crate) fn arms(state: &State) -> Vec<Arm> {
    let shown = state.arms.iter().map(|arm| Arm {
        proposer: arm.proposer.clone(),
        operator: arm.operator.clone(),
        parents: arm.parents,
        tries: arm.yields.tries,
        viable: arm.yields.viable,
        accepted: arm.yields.accepted,
    });
    shown.collect()
}

/// What was spent, with so many milliseconds of driving.
pub(crate) fn spent(state: &State, active_ms: i64) -> Spent {
    Spent {
        evaluations: state.counters.evaluations,
        proposals: state.counters.proposals,
        time_ms: active_ms,
        llm_tokens: state.llm.tokens(),
        llm_cost_usd: state.llm.cost_usd,
    }
}

/// A candidate in a list.
pub(crate) fn candidate_head(state: &State, record: &CandidateRecord) -> CandidateHead {
    let (arm, id) = (state.arm(record), state.id(record.number).to_string());
    CandidateHead {
        candidate_id: id.clone(),
        id,
        number: record.number,
        commit: record.commit.to_string(),
        parents: ids(state, &record.parents),
        proposer: arm.map(|arm| arm.proposer.clone()),
        operator: arm.map(|arm| arm.operator.clone()),
        status: status(record.fate),
        gate: record.gate.clone(),
        reason: record.reason.clone(),
        outcome: record.outcome.map(|outcome| outcome.word().to_owned()),
        scores: scores(record.scores.iter()),
        improvement: improvement(state, record),
        rank: state.rank(record.number),
        on_front: state.front.contains(&record.number),
        is_champion: state.champion == Some(record.number),
        cases_passed: record.passed.len(),
        niche: record.niche.as_ref().map(niche),
    }
}

fn niche(niche: &evolution::niches::Niche) -> Niche {
    use evolution::niches::Niche as Placed;
    match niche {
        Placed::Island(island) => Niche::Island(*island),
        Placed::Cell(cell) => Niche::Cell(cell.clone()),
        Placed::Novelty(novelty) => Niche::Novelty(*novelty),
    }
}

/// A candidate, whole: with what its last evaluation told, if it had one.
pub(crate) fn candidate(
    state: &State,
    record: &CandidateRecord,
    evaluation: Option<Evaluation>,
) -> Candidate {
    let fate = status(record.fate);
    let cost = &record.cost;
    Candidate {
        head: candidate_head(state, record),
        rationale: record.rationale.to_string(),
        files: record.files.clone(),
        fate,
        verdict: Verdict { status: fate, gate: record.gate.clone(), reason: record.reason.clone() },
        evaluation_seq: record.evaluation_seq,
        changed_bytes: record.changed_bytes,
        cost: Cost { wall_s: cost.wall_s, cpu_s: cost.cpu_s, launches: cost.launches },
        told: evaluation.map(told),
    }
}

fn told(evaluation: Evaluation) -> Told {
    let checks = evaluation.checks.into_iter();
    let cases = evaluation.cases.into_iter();
    let comparisons = evaluation.comparisons.into_iter();
    let suspicion = evaluation.suspicion.into_iter();
    Told {
        detail: evaluation.detail,
        isolation: evaluation.isolation,
        separation: word(evaluation.separation),
        checks: checks.map(|it| Check { name: it.name, passed: it.passed, reason: it.reason }).collect(),
        metrics: evaluation.metrics,
        cases: cases.map(|it| Case { name: it.name, passed: it.passed, failure: it.failure }).collect(),
        cases_total: evaluation.cases_total,
        suspicion: suspicion.map(|it| Suspicion { path: it.path, lines: it.lines }).collect(),
        comparisons: comparisons
            .map(|it| Comparison {
                objective: it.objective,
                pairs: it.pairs,
                ratio: it.ratio,
                interval: it.interval,
                verdict: word(it.verdict),
            })
            .collect(),
        denials: evaluation.denials,
        log: evaluation.log,
    }
}

/// The first front.
pub(crate) fn front(state: &State) -> Front {
    let members = state.front.iter().filter_map(|number| state.candidate(*number));
    Front {
        front: members.map(|record| candidate_head(state, record)).collect(),
        hypervolume: state.hypervolume,
    }
}

/// A candidate as a point of the lineage.
pub(crate) fn lineage_point(state: &State, record: &CandidateRecord) -> LineagePoint {
    LineagePoint {
        number: record.number,
        candidate_id: state.id(record.number).to_string(),
        parents: record.parents.clone(),
        status: status(record.fate),
        scores: scores(record.scores.iter()),
    }
}

#[cfg(test)]
mod tests {
    use super::{BASELINE, State, candidate_head, state};
    use evolution::niches::Niche;
    use serde_json::{Value, json};

    fn shown(placed: Option<Niche>) -> Value {
        let objective = json!({ "name": "time", "direction": "minimize", "weight": 1.0 });
        let started = json!({ "version": 1, "run_id": "r", "agent_id": "a", "target": "", "seed": 1, "objectives": [objective],
            "settings": {}, "budget": {}, "proposers": [], "baseline": "0", "fingerprint": "f", "configuration": null });
        let mut state = State::begin(0, &serde_json::from_value(started).unwrap()).unwrap();
        if let Some(state::Slot::Candidate(record)) = state.slots.first_mut() {
            record.niche = placed;
        }
        serde_json::to_value(candidate_head(&state, state.candidate(BASELINE).unwrap())).unwrap()
    }

    #[test]
    fn a_candidate_tells_its_place_where_there_are_places() {
        assert_eq!(shown(Some(Niche::Island(3)))["niche"], json!({ "island": 3 }));
        assert_eq!(shown(Some(Niche::Cell(vec![1, 9])))["niche"], json!({ "cell": [1, 9] }));
        assert_eq!(shown(Some(Niche::Novelty(0.25)))["niche"], json!({ "novelty": 0.25 }));
        assert!(shown(None).get("niche").is_none(), "without a policy of places there is no such field");
    }
}
