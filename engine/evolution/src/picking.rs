//! What to ask for next: parents, operator, peers. Pure: the draw comes from the run's seed and the proposal's number,
//! everything else from the state.

use crate::event::ProposalRequested;
use crate::id::{BASELINE, Number};
use crate::learning_rate::mappings;
use crate::ports::{MAX_PEERS, Purpose};
use crate::selection::{self, Eligible};
use crate::settings::SelectionPolicy;
use crate::state::{State, proposer_breaker};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Share of choices of an operator that are uniform: no operator is ever given up for good.
const OPERATOR_EXPLORATION: f64 = 0.05;

/// Draws for one proposal come from a stream of their own, so that a replay needs no state of a generator.
fn stream(seed: u64, number: Number, purpose: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(u64::from(number) << 8 | purpose);
    rng
}

/// Stream of the choice of parents and operator.
const CHOICE: u64 = 0;
/// Stream of the proposer's own draws.
const PROPOSAL: u64 = 1;
/// Stream of the evaluator's own draws, plus one for each purpose.
const EVALUATION: u64 = 2;

/// Seed handed to the proposer with proposal `number`.
pub fn proposal_seed(seed: u64, number: Number) -> u64 {
    stream(seed, number, PROPOSAL).next_u64()
}

/// Seed handed to the evaluator with candidate `number`.
pub fn evaluation_seed(seed: u64, number: Number, purpose: Purpose) -> u64 {
    let purpose = match purpose {
        Purpose::Judge => 0,
        Purpose::Baseline => 1,
        Purpose::Verify => 2,
    };
    stream(seed, number, EVALUATION + purpose).next_u64()
}

/// The next proposal to ask for, or `None` when nothing can be asked for now.
pub fn pick(state: &State, now_ms: i64) -> Option<ProposalRequested> {
    let number = state.next_number();
    let mut rng = stream(state.run.seed, number, CHOICE);
    let mut considered = state.eligible.clone();
    let enough_for_two = considered.len() > 1;
    let rate = state.learning_rate.rate();
    while !considered.is_empty() {
        let parent = choose_parent(state, &considered, &mut rng)?;
        let offered = |arm| is_open(state, parent, arm, now_ms) && (enough_for_two || wants_one(state, arm));
        let Some(arm) = state.choice.choose(offered, OPERATOR_EXPLORATION, &mut rng) else {
            considered.retain(|candidate| *candidate != parent);
            continue;
        };
        let (Some(chosen), others) = (state.arms.get(arm), without(&considered, parent)) else { return None };
        let second = if chosen.parents > 1 { choose_parent(state, &others, &mut rng) } else { None };
        let parents: Vec<Number> = [Some(parent), second].into_iter().flatten().collect();
        return Some(ProposalRequested {
            number,
            proposer: chosen.proposer.clone(),
            operator: chosen.operator.clone(),
            // Only who joins candidates learns from others; looking them up for everybody would be dear.
            peers: if chosen.parents > 1 { peers(state, &considered, &parents) } else { Vec::new() },
            parents,
            learning_rate: rate,
        });
    }
    None
}

/// Whether no parent has an operator left, for whatever breakers say.
pub fn is_exhausted(state: &State) -> bool {
    let enough_for_two = state.eligible.len() > 1;
    state.eligible.iter().all(|parent| {
        (0..state.arms.len()).all(|arm| {
            state.exhausted.contains(&(*parent, arm)) || !(enough_for_two || wants_one(state, arm))
        })
    })
}

fn without(candidates: &[Number], number: Number) -> Vec<Number> {
    candidates.iter().copied().filter(|candidate| *candidate != number).collect()
}

fn wants_one(state: &State, arm: usize) -> bool {
    state.arms.get(arm).is_some_and(|arm| arm.parents < 2)
}

fn is_open(state: &State, parent: Number, arm: usize, now_ms: i64) -> bool {
    let Some(chosen) = state.arms.get(arm) else { return false };
    let breaker = state.breakers.get(&proposer_breaker(&chosen.proposer));
    let permitted =
        breaker.is_none_or(|breaker| !matches!(breaker.permit(now_ms), crate::breaker::Permit::No { .. }));
    permitted && !state.exhausted.contains(&(parent, arm))
}

fn choose_parent(state: &State, considered: &[Number], rng: &mut impl Rng) -> Option<Number> {
    if considered.is_empty() {
        return None;
    }
    let early = state.evaluations_decided < state.run.settings.root_evaluations;
    let unbeaten = state.champion.is_none_or(|champion| champion == BASELINE);
    let repairing = state.baseline_fails_cases() && state.goal_at.is_none() && (early || unbeaten);
    if repairing && considered.contains(&BASELINE) && rng.random_bool(state.run.settings.root_share) {
        return Some(BASELINE);
    }
    let champion = state.champion.filter(|champion| considered.contains(champion));
    if champion.is_some() && rng.random_bool(state.run.settings.champion_share) {
        return champion;
    }
    let explores = rng.random_bool(mappings::exploration(state.learning_rate.rate()).clamp(0.0, 1.0));
    let policy = if explores { SelectionPolicy::Uniform } else { state.run.settings.selection };
    // A tournament looks at two parents only, whose crowding is dear to compute, and chance at one.
    let looked_at = match policy {
        SelectionPolicy::Pareto => 2,
        SelectionPolicy::Uniform => 1,
        _ => considered.len(),
    };
    let drawn: Vec<Number> = if looked_at < considered.len() {
        let draw = |_| considered.get(rng.random_range(0..considered.len())).copied();
        (0..looked_at).filter_map(draw).collect()
    } else {
        considered.to_vec()
    };
    let parents: Vec<Eligible<'_>> =
        drawn.iter().filter_map(|number| eligible(state, *number, policy)).collect();
    selection::select(policy, &parents, rng)
}

fn eligible(state: &State, number: Number, policy: SelectionPolicy) -> Option<Eligible<'_>> {
    let record = state.candidate(number)?;
    let crowding = match (policy, record.archive_index) {
        (SelectionPolicy::Pareto, Some(index)) => state.archive.crowding(index),
        _ => 0.0,
    };
    Some(Eligible {
        number,
        quality: record.quality,
        children: state.chosen.get(&number).copied().unwrap_or(0),
        clade: state.lineage.clade(number),
        rank: state.rank(number).unwrap_or(u32::MAX),
        crowding,
        cases: &record.passed,
    })
}

/// The best of the considered, without the parents.
fn peers(state: &State, considered: &[Number], parents: &[Number]) -> Vec<Number> {
    let mut peers: Vec<(f64, Number)> = considered
        .iter()
        .filter(|number| !parents.contains(number))
        .filter_map(|number| Some((state.candidate(*number)?.quality, *number)))
        .collect();
    peers.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    peers.truncate(MAX_PEERS);
    peers.into_iter().map(|(_, number)| number).collect()
}
