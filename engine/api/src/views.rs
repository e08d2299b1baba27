//! What of a run's state is shown, as plain data. Pure: a state in, JSON out, so that it can be had at any sequence number.

use crate::clock::timestamp;
use evolution::candidate::Evaluation;
use evolution::event::{ProposalOutcome, StoppedBy};
use evolution::id::{BASELINE, CandidateId, Number};
use evolution::state::{CandidateRecord, Fate, Phase, Slot, State};
use serde_json::{Value, json};

/// What a run is doing, in the words of the API.
pub(crate) fn phase(phase: &Phase) -> &'static str {
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
pub(crate) fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Undecided => "undecided",
        Fate::Abandoned => "abandoned",
        Fate::Rejected => "rejected",
        Fate::Archived => "archived",
        Fate::Accepted => "accepted",
        Fate::Revoked => "revoked",
    }
}

/// How many of everything there were.
pub(crate) fn counters(state: &State) -> Value {
    let counters = &state.counters;
    let duplicates = counters.proposal_outcomes.get(&ProposalOutcome::Duplicate).copied().unwrap_or(0);
    json!({
        "evaluations": counters.evaluations,
        "proposals": counters.proposals,
        "viable": counters.viable,
        "accepted": counters.accepted,
        "rejected": counters.rejected,
        "duplicates": duplicates,
        "proposal_outcomes": counters.proposal_outcomes,
        "gates": counters.gates,
        "outcomes": counters.outcomes,
    })
}

/// A run in a list.
pub(crate) fn head(state: &State, started_ms: i64) -> Value {
    json!({
        "run_id": state.run.run_id,
        "agent_id": state.run.agent_id,
        "target": state.run.target,
        "state": phase(&state.phase),
        "started_at": started_ms,
        "evaluations": state.counters.evaluations,
        "seq": state.seq,
    })
}

/// A candidate with its scores, as champion, best and baseline are shown.
fn scored(state: &State, number: Number) -> Value {
    let Some(record) = state.candidate(number) else { return Value::Null };
    json!({
        "candidate_id": state.id(number),
        "number": number,
        "commit": record.commit,
        "scores": record.scores,
        "improvement": improvement(state, record),
    })
}

fn improvement(state: &State, record: &CandidateRecord) -> Value {
    let baseline = state.baseline().filter(|_| record.number != BASELINE);
    baseline.map_or(Value::Null, |baseline| {
        json!(state.run.objectives.improvement(&baseline.scores, &record.scores))
    })
}

/// A run, whole. `started_ms` is the time of its first event, `driven` whether a process drives it.
pub(crate) fn run(state: &State, started_ms: i64, driven: bool, now_ms: i64) -> Value {
    let ids = |numbers: &[Number]| -> Vec<CandidateId> { numbers.iter().map(|n| state.id(*n)).collect() };
    let measured = |number: Number| state.candidate(number).is_some_and(|record| record.outcome.is_some());
    let champion = state.champion.or(Some(BASELINE)).filter(|number| measured(*number));
    let stopped_by = match state.phase {
        Phase::Finished(by) => json!(by),
        _ => Value::Null,
    };
    let breakers: serde_json::Map<String, Value> = state
        .breakers
        .iter()
        .map(|(name, breaker)| (name.clone(), json!({ "state": breaker.state() })))
        .collect();
    let files = state.run.configuration.pointer("/target/mutable").cloned().unwrap_or(json!([]));
    let active_ms = state.active_ms(if driven { now_ms } else { state.last_ms });
    json!({
        "run_id": state.run.run_id,
        "agent_id": state.run.agent_id,
        "target": state.run.target,
        "files": files,
        "state": phase(&state.phase),
        "stopped_by": stopped_by,
        "driven": driven,
        "seed": state.run.seed,
        "seq": state.seq,
        "started_at": started_ms,
        "started": timestamp(started_ms),
        "last_event_at": state.last_ms,
        "active_ms": active_ms,
        "counters": counters(state),
        "objectives": state.run.objectives,
        "baseline": if measured(BASELINE) { scored(state, BASELINE) } else { Value::Null },
        "champion": champion.map_or(Value::Null, |number| scored(state, number)),
        "best": champion.map_or(Value::Null, |number| scored(state, number)),
        "front": ids(&state.front),
        "hypervolume": state.hypervolume,
        "champion_history": ids(&state.champion_history),
        "learning_rate": state.learning_rate.rate(),
        "breakers": breakers,
        "budget": state.budget,
        "spent": {
            "evaluations": state.counters.evaluations,
            "proposals": state.counters.proposals,
            "time_ms": active_ms,
        },
        "noise": state.noise,
        "isolation": state.isolation,
        "arms": arms(state),
    })
}

fn arms(state: &State) -> Vec<Value> {
    let mut tries = vec![(0u64, 0u64, 0u64); state.arms.len()];
    for record in state.candidates() {
        let Some(count) = record.arm.and_then(|arm| tries.get_mut(arm)) else { continue };
        count.0 += 1;
        count.1 += u64::from(matches!(record.fate, Fate::Archived | Fate::Accepted));
        count.2 += u64::from(record.fate == Fate::Accepted);
    }
    let shown = state.arms.iter().zip(tries);
    shown
        .map(|(arm, (tries, viable, accepted))| {
            json!({
                "proposer": arm.proposer,
                "operator": arm.operator,
                "parents": arm.parents,
                "tries": tries,
                "viable": viable,
                "accepted": accepted,
            })
        })
        .collect()
}

/// What a candidate's place in the run is called.
pub(crate) fn status(state: &State, number: Number) -> &'static str {
    match state.slots.get(number as usize) {
        None | Some(Slot::Discarded(_)) => "discarded",
        Some(Slot::Requested(_)) => "requested",
        Some(Slot::Candidate(record)) => fate(record.fate),
    }
}

/// A candidate in a list.
pub(crate) fn candidate_head(state: &State, record: &CandidateRecord) -> Value {
    let arm = state.arm(record);
    json!({
        "candidate_id": state.id(record.number),
        "id": state.id(record.number),
        "number": record.number,
        "commit": record.commit,
        "parents": record.parents.iter().map(|parent| state.id(*parent)).collect::<Vec<_>>(),
        "proposer": arm.map(|arm| arm.proposer.as_str()),
        "operator": arm.map(|arm| arm.operator.as_str()),
        "status": fate(record.fate),
        "gate": record.gate,
        "reason": record.reason,
        "outcome": record.outcome,
        "scores": record.scores,
        "improvement": improvement(state, record),
        "rank": state.rank(record.number),
        "on_front": state.front.contains(&record.number),
        "is_champion": state.champion == Some(record.number),
        "cases_passed": record.passed.len(),
    })
}

/// A candidate, whole: with what its last evaluation told, if it had one.
pub(crate) fn candidate(state: &State, record: &CandidateRecord, evaluation: Option<&Evaluation>) -> Value {
    let mut shown = candidate_head(state, record);
    let told = evaluation.map_or(json!({}), |evaluation| json!(evaluation));
    let Some(fields) = shown.as_object_mut() else { return shown };
    let more = json!({
        "rationale": record.rationale.as_ref(),
        "files": record.files,
        "fate": fate(record.fate),
        "verdict": { "status": fate(record.fate), "gate": record.gate, "reason": record.reason },
        "evaluation_seq": record.evaluation_seq,
        "changed_bytes": record.changed_bytes,
        "cost": record.cost,
    });
    for part in [more, told] {
        if let Value::Object(part) = part {
            for (name, value) in part {
                fields.entry(name).or_insert(value);
            }
        }
    }
    shown
}
