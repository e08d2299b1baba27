//! From what a command left behind to a proposal: which changes may be taken over, which spoil the attempt, and what an
//! attempt without a change means.

use crate::workbench::Outcome;
use evolution::candidate::{FileChange, Patch};
use evolution::errand::{Change, Ended};
use evolution::ports::ProposerError;
use serde::{Deserialize, Serialize};

/// Exit code of a command that has nothing to propose.
const NOTHING_TO_PROPOSE: i32 = 3;
/// Longest text taken over from a command's answer or output, in characters.
const MAX_TEXT: usize = 400;
/// Most entries taken over of a list in an answer, and most paths named in one sentence.
const MAX_ENTRIES: usize = 8;

/// The answer that a command may write beside its changes. It labels the attempt and decides nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    status: String,
    summary: String,
    hypothesis: String,
    tags: Vec<String>,
    notes: Vec<String>,
    /// New files that were not taken over.
    #[serde(skip_deserializing)]
    left_out: Vec<String>,
}

impl Answer {
    /// Reads an answer; one that cannot be read is none.
    pub(super) fn read(bytes: Option<&[u8]>) -> Self {
        let read = bytes.and_then(|bytes| serde_json::from_slice::<Self>(bytes).ok());
        let mut answer = read.unwrap_or_default();
        for text in [&mut answer.status, &mut answer.summary, &mut answer.hypothesis] {
            *text = shortened(text);
        }
        for list in [&mut answer.tags, &mut answer.notes] {
            list.truncate(MAX_ENTRIES);
            list.iter_mut().for_each(|text| *text = shortened(text));
        }
        answer
    }

    /// Why, in a sentence that a person reads.
    pub(super) fn rationale(&self, proposer: &str) -> String {
        let mut words = match (self.summary.as_str(), self.hypothesis.as_str()) {
            ("", "") => format!("{proposer}: it gave no reason"),
            ("", only) | (only, "") => only.to_owned(),
            (summary, hypothesis) => format!("{summary}: {hypothesis}"),
        };
        if !self.left_out.is_empty() {
            words.push_str(&format!("; left out: {}", self.left_out.join(", ")));
        }
        words
    }

    /// What is kept in the log.
    pub(super) fn detail(&self, outcome: &Outcome) -> serde_json::Value {
        let mut detail = serde_json::to_value(self).unwrap_or_default();
        if let Some(detail) = detail.as_object_mut() {
            detail.insert("ended".to_owned(), outcome.ended.words().into());
        }
        detail
    }
}

/// One line of a text, not too long.
fn shortened(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_TEXT).collect()
}

/// The difference as the rules see it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// What may be taken over.
    pub(super) patch: Patch,
    /// New files that may not, and that spoil nothing.
    pub(super) left_out: Vec<String>,
    /// Why nothing is taken over.
    pub(super) refused: Option<String>,
}

impl Difference {
    /// Holds the changes against the rules. A protected file that was changed or removed spoils the attempt, since its
    /// author may have relied on it; a new file beside the program is only left behind.
    pub(super) fn of(outcome: &Outcome, editable: &[String]) -> Self {
        let (mut patch, mut left_out, mut forbidden) = (Vec::new(), Vec::new(), Vec::new());
        for (path, change) in &outcome.changes {
            match (change, editable.contains(path)) {
                (Change::New(content) | Change::Changed(content), true) => {
                    patch.push(FileChange { path: path.clone(), content: Some(content.clone()) });
                }
                (Change::New(_), false) => left_out.push(path.clone()),
                (Change::Changed(_) | Change::Gone | Change::Odd, _) => forbidden.push(path.clone()),
            }
        }
        left_out.truncate(MAX_ENTRIES);
        forbidden.truncate(MAX_ENTRIES);
        let refused = match (outcome.too_much, forbidden.is_empty()) {
            (true, _) => Some("it changed more than may be brought back".to_owned()),
            (false, false) => Some(format!("it changed what may not change: {}", forbidden.join(", "))),
            (false, true) => None,
        };
        Self { patch: Patch(patch), left_out, refused }
    }
}

/// What an attempt comes to. A change within the rules counts whatever the command said at its end: agents end well
/// after failing, and fail after a good edit.
pub(super) fn judge(
    outcome: &Outcome,
    editable: &[String],
    mut answer: Answer,
) -> Result<(Patch, Answer), ProposerError> {
    let difference = Difference::of(outcome, editable);
    if let Some(reason) = difference.refused {
        return Err(ProposerError::Refused(reason));
    }
    answer.left_out = difference.left_out;
    if !difference.patch.0.is_empty() {
        return Ok((difference.patch, answer));
    }
    if let Some(budget) = outcome.out_of {
        return Err(ProposerError::OutOfBudget(budget));
    }
    match &outcome.ended {
        Ended::Exited(0) => Ok((difference.patch, answer)),
        Ended::Exited(NOTHING_TO_PROPOSE) => {
            let reason = if answer.summary.is_empty() { "it said so" } else { &answer.summary };
            Err(ProposerError::Exhausted(reason.to_owned()))
        }
        ended => Err(ProposerError::Failed(with_last_line(ended, &outcome.output))),
    }
}

/// How it ended, with the last line of its output, which mostly says why.
fn with_last_line(ended: &Ended, output: &str) -> String {
    match output.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) if !matches!(ended, Ended::Unstarted(_)) => {
            format!("{}, with nothing changed; its last words: {}", ended.words(), shortened(line))
        }
        _ => format!("{}, with nothing changed", ended.words()),
    }
}
