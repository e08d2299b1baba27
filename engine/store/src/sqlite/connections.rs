//! Opening the file: settings, checks before the first write, migrations, and a small pool of reading connections.
//! Not here: records and leases.

use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::faults::Place;
use super::statements::{
    APPLICATION_ID, BEGIN_WRITE, COMMIT, COUNT_TABLES, MIGRATIONS, NEWEST_SCHEMA, ROLLBACK, SCHEMA_VERSION,
    SET_SCHEMA_VERSION,
};
use crate::StoreError;
use crate::subscription::lock;

/// Reading connections kept open between reads.
const MAX_IDLE_READERS: usize = 4;
/// Prepared statements kept by a connection; more than there are.
const STATEMENT_CACHE: usize = 32;
/// Page cache of a connection, in KiB. A log is appended to and read in order, so a large cache would hold nothing
/// that is asked for again.
const PAGE_CACHE_KIB: i32 = 256;
/// The write-ahead log file is cut back to this size after a checkpoint, in bytes.
const WAL_SIZE_LIMIT_BYTES: i64 = 8 * 1024 * 1024;
/// Attempts at switching the file to a write-ahead log while another process opens it too: the switch upgrades a read
/// transaction, and for an upgrade SQLite does not call the busy handler.
const WAL_ATTEMPTS: u32 = 200;
/// Pause between two of these attempts.
const WAL_PAUSE: Duration = Duration::from_millis(5);
/// Page size of a new file, in bytes; SQLite's default, needed to turn a size limit into pages.
const PAGE_BYTES: u64 = 4096;

/// How soon a committed append is safe from what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Safe from a crash or `kill -9` of any process at once; a power cut may lose the newest appends (never the
    /// order or the whole).
    #[default]
    Normal,
    /// Safe from a power cut too: one `fsync` an append.
    Full,
}

/// How to open a store's file.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// What an acknowledged append survives.
    pub synchronous: Synchronous,
    /// How long a write waits for another process's write.
    pub busy_timeout: Duration,
    /// Whether to create the file when there is none. A command that only reads wants `false`.
    pub create: bool,
    /// Largest size of the file in bytes (rounded down to pages of 4 KiB), beyond which an append is refused as
    /// [`StoreError::Full`]; `None` for no limit but the disk's.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Normal,
            busy_timeout: Duration::from_secs(5),
            create: true,
            max_bytes: None,
        }
    }
}

/// One writing connection and a few for reading, all on one file.
pub(crate) struct Connections {
    pub(crate) place: Place,
    options: SqliteOptions,
    pub(crate) writer: Mutex<Connection>,
    idle_readers: Mutex<Vec<Connection>>,
}

impl Connections {
    /// Opens the file, checks that it is a store that this program knows, and brings its schema up to date.
    pub(crate) fn open(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        // An absolute path keeps meaning the same file, and is never taken for a `file:` URI.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let place = Place { path, busy_timeout: options.busy_timeout };
        let writer = connect(&place, options)?;
        let version = first_check(&place, &writer)?;
        use_write_ahead_log(&place, &writer)?;
        if version < NEWEST_SCHEMA {
            migrate(&place, &writer)?;
        }
        Ok(Self {
            place,
            options: options.clone(),
            writer: Mutex::new(writer),
            idle_readers: Mutex::default(),
        })
    }

    /// Runs `body` on a connection of its own, so that readers wait for nobody.
    pub(crate) fn reading<T>(
        &self,
        body: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = lock(&self.idle_readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.place, &SqliteOptions { create: false, ..self.options.clone() })?,
        };
        let answer = body(&connection);
        let mut idle = lock(&self.idle_readers);
        if idle.len() < MAX_IDLE_READERS {
            idle.push(connection);
        }
        answer
    }

    /// Runs `body` in one write transaction: all of it is committed, or nothing.
    pub(crate) fn writing<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let writer = lock(&self.writer);
        in_transaction(&self.place, &writer, body)
    }
}

