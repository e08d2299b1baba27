//! References: those that wait in the journal, in memory, and those on disk, nearly all in the one file `packed-refs`.
//! Formats and locking are git's (gitrepository-layout, git-pack-refs): a reader sees all references of before or all
//! of after.
//!
//! libgit2's own references are not used because creating one compares it with every packed one, which makes the
//! ten-thousandth candidate dearer than the first.

use crate::error::SnapshotsError;
use crate::object::ObjectId;
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Where candidates' references live; the candidate's number follows.
pub(crate) const CANDIDATES: &str = "refs/darwind/candidates/";
/// Commits that a crash left without a place in the log and whose number another candidate got since.
pub(crate) const SUPERSEDED: &str = "refs/darwind/superseded/";
/// The head that rollback moves.
pub(crate) const CHAMPION: &str = "refs/heads/champion";
/// The target as it was imported.
pub(crate) const BASELINE: &str = "refs/heads/baseline";
/// Scores by commit.
pub(crate) const NOTES: &str = "refs/notes/darwind";

/// Deepest folder that is searched for references.
const MAX_NESTING: usize = 8;

/// The references of one repository.
#[derive(Debug)]
pub(crate) struct Refs {
    directory: PathBuf,
    /// Moved since the last [`Self::flush`]; the journal holds them too.
    waiting: BTreeMap<String, ObjectId>,
}

