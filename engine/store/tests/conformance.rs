//! Both backends pass the one suite.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use store::conformance::{check_leases, check_log};
use store::{MemoryStore, SqliteStore};

/// Answers a new file name each time, all in one temporary folder.
struct Files {
    folder: tempfile::TempDir,
    next: AtomicU32,
}

impl Files {
    fn within(folder: tempfile::TempDir) -> Self {
        Self { folder, next: AtomicU32::new(0) }
    }

    fn next(&self) -> PathBuf {
        self.folder.path().join(format!("{}.sqlite", self.next.fetch_add(1, Ordering::Relaxed)))
    }
}

#[test]
fn memory_log() {
    check_log(|| Box::new(MemoryStore::new()));
}

#[test]
fn memory_leases() {
    check_leases(|| Box::new(MemoryStore::new()));
}

#[test]
fn sqlite_log() {
    let files = Files::within(tempfile::tempdir().unwrap());
    check_log(|| Box::new(SqliteStore::open(&files.next()).unwrap()));
}

#[test]
fn sqlite_leases() {
    let files = Files::within(tempfile::tempdir().unwrap());
    check_leases(|| Box::new(SqliteStore::open(&files.next()).unwrap()));
}
