//! What the world does to a store: full disks, read-only folders, damage, foreign and newer files, locks.
//! Each has its own error variant, its message names the file, and what was acknowledged before is still there.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;
use store::{Expected, Log, NewRecord, SqliteOptions, SqliteStore, StoreError};

const FILE: &str = "STORE_TEST_FILE";
/// The user and group `nobody` on Linux.
const NOBODY: u32 = 65_534;

fn record(bytes: usize) -> NewRecord {
    NewRecord { kind: "note".to_owned(), time_ms: 0, data: json!("x".repeat(bytes)) }
}

/// Appends until the first error; answers the newest acknowledged record and the error.
fn append_until_refused(store: &SqliteStore) -> (u64, StoreError) {
    let mut acknowledged = 0;
    for _ in 0..100_000 {
        match store.append("run", Expected::Exact(acknowledged), &[record(3_000), record(10)]) {
            Ok(last) => acknowledged = last,
            Err(error) => return (acknowledged, error),
        }
    }
    panic!("nothing refused an append");
}

/// The variant's name, `ReadOnly` say.
fn variant(error: &StoreError) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn refused(path: &Path) -> StoreError {
    let Err(error) = SqliteStore::open(path) else { panic!("{} was opened", path.display()) };
    assert!(error.to_string().contains(&*path.to_string_lossy()), "the message names the file: {error}");
    error
}

fn runs_as_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The child's part: open the file, append until an error, tell how far it got and why it stopped.
#[test]
#[ignore = "the body of the child processes that the other tests start"]
fn child() {
    let Ok(file) = env::var(FILE) else { return };
    match SqliteStore::open(Path::new(&file)) {
        Ok(store) => {
            let (acknowledged, error) = append_until_refused(&store);
            println!("\nrefused {acknowledged} {}", variant(&error));
        }
        Err(error) => println!("\nrefused 0 {}", variant(&error)),
    }
}

fn child_arguments() -> [&'static str; 5] {
    ["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]
}

/// What the child told: the newest acknowledged record, and the error's variant.
fn told(output: &Output) -> (u64, String) {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("refused "));
    let Some((acknowledged, variant)) = line.and_then(|line| line.split_once(' ')) else {
        panic!("the child told nothing: {text}{}", String::from_utf8_lossy(&output.stderr))
    };
    (acknowledged.parse().unwrap_or_default(), variant.to_owned())
}

#[test]
fn size_limit_refuses_and_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    let options = SqliteOptions { max_bytes: Some(256 * 1024), ..SqliteOptions::default() };
    let store = SqliteStore::open_with(&path, &options).unwrap();
    let (acknowledged, error) = append_until_refused(&store);
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(acknowledged > 20, "{acknowledged}");
    assert_eq!(store.last_seq("run").unwrap(), acknowledged, "a refused append leaves nothing");
    let new = store.append("new", Expected::NoStream, &[record(300_000)]);
    assert!(matches!(new, Err(StoreError::Full { .. })), "{new:?}");
    assert_eq!(store.streams().unwrap().len(), 1, "a refused append makes no stream");
    let blob = store.put_blob("run", "key", &[0; 300_000]);
    assert!(matches!(blob, Err(StoreError::Full { .. })), "{blob:?}");
    assert_eq!(store.append("new", Expected::NoStream, &[record(1)]).unwrap(), 1, "a smaller one fits");
    store.verify().unwrap();
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.last_seq("run").unwrap(), acknowledged);
    store.append("run", Expected::Exact(acknowledged), &[record(3_000)]).unwrap();
    store.verify().unwrap();
}

/// A small file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Result<Self, String> {
        let output =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder).output();
        match output {
            Ok(output) if output.status.success() => Ok(Self(folder.to_owned())),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn make_read_only(&self) -> bool {
        let status = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nothing to be done if it fails: the mount goes with the machine.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn full_disk_refuses_and_recovers_when_space_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let disk = match SmallDisk::mount(folder.path()) {
        Ok(disk) => disk,
        Err(reason) => return println!("skipped: no file system can be mounted here ({reason})"),
    };
    let path = folder.path().join("log.sqlite");
    let ballast = folder.path().join("ballast");
    fs::write(&ballast, vec![0; 300_000]).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let (acknowledged, error) = append_until_refused(&store);
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert_eq!(store.last_seq("run").unwrap(), acknowledged);
    let other = folder.path().join("other.sqlite");
    let opened = SqliteStore::open(&other);
    assert!(matches!(opened, Err(StoreError::Full { .. } | StoreError::Io { .. })), "{:?}", opened.err());
    drop(opened);

    fs::remove_file(&ballast).unwrap();
    let last = store.append("run", Expected::Exact(acknowledged), &[record(3_000)]).unwrap();
    assert_eq!(last, acknowledged + 1);
    store.verify().unwrap();
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.last_seq("run").unwrap(), last);
    drop(store);

    assert!(disk.make_read_only());
    assert!(matches!(refused(&path), StoreError::ReadOnly { .. }), "{:?}", refused(&path));
    assert!(matches!(refused(&folder.path().join("new.sqlite")), StoreError::ReadOnly { .. }));
}

