//! The verdict on an evaluation: viable or not, an improvement or not, confirmed by a second judgement or not. Pure.

use crate::archive;
use crate::candidate::{Evaluation, Outcome};
use crate::id::Number;
use crate::state::State;
use std::collections::BTreeMap;

/// Gate of a candidate that the machinery could not evaluate.
pub const MACHINERY_GATE: &str = "machinery";
/// The gate of candidates whose evaluation somebody ended.
pub const ABORTED_GATE: &str = "aborted";
/// Gate of a candidate below an objective's threshold.
pub const THRESHOLD_GATE: &str = "threshold";
/// Gate of a candidate that has scores and that the target's own evaluator calls incorrect, or that left it without an
/// answer, by a crash say, which counts as incorrect with a score of 0. No check of a configuration is called so, and the
/// unchanged target may fail here: then it is to be repaired.
pub const CORRECTNESS_GATE: &str = "evaluator:correct";
/// Gate of a candidate that a second judgement refuted.
pub const VERIFICATION_GATE: &str = "verification";

/// Relative difference that counts as equal for an objective without measured noise.
const EXACT_TOLERANCE: f64 = 1e-9;
/// How many times the measured noise a fresh measurement may differ.
const NOISE_FACTOR: f64 = 3.0;
/// Smallest tolerance of an objective with measured noise: other load on the machine shifts it by about this much.
const NOISY_TOLERANCE: f64 = 0.15;

/// The gate that stopped a candidate, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The gate.
    pub gate: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// What an evaluation comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Viable, and neither dominated by nor equal to a member of the front.
    Accepted {
        /// Weighted improvement over the first parent.
        delta: f64,
        /// Improvement over the baseline by objective.
        improvement: BTreeMap<String, f64>,
        /// For people.
        reason: String,
    },
    /// Viable, and no improvement.
    Archived {
        /// Weighted improvement over the first parent.
        delta: f64,
        /// For people.
        reason: String,
    },
    /// Not viable.
    Rejected(Refusal),
}

/// Whether every gate was passed, every objective measured and every threshold met.
pub fn viability(state: &State, evaluation: &Evaluation) -> Result<(), Refusal> {
    if let Some(check) = evaluation.failed_check() {
        return Err(Refusal { gate: check.name.clone(), reason: check.reason.clone() });
    }
    let forbidden = matches!(
        evaluation.outcome,
        Outcome::Tamper
            | Outcome::SandboxError
            | Outcome::Protocol
            | Outcome::Denied
            | Outcome::Limit
            | Outcome::EarlyExit
    );
    let missing =
        state.run.objectives.iter().find(|objective| evaluation.scores.get(&objective.name).is_none());
    if forbidden || missing.is_some() {
        let reason = match (evaluation.detail.is_empty(), missing) {
            (false, _) => evaluation.detail.clone(),
            (true, Some(objective)) => format!("{} was not measured", objective.name),
            (true, None) => format!("the evaluation ended with {}", evaluation.outcome.word()),
        };
        return Err(Refusal { gate: evaluation.outcome.word().to_owned(), reason });
    }
    state
        .run
        .objectives
        .meets_thresholds(&evaluation.scores)
        .map_err(|unmet| Refusal { gate: THRESHOLD_GATE.to_owned(), reason: unmet.to_string() })
}

/// Whether a candidate fails at [`CORRECTNESS_GATE`] first of all.
pub fn is_incorrect(evaluation: &Evaluation) -> bool {
    evaluation.failed_check().is_some_and(|check| check.name == CORRECTNESS_GATE)
}

/// What a candidate did that is forbidden, beyond what the unchanged target does too, with counts; and in a sentence.
/// `None` when it kept to the rules.
pub fn violation(state: &State, evaluation: &Evaluation) -> Option<(BTreeMap<String, u32>, String)> {
    let beyond = evaluation.denials.iter().filter(|(what, _)| !state.tolerated.contains_key(*what));
    let denials: BTreeMap<String, u32> = beyond.map(|(what, count)| (what.clone(), *count)).collect();
    let reason = if evaluation.outcome == Outcome::Tamper {
        format!("it tried to forge its result: {}", evaluation.detail)
    } else if denials.is_empty() {
        return None;
    } else {
        format!("the sandbox denied it {}", denials.keys().cloned().collect::<Vec<_>>().join(", "))
    };
    Some((denials, reason))
}

/// Judges a candidate's first evaluation against the archive as it stands.
pub fn judge(state: &State, number: Number, evaluation: &Evaluation) -> Verdict {
    if let Err(refusal) = viability(state, evaluation) {
        return Verdict::Rejected(refusal);
    }
    let objectives = &state.run.objectives;
    let scores = &evaluation.scores;
    let parent = state
        .candidate(number)
        .and_then(|record| record.parents.first())
        .and_then(|parent| state.candidate(*parent));
    let delta =
        parent.map_or(0.0, |parent| archive::weighted_improvement(objectives, &parent.scores, scores));
    let Ok(point) = objectives.point(scores) else {
        return Verdict::Rejected(Refusal {
            gate: evaluation.outcome.word().to_owned(),
            reason: "its scores are not complete".to_owned(),
        });
    };
    let relation = state.peaks.relation(&point);
    if let Some(better) = relation.dominated_by {
        return Verdict::Archived {
            delta,
            reason: format!("{} is at least as good in everything", state.id(better)),
        };
    }
    if let Some(same) = relation.equal_to {
        return Verdict::Archived { delta, reason: format!("scores the same as {}", state.id(same)) };
    }
    let baseline = state.baseline().map(|baseline| &baseline.scores);
    let improvement = baseline.map(|baseline| objectives.improvement(baseline, scores)).unwrap_or_default();
    let reason = match relation.dominated.as_slice() {
        [] => "a new trade-off on the front".to_owned(),
        [one] => format!("better than {}", state.id(*one)),
        many => format!("better than {} members of the front", many.len()),
    };
    Verdict::Accepted { delta, improvement, reason }
}

/// Whether a fresh evaluation agrees with what is recorded of a candidate: it passes the gates again, and no objective
/// is worse than recorded by more than the noise measured on the baseline.
pub fn confirms(state: &State, number: Number, fresh: &Evaluation) -> Result<(), Refusal> {
    let refuse = |reason: String| Refusal { gate: VERIFICATION_GATE.to_owned(), reason };
    let Some(record) = state.candidate(number) else { return Err(refuse("no such candidate".to_owned())) };
    if state.is_viable(number) {
        viability(state, fresh).map_err(|refusal| refuse(format!("{}: {}", refusal.gate, refusal.reason)))?;
    }
    for objective in state.run.objectives.iter() {
        let (Some(before), Some(now)) =
            (record.scores.get(&objective.name), fresh.scores.get(&objective.name))
        else {
            continue;
        };
        let noise = state.noise.get(&objective.name);
        let tolerance = noise.map_or(EXACT_TOLERANCE, |noise| (NOISE_FACTOR * noise).max(NOISY_TOLERANCE));
        let worse_by = match objective.direction {
            objectives::Direction::Minimize => now - before,
            objectives::Direction::Maximize => before - now,
        };
        if worse_by > tolerance * before.abs().max(f64::MIN_POSITIVE) {
            return Err(refuse(format!("{} is {now} now and was recorded as {before}", objective.name)));
        }
    }
    Ok(())
}
