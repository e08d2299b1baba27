//! Unified diffs as models write them: line numbers and counts are often wrong, so a hunk is a text to be found and a
//! text to take its place, and its line number only chooses among several places.

use super::{Change, Edit};

/// The hunks of an answer, in order; none when it holds no diff.
pub(super) fn read(answer: &str) -> Vec<Edit> {
    let lines: Vec<&str> = answer.lines().collect();
    let mut edits = Vec::new();
    let mut path: Option<String> = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if let Some(name) = header(&lines, at - 1) {
            path = name;
            at += 1;
        } else if line.starts_with("@@") {
            let length = hunk_length(&lines, at);
            let body = lines.get(at..at + length).unwrap_or_default();
            edits.extend(hunk(line, body, path.as_deref()));
            at += length;
        }
    }
    edits
}

/// The file of a `---`/`+++` pair of lines: the new name, or the old one when the new one is no file.
fn header(lines: &[&str], at: usize) -> Option<Option<String>> {
    let old = lines.get(at)?.strip_prefix("--- ")?;
    let new = lines.get(at + 1)?.strip_prefix("+++ ")?;
    let name = if new.trim() == "/dev/null" { old } else { new };
    // A time may follow the name, after a tab.
    let name = name.split('\t').next().unwrap_or(name).trim();
    let name = name.strip_prefix("a/").or_else(|| name.strip_prefix("b/")).unwrap_or(name);
    Some((!name.is_empty()).then(|| name.to_owned()))
}

fn hunk_length(lines: &[&str], from: usize) -> usize {
    let inside = |at: usize| match lines.get(at) {
        Some(line) => {
            (line.is_empty() || line.starts_with([' ', '+', '-', '\\'])) && header(lines, at).is_none()
        }
        None => false,
    };
    let mut length = (from..lines.len()).take_while(|at| inside(*at)).count();
    // Empty lines after the last changed one belong to the answer's prose.
    while length > 0 && lines.get(from + length - 1).is_some_and(|line| line.is_empty()) {
        length -= 1;
    }
    length
}

fn hunk(heading: &str, body: &[&str], path: Option<&str>) -> Option<Edit> {
    let (mut search, mut replace) = (Vec::new(), Vec::new());
    for line in body {
        match line.split_at_checked(1) {
            Some(("-", rest)) => search.push(rest),
            Some(("+", rest)) => replace.push(rest),
            Some((" ", rest)) => {
                search.push(rest);
                replace.push(rest);
            }
            None => {
                search.push("");
                replace.push("");
            }
            Some(_) => {}
        }
    }
    if search.is_empty() && replace.is_empty() {
        return None;
    }
    let near = heading.split('-').nth(1).and_then(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    let change = Change::Replace { search: search.join("\n"), replace: replace.join("\n"), near };
    Some(Edit { path: path.map(str::to_owned), change })
}
