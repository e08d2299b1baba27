//! `darwind apply`: brings a candidate home, because somebody asked for it and never otherwise. Conflicts are found by
//! `snapshots` before anything is written.

use crate::changes::Named;
use crate::cli::{ApplyFlags, ApplyWay};
use crate::data::DataFolder;
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use evolution::id::CandidateId;
use serde::Serialize;
use snapshots::{Applied, Destination, SnapshotsError};
use std::path::{Path, PathBuf};

/// What `apply` answers.
#[derive(Debug, Serialize)]
struct Answer {
    candidate_id: CandidateId,
    target: PathBuf,
    /// `branch`, `patch` or `in_place`.
    way: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<PathBuf>,
    /// Files that differ from the unchanged program.
    files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    /// Files that changed since the run began: the patch may not fit there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed_since: Vec<String>,
}

/// `darwind apply`.
pub(crate) fn apply(flags: &ApplyFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let named = Named::find(&runs, &flags.candidate)?;
    let id = named.state.id(named.number);
    let target = flags.target.clone().unwrap_or_else(|| PathBuf::from(&named.state.run.target));
    if !target.is_dir() {
        return Err(Failure::usage(
            format!("the target {} is not there", target.display()),
            "name the folder where it is now with --target PATH",
        ));
    }
    if !named.state.is_viable(named.number) {
        terminal.note(&format!("note: {id} did not pass every check of its run"));
    }
    let destination = destination(&flags.way, &id);
    let commit = named.commit(named.number)?;
    let applied = runs.snapshots(&named.run)?.apply(&commit, &target, &destination).map_err(refused)?;
    answer(id, target, &destination, applied, terminal)
}

/// As asked; without a wish as a branch, which leaves the work tree as it is.
fn destination(way: &ApplyWay, id: &CandidateId) -> Destination {
    match (&way.branch, &way.patch, way.in_place) {
        (Some(name), _, _) => Destination::Branch(name.clone()),
        (_, Some(file), _) => Destination::Patch(file.clone()),
        (_, _, true) => Destination::InPlace,
        (None, None, false) => Destination::Branch(format!("darwind/{id}")),
    }
}

fn refused(error: SnapshotsError) -> Failure {
    match error {
        SnapshotsError::Conflict { .. } => Failure::work_with_help(
            error.to_string(),
            "nothing was written; `--patch FILE` writes the change to merge by hand",
        ),
        SnapshotsError::Destination(reason) => {
            Failure::usage(reason, "ways home: --in-place, --patch FILE, --branch NAME")
        }
        error => Failure::caused("the candidate could not be brought home", error),
    }
}

fn answer(
    candidate_id: CandidateId,
    target: PathBuf,
    destination: &Destination,
    applied: Applied,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let (way, branch, patch) = match destination {
        Destination::Branch(name) => ("branch", Some(name.clone()), None),
        Destination::Patch(file) => ("patch", None, Some(file.clone())),
        Destination::InPlace => ("in_place", None, None),
    };
    let Applied { files, commit, changed_since } = applied;
    let answer = Answer { candidate_id, target, way, branch, patch, files, commit, changed_since };
    if terminal.wants_json() {
        terminal.json(&answer)?;
        return Ok(Exit::Done);
    }
    for line in lines(&answer) {
        terminal.line(&line)?;
    }
    Ok(Exit::Done)
}

fn lines(answer: &Answer) -> Vec<String> {
    let id = &answer.candidate_id;
    if answer.files.is_empty() {
        return vec![format!("{id} is the unchanged program: there is nothing to bring home")];
    }
    let files = answer.files.join(", ");
    let folder = answer.target.display();
    let mut lines = match (&answer.branch, &answer.patch) {
        (Some(branch), _) => vec![
            format!("{id} is on the new branch {branch} of the repository around {folder}: {files}"),
            format!("Look with:  git diff HEAD...{branch}    take it with:  git merge {branch}"),
        ],
        (_, Some(patch)) => vec![
            format!("{id} is in {}: {files}", patch.display()),
            format!("Take it with:  cd {folder} && git apply {}", absolute(patch)),
        ],
        (None, None) => vec![format!("{id} is in place in {folder}: {files}")],
    };
    if !answer.changed_since.is_empty() {
        lines.push(format!(
            "These changed since the run began, so it may not fit: {}",
            answer.changed_since.join(", ")
        ));
    }
    lines
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}
