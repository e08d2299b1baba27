//! Writable places of a fenced cell: plain folders of the host, made before the candidate runs, watched while it does
//! because no file system limits them, and emptied afterwards whatever was left in them.
//!
//! A candidate can leave trees deeper than a path or a process's open files can reach, so nothing here builds a path
//! or holds a folder open for each step down.

use super::LimitKind;
use super::mounts::failed;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Uid, chownat, fstat, openat, statat, unlinkat,
};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Deepest nesting of folders that a fenced candidate may make.
const MAX_DEPTH: usize = 128;
/// Entries removed from one place before it is left as it is.
const MAX_REMOVALS: usize = 4_000_000;

/// The writable places of one job, made for it.
pub(super) struct Places {
    paths: Vec<PathBuf>,
    /// Those of them that did not exist before.
    made: Vec<PathBuf>,
}

impl Places {
    /// Makes the places, and gives them to `owner` if that is another user.
    pub(super) fn make(paths: &[PathBuf], owner: Option<u32>) -> Result<Self, String> {
        let mut places = Self { paths: Vec::new(), made: Vec::new() };
        for path in paths {
            if path.exists() {
                let occupied = std::fs::read_dir(path)
                    .map_err(failed(format!("look into the writable folder {}", path.display())))?
                    .next()
                    .is_some();
                if occupied {
                    // Emptying it afterwards would destroy what is somebody else's.
                    return Err(format!("the writable folder {} is not empty", path.display()));
                }
            } else {
                std::fs::create_dir_all(path)
                    .map_err(failed(format!("make the folder {}", path.display())))?;
                places.made.push(path.clone());
            }
            places.paths.push(path.clone());
            if let Some(owner) = owner {
                let (user, group) = (Uid::from_raw(owner), Gid::from_raw(owner));
                chownat(CWD, path, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(failed(format!("hand the folder {} over", path.display())))?;
            }
        }
        Ok(places)
    }

    /// Which limit the places are over together, if any.
    pub(super) fn over(&self, disk: u64, files: u64) -> Option<LimitKind> {
        let mut count = Count::default();
        for path in &self.paths {
            let Ok(folder) = open_folder(CWD, path) else { continue };
            let over = count.add(&folder, 0, disk, files);
            if over.is_some() {
                return over;
            }
        }
        None
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        for path in &self.paths {
            if let Ok(folder) = open_folder(CWD, path) {
                empty(folder);
            }
        }
        for path in &self.made {
            let _ = std::fs::remove_dir(path);
        }
    }
}

fn open_folder<P: rustix::path::Arg>(at: impl std::os::fd::AsFd, name: P) -> rustix::io::Result<OwnedFd> {
    openat(at, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// What has been counted.
#[derive(Default)]
struct Count {
    bytes: u64,
    files: u64,
}

impl Count {
    fn add(&mut self, folder: &OwnedFd, depth: usize, disk: u64, files: u64) -> Option<LimitKind> {
        if depth > MAX_DEPTH {
            return Some(LimitKind::Files);
        }
        for entry in Dir::read_from(folder).ok()?.flatten() {
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            let Ok(facts) = statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
            self.files += 1;
            // Blocks are of 512 bytes whatever the file system, see stat(2).
            self.bytes += u64::try_from(facts.st_blocks).unwrap_or(0) * 512;
            if self.files > files {
                return Some(LimitKind::Files);
            }
            if self.bytes > disk {
                return Some(LimitKind::Disk);
            }
            if FileType::from_raw_mode(facts.st_mode) == FileType::Directory {
                let Ok(below) = open_folder(folder, entry.file_name()) else { continue };
                let over = self.add(&below, depth + 1, disk, files);
                if over.is_some() {
                    return over;
                }
            }
        }
        None
    }
}

/// Removes everything in a folder, walking down into what is not empty and up again by `..`, with one folder open at a
/// time. Nobody is left to move folders meanwhile: the cell's processes are dead.
fn empty(top: OwnedFd) {
    let Ok(start) = fstat(&top) else { return };
    let is_top = |folder: &OwnedFd| {
        fstat(folder).is_ok_and(|facts| (facts.st_dev, facts.st_ino) == (start.st_dev, start.st_ino))
    };
    let mut folder = top;
    for _ in 0..MAX_REMOVALS {
        match remove_some(&folder) {
            Left::Folder(name) => {
                let _ = rustix::fs::chmodat(&folder, &name, Mode::RWXU, AtFlags::empty());
                match open_folder(&folder, &name) {
                    Ok(below) => folder = below,
                    Err(_) => return,
                }
            }
            Left::Nothing if is_top(&folder) => return,
            Left::Nothing => match open_folder(&folder, c"..") {
                Ok(above) => folder = above,
                Err(_) => return,
            },
            Left::Stuck => return,
        }
    }
}

/// What removing left over.
enum Left {
    Nothing,
    /// A folder that is not empty.
    Folder(CString),
    /// Something that cannot be removed.
    Stuck,
}

/// Removes what can be removed at once, up to the first folder that is not empty.
fn remove_some(folder: &OwnedFd) -> Left {
    let Ok(entries) = Dir::read_from(folder) else { return Left::Stuck };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        match unlinkat(folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => continue,
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(_) => return Left::Stuck,
        }
        match unlinkat(folder, name, AtFlags::REMOVEDIR) {
            Ok(()) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => return Left::Folder(name.to_owned()),
            Err(_) => return Left::Stuck,
        }
    }
    Left::Nothing
}

/// Whether everybody may pass through the folders above a path.
pub(super) fn reachable_to_all(path: &Path) -> bool {
    path.ancestors().skip(1).filter(|folder| folder.exists()).all(|folder| allows_all(folder, 0o001))
}

/// Whether everybody who gets to a path may read it; what is not there is no obstacle.
pub(super) fn readable_to_all(path: &Path) -> bool {
    !path.exists() || allows_all(path, if path.is_dir() { 0o005 } else { 0o004 })
}

fn allows_all(path: &Path, wanted: u32) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & wanted == wanted)
}

