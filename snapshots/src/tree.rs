//! Trees as directories: look a file up, list them all, edit a few without touching the others, compare two. Equal
//! parts are recognised by name and never read, so that the cost follows the change and not the size of the target.

use crate::error::SnapshotsError;
use crate::object::{EntryKind, FileKind, ObjectId, TreeEntry, write_tree};
use crate::paths;
use crate::repository::{ObjectKind, Repository};
use std::collections::BTreeMap;

/// A file somewhere in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) kind: FileKind,
    pub(crate) id: ObjectId,
}

/// What becomes of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    /// It becomes exactly this file.
    Put(File),
    /// Its content becomes this; it keeps its kind, and a new file is a plain one. A link is refused.
    Content(ObjectId),
    /// It goes. A file that is not there is refused.
    Remove,
}

/// Edits of several paths, whole paths with `/` between parts.
pub(crate) type Edits = BTreeMap<Vec<u8>, Edit>;

/// The tree with the edits made; `None` when no file is left.
pub(crate) fn edit(
    repository: &mut Repository,
    tree: Option<ObjectId>,
    edits: &Edits,
) -> Result<Option<ObjectId>, SnapshotsError> {
    let mut list = Vec::with_capacity(edits.len());
    for (path, edit) in edits {
        list.push((paths::parts(path)?, *edit));
    }
    // Byte order of whole paths is not the order of their parts: `a-b` stands before `a/c`.
    list.sort_by(|a, b| a.0.cmp(&b.0));
    edit_level(repository, tree, &list, 0)
}

fn edit_level(
    repository: &mut Repository,
    tree: Option<ObjectId>,
    edits: &[(Vec<&[u8]>, Edit)],
    depth: usize,
) -> Result<Option<ObjectId>, SnapshotsError> {
    let mut entries = match tree {
        Some(tree) => repository.tree(tree)?,
        None => Vec::new(),
    };
    for group in edits.chunk_by(|a, b| a.0[depth] == b.0[depth]) {
        let name = group[0].0[depth];
        let position = entries.iter().position(|entry| entry.name == name);
        let before = position.map(|position| entries.swap_remove(position));
        if let Some((kind, id)) = edit_entry(repository, before.as_ref(), group, depth)? {
            entries.push(TreeEntry { name: name.to_vec(), kind, id });
        }
    }
    if entries.is_empty() {
        return Ok(None);
    }
    repository.write(ObjectKind::Tree, write_tree(&mut entries)).map(Some)
}

/// What becomes of one entry of a tree when all edits in `group` pass through its name.
fn edit_entry(
    repository: &mut Repository,
    before: Option<&TreeEntry>,
    group: &[(Vec<&[u8]>, Edit)],
    depth: usize,
) -> Result<Option<(EntryKind, ObjectId)>, SnapshotsError> {
    let refuse = |reason| SnapshotsError::Patch {
        path: String::from_utf8_lossy(&group[0].0[..=depth].join(&b'/')).into_owned(),
        reason,
    };
    // An edit of the name itself sorts before those below it.
    let (exact, below) = match group {
        [(path, edit), below @ ..] if path.len() == depth + 1 => (Some(edit), below),
        below => (None, below),
    };
    let (mut file, directory) = match before.map(|entry| (entry.kind, entry.id)) {
        Some((EntryKind::File(kind), id)) => (Some(File { kind, id }), None),
        Some((EntryKind::Directory, id)) => (None, Some(id)),
        None => (None, None),
    };
    match exact {
        Some(Edit::Put(put)) => file = Some(*put),
        Some(Edit::Content(id)) => {
            let kind = file.map_or(FileKind::File, |file| file.kind);
            if kind == FileKind::Link {
                return Err(refuse("it is a symbolic link"));
            }
            file = Some(File { kind, id: *id });
        }
        Some(Edit::Remove) => {
            file.take().ok_or_else(|| refuse("there is no such file to remove"))?;
        }
        None => {}
    }
    let directory =
        if below.is_empty() { directory } else { edit_level(repository, directory, below, depth + 1)? };
    match (file, directory) {
        (Some(_), Some(_)) => Err(refuse("it would be a file and a folder at once")),
        (Some(file), None) => Ok(Some((EntryKind::File(file.kind), file.id))),
        (None, Some(id)) => Ok(Some((EntryKind::Directory, id))),
        (None, None) => Ok(None),
    }
}

