//! What became of earlier changes to each parent, to be told with the next question. A fold of what was observed.

use evolution::id::Number;
use evolution::ports::{FeedbackResult, ProposalFeedback};
use std::collections::{BTreeMap, VecDeque};

/// Attempts remembered for one parent; the latest stay.
const MAX_ATTEMPTS: usize = 8;
/// Parents remembered; those with the smallest numbers go first.
const MAX_PARENTS: usize = 512;
/// Longest reason that is told, in characters.
const MAX_REASON: usize = 300;

/// One attempt in a line.
type Line = String;

/// Earlier changes by parent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attempts(BTreeMap<Number, VecDeque<Line>>);

impl Attempts {
    /// Remembers what became of a proposal. `summary` is what it was meant to do.
    pub(super) fn observe(&mut self, feedback: &ProposalFeedback, summary: &str) {
        let Some(parent) = feedback.parents.first() else { return };
        let word = match feedback.result {
            FeedbackResult::Duplicate => "had been tried before",
            FeedbackResult::Discarded => "could not be used",
            FeedbackResult::Rejected => "was rejected",
            FeedbackResult::Archived => "works but improves nothing",
            FeedbackResult::Accepted => "improved the program",
        };
        let reason: String = feedback.reason.chars().take(MAX_REASON).collect();
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let summary = if summary.is_empty() { "a change" } else { summary };
        let lines = self.0.entry(*parent).or_default();
        lines.push_back(format!("- \"{summary}\" {word}: {reason}"));
        if lines.len() > MAX_ATTEMPTS {
            lines.pop_front();
        }
        if self.0.len() > MAX_PARENTS {
            self.0.pop_first();
        }
    }

    /// What is known of a parent, one line an attempt, oldest first; empty when nothing is.
    pub(super) fn of(&self, parent: Number) -> String {
        let lines: Vec<&str> = self.0.get(&parent).into_iter().flatten().map(String::as_str).collect();
        lines.join("\n")
    }
}
