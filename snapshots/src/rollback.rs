//! Going back and forth between commits: the champion's branch, and folders of plain files that follow it. History is
//! never rewritten: the champion of before stays a commit like any other, and moving back is one more move.

use crate::error::SnapshotsError;
use crate::memory::GitSnapshots;
use crate::object::FileKind;
use crate::paths;
use crate::refs::CHAMPION;
use crate::repository::{ObjectKind, blob_id};
use crate::snapshot::{object_id, path_buf};
use crate::tree::{self, Difference, File};
use crate::work_tree::{Rights, WorkTree};
use evolution::id::CommitId;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

impl GitSnapshots {
    /// Moves the champion's branch and makes sure of it: the branch is read back, and every object by which the new
    /// champion differs from the one before is read and checked against its name.
    pub(crate) fn move_champion(&mut self, commit: &CommitId) -> Result<(), SnapshotsError> {
        self.must_write()?;
        let id = object_id(commit)?;
        let tree = self.tree_of(commit)?;
        if let Some(before) = self.refs.read(CHAMPION)? {
            let before = self.repository.commit(before)?.tree;
            for difference in tree::compare(&self.repository, before, tree)? {
                self.checked_content(&difference)?;
            }
        }
        self.set_refs(&[(CHAMPION.to_owned(), id)])?;
        let now = self.refs.read(CHAMPION)?;
        if now != Some(id) || self.repository.commit(id)?.tree != tree {
            return Err(self.repository.damaged(format!("the champion's branch does not point to {commit}")));
        }
        Ok(())
    }

    /// The new side of a difference: its content, which hashes to its name.
    fn checked_content(
        &self,
        difference: &Difference,
    ) -> Result<Option<(FileKind, Vec<u8>)>, SnapshotsError> {
        let Some(file) = difference.new else { return Ok(None) };
        let content = self.repository.read(ObjectKind::Blob, file.id)?;
        if blob_id(&content)? != file.id {
            return Err(self.repository.damaged(format!("object {} is not what its name says", file.id)));
        }
        Ok(Some((file.kind, content)))
    }

    /// Turns a folder that holds the files of `from` into one that holds those of `to`, by writing and removing only
    /// what differs, each file whole. Returns the paths that were touched. Other files of the folder are left alone.
    pub fn checkout_changes(
        &self,
        from: &CommitId,
        to: &CommitId,
        dir: &Path,
    ) -> Result<Vec<PathBuf>, SnapshotsError> {
        let differences = tree::compare(&self.repository, self.tree_of(from)?, self.tree_of(to)?)?;
        if differences.iter().any(|one| one.new.is_some_and(|file| file.kind == FileKind::Link)) {
            self.refuse_escaping_links(&tree::list(&self.repository, self.tree_of(to)?)?)?;
        }
        let folder = WorkTree::open(dir)?;
        // What goes, goes first: a file may make room for a folder of its name.
        for one in differences.iter().filter(|one| one.new.is_none()) {
            folder.remove(&one.path)?;
        }
        for one in &differences {
            if let Some((kind, content)) = self.checked_content(one)? {
                folder.write(&one.path, kind, &content, Rights::Fresh)?;
            }
        }
        Ok(differences.iter().map(|one| path_buf(&one.path)).collect())
    }

    /// Writes all files of a commit into `dir`, which must be empty or not exist: a plain tree, without git. Nothing
    /// is written when the commit holds a path or a link that leads out of it. Returns the number of files.
    pub fn export(&self, commit: &CommitId, dir: &Path) -> Result<usize, SnapshotsError> {
        let files = tree::list(&self.repository, self.tree_of(commit)?)?;
        self.refuse_escaping_links(&files)?;
        for path in files.keys() {
            paths::parts(path)?;
        }
        fs::create_dir_all(dir).map_err(SnapshotsError::io("create", dir))?;
        if fs::read_dir(dir).map_err(SnapshotsError::io("read", dir))?.next().is_some() {
            return Err(SnapshotsError::Destination(format!("{} is not empty", dir.display())));
        }
        let folder = WorkTree::open(dir)?;
        for (path, file) in &files {
            let content = self.repository.read(ObjectKind::Blob, file.id)?;
            folder.write(path, file.kind, &content, Rights::Fresh)?;
        }
        Ok(files.len())
    }

    fn refuse_escaping_links(&self, files: &BTreeMap<Vec<u8>, File>) -> Result<(), SnapshotsError> {
        let mut links = BTreeMap::new();
        for (path, file) in files {
            if file.kind == FileKind::Link {
                links.insert(path.as_slice(), self.repository.read(ObjectKind::Blob, file.id)?);
            }
        }
        for (path, target) in &links {
            if paths::leads_out(path, target, &|path| links.get(path).cloned()) {
                return Err(SnapshotsError::Path {
                    path: String::from_utf8_lossy(path).into_owned(),
                    reason: "it is a symbolic link that leads out of the target",
                });
            }
        }
        Ok(())
    }
}
