//! Candidates become commits, and commits become files again: the port that the conductor knows, and what others of the
//! engine ask beyond it. Not here: how the target came in (`import`) and how a winner goes home (`apply`).

use crate::error::SnapshotsError;
use crate::journal::Entry;
use crate::memory::GitSnapshots;
use crate::notes::MAX_NOTE_BYTES;
use crate::object::{Commit, EntryKind, FileKind, ObjectId};
use crate::repository::ObjectKind;
use crate::tree::{self, Edit, Edits};
use evolution::candidate::{Patch, SourceFiles};
use evolution::id::{CandidateId, CommitId};
use evolution::ports::{SnapshotError, SnapshotRequest, Snapshots};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Largest file of a patch, in bytes.
const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// Longest first line of a commit's message, in bytes.
const MAX_SUMMARY_BYTES: usize = 200;

/// Longest value of a trailer, in bytes.
const MAX_TRAILER_BYTES: usize = 4 * 1024;

/// Most folders remembered as holding nothing that may change.
const MAX_BARREN: usize = 16 * 1024;

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Path below the target's root.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// Size of its content in bytes; of a link, the length of where it points to.
    pub bytes: u64,
}

/// A file that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Path below the target's root.
    pub path: PathBuf,
    /// What it was; `None` when it is new.
    pub old: Option<FileKind>,
    /// What it is; `None` when it went.
    pub new: Option<FileKind>,
}

impl GitSnapshots {
    /// Every file of a commit, in the order of the paths.
    pub fn list(&self, commit: &CommitId) -> Result<Vec<TreeFile>, SnapshotsError> {
        let tree = self.tree_of(commit)?;
        tree::list(&self.repository, tree)?
            .into_iter()
            .map(|(path, file)| {
                let bytes = self.repository.size(file.id)?;
                Ok(TreeFile { path: path_buf(&path), kind: file.kind, bytes })
            })
            .collect()
    }

    /// The content of one file of a commit; of a link, where it points to.
    pub fn read(&self, commit: &CommitId, path: &Path) -> Result<Vec<u8>, SnapshotsError> {
        let file = tree::find(&self.repository, self.tree_of(commit)?, path.as_os_str().as_bytes())?;
        let file =
            file.ok_or_else(|| SnapshotsError::NotFound(format!("file {} in {commit}", path.display())))?;
        self.repository.read(ObjectKind::Blob, file.id)
    }

    /// The files that differ between two commits, in the order of the paths.
    pub fn changed(&self, old: &CommitId, new: &CommitId) -> Result<Vec<ChangedFile>, SnapshotsError> {
        let differences = tree::compare(&self.repository, self.tree_of(old)?, self.tree_of(new)?)?;
        let kind = |file: Option<tree::File>| file.map(|file| file.kind);
        Ok(differences
            .into_iter()
            .map(|one| ChangedFile { path: path_buf(&one.path), old: kind(one.old), new: kind(one.new) })
            .collect())
    }

    /// The message of a commit: summary, empty line, trailers.
    pub fn message(&self, commit: &CommitId) -> Result<String, SnapshotsError> {
        Ok(self.repository.commit(object_id(commit)?)?.message)
    }

    /// The note beside a commit as JSON: `{"scores": {…}, "verdict": "…"}`.
    pub fn note(&self, commit: &CommitId) -> Result<Option<String>, SnapshotsError> {
        self.notes.read(&self.repository, &self.refs, object_id(commit)?)
    }

    pub(crate) fn tree_of(&self, commit: &CommitId) -> Result<ObjectId, SnapshotsError> {
        let id = object_id(commit)?;
        match self.repository.commit(id) {
            Err(SnapshotsError::NotFound(_)) => Err(SnapshotsError::NotFound(format!("commit {commit}"))),
            other => other.map(|commit| commit.tree),
        }
    }

    fn commit_request(&mut self, request: &SnapshotRequest) -> Result<CommitId, SnapshotsError> {
        self.must_write()?;
        let parents = request.parents.iter().map(object_id).collect::<Result<Vec<_>, _>>()?;
        let first =
            *parents.first().ok_or_else(|| SnapshotsError::NotFound("parent in the request".into()))?;
        let base = self.repository.commit(first)?.tree;
        let edits = self.edits(&request.patch)?;
        let tree = match tree::edit(&mut self.repository, Some(base), &edits)? {
            Some(tree) => tree,
            None => self.repository.write(ObjectKind::Tree, Vec::new())?,
        };
        let message = message(&request.id, &request.summary, &request.trailers);
        let commit = Commit { tree, parents, time_s: request.time_ms.div_euclid(1_000), message };
        let id = self.record(request.number, &commit, &[])?;
        self.pack_if_due()?;
        Ok(commit_id(id))
    }

