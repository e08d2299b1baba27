//! What the tests of this crate share: targets on disk, requests, and the real git program for a second opinion.

use evolution::candidate::{FileChange, Patch};
use evolution::id::{CandidateId, CommitId, Number, RunId};
use evolution::ports::{SnapshotRequest, Snapshots};
use snapshots::{Access, GitSnapshots, Import, ImportRequest, MayChange, Selection};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

/// A time that is the same in every run.
pub(crate) const TIME_MS: i64 = 1_700_000_000_000;

/// Everything may change.
pub(crate) fn anything() -> MayChange {
    Arc::new(|_| true)
}

/// A folder that goes when the test ends, with a place for a target and one for a repository.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.target()).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.path("target")
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.path("repository.git")
    }

    /// Writes a file of the target.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.target().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn open(&self) -> GitSnapshots {
        GitSnapshots::open(&self.repository(), Access::Write, anything()).unwrap()
    }

    /// A repository with the target as its baseline.
    pub(crate) fn imported(&self) -> (GitSnapshots, CommitId) {
        let mut snapshots = self.open();
        let commit = import(&mut snapshots, &self.target()).unwrap().commit;
        (snapshots, commit)
    }
}

pub(crate) fn id(number: Number) -> CandidateId {
    RunId::new("f00d").candidate(number)
}

pub(crate) fn import(
    snapshots: &mut GitSnapshots,
    target: &Path,
) -> Result<Import, snapshots::SnapshotsError> {
    import_with(snapshots, target, Selection::default())
}

pub(crate) fn import_with(
    snapshots: &mut GitSnapshots,
    target: &Path,
    selection: Selection,
) -> Result<Import, snapshots::SnapshotsError> {
    snapshots.import(&ImportRequest {
        directory: target,
        selection,
        id: id(0),
        summary: "baseline".into(),
        trailers: Vec::new(),
        time_ms: TIME_MS,
    })
}

pub(crate) fn patch(changes: &[(&str, Option<&[u8]>)]) -> Patch {
    let change = |(path, content): &(&str, Option<&[u8]>)| FileChange {
        path: (*path).to_owned(),
        content: content.map(Into::into),
    };
    Patch(changes.iter().map(change).collect())
}

pub(crate) fn request(number: Number, parents: &[&CommitId], patch: Patch) -> SnapshotRequest {
    SnapshotRequest {
        id: id(number),
        number,
        parents: parents.iter().map(|&parent| parent.clone()).collect(),
        patch,
        summary: format!("change {number}"),
        trailers: vec![("Proposer".into(), "ast".into()), ("Operator".into(), "swap".into())],
        time_ms: TIME_MS + i64::from(number) * 1_000,
    }
}

/// Commits a change of files on one parent.
pub(crate) fn commit(
    snapshots: &mut GitSnapshots,
    number: Number,
    parent: &CommitId,
    changes: &[(&str, Option<&[u8]>)],
) -> CommitId {
    snapshots.commit(&request(number, &[parent], patch(changes))).unwrap()
}

/// Where a test that runs as a child of another finds its place.
pub(crate) const CHILD_PLACE: &str = "DARWIND_TEST_PLACE";

/// The place of a child; says that the test is skipped when it was started by itself.
#[expect(clippy::print_stdout, reason = "a test that cannot run here says so")]
pub(crate) fn child_place() -> Option<PathBuf> {
    let place = std::env::var_os(CHILD_PLACE).map(PathBuf::from);
    if place.is_none() {
        println!("skipped: it runs only as the child of another test");
    }
    place
}

/// Whether the git program is there; says that the test is skipped when it is not.
#[expect(clippy::print_stdout, reason = "a test that cannot run here says so")]
pub(crate) fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: git is not installed");
    }
    found
}

/// Runs git without the configuration of whoever runs the tests.
pub(crate) fn git_output(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap())
        .output()
        .unwrap()
}

/// The same for a command that must succeed; returns what it printed.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = git_output(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Makes the target a repository with everything committed.
pub(crate) fn commit_all(folder: &Path) {
    git(folder, &["init", "-q"]);
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "first"]);
}
