//! Puts edits into a candidate's files, one after another, and holds the result to what may change.

use super::matching;
use super::{Change, Edit, Reason, Rejection};
use evolution::candidate::{FileChange, Patch, SourceFiles};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use syntax::{Blocks, Module, confined};

/// Applies edits to a parent's files, in order, each to what the ones before it left.
///
/// # Errors
///
/// When one does not apply, leaves the evolve blocks, breaks a Python file that was valid, or all of them together
/// change nothing.
pub fn apply(edits: &[Edit], parent: &SourceFiles) -> Result<Patch, Rejection> {
    let mut texts: BTreeMap<&str, String> =
        parent.0.keys().filter_map(|path| Some((path.as_str(), parent.text(path)?.to_owned()))).collect();
    for edit in edits {
        let path = target(edit, &texts)?;
        let Some(text) = texts.get_mut(path) else { return Err(unknown(path)) };
        *text = changed(text, &edit.change).map_err(|rejection| in_file(path, rejection))?;
    }
    let mut changes = Vec::new();
    for (path, new) in texts {
        let old = parent.text(path).unwrap_or_default();
        if old != new {
            check(path, old, &new)?;
            changes.push(FileChange { path: path.to_owned(), content: Some(Arc::from(new.as_bytes())) });
        }
    }
    if changes.is_empty() {
        return Err(Rejection::new(Reason::NoChange, "the program is left exactly as it was"));
    }
    Ok(Patch(changes))
}

/// The file that an edit means.
fn target<'t>(edit: &Edit, texts: &BTreeMap<&'t str, String>) -> Result<&'t str, Rejection> {
    if let Some(named) = &edit.path {
        let named = named.trim_start_matches("./");
        let exact = texts.keys().find(|path| **path == named);
        // Models shorten paths; a name that only one file has is as good as its path.
        let mut ending = texts.keys().filter(|path| {
            path.strip_suffix(named).is_some_and(|before| before.ends_with('/'))
                || named.strip_suffix(**path).is_some_and(|before| before.ends_with('/'))
        });
        return match (exact, ending.next(), ending.next()) {
            (Some(path), _, _) | (None, Some(path), None) => Ok(*path),
            _ => Err(unknown(named)),
        };
    }
    let mut paths = texts.keys();
    if let (Some(only), None) = (paths.next(), paths.next()) {
        return Ok(*only);
    }
    let mut fitting = texts.iter().filter(|(_, text)| changed(text, &edit.change).is_ok());
    match (&edit.change, fitting.next(), fitting.next()) {
        (Change::Replace { .. }, Some((path, _)), None) => Ok(*path),
        _ => Err(Rejection::new(Reason::WhichFile, "there are several files: name the one that is meant")),
    }
}

fn changed(text: &str, change: &Change) -> Result<String, Rejection> {
    let blocks = Blocks::find(text).map(|blocks| (blocks.ranges().to_vec(), blocks.is_marked()));
    // Marks that make no sense mark nothing, as for the screener.
    let (allowed, marked) = blocks.unwrap_or_else(|_| (vec![whole(text)], false));
    match change {
        Change::Replace { search, replace, near } => {
            let place = matching::find(text, (search, replace), &allowed, *near)?;
            Ok(spliced(text, place.range, &place.text))
        }
        Change::Lines { first, last, text: new } => lines(text, (*first, *last), new),
        Change::Whole(new) => Ok(match (marked, allowed.as_slice()) {
            // A model that was shown the marks often answers with what stands between them.
            (true, [block]) if !new.contains(syntax::START_MARK) => spliced(text, block.clone(), new),
            _ => new.clone(),
        }),
    }
}

fn whole(text: &str) -> Range<usize> {
    0..text.len()
}

fn spliced(text: &str, range: Range<usize>, new: &str) -> String {
    let (before, after) =
        (text.get(..range.start).unwrap_or_default(), text.get(range.end..).unwrap_or_default());
    format!("{before}{new}{after}")
}

fn lines(text: &str, (first, last): (usize, usize), new: &str) -> Result<String, Rejection> {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    if first == 0 || last < first || last > all.len() {
        let detail = format!("lines {first} to {last} are not in a file of {} lines", all.len());
        return Err(Rejection::new(Reason::NotFound, detail));
    }
    let start: usize = all.iter().take(first - 1).map(|line| line.len()).sum();
    let length: usize = all.iter().take(last).skip(first - 1).map(|line| line.len()).sum();
    let mut new = new.to_owned();
    if !new.is_empty()
        && !new.ends_with('\n')
        && text.get(..start + length).is_some_and(|text| text.ends_with('\n'))
    {
        new.push('\n');
    }
    Ok(spliced(text, start..start + length, &new))
}

/// Holds a changed file to its evolve blocks and, where it is Python, to its syntax.
fn check(path: &str, old: &str, new: &str) -> Result<(), Rejection> {
    if let Ok(blocks) = Blocks::find(old) {
        confined(old, new, &blocks)
            .map_err(|error| in_file(path, Rejection::new(Reason::OutsideBlocks, error.to_string())))?;
    }
    if path.ends_with(".py") && Module::parse(old).is_valid() {
        let module = Module::parse(new);
        if !module.is_valid() {
            let place = module.errors().first().map_or_else(String::new, ToString::to_string);
            let detail = format!("the result is not valid Python: {place}");
            return Err(in_file(path, Rejection::new(Reason::Syntax, detail)));
        }
    }
    Ok(())
}

fn in_file(path: &str, rejection: Rejection) -> Rejection {
    Rejection::new(rejection.reason, format!("{path}: {}", rejection.detail))
}

fn unknown(path: &str) -> Rejection {
    Rejection::new(Reason::UnknownFile, format!("{path} is none of the files that may change"))
}
