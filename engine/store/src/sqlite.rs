//! The log and leases in one SQLite file with a write-ahead log, shared by any number of processes.
//! One connection writes, a few read; an append is one transaction. Not here: SQL text (`statements`), opening and
//! migrating (`connections`), what SQLite's error codes mean (`faults`).

mod connections;
mod faults;
mod statements;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OptionalExtension, Row, params};

pub use connections::{SqliteOptions, Synchronous};

use crate::lease::{LeaseRow, check_owned, grant, prolong};
use crate::record::{
    MAX_BLOB_BYTES, MAX_NAME_BYTES, MAX_RECORDS_PER_STREAM, advance, check_name, check_size, encode,
};
use crate::subscription::{Pages, Signals, lock};
use crate::{
    Expected, Lease, LeaseError, Leases, Log, MAX_READ_RECORDS, NewRecord, Record, StoreError, StreamSummary,
    Subscription,
};
use connections::Connections;
use statements as sql;

/// Findings that `verify` asks of SQLite's own check at most.
const MAX_FINDINGS: i64 = 10;

/// A log and leases in one file. Clones share the connections.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    connections: Connections,
    signals: Signals,
    /// Ids of streams that are known to be committed. An id never changes and no stream is ever removed.
    ids: Mutex<HashMap<String, i64>>,
}

impl SqliteStore {
    /// Opens the store in the file `path`, creating it if there is none, with the default options.
    ///
    /// # Errors
    /// As [`SqliteStore::open_with`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// Opens the store in the file `path`. The file gets two companions, `PATH-wal` and `PATH-shm`, while it is open.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::ReadOnly`], [`StoreError::Full`], [`StoreError::NotAStore`],
    /// [`StoreError::NewerSchema`], [`StoreError::Corrupt`], [`StoreError::NoWriteAheadLog`], [`StoreError::Busy`] or
    /// [`StoreError::Io`], each saying what to do. A file that is refused is left as it was.
    pub fn open_with(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        let connections = Connections::open(path, options)?;
        let shared = Shared { connections, signals: Signals::default(), ids: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The store's file, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.connections.place.path
    }

    /// Reads the whole file and checks it: SQLite's own check, and that every stream is numbered without a gap. Takes
    /// time in proportion to the file.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with what was found; the backend's faults.
    pub fn verify(&self) -> Result<(), StoreError> {
        let place = &self.shared.connections.place;
        let fault = |error| place.fault("check the file", error);
        let findings = self.shared.connections.reading(|connection| {
            let mut findings = Vec::new();
            connection
                .pragma(None, "quick_check", MAX_FINDINGS, |row| {
                    findings.push(row.get::<_, String>(0)?);
                    Ok(())
                })
                .map_err(fault)?;
            findings.retain(|finding| finding != "ok");
            let mut gaps = connection.prepare(sql::GAPS).map_err(fault)?;
            let names = gaps.query_map([], |row| row.get::<_, String>(0)).map_err(fault)?;
            for name in names {
                findings.push(format!("stream `{}` has a gap", name.map_err(fault)?));
            }
            Ok(findings)
        })?;
        if findings.is_empty() { Ok(()) } else { Err(place.corrupt(findings.join("; "))) }
    }
}

/// The positions of a stream's records: above the first number, up to the second.
fn positions(id: i64) -> (i64, i64) {
    let before = id << sql::SEQ_BITS;
    (before, before | ((1 << sql::SEQ_BITS) - 1))
}

impl Shared {
    fn fault(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
        let place = &self.connections.place;
        move |error| place.fault(doing, error)
    }

    /// The id of a committed stream, if there is one of this name.
    fn known_id(&self, connection: &Connection, stream: &str) -> Result<Option<i64>, StoreError> {
        if let Some(&id) = lock(&self.ids).get(stream) {
            return Ok(Some(id));
        }
        let mut statement =
            connection.prepare_cached(sql::STREAM_ID).map_err(self.fault("look a stream up"))?;
        let id = statement.query_row([stream], |row| row.get(0)).optional();
        id.map_err(self.fault("look a stream up"))
    }

    fn last_seq(&self, connection: &Connection, id: i64) -> Result<u64, StoreError> {
        let (before, last) = positions(id);
        let mut statement =
            connection.prepare_cached(sql::LAST_POSITION).map_err(self.fault("find the newest record"))?;
        let position: Option<i64> = statement
            .query_row([before, last], |row| row.get(0))
            .optional()
            .map_err(self.fault("find the newest record"))?;
        Ok(position.map_or(0, |position| (position - before).unsigned_abs()))
    }

