//! The run's memory: one open repository, what is known of it, and when what waits is packed. Not here: what is put in
//! and taken out (`snapshot`, `import`, `apply`, `rollback`).

use crate::error::SnapshotsError;
use crate::journal::{self, Entry, Journal};
use crate::notes::Notes;
use crate::object::{Commit, ObjectId, write_commit};
use crate::refs::{BASELINE, CANDIDATES, CHAMPION, Refs, SUPERSEDED};
use crate::repository::{ObjectKind, Repository};
use crate::snapshot::commit_id;
use evolution::id::{CommitId, Number};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// Says of a path below the target's root whether candidates may change it.
pub type MayChange = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What a repository is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For the holder of the run's lease: leftovers of a killed process are removed, everything is allowed.
    Write,
    /// For everybody else, also while another process writes: nothing on disk is changed.
    Read,
}

/// Records of candidates that wait in the journal before they are packed together, at least.
const MAX_WAITING: u32 = 250;

/// Share of all candidates that may wait: the list of references is written anew with each pack, so that its cost for one
/// candidate stays the same however many there are.
const WAITING_SHARE: u32 = 48;

/// Notes that wait for their commit.
const MAX_WAITING_NOTES: usize = 4_096;

/// Largest journal, in bytes; its contents are in memory too.
const MAX_JOURNAL_BYTES: u64 = 8 * 1024 * 1024;

/// The repository of one run.
pub struct GitSnapshots {
    pub(crate) repository: Repository,
    pub(crate) refs: Refs,
    pub(crate) notes: Notes,
    journal: Journal,
    pub(crate) notes_journal: Journal,
    pub(crate) may_change: MayChange,
    access: Access,
    candidates: BTreeMap<Number, ObjectId>,
    /// Records in the journal of candidates.
    waiting: u32,
    /// Folders (path and tree) without a file that may change: they are the same in nearly all candidates.
    pub(crate) barren: HashSet<(Vec<u8>, ObjectId)>,
}

impl GitSnapshots {
    /// Opens the repository at `directory`. With [`Access::Write`] it is made when it is not there.
    pub fn open(directory: &Path, access: Access, may_change: MayChange) -> Result<Self, SnapshotsError> {
        let write = access == Access::Write;
        if write && !Repository::exists_at(directory) {
            Repository::create(directory, CHAMPION)?;
        }
        // Before anything else is read: what a writer packs afterwards is found on disk.
        let (journal, mut entries) = Journal::open(directory, journal::CANDIDATES, write)?;
        let (notes_journal, notes) = Journal::open(directory, journal::NOTES, write)?;
        let repository = Repository::open(directory)?;
        let refs = Refs::new(directory);
        if write {
            refs.remove_stale_locks()?;
            repository.remove_leftovers()?;
        }
        let mut snapshots = Self {
            repository,
            refs,
            notes: Notes::default(),
            journal,
            notes_journal,
            may_change,
            access,
            candidates: BTreeMap::new(),
            waiting: u32::try_from(entries.len()).unwrap_or(u32::MAX),
            barren: HashSet::new(),
        };
        entries.extend(notes);
        for entry in entries {
            match entry {
                Entry::Object { kind, id, data } => snapshots.repository.restore(kind, id, data),
                Entry::Reference { name, id } => snapshots.refs.set(name, id),
                Entry::Note { commit, json } => snapshots.notes.add(commit, json),
            }
        }
        snapshots.candidates = candidates_of(&snapshots.refs)?;
        Ok(snapshots)
    }

    /// Sees what a writer has done since this was opened for reading.
    pub fn refresh(&mut self) -> Result<(), SnapshotsError> {
        if self.access == Access::Read {
            *self = Self::open(self.directory(), Access::Read, self.may_change.clone())?;
        }
        Ok(())
    }

    /// Where the repository lies.
    pub fn directory(&self) -> &Path {
        self.repository.directory()
    }

    /// The commit of a candidate by its number, if it has one.
    pub fn candidate(&self, number: Number) -> Option<CommitId> {
        self.candidates.get(&number).map(|id| commit_id(*id))
    }

    /// The target as it was imported.
    pub fn baseline(&self) -> Result<Option<CommitId>, SnapshotsError> {
        Ok(self.refs.read(BASELINE)?.map(commit_id))
    }

