//! What was learnt on the baseline and is needed to judge others.

use evolution::candidate::Evaluation;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What was learnt on the baseline and is needed to judge others. Shared by the evaluators of a run; part of the
/// baseline's recorded evaluation, so that a resumed run has it too.
#[derive(Debug, Clone, Default)]
pub struct Calibration {
    /// Names of the cases.
    pub(super) known: Vec<String>,
    /// CPU seconds that a case has at first.
    pub(super) case_limit_s: Option<f64>,
    /// CPU seconds of a program that does nothing.
    pub(super) empty_s: Option<f64>,
    /// Wall seconds of each check.
    pub(super) walls: BTreeMap<String, f64>,
    /// Output of each noisy command, where it is the same each time; `None` where it is not.
    pub(super) outputs: BTreeMap<String, Option<Vec<u8>>>,
    /// What judges apart from the candidate: names of objectives and checks, and [`EVALUATOR`].
    pub(super) apart: BTreeSet<String>,
    /// The policy's findings.
    pub(super) findings: BTreeMap<&'static str, u32>,
}

/// Metric that keeps the first limit of a case with the baseline's evaluation.
pub(super) const CASE_LIMIT: &str = "engine.case_limit_s";
/// Start of the metrics that keep with the baseline's evaluation what judges apart from the candidate.
pub(super) const APART: &str = "engine.apart.";
/// Start of the metrics that keep with the baseline's evaluation how long each check took, in seconds.
pub(super) const WALL: &str = "engine.wall_s.";
/// How many times longer than on the baseline a check or measurement may take, beyond [`PATIENCE`].
const PATIENCE_FACTOR: f64 = 10.0;
/// What every check and measurement may take, unless its own time limit is below: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(2);
/// Name of the project's own evaluator among what judges apart.
pub(super) const EVALUATOR: &str = "evaluator";
/// Metric that keeps the cost of an empty program with the baseline's evaluation.
pub(super) const EMPTY: &str = "engine.empty_program_s";

impl Calibration {
    /// What a recorded evaluation of the baseline tells.
    pub fn of(baseline: &Evaluation) -> Self {
        Self {
            known: baseline.cases.iter().map(|case| case.name.clone()).collect(),
            case_limit_s: baseline.metrics.get(CASE_LIMIT).copied(),
            empty_s: baseline.metrics.get(EMPTY).copied(),
            apart: baseline
                .metrics
                .keys()
                .filter_map(|name| Some(name.strip_prefix(APART)?.to_owned()))
                .collect(),
            walls: baseline
                .metrics
                .iter()
                .filter_map(|(name, wall_s)| Some((name.strip_prefix(WALL)?.to_owned(), *wall_s)))
                .collect(),
            ..Self::default()
        }
    }
}

/// Wall time for something that took `known_s` seconds before: a candidate that hangs should not cost the whole `limit`,
/// and one that is so much slower is not worth more.
pub(super) fn patience(known_s: Option<f64>, limit: Duration) -> Duration {
    let known = known_s.and_then(|known_s| Duration::try_from_secs_f64(known_s * PATIENCE_FACTOR).ok());
    known.map_or(limit, |known| limit.min(known.saturating_add(PATIENCE)))
}