    fn add_stream(&self, connection: &Connection, stream: &str) -> Result<i64, StoreError> {
        let mut statement = connection.prepare_cached(sql::ADD_STREAM).map_err(self.fault("add a stream"))?;
        let id = statement.insert([stream]).map_err(self.fault("add a stream"))?;
        if id > sql::MAX_STREAMS {
            let (size, limit) = (id.unsigned_abs(), sql::MAX_STREAMS.unsigned_abs());
            return Err(StoreError::TooLarge { what: "number of streams in one file", size, limit });
        }
        Ok(id)
    }

    fn record(&self, stream: &str, before: i64, row: &Row<'_>) -> Result<Record, StoreError> {
        let fault = self.fault("read a record");
        let text = row.get_ref(3).map_err(&fault)?;
        let text = text.as_str().map_err(|error| self.connections.place.corrupt(error))?;
        let data = serde_json::from_str(text).map_err(|error| self.connections.place.corrupt(error))?;
        let position: i64 = row.get(0).map_err(&fault)?;
        Ok(Record {
            stream: stream.to_owned(),
            seq: (position - before).unsigned_abs(),
            kind: row.get(1).map_err(&fault)?,
            time_ms: row.get(2).map_err(&fault)?,
            data,
        })
    }
}

impl Pages for Shared {
    fn page(&self, stream: &str, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        check_size("number of records in one read", limit, MAX_READ_RECORDS)?;
        let after = after.min(MAX_RECORDS_PER_STREAM).cast_signed();
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connections.reading(|connection| {
            let Some(id) = self.known_id(connection, stream)? else { return Ok(Vec::new()) };
            let (before, last) = positions(id);
            let fault = self.fault("read records");
            let mut statement = connection.prepare_cached(sql::READ_RECORDS).map_err(&fault)?;
            let mut rows = statement.query([before + after, last, most]).map_err(&fault)?;
            let mut records = Vec::new();
            while let Some(row) = rows.next().map_err(&fault)? {
                records.push(self.record(stream, before, row)?);
            }
            Ok(records)
        })
    }
}

impl Log for SqliteStore {
    fn append(&self, stream: &str, expected: Expected, records: &[NewRecord]) -> Result<u64, StoreError> {
        let encoded = encode(stream, records)?;
        let shared = &self.shared;
        let (id, newest) = shared.connections.writing(|connection| {
            let known = shared.known_id(connection, stream)?;
            let last = known.map_or(Ok(0), |id| shared.last_seq(connection, id))?;
            expected.check(stream, last)?;
            let newest = advance(last, encoded.len())?;
            if encoded.is_empty() {
                return Ok::<_, StoreError>((known, newest));
            }
            let id = known.map_or_else(|| shared.add_stream(connection, stream), Ok)?;
            let fault = shared.fault("append");
            let mut statement = connection.prepare_cached(sql::ADD_RECORD).map_err(&fault)?;
            let first = last + 1;
            for (seq, record) in (first..=newest).zip(&encoded) {
                let position = (id << sql::SEQ_BITS) | seq.cast_signed();
                let row = params![position, record.kind, record.time_ms, record.data];
                statement.execute(row).map_err(&fault)?;
            }
            Ok((Some(id), newest))
        })?;
        if let Some(id) = id {
            // Only now, since the transaction that added the stream is committed.
            let mut ids = lock(&shared.ids);
            if !ids.contains_key(stream) {
                ids.insert(stream.to_owned(), id);
            }
        }
        shared.signals.announce(stream, newest);
        Ok(newest)
    }

    fn read(&self, stream: &str, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.shared.page(stream, after, limit)
    }

    fn last_seq(&self, stream: &str) -> Result<u64, StoreError> {
        self.shared.connections.reading(|connection| {
            let id = self.shared.known_id(connection, stream)?;
            id.map_or(Ok(0), |id| self.shared.last_seq(connection, id))
        })
    }

    fn streams(&self) -> Result<Vec<StreamSummary>, StoreError> {
        self.shared.connections.reading(|connection| {
            let fault = self.shared.fault("list the streams");
            let mut statement = connection.prepare_cached(sql::SUMMARIES).map_err(&fault)?;
            let summary = |row: &Row<'_>| {
                Ok(StreamSummary {
                    name: row.get(0)?,
                    last_seq: row.get::<_, i64>(1)?.cast_unsigned(),
                    first_time_ms: row.get(2)?,
                    last_time_ms: row.get(3)?,
                })
            };
            let rows = statement.query_map([], summary).map_err(&fault)?;
            rows.collect::<Result<_, _>>().map_err(&fault)
        })
    }

    fn subscribe(&self, stream: &str, after: u64) -> Result<Subscription, StoreError> {
        Ok(Subscription::new(self.shared.clone(), &self.shared.signals, stream, after))
    }

