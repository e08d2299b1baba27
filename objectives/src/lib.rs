//! What better means: objectives, scores, dominance, fronts and hypervolume.
//!
//! Pure: every function depends on its arguments alone. No crate of ours, no file, environment, clock or randomness.
//! This crate neither measures a score nor decides what becomes of a candidate.
//!
//! Inside, everything is minimised: [`ObjectiveSet::point`] negates what is maximised, once, at the edge, and
//! [`Point`], [`fronts`] and [`hypervolume`](mod@hypervolume) know costs only.

mod champion;
pub mod fronts;
pub mod hypervolume;
mod objective;
mod objective_set;
mod point;
mod score;

pub use champion::{AUGMENTATION, champion, champion_of_rows};
pub use objective::{Direction, MAX_NAME_BYTES, Objective, ObjectiveError};
pub use objective_set::{MAX_OBJECTIVES, ObjectiveSet, Unmet};
pub use point::{Dominance, Point, compare, compare_costs, dominates};
pub use score::{MAX_SCORES, ScoreError, Scores};
