//! What to ask for next: parents, operator, peers. Pure: the draw comes from the run's seed and the proposal's number,
//! everything else from the state.

use crate::event::ProposalRequested;
use crate::id::{BASELINE, Number};
use crate::learning_rate::mappings;
use crate::ports::{MAX_PEERS, Purpose};
use crate::selection::{self, Eligible};
use crate::settings::SelectionPolicy;
use crate::state::{Slot, State, proposer_breaker};
use objectives::Objective;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Share of choices of an operator that are uniform: no operator is ever given up for good.
const OPERATOR_EXPLORATION: f64 = 0.05;

/// Mates that are looked at for one of whom something new may come.
const MATES_TRIED: usize = 4;

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

/// Stream of the choice where the search starts anew.
const RESTART: u64 = 5;

/// The draw that decides from which member of the front the search starts anew before proposal `number`.
pub fn restart_draw(seed: u64, number: Number) -> u64 {
    stream(seed, number, RESTART).next_u64()
}

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
    let pool = state.niches.pool(&state.eligible, number);
    let is_part = pool.len() < state.eligible.len();
    // An island where nothing is left to try looks at everybody's parents, and a run where nothing is left that promises
    // anything joins whom it can.
    let mut pick = |among: Vec<Number>, joins| pick_among(state, number, among, joins, now_ms, &mut rng);
    pick(pool, Joins::Promising)
        .or_else(|| pick(is_part.then(|| state.eligible.clone())?, Joins::Promising))
        .or_else(|| pick(state.eligible.clone(), Joins::Any))
}

/// Which parents may be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joins {
    /// Those of whom something new may come.
    Promising,
    /// All.
    Any,
}

fn pick_among(
    state: &State,
    number: Number,
    mut considered: Vec<Number>,
    joins: Joins,
    now_ms: i64,
    rng: &mut impl Rng,
) -> Option<ProposalRequested> {
    let enough_for_two = considered.len() > 1;
    let rate = state.learning_rate.rate();
    let of_peers = waiting(state, now_ms);
    while !considered.is_empty() {
        let parent = choose_parent(state, &considered, rng)?;
        let offered = |arm| !is_fed(state, arm) && is_open(state, parent, arm, now_ms);
        let alone = |arm| offered(arm) && wants_one(state, arm);
        let suits = |arm| offered(arm) && (enough_for_two || wants_one(state, arm));
        let mut arm = state.choice.choose(suits, OPERATOR_EXPLORATION, rng);
        let mut second = None;
        if arm.is_some_and(|arm| !wants_one(state, arm)) {
            second = choose_mate(state, parent, &without(&considered, parent), joins, rng);
            if second.is_none() {
                arm = state.choice.choose(alone, OPERATOR_EXPLORATION, rng);
            }
        }
        let Some(arm) = arm else {
            considered.retain(|candidate| *candidate != parent);
            continue;
        };
        let chosen = state.arms.get(arm)?;
        let parents: Vec<Number> = [Some(parent), second].into_iter().flatten().collect();
        if let Some(of_peers) = of_peers.filter(|(fed, _)| tries(state, *fed, arm, rng)) {
            return request(state, of_peers, rate);
        }
        return Some(ProposalRequested {
            number,
            proposer: chosen.proposer.clone(),
            operator: chosen.operator.clone(),
            // Only who joins candidates learns from others; looking them up for everybody would be dear.
            peers: if chosen.parents > 1 { peers(state, &considered, &parents) } else { Vec::new() },
            parents,
            learning_rate: rate,
            part: state.part,
        });
    }
    of_peers.and_then(|of_peers| request(state, of_peers, rate))
}

/// The arm that offers packages of peers and the parent for it, while one waits. A package is another's finding on the
/// same program or one like it: its place is on top of the best that is here, the champion and then the front.
/// One is under way at a time, so that the next stands on what the last one brought.
fn waiting(state: &State, now_ms: i64) -> Option<(usize, Number)> {
    if state.packages <= state.packages_tried {
        return None;
    }
    let mut under_way = state.in_flight().filter(|number| match state.slots.get(*number as usize) {
        Some(Slot::Requested(asked)) => {
            state.arms.iter().any(|arm| arm.fed && arm.proposer == asked.proposer)
        }
        Some(Slot::Candidate(record)) => state.arm(record).is_some_and(|arm| arm.fed),
        _ => false,
    });
    if under_way.next().is_some() {
        return None;
    }
    let champion = state.champion.unwrap_or(BASELINE);
    let best = std::iter::once(champion).chain(state.front.iter().copied().take(MAX_PEERS));
    let best = best.filter(|number| state.eligible.contains(number));
    let fed = (0..state.arms.len()).filter(|arm| is_fed(state, *arm));
    let mut places = fed.flat_map(|arm| best.clone().map(move |parent| (arm, parent)));
    places.find(|(arm, parent)| is_open(state, *parent, *arm, now_ms))
}

/// Whether what waits is tried before the proposal of this run's own that was chosen.
fn tries(state: &State, fed: usize, own: usize, rng: &mut impl Rng) -> bool {
    rng.random_bool(OPERATOR_EXPLORATION) || state.choice.prefers(fed, own, rng)
}

