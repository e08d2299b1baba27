//! The user's own repository: which files belong to the program, what its last commit holds, and one new branch.
//! Nothing else of it is ever written: not its index, its work tree, its configuration or its existing references.
//! libgit2 runs no hook, no filter program and no file-system monitor, so neither does reading here.

use super::failed;
use crate::error::SnapshotsError;
use crate::object::{AUTHOR, AUTHOR_EMAIL, FileKind};
use git2::build::TreeUpdateBuilder;
use git2::{ErrorCode, FileMode, RepositoryOpenFlags};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The repository whose work tree holds the target.
pub(crate) struct Home {
    git: git2::Repository,
    /// The target's folder below the work tree with a slash behind it, or empty when it is the work tree itself.
    prefix: Vec<u8>,
}

/// What there is around a target.
pub(crate) enum Surroundings {
    /// A work tree of git that can be read.
    Home(Box<Home>),
    /// No git.
    Plain,
    /// A repository that git itself would refuse to read, with the reason.
    Unreadable(String),
}

/// One file of a new commit: its path below the target, and what it becomes; `None` removes it.
pub(crate) type HomeChange = (Vec<u8>, Option<(FileKind, Vec<u8>)>);

impl Home {
    /// Looks for the repository around `target`.
    pub(crate) fn around(target: &Path) -> Result<Surroundings, SnapshotsError> {
        let target = target.canonicalize().map_err(SnapshotsError::io("read", target))?;
        let none: [&OsStr; 0] = [];
        let git = match git2::Repository::open_ext(&target, RepositoryOpenFlags::empty(), none) {
            Ok(git) => git,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(Surroundings::Plain),
            Err(error) => return Ok(Surroundings::Unreadable(error.message().to_owned())),
        };
        let Some(root) = git.workdir().and_then(|root| root.canonicalize().ok()) else {
            return Ok(Surroundings::Plain);
        };
        let Ok(below) = target.strip_prefix(&root) else { return Ok(Surroundings::Plain) };
        let mut prefix = below.as_os_str().as_bytes().to_vec();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        Ok(Surroundings::Home(Box::new(Self { git, prefix })))
    }

    fn path(&self, below_target: &[u8]) -> PathBuf {
        let full = [self.prefix.as_slice(), below_target].concat();
        PathBuf::from(OsStr::from_bytes(&full))
    }

    /// Paths below the target that git tracks.
    pub(crate) fn tracked(&self) -> Result<BTreeSet<Vec<u8>>, SnapshotsError> {
        let index = self.git.index().map_err(failed)?;
        Ok(index
            .iter()
            .filter_map(|entry| entry.path.strip_prefix(self.prefix.as_slice()).map(<[u8]>::to_vec))
            .collect())
    }

    /// Whether the user's ignore rules name this path below the target; the empty path is the target itself.
    pub(crate) fn ignores(&self, below_target: &[u8]) -> Result<bool, SnapshotsError> {
        if below_target.is_empty() && self.prefix.is_empty() {
            return Ok(false);
        }
        self.git.is_path_ignored(self.path(below_target)).map_err(failed)
    }

    /// The file of the last commit at this path below the target. `None` also when there is no commit yet.
    pub(crate) fn at_head(&self, below_target: &[u8]) -> Result<Option<(FileKind, Vec<u8>)>, SnapshotsError> {
        let Ok(tree) = self.git.head().and_then(|head| head.peel_to_tree()) else { return Ok(None) };
        let entry = match tree.get_path(&self.path(below_target)) {
            Ok(entry) => entry,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let kind = match entry.filemode() {
            0o100_644 | 0o100_664 => FileKind::File,
            0o100_755 => FileKind::Executable,
            0o120_000 => FileKind::Link,
            _ => return Ok(None),
        };
        let blob = self.git.find_blob(entry.id()).map_err(failed)?;
        Ok(Some((kind, blob.content().to_vec())))
    }

    /// Makes the branch `name` with one commit on top of the last one, and returns the commit's name. Work tree and
    /// index stay as they are, and so does the branch that is checked out.
    pub(crate) fn commit_branch(
        &self,
        name: &str,
        message: &str,
        time_s: i64,
        changes: &[HomeChange],
    ) -> Result<String, SnapshotsError> {
        let refuse = |reason: String| Err(SnapshotsError::Destination(reason));
        if !git2::Branch::name_is_valid(name).map_err(failed)? {
            return refuse(format!("{name:?} cannot be the name of a branch"));
        }
        if self.git.find_branch(name, git2::BranchType::Local).is_ok() {
            return refuse(format!("a branch {name} exists already; choose another name with --branch"));
        }
        let Ok(head) = self.git.head().and_then(|head| head.peel_to_commit()) else {
            return refuse(
                "the repository has no commit yet to put a branch on; commit first, or use --patch or \
                           --in-place"
                    .into(),
            );
        };
        let mut update = TreeUpdateBuilder::new();
        for (path, change) in changes {
            let full = [self.prefix.as_slice(), path].concat();
            match change {
                Some((kind, content)) => {
                    let mode = match kind {
                        FileKind::File => FileMode::Blob,
                        FileKind::Executable => FileMode::BlobExecutable,
                        FileKind::Link => FileMode::Link,
                    };
                    update.upsert(full, self.git.blob(content).map_err(failed)?, mode);
                }
                None => {
                    update.remove(full);
                }
            }
        }
        let base = head.tree().map_err(failed)?;
        let tree = update.create_updated(&self.git, &base).map_err(failed)?;
        let tree = self.git.find_tree(tree).map_err(failed)?;
        let time = git2::Time::new(time_s, 0);
        let who = git2::Signature::new(AUTHOR, AUTHOR_EMAIL, &time).map_err(failed)?;
        let id = self.git.commit(None, &who, &who, message, &tree, &[&head]).map_err(failed)?;
        let commit = self.git.find_commit(id).map_err(failed)?;
        self.git.branch(name, &commit, false).map_err(failed)?;
        Ok(id.to_string())
    }
}