    /// The commit that the champion's branch points to.
    pub fn champion(&self) -> Result<Option<CommitId>, SnapshotsError> {
        Ok(self.refs.read(CHAMPION)?.map(commit_id))
    }

    /// Packs what waits in the journals, so that any git finds it. Done by itself when enough waits and when the value is
    /// dropped; call it when a run pauses or stops, to hear of errors.
    pub fn flush(&mut self) -> Result<(), SnapshotsError> {
        self.must_write()?;
        self.notes.commit(&mut self.repository, &mut self.refs)?;
        // The reference waits with them from here on, whether or not the pack succeeds at once.
        self.repository.settle_fresh();
        self.pack()?;
        self.notes_journal.clear()
    }

    fn pack(&mut self) -> Result<(), SnapshotsError> {
        // Objects before references, both before the journal: at every moment all that happened can be read.
        self.repository.pack()?;
        self.refs.flush()?;
        self.journal.clear()?;
        self.waiting = 0;
        Ok(())
    }

    /// Writes what was taken up since the last time, and `entries`, into the journal. Only then has it happened.
    fn log(&mut self, entries: Vec<Entry>) -> Result<(), SnapshotsError> {
        let fresh = self.repository.fresh();
        let mut record: Vec<_> =
            fresh.map(|(kind, id, data)| Entry::Object { kind, id, data: data.to_vec() }).collect();
        record.extend(entries);
        self.journal.append(&record)?;
        self.repository.settle_fresh();
        self.waiting = self.waiting.saturating_add(1);
        Ok(())
    }

    fn max_waiting(&self) -> u32 {
        let candidates = u32::try_from(self.candidates.len()).unwrap_or(u32::MAX);
        MAX_WAITING.max(candidates / WAITING_SHARE)
    }

    /// Packs when enough waits for it.
    pub(crate) fn pack_if_due(&mut self) -> Result<(), SnapshotsError> {
        if self.notes.waiting() >= MAX_WAITING_NOTES {
            self.flush()
        } else if self.waiting >= self.max_waiting() || self.journal.bytes() >= MAX_JOURNAL_BYTES {
            self.pack()
        } else {
            Ok(())
        }
    }

    /// Points references to commits, in the journal first.
    pub(crate) fn set_refs(&mut self, moves: &[(String, ObjectId)]) -> Result<(), SnapshotsError> {
        self.must_write()?;
        let entries = moves.iter().map(|(name, id)| Entry::Reference { name: name.clone(), id: *id });
        self.log(entries.collect())?;
        for (name, id) in moves {
            self.refs.set(name.clone(), *id);
        }
        Ok(())
    }

    pub(crate) fn must_write(&self) -> Result<(), SnapshotsError> {
        match self.access {
            Access::Write => Ok(()),
            Access::Read => Err(SnapshotsError::ReadOnly(self.directory().to_path_buf())),
        }
    }

    /// Makes a commit and gives it the candidate's reference, and those of `also`.
    pub(crate) fn record(
        &mut self,
        number: Number,
        commit: &Commit,
        also: &[&str],
    ) -> Result<ObjectId, SnapshotsError> {
        let id = self.repository.write(ObjectKind::Commit, write_commit(commit))?;
        let mut moves = Vec::new();
        match self.candidates.get(&number) {
            Some(known) if *known == id => {
                self.repository.discard_fresh();
                return Ok(id);
            }
            // The log never heard of it, or it would not ask for the number again; git still keeps it.
            Some(known) => moves.push((format!("{SUPERSEDED}{known}"), *known)),
            None => {}
        }
        moves.push((format!("{CANDIDATES}{number}"), id));
        moves.extend(also.iter().map(|&name| (name.to_owned(), id)));
        self.set_refs(&moves)?;
        self.candidates.insert(number, id);
        Ok(id)
    }
}

impl Drop for GitSnapshots {
    /// Leaves the repository packed. Errors have nobody left to hear them, and nothing depends on it: the journal is
    /// read again at the next opening.
    fn drop(&mut self) {
        if self.access == Access::Write && (self.waiting > 0 || self.notes.waiting() > 0) {
            let _ = self.flush();
        }
    }
}

fn candidates_of(refs: &Refs) -> Result<BTreeMap<Number, ObjectId>, SnapshotsError> {
    let all = refs.all()?;
    Ok(all
        .into_iter()
        .filter_map(|(name, id)| Some((name.strip_prefix(CANDIDATES)?.parse().ok()?, id)))
        .collect())
}
