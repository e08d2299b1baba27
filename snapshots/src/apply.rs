//! Bringing a winner home: as a branch of the user's repository, as a patch file, or into the files in place. Every
//! check is made before the first write, and work that is not committed is never touched.

use crate::error::SnapshotsError;
use crate::memory::GitSnapshots;
use crate::object::FileKind;
use crate::repository::ObjectKind;
use crate::repository::home::{Home, HomeChange, Surroundings};
use crate::snapshot::object_id;
use crate::tree;
use crate::work_tree::{Rights, WorkTree};
use evolution::id::CommitId;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How a winner goes home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// As a new branch of the user's repository with one commit on top of the last one. Work tree, index and the
    /// branch that is checked out stay as they are.
    Branch(String),
    /// As a new file that `git apply` or `patch -p1` takes in the target's folder. The target is not touched.
    Patch(PathBuf),
    /// Into the target's files, each replaced whole.
    InPlace,
}

/// What was brought home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Files that differ from the baseline, below the target's root. Empty when the candidate is the baseline; then
    /// nothing was written.
    pub files: Vec<String>,
    /// The new commit of the user's repository, with [`Destination::Branch`].
    pub commit: Option<String>,
    /// Files that the user has changed since the run began, with [`Destination::Patch`]: the patch may not apply there.
    pub changed_since: Vec<String>,
}

type Content = (FileKind, Vec<u8>);

/// One file on its way home.
struct Change {
    path: Vec<u8>,
    name: String,
    old: Option<Content>,
    new: Option<Content>,
}

impl GitSnapshots {
    /// Brings what changed between the baseline and `commit` into the target at `directory`.
    ///
    /// Refuses with [`SnapshotsError::Conflict`] when a file that would change is not what the run began with (a branch
    /// compares with the last commit, in place with the files), and in place also when git tracks it and its present
    /// content is not committed.
    pub fn apply(
        &self,
        commit: &CommitId,
        directory: &Path,
        destination: &Destination,
    ) -> Result<Applied, SnapshotsError> {
        let baseline = self
            .baseline()?
            .ok_or_else(|| SnapshotsError::NotFound("baseline: the run has imported nothing".into()))?;
        let changes = self.changes(&baseline, commit)?;
        let files = changes.iter().map(|change| change.name.clone()).collect();
        let mut applied = Applied { files, commit: None, changed_since: Vec::new() };
        if changes.is_empty() {
            return Ok(applied);
        }
        match destination {
            Destination::Branch(name) => {
                applied.commit = Some(self.to_branch(name, commit, directory, &changes)?)
            }
            Destination::Patch(file) => {
                write_new(file, &self.patch(&baseline, commit)?)?;
                applied.changed_since = changed_since(&WorkTree::open(directory)?, &changes)?;
            }
            Destination::InPlace => in_place(directory, &changes)?,
        }
        Ok(applied)
    }

    fn changes(&self, baseline: &CommitId, commit: &CommitId) -> Result<Vec<Change>, SnapshotsError> {
        let content = |file: Option<tree::File>| match file {
            Some(file) => Ok(Some((file.kind, self.repository.read(ObjectKind::Blob, file.id)?))),
            None => Ok::<_, SnapshotsError>(None),
        };
        tree::compare(&self.repository, self.tree_of(baseline)?, self.tree_of(commit)?)?
            .into_iter()
            .map(|one| {
                let name = String::from_utf8_lossy(&one.path).into_owned();
                Ok(Change { name, old: content(one.old)?, new: content(one.new)?, path: one.path })
            })
            .collect()
    }

    fn to_branch(
        &self,
        name: &str,
        commit: &CommitId,
        directory: &Path,
        changes: &[Change],
    ) -> Result<String, SnapshotsError> {
        let home = match Home::around(directory)? {
            Surroundings::Home(home) => home,
            Surroundings::Plain => {
                return Err(SnapshotsError::Destination(format!(
                    "{} is not in a git repository, so it can have no branch; use --in-place or --patch FILE",
                    directory.display()
                )));
            }
            Surroundings::Unreadable(reason) => {
                return Err(SnapshotsError::Destination(format!(
                    "the git repository around {} cannot be used: {reason}; use --in-place or --patch FILE",
                    directory.display()
                )));
            }
        };
        let mut conflicts = Vec::new();
        let mut commits: Vec<HomeChange> = Vec::with_capacity(changes.len());
        for change in changes {
            let head = home.at_head(&change.path)?;
            match settle(head.as_ref(), change) {
                Some(new) => commits.push((change.path.clone(), new)),
                None => conflicts.push(change.name.clone()),
            }
        }
        if !conflicts.is_empty() {
            return Err(SnapshotsError::Conflict {
                reason: "the last commit's content of these files is not what the run began with (commit what the run \
                         began with, or merge by hand with --patch FILE)",
                paths: conflicts,
            });
        }
        let winner = self.repository.commit(object_id(commit)?)?;
        home.commit_branch(name, &winner.message, winner.time_s, &commits)
    }
}

