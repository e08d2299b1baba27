//! SEARCH/REPLACE blocks: the notation of aider, OpenEvolve and ShinkaEvolve.
//!
//! ```text
//! path/of/file.py
//! <<<<<<< SEARCH
//! lines as they are
//! =======
//! lines as they shall be
//! >>>>>>> REPLACE
//! ```

use super::{Change, Edit, Reason, Rejection, path_in};

/// Marks of at least this many equal letters count: models miscount them.
const MIN_MARK: usize = 5;
/// Lines before a block in which its file's name is looked for.
const MAX_PATH_LINES: usize = 3;

/// Whether an answer uses this notation.
pub(super) fn is_used(answer: &str) -> bool {
    answer.lines().any(is_start)
}

fn marked(line: &str, letter: char, word: &str) -> bool {
    let line = line.trim();
    let rest = line.trim_start_matches(letter);
    line.len() - rest.len() >= MIN_MARK && rest.trim().eq_ignore_ascii_case(word)
}

fn is_start(line: &str) -> bool {
    marked(line, '<', "SEARCH")
}

fn is_middle(line: &str) -> bool {
    marked(line, '=', "")
}

fn is_end(line: &str) -> bool {
    marked(line, '>', "REPLACE")
}

/// Reads all blocks. A block without a name of its own belongs to the file of the block before it.
pub(super) fn read(answer: &str, paths: &[&str]) -> Result<Vec<Edit>, Rejection> {
    let lines: Vec<&str> = answer.lines().collect();
    let mut edits: Vec<Edit> = Vec::new();
    let (mut at, mut ended) = (0, 0);
    while let Some(start) = (at..lines.len()).find(|line| lines.get(*line).is_some_and(|text| is_start(text)))
    {
        let find = |from: usize, wanted: fn(&str) -> bool| {
            let found = (from..lines.len()).find(|line| lines.get(*line).is_some_and(|text| wanted(text)));
            found.ok_or_else(|| {
                let detail =
                    format!("the block that begins in line {} of the answer is not ended", start + 1);
                Rejection::new(Reason::Malformed, detail)
            })
        };
        let middle = find(start + 1, is_middle)?;
        let end = find(middle + 1, is_end)?;
        let text = |from: usize, to: usize| lines.get(from..to).unwrap_or_default().join("\n");
        let before = lines.get(start.saturating_sub(MAX_PATH_LINES).max(ended)..start).unwrap_or_default();
        let path = before.iter().rev().find_map(|line| path_in(line, paths));
        edits.push(Edit {
            path: path.or_else(|| edits.last().and_then(|edit| edit.path.clone())),
            change: Change::Replace {
                search: text(start + 1, middle),
                replace: text(middle + 1, end),
                near: None,
            },
        });
        at = end + 1;
        ended = at;
    }
    Ok(edits)
}
