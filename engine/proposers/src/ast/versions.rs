//! What became of versions of functions: a change that solved nothing in one program mostly solves nothing in the next where
//! the same function stands as it stood, and one that solved a case there solves it here.
//!
//! A fold of what the proposer is told, and of nothing else.

use super::pool::Change;
use evolution::candidate::Outcome;
use evolution::ports::{CandidateView, FeedbackResult, ProposalFeedback};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use syntax::{Edit, Module, apply};

/// Factor on the score of a change for each time that it solved no case.
const SOLVED_NOTHING: f64 = 0.1;
/// The same where no case says so: a number that did not improve may do so from elsewhere.
const NO_GAIN: f64 = 0.5;
/// Least of these together.
const LEAST: f64 = 1e-6;
/// Factor on a change that solved a case, where nobody passes more than the parent at hand: before all that is only likely.
const SOLVES: f64 = 1e6;
/// The same where somebody does: it would most likely make what is there already.
const KNOWN: f64 = 0.1;
/// Most changes that are remembered; others are as good as their scores.
const MAX_REMEMBERED: usize = 20_000;

/// The functions of a file, to name changes by the one that they change.
pub(super) struct Functions<'m> {
    source: &'m str,
    /// Bytes of each function, and of the file.
    spans: Vec<Range<usize>>,
    /// What names each of them as it is.
    names: Vec<u64>,
}

impl<'m> Functions<'m> {
    /// Of a file.
    pub(super) fn of(path: &str, module: &'m Module) -> Self {
        let source = module.source();
        let functions = module.functions();
        let named = functions.iter().map(|function| (function.qualified_name(), function.span()));
        let (mut spans, mut names) = (Vec::new(), Vec::new());
        for (name, span) in named.chain([(String::new(), 0..source.len())]) {
            let mut hasher = DefaultHasher::new();
            (path, name, source.get(span.clone())).hash(&mut hasher);
            spans.push(span);
            names.push(hasher.finish());
        }
        Self { source, spans, names }
    }

    /// Names a change by the innermost function around it as it is, and by what becomes of it: the same for all parents where
    /// that function is the same, however the rest of the program differs, and whichever edits lead there. What changes no
    /// single function is named by the whole file and the edits. 0 for edits that cannot be applied.
    pub(super) fn version(&self, edits: &[Edit]) -> u64 {
        let holds = |span: &Range<usize>| {
            edits.iter().all(|edit| span.start <= edit.range.start && edit.range.end <= span.end)
        };
        let around = self.spans.iter().zip(&self.names).filter(|(span, _)| holds(span));
        let Some((span, before)) = around.min_by_key(|(span, _)| span.len()) else { return 0 };
        let mut hasher = DefaultHasher::new();
        before.hash(&mut hasher);
        if *span == (0..self.source.len()) {
            let named = edits.iter().map(|edit| (edit.range.start, edit.range.end, &edit.replacement));
            named.for_each(|edit| edit.hash(&mut hasher));
        } else {
            let within = |edit: &Edit| {
                let range = edit.range.start - span.start..edit.range.end - span.start;
                Edit::replace(range, edit.replacement.as_str())
            };
            let edits: Vec<Edit> = edits.iter().map(within).collect();
            let text = self.source.get(span.clone()).unwrap_or_default();
            let Ok(after) = apply(text, &edits) else { return 0 };
            after.hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// The text of each function of a module, by its qualified name. A name that is given twice, as to the parts of a property,
/// tells nobody apart.
pub(super) struct Bodies<'m>(HashMap<String, Option<&'m str>>);

impl<'m> Bodies<'m> {
    /// Of a module.
    pub(super) fn of(module: &'m Module) -> Self {
        let mut texts: HashMap<String, Option<&str>> = HashMap::new();
        for function in module.functions() {
            let text = module.source().get(function.span());
            texts.entry(function.qualified_name()).and_modify(|known| *known = None).or_insert(text);
        }
        Self(texts)
    }

    /// The text of the one function of that name.
    pub(super) fn get(&self, name: &str) -> Option<&'m str> {
        self.0.get(name).copied().flatten()
    }
}

/// What was learnt of versions of functions.
#[derive(Debug, Default)]
pub(super) struct Experience {
    /// Factors of changes that were tried.
    tried: HashMap<u64, f64>,
    /// Changes that solved a case.
    solving: HashSet<u64>,
    /// Fewest cases that anything failed.
    fewest_failed: Option<u32>,
}

impl Experience {
    /// Whether nobody fails fewer cases than this candidate.
    pub(super) fn leads(&self, parent: &CandidateView) -> bool {
        let failed = parent.evaluation.cases_total.saturating_sub(parent.evaluation.cases_passed());
        self.fewest_failed.is_none_or(|fewest| failed <= fewest)
    }

    /// Factor on the score of a change of a parent that leads or not, 1 for one of which nothing is known.
    pub(super) fn factor(&self, change: &Change, leads: bool) -> f64 {
        let change = change.version;
        if self.solving.contains(&change) {
            return if leads { SOLVES } else { KNOWN };
        }
        self.tried.get(&change).copied().unwrap_or(1.0)
    }