/// What the commit gets for a file, or `None` on a conflict. Git may keep a text with other line ends than the work
/// tree has; then the new content gets the last commit's.
fn settle(head: Option<&Content>, change: &Change) -> Option<Option<Content>> {
    let new = change.new.clone();
    if same(head, change.old.as_ref()) || same(head, new.as_ref()) {
        return Some(new);
    }
    let ((_, head), (_, old)) = (head?, change.old.as_ref()?);
    if without_carriage_returns(old) != *head {
        return None;
    }
    Some(new.map(|(kind, content)| (kind, without_carriage_returns(&content))))
}

fn without_carriage_returns(content: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(content.len());
    for (index, &byte) in content.iter().enumerate() {
        if byte != b'\r' || content.get(index + 1) != Some(&b'\n') {
            kept.push(byte);
        }
    }
    kept
}

/// Whether two versions hold the same. The executable bit does not count: it is no work that could be lost.
fn same(a: Option<&Content>, b: Option<&Content>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some((kind_a, a)), Some((kind_b, b))) => {
            a == b && (*kind_a == FileKind::Link) == (*kind_b == FileKind::Link)
        }
        _ => false,
    }
}

/// Files that are neither what the run began with nor what they would become.
fn changed_since(folder: &WorkTree, changes: &[Change]) -> Result<Vec<String>, SnapshotsError> {
    let mut changed = Vec::new();
    for change in changes {
        let now = folder.read(&change.path)?;
        if !same(now.as_ref(), change.old.as_ref()) && !same(now.as_ref(), change.new.as_ref()) {
            changed.push(change.name.clone());
        }
    }
    Ok(changed)
}

fn in_place(directory: &Path, changes: &[Change]) -> Result<(), SnapshotsError> {
    let folder = WorkTree::open(directory)?;
    let conflicts = changed_since(&folder, changes)?;
    if !conflicts.is_empty() {
        return Err(SnapshotsError::Conflict {
            reason: "these files have changed since the run began (merge by hand with --patch FILE)",
            paths: conflicts,
        });
    }
    let dirty = uncommitted(directory, &folder, changes)?;
    if !dirty.is_empty() {
        return Err(SnapshotsError::Conflict {
            reason: "these files hold work that is not committed (commit it first, or use --patch FILE)",
            paths: dirty,
        });
    }
    // What goes, goes first: a file may make room for a folder of its name.
    let (going, coming): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.new.is_none());
    let mut done: Vec<&Change> = Vec::with_capacity(changes.len());
    for change in going.into_iter().chain(coming) {
        done.push(change);
        if let Err(error) = put(&folder, &change.path, change.new.as_ref()) {
            // Half a winner is no program: what was changed so far goes back, as far as the system lets it.
            for change in done.into_iter().rev() {
                let _ = put(&folder, &change.path, change.old.as_ref());
            }
            return Err(error);
        }
    }
    Ok(())
}

fn put(folder: &WorkTree, path: &[u8], content: Option<&Content>) -> Result<(), SnapshotsError> {
    match content {
        Some((kind, content)) => folder.write(path, *kind, content, Rights::Kept),
        None => folder.remove(path),
    }
}

/// Files that git tracks and whose present content is in no commit. A file that git never heard of is not among them:
/// the run's repository keeps it, and the user asked for it to be replaced.
fn uncommitted(
    directory: &Path,
    folder: &WorkTree,
    changes: &[Change],
) -> Result<Vec<String>, SnapshotsError> {
    let home = match Home::around(directory)? {
        Surroundings::Home(home) => home,
        Surroundings::Plain => return Ok(Vec::new()),
        Surroundings::Unreadable(reason) => {
            return Err(SnapshotsError::Destination(format!(
                "cannot tell whether {} holds uncommitted work: {reason}; use --patch FILE",
                directory.display()
            )));
        }
    };
    let tracked = home.tracked()?;
    let mut dirty = Vec::new();
    for change in changes {
        let now = folder.read(&change.path)?;
        let head = home.at_head(&change.path)?;
        let committed = match (&now, &head) {
            (Some((_, now)), Some((_, head))) => now == head || without_carriage_returns(now) == *head,
            (None, None) => true,
            _ => false,
        };
        if !committed && (head.is_some() || tracked.contains(&change.path)) {
            dirty.push(change.name.clone());
        }
    }
    Ok(dirty)
}

fn write_new(path: &Path, content: &[u8]) -> Result<(), SnapshotsError> {
    let opened = fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = opened.map_err(SnapshotsError::io("create", path))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(SnapshotsError::io("write", path))
}
