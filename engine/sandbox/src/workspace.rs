//! A lane's own copy of the target's tree, in which only the files that may change are ever replaced, seen from three
//! sides: whole; by the candidate alone, without tests and answers; by a judge, with stubs for the candidate's files.
//! Cells see it and cannot write to it.

use evolution::candidate::SourceFiles;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most files of a target.
const MAX_FILES: usize = 200_000;
/// Deepest folder of a target.
const MAX_DEPTH: usize = 64;

/// What a judge finds in place of a file of the candidate; see `runners/relay.py`.
const STUB: &str = "import darwind_relay\n\ndarwind_relay.fill(globals())\n";

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Judge and candidate in one process.
    Whole,
    /// The candidate alone.
    Candidate,
    /// The judge alone.
    Judge,
}

/// The copy. The other sides' files are hard links to its own, so that what is shown to one is shown to all.
pub(crate) struct Workspace {
    tree: PathBuf,
    candidate: PathBuf,
    judge: PathBuf,
    /// What the files that may change hold now.
    present: BTreeMap<String, Arc<[u8]>>,
    mutable: Vec<String>,
    /// Hash of everything else.
    seal: [u8; 32],
}

fn too_large() -> io::Error {
    io::Error::other("the target has too many files or folders; narrow it with a .gitignore")
}

impl Workspace {
    /// Copies `original` below `folder`, replacing what is there. `judging` are files that judge and that a candidate
    /// alone does not see.
    pub(crate) fn new(
        original: &Path,
        folder: &Path,
        mutable: &[String],
        judging: &[String],
    ) -> io::Result<Self> {
        let [tree, candidate, judge] = ["tree", "candidate", "judge"].map(|name| folder.join(name));
        for path in [&tree, &candidate, &judge] {
            if path.exists() {
                std::fs::remove_dir_all(path)?;
            }
        }
        copy_folder(
            original,
            &tree,
            &mut Copying { depth: 0, count: 0, place: &|from, to| copy_file(from, to) },
        )?;
        let is_mutable = |path: &Path| mutable.iter().any(|mutable| tree.join(mutable) == path);
        let is_hidden = |path: &Path| {
            let name = path.strip_prefix(&tree).unwrap_or(path);
            !is_mutable(path) && (is_test(name) || judging.iter().any(|judging| Path::new(judging) == name))
        };
        let place =
            |from: &Path, to: &Path| if is_hidden(from) { Ok(()) } else { std::fs::hard_link(from, to) };
        copy_folder(&tree, &candidate, &mut Copying { depth: 0, count: 0, place: &place })?;
        let place = |from: &Path, to: &Path| match is_mutable(from) {
            true => std::fs::write(to, STUB).and_then(|()| open_to_all(to, 0o644)),
            false => std::fs::hard_link(from, to),
        };
        copy_folder(&tree, &judge, &mut Copying { depth: 0, count: 0, place: &place })?;
        let mut present = BTreeMap::new();
        for path in mutable {
            if let Ok(bytes) = std::fs::read(tree.join(path)) {
                present.insert(path.clone(), Arc::from(bytes));
            }
        }
        let mut workspace =
            Self { tree, candidate, judge, present, mutable: mutable.to_vec(), seal: [0; 32] };
        workspace.seal = workspace.hash_of_the_rest()?;
        Ok(workspace)
    }

    /// Where it is.
    pub(crate) fn tree(&self, side: Side) -> &Path {
        match side {
            Side::Whole => &self.tree,
            Side::Candidate => &self.candidate,
            Side::Judge => &self.judge,
        }
    }

    /// Absolute paths of the files that may change, as the candidate's tracebacks name them.
    pub(crate) fn mutable_paths(&self, side: Side) -> Vec<String> {
        self.mutable.iter().map(|path| self.tree(side).join(path).display().to_string()).collect()
    }

    /// A path below the tree for an absolute one.
    pub(crate) fn relative(&self, path: &str) -> Option<String> {
        let below = |tree: &PathBuf| Path::new(path).strip_prefix(tree).ok();
        [&self.tree, &self.candidate].into_iter().find_map(below).map(|path| path.display().to_string())
    }

