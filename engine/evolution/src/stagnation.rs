//! Stagnation, and what follows from it: after too many decided evaluations without progress, the search starts anew, from
//! the baseline and from members of the front by turns, with more patience each time. What was found is kept; only the
//! parents are new.
//!
//! Source: Fukunaga, "Restart Scheduling for Genetic Algorithms" (1998), for restarts after stagnation; Auger and Hansen, "A
//! Restart CMA Evolution Strategy with Increasing Population Size" (2005), for the growing effort.

use crate::id::{BASELINE, Number};
use crate::settings::{MAX_PATIENCE, RestartSettings};
use crate::state::State;

/// What is known of progress since the search last started anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Stagnation {
    /// Decided evaluations without progress that are borne now.
    pub patience: u64,
    /// Decided evaluations when the last progress was made.
    pub progress_at: u64,
    /// Best quality since the search last started anew, 0 to 1.
    pub best: f64,
    /// Restarts so far.
    pub restarts: u32,
    /// Candidates with smaller numbers belong to an earlier start: they are no parents any more unless they join the front.
    pub since: Number,
}

impl Stagnation {
    /// The beginning of a run. Without settings there is no end to patience.
    pub fn new(settings: Option<&RestartSettings>) -> Self {
        let patience = settings.map_or(u64::MAX, |settings| settings.patience.max(1));
        Self { patience, progress_at: 0, best: 0.0, restarts: 0, since: BASELINE }
    }

    /// Hears of a verdict: `quality` that a new parent has, `improved` when the front did.
    pub fn observe(&mut self, decided: u64, quality: f64, improved: bool) {
        if improved || quality > self.best {
            self.progress_at = decided;
        }
        self.best = self.best.max(quality);
    }

    /// Decided evaluations since the last progress.
    pub fn idle(&self, decided: u64) -> u64 {
        decided.saturating_sub(self.progress_at)
    }

    /// Whether patience has run out.
    pub fn is_stuck(&self, decided: u64) -> bool {
        self.idle(decided) >= self.patience
    }

    /// The patience after one more restart: `patience growth`, rounded up, at most [`MAX_PATIENCE`].
    pub fn next_patience(&self, growth: f64) -> u64 {
        let grown = (self.patience as f64 * growth.max(1.0)).ceil() as u64;
        grown.clamp(1, MAX_PATIENCE)
    }

    /// The search starts anew from a candidate of this quality.
    pub fn restart(&mut self, decided: u64, next: Number, quality: f64, patience: u64) {
        *self = Self {
            patience,
            progress_at: decided,
            best: quality,
            restarts: self.restarts.saturating_add(1),
            since: next,
        };
    }
}

/// Where the next restart starts from: the baseline at the first, third, ... restart, a member of the front drawn by `draw`
/// (a number of which the remainder is taken) at the others.
pub fn root(state: &State, draw: u64) -> Number {
    let fronts_turn = state.stagnation.restarts % 2 == 1;
    let place = draw.checked_rem(state.front.len() as u64).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| state.front.get(place)).copied().filter(|_| fronts_turn).unwrap_or(BASELINE)
}

#[cfg(test)]
mod tests {
    use super::Stagnation;
    use crate::settings::{MAX_PATIENCE, RestartSettings};

    #[test]
    fn patience_ends_after_so_many_evaluations_and_grows_with_each_restart() {
        let settings = RestartSettings { patience: 10, growth: 1.5 };
        let mut stagnation = Stagnation::new(Some(&settings));
        stagnation.observe(3, 0.6, false);
        assert!(!stagnation.is_stuck(12) && stagnation.is_stuck(13));
        stagnation.observe(13, 0.6, false);
        assert!(stagnation.is_stuck(13), "as good as before is no progress");
        stagnation.observe(13, 0.2, true);
        assert!(!stagnation.is_stuck(22), "a better front is");
        let patience = stagnation.next_patience(settings.growth);
        stagnation.restart(30, 41, 0.5, patience);
        assert_eq!((stagnation.patience, stagnation.restarts, stagnation.since), (15, 1, 41));
        stagnation.observe(31, 0.55, false);
        assert_eq!(stagnation.idle(40), 9, "progress is measured from the new start");
        stagnation.patience = MAX_PATIENCE;
        assert_eq!(stagnation.next_patience(10.0), MAX_PATIENCE);
        assert!(!Stagnation::new(None).is_stuck(u64::MAX - 1));
    }
}
