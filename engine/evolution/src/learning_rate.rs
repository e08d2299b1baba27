//! The adaptive learning rate: how bold the next proposal is. It rises while proposals pay and falls while they do not,
//! by the rule of the project's design: success rate over the last ten, above 0.7 times 1.1, below 0.3 times 0.8, an
//! improvement over 0.2 times 1.05 more. What a rate means for a proposal is in `mappings`.

pub mod mappings;

use crate::settings::LearningRateSettings;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Outcomes remembered.
pub const HISTORY: usize = 20;
/// Latest outcomes whose share of successes steers the rate.
pub const WINDOW: usize = 10;
/// Success rate above which the rate rises.
pub const HIGH_SUCCESS: f64 = 0.7;
/// Success rate below which the rate falls.
pub const LOW_SUCCESS: f64 = 0.3;
/// Factor of a rise.
pub const RAISE: f64 = 1.1;
/// Factor of a fall.
pub const LOWER: f64 = 0.8;
/// Improvement above which the rate earns a bonus.
pub const BIG_IMPROVEMENT: f64 = 0.2;
/// Factor of the bonus.
pub const BONUS: f64 = 1.05;

/// One outcome and the rate at which it was proposed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Whether the proposal paid.
    pub success: bool,
    /// The rate before this outcome was taken in.
    pub rate: f64,
}

/// What one outcome did to the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The rate before.
    pub from: f64,
    /// The rate now.
    pub to: f64,
    /// Share of successes over the last [`WINDOW`] outcomes, 0 to 1.
    pub success_rate: f64,
}

impl Change {
    /// Whether the rate moved at all.
    pub fn moved(&self) -> bool {
        self.from != self.to
    }
}

/// The learning rate with its memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearningRate {
    rate: f64,
    min: f64,
    max: f64,
    history: VecDeque<Observation>,
}

impl LearningRate {
    /// The rate at the start of a run. An initial rate outside the bounds is moved to the nearer bound; bounds that
    /// contradict each other count as equal to the larger one.
    pub fn new(settings: &LearningRateSettings) -> Self {
        let max = settings.max.max(settings.min);
        let rate = settings.initial.max(settings.min).min(max);
        Self { rate, min: settings.min, max, history: VecDeque::with_capacity(HISTORY) }
    }

    /// The rate now, within the settings' bounds.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Smallest and largest rate.
    pub fn bounds(&self) -> (f64, f64) {
        (self.min, self.max)
    }

    /// Outcomes remembered, the oldest first, at most [`HISTORY`].
    pub fn history(&self) -> impl ExactSizeIterator<Item = &Observation> {
        self.history.iter()
    }

    /// Share of successes over the last [`WINDOW`] outcomes; 0 before the first.
    pub fn success_rate(&self) -> f64 {
        let recent = self.history.len().min(WINDOW);
        let successes =
            self.history.iter().rev().take(WINDOW).filter(|observation| observation.success).count();
        if recent == 0 { 0.0 } else { successes as f64 / recent as f64 }
    }

    /// Takes in one outcome: whether it was a success, and by what share it improved (0 for none; not a number counts
    /// as none).
    pub fn update(&mut self, success: bool, magnitude: f64) -> Change {
        let from = self.rate;
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Observation { success, rate: from });
        let success_rate = self.success_rate();
        if success_rate > HIGH_SUCCESS {
            self.rate = (self.rate * RAISE).min(self.max);
        } else if success_rate < LOW_SUCCESS {
            self.rate = (self.rate * LOWER).max(self.min);
        }
        if magnitude > BIG_IMPROVEMENT {
            self.rate = (self.rate * BONUS).min(self.max);
        }
        Change { from, to: self.rate, success_rate }
    }
}

#[cfg(test)]
mod tests {
    use super::{HISTORY, LearningRate};
    use crate::settings::LearningRateSettings;
    use proptest::prelude::*;

