//! Candidates: in a list, whole, as points of a front and of a lineage.

use super::ScoresByName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Its verdict is not given yet.
    Undecided,
    /// The run ended before its evaluation was started.
    Abandoned,
    /// Not viable.
    Rejected,
    /// Viable, and no improvement.
    Archived,
    /// Viable, and an improvement when it came.
    Accepted,
    /// Was viable; a second judgement took that back.
    Revoked,
}

/// A candidate with its scores, as champion, best and baseline are shown.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Scored {
    /// Its name.
    pub(crate) candidate_id: String,
    /// Its place in the run.
    pub(crate) number: u32,
    /// Its snapshot.
    pub(crate) commit: String,
    /// Its scores.
    pub(crate) scores: ScoresByName,
    /// Share of the baseline won, by objective; null for the baseline.
    pub(crate) improvement: Option<ScoresByName>,
}

/// Where a candidate was placed among the parents, by the archive policy; the word is that of the log.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Niche {
    /// The island that it lives on, from 0.
    Island(u32),
    /// Its cell in the grid when it came: the bin of each feature, from 0.
    Cell(Vec<u32>),
    /// Its mean distance to its nearest neighbours when it came, 0 to 1.
    Novelty(f64),
}

/// A candidate in a list.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct CandidateHead {
    /// Its name.
    pub(crate) candidate_id: String,
    /// The same.
    pub(crate) id: String,
    /// Its place in the run; 0 is the baseline.
    pub(crate) number: u32,
    /// Its snapshot.
    pub(crate) commit: String,
    /// Its parents, the first being what its patch applies to.
    pub(crate) parents: Vec<String>,
    /// Who proposed it; null for the baseline.
    pub(crate) proposer: Option<String>,
    /// With which operator.
    pub(crate) operator: Option<String>,
    /// What became of it.
    pub(crate) status: Status,
    /// The gate at which it was rejected; empty otherwise.
    pub(crate) gate: String,
    /// The verdict's reason.
    pub(crate) reason: String,
    /// How its evaluation ended, once it did.
    pub(crate) outcome: Option<String>,
    /// Scores measured, complete exactly when it ran through.
    pub(crate) scores: ScoresByName,
    /// Share of the baseline won, by objective.
    pub(crate) improvement: Option<ScoresByName>,
    /// Pareto rank of a viable candidate, from 1.
    pub(crate) rank: Option<u32>,
    /// Whether it is on the first front.
    pub(crate) on_front: bool,
    /// Whether it is the champion.
    pub(crate) is_champion: bool,
    /// Cases passed.
    pub(crate) cases_passed: usize,
    /// Where it was placed among the parents, if it was worth it; absent where the archive policy has no places.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    #[schema(required = false)]
    pub(crate) niche: Option<Niche>,
}

/// A page of candidates.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Candidates {
    /// How many are listed here.
    pub(crate) shown: usize,
    /// How many fit the question.
    pub(crate) total: usize,
    /// The candidates.
    pub(crate) candidates: Vec<CandidateHead>,
    /// What to ask `after` for the next page; null when this is the last, or the order has no pages.
    pub(crate) next: Option<u32>,
}

/// Which candidates are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listed {
    /// Only candidates after this number; for the order of numbers.
    pub(crate) after: Option<u32>,
    /// How many at most, 1 to 1000; 200 when absent.
    pub(crate) limit: Option<usize>,
    /// Only those of this status.
    #[param(inline)]
    pub(crate) status: Option<Status>,
    /// `number`, the name of an objective, or one of them with `-` before it.
    pub(crate) sort: Option<String>,
}

/// The verdict on a candidate.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Verdict {
    /// What became of it.
    pub(crate) status: Status,
    /// The gate at which it was rejected.
    pub(crate) gate: String,
    /// Why.
    pub(crate) reason: String,
}

/// What some work cost.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Cost {
    /// Wall seconds.
    pub(crate) wall_s: f64,
    /// CPU seconds of the children, all processes together.
    pub(crate) cpu_s: f64,
    /// Processes or cells launched.
    pub(crate) launches: u32,
}

