//! Git's objects as bytes: ids, trees and commits, and the zlib format around them. Pure: nothing is read or written
//! here, and hashing is the repository's business. The formats are those of git's own documentation (gitdatamodel,
//! git-mktree, git-commit-tree).

use std::fmt;

/// The name of an object: the SHA-1 of its header and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId(pub(crate) [u8; ID_BYTES]);

/// Length of an object's name, in bytes.
pub(crate) const ID_BYTES: usize = 20;

impl ObjectId {
    /// Reads forty hexadecimal digits of either case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 2 * ID_BYTES {
            return None;
        }
        let mut id = [0; ID_BYTES];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a file of a tree is. Git keeps no other permission than the executable one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A regular file that may be executed.
    Executable,
    /// A symbolic link; its content is where it points to.
    Link,
}

impl FileKind {
    /// Git's mode, in octal as it stands in trees and patches.
    pub(crate) fn mode(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
        }
    }
}

/// What an entry of a tree names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File(FileKind),
    Directory,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: EntryKind,
    pub(crate) id: ObjectId,
}

const DIRECTORY_MODE: &str = "40000";

/// Reads the content of a tree. `Err` says what is wrong with it.
pub(crate) fn parse_tree(mut data: &[u8]) -> Result<Vec<TreeEntry>, &'static str> {
    let mut entries = Vec::new();
    while !data.is_empty() {
        let space = data.iter().position(|&byte| byte == b' ').ok_or("a tree entry without a mode")?;
        let end = data.iter().position(|&byte| byte == 0).ok_or("a tree entry without an end")?;
        let name = data.get(space + 1..end).ok_or("a tree entry without a name")?;
        let id = data.get(end + 1..end + 1 + ID_BYTES).ok_or("a tree entry that is cut off")?;
        let kind = match &data[..space] {
            // Old gits wrote the group's write permission too; they and their readers mean a plain file.
            b"100644" | b"100664" => EntryKind::File(FileKind::File),
            b"100755" => EntryKind::File(FileKind::Executable),
            b"120000" => EntryKind::File(FileKind::Link),
            b"40000" => EntryKind::Directory,
            _ => return Err("a tree entry of an unknown mode"),
        };
        let id = ObjectId(id.try_into().map_err(|_| "a tree entry that is cut off")?);
        entries.push(TreeEntry { name: name.to_vec(), kind, id });
        data = &data[end + 1 + ID_BYTES..];
    }
    Ok(entries)
}

/// Writes the content of a tree; the entries may come in any order.
pub(crate) fn write_tree(entries: &mut [TreeEntry]) -> Vec<u8> {
    // Git compares a directory's name as if a slash followed it.
    let slash = |entry: &TreeEntry| (entry.kind == EntryKind::Directory).then_some(b'/');
    entries
        .sort_by(|a, b| a.name.iter().copied().chain(slash(a)).cmp(b.name.iter().copied().chain(slash(b))));
    let mut data = Vec::with_capacity(entries.iter().map(|entry| entry.name.len() + ID_BYTES + 8).sum());
    for entry in entries {
        let mode = match entry.kind {
            EntryKind::File(kind) => kind.mode(),
            EntryKind::Directory => DIRECTORY_MODE,
        };
        data.extend_from_slice(mode.as_bytes());
        data.push(b' ');
        data.extend_from_slice(&entry.name);
        data.push(0);
        data.extend_from_slice(&entry.id.0);
    }
    data
}

/// What this crate reads of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    /// Unix seconds of the committer.
    pub(crate) time_s: i64,
    pub(crate) message: String,
}

/// Author and committer of everything that the engine commits.
pub(crate) const AUTHOR: &str = "darwind";
/// The author's address: a name under the reserved top-level domain of RFC 2606, so that it can belong to nobody.
pub(crate) const AUTHOR_EMAIL: &str = "darwind@darwind.invalid";