    /// Takes in how a proposal of these changes ended. Of several together it is not known which one it was, so they share
    /// the praise and nobody is blamed.
    pub(super) fn observe(&mut self, versions: &[u64], feedback: &ProposalFeedback) {
        let fewest = [self.fewest_failed, feedback.cases_failed];
        self.fewest_failed = fewest.into_iter().flatten().min();
        let viable = matches!(feedback.result, FeedbackResult::Accepted | FeedbackResult::Archived);
        let unimproved = matches!(feedback.result, FeedbackResult::Archived | FeedbackResult::Rejected);
        // A candidate that was given up for its cases ran only some of them.
        let fails = feedback.cases_failed.map_or(feedback.gate == Outcome::Wrong.word(), |failed| failed > 0);
        if viable && feedback.cases_gained.is_some_and(|gained| gained > 0.0) {
            let room = MAX_REMEMBERED.saturating_sub(self.solving.len());
            self.solving.extend(versions.iter().take(room));
        } else if let ([change], true) = (versions, unimproved) {
            self.blame(*change, if fails { SOLVED_NOTHING } else { NO_GAIN });
        }
    }

    fn blame(&mut self, change: u64, factor: f64) {
        self.solving.remove(&change);
        if self.tried.len() < MAX_REMEMBERED || self.tried.contains_key(&change) {
            let known = self.tried.entry(change).or_insert(1.0);
            *known = (*known * factor).max(LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Of a candidate that fails a case, when it says what it gained.
    fn feedback(result: FeedbackResult, cases_gained: Option<f64>) -> ProposalFeedback {
        ProposalFeedback {
            number: 1,
            parents: vec![0],
            operator: String::new(),
            detail: Value::Null,
            result,
            gate: String::new(),
            reason: String::new(),
            scores: None,
            cases_gained,
            cases_failed: cases_gained.map(|_| 1),
        }
    }

    fn factor(experience: &Experience, version: u64, leads: bool) -> f64 {
        experience.factor(&Change { version, ..Change::default() }, leads)
    }

    #[test]
    fn a_change_is_named_by_its_function_and_not_by_what_surrounds_it() {
        let name = |source: &str, from: &str, to: &str| {
            let at = source.find(from).unwrap();
            let edit = Edit::replace(at..at + from.len(), to);
            Functions::of("a.py", &Module::parse(source)).version(&[edit])
        };
        let one = "def f(a):\n    return a + 1\n\ndef g(a):\n    return a\n";
        let moved = "import math\n\ndef g(a):\n    return -a\n\ndef f(a):\n    return a + 1\n";
        let other = "def f(a):\n    b = a\n    return a + 1\n\ndef g(a):\n    return a\n";
        assert_eq!(name(one, "+ 1", "+ 2"), name(moved, "+ 1", "+ 2"));
        assert_ne!(name(one, "+ 1", "+ 2"), name(one, "+ 1", "+ 3"));
        assert_ne!(name(one, "+ 1", "+ 2"), name(other, "+ 1", "+ 2"), "the function is another");
        assert_ne!(name(one, "\n\ndef", "\ndef"), name(moved, "\n\ndef", "\ndef"), "the file is another");
    }

    #[test]
    fn what_solved_nothing_comes_later_and_what_solved_a_case_first_where_nobody_is_better() {
        let mut experience = Experience::default();
        experience.observe(&[1], &feedback(FeedbackResult::Archived, Some(0.0)));
        experience.observe(&[2], &feedback(FeedbackResult::Archived, Some(0.1)));
        experience.observe(&[3], &feedback(FeedbackResult::Archived, None));
        experience.observe(&[4, 5], &feedback(FeedbackResult::Rejected, Some(0.0)));
        experience.observe(&[6], &feedback(FeedbackResult::Discarded, None));
        let all = |leads| (1..=6).map(|version| factor(&experience, version, leads)).collect::<Vec<f64>>();
        assert_eq!(all(true), [SOLVED_NOTHING, SOLVES, NO_GAIN, 1.0, 1.0, 1.0]);
        assert_eq!(all(false), [SOLVED_NOTHING, KNOWN, NO_GAIN, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn where_no_case_fails_a_change_is_blamed_less_and_an_improvement_not_at_all() {
        let mut experience = Experience::default();
        let all_pass = |result| ProposalFeedback { cases_failed: Some(0), ..feedback(result, Some(0.0)) };
        experience.observe(&[1], &all_pass(FeedbackResult::Archived));
        experience.observe(&[2], &all_pass(FeedbackResult::Accepted));
        assert_eq!([1, 2].map(|version| factor(&experience, version, true)), [NO_GAIN, 1.0]);
    }

    #[test]
    fn what_solved_a_case_once_and_then_nothing_is_no_solution() {
        let mut experience = Experience::default();
        experience.observe(&[1], &feedback(FeedbackResult::Accepted, Some(0.1)));
        experience.observe(&[1], &feedback(FeedbackResult::Archived, Some(0.0)));
        assert_eq!(factor(&experience, 1, true), SOLVED_NOTHING);
    }
}