    fn put_blob(&self, stream: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        check_name("stream name", stream, MAX_NAME_BYTES)?;
        check_name("blob key", key, MAX_NAME_BYTES)?;
        check_size("blob size in bytes", bytes.len(), MAX_BLOB_BYTES)?;
        let fault = self.shared.fault("keep a blob");
        self.shared.connections.writing(|connection| {
            let mut statement = connection.prepare_cached(sql::PUT_BLOB).map_err(&fault)?;
            statement.execute(params![stream, key, bytes]).map(drop).map_err(&fault)
        })
    }

    fn get_blob(&self, stream: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let fault = self.shared.fault("read a blob");
        self.shared.connections.reading(|connection| {
            let mut statement = connection.prepare_cached(sql::GET_BLOB).map_err(&fault)?;
            statement.query_row([stream, key], |row| row.get(0)).optional().map_err(&fault)
        })
    }

    fn blob_keys(&self, stream: &str) -> Result<Vec<String>, StoreError> {
        let fault = self.shared.fault("list the blobs");
        self.shared.connections.reading(|connection| {
            let mut statement = connection.prepare_cached(sql::BLOB_KEYS).map_err(&fault)?;
            let keys = statement.query_map([stream], |row| row.get(0)).map_err(&fault)?;
            keys.collect::<Result<_, _>>().map_err(&fault)
        })
    }

    fn clear(&self, stream: &str) -> Result<(), StoreError> {
        let shared = &self.shared;
        shared.connections.writing(|connection| {
            let fault = shared.fault("clear a stream");
            if let Some(id) = shared.known_id(connection, stream)? {
                let (before, last) = positions(id);
                connection.execute(sql::CLEAR_RECORDS, [before, last]).map_err(&fault)?;
            }
            connection.execute(sql::CLEAR_BLOBS, [stream]).map_err(&fault)?;
            Ok(())
        })
    }
}

impl Shared {
    fn lease_row(&self, connection: &Connection, name: &str) -> Result<Option<LeaseRow>, StoreError> {
        let fault = self.fault("read a lease");
        let mut statement = connection.prepare_cached(sql::GET_LEASE).map_err(&fault)?;
        let row = |row: &Row<'_>| {
            Ok(LeaseRow {
                owner: row.get(0)?,
                token: row.get::<_, i64>(1)?.cast_unsigned(),
                expires_ms: row.get(2)?,
            })
        };
        statement.query_row([name], row).optional().map_err(&fault)
    }

    fn put_lease(&self, connection: &Connection, name: &str, row: &LeaseRow) -> Result<(), StoreError> {
        let fault = self.fault("keep a lease");
        let mut statement = connection.prepare_cached(sql::PUT_LEASE).map_err(&fault)?;
        let row = params![name, row.owner, row.token.cast_signed(), row.expires_ms];
        statement.execute(row).map(drop).map_err(&fault)
    }

    /// Runs a lease rule on the row of `name` and keeps what it grants, in one transaction.
    fn keep(
        &self,
        name: &str,
        rule: impl FnOnce(Option<LeaseRow>) -> Result<Lease, LeaseError>,
    ) -> Result<Lease, LeaseError> {
        self.connections.writing(|connection| {
            let lease = rule(self.lease_row(connection, name)?)?;
            let row = LeaseRow {
                owner: Some(lease.owner.clone()),
                token: lease.token,
                expires_ms: lease.expires_ms,
            };
            self.put_lease(connection, name, &row)?;
            Ok(lease)
        })
    }
}

impl Leases for SqliteStore {
    fn acquire(&self, name: &str, owner: &str, now_ms: i64, ttl_ms: i64) -> Result<Lease, LeaseError> {
        self.shared.keep(name, |row| grant(row, name, owner, now_ms, ttl_ms))
    }

    fn renew(&self, lease: &Lease, now_ms: i64, ttl_ms: i64) -> Result<Lease, LeaseError> {
        self.shared.keep(&lease.name, |row| prolong(row, lease, now_ms, ttl_ms))
    }

    fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        self.shared.connections.writing(|connection| {
            check_owned(self.shared.lease_row(connection, &lease.name)?, lease)?;
            let row = LeaseRow { owner: None, token: lease.token, expires_ms: lease.expires_ms };
            Ok(self.shared.put_lease(connection, &lease.name, &row)?)
        })
    }

    fn holder(&self, name: &str, now_ms: i64) -> Result<Option<Lease>, LeaseError> {
        let row = self.shared.connections.reading(|connection| self.shared.lease_row(connection, name))?;
        Ok(row.and_then(|row| row.held(name, now_ms)))
    }
}