/// The file at `path`, if there is one.
pub(crate) fn find(
    repository: &Repository,
    tree: ObjectId,
    path: &[u8],
) -> Result<Option<File>, SnapshotsError> {
    let mut at = (EntryKind::Directory, tree);
    for part in paths::parts(path)? {
        let (EntryKind::Directory, id) = at else { return Ok(None) };
        match repository.tree(id)?.into_iter().find(|entry| entry.name == part) {
            Some(entry) => at = (entry.kind, entry.id),
            None => return Ok(None),
        }
    }
    match at {
        (EntryKind::File(kind), id) => Ok(Some(File { kind, id })),
        (EntryKind::Directory, _) => Ok(None),
    }
}

/// Every file of a tree by its path.
pub(crate) fn list(
    repository: &Repository,
    tree: ObjectId,
) -> Result<BTreeMap<Vec<u8>, File>, SnapshotsError> {
    let mut files = BTreeMap::new();
    collect(repository, &[], tree, &mut files)?;
    Ok(files)
}

fn collect(
    repository: &Repository,
    folder: &[u8],
    tree: ObjectId,
    files: &mut BTreeMap<Vec<u8>, File>,
) -> Result<(), SnapshotsError> {
    for entry in repository.tree(tree)? {
        let path = join(folder, &entry.name);
        match entry.kind {
            EntryKind::File(kind) => {
                files.insert(path, File { kind, id: entry.id });
            }
            EntryKind::Directory => collect(repository, &path, entry.id, files)?,
        }
    }
    Ok(())
}

/// `folder` and `name` as one path.
pub(crate) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

/// A path whose file differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) path: Vec<u8>,
    pub(crate) old: Option<File>,
    pub(crate) new: Option<File>,
}

/// What differs between two trees, in the order of the paths.
pub(crate) fn compare(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
) -> Result<Vec<Difference>, SnapshotsError> {
    let mut found = Vec::new();
    compare_level(repository, &[], (Some(old), Some(new)), &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn compare_level(
    repository: &Repository,
    folder: &[u8],
    (old, new): (Option<ObjectId>, Option<ObjectId>),
    found: &mut Vec<Difference>,
) -> Result<(), SnapshotsError> {
    if old == new {
        return Ok(());
    }
    let read = |tree: Option<ObjectId>| tree.map_or(Ok(Vec::new()), |tree| repository.tree(tree));
    let (old, new) = (read(old)?, read(new)?);
    let mut names: BTreeMap<&[u8], (Option<&TreeEntry>, Option<&TreeEntry>)> = BTreeMap::new();
    for entry in &old {
        names.entry(&entry.name).or_default().0 = Some(entry);
    }
    for entry in &new {
        names.entry(&entry.name).or_default().1 = Some(entry);
    }
    for (name, (old, new)) in names {
        let path = join(folder, name);
        compare_level(repository, &path, (directory(old), directory(new)), found)?;
        let (old, new) = (file(old), file(new));
        if old != new {
            found.push(Difference { path, old, new });
        }
    }
    Ok(())
}

fn directory(entry: Option<&TreeEntry>) -> Option<ObjectId> {
    entry.filter(|entry| entry.kind == EntryKind::Directory).map(|entry| entry.id)
}

fn file(entry: Option<&TreeEntry>) -> Option<File> {
    match entry?.kind {
        EntryKind::File(kind) => Some(File { kind, id: entry?.id }),
        EntryKind::Directory => None,
    }
}
