//! Changes as a language model writes them: read from its text, then applied to a candidate's files. Four notations are
//! understood (SEARCH/REPLACE blocks, a unified diff, JSON, a whole file in a fence); all become one [`Edit`]. Whatever
//! goes wrong has one of a closed set of reasons, which is counted, recorded and told to the model once.
//!
//! Nothing here knows prompts, models or the run.

mod apply;
mod fence;
pub mod form;
mod json;
mod matching;
mod reason;
mod search_replace;
mod unified;

pub use apply::apply;
pub use reason::{Reason, Rejection};

use serde::{Deserialize, Serialize};

/// Longest answer that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Most edits in one answer.
pub const MAX_EDITS: usize = 64;

/// The notation that a model is asked to write its change in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Blocks of text to be found and text to take its place, with conflict markers around them.
    #[default]
    SearchReplace,
    /// A unified diff. Its line numbers are hints only.
    UnifiedDiff,
    /// One JSON object with a list of edits.
    Json,
    /// The whole new file in a fence.
    WholeFile,
}

impl Format {
    /// Every notation with its name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("search_replace", Self::SearchReplace),
        ("unified_diff", Self::UnifiedDiff),
        ("json", Self::Json),
        ("whole_file", Self::WholeFile),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}

/// One change of one file. Without a path the file is the only one, or the only one that it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file, as the model named it.
    pub path: Option<String>,
    /// What is done to it.
    pub change: Change,
}

/// What an edit does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Puts `replace` where `search` stands.
    Replace {
        /// Whole lines to be found; a part of one line will do.
        search: String,
        /// What takes their place.
        replace: String,
        /// The line (from 1) at which they are said to begin, for choosing among several places.
        near: Option<usize>,
    },
    /// Puts `text` in place of the lines `first` to `last`, both from 1 and included.
    Lines {
        /// First line.
        first: usize,
        /// Last line, at least `first`.
        last: usize,
        /// What takes their place.
        text: String,
    },
    /// The whole new file, or the content of its only evolve block.
    Whole(String),
}

/// What an answer in JSON says of its edits; `None` for the other notations, which say it in prose.
pub fn reason_within(answer: &str) -> Option<String> {
    json::reason(answer)
}

/// Reads the edits of an answer. `asked` decides only whether a lone fence is a whole file: the other notations are
/// recognised by their marks, whatever was asked for, since models mix them up. `paths` are the files that exist.
///
/// # Errors
///
/// When there is no edit in it, or a notation is broken.
pub fn read(answer: &str, asked: Format, paths: &[&str]) -> Result<Vec<Edit>, Rejection> {
    if answer.len() > MAX_ANSWER_BYTES {
        let detail = format!("the answer has {} bytes, {MAX_ANSWER_BYTES} are read", answer.len());
        return Err(Rejection::new(Reason::TooLarge, detail));
    }
    if answer.trim().is_empty() {
        return Err(Rejection::new(Reason::Empty, "the answer is empty"));
    }
    let edits = read_any(answer, asked, paths)?;
    match edits.len() {
        0 => Err(Rejection::new(Reason::NoEdit, "nothing in the answer reads as an edit")),
        count if count > MAX_EDITS => {
            Err(Rejection::new(Reason::TooLarge, format!("{count} edits, {MAX_EDITS} are allowed")))
        }
        _ => Ok(edits),
    }
}

fn read_any(answer: &str, asked: Format, paths: &[&str]) -> Result<Vec<Edit>, Rejection> {
    if search_replace::is_used(answer) {
        return search_replace::read(answer, paths);
    }
    if asked == Format::WholeFile {
        let whole = fence::whole_files(answer, paths);
        if !whole.is_empty() {
            return Ok(whole);
        }
    }
    let hunks = unified::read(answer);
    if !hunks.is_empty() {
        return Ok(hunks);
    }
    json::read(answer)
}

/// The known path that a line of text names, if it names one: a heading, a comment or a file name before a block.
fn path_in(line: &str, paths: &[&str]) -> Option<String> {
    let words = line.split(|letter: char| letter.is_whitespace() || "`*#:\"'()[]<>=,".contains(letter));
    words.filter(|word| !word.is_empty()).find_map(|word| {
        let word = word.trim_start_matches("./");
        paths.iter().find(|path| **path == word).map(|path| (*path).to_owned())
    })
}

#[cfg(test)]
mod tests;
