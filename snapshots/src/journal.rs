//! What happened since the repository was last packed: new objects, moved references and notes, appended to one file.
//!
//! A candidate costs one write that way instead of a file for each object and reference, and what git itself finds in
//! the repository is at every moment complete: it changes only when a whole batch has been packed. A write that a
//! killed process left half-done fails its checksum and never happened; its candidate was never reported either.

use crate::error::SnapshotsError;
use crate::object::{ObjectId, adler32};
use crate::repository::ObjectKind;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The journal of objects and references; git knows no file of this name.
pub(crate) const CANDIDATES: &str = "darwind-journal";

/// The journal of notes. They wait longer than candidates do, since each batch of them rewrites all trees of notes.
pub(crate) const NOTES: &str = "darwind-notes";

/// Bytes before each record: length of its content and checksum, both little-endian.
const HEAD_BYTES: usize = 8;

/// Largest content of one record, in bytes.
const MAX_RECORD_BYTES: usize = 512 * 1024 * 1024;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Object { kind: ObjectKind, id: ObjectId, data: Vec<u8> },
    Reference { name: String, id: ObjectId },
    Note { commit: ObjectId, json: String },
}

/// One journal of a repository.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
}

impl Journal {
    /// Reads what a journal holds. With `write` it is then ready to be appended to.
    pub(crate) fn open(
        directory: &Path,
        name: &str,
        write: bool,
    ) -> Result<(Self, Vec<Entry>), SnapshotsError> {
        let path = directory.join(name);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(SnapshotsError::io("read", &path)(error)),
        };
        let (entries, length) = read_records(&content).ok_or_else(|| SnapshotsError::Damaged {
            path: path.clone(),
            detail: "a record is whole and yet unreadable; a newer version may have written it".into(),
        })?;
        let bytes = length as u64;
        let mut journal = Self { path, file: None, bytes };
        if write {
            let options = File::options().write(true).create(true).truncate(false).open(&journal.path);
            let file = options.map_err(SnapshotsError::io("open", &journal.path))?;
            if bytes < content.len() as u64 {
                file.set_len(bytes).map_err(SnapshotsError::io("shorten", &journal.path))?;
            }
            journal.file = Some(file);
        }
        Ok((journal, entries))
    }

    /// Bytes that wait in the journal.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends entries: all of them or none.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), SnapshotsError> {
        let Some(file) = &mut self.file else { return Err(SnapshotsError::ReadOnly(self.path.clone())) };
        let mut record = vec![0; HEAD_BYTES];
        entries.iter().for_each(|entry| write_entry(entry, &mut record));
        let content = record.len() - HEAD_BYTES;
        let length =
            u32::try_from(content).ok().filter(|_| content <= MAX_RECORD_BYTES).ok_or_else(|| {
                SnapshotsError::Destination(format!("a candidate of {content} bytes is too large to keep"))
            })?;
        let sum = adler32(&record[HEAD_BYTES..]);
        record[..4].copy_from_slice(&length.to_le_bytes());
        record[4..HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
        if let Err(error) = file.write_all_at(&record, self.bytes) {
            // A full disk: what was half written goes, so that the next attempt stands at the same place.
            let _ = file.set_len(self.bytes);
            return Err(SnapshotsError::io("write", &self.path)(error));
        }
        self.bytes += record.len() as u64;
        Ok(())
    }

    /// Empties the journal, when all it holds is elsewhere.
    pub(crate) fn clear(&mut self) -> Result<(), SnapshotsError> {
        if let Some(file) = &self.file {
            file.set_len(0).map_err(SnapshotsError::io("empty", &self.path))?;
            self.bytes = 0;
        }
        Ok(())
    }
}

fn write_entry(entry: &Entry, out: &mut Vec<u8>) {
    let (head, body): (String, &[u8]) = match entry {
        Entry::Object { kind, id, data } => (format!("{} {id} {}\n", kind.name(), data.len()), data),
        Entry::Reference { name, id } => (format!("ref {id} {}\n", name.len()), name.as_bytes()),
        Entry::Note { commit, json } => (format!("note {commit} {}\n", json.len()), json.as_bytes()),
    };
    // Writing to a vector cannot fail.
    let _ = out.write_all(head.as_bytes());
    let _ = out.write_all(body);
}