#[cfg(test)]
mod tests {
    use super::{LimitKind, Places};
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

    fn nest(path: &std::path::Path, depth: usize) {
        let mut folder = openat(CWD, path, OFlags::DIRECTORY, Mode::empty()).expect("a folder");
        for _ in 0..depth {
            mkdirat(&folder, c"deeper", Mode::RWXU).expect("room for a folder");
            folder = openat(&folder, c"deeper", OFlags::DIRECTORY, Mode::empty()).expect("the folder");
        }
        mkdirat(&folder, c"\xff\xfe not unicode", Mode::empty()).expect("room for a folder");
    }

    #[test]
    fn a_tree_deeper_than_any_path_is_counted_and_removed() {
        let top = tempfile::tempdir().expect("a folder");
        let place = top.path().join("place");
        let places = Places::make(std::slice::from_ref(&place), None).expect("places");
        nest(&place, 3000);
        std::fs::write(place.join("file"), "x").expect("a file");
        assert_eq!(places.over(u64::MAX, u64::MAX), Some(LimitKind::Files));
        drop(places);
        assert!(!place.exists(), "what was made for the job is gone with it");
    }

    #[test]
    fn limits_are_on_bytes_and_on_entries() {
        let top = tempfile::tempdir().expect("a folder");
        let places = Places::make(&[top.path().join("a"), top.path().join("b")], None).expect("places");
        assert_eq!(places.over(0, 0), None);
        std::fs::write(top.path().join("a/file"), vec![1; 20_000]).expect("a file");
        std::fs::create_dir(top.path().join("b/folder")).expect("a folder");
        assert_eq!(places.over(1 << 20, 2), None);
        assert_eq!(places.over(1 << 20, 1), Some(LimitKind::Files));
        assert_eq!(places.over(10_000, 100), Some(LimitKind::Disk));
    }

    #[test]
    fn somebody_elses_files_are_not_taken_for_a_place() {
        let top = tempfile::tempdir().expect("a folder");
        std::fs::write(top.path().join("precious"), "x").expect("a file");
        assert!(Places::make(&[top.path().to_owned()], None).is_err());
        assert!(top.path().join("precious").exists());
    }
}
