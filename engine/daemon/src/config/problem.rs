//! What is wrong with a `darwind.toml`: each problem with its place, and all of them together as one diagnostic.
//! Finding problems is the readers' work; printing them is miette's.

use miette::{Diagnostic, NamedSource, SourceSpan};
use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Most problems that one report shows; a file that is wrong throughout need not be quoted whole.
const MAX_PROBLEMS: usize = 20;

/// One thing that is wrong, and where.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// What is wrong, in a sentence.
    pub(crate) message: String,
    /// Bytes of the file that it is about.
    pub(crate) span: Range<usize>,
    /// A few words that stand beside the marked bytes.
    pub(crate) label: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

/// Collects problems while a file is read, so that one reading reports all of them.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// Notes a problem.
    pub(crate) fn add(&self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) {
        self.push(Problem { message: message.into(), span, label: label.into(), help: None });
    }

    /// Notes a problem with advice.
    pub(crate) fn advise(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Problem { message: message.into(), span, label: label.into(), help: Some(help.into()) });
    }

    fn push(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// The problems as one error, if there are any.
    pub(crate) fn into_result(self, path: &Path, text: &str) -> Result<(), Box<Malformed>> {
        let mut problems = self.0.into_inner();
        problems.sort_by_key(|problem| problem.span.start);
        if problems.is_empty() { Ok(()) } else { Err(Box::new(Malformed::new(path, text, problems))) }
    }
}

/// A configuration that cannot be used. Its first problem is quoted at once, the others follow as related reports.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Malformed {
    message: String,
    help: Option<String>,
    source_code: NamedSource<Arc<str>>,
    label: miette::LabeledSpan,
    others: Vec<Self>,
}

impl Malformed {
    /// One report of all problems; `problems` is not empty and in the order of the file.
    pub(crate) fn new(path: &Path, text: &str, problems: Vec<Problem>) -> Self {
        let text: Arc<str> = Arc::from(text);
        let name = path.display().to_string();
        let mut reports: Vec<Self> =
            problems.into_iter().take(MAX_PROBLEMS).map(|problem| Self::one(&name, &text, problem)).collect();
        let others = if reports.is_empty() { Vec::new() } else { reports.split_off(1) };
        let first = reports.pop().unwrap_or_else(|| {
            let nothing =
                Problem { message: "unusable".to_owned(), span: 0..0, label: String::new(), help: None };
            Self::one(&name, &text, nothing)
        });
        Self { others, ..first }
    }

    fn one(name: &str, text: &Arc<str>, problem: Problem) -> Self {
        let span = SourceSpan::from(problem.span);
        Self {
            message: problem.message,
            help: problem.help,
            source_code: NamedSource::new(name, text.clone()),
            label: miette::LabeledSpan::new_primary_with_span(Some(problem.label), span),
            others: Vec::new(),
        }
    }
}

impl Diagnostic for Malformed {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.label.clone())))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.others.is_empty() {
            return None;
        }
        Some(Box::new(self.others.iter().map(|other| other as &dyn Diagnostic)))
    }
}

/// The one of `known` that somebody who wrote `word` most likely meant.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    let by_distance = known
        .iter()
        .map(|candidate| (strsim::osa_distance(&lower, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate);
    // A longer word for the same thing (`cpu` for `cpu_time`) is far by distance and plain by its beginning.
    by_distance.or_else(|| {
        known.iter().copied().find(|candidate| {
            lower.len() >= 3 && (candidate.starts_with(&lower) || lower.starts_with(candidate))
        })
    })
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_the_word_meant() {
        let known = ["weight", "direction", "threshold", "cpu_time"];
        assert_eq!(nearest("wieght", &known), Some("weight"));
        assert_eq!(nearest("Weight", &known), Some("weight"));
        assert_eq!(nearest("cpu", &known), Some("cpu_time"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
