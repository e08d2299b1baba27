//! One objective: a named number to minimise or maximise. Not here: how it is measured, and several of them together.

use serde::{Deserialize, Serialize};

/// Length of an objective's name at most, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Less is better.
    Minimize,
    /// More is better.
    Maximize,
}

impl Direction {
    /// A value as a cost, which is always minimised: the value itself, or its negative for [`Direction::Maximize`].
    pub fn cost(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// Why an objective, or a set of them, makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectiveError {
    /// Empty, too long or with control characters.
    #[error("an objective's name needs 1 to {MAX_NAME_BYTES} bytes without control characters: {name:?}")]
    Name {
        /// The name as given.
        name: String,
    },
    /// Not above zero, or not finite.
    #[error("the weight of the objective `{name}` is {weight}; it must be a finite number above 0")]
    Weight {
        /// Name of the objective.
        name: String,
        /// The weight as given.
        weight: f64,
    },
    /// A threshold or bound that is NaN or infinite.
    #[error("the {what} of the objective `{name}` is {value}; it must be a finite number")]
    Limit {
        /// Name of the objective.
        name: String,
        /// `threshold` or `bound`.
        what: &'static str,
        /// The number as given.
        value: f64,
    },
    /// None, or more than a set holds.
    #[error("{count} objectives are given; a set holds 1 to {max}", max = crate::MAX_OBJECTIVES)]
    Count {
        /// How many were given.
        count: usize,
    },
    /// Two objectives of one name.
    #[error("two objectives have the name `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },
}

/// A number to minimise or maximise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Name, unique in a set.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// How much it counts in the choice of the champion: finite, above 0, against the other weights of the set.
    pub weight: f64,
    /// A score worse than this makes a candidate not viable; the threshold itself passes. In the objective's unit.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// Unit of the scores, for people: `s`, `bytes`.
    #[serde(default)]
    pub unit: Option<String>,
    /// The best score that can be had, where one is known: 1 for a rate of passes. In the objective's unit.
    #[serde(default)]
    pub bound: Option<f64>,
}

impl Objective {
    /// An objective of weight 1 without threshold, unit and bound; set those fields where they are known.
    ///
    /// # Errors
    /// [`ObjectiveError::Name`].
    pub fn new(name: impl Into<String>, direction: Direction) -> Result<Self, ObjectiveError> {
        let objective =
            Self { name: name.into(), direction, weight: 1.0, threshold: None, unit: None, bound: None };
        objective.validate()?;
        Ok(objective)
    }

    /// Whether the fields make sense; a set asks this of each of its objectives.
    ///
    /// # Errors
    /// [`ObjectiveError::Name`], [`ObjectiveError::Weight`] and [`ObjectiveError::Limit`].
    pub fn validate(&self) -> Result<(), ObjectiveError> {
        let name = || self.name.clone();
        if self.name.is_empty() || self.name.len() > MAX_NAME_BYTES || self.name.chars().any(char::is_control)
        {
            return Err(ObjectiveError::Name { name: name() });
        }
        if !(self.weight.is_finite() && self.weight > 0.0) {
            return Err(ObjectiveError::Weight { name: name(), weight: self.weight });
        }
        for (what, limit) in [("threshold", self.threshold), ("bound", self.bound)] {
            if let Some(value) = limit.filter(|value| !value.is_finite()) {
                return Err(ObjectiveError::Limit { name: name(), what, value });
            }
        }
        Ok(())
    }

    /// Whether its values are shares, of which more is better and 1 the most: a rate of passes.
    pub fn is_share(&self) -> bool {
        self.direction == Direction::Maximize && self.bound == Some(1.0)
    }

    /// Whether `value` is `limit` or better.
    pub fn reaches(&self, value: f64, limit: f64) -> bool {
        self.direction.cost(value) <= self.direction.cost(limit)
    }

    /// How much better `value` is than `baseline`, as a share of the baseline's size: positive is better in either
    /// direction, 0.5 on a time is twice as fast. A baseline of zero has no share, so that the difference itself counts
    /// (scaled by 1). Always finite: what would overflow is the largest number.
    pub fn improvement(&self, baseline: f64, value: f64) -> f64 {
        let gain = self.direction.cost(baseline) - self.direction.cost(value);
        let scale = if baseline == 0.0 { 1.0 } else { baseline.abs() };
        (gain / scale).clamp(f64::MIN, f64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn improvement_is_a_share_of_the_baseline_in_either_direction() {
        let time = Objective::new("time", Direction::Minimize).unwrap();
        let rate = Objective::new("rate", Direction::Maximize).unwrap();
        assert_eq!(time.improvement(2.0, 1.0), 0.5);
        assert_eq!(rate.improvement(2.0, 1.0), -0.5);
        assert_eq!(rate.improvement(0.0, 0.25), 0.25);
        assert_eq!(rate.improvement(f64::MIN_POSITIVE, f64::MAX), f64::MAX);
    }

    #[test]
    fn nonsense_is_refused() {
        let objective = Objective::new("time", Direction::Minimize).unwrap();
        assert!(matches!(Objective::new("", Direction::Minimize), Err(ObjectiveError::Name { .. })));
        assert!(matches!(Objective::new("a\nb", Direction::Minimize), Err(ObjectiveError::Name { .. })));
        let weightless = Objective { weight: 0.0, ..objective.clone() };
        assert!(matches!(weightless.validate(), Err(ObjectiveError::Weight { .. })));
        let unbounded = Objective { bound: Some(f64::NAN), ..objective };
        assert!(matches!(unbounded.validate(), Err(ObjectiveError::Limit { what: "bound", .. })));
    }
}