    /// Makes the files that may change what `files` says; writes only what differs.
    pub(crate) fn show(&mut self, files: &SourceFiles) -> io::Result<()> {
        let gone: Vec<String> =
            self.present.keys().filter(|path| !files.0.contains_key(*path)).cloned().collect();
        for path in gone {
            for tree in [&self.tree, &self.candidate] {
                std::fs::remove_file(tree.join(&path))?;
            }
            self.present.remove(&path);
        }
        for (path, bytes) in &files.0 {
            if self.present.get(path).is_some_and(|present| Arc::ptr_eq(present, bytes) || present == bytes) {
                continue;
            }
            let [place, twin] = [&self.tree, &self.candidate].map(|tree| tree.join(path));
            for folder in [&place, &twin].into_iter().filter_map(|place| place.parent()) {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&place, bytes)?;
            if !twin.exists() {
                std::fs::hard_link(place, twin)?;
            }
            self.present.insert(path.clone(), bytes.clone());
        }
        Ok(())
    }

    /// Whether everything but the files that may change is what it was.
    pub(crate) fn is_intact(&self) -> io::Result<bool> {
        Ok(self.hash_of_the_rest()? == self.seal)
    }

    fn hash_of_the_rest(&self) -> io::Result<[u8; 32]> {
        let mut hasher = Sha256::new();
        let mut folders = vec![self.tree.clone()];
        while let Some(folder) = folders.pop() {
            let mut entries: Vec<PathBuf> = std::fs::read_dir(&folder)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<_>>()?;
            entries.sort();
            for path in entries {
                let facts = std::fs::symlink_metadata(&path)?;
                let name = path.strip_prefix(&self.tree).unwrap_or(&path).display().to_string();
                if facts.is_dir() {
                    folders.push(path);
                } else if facts.is_file() && !self.mutable.contains(&name) {
                    hasher.update(name.as_bytes());
                    hasher.update([0]);
                    hasher.update(std::fs::read(&path)?);
                }
            }
        }
        Ok(hasher.finalize().into())
    }
}

/// Whether a file is a test by its name or place, as unittest and pytest find them.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let in_tests =
        path.parent().is_some_and(|folder| folder.iter().any(|part| part == "tests" || part == "test"));
    let named =
        name.starts_with("test_") || name.ends_with("_test.py") || matches!(name, "tests.py" | "conftest.py");
    name.ends_with(".py") && (in_tests || named)
}

/// A folder being copied.
struct Copying<'c> {
    depth: usize,
    count: usize,
    /// Puts one file in its place.
    place: &'c dyn Fn(&Path, &Path) -> io::Result<()>,
}

fn copy_folder(from: &Path, to: &Path, copying: &mut Copying<'_>) -> io::Result<()> {
    if copying.depth > MAX_DEPTH {
        return Err(too_large());
    }
    std::fs::create_dir_all(to)?;
    open_to_all(to, 0o755)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        copying.count += 1;
        if copying.count > MAX_FILES {
            return Err(too_large());
        }
        let (source, place) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copying.depth += 1;
            copy_folder(&source, &place, copying)?;
            copying.depth -= 1;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&source)?, &place)?;
        } else if kind.is_file() {
            (copying.place)(&source, &place)?;
        }
    }
    Ok(())
}

/// Copies a tree but for what is hidden, a question about a path below it. Answers the number of files and their bytes.
pub(crate) fn copy_tree(from: &Path, to: &Path, is_hidden: &dyn Fn(&Path) -> bool) -> io::Result<(u32, u64)> {
    let size = std::cell::Cell::new((0, 0));
    let place = |source: &Path, place: &Path| {
        if is_hidden(source.strip_prefix(from).unwrap_or(source)) {
            return Ok(());
        }
        let (files, bytes): (u32, u64) = size.get();
        size.set((files.saturating_add(1), bytes.saturating_add(std::fs::metadata(source)?.len())));
        copy_file(source, place)
    };
    copy_folder(from, to, &mut Copying { depth: 0, count: 0, place: &place })?;
    Ok(size.get())
}

fn copy_file(source: &Path, place: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::copy(source, place)?;
    let runs = std::fs::metadata(source)?.permissions().mode() & 0o100 != 0;
    open_to_all(place, if runs { 0o755 } else { 0o644 })
}

/// A candidate may run as another user, who must be able to read.
pub(crate) fn open_to_all(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
