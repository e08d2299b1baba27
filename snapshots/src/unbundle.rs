//! Reads the files of a stranger's bundle: what its HEAD, or its only reference, leads to. The pack goes into a repository
//! of its own in a folder that the caller throws away; nothing of it is checked out or trusted.

use crate::error::SnapshotsError;
use crate::pack;
use crate::paths;
use git2::{ErrorCode, ObjectType, Oid, Repository, Tree};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Largest bundle, in bytes. What its pack may inflate to has limits of its own: see `pack`.
pub const MAX_BUNDLE_BYTES: usize = 1 << 20;
/// Longest head of a bundle, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Most files.
const MAX_FILES: usize = 512;
/// Largest file, in bytes.
const MAX_FILE_BYTES: usize = 1 << 20;
/// Largest sum of all files, in bytes.
const MAX_ALL_BYTES: usize = 8 << 20;
/// What a bundle of version 2 starts with.
const SIGNATURE: &[u8] = b"# v2 git bundle\n";
/// Modes of plain files in a tree; everything else (links, submodules) is passed over.
const PLAIN_MODES: [i32; 2] = [0o100_644, 0o100_755];

/// The plain files of a bundle by path, read with the help of the empty folder `scratch`.
///
/// # Errors
/// [`SnapshotsError::Bundle`] when it is no bundle, needs what it does not hold, or is larger than is read.
pub fn unbundle(bytes: &[u8], scratch: &Path) -> Result<BTreeMap<String, Vec<u8>>, SnapshotsError> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(wrong(format!("it has {} bytes, {MAX_BUNDLE_BYTES} are read", bytes.len())));
    }
    let (tip, pack) = head(bytes)?;
    pack::measure(pack).map_err(wrong)?;
    let repository = Repository::init_bare(scratch).map_err(faulty)?;
    let odb = repository.odb().map_err(faulty)?;
    let mut writer = odb.packwriter().map_err(faulty)?;
    writer.write_all(pack).map_err(|error| wrong(error.to_string()))?;
    writer.commit().map_err(faulty)?;
    let commit =
        repository.find_object(tip, None).and_then(|object| object.peel_to_commit()).map_err(faulty)?;
    let mut files = BTreeMap::new();
    let mut total = 0;
    gather(&repository, &commit.tree().map_err(faulty)?, "", &mut |path, size, read| {
        total += size;
        if size > MAX_FILE_BYTES || total > MAX_ALL_BYTES || files.len() >= MAX_FILES {
            let limits = format!("{MAX_FILES} files of {MAX_FILE_BYTES} bytes, {MAX_ALL_BYTES} in all");
            return Err(wrong(format!("it holds more than is read: {limits}")));
        }
        paths::parts(path.as_bytes())?;
        files.insert(path, read()?);
        Ok(())
    })?;
    Ok(files)
}

/// The commit that a bundle is about, and its pack.
fn head(bytes: &[u8]) -> Result<(Oid, &[u8]), SnapshotsError> {
    let rest = bytes.strip_prefix(SIGNATURE).ok_or_else(|| wrong("it is no git bundle of version 2"))?;
    let window = rest.get(..rest.len().min(MAX_HEAD_BYTES)).unwrap_or_default();
    let end =
        window.windows(2).position(|two| two == b"\n\n").ok_or_else(|| wrong("its head does not end"))?;
    let lines = std::str::from_utf8(&rest[..end]).map_err(|_| wrong("its head is no text"))?;
    let mut tips = Vec::new();
    for line in lines.lines() {
        if line.starts_with('-') {
            return Err(wrong("it needs commits that it does not hold; bundle the whole branch"));
        }
        let (id, name) = line.split_once(' ').ok_or_else(|| wrong("its head cannot be read"))?;
        tips.push((Oid::from_str(id).map_err(faulty)?, name));
    }
    let named = tips.iter().find(|(_, name)| *name == "HEAD").or(tips.first());
    let (tip, _) = named.ok_or_else(|| wrong("it names no reference"))?;
    Ok((*tip, &rest[end + 2..]))
}

type Take<'t> = dyn FnMut(String, usize, &mut dyn FnMut() -> Result<Vec<u8>, SnapshotsError>) -> Result<(), SnapshotsError>
    + 't;

/// Visits the plain files below a tree, no deeper than paths may be.
fn gather(
    repository: &Repository,
    tree: &Tree<'_>,
    above: &str,
    take: &mut Take<'_>,
) -> Result<(), SnapshotsError> {
    let odb = repository.odb().map_err(faulty)?;
    for entry in tree {
        let name = entry.name().map_err(|_| wrong("a path is no text"))?;
        let path = format!("{above}{name}");
        if path.len() > paths::MAX_PATH_BYTES || path.matches('/').count() > paths::MAX_DEPTH {
            return Err(wrong("a path is longer or deeper than is read"));
        }
        match entry.kind() {
            Some(ObjectType::Tree) => {
                let below = repository.find_tree(entry.id()).map_err(faulty)?;
                gather(repository, &below, &format!("{path}/"), take)?;
            }
            Some(ObjectType::Blob) if PLAIN_MODES.contains(&entry.filemode()) => {
                let (size, _) = odb.read_header(entry.id()).map_err(faulty)?;
                let mut read = || Ok(odb.read(entry.id()).map_err(faulty)?.data().to_vec());
                take(path, size, &mut read)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn wrong(detail: impl Into<String>) -> SnapshotsError {
    SnapshotsError::Bundle(detail.into())
}

fn faulty(error: git2::Error) -> SnapshotsError {
    match error.code() {
        ErrorCode::NotFound => wrong("it leads to something that it does not hold"),
        _ => wrong(error.message()),
    }
}