#[test]
fn file_size_limit_refuses_and_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    // 600 blocks of 512 bytes in a POSIX shell, of 1024 in some; either is soon reached. The signal that comes with
    // the limit is ignored, so that the write fails instead.
    let output = Command::new("sh")
        .args(["-c", "ulimit -f 600; trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(child_arguments())
        .env(FILE, &path)
        .output()
        .unwrap();
    let (acknowledged, variant) = told(&output);
    assert!(["Io", "Full"].contains(&variant.as_str()), "{variant}");
    assert!(acknowledged > 20, "{acknowledged}");
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.last_seq("run").unwrap(), acknowledged);
    store.verify().unwrap();
    store.append("run", Expected::Exact(acknowledged), &[record(1)]).unwrap();
}

/// What a process without root's rights meets when it opens `path`.
fn refused_as_ordinary_user(binary: &Path, path: &Path) -> String {
    let mut command = Command::new(binary);
    command.args(child_arguments()).env(FILE, path);
    if runs_as_root() {
        // Root may write anywhere, so the question is asked as somebody else.
        command.uid(NOBODY).gid(NOBODY);
    }
    command.output().map_or_else(|error| error.to_string(), |output| told(&output).1)
}

#[test]
fn read_only_folder_and_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // The build's own folder may be closed to another user.
    let binary = folder.path().join("test-binary");
    fs::copy(env::current_exe().unwrap(), &binary).unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let path = closed.join("log.sqlite");
    drop(SqliteStore::open(&path).unwrap());

    // A file that may be written in a folder that may not: there is no place for the write-ahead log.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    assert_eq!(refused_as_ordinary_user(&binary, &path), "ReadOnly");
    assert_eq!(refused_as_ordinary_user(&binary, &closed.join("new.sqlite")), "ReadOnly");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    assert_eq!(refused_as_ordinary_user(&binary, &path), "ReadOnly");
    // A file that may not be written in a folder that may.
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(refused_as_ordinary_user(&binary, &path), "ReadOnly");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    assert_eq!(refused_as_ordinary_user(&binary, &path), "ReadOnly");
}

#[test]
fn missing_and_impossible_paths_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(refused(&folder.path().join("no/log.sqlite")), StoreError::NotFound { .. }));
    assert!(matches!(refused(folder.path()), StoreError::NotAStore { .. }));
    let path = folder.path().join("log.sqlite");
    let options = SqliteOptions { create: false, ..SqliteOptions::default() };
    let opened = SqliteStore::open_with(&path, &options).err();
    assert!(matches!(opened, Some(StoreError::NotFound { .. })), "{opened:?}");
    assert!(!path.exists(), "a refused open makes no file");
    drop(SqliteStore::open(&path).unwrap());
    SqliteStore::open_with(&path, &options).unwrap();
}

#[test]
fn file_of_another_kind_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "these are notes\n".repeat(1_000)).unwrap();
    let database = folder.path().join("browser.sqlite");
    let foreign = rusqlite::Connection::open(&database).unwrap();
    foreign.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(foreign);
    for path in [text, database] {
        let before = fs::read(&path).unwrap();
        assert!(matches!(refused(&path), StoreError::NotAStore { .. }));
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no companion file is left behind");
}

#[test]
fn newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    store.append("run", Expected::Any, &[record(1)]).unwrap();
    drop(store);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute("UPDATE schema_version SET version = 1000", []).unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::NewerSchema { found: 1000, .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// A store of some size, closed, so that all of it is in the one file.
fn written(path: &Path) -> Result<(), StoreError> {
    let store = SqliteStore::open(path)?;
    for _ in 0..200 {
        store.append("run", Expected::Any, &[record(2_000)])?;
    }
    Ok(())
}

#[test]
fn damage_is_told_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    written(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let damages: [(&str, Vec<u8>); 4] = [
        ("cut in the middle", whole[..whole.len() / 2 - 1_000].to_vec()),
        ("pages overwritten", {
            let mut bytes = whole.clone();
            bytes[8_192..60_000].fill(0xa5);
            bytes
        }),
        ("first page overwritten behind its header", {
            let mut bytes = whole.clone();
            bytes[100..4_096].fill(0xa5);
            bytes
        }),
        ("a record's text overwritten", {
            let mut bytes = whole.clone();
            let text = bytes.windows(4).rposition(|window| window == b"\"xxx").unwrap();
            bytes[text] = b'?';
            bytes
        }),
    ];
    for (what, bytes) in damages {
        fs::write(&path, bytes).unwrap();
        let outcome = SqliteStore::open(&path).and_then(|store| {
            let mut after = 0;
            while let Some(record) = store.read("run", after, 50)?.last() {
                after = record.seq;
            }
            store.verify()
        });
        assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "{what}: {outcome:?}");
    }
    fs::write(&path, whole).unwrap();
    SqliteStore::open(&path).unwrap().verify().unwrap();
}

#[test]
fn missing_record_is_found_by_verify() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    written(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("DELETE FROM records WHERE position = (1 << 40) + 77", []).unwrap();
    drop(other);
    let error = SqliteStore::open(&path).unwrap().verify().unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[test]
fn locked_file_is_refused_after_the_timeout_then_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    let options = SqliteOptions { busy_timeout: Duration::from_millis(20), ..SqliteOptions::default() };
    let store = SqliteStore::open_with(&path, &options).unwrap();
    store.append("run", Expected::NoStream, &[record(1)]).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.append("run", Expected::Exact(1), &[record(1)]);
    assert!(matches!(refused, Err(StoreError::Busy { waited_ms: 20, .. })), "{refused:?}");
    assert_eq!(store.read("run", 0, 10).unwrap().len(), 1, "a reader does not wait for a writer");
    drop(SqliteStore::open_with(&path, &options).unwrap());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.append("run", Expected::Exact(1), &[record(1)]).unwrap(), 2);
}