fn in_transaction<T, E: From<StoreError>>(
    place: &Place,
    connection: &Connection,
    body: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    // A panic in an earlier body leaves its transaction open.
    roll_back(place, connection)?;
    run(connection, BEGIN_WRITE).map_err(|error| place.fault("begin a transaction", error))?;
    let answer = body(connection).and_then(|answer| {
        run(connection, COMMIT).map_err(|error| place.fault("commit", error))?;
        Ok(answer)
    });
    if answer.is_err() {
        roll_back(place, connection)?;
    }
    answer
}

fn roll_back(place: &Place, connection: &Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() {
        return Ok(());
    }
    run(connection, ROLLBACK).map_err(|error| place.fault("roll back", error))
}

fn run(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn connect(place: &Place, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, options.create);
    let fault = |error| place.fault("open the file", error);
    let connection = Connection::open_with_flags(&place.path, flags).map_err(fault)?;
    connection.busy_timeout(options.busy_timeout).map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    let synchronous = match options.synchronous {
        Synchronous::Normal => "NORMAL",
        Synchronous::Full => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous).map_err(fault)?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB).map_err(fault)?;
    connection
        .pragma_update_and_check(None, "journal_size_limit", WAL_SIZE_LIMIT_BYTES, |_| Ok(()))
        .map_err(fault)?;
    if let Some(bytes) = options.max_bytes {
        let pages = i64::try_from(bytes / PAGE_BYTES).unwrap_or(i64::MAX).max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(fault)?;
    }
    Ok(connection)
}

/// Checks the file before anything is written to it; answers its schema version.
fn first_check(place: &Place, connection: &Connection) -> Result<u32, StoreError> {
    // One read transaction, or another process that creates the schema meanwhile would be seen half done.
    let snapshot =
        connection.unchecked_transaction().map_err(|error| place.fault("read the schema version", error))?;
    checked_version(place, &snapshot)
}

/// The file's schema version, 0 for an empty file. Reads more than once, so a transaction must be open.
fn checked_version(place: &Place, connection: &Connection) -> Result<u32, StoreError> {
    let fault = |error| place.fault("read the schema version", error);
    let owner: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(fault)?;
    if owner != APPLICATION_ID {
        let tables: i64 = connection.query_row(COUNT_TABLES, [], |row| row.get(0)).map_err(fault)?;
        if owner == 0 && tables == 0 {
            return Ok(0);
        }
        let found = format!("an SQLite database of application {owner:#x} with {tables} tables");
        return Err(StoreError::NotAStore { path: place.path.clone(), found });
    }
    let version: u32 = connection.query_row(SCHEMA_VERSION, [], |row| row.get(0)).map_err(fault)?;
    if version > NEWEST_SCHEMA {
        let path = place.path.clone();
        return Err(StoreError::NewerSchema { path, found: version, supported: NEWEST_SCHEMA });
    }
    Ok(version)
}

fn use_write_ahead_log(place: &Place, connection: &Connection) -> Result<(), StoreError> {
    let mut attempt = 1;
    loop {
        let mode: rusqlite::Result<String> =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match mode {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(_) => return Err(StoreError::NoWriteAheadLog { path: place.path.clone() }),
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && attempt < WAL_ATTEMPTS =>
            {
                attempt += 1;
                thread::sleep(WAL_PAUSE);
            }
            Err(error) => return Err(place.fault("turn on the write-ahead log", error)),
        }
    }
}

/// Applies the migrations that the file has not seen, in one transaction.
fn migrate(place: &Place, connection: &Connection) -> Result<(), StoreError> {
    in_transaction(place, connection, |connection| {
        // Another process may have migrated between the check and this transaction.
        let seen = checked_version(place, connection)?;
        let fault = |error| place.fault("migrate the schema", error);
        for migration in MIGRATIONS.iter().skip(seen as usize) {
            connection.execute_batch(migration).map_err(fault)?;
        }
        connection.execute(SET_SCHEMA_VERSION, [NEWEST_SCHEMA]).map_err(fault)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(fault)
    })
}
