//! The objectives of a run together: from scores to a point of costs, thresholds, improvement on a baseline.
//! Not here: which of two points is better (`point`).

use crate::objective::{Objective, ObjectiveError};
use crate::point::Point;
use crate::score::{ScoreError, Scores};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Objectives of a set at most. Exact hypervolume and non-dominated sorting lose their meaning, and their speed, with
/// many more: nearly every point is then on the first front.
pub const MAX_OBJECTIVES: usize = 8;

/// A score that misses its objective's threshold.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} is {value}, its threshold is {threshold}")]
pub struct Unmet {
    /// Name of the objective.
    pub name: String,
    /// What was measured, in the objective's unit.
    pub value: f64,
    /// What was asked for, in the objective's unit.
    pub threshold: f64,
}

/// One to [`MAX_OBJECTIVES`] objectives of different names, in the order that was given. In JSON a plain list.
///
/// ```
/// use objectives::{Direction, Objective, ObjectiveSet, Scores};
/// let set = ObjectiveSet::new(vec![
///     Objective::new("time", Direction::Minimize)?,
///     Objective { weight: 2.0, ..Objective::new("accuracy", Direction::Maximize)? },
/// ])?;
/// let point = set.point(&Scores::from_pairs([("time", 3.0), ("accuracy", 0.9)])?)?;
/// assert_eq!(point.costs(), [3.0, -0.9]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Objective>")]
pub struct ObjectiveSet(Vec<Objective>);

impl ObjectiveSet {
    /// A set of these objectives.
    ///
    /// # Errors
    /// What [`Objective::validate`] finds, [`ObjectiveError::Count`] and [`ObjectiveError::Duplicate`].
    pub fn new(objectives: Vec<Objective>) -> Result<Self, ObjectiveError> {
        if objectives.is_empty() || objectives.len() > MAX_OBJECTIVES {
            return Err(ObjectiveError::Count { count: objectives.len() });
        }
        let mut names = BTreeSet::new();
        for objective in &objectives {
            objective.validate()?;
            if !names.insert(&objective.name) {
                return Err(ObjectiveError::Duplicate { name: objective.name.clone() });
            }
        }
        Ok(Self(objectives))
    }

    /// The objectives in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Objective> {
        self.0.iter()
    }

    /// How many there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Their names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|objective| objective.name.as_str())
    }

    /// Position of the objective with this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|objective| objective.name == name)
    }

    /// The objective at a position.
    pub fn get(&self, index: usize) -> Option<&Objective> {
        self.0.get(index)
    }

    /// The point of costs: one coordinate an objective in the set's order, what is maximised negated. Scores that
    /// belong to no objective are passed over.
    ///
    /// # Errors
    /// [`ScoreError::Missing`] when an objective has no score.
    pub fn point(&self, scores: &Scores) -> Result<Point, ScoreError> {
        let cost = |objective: &Objective| {
            let value = scores.get(&objective.name);
            let value = value.ok_or_else(|| ScoreError::Missing { name: objective.name.clone() })?;
            Ok(objective.direction.cost(value))
        };
        Point::new(self.0.iter().map(cost).collect::<Result<Vec<_>, _>>()?)
    }

    /// Whether every measured score is at its objective's threshold or better. A score that is missing is no failure
    /// here; [`ObjectiveSet::point`] tells of it.
    ///
    /// # Errors
    /// The first objective, in the set's order, whose threshold is missed.
    pub fn meets_thresholds(&self, scores: &Scores) -> Result<(), Unmet> {
        for objective in &self.0 {
            let (Some(threshold), Some(value)) = (objective.threshold, scores.get(&objective.name)) else {
                continue;
            };
            if !objective.reaches(value, threshold) {
                return Err(Unmet { name: objective.name.clone(), value, threshold });
            }
        }
        Ok(())
    }

    /// [`Objective::improvement`] of each objective that both know, by name: a share of the baseline, positive for
    /// better.
    pub fn improvement(&self, baseline: &Scores, scores: &Scores) -> BTreeMap<String, f64> {
        let share = |objective: &Objective| {
            let (before, now) = (baseline.get(&objective.name)?, scores.get(&objective.name)?);
            Some((objective.name.clone(), objective.improvement(before, now)))
        };
        self.0.iter().filter_map(share).collect()
    }

    /// Whether nothing is left to gain: every objective has a bound, and its score is there (or beyond, should the
    /// bound have been set too low). False as soon as one objective has no bound or no score.
    pub fn is_ideal(&self, scores: &Scores) -> bool {
        self.0.iter().all(|objective| match (objective.bound, scores.get(&objective.name)) {
            (Some(bound), Some(value)) => objective.reaches(value, bound),
            _ => false,
        })
    }
}

impl<'a> IntoIterator for &'a ObjectiveSet {
    type Item = &'a Objective;
    type IntoIter = std::slice::Iter<'a, Objective>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl TryFrom<Vec<Objective>> for ObjectiveSet {
    type Error = ObjectiveError;

    fn try_from(objectives: Vec<Objective>) -> Result<Self, ObjectiveError> {
        Self::new(objectives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Direction;

    fn set() -> ObjectiveSet {
        let time = Objective { threshold: Some(2.0), ..Objective::new("time", Direction::Minimize).unwrap() };
        let rate = Objective { bound: Some(1.0), ..Objective::new("rate", Direction::Maximize).unwrap() };
        ObjectiveSet::new(vec![time, rate]).unwrap()
    }

    #[test]
    fn thresholds_pass_at_their_own_value() {
        let scores = |time: f64| Scores::from_pairs([("time", time), ("rate", 0.5)]).unwrap();
        assert!(set().meets_thresholds(&scores(2.0)).is_ok());
        let unmet = set().meets_thresholds(&scores(2.1)).unwrap_err();
        assert_eq!(unmet.to_string(), "time is 2.1, its threshold is 2");
    }

    #[test]
    fn a_set_without_a_bound_everywhere_is_never_ideal() {
        let scores = Scores::from_pairs([("time", 1.0), ("rate", 1.0)]).unwrap();
        assert!(!set().is_ideal(&scores));
        let rate = ObjectiveSet::new(vec![set().get(1).unwrap().clone()]).unwrap();
        assert!(rate.is_ideal(&scores));
    }

    #[test]
    fn names_are_unique_and_scores_complete() {
        let objective = set().get(0).unwrap().clone();
        let twice = ObjectiveSet::new(vec![objective.clone(), objective]);
        assert_eq!(twice, Err(ObjectiveError::Duplicate { name: "time".to_owned() }));
        assert_eq!(ObjectiveSet::new(Vec::new()), Err(ObjectiveError::Count { count: 0 }));
        let partial = Scores::from_pairs([("time", 1.0)]).unwrap();
        assert_eq!(set().point(&partial), Err(ScoreError::Missing { name: "rate".to_owned() }));
    }

    #[test]
    fn json_is_checked_on_the_way_in() {
        let json = serde_json::to_string(&set()).unwrap();
        assert_eq!(serde_json::from_str::<ObjectiveSet>(&json).unwrap(), set());
        assert!(serde_json::from_str::<ObjectiveSet>("[]").is_err());
    }
}
