//! A target becomes the baseline: which of its files belong to the program, and what they hold right now, uncommitted
//! changes included. The target is only read, and no program of it or of git runs.

use crate::error::SnapshotsError;
use crate::memory::{GitSnapshots, MayChange};
use crate::object::{Commit, FileKind, ObjectId};
use crate::paths;
use crate::refs::{BASELINE, CHAMPION};
use crate::repository::ObjectKind;
use crate::repository::home::{Home, Surroundings};
use crate::snapshot::{commit_id, message};
use crate::tree::{self, Edit, Edits, File, join};
use evolution::id::{BASELINE as BASELINE_NUMBER, CandidateId, CommitId};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Names that are left out at any depth: version control, caches, environments and what editors leave. In a git
/// repository a file that git tracks is taken in whatever its name; git's own folder never is. A folder with a
/// `pyvenv.cfg` is an environment under any name.
pub const IGNORED_NAMES: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "__pycache__",
    ".venv",
    "venv",
    "node_modules",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".idea",
    ".vscode",
    ".DS_Store",
];

/// Contents that are held in memory before they are packed, in bytes.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Which files of a target belong to the program, beyond the rules, and how much they may be.
#[derive(Clone)]
pub struct Selection {
    /// Largest single file, in bytes; a larger one is an error that names it.
    pub largest_file_bytes: u64,
    /// Largest sum of all files, in bytes.
    pub largest_total_bytes: u64,
    /// Most files.
    pub most_files: usize,
    /// Paths that are taken in although the rules leave them out (an ignored data file that the program reads, say).
    pub take_in: Option<MayChange>,
    /// Paths, of files and folders, that are left out whatever the rules say.
    pub leave_out: Option<MayChange>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            largest_file_bytes: 64 * 1024 * 1024,
            largest_total_bytes: 1024 * 1024 * 1024,
            most_files: 200_000,
            take_in: None,
            leave_out: None,
        }
    }
}

/// A baseline to be made.
pub struct ImportRequest<'a> {
    /// The target's folder.
    pub directory: &'a Path,
    /// Which of its files belong to it.
    pub selection: Selection,
    /// The baseline's name.
    pub id: CandidateId,
    /// First line of the message.
    pub summary: String,
    /// Trailers in order: key, value.
    pub trailers: Vec<(String, String)>,
    /// Time of the commit, in Unix milliseconds.
    pub time_ms: i64,
}

/// A baseline that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its commit.
    pub commit: CommitId,
    /// Files taken in.
    pub files: usize,
    /// Their sizes together, in bytes.
    pub bytes: u64,
    /// Whether the target lies in a git repository whose rules were followed.
    pub git: bool,
    /// What a person should know: files of no usable kind, a repository that could not be read.
    pub warnings: Vec<String>,
}

/// What says whether a path belongs to the program.
struct Rules {
    home: Option<(Box<Home>, BTreeSet<Vec<u8>>)>,
    selection: Selection,
}

impl GitSnapshots {
    /// Commits the target as candidate 0, the baseline, and makes it the champion. A target that
    /// was imported already gives the commit that there is; one that has changed since is refused.
    pub fn import(&mut self, request: &ImportRequest<'_>) -> Result<Import, SnapshotsError> {
        self.must_write()?;
        let imported = self.import_files(request);
        if imported.is_err() {
            self.repository.discard_fresh();
        }
        imported
    }

    fn import_files(&mut self, request: &ImportRequest<'_>) -> Result<Import, SnapshotsError> {
        let (rules, warnings) = Rules::of(request.directory, request.selection.clone())?;
        let git = rules.home.is_some();
        let mut walk = Walk {
            snapshots: self,
            root: request.directory,
            rules,
            files: BTreeMap::new(),
            links: BTreeMap::new(),
            bytes: 0,
            warnings,
        };
        walk.folder(&[], 0)?;
        walk.refuse_escaping_links()?;
        let Walk { files, bytes, warnings, .. } = walk;
        let edits: Edits = files.into_iter().map(|(path, file)| (path, Edit::Put(file))).collect();
        let Some(tree) = tree::edit(&mut self.repository, None, &edits)? else {
            return Err(SnapshotsError::Import {
                path: request.directory.display().to_string(),
                reason: "it holds no file of the program".into(),
            });
        };
        let (files, commit) = (edits.len(), self.baseline_of(request, tree)?);
        Ok(Import { commit: commit_id(commit), files, bytes, git, warnings })
    }

