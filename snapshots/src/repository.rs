//! The run's repository: its objects on disk, and those that wait in memory to be packed. This module and its
//! children, `home` and `lines`, are the only ones that know git2.
//!
//! libgit2 reads the user's and the machine's configuration whenever it opens a repository, and that can only be
//! turned off by calls that are unsafe. So it is never asked to open ours: it gets the bare object database, with
//! which it reads and packs. Not here: references, the journal, and what trees and commits mean.

pub(crate) mod home;
pub(crate) mod lines;

use crate::error::SnapshotsError;
use crate::object::{Commit, ObjectId, TreeEntry, parse_commit, parse_tree};
use git2::{ObjectType, Odb, OdbLookupFlags, Oid};
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Rights of a pack: nobody changes it, as git has it.
const PACK_RIGHTS: u32 = 0o444;

/// Before all other back ends, so that what is written to the database stays in memory.
const MEMORY_PRIORITY: i32 = 1_000;

/// Objects above this size are packed without looking for a similar one, in bytes: comparing costs several times the
/// size, and large objects are data, not source.
const LARGEST_DELTA_BYTES: u32 = 256 * 1024;

/// Memory of the search for similar objects, in bytes. So little that each object is compared with the one before it
/// only, which of a program's versions sorted by size is nearly always as good a base as the best of ten: the
/// repository of 10,000 candidates grows by a tenth, and packing them costs half.
const DELTA_WINDOW_BYTES: u32 = 1;

/// The repository's configuration. `gc.auto` off: only the engine tidies here. libgit2 takes its limit for deltas from
/// `pack.deltaCacheSize` (pack-objects.c, `packbuilder_config`).
fn configuration() -> String {
    format!(
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\
         [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[notes]\n\tdisplayRef = refs/notes/darwind\n\
         [pack]\n\tdeltaCacheSize = {LARGEST_DELTA_BYTES}\n\twindowMemory = {DELTA_WINDOW_BYTES}\n"
    )
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Blob,
    Tree,
    Commit,
}

impl ObjectKind {
    fn git(self) -> ObjectType {
        match self {
            Self::Blob => ObjectType::Blob,
            Self::Tree => ObjectType::Tree,
            Self::Commit => ObjectType::Commit,
        }
    }

    /// Git's word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
        }
    }

    /// The kind that git calls so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Blob, Self::Tree, Self::Commit].into_iter().find(|kind| kind.name() == name)
    }
}

/// The objects of one repository.
pub(crate) struct Repository {
    git: git2::Repository,
    directory: PathBuf,
    /// Objects that are in no pack yet.
    waiting: HashMap<ObjectId, (ObjectKind, Vec<u8>)>,
    /// Sum of their contents.
    waiting_bytes: usize,
    /// Those of them that the journal has not got.
    fresh: Vec<ObjectId>,
}

