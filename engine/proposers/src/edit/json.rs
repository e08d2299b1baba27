//! JSON edits: `{"why", "edits": [{"path", "search", "replace"} | {"path", "line", "last", "new"} | {"path", "content"}]}`, the
//! list alone, or one edit alone; bare, in a fence, or within prose.

use super::fence::fences;
use super::{Change, Edit, Reason, Rejection};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Object { edits: Vec<WrittenEdit> },
    List(Vec<WrittenEdit>),
    One(WrittenEdit),
}

#[derive(Deserialize)]
struct WrittenEdit {
    #[serde(default, alias = "file")]
    path: Option<String>,
    #[serde(flatten)]
    change: WrittenChange,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenChange {
    Replace {
        search: String,
        replace: String,
    },
    Lines {
        line: usize,
        #[serde(default, alias = "end_line")]
        last: Option<usize>,
        new: String,
    },
    Whole {
        content: String,
    },
}

impl WrittenEdit {
    fn into_edit(self) -> Edit {
        let change = match self.change {
            WrittenChange::Replace { search, replace } => Change::Replace { search, replace, near: None },
            WrittenChange::Lines { line, last, new } => {
                Change::Lines { first: line, last: last.unwrap_or(line), text: new }
            }
            WrittenChange::Whole { content } => Change::Whole(content),
        };
        Edit { path: self.path, change }
    }
}

/// What an answer says of its edits, if it is JSON and says so.
pub(super) fn reason(answer: &str) -> Option<String> {
    let fenced = fences(answer);
    let texts = std::iter::once(answer.trim()).chain(fenced.iter().map(|fence| fence.text.trim()));
    let values = texts.filter_map(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    values.filter_map(|value| value.get("why")?.as_str().map(str::to_owned)).next()
}

/// Reads the edits of an answer: of the first text in it that is JSON of this shape.
pub(super) fn read(answer: &str) -> Result<Vec<Edit>, Rejection> {
    let fenced = fences(answer);
    let whole = std::iter::once(answer.trim());
    let within = ["{", "["].into_iter().zip(["}", "]"]).filter_map(|(open, close)| {
        let (start, end) = (answer.find(open)?, answer.rfind(close)?);
        answer.get(start..=end)
    });
    let texts = whole.chain(fenced.iter().map(|fence| fence.text.trim())).chain(within);
    for text in texts.filter(|text| text.starts_with(['{', '['])) {
        if let Ok(written) = serde_json::from_str(text) {
            return Ok(match written {
                Written::Object { edits } | Written::List(edits) => {
                    edits.into_iter().map(WrittenEdit::into_edit).collect()
                }
                Written::One(edit) => vec![edit.into_edit()],
            });
        }
    }
    if answer.contains("\"edits\"") {
        return Err(Rejection::new(Reason::Malformed, "the JSON of the edits cannot be read"));
    }
    Ok(Vec::new())
}