/// The entries of all whole records, and the number of bytes that these take. `None` when a whole record makes no sense:
/// then nothing must be cut off.
fn read_records(content: &[u8]) -> Option<(Vec<Entry>, usize)> {
    let mut entries = Vec::new();
    let mut at = 0;
    while let Some(mut record) = whole_record(&content[at..]) {
        at += HEAD_BYTES + record.len();
        while !record.is_empty() {
            let (entry, after) = read_entry(record)?;
            entries.push(entry);
            record = after;
        }
    }
    Some((entries, at))
}

/// The content of the record at the start, if it is all there.
fn whole_record(content: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(content.get(..4)?.try_into().ok()?) as usize;
    let sum = u32::from_le_bytes(content.get(4..HEAD_BYTES)?.try_into().ok()?);
    let record = content.get(HEAD_BYTES..HEAD_BYTES.checked_add(length)?)?;
    (length > 0 && adler32(record) == sum).then_some(record)
}

fn read_entry(content: &[u8]) -> Option<(Entry, &[u8])> {
    let end = content.iter().position(|&byte| byte == b'\n')?;
    let head = std::str::from_utf8(&content[..end]).ok()?;
    let mut words = head.split(' ');
    let (word, id, length) =
        (words.next()?, ObjectId::parse(words.next()?)?, words.next()?.parse::<usize>().ok()?);
    let (body, after) = content[end + 1..].split_at_checked(length)?;
    let text = || String::from_utf8(body.to_vec()).ok();
    let entry = match word {
        "ref" => Entry::Reference { name: text()?, id },
        "note" => Entry::Note { commit: id, json: text()? },
        kind => Entry::Object { kind: ObjectKind::named(kind)?, id, data: body.to_vec() },
    };
    Some((entry, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let id = ObjectId([9; 20]);
        vec![
            Entry::Object { kind: ObjectKind::Blob, id, data: b"two\nlines\n".to_vec() },
            Entry::Object { kind: ObjectKind::Tree, id, data: Vec::new() },
            Entry::Reference { name: "refs/heads/champion".into(), id },
            Entry::Note { commit: id, json: "{}".into() },
        ]
    }

    #[test]
    fn what_is_appended_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, found) = Journal::open(folder.path(), NOTES, true).unwrap();
        assert_eq!(found, []);
        journal.append(&entries()[..1]).unwrap();
        journal.append(&entries()[1..]).unwrap();
        let (reader, found) = Journal::open(folder.path(), NOTES, false).unwrap();
        assert_eq!((found, reader.bytes()), (entries(), journal.bytes()));
        journal.clear().unwrap();
        journal.append(&entries()[2..]).unwrap();
        assert_eq!(Journal::open(folder.path(), NOTES, false).unwrap().1, entries()[2..]);
    }

    #[test]
    fn a_journal_that_is_cut_or_damaged_anywhere_keeps_its_whole_records() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(folder.path(), NOTES, true).unwrap();
        journal.append(&entries()).unwrap();
        let whole = usize::try_from(journal.bytes()).unwrap();
        journal.append(&entries()).unwrap();
        let content = fs::read(folder.path().join(NOTES)).unwrap();
        for end in 0..content.len() {
            let (found, length) = read_records(&content[..end]).unwrap();
            let expected = if end < whole { 0 } else { whole };
            assert_eq!((length, found.len()), (expected, if expected == 0 { 0 } else { entries().len() }));
        }
        for at in whole..content.len() {
            let mut damaged = content.clone();
            damaged[at] ^= 0x55;
            assert_eq!(read_records(&damaged).unwrap().1, whole, "damage at {at} was not seen");
        }
        let strange = b"thing 0909090909090909090909090909090909090909 0\n";
        let length = u32::try_from(strange.len()).unwrap().to_le_bytes();
        let record = [&length[..], &adler32(strange).to_le_bytes(), strange].concat();
        assert_eq!(read_records(&record), None, "what a newer version wrote would be cut off");
        // The next writer goes on after the last whole record.
        fs::write(folder.path().join(NOTES), &content[..content.len() - 1]).unwrap();
        let (mut journal, found) = Journal::open(folder.path(), NOTES, true).unwrap();
        assert_eq!(found, entries());
        journal.append(&entries()).unwrap();
        assert_eq!(fs::read(folder.path().join(NOTES)).unwrap(), content);
    }
}