impl Repository {
    /// Makes an empty bare repository, whole or not at all.
    pub(crate) fn create(directory: &Path, head: &str) -> Result<(), SnapshotsError> {
        let parent = directory.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(SnapshotsError::io("create", parent))?;
        let mut name = directory.file_name().unwrap_or_default().to_owned();
        name.push(".draft");
        let draft = parent.join(name);
        // One that is there already was left by a process that was killed.
        match fs::remove_dir_all(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(SnapshotsError::io("remove", &draft)(error));
            }
            _ => {}
        }
        let built = Self::write_layout(&draft, head)
            .and_then(|()| fs::rename(&draft, directory).map_err(SnapshotsError::io("create", directory)));
        if built.is_err() {
            let _ = fs::remove_dir_all(&draft);
        }
        built
    }

    fn write_layout(draft: &Path, head: &str) -> Result<(), SnapshotsError> {
        for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags", "info"] {
            let path = draft.join(folder);
            fs::create_dir_all(&path).map_err(SnapshotsError::io("create", &path))?;
        }
        for (file, content) in [("config", configuration()), ("HEAD", format!("ref: {head}\n"))] {
            let path = draft.join(file);
            fs::write(&path, content).map_err(SnapshotsError::io("write", &path))?;
        }
        Ok(())
    }

    /// Whether a repository lies at `directory`.
    pub(crate) fn exists_at(directory: &Path) -> bool {
        directory.join("HEAD").is_file() && directory.join("objects").is_dir()
    }

    /// Opens the repository's objects.
    pub(crate) fn open(directory: &Path) -> Result<Self, SnapshotsError> {
        if !Self::exists_at(directory) {
            return Err(SnapshotsError::NotFound(format!("repository at {}", directory.display())));
        }
        // Objects are read once or twice each; keeping them would grow with the run.
        git2::opts::enable_caching(false);
        let git = database(directory, true)?;
        let directory = directory.to_path_buf();
        Ok(Self { git, directory, waiting: HashMap::new(), waiting_bytes: 0, fresh: Vec::new() })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    fn odb(&self) -> Result<Odb<'_>, SnapshotsError> {
        self.git.odb().map_err(failed)
    }

    /// Takes an object up and names it. It waits in memory until [`Self::pack`].
    pub(crate) fn write(&mut self, kind: ObjectKind, data: Vec<u8>) -> Result<ObjectId, SnapshotsError> {
        let id = hash(kind, &data)?;
        if !self.waiting.contains_key(&id) {
            self.restore(kind, id, data);
            self.fresh.push(id);
        }
        Ok(id)
    }

    /// The same for an object that the journal holds.
    pub(crate) fn restore(&mut self, kind: ObjectKind, id: ObjectId, data: Vec<u8>) {
        self.waiting_bytes += data.len();
        if let Some((_, before)) = self.waiting.insert(id, (kind, data)) {
            self.waiting_bytes -= before.len();
        }
    }

    /// The same for an object that may well be here already, from a target that is imported again.
    pub(crate) fn write_unless_present(
        &mut self,
        kind: ObjectKind,
        data: &[u8],
    ) -> Result<ObjectId, SnapshotsError> {
        let id = hash(kind, data)?;
        let present = self.odb()?.exists_ext(to_oid(id)?, OdbLookupFlags::NO_REFRESH);
        if present { Ok(id) } else { self.write(kind, data.to_vec()) }
    }

    /// Objects that were written since [`Self::settle_fresh`], each with its kind and content.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = (ObjectKind, ObjectId, &[u8])> {
        self.fresh.iter().filter_map(|id| {
            let (kind, data) = self.waiting.get(id)?;
            Some((*kind, *id, data.as_slice()))
        })
    }

    /// The journal has what was fresh.
    pub(crate) fn settle_fresh(&mut self) {
        self.fresh.clear();
    }

    /// Forgets what is fresh: nothing that has happened refers to it.
    pub(crate) fn discard_fresh(&mut self) {
        for id in std::mem::take(&mut self.fresh) {
            if let Some((_, data)) = self.waiting.remove(&id) {
                self.waiting_bytes -= data.len();
            }
        }
    }

    /// Bytes of the objects that wait to be packed.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// The content of an object, which libgit2 checks against its name.
    pub(crate) fn read(&self, kind: ObjectKind, id: ObjectId) -> Result<Vec<u8>, SnapshotsError> {
        if let Some((waiting, data)) = self.waiting.get(&id) {
            return if *waiting == kind {
                Ok(data.clone())
            } else {
                Err(self.wrong_kind(id, waiting.name(), kind))
            };
        }
        let odb = self.odb()?;
        let object = odb.read(to_oid(id)?).map_err(|error| match error.code() {
            git2::ErrorCode::NotFound => SnapshotsError::NotFound(format!("object {id}")),
            _ => self.damaged(format!("object {id}: {}", error.message())),
        })?;
        if object.kind() != kind.git() {
            return Err(self.wrong_kind(id, object.kind().str(), kind));
        }
        Ok(object.data().to_vec())
    }

    /// The size of an object's content, in bytes.
    pub(crate) fn size(&self, id: ObjectId) -> Result<u64, SnapshotsError> {
        if let Some((_, data)) = self.waiting.get(&id) {
            return Ok(data.len() as u64);
        }
        let (size, _) = self.odb()?.read_header(to_oid(id)?).map_err(failed)?;
        Ok(u64::try_from(size).unwrap_or(u64::MAX))
    }

    /// The entries of a tree.
    pub(crate) fn tree(&self, id: ObjectId) -> Result<Vec<TreeEntry>, SnapshotsError> {
        parse_tree(&self.read(ObjectKind::Tree, id)?)
            .map_err(|detail| self.damaged(format!("tree {id}: {detail}")))
    }

    /// A commit.
    pub(crate) fn commit(&self, id: ObjectId) -> Result<Commit, SnapshotsError> {
        parse_commit(&self.read(ObjectKind::Commit, id)?)
            .map_err(|detail| self.damaged(format!("commit {id}: {detail}")))
    }

    pub(crate) fn damaged(&self, detail: String) -> SnapshotsError {
        SnapshotsError::Damaged { path: self.directory.clone(), detail }
    }

    fn wrong_kind(&self, id: ObjectId, found: &str, wanted: ObjectKind) -> SnapshotsError {
        self.damaged(format!("object {id} is a {found}, not a {}", wanted.name()))
    }

    /// Moves the waiting objects into one pack on disk, in which similar ones are kept as differences.
    pub(crate) fn pack(&mut self) -> Result<(), SnapshotsError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // A database of these objects alone: libgit2 looks through all of a database before it takes an object up.
        let memory = database(&self.directory, false)?;
        self.hand_waiting_to(&memory)?;
        let mut pack = memory.packbuilder().map_err(failed)?;
        for id in self.waiting_in_order() {
            pack.insert_object(to_oid(id)?, None).map_err(failed)?;
        }
        let packs = self.directory.join("objects/pack");
        pack.write(&packs, PACK_RIGHTS).map_err(failed)?;
        let name = pack.name().map_err(failed)?.unwrap_or_default();
        // The journal is emptied next; from then on there is only the pack.
        for extension in ["pack", "idx"] {
            let path = packs.join(format!("pack-{name}.{extension}"));
            let synced = fs::File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(SnapshotsError::io("write", &path))?;
        }
        self.odb()?.refresh().map_err(failed)?;
        self.waiting.clear();
        self.waiting.shrink_to_fit();
        self.waiting_bytes = 0;
        self.fresh.clear();
        Ok(())
    }

    /// The order makes the pack the same whatever the order in memory.
    fn waiting_in_order(&self) -> Vec<ObjectId> {
        let mut ids: Vec<_> = self.waiting.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    fn hand_waiting_to(&self, git: &git2::Repository) -> Result<(), SnapshotsError> {
        let odb = git.odb().map_err(failed)?;
        for (kind, data) in self.waiting.values() {
            odb.write(kind.git(), data).map_err(failed)?;
        }
        Ok(())
    }

    /// Sends a pack of everything that `tips` lead to through `sink`, piece by piece. The sink says whether to go on.
    pub(crate) fn stream_pack(
        &self,
        tips: impl Iterator<Item = ObjectId>,
        sink: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), SnapshotsError> {
        let everything = database(&self.directory, true)?;
        self.hand_waiting_to(&everything)?;
        let mut walk = everything.revwalk().map_err(failed)?;
        for tip in tips {
            walk.push(to_oid(tip)?).map_err(failed)?;
        }
        let mut pack = everything.packbuilder().map_err(failed)?;
        pack.insert_walk(&mut walk).map_err(failed)?;
        pack.foreach(sink).map_err(failed)
    }

    /// Removes what a killed process left half-written. Only for the holder of the run's lease.
    pub(crate) fn remove_leftovers(&self) -> Result<(), SnapshotsError> {
        let packs = self.directory.join("objects/pack");
        for entry in fs::read_dir(&packs).map_err(SnapshotsError::io("read", &packs))? {
            let path = entry.map_err(SnapshotsError::io("read", &packs))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // Of a pack and its index either may come first; libgit2 names a pack `pack_git2_…` while it grows.
            let alone = |extension, other| {
                path.extension().is_some_and(|found| found == extension)
                    && !path.with_extension(other).exists()
            };
            let half = name.starts_with("tmp_")
                || name.starts_with("pack_git2_")
                || alone("pack", "idx")
                || alone("idx", "pack");
            if half && path.is_file() {
                fs::remove_file(&path).map_err(SnapshotsError::io("remove", &path))?;
            }
        }
        Ok(())
    }
}