    /// The commit of the target's tree: the one that there is, or a new one.
    fn baseline_of(
        &mut self,
        request: &ImportRequest<'_>,
        tree: ObjectId,
    ) -> Result<ObjectId, SnapshotsError> {
        if let Some(before) = self.refs.read(BASELINE)? {
            if self.repository.commit(before)?.tree == tree {
                self.repository.discard_fresh();
                return Ok(before);
            }
            return Err(SnapshotsError::Import {
                path: request.directory.display().to_string(),
                reason: "the run has a baseline already, and the target has changed since; start a new run"
                    .into(),
            });
        }
        let message = message(&request.id, &request.summary, &request.trailers);
        let commit = Commit { tree, parents: Vec::new(), time_s: request.time_ms.div_euclid(1_000), message };
        // The target's objects go to disk in packs, the last of them here, and the journal gets the references only.
        self.repository.pack()?;
        let id = self.record(BASELINE_NUMBER, &commit, &[BASELINE, CHAMPION])?;
        self.flush()?;
        Ok(id)
    }
}

impl Rules {
    fn of(directory: &Path, selection: Selection) -> Result<(Self, Vec<String>), SnapshotsError> {
        let (home, warnings) = match Home::around(directory)? {
            Surroundings::Plain => (None, Vec::new()),
            Surroundings::Unreadable(reason) => {
                let warning = format!("the git repository around the target is not used: {reason}");
                (None, vec![warning])
            }
            Surroundings::Home(home) => {
                let tracked = home.tracked()?;
                // A target in a folder that the surrounding repository ignores is none of that repository's business.
                let foreign = tracked.is_empty() && home.ignores(&[])?;
                ((!foreign).then_some((home, tracked)), Vec::new())
            }
        };
        Ok((Self { home, selection }, warnings))
    }

    fn left_out(&self, path: &[u8]) -> bool {
        let text = String::from_utf8_lossy(path);
        self.selection.leave_out.as_ref().is_some_and(|leave_out| leave_out(&text))
    }

    fn takes_folder(&self, path: &[u8], name: &[u8], full: &Path) -> Result<bool, SnapshotsError> {
        if paths::is_git_folder(name) || self.left_out(path) {
            return Ok(false);
        }
        if self.selection.take_in.is_some() {
            return Ok(true);
        }
        let by_name = is_ignored_name(name) || full.join("pyvenv.cfg").is_file();
        let Some((home, tracked)) = &self.home else { return Ok(!by_name) };
        let below = [path, b"/"].concat();
        let holds_tracked =
            tracked.range(below.clone()..).next().is_some_and(|first| first.starts_with(&below));
        Ok(holds_tracked || !(by_name || home.ignores(path)?))
    }

