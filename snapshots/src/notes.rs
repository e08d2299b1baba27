//! Scores beside commits, as git notes. They wait in a journal, and a batch of them becomes one commit on the notes'
//! reference: a notes commit for each candidate would double the objects of a run.

use crate::error::SnapshotsError;
use crate::object::{Commit, FileKind, ObjectId, write_commit};
use crate::refs::{NOTES, Refs};
use crate::repository::{ObjectKind, Repository};
use crate::tree::{self, Edit, Edits, File};
use std::collections::BTreeMap;

/// Largest note, in bytes.
pub(crate) const MAX_NOTE_BYTES: usize = 64 * 1024;

/// The notes that wait for their commit.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    waiting: BTreeMap<ObjectId, String>,
    /// The commit that was annotated last: its time becomes the notes commit's.
    last: Option<ObjectId>,
}

impl Notes {
    /// Notes `json` beside `commit`; a later note replaces an earlier one.
    pub(crate) fn add(&mut self, commit: ObjectId, json: String) {
        self.waiting.insert(commit, json);
        self.last = Some(commit);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The note beside `commit`, whether it waits or is committed.
    pub(crate) fn read(
        &self,
        repository: &Repository,
        refs: &Refs,
        commit: ObjectId,
    ) -> Result<Option<String>, SnapshotsError> {
        if let Some(note) = self.waiting.get(&commit) {
            return Ok(Some(note.clone()));
        }
        let Some(head) = refs.read(NOTES)? else { return Ok(None) };
        let tree = repository.commit(head)?.tree;
        let Some(file) = tree::find(repository, tree, &path(commit))? else { return Ok(None) };
        let note = repository.read(ObjectKind::Blob, file.id)?;
        Ok(Some(String::from_utf8_lossy(&note).trim_end().to_owned()))
    }

    /// Makes the commit that holds all notes and points the reference to it; after that none waits.
    pub(crate) fn commit(
        &mut self,
        repository: &mut Repository,
        refs: &mut Refs,
    ) -> Result<(), SnapshotsError> {
        let Some(last) = self.last else { return Ok(()) };
        let head = refs.read(NOTES)?;
        let before = head.map(|head| repository.commit(head)).transpose()?.map(|commit| commit.tree);
        let mut edits = Edits::new();
        for (commit, note) in &self.waiting {
            let id = repository.write(ObjectKind::Blob, format!("{note}\n").into_bytes())?;
            edits.insert(path(*commit), Edit::Put(File { kind: FileKind::File, id }));
        }
        let tree = tree::edit(repository, before, &edits)?;
        if let Some(tree) = tree.filter(|_| tree != before) {
            let time_s = repository.commit(last)?.time_s;
            let commit =
                Commit { tree, parents: head.into_iter().collect(), time_s, message: "scores\n".into() };
            refs.set(NOTES.into(), repository.write(ObjectKind::Commit, write_commit(&commit))?);
        }
        self.waiting.clear();
        self.last = None;
        Ok(())
    }
}

/// Where a commit's note lies: one level of folders by the first two digits, so that a thousand notes rewrite a few
/// small trees instead of one large one. Git reads any number of levels.
fn path(commit: ObjectId) -> Vec<u8> {
    let name = commit.to_string();
    let (folder, file) = name.split_at(2);
    format!("{folder}/{file}").into_bytes()
}