/// An object database that keeps new objects in memory and, with `stored`, knows those on disk. It has no references and
/// no place that libgit2 could look at, and of configuration only what this module wrote.
fn database(directory: &Path, stored: bool) -> Result<git2::Repository, SnapshotsError> {
    let odb = Odb::new().map_err(failed)?;
    if stored {
        let objects = directory.join("objects");
        let text = objects.to_str().ok_or_else(|| SnapshotsError::Path {
            path: objects.to_string_lossy().into_owned(),
            reason: "the data folder's path is not UTF-8",
        })?;
        odb.add_disk_alternate(text).map_err(failed)?;
    }
    odb.add_new_mempack_backend(MEMORY_PRIORITY).map_err(failed)?;
    let git = git2::Repository::from_odb(odb).map_err(failed)?;
    let config = git2::Config::open(&directory.join("config")).map_err(failed)?;
    git.set_config(&config).map_err(failed)?;
    Ok(git)
}

/// The name that an object has.
fn hash(kind: ObjectKind, data: &[u8]) -> Result<ObjectId, SnapshotsError> {
    Oid::hash_object(kind.git(), data).map_err(failed).and_then(from_oid)
}

/// The name that `content` would have as a file's object.
pub(crate) fn blob_id(content: &[u8]) -> Result<ObjectId, SnapshotsError> {
    hash(ObjectKind::Blob, content)
}

fn from_oid(oid: Oid) -> Result<ObjectId, SnapshotsError> {
    oid.as_bytes()
        .try_into()
        .map(ObjectId)
        .map_err(|_| SnapshotsError::Git("an object name that is no SHA-1".into()))
}

fn to_oid(id: ObjectId) -> Result<Oid, SnapshotsError> {
    Oid::from_bytes(&id.0).map_err(failed)
}

fn failed(error: git2::Error) -> SnapshotsError {
    SnapshotsError::Git(error.message().to_owned())
}