/// One gate of the cascade.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Check {
    /// Its name.
    pub(crate) name: String,
    /// Whether it was passed.
    pub(crate) passed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    #[schema(required = false)]
    pub(crate) reason: String,
}

/// One case.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Case {
    /// Its name.
    pub(crate) name: String,
    /// Whether it passed.
    pub(crate) passed: bool,
    /// The kind of failure.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    #[schema(required = false)]
    pub(crate) failure: String,
}

/// How suspicious the lines of one file are.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Suspicion {
    /// The file.
    pub(crate) path: String,
    /// Line, from 1, and suspicion, 0 to 1.
    pub(crate) lines: Vec<(u32, f32)>,
}

/// A paired comparison of a noisy objective with the parent.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Comparison {
    /// The objective.
    pub(crate) objective: String,
    /// Interleaved pairs measured.
    pub(crate) pairs: u32,
    /// Median of child over parent; below 1 the child is cheaper.
    pub(crate) ratio: f64,
    /// Bounds of the interval for the ratio.
    pub(crate) interval: (f64, f64),
    /// `better`, `worse` or `tie`.
    pub(crate) verdict: String,
}

/// What a candidate's evaluation told.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Told {
    /// More about the outcome: the limit, the signal, what was denied.
    pub(crate) detail: String,
    /// The isolation level: `L1`, `L2` or `L3`.
    pub(crate) isolation: String,
    /// How far the judge was kept apart: `split`, `canary` or `shared`.
    pub(crate) separation: String,
    /// The gates in the order they were taken.
    pub(crate) checks: Vec<Check>,
    /// Every further raw number that the evaluator reported.
    pub(crate) metrics: ScoresByName,
    /// Cases that were run.
    pub(crate) cases: Vec<Case>,
    /// Cases that exist.
    pub(crate) cases_total: u32,
    /// Where the fault may lie.
    pub(crate) suspicion: Vec<Suspicion>,
    /// Paired comparisons with the parent.
    pub(crate) comparisons: Vec<Comparison>,
    /// What the sandbox denied, with counts.
    pub(crate) denials: BTreeMap<String, u32>,
    /// The end of what the candidate printed.
    pub(crate) log: String,
}

/// A candidate, whole; what its evaluation told is absent until it was evaluated.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Candidate {
    #[serde(flatten)]
    pub(crate) head: CandidateHead,
    /// Why it was proposed.
    pub(crate) rationale: String,
    /// Files that it changes against its first parent.
    pub(crate) files: Vec<String>,
    /// The same as `status`.
    pub(crate) fate: Status,
    /// The verdict with its reason.
    pub(crate) verdict: Verdict,
    /// Which event holds its evaluation; 0 before.
    pub(crate) evaluation_seq: u64,
    /// Bytes of files that differ from the baseline's.
    pub(crate) changed_bytes: u64,
    /// What its evaluation cost.
    pub(crate) cost: Cost,
    // To the page a type of its own, since it may be absent as a whole.
    #[serde(flatten)]
    #[cfg_attr(test, ts(skip))]
    pub(crate) told: Option<Told>,
}

/// The first front.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Front {
    /// Its members in order of arrival.
    pub(crate) front: Vec<CandidateHead>,
    /// Its hypervolume.
    pub(crate) hypervolume: f64,
}

/// A candidate as a point of the lineage.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct LineagePoint {
    /// Its place in the run.
    pub(crate) number: u32,
    /// Its name.
    pub(crate) candidate_id: String,
    /// Numbers of its parents.
    pub(crate) parents: Vec<u32>,
    /// What became of it.
    pub(crate) status: Status,
    /// Scores measured.
    pub(crate) scores: ScoresByName,
}

/// Who descends from whom.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Lineage {
    /// How many are listed here.
    pub(crate) shown: usize,
    /// How many there are.
    pub(crate) total: usize,
    /// In the order of numbers.
    pub(crate) candidates: Vec<LineagePoint>,
}

/// What a candidate left behind beside its files. Nothing is kept yet, which the empty list says.
#[derive(Debug, Serialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Artifacts {
    /// Their names.
    pub(crate) artifacts: Vec<String>,
}