    fn fresh() -> LearningRate {
        LearningRate::new(&LearningRateSettings::default())
    }

    #[test]
    fn starts_at_a_tenth() {
        assert_eq!(fresh().rate(), 0.1);
        assert_eq!(fresh().bounds(), (0.01, 0.5));
        assert_eq!(fresh().success_rate(), 0.0);
    }

    #[test]
    fn the_first_outcome_counts_alone() {
        let mut rate = fresh();
        let change = rate.update(true, 0.0);
        assert_eq!((change.from, change.success_rate), (0.1, 1.0));
        assert!((change.to - 0.11).abs() < 1e-15 && change.moved());
        let mut rate = fresh();
        assert!((rate.update(false, 0.0).to - 0.08).abs() < 1e-15);
    }

    #[test]
    fn the_borders_themselves_move_nothing() {
        let mut rate = fresh();
        for outcome in [true, true, true, true, true, true, true, false, false] {
            rate.update(outcome, 0.0);
        }
        // Seven of ten is not above 0.7.
        assert!(!rate.update(false, 0.0).moved());
        let mut rate = fresh();
        for outcome in [false, false, false, false, false, false, false, true, true] {
            rate.update(outcome, 0.0);
        }
        // Three of ten is not below 0.3.
        let change = rate.update(true, 0.2);
        assert_eq!(change.success_rate, 0.3);
        assert!(!change.moved());
    }

    #[test]
    fn a_big_improvement_earns_more_even_in_bad_times() {
        let mut rate = fresh();
        let change = rate.update(false, 0.21);
        assert!((change.to - 0.1 * 0.8 * 1.05).abs() < 1e-15);
        let mut rate = fresh();
        assert!((rate.update(true, 0.5).to - 0.1 * 1.1 * 1.05).abs() < 1e-15);
    }

    #[test]
    fn stays_within_its_bounds() {
        let mut rate = fresh();
        for _ in 0..100 {
            rate.update(true, 1.0);
        }
        assert_eq!(rate.rate(), 0.5);
        for _ in 0..100 {
            rate.update(false, f64::NAN);
        }
        assert_eq!(rate.rate(), 0.01);
        assert_eq!(rate.history().len(), HISTORY);
    }

    #[test]
    fn survives_being_written_down() {
        let mut rate = fresh();
        rate.update(true, 0.3);
        rate.update(false, 0.0);
        let text = serde_json::to_string(&rate).unwrap();
        assert_eq!(serde_json::from_str::<LearningRate>(&text).unwrap(), rate);
    }

    /// The rule as the design's own listing states it: a list, slices of it, and no bounds but its own.
    fn twin(outcomes: &[(bool, f64)]) -> f64 {
        let mut rate: f64 = 0.1;
        let mut history: Vec<bool> = Vec::new();
        for (success, magnitude) in outcomes {
            history.push(*success);
            if history.len() > 20 {
                history = history[history.len() - 20..].to_vec();
            }
            let last = &history[history.len().saturating_sub(10)..];
            let recent =
                last.iter().filter(|success| **success).count() as f64 / 10.0_f64.min(history.len() as f64);
            if recent > 0.7 {
                rate = (rate * 1.1).min(0.5);
            } else if recent < 0.3 {
                rate = (rate * 0.8).max(0.01);
            }
            if *magnitude > 0.2 {
                rate = (rate * 1.05).min(0.5);
            }
        }
        rate
    }

    proptest! {
        #[test]
        fn agrees_with_the_rule_of_the_design(
            outcomes in prop::collection::vec((prop::bool::weighted(0.6), 0.0..0.4_f64), 0..120)
        ) {
            let mut rate = fresh();
            for (success, magnitude) in &outcomes {
                let change = rate.update(*success, *magnitude);
                prop_assert_eq!(change.to, rate.rate());
                prop_assert!((0.01..=0.5).contains(&change.to));
            }
            prop_assert_eq!(rate.rate(), twin(&outcomes));
        }
    }
}
