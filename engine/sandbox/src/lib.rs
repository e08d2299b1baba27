//! Running strangers' code: isolation levels, limits, the cascade of checks, measurement.
//!
//! `cell` is the wall; `bench` a walled lane with a copy of the target; `evaluator` the cascade that judges a candidate
//! on it; `errand` a command that edits a copy of a candidate; `relay` what keeps a project's own tests and evaluator
//! apart from the candidate; `plan` what the cascade is told of a target; `screener` what can be told without running.

pub mod cell;

mod bench;
mod cases;
mod command;
mod errand;
mod evaluator;
mod localisation;
mod measure;
mod plan;
mod policy;
mod python;
mod relay;
mod reporting;
mod screener;
mod suite;
mod value;
mod workspace;

pub use bench::BenchError;
pub use errand::{Errand, ErrandOptions, ErrandReport, Errands, Gateway, MAX_CHANGED_BYTES, Places};
pub use evaluator::{Calibration, LocalEvaluator, TOGETHER};
pub use plan::{
    CASCADE_THRESHOLDS, CaseSource, CheckPlan, Contract, EvaluationPlan, EvaluatorFile, MAX_PAIRS, Measure,
    ObjectivePlan, Target,
};
pub use python::{Python, PythonError};
pub use screener::PythonScreener;
