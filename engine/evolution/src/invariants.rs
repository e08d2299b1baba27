//! What must hold of every state, as named functions: for property tests, simulation, `darwind replay` and a metric.

use crate::archive::{MAX_PARENTS, is_stepping_stone};
use crate::id::{BASELINE, Number};
use crate::state::{Fate, Phase, Slot, State, Trial};
use objectives::dominates;

/// A named invariant: `Ok` when it holds, else what breaks it.
pub type Invariant = (&'static str, fn(&State) -> Result<(), String>);

/// All of them.
pub const ALL: &[Invariant] = &[
    ("parents_are_known", parents_are_known),
    ("archive_members_have_scores", archive_members_have_scores),
    ("accepted_have_snapshots", accepted_have_snapshots),
    ("front_is_non_dominated", front_is_non_dominated),
    ("front_agrees_with_ranks", front_agrees_with_ranks),
    ("spent_within_budget", spent_within_budget),
    ("learning_rate_within_bounds", learning_rate_within_bounds),
    ("decided_prefix_is_final", decided_prefix_is_final),
    ("within_lookahead", within_lookahead),
    ("counters_add_up", counters_add_up),
    ("champion_is_known", champion_is_known),
    ("trials_have_candidates", trials_have_candidates),
    ("parents_are_worthy", parents_are_worthy),
    ("parents_hold_places", parents_hold_places),
];

/// The first invariant that a state breaks, with what breaks it.
pub fn broken(state: &State) -> Option<(&'static str, String)> {
    ALL.iter().find_map(|(name, holds)| holds(state).err().map(|reason| (*name, reason)))
}

fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

/// Every parent is a candidate with a smaller number, so the lineage has no cycle.
pub fn parents_are_known(state: &State) -> Result<(), String> {
    for record in state.candidates() {
        for parent in &record.parents {
            let known = *parent < record.number && state.candidate(*parent).is_some();
            ensure(known, || format!("{} has the unknown parent {parent}", record.number))?;
        }
        ensure(record.number == BASELINE || !record.parents.is_empty(), || {
            format!("{} has no parent", record.number)
        })?;
    }
    Ok(())
}

/// Nobody in the archive lacks a score on an objective.
pub fn archive_members_have_scores(state: &State) -> Result<(), String> {
    for number in &state.archived {
        let scored = state.candidate(*number).is_some_and(|r| state.run.objectives.point(&r.scores).is_ok());
        ensure(scored, || format!("{number} is in the archive without all scores"))?;
    }
    Ok(())
}

/// Nobody viable lacks a snapshot.
pub fn accepted_have_snapshots(state: &State) -> Result<(), String> {
    for record in state.candidates().filter(|record| state.is_viable(record.number)) {
        ensure(!record.commit.as_str().is_empty(), || format!("{} has no snapshot", record.number))?;
    }
    Ok(())
}

/// Members of the first front do not dominate each other.
pub fn front_is_non_dominated(state: &State) -> Result<(), String> {
    let points: Vec<_> = state
        .front
        .iter()
        .filter_map(|n| Some((*n, state.run.objectives.point(&state.candidate(*n)?.scores).ok()?)))
        .collect();
    for (a, p) in &points {
        for (b, q) in &points {
            ensure(!dominates(p, q), || format!("{a} dominates {b}, and both are on the front"))?;
        }
    }
    Ok(())
}

/// The first front is exactly the archive's members of rank 1.
pub fn front_agrees_with_ranks(state: &State) -> Result<(), String> {
    let mut front = state.front.clone();
    front.sort_unstable();
    let mut ranked: Vec<Number> =
        state.archived.iter().copied().filter(|n| state.rank(*n) == Some(1)).collect();
    ranked.sort_unstable();
    ensure(front == ranked, || format!("the front is {front:?} and rank 1 is {ranked:?}"))?;
    let strangers = state.peaks.firsts().filter(|first| front.binary_search(first).is_err()).count();
    ensure(strangers == 0, || format!("{strangers} points of the front have no member on it"))
}

/// No budget of evaluations or proposals is overspent.
pub fn spent_within_budget(state: &State) -> Result<(), String> {
    let counters = &state.counters;
    let evaluations = state.budget.evaluations.is_none_or(|limit| counters.evaluations <= limit);
    let proposals = state.budget.proposals.is_none_or(|limit| counters.proposals <= limit);
    ensure(evaluations && proposals, || {
        format!(
            "{} evaluations and {} proposals spent of {:?}",
            counters.evaluations, counters.proposals, state.budget
        )
    })
}

/// The learning rate lies within its bounds.
pub fn learning_rate_within_bounds(state: &State) -> Result<(), String> {
    let (rate, bounds) = (state.learning_rate.rate(), &state.run.settings.learning_rate);
    ensure((bounds.min..=bounds.max).contains(&rate), || format!("the learning rate is {rate}"))
}

/// Everything up to `decided` has its fate, and nothing after it.
pub fn decided_prefix_is_final(state: &State) -> Result<(), String> {
    for (number, slot) in state.slots.iter().enumerate().skip(1) {
        let is_final = match slot {
            Slot::Requested(_) => false,
            Slot::Discarded(_) => true,
            Slot::Candidate(record) => record.fate != Fate::Undecided,
        };
        let decided = number <= state.decided as usize;
        ensure(is_final == decided, || {
            format!("{number} is final: {is_final}, decided up to {}", state.decided)
        })?;
    }
    Ok(())
}

/// No more is on its way than the lookahead allows.
pub fn within_lookahead(state: &State) -> Result<(), String> {
    let on_the_way = state.next_number() - 1 - state.decided;
    ensure(on_the_way <= state.run.settings.lookahead, || format!("{on_the_way} proposals are on their way"))
}

/// Accepted are among the viable, and every decided evaluation is viable or rejected.
pub fn counters_add_up(state: &State) -> Result<(), String> {
    let c = &state.counters;
    let decided = state.evaluations_decided;
    ensure(c.accepted <= c.viable && c.viable + c.rejected == decided && decided <= c.evaluations, || {
        format!("{c:?}")
    })?;
    let answered: u64 = c.proposal_outcomes.values().sum();
    ensure(answered == c.proposals, || format!("{answered} outcomes of {} proposals", c.proposals))
}

/// The champion is a candidate, and the end of its history.
pub fn champion_is_known(state: &State) -> Result<(), String> {
    let known = state.champion.is_none_or(|champion| state.candidate(champion).is_some());
    ensure(known && state.champion == state.champion_history.last().copied(), || {
        format!("{:?}", state.champion)
    })
}

/// Every parent but the baseline was judged worth it, and there are not too many of them.
pub fn parents_are_worthy(state: &State) -> Result<(), String> {
    let count = state.eligible.len();
    ensure(count <= MAX_PARENTS, || format!("there are {count} parents"))?;
    for number in state.eligible.iter().filter(|number| **number != BASELINE) {
        let worthy = state.candidate(*number).is_some_and(|record| is_stepping_stone(state, record));
        ensure(worthy, || format!("{number} is a parent and not worth it"))?;
    }
    Ok(())
}

/// Where there are places, the parents are exactly those who hold one, and the baseline.
pub fn parents_hold_places(state: &State) -> Result<(), String> {
    // Until the baseline is measured there is no parent at all.
    let begun = !state.eligible.is_empty();
    let Some(holders) = state.niches.holders().filter(|_| begun) else { return Ok(()) };
    ensure(holders == state.eligible, || format!("{holders:?} hold places, {:?} are parents", state.eligible))
}

/// Only candidates are evaluated, and a finished run evaluates nothing but for a rollback.
pub fn trials_have_candidates(state: &State) -> Result<(), String> {
    for ((number, _), trial) in &state.trials {
        ensure(state.candidate(*number).is_some(), || format!("{number} is evaluated and unknown"))?;
        let over = matches!(state.phase, Phase::Finished(_)) && state.rollback.is_none();
        ensure(!(over && matches!(trial, Trial::UnderWay)), || {
            format!("{number} is evaluated after the end")
        })?;
    }
    Ok(())
}
