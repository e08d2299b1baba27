//! An evaluation while it is put together.

use crate::bench::Trouble;
use evolution::candidate::{CheckResult, Evaluation, Outcome, Separation};
use objectives::Scores;

/// An evaluation being put together.
pub(super) struct Draft {
    pub(super) evaluation: Evaluation,
    /// Set when the cascade is over.
    pub(super) over: bool,
}

impl Draft {
    pub(super) fn stop(&mut self, trouble: Trouble) {
        self.evaluation.outcome = trouble.outcome;
        self.evaluation.detail = trouble.detail;
        self.over = true;
    }

    pub(super) fn score(&mut self, name: &str, value: f64) -> Result<(), Trouble> {
        let all = self.evaluation.scores.iter().map(|(name, value)| (name.to_owned(), value));
        let all = all.chain([(name.to_owned(), value)]).collect::<Vec<_>>();
        self.evaluation.scores =
            Scores::from_pairs(all).map_err(|error| Trouble::new(Outcome::Protocol, error.to_string()))?;
        Ok(())
    }

    /// Notes how something was kept apart from the candidate: the weakest holds for the whole.
    pub(super) fn kept(&mut self, separation: Separation) {
        let weakness = |separation: Separation| match separation {
            Separation::Split => 0,
            Separation::Canary => 1,
            Separation::Shared => 2,
        };
        if weakness(separation) > weakness(self.evaluation.separation) {
            self.evaluation.separation = separation;
        }
    }

    pub(super) fn fail_check(&mut self, name: &str, trouble: Trouble) {
        let reason = if trouble.detail.is_empty() {
            trouble.outcome.word().to_owned()
        } else {
            trouble.detail.clone()
        };
        self.evaluation.checks.push(CheckResult { name: name.to_owned(), passed: false, reason });
        self.stop(trouble);
    }
}