fn request(state: &State, (arm, parent): (usize, Number), rate: f64) -> Option<ProposalRequested> {
    let chosen = state.arms.get(arm)?;
    Some(ProposalRequested {
        number: state.next_number(),
        proposer: chosen.proposer.clone(),
        operator: chosen.operator.clone(),
        parents: vec![parent],
        peers: Vec::new(),
        learning_rate: rate,
        part: state.part,
    })
}

/// Whether no parent has an operator left, for whatever breakers say.
pub fn is_exhausted(state: &State) -> bool {
    let enough_for_two = state.eligible.len() > 1;
    state.eligible.iter().all(|parent| {
        (0..state.arms.len()).all(|arm| {
            let asked = enough_for_two || wants_one(state, arm);
            is_fed(state, arm) || state.exhausted.contains(&(*parent, arm)) || !asked
        })
    }) && waiting(state, i64::MAX).is_none()
}

fn is_fed(state: &State, arm: usize) -> bool {
    state.arms.get(arm).is_some_and(|arm| arm.fed)
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
    let settings = &state.run.settings;
    let early = state.evaluations_decided < settings.root_evaluations;
    let unbeaten = state.champion.is_none_or(|champion| champion == BASELINE);
    let repairing = is_repairing(state);
    let from_root = repairing && (early || unbeaten) && considered.contains(&BASELINE);
    if from_root && rng.random_bool(settings.root_share) {
        return Some(BASELINE);
    }
    let champion = leader(state, considered);
    let share = settings.champion_share.unwrap_or_else(|| settings.archive.champion_share(repairing));
    if champion.is_some() && rng.random_bool(share) {
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

/// The second parent: one that passes what the first fails, for joining the two can hardly bring anything else; where there
/// is none, another parent like the first. `None` after [`MATES_TRIED`] of whom nothing new can come.
fn choose_mate(
    state: &State,
    parent: Number,
    others: &[Number],
    joins: Joins,
    rng: &mut impl Rng,
) -> Option<Number> {
    let passed = &state.candidate(parent)?.passed;
    let mates: Vec<Eligible<'_>> =
        others.iter().filter_map(|number| eligible(state, *number, SelectionPolicy::Lexicase)).collect();
    let mut draw =
        || selection::complement(passed, &mates, rng).or_else(|| choose_parent(state, others, rng));
    let leader = leader(state, others)?;
    let mut drawn = (0..MATES_TRIED).map_while(|_| draw());
    drawn.find(|mate| joins == Joins::Any || !is_idle(state, parent, *mate, leader))
}

/// Whether joining two can make nothing better: cases are all that counts, some fail everywhere, and the one that is to take
/// something over passes fewer than the leader of the others, or the other nothing that it fails.
fn is_idle(state: &State, parent: Number, mate: Number, leader: Number) -> bool {
    let only_cases = state.run.objectives.iter().all(Objective::is_share) && !state.case_names.is_empty();
    if !only_cases || !is_repairing(state) {
        return false;
    }
    let passed = |number| state.candidate(number).map(|record| &record.passed);
    let (Some(own), Some(theirs), Some(most)) = (passed(parent), passed(mate), passed(leader)) else {
        return false;
    };
    own.len() < most.len() || theirs.is_subset(own)
}

/// Whether the unchanged program fails cases and the goal is not reached.
fn is_repairing(state: &State) -> bool {
    state.baseline_fails_cases() && state.goal_at.is_none()
}

/// Who leads the considered: the champion, or where it is not among them (they live on another island, the search began
/// anew, one that behaves the same has its place) the best of them.
fn leader(state: &State, considered: &[Number]) -> Option<Number> {
    let champion = state.champion.filter(|champion| considered.contains(champion));
    champion.or_else(|| peers(state, considered, &[]).first().copied())
}

/// A parent as the policy will look at it. What the policy does not look at is left at nothing, since every parent is
/// prepared for every choice.
fn eligible(state: &State, number: Number, policy: SelectionPolicy) -> Option<Eligible<'_>> {
    let record = state.candidate(number)?;
    let mut parent = Eligible {
        number,
        quality: state.niches.quality(record),
        children: 0,
        clade: (0.0, 0.0),
        rank: u32::MAX,
        crowding: 0.0,
        cases: &record.passed,
    };
    match policy {
        SelectionPolicy::Dgm => parent.children = record.chosen,
        SelectionPolicy::Clade => parent.clade = state.lineage.clade(number),
        SelectionPolicy::Pareto => {
            parent.rank = state.rank(number).unwrap_or(u32::MAX);
            parent.crowding = record.archive_index.map_or(0.0, |index| state.archive.crowding(index));
        }
        SelectionPolicy::Lexicase | SelectionPolicy::Uniform => {}
    }
    Some(parent)
}

/// Of the considered without the parents those that pass most of what the first parent fails, and of equals the best.
fn peers(state: &State, considered: &[Number], parents: &[Number]) -> Vec<Number> {
    let first = parents.first().and_then(|parent| state.candidate(*parent));
    let mut peers: Vec<(usize, f64, Number)> = considered
        .iter()
        .filter(|number| !parents.contains(number))
        .filter_map(|number| {
            let record = state.candidate(*number)?;
            let beyond = first.map_or(0, |first| record.passed.count_beyond(&first.passed));
            Some((beyond, record.quality, *number))
        })
        .collect();
    peers.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    peers.truncate(MAX_PEERS);
    peers.into_iter().map(|(_, _, number)| number).collect()
}