/// Writes the content of a commit.
pub(crate) fn write_commit(commit: &Commit) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = format!("tree {}\n", commit.tree);
    for parent in &commit.parents {
        let _ = writeln!(text, "parent {parent}");
    }
    let time = commit.time_s.max(0);
    let _ = write!(
        text,
        "author {AUTHOR} <{AUTHOR_EMAIL}> {time} +0000\ncommitter {AUTHOR} <{AUTHOR_EMAIL}> {time} +0000\n\n{}",
        commit.message
    );
    text.into_bytes()
}

/// Reads the content of a commit, whoever wrote it. `Err` says what is wrong with it.
pub(crate) fn parse_commit(data: &[u8]) -> Result<Commit, &'static str> {
    let text = String::from_utf8_lossy(data);
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut tree = None;
    let mut parents = Vec::new();
    let mut time_s = 0;
    for line in head.lines() {
        match line.split_once(' ') {
            Some(("tree", id)) => tree = ObjectId::parse(id),
            Some(("parent", id)) => {
                parents.push(ObjectId::parse(id).ok_or("a parent that is no object name")?)
            }
            Some(("committer", who)) => {
                time_s = who.rsplit(' ').nth(1).and_then(|time| time.parse().ok()).unwrap_or(0);
            }
            _ => {}
        }
    }
    Ok(Commit { tree: tree.ok_or("a commit without a tree")?, parents, time_s, message: message.to_owned() })
}

/// Largest block of a stored (uncompressed) deflate stream, in bytes (RFC 1951, 3.2.4).
const STORED_BLOCK_BYTES: usize = 65_535;

/// `data` as a zlib stream of stored blocks (RFC 1950, RFC 1951), for binary patches: any git inflates it, and no
/// compressor is needed for the few that there are.
pub(crate) fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(data.len() + data.len() / STORED_BLOCK_BYTES * 5 + 16);
    stream.extend_from_slice(&[0x78, 0x01]);
    let mut rest = data;
    loop {
        let (block, after) = rest.split_at(rest.len().min(STORED_BLOCK_BYTES));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(after.is_empty()));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    stream.extend_from_slice(&adler32(data).to_be_bytes());
    stream
}

/// The checksum of RFC 1950, 8.2.
pub(crate) fn adler32(data: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    /// Most bytes whose sums cannot overflow 32 bits (zlib's NMAX).
    const CHUNK_BYTES: usize = 5_552;
    let (mut low, mut high) = (1_u32, 0_u32);
    for chunk in data.chunks(CHUNK_BYTES) {
        for &byte in chunk {
            low += u32::from(byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    (high << 16) | low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, kind: EntryKind) -> TreeEntry {
        TreeEntry { name: name.into(), kind, id: ObjectId([7; ID_BYTES]) }
    }

    #[test]
    fn directories_sort_as_if_a_slash_followed() {
        let file = EntryKind::File(FileKind::File);
        let mut entries =
            vec![entry("a", EntryKind::Directory), entry("a.b", file), entry("a0", file), entry("a-", file)];
        let data = write_tree(&mut entries);
        let names: Vec<_> = parse_tree(&data).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, [b"a-".to_vec(), b"a.b".to_vec(), b"a".to_vec(), b"a0".to_vec()]);
    }

    #[test]
    fn a_tree_that_is_cut_off_is_refused() {
        let data = write_tree(&mut [entry("name", EntryKind::Directory)]);
        for end in 1..data.len() {
            assert!(parse_tree(&data[..end]).is_err(), "{end} bytes passed");
        }
    }

    #[test]
    fn a_commit_comes_back_as_it_was_written() {
        let commit = Commit {
            tree: ObjectId([1; ID_BYTES]),
            parents: vec![ObjectId([2; ID_BYTES]), ObjectId([3; ID_BYTES])],
            time_s: 1_700_000_000,
            message: "summary\n\nCandidate: x-1\n".into(),
        };
        assert_eq!(parse_commit(&write_commit(&commit)).unwrap(), commit);
    }

    #[test]
    fn checksum_has_the_published_value() {
        // The worked example of Wikipedia's article "Adler-32".
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    }
}
