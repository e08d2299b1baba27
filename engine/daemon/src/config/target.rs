//! The section `[target]`: its name, the files that may change, the interpreter. Holds the patterns against the folder,
//! so that a configuration once read names real files.

use super::files::{Pattern, is_test, select};
use super::reader::{Found, Section};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Longest name of a target, in bytes: it is part of commit messages and paths.
const MAX_NAME_BYTES: usize = 100;
/// Most files that may change.
const MAX_MUTABLE_FILES: usize = 1000;

/// `[target]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TargetSection {
    /// The target's name, `agent_id` on the wire.
    pub(crate) name: String,
    /// Patterns of files that may change, as written.
    pub(crate) files: Vec<String>,
    /// The files that they chose when the configuration was read: paths below the target with `/` between parts.
    pub(crate) mutable: Vec<String>,
    /// The interpreter, if one is named.
    pub(crate) python: Option<PathBuf>,
}

/// What a file list is held against.
pub(super) struct Surroundings<'a> {
    /// Name to use when none is given.
    pub(super) folder_name: &'a str,
    /// Every file below the target.
    pub(super) files: &'a [String],
    /// Files that judge (evaluator, cases, the configuration), besides those that are named like tests.
    pub(super) judges: &'a [String],
}

/// Reads `[target]`.
pub(super) fn target(top: &mut Section<'_>, around: &Surroundings<'_>) -> Option<TargetSection> {
    let Some(mut section) = top.table("target") else {
        top.problems().advise(
            top.span(),
            "there is no [target] section",
            "a target is needed",
            "write [target] with files = [\"program.py\"], or let `darwind init` write the whole file",
        );
        return None;
    };
    let name = section.text("name");
    if let Some(name) = &name {
        check_name(&section, name);
    }
    let patterns = section.texts("files");
    if !section.has("files") {
        section.missing("files", "files = [\"src/**/*.py\"]");
    }
    let python = section.text("python").map(|found| PathBuf::from(found.value));
    let mutable = patterns.as_ref().and_then(|patterns| mutable(&section, patterns, around));
    section.finish();
    Some(TargetSection {
        name: name.map_or_else(|| around.folder_name.to_owned(), |name| name.value),
        files: patterns?.value.into_iter().map(|pattern| pattern.value).collect(),
        mutable: mutable?,
        python,
    })
}

fn check_name(section: &Section<'_>, name: &Found<String>) {
    let odd = name.value.chars().any(char::is_control);
    if odd || name.value.len() > MAX_NAME_BYTES {
        let message = format!("`name` in {} cannot be this", section.title());
        section.problems().add(
            name.span.clone(),
            message,
            format!("expected at most {MAX_NAME_BYTES} bytes without control characters"),
        );
    }
}

/// The files that the patterns choose; every pattern must choose one, and none may choose a judge.
fn mutable(
    section: &Section<'_>,
    patterns: &Found<Vec<Found<String>>>,
    around: &Surroundings<'_>,
) -> Option<Vec<String>> {
    let mut parsed = Vec::new();
    for pattern in &patterns.value {
        match Pattern::parse(&pattern.value) {
            Ok(good) => parsed.push(good),
            Err(reason) => {
                let message = format!("`{}` is no pattern of files: {reason}", pattern.value);
                section.problems().add(pattern.span.clone(), message, "expected a path or glob");
            }
        }
    }
    if parsed.len() < patterns.value.len() {
        return None;
    }
    let selection = select(around.files, &parsed);
    for index in &selection.idle {
        idle(section, &patterns.value[*index], around.files);
    }
    let mut good = selection.idle.is_empty();
    for (by, path) in &selection.chosen {
        if let Some(why) = judge(path, around.judges) {
            forbidden(section, &patterns.value[*by], path, why);
            good = false;
        }
    }
    let chosen: Vec<String> = selection.chosen.into_iter().map(|(_, path)| path).collect();
    if good && chosen.is_empty() {
        section.problems().add(
            patterns.span.clone(),
            "`files` leaves no file that may change",
            "all are excluded",
        );
        return None;
    }
    if chosen.len() > MAX_MUTABLE_FILES {
        let message = format!("`files` names {} files, more than {MAX_MUTABLE_FILES}", chosen.len());
        section.problems().add(patterns.span.clone(), message, "name fewer");
        return None;
    }
    good.then_some(chosen)
}

fn idle(section: &Section<'_>, pattern: &Found<String>, files: &[String]) {
    let sources: Vec<&str> =
        files.iter().filter(|path| path.ends_with(".py") && !is_test(path)).map(String::as_str).collect();
    let label = super::problem::nearest(&pattern.value, &sources)
        .map_or_else(|| "matches no file".to_owned(), |meant| format!("did you mean `{meant}`?"));
    let some = &sources[..sources.len().min(5)];
    let help = format!("paths are relative to darwind.toml; sources here: {}", super::problem::listed(some));
    section.problems().advise(
        pattern.span.clone(),
        format!("`files` names `{}`, and there is no such file", pattern.value),
        label,
        help,
    );
}

/// Why a file judges, if it does.
fn judge(path: &str, judges: &[String]) -> Option<&'static str> {
    if judges.iter().any(|judge| judge == path) {
        return Some("which judges the candidate");
    }
    is_test(path).then_some("which is a test by its name")
}

fn forbidden(section: &Section<'_>, pattern: &Found<String>, path: &str, why: &str) {
    let help = if pattern.value == path {
        "a candidate that may change its judge can pass without being better: take it out of the list"
            .to_owned()
    } else {
        format!("narrow the pattern, or add \"!{path}\" to the list: a candidate must not change its judge")
    };
    section.problems().advise(
        pattern.span.clone(),
        format!("`files` lets a candidate change {path}, {why}"),
        "may not be among the files that change",
        help,
    );
}
