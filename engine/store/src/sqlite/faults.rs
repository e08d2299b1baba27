//! From SQLite's result codes to [`StoreError`], so that a message can say what to do next.
//! Codes: <https://www.sqlite.org/rescode.html>.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::StoreError;

/// Where a fault happened; turns SQLite's errors into ours.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) busy_timeout: Duration,
}

impl Place {
    /// The fault behind `error`, met while `doing` something.
    pub(crate) fn fault(&self, doing: &'static str, error: rusqlite::Error) -> StoreError {
        let path = self.path.clone();
        let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
        let Some(code) = error.sqlite_error_code() else {
            return StoreError::Backend { doing, source: Box::new(error) };
        };
        let source = Box::new(error);
        match code {
            ErrorCode::DiskFull => StoreError::Full { path, source },
            ErrorCode::ReadOnly if extended == ffi::SQLITE_READONLY_DBMOVED => {
                StoreError::Moved { path, source }
            }
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { path, source },
            ErrorCode::CannotOpen => self.why_it_cannot_open(*source),
            ErrorCode::DatabaseCorrupt => StoreError::Corrupt { path, source },
            ErrorCode::NotADatabase => {
                StoreError::NotAStore { path, found: "not an SQLite database".to_owned() }
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                let waited_ms = u64::try_from(self.busy_timeout.as_millis()).unwrap_or(u64::MAX);
                StoreError::Busy { path, waited_ms, source }
            }
            ErrorCode::SystemIoFailure => StoreError::Io { path, source },
            _ => StoreError::Backend { doing, source },
        }
    }

    /// The fault of a stored record that cannot be understood.
    pub(crate) fn corrupt(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError::Corrupt { path: self.path.clone(), source: cause.into() }
    }

    /// SQLite says only that it cannot open a file; the file system knows why. The store's own file is never opened
    /// here: closing any descriptor of it would drop the locks that other connections of this process hold on it
    /// (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
    fn why_it_cannot_open(&self, error: rusqlite::Error) -> StoreError {
        let path = self.path.clone();
        let folder = self.path.parent().unwrap_or(Path::new("."));
        if self.path.is_dir() {
            return StoreError::NotAStore { path, found: "a folder".to_owned() };
        }
        if !folder.is_dir() {
            return StoreError::NotFound { path };
        }
        match (probe(folder), self.path.exists()) {
            (Err(cause), _) if cause.kind() == io::ErrorKind::StorageFull => {
                StoreError::Full { path, source: Box::new(cause) }
            }
            (Err(cause), _) => StoreError::ReadOnly { path, source: Box::new(cause) },
            (Ok(()), false) => StoreError::NotFound { path },
            (Ok(()), true) => StoreError::ReadOnly { path, source: Box::new(error) },
        }
    }
}

/// Whether a file can be made in `folder`.
fn probe(folder: &Path) -> io::Result<()> {
    let file = folder.join(format!(".write-probe-{}", std::process::id()));
    match fs::File::create_new(&file) {
        // Another thread asks the same at this moment, and could.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|_| fs::remove_file(&file)),
    }
}
