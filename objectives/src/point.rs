//! Points: candidates as costs, all minimised, and how two of them compare.

use crate::score::ScoreError;

/// A candidate's costs, one an objective, all finite and all minimised.
#[derive(Debug, Clone, PartialEq)]
pub struct Point(Box<[f64]>);

impl Point {
    /// A point of these costs.
    ///
    /// # Errors
    /// [`ScoreError::Empty`] without a cost, [`ScoreError::NotFinite`] (with the cost's position for a name) for NaN
    /// and infinities.
    pub fn new(costs: impl Into<Box<[f64]>>) -> Result<Self, ScoreError> {
        let costs = costs.into();
        if costs.is_empty() {
            return Err(ScoreError::Empty);
        }
        match costs.iter().enumerate().find(|(_, cost)| !cost.is_finite()) {
            Some((index, cost)) => Err(ScoreError::NotFinite { name: index.to_string(), value: *cost }),
            None => Ok(Self(costs)),
        }
    }

    /// The costs, in the order of the objectives.
    pub fn costs(&self) -> &[f64] {
        &self.0
    }
}

/// How one point compares with another (Pareto dominance).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dominance {
    /// Nowhere worse and somewhere better.
    Better,
    /// Nowhere better and somewhere worse.
    Worse,
    /// The same everywhere.
    Equal,
    /// Better somewhere and worse somewhere else.
    Incomparable,
}

/// Compares two points of the same length; of different lengths the common objectives count.
pub fn compare(a: &Point, b: &Point) -> Dominance {
    compare_costs(a.costs(), b.costs())
}

/// Whether `a` is nowhere worse than `b` and somewhere better.
pub fn dominates(a: &Point, b: &Point) -> bool {
    compare(a, b) == Dominance::Better
}

/// [`compare`] of costs that are not held as points.
pub fn compare_costs(a: &[f64], b: &[f64]) -> Dominance {
    let (mut better, mut worse) = (false, false);
    for (x, y) in a.iter().zip(b) {
        better |= x < y;
        worse |= x > y;
    }
    match (better, worse) {
        (true, false) => Dominance::Better,
        (false, true) => Dominance::Worse,
        (false, false) => Dominance::Equal,
        (true, true) => Dominance::Incomparable,
    }
}
