//! The open-ended archive: who is ranked, who may be a parent, and what that is worth as numbers.

use crate::acceptance::CORRECTNESS_GATE;
use crate::candidate::{Evaluation, Outcome};
use crate::id::{BASELINE, Number};
use crate::state::{CandidateRecord, Fate, State};
use objectives::{Objective, ObjectiveSet, Scores};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Front members at most whose hypervolume is computed exactly; of a larger front the first this many distinct points
/// in order of arrival count, so that the figure stays a lower bound and cheap.
pub const HYPERVOLUME_POINTS: usize = 128;

/// Most candidates that may be parents at a time, so that a choice costs the same at a hundred thousand candidates as at
/// a thousand. The archive itself keeps everybody.
pub const MAX_PARENTS: usize = 200;

/// The parent to give up its place when there are too many: the lowest quality, of equals the one that was chosen most
/// often, then the oldest. Never the baseline or the champion.
pub fn least_parent(state: &State) -> Option<Number> {
    let open =
        state.eligible.iter().filter(|number| **number != BASELINE && Some(**number) != state.champion);
    let rated = open.map(|number| {
        let (quality, chosen) =
            state.candidate(*number).map_or((0.0, 0), |record| (record.quality, record.chosen));
        (quality, chosen, *number)
    });
    let worse = |a: &(f64, u32, Number), b: &(f64, u32, Number)| {
        a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2))
    };
    rated.min_by(worse).map(|(_, _, number)| number)
}

/// A share of improvement `s` (positive is better, unbounded both ways) as a number in 0 to 1, 0.5 for no change:
/// `0.5 + 0.5 s / (1 + |s|)`. Twice as fast (0.5) gives 0.67, ten times (0.9) 0.74, half as fast (-1) 0.25.
pub fn squash(share: f64) -> f64 {
    0.5 + 0.5 * share / (1.0 + share.abs())
}

/// What an objective's value is worth in 0 to 1. A value that is a share already (maximised, bounded by 1) counts as
/// it is; everything else by its squashed improvement on the baseline.
fn worth(objective: &Objective, value: f64, share: Option<f64>) -> Option<f64> {
    if objective.is_share() && (0.0..=1.0).contains(&value) { Some(value) } else { share.map(squash) }
}

/// A candidate's quality in 0 to 1 for parent selection: the weighted mean of what its measured objectives are worth.
/// Objectives that were not measured count 0 when something was, so that an early end is no advantage.
pub fn quality(set: &ObjectiveSet, baseline: &Scores, scores: &Scores) -> f64 {
    let shares = set.improvement(baseline, scores);
    let total: f64 = set.iter().map(|objective| objective.weight).sum();
    let sum: f64 = set
        .iter()
        .filter_map(|objective| {
            let value = scores.get(&objective.name)?;
            Some(objective.weight * worth(objective, value, shares.get(&objective.name).copied())?)
        })
        .sum();
    if total > 0.0 { (sum / total).clamp(0.0, 1.0) } else { 0.0 }
}

/// [`quality`] where the unchanged target is incorrect: what is correct lies above 0.5, what is not below, so that no score
/// makes up for being wrong.
pub fn quality_under_repair(quality: f64, is_correct: bool) -> f64 {
    (quality + if is_correct { 1.0 } else { 0.0 }) / 2.0
}

/// The weighted mean of the improvements of `scores` on `from` over the objectives that both know: the seeds'
/// `performance_delta`. Positive is better.
pub fn weighted_improvement(set: &ObjectiveSet, from: &Scores, scores: &Scores) -> f64 {
    let shares: BTreeMap<String, f64> = set.improvement(from, scores);
    let (sum, total) =
        set.iter().fold((0.0, 0.0), |(sum, total), objective| match shares.get(&objective.name) {
            Some(share) => (sum + objective.weight * share, total + objective.weight),
            None => (sum, total),
        });
    if total > 0.0 { sum / total } else { 0.0 }
}

/// What a candidate did, as a hash: its cases, its scores, and whether its evaluator calls it incorrect. Two candidates
/// with the same behaviour are worth one place among the parents.
pub fn behaviour(record: &CandidateRecord) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.passed.hash(&mut hasher);
    record.ran.hash(&mut hasher);
    (record.gate == CORRECTNESS_GATE).hash(&mut hasher);
    for (name, value) in record.scores.iter() {
        name.hash(&mut hasher);
        value.to_bits().hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether a judged candidate may be a parent, its behaviour being new.
///
/// A viable one may. One that is not viable may only while the baseline is not viable either (the target is being
/// repaired), when all its cases were run, and when it passes a case that the baseline fails, or as many as the
/// baseline; or when only its evaluator calls it incorrect, as long as nobody is correct.
pub fn is_stepping_stone(state: &State, record: &CandidateRecord) -> bool {
    match record.fate {
        Fate::Accepted | Fate::Archived => true,
        Fate::Rejected if record.gate == CORRECTNESS_GATE => {
            let measured = state.run.objectives.point(&record.scores).is_ok();
            state.archived.is_empty() && measured && record.outcome == Some(Outcome::Wrong)
        }
        Fate::Rejected => {
            let Some(baseline) = state.baseline() else { return false };
            let complete = !state.case_names.is_empty() && record.ran.len() == state.case_names.len();
            let gains = record.passed.count_beyond(&baseline.passed) > 0;
            !state.is_viable(BASELINE) && complete && gains
        }
        Fate::Undecided | Fate::Abandoned | Fate::Revoked => false,
    }
}

/// A point of the unit box for the hypervolume: one cost an objective, `1 - squash(improvement on the baseline)`. The
/// baseline lies at 0.5 in every coordinate, the reference point at 1.
fn unit_point(state: &State, record: &CandidateRecord) -> Option<Vec<f64>> {
    let baseline = &state.baseline()?.scores;
    let shares = state.run.objectives.improvement(baseline, &record.scores);
    state.run.objectives.iter().map(|objective| Some(1.0 - squash(*shares.get(&objective.name)?))).collect()
}

/// Hypervolume of the first front in the unit box of squashed improvements (see [`squash`]), against the reference
/// point (1, ..., 1): 0 for no front, `0.5^m` for the baseline alone, towards 1 as every objective gets better without
/// bound. Comparable along a run, since it depends on nothing that moves.
pub fn hypervolume(state: &State) -> f64 {
    let members = state.peaks.firsts().take(HYPERVOLUME_POINTS).filter_map(|number| state.candidate(number));
    let points: Vec<Vec<f64>> = members.filter_map(|record| unit_point(state, record)).collect();
    let reference = vec![1.0; state.run.objectives.len()];
    objectives::hypervolume::hypervolume(&points, &reference)
}

/// The share of all known cases that an evaluation passed; `None` when the target has no cases or not all were run.
pub fn pass_share(evaluation: &Evaluation) -> Option<f64> {
    let total = evaluation.cases_total;
    let complete = evaluation.cases.len() == total as usize;
    (total > 0 && complete).then(|| f64::from(evaluation.cases_passed()) / f64::from(total))
}