impl Refs {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf(), waiting: BTreeMap::new() }
    }

    fn packed_path(&self) -> PathBuf {
        self.directory.join("packed-refs")
    }

    /// Where the reference `name` points to, if it exists.
    pub(crate) fn read(&self, name: &str) -> Result<Option<ObjectId>, SnapshotsError> {
        if let Some(id) = self.waiting.get(name) {
            return Ok(Some(*id));
        }
        match self.read_loose(name)? {
            Some(id) => Ok(Some(id)),
            None => {
                let text = self.packed_text()?;
                let packed = self.packed_lines(&text)?;
                let Ok(place) = packed.binary_search_by_key(&name, |(name, _)| *name) else {
                    return Ok(None);
                };
                let id = packed.get(place).and_then(|(_, id)| ObjectId::parse(id));
                id.map(Some).ok_or_else(|| self.strange_line())
            }
        }
    }

    /// Where the reference `name` points to on disk, for whoever reads only that.
    fn read_loose(&self, name: &str) -> Result<Option<ObjectId>, SnapshotsError> {
        let path = self.directory.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => match ObjectId::parse(text.trim_end()) {
                Some(id) => Ok(Some(id)),
                None => Err(self.damaged(format!("the reference {name} holds no object name"))),
            },
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory => Ok(None),
                _ => Err(SnapshotsError::io("read", &path)(error)),
            },
        }
    }

    /// The file of packed references; empty when there is none.
    fn packed_text(&self) -> Result<String, SnapshotsError> {
        let path = self.packed_path();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(SnapshotsError::io("read", &path)(error)),
        }
    }

    /// Names and object names in that file, in the order of the names. Object names are not looked at: there is a line for
    /// each candidate, and the file is read whole with every pack.
    fn packed_lines<'t>(&self, text: &'t str) -> Result<Vec<(&'t str, &'t str)>, SnapshotsError> {
        // Lines with '#' are the header, lines with '^' the object behind an annotated tag.
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '^']));
        let split = lines.map(|line| line.split_once(' ').map(|(id, name)| (name, id)));
        let mut split: Vec<_> = split.collect::<Option<_>>().ok_or_else(|| self.strange_line())?;
        if !split.is_sorted() {
            split.sort_unstable();
        }
        Ok(split)
    }

    fn strange_line(&self) -> SnapshotsError {
        self.damaged("packed-refs has a line that is no reference".into())
    }

    /// Every reference, waiting, loose or packed.
    pub(crate) fn all(&self) -> Result<BTreeMap<String, ObjectId>, SnapshotsError> {
        // Loose first: a reference that somebody packs in between is then found twice instead of never.
        let mut loose = Vec::new();
        self.find_loose("refs", MAX_NESTING, &mut loose)?;
        let text = self.packed_text()?;
        let packed = self.packed_lines(&text)?.into_iter();
        let packed = packed.map(|(name, id)| Some((name.to_owned(), ObjectId::parse(id)?)));
        let mut all: BTreeMap<_, _> = packed.collect::<Option<_>>().ok_or_else(|| self.strange_line())?;
        all.extend(loose);
        all.extend(self.waiting.iter().map(|(name, id)| (name.clone(), *id)));
        Ok(all)
    }

    fn find_loose(
        &self,
        folder: &str,
        nesting: usize,
        found: &mut Vec<(String, ObjectId)>,
    ) -> Result<(), SnapshotsError> {
        let path = self.directory.join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(SnapshotsError::io("read", &path)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(SnapshotsError::io("read", &path))?;
            let Some(name) = entry.file_name().to_str().map(|name| format!("{folder}/{name}")) else {
                continue;
            };
            let kind = entry.file_type().map_err(SnapshotsError::io("read", &path))?;
            if kind.is_dir() && nesting > 0 {
                self.find_loose(&name, nesting - 1, found)?;
            } else if kind.is_file() && !name.ends_with(".lock") {
                // It may have been packed since the folder was read; then it is found there.
                if let Some(id) = self.read_loose(&name)? {
                    found.push((name, id));
                }
            }
        }
        Ok(())
    }

    /// Points the reference `name` to `id`. On disk it arrives with the next [`Self::flush`].
    pub(crate) fn set(&mut self, name: String, id: ObjectId) {
        self.waiting.insert(name, id);
    }

    /// Writes the waiting references to disk, all at once.
    pub(crate) fn flush(&mut self) -> Result<(), SnapshotsError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let old = self.packed_text()?;
        let mut text = String::with_capacity(old.len() + 100 * self.waiting.len() + 100);
        text.push_str("# pack-refs with: sorted \n");
        let mut line =
            |name: &str, id: &str| [id, " ", name, "\n"].into_iter().for_each(|part| text.push_str(part));
        let mut waiting = self.waiting.iter().peekable();
        for (name, id) in self.packed_lines(&old)? {
            while let Some((name, id)) = waiting.next_if(|(waiting, _)| waiting.as_str() < name) {
                line(name, &id.to_string());
            }
            if waiting.peek().is_none_or(|(waiting, _)| *waiting != name) {
                line(name, id);
            }
        }
        waiting.for_each(|(name, id)| line(name, &id.to_string()));
        self.replace(&self.packed_path(), text.as_bytes())?;
        // A loose reference, which only another git can have made here, would hide the packed one.
        for name in self.waiting.keys() {
            let path = self.directory.join(name);
            match fs::remove_file(&path) {
                Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    return Err(SnapshotsError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        self.waiting.clear();
        Ok(())
    }

    /// Replaces a file under git's lock for it.
    fn replace(&self, path: &Path, content: &[u8]) -> Result<(), SnapshotsError> {
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let created = fs::OpenOptions::new().write(true).create_new(true).open(&lock);
        let mut file = created.map_err(SnapshotsError::io("lock", &lock))?;
        let written =
            file.write_all(content).and_then(|()| file.sync_data()).and_then(|()| fs::rename(&lock, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&lock);
            SnapshotsError::io("write", path)(error)
        })
    }

    /// Removes locks that a killed process left behind. Only for the holder of the run's lease: nobody else writes.
    pub(crate) fn remove_stale_locks(&self) -> Result<(), SnapshotsError> {
        remove_locks(&self.directory, 0)?;
        remove_locks(&self.directory.join("refs"), MAX_NESTING)
    }

    fn damaged(&self, detail: String) -> SnapshotsError {
        SnapshotsError::Damaged { path: self.directory.clone(), detail }
    }
}

fn remove_locks(folder: &Path, nesting: usize) -> Result<(), SnapshotsError> {
    for entry in fs::read_dir(folder).map_err(SnapshotsError::io("read", folder))? {
        let entry = entry.map_err(SnapshotsError::io("read", folder))?;
        let kind = entry.file_type().map_err(SnapshotsError::io("read", folder))?;
        let path = entry.path();
        if kind.is_dir() && nesting > 0 {
            remove_locks(&path, nesting - 1)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "lock") {
            fs::remove_file(&path).map_err(SnapshotsError::io("remove", &path))?;
        }
    }
    Ok(())
}