    fn takes_file(&self, path: &[u8], name: &[u8]) -> Result<bool, SnapshotsError> {
        // A file called .git points to a repository elsewhere.
        if paths::is_git_folder(name) || self.left_out(path) {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(path);
        if self.selection.take_in.as_ref().is_some_and(|take_in| take_in(&text)) {
            return Ok(true);
        }
        // Folders are not pruned when single paths may be taken in, so the names on the way are asked here too.
        let by_name = path.split(|&byte| byte == b'/').any(is_ignored_name);
        let Some((home, tracked)) = &self.home else { return Ok(!by_name) };
        Ok(tracked.contains(path) || !(by_name || home.ignores(path)?))
    }
}

fn is_ignored_name(name: &[u8]) -> bool {
    IGNORED_NAMES.iter().any(|ignored| ignored.as_bytes() == name)
}

/// The way through a target's folder.
struct Walk<'a> {
    snapshots: &'a mut GitSnapshots,
    root: &'a Path,
    rules: Rules,
    files: BTreeMap<Vec<u8>, File>,
    links: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes: u64,
    warnings: Vec<String>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &[u8], depth: usize) -> Result<(), SnapshotsError> {
        let full = self.root.join(OsStr::from_bytes(folder));
        if depth >= paths::MAX_DEPTH {
            return Err(refused(folder, format!("it is nested deeper than {} folders", paths::MAX_DEPTH)));
        }
        for entry in fs::read_dir(&full).map_err(SnapshotsError::io("read", &full))? {
            let entry = entry.map_err(SnapshotsError::io("read", &full))?;
            let name = entry.file_name().into_vec();
            let path = join(folder, &name);
            let full = entry.path();
            let kind = entry.file_type().map_err(SnapshotsError::io("read", &full))?;
            if kind.is_dir() {
                if self.rules.takes_folder(&path, &name, &full)? {
                    self.folder(&path, depth + 1)?;
                }
            } else if self.rules.takes_file(&path, &name)? {
                paths::parts(&path)?;
                if kind.is_symlink() {
                    self.link(path, &full)?;
                } else if kind.is_file() {
                    self.file(path, &full)?;
                } else {
                    self.warnings
                        .push(format!("{} is left out: it is neither file nor link", full.display()));
                }
            }
        }
        Ok(())
    }

    fn link(&mut self, path: Vec<u8>, full: &Path) -> Result<(), SnapshotsError> {
        let target = fs::read_link(full).map_err(SnapshotsError::io("read", full))?;
        let target = PathBuf::into_os_string(target).into_vec();
        self.links.insert(path.clone(), target.clone());
        self.add(path, FileKind::Link, &target)
    }

    fn file(&mut self, path: Vec<u8>, full: &Path) -> Result<(), SnapshotsError> {
        let limit = self.rules.selection.largest_file_bytes;
        let file = fs::File::open(full).map_err(SnapshotsError::io("read", full))?;
        let rights = file.metadata().map_err(SnapshotsError::io("read", full))?.permissions();
        let mut content = Vec::new();
        file.take(limit + 1).read_to_end(&mut content).map_err(SnapshotsError::io("read", full))?;
        if content.len() as u64 > limit {
            let reason =
                format!("it is larger than {limit} bytes; leave it out (.gitignore) or keep it elsewhere");
            return Err(refused(&path, reason));
        }
        let kind = if rights.mode() & 0o100 == 0 { FileKind::File } else { FileKind::Executable };
        self.add(path, kind, &content)
    }

    fn add(&mut self, path: Vec<u8>, kind: FileKind, content: &[u8]) -> Result<(), SnapshotsError> {
        self.bytes += content.len() as u64;
        let selection = &self.rules.selection;
        if self.bytes > selection.largest_total_bytes || self.files.len() >= selection.most_files {
            let (bytes, files) = (selection.largest_total_bytes, selection.most_files);
            let reason = format!(
                "the target is larger than {bytes} bytes or {files} files; leave data out (.gitignore)"
            );
            return Err(refused(&path, reason));
        }
        let repository = &mut self.snapshots.repository;
        let id = repository.write_unless_present(ObjectKind::Blob, content)?;
        if repository.waiting_bytes() > MAX_WAITING_BYTES {
            repository.pack()?;
        }
        self.files.insert(path, File { kind, id });
        Ok(())
    }

    fn refuse_escaping_links(&self) -> Result<(), SnapshotsError> {
        for (path, target) in &self.links {
            if paths::leads_out(path, target, &|path| self.links.get(path).cloned()) {
                let target = String::from_utf8_lossy(target);
                return Err(refused(
                    path,
                    format!("it is a symbolic link that leads out of the target, to {target}"),
                ));
            }
        }
        Ok(())
    }
}

fn refused(path: &[u8], reason: String) -> SnapshotsError {
    SnapshotsError::Import { path: String::from_utf8_lossy(path).into_owned(), reason }
}
