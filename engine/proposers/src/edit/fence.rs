//! Fenced code: whole files, and the text in which JSON may hide.

use super::{Change, Edit, path_in};

/// A fenced stretch of an answer.
pub(super) struct Fence {
    /// What follows the opening fence in its line, and the line before it.
    heading: String,
    /// The text between the fences, with a newline at its end.
    pub(super) text: String,
    /// Whether it is closed; an answer that was cut off ends inside a fence.
    closed: bool,
}

/// The fences of an answer. A fence inside a longer fence is text.
pub(super) fn fences(answer: &str) -> Vec<Fence> {
    let mut found: Vec<Fence> = Vec::new();
    let mut open: Option<usize> = None;
    let mut before = "";
    for line in answer.lines() {
        let ticks = line.trim_start().bytes().take_while(|byte| *byte == b'`').count();
        match (open, found.last_mut()) {
            (Some(width), Some(fence)) => {
                let closes = ticks >= width && line.trim().bytes().all(|byte| byte == b'`');
                if closes {
                    fence.closed = true;
                    open = None;
                } else {
                    fence.text.push_str(line);
                    fence.text.push('\n');
                }
            }
            _ if ticks >= 3 => {
                found.push(Fence { heading: format!("{before} {line}"), text: String::new(), closed: false });
                open = Some(ticks);
            }
            _ => {}
        }
        if !line.trim().is_empty() {
            before = line;
        }
    }
    found
}

/// Whole files in an answer: every closed fence that names a file; else the longest alone, since models put small
/// excerpts beside it.
pub(super) fn whole_files(answer: &str, paths: &[&str]) -> Vec<Edit> {
    let fences: Vec<Fence> = fences(answer).into_iter().filter(|fence| fence.closed).collect();
    let mut named: Vec<Edit> = Vec::new();
    for fence in &fences {
        let Some(path) = path_in(&fence.heading, paths) else { continue };
        // The last of two versions of a file is the one that the model settled on.
        named.retain(|edit| edit.path.as_ref() != Some(&path));
        named.push(Edit { path: Some(path), change: Change::Whole(fence.text.clone()) });
    }
    if !named.is_empty() {
        return named;
    }
    let longest = fences.into_iter().max_by_key(|fence| fence.text.len());
    longest.map(|fence| Edit { path: None, change: Change::Whole(fence.text) }).into_iter().collect()
}
