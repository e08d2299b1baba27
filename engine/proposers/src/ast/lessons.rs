//! What became of changes, so that the same change of another parent comes sooner or later there: what failed on a
//! candidate mostly fails on its descendants, and what paid on one mostly pays on its siblings.
//!
//! A fold of what the proposer is told, and of nothing else.

use super::pool::Change;
use evolution::ports::FeedbackResult;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Factor on the score of a change for each time it was not viable.
const NOT_VIABLE: f64 = 0.25;
/// Factor for each time it improved nothing.
const NO_GAIN: f64 = 0.5;
/// Factor for each time it was an improvement.
const PAID: f64 = 1.5;
/// Bounds of the factor.
const BOUNDS: (f64, f64) = (1e-4, 2.25);
/// Most changes that are remembered; others are as good as their scores.
const MAX_LESSONS: usize = 20_000;

/// What was learnt of changes, by what they do and not by where they stand.
#[derive(Debug, Default)]
pub(super) struct Lessons(HashMap<u64, f64>);

/// Names a change by what it does: the same for all parents.
pub(super) fn lesson_of(change: &Change) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&change.path, change.family, &change.rationale).hash(&mut hasher);
    hasher.finish()
}

impl Lessons {
    /// Factor on the score of a change, 1 for one that was never tried.
    pub(super) fn factor(&self, change: &Change) -> f64 {
        if self.0.is_empty() { 1.0 } else { self.0.get(&lesson_of(change)).copied().unwrap_or(1.0) }
    }

    /// Takes in how a proposal of these changes ended. Of several together it is not known which one failed.
    pub(super) fn observe(&mut self, changes: &[u64], result: FeedbackResult) {
        let factor = match (result, changes.len()) {
            (FeedbackResult::Accepted, _) => PAID,
            (FeedbackResult::Rejected, 1) => NOT_VIABLE,
            (FeedbackResult::Archived, 1) => NO_GAIN,
            _ => return,
        };
        for change in changes {
            if self.0.len() < MAX_LESSONS || self.0.contains_key(change) {
                let known = self.0.entry(*change).or_insert(1.0);
                *known = (*known * factor).clamp(BOUNDS.0, BOUNDS.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_comes_later_and_what_paid_comes_sooner() {
        let change = |rationale: &str| Change { rationale: rationale.to_owned(), ..Change::default() };
        let mut lessons = Lessons::default();
        lessons.observe(&[lesson_of(&change("a"))], FeedbackResult::Rejected);
        lessons.observe(&[lesson_of(&change("b")), lesson_of(&change("c"))], FeedbackResult::Accepted);
        lessons.observe(&[lesson_of(&change("d")), lesson_of(&change("e"))], FeedbackResult::Rejected);
        let factors: Vec<f64> = ["a", "b", "c", "d"].iter().map(|r| lessons.factor(&change(r))).collect();
        assert_eq!(factors, [NOT_VIABLE, PAID, PAID, 1.0]);
    }
}
