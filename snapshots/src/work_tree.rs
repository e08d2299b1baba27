//! A folder of plain files that is written to safely: no part of a path is ever followed through a symbolic link, and
//! a file is replaced whole or not at all. Whoever else writes there (a candidate that ran in it, say) cannot lead a
//! write astray.

use crate::error::SnapshotsError;
use crate::object::FileKind;
use crate::paths;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, fchmod, fstat, mkdirat, openat, readlinkat, renameat, statat,
};
use rustix::fs::{symlinkat, unlinkat};
use rustix::io::Errno;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A file while it is written, beside the one that it will replace.
const DRAFT: &str = ".darwind-draft";

/// Whether a file that is replaced hands its rights and owner on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    /// The new file gets what its kind says, less the umask.
    Fresh,
    /// The new file takes over rights and owner of the one before; only "executable" follows its kind.
    Kept,
}

/// An open folder.
pub(crate) struct WorkTree {
    root: OwnedFd,
    path: PathBuf,
}

impl WorkTree {
    pub(crate) fn open(path: &Path) -> Result<Self, SnapshotsError> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root = openat(rustix::fs::CWD, path, flags, Mode::empty())
            .map_err(SnapshotsError::errno("open", path))?;
        Ok(Self { root, path: path.to_path_buf() })
    }

    fn full(&self, path: &[u8]) -> PathBuf {
        self.path.join(OsStr::from_bytes(path))
    }

    /// Opens the folder of `path`; `None` when it does not exist and is not to be made.
    fn folder_of(&self, path: &[u8], make: bool) -> Result<Option<(OwnedFd, CString)>, SnapshotsError> {
        let fail = |errno: Errno| SnapshotsError::errno("enter the folder of", &self.full(path))(errno);
        let mut parts = paths::parts(path)?;
        let name = CString::new(parts.pop().unwrap_or_default()).map_err(|_| fail(Errno::INVAL))?;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let mut folder = self.root.try_clone().map_err(SnapshotsError::io("open", &self.path))?;
        for part in parts {
            let mut next = openat(&folder, part, flags, Mode::empty());
            if next.as_ref().is_err_and(|errno| *errno == Errno::NOENT) {
                if !make {
                    return Ok(None);
                }
                mkdirat(&folder, part, Mode::from_raw_mode(0o777)).map_err(fail)?;
                next = openat(&folder, part, flags, Mode::empty());
            }
            folder = next.map_err(fail)?;
        }
        Ok(Some((folder, name)))
    }

    /// The file at `path`, or `None` when there is nothing. A folder or a special file is an error.
    pub(crate) fn read(&self, path: &[u8]) -> Result<Option<(FileKind, Vec<u8>)>, SnapshotsError> {
        let fail = |errno: Errno| SnapshotsError::errno("read", &self.full(path))(errno);
        let (folder, name) = match self.folder_of(path, false) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            // A file or a link in place of a folder: there is nothing at this path that could be ours.
            Err(SnapshotsError::Io { source, .. }) if is_no_folder(&source) => return Ok(None),
            Err(error) => return Err(error),
        };
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::RDONLY | OFlags::CLOEXEC;
        match openat(&folder, &name, flags, Mode::empty()) {
            Ok(file) => {
                let stat = fstat(&file).map_err(fail)?;
                if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                    return Err(fail(Errno::ISDIR));
                }
                let kind = if stat.st_mode & 0o100 == 0 { FileKind::File } else { FileKind::Executable };
                let mut content = Vec::new();
                let full = self.full(path);
                File::from(file).read_to_end(&mut content).map_err(SnapshotsError::io("read", &full))?;
                Ok(Some((kind, content)))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP) => {
                let target = readlinkat(&folder, &name, Vec::new()).map_err(fail)?;
                Ok(Some((FileKind::Link, target.into_bytes())))
            }
            Err(errno) => Err(fail(errno)),
        }
    }

    /// Puts a file at `path`, in place of whatever file or link is there; folders on the way are made.
    pub(crate) fn write(
        &self,
        path: &[u8],
        kind: FileKind,
        content: &[u8],
        rights: Rights,
    ) -> Result<(), SnapshotsError> {
        let fail = |errno: Errno| SnapshotsError::errno("write", &self.full(path))(errno);
        let Some((folder, name)) = self.folder_of(path, true)? else { return Err(fail(Errno::NOENT)) };
        // A draft that is there already was left by a process that was killed.
        match unlinkat(&folder, DRAFT, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(fail(errno)),
        }
        let written = if kind == FileKind::Link {
            CString::new(content)
                .map_err(|_| fail(Errno::INVAL))
                .and_then(|target| symlinkat(&target, &folder, DRAFT).map_err(fail))
        } else {
            self.write_draft(&folder, &name, kind, content, rights)
                .map_err(SnapshotsError::io("write", &self.full(path)))
        };
        let moved = written.and_then(|()| renameat(&folder, DRAFT, &folder, &name).map_err(fail));
        if moved.is_err() {
            let _ = unlinkat(&folder, DRAFT, AtFlags::empty());
        }
        moved
    }

    fn write_draft(
        &self,
        folder: &OwnedFd,
        name: &CString,
        kind: FileKind,
        content: &[u8],
        rights: Rights,
    ) -> std::io::Result<()> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fresh = if kind == FileKind::Executable { 0o777 } else { 0o666 };
        let mut draft = File::from(openat(folder, DRAFT, flags, Mode::from_raw_mode(fresh))?);
        draft.write_all(content)?;
        if rights == Rights::Kept {
            if let Ok(before) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                let plain = before.st_mode & 0o666;
                // Whoever may read it may execute it, as git does.
                let mode = if kind == FileKind::Executable { plain | ((plain & 0o444) >> 2) } else { plain };
                let owner = rustix::fs::Uid::from_raw(before.st_uid);
                let group = rustix::fs::Gid::from_raw(before.st_gid);
                // Only root may give files away; for others the file is theirs already.
                let _ = rustix::fs::fchown(&draft, Some(owner), Some(group));
                fchmod(&draft, Mode::from_raw_mode(mode))?;
            }
            draft.sync_data()?;
        }
        Ok(())
    }

    /// Removes the file at `path`, and the folders that become empty by it. One that is gone already is no error.
    pub(crate) fn remove(&self, path: &[u8]) -> Result<(), SnapshotsError> {
        let Some((folder, name)) = self.folder_of(path, false)? else { return Ok(()) };
        match unlinkat(&folder, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(SnapshotsError::errno("remove", &self.full(path))(errno)),
        }
        let mut path = path;
        while let Some(end) = path.iter().rposition(|&byte| byte == b'/') {
            path = &path[..end];
            let Some((folder, name)) = self.folder_of(path, false)? else { break };
            // The first that is not empty ends it.
            if unlinkat(&folder, &name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn is_no_folder(error: &std::io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOTDIR | Errno::LOOP))
}