    /// Writes the contents of a patch and says what they change.
    fn edits(&mut self, patch: &Patch) -> Result<Edits, SnapshotsError> {
        let mut edits = Edits::new();
        for change in &patch.0 {
            let refuse = |reason| SnapshotsError::Patch { path: change.path.clone(), reason };
            crate::paths::parts(change.path.as_bytes())?;
            if !(self.may_change)(&change.path) {
                return Err(refuse("it is not among the files that may change"));
            }
            let edit = match &change.content {
                Some(content) if content.len() > MAX_FILE_BYTES => {
                    return Err(refuse("it is larger than any file that is evolved"));
                }
                Some(content) => Edit::Content(self.repository.write(ObjectKind::Blob, content.to_vec())?),
                None => Edit::Remove,
            };
            if edits.insert(change.path.clone().into_bytes(), edit).is_some() {
                return Err(refuse("it is changed twice"));
            }
        }
        Ok(edits)
    }

    fn note_scores(
        &mut self,
        commit: &CommitId,
        scores: &BTreeMap<String, f64>,
        verdict: &str,
    ) -> Result<(), SnapshotsError> {
        self.must_write()?;
        let id = object_id(commit)?;
        let json = serde_json::json!({ "scores": scores, "verdict": verdict }).to_string();
        if json.len() > MAX_NOTE_BYTES {
            return Err(SnapshotsError::Destination(format!(
                "a note of {} bytes is too large to keep",
                json.len()
            )));
        }
        self.notes_journal.append(&[Entry::Note { commit: id, json: json.clone() }])?;
        self.notes.add(id, json);
        self.pack_if_due()
    }

    fn read_files(&mut self, commit: &CommitId) -> Result<SourceFiles, SnapshotsError> {
        let tree = self.tree_of(commit)?;
        if self.barren.len() > MAX_BARREN {
            self.barren.clear();
        }
        let mut files = SourceFiles::default();
        self.collect_files(&[], tree, &mut files)?;
        Ok(files)
    }

    fn collect_files(
        &mut self,
        folder: &[u8],
        tree: ObjectId,
        files: &mut SourceFiles,
    ) -> Result<(), SnapshotsError> {
        let key = (folder.to_vec(), tree);
        if self.barren.contains(&key) {
            return Ok(());
        }
        let before = files.0.len();
        for entry in self.repository.tree(tree)? {
            let path = tree::join(folder, &entry.name);
            match entry.kind {
                EntryKind::Directory => self.collect_files(&path, entry.id, files)?,
                EntryKind::File(FileKind::Link) => {}
                EntryKind::File(_) => {
                    if let Some(path) = std::str::from_utf8(&path).ok().filter(|path| (self.may_change)(path))
                    {
                        let content = self.repository.read(ObjectKind::Blob, entry.id)?;
                        files.0.insert(path.to_owned(), content.into());
                    }
                }
            }
        }
        if files.0.len() == before {
            self.barren.insert(key);
        }
        Ok(())
    }
}

impl Snapshots for GitSnapshots {
    fn commit(&mut self, request: &SnapshotRequest) -> Result<CommitId, SnapshotError> {
        let made = self.commit_request(request);
        if made.is_err() {
            self.repository.discard_fresh();
        }
        Ok(made?)
    }

    fn files(&mut self, commit: &CommitId) -> Result<SourceFiles, SnapshotError> {
        Ok(self.read_files(commit)?)
    }

    fn annotate(
        &mut self,
        commit: &CommitId,
        scores: &BTreeMap<String, f64>,
        verdict: &str,
    ) -> Result<(), SnapshotError> {
        Ok(self.note_scores(commit, scores, verdict)?)
    }

    fn set_champion(&mut self, commit: &CommitId) -> Result<(), SnapshotError> {
        Ok(self.move_champion(commit)?)
    }
}

/// Summary, empty line, trailers; each on one line.
pub(crate) fn message(candidate: &CandidateId, summary: &str, trailers: &[(String, String)]) -> String {
    let mut text = one_line(summary, MAX_SUMMARY_BYTES);
    if text.is_empty() {
        text = format!("candidate {candidate}");
    }
    text.push_str("\n\n");
    if !trailers.iter().any(|(key, _)| key == "Candidate") {
        let _ = writeln!(text, "Candidate: {candidate}");
    }
    for (key, value) in trailers {
        let _ = writeln!(text, "{key}: {}", one_line(value, MAX_TRAILER_BYTES));
    }
    text
}

/// `text` without line breaks and control characters, cut at `limit` bytes.
fn one_line(text: &str, limit: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = words.collect::<Vec<_>>().join(" ");
    if line.len() > limit {
        let end = (0..=limit).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
        line.truncate(end);
    }
    line
}

pub(crate) fn commit_id(id: ObjectId) -> CommitId {
    CommitId::new(id.to_string())
}

pub(crate) fn object_id(commit: &CommitId) -> Result<ObjectId, SnapshotsError> {
    ObjectId::parse(commit.as_str())
        .ok_or_else(|| SnapshotsError::NotFound(format!("commit {:?}", commit.as_str())))
}

pub(crate) fn path_buf(path: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path))
}
