//! Scores: what an evaluation measured, one finite number a name. A number that is not finite is refused when it
//! arrives, so that nothing behind this file needs to ask again. Not here: whether a score is good.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Scores of one evaluation at most.
pub const MAX_SCORES: usize = 4096;

/// Why numbers are no scores.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// NaN or an infinity.
    #[error("the score of `{name}` is {value}, which is no finite number")]
    NotFinite {
        /// Name of the objective.
        name: String,
        /// NaN, infinity or minus infinity.
        value: f64,
    },
    /// No score for an objective.
    #[error("the objective `{name}` has no score")]
    Missing {
        /// Name of the objective.
        name: String,
    },
    /// More than [`MAX_SCORES`] names.
    #[error("there are more than {MAX_SCORES} scores")]
    TooMany,
    /// A point without a coordinate.
    #[error("a point needs at least one cost")]
    Empty,
}

/// Scores by name, in the order of the names; every value is finite. In JSON a plain map of names to numbers.
///
/// ```
/// let scores = objectives::Scores::from_pairs([("time", 1.5), ("accuracy", 0.9)])?;
/// assert_eq!(scores.get("time"), Some(1.5));
/// assert!(objectives::Scores::from_pairs([("time", f64::NAN)]).is_err());
/// # Ok::<(), objectives::ScoreError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, f64>")]
pub struct Scores(BTreeMap<String, f64>);

impl Scores {
    /// Scores from names and numbers; of two numbers under one name the later holds.
    ///
    /// # Errors
    /// [`ScoreError::NotFinite`] for NaN and infinities, [`ScoreError::TooMany`] above [`MAX_SCORES`] names.
    pub fn from_pairs<S: Into<String>>(
        pairs: impl IntoIterator<Item = (S, f64)>,
    ) -> Result<Self, ScoreError> {
        let mut scores = BTreeMap::new();
        for (name, value) in pairs {
            let name = name.into();
            if !value.is_finite() {
                return Err(ScoreError::NotFinite { name, value });
            }
            scores.insert(name, value);
            if scores.len() > MAX_SCORES {
                return Err(ScoreError::TooMany);
            }
        }
        Ok(Self(scores))
    }

    /// The score under a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Names and scores, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<BTreeMap<String, f64>> for Scores {
    type Error = ScoreError;

    fn try_from(scores: BTreeMap<String, f64>) -> Result<Self, ScoreError> {
        Self::from_pairs(scores)
    }
}
