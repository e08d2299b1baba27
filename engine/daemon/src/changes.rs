//! `darwind diff`: what a candidate changes. The changes themselves are `snapshots`' work.

use crate::cli::DiffFlags;
use crate::data::{DataFolder, Runs};
use crate::failure::{Exit, Failure};
use crate::report;
use crate::terminal::Terminal;
use evolution::id::{BASELINE, CommitId, Number, RunId};
use evolution::state::State;

/// A candidate that a person named, found.
pub(crate) struct Named {
    pub(crate) run: RunId,
    pub(crate) number: Number,
    pub(crate) state: State,
}

impl Named {
    /// Finds the candidate that `text` means.
    pub(crate) fn find(runs: &Runs, text: &str) -> Result<Self, Failure> {
        let (run, number) = runs.find_candidate(text)?;
        let state = runs.state(&run)?;
        let named = Self { run, number, state };
        named.commit(number)?;
        Ok(named)
    }

    /// The snapshot of a candidate of the same run.
    pub(crate) fn commit(&self, number: Number) -> Result<CommitId, Failure> {
        match self.state.candidate(number) {
            Some(record) => Ok(record.commit.clone()),
            None => Err(Failure::usage(
                format!("run {} has no candidate {number}", self.run),
                format!(
                    "`darwind lineage {} --all` lists its candidates; numbers of duplicates stay unused",
                    self.run
                ),
            )),
        }
    }
}

/// `darwind diff`.
pub(crate) fn diff(flags: &DiffFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let named = Named::find(&runs, &flags.candidate)?;
    let against = match &flags.other {
        None => parent(&named),
        Some(other) => {
            let (run, number) = runs.find_candidate(other)?;
            if run != named.run {
                return Err(Failure::usage(
                    format!("{other} is a candidate of run {run}, not of {}", named.run),
                    "candidates of one run can be compared; each run has a repository of its own",
                ));
            }
            number
        }
    };
    let (old, new) = (against, named.number);
    let (old_commit, new_commit) = (named.commit(old)?, named.commit(new)?);
    let snapshots = runs.snapshots(&named.run)?;
    let text = snapshots
        .diff_text(&old_commit, &new_commit)
        .map_err(|error| Failure::caused("the change could not be read", error))?;
    if terminal.wants_json() {
        let files = snapshots
            .changed(&old_commit, &new_commit)
            .map_err(|error| Failure::caused("the change could not be read", error))?;
        let files: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
        terminal.json(&serde_json::json!({
            "from": named.state.id(old),
            "to": named.state.id(new),
            "files": files,
            "diff": text,
        }))?;
        return Ok(Exit::Done);
    }
    report::print_diff(terminal, &text, usize::MAX)?;
    Ok(Exit::Done)
}

fn parent(named: &Named) -> Number {
    let first = named.state.candidate(named.number).and_then(|record| record.parents.first().copied());
    first.unwrap_or(BASELINE)
}
