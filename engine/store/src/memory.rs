//! The in-memory twin: the same log and leases in maps, for tests, simulation and runs that need no trace.
//! It keeps records as JSON text like every backend, so what comes back has made the same trip. Clones share one
//! store; nothing outlives the last clone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::lease::{LeaseRow, check_owned, grant, prolong};
use crate::record::{MAX_BLOB_BYTES, MAX_NAME_BYTES, advance, check_name, check_size, encode};
use crate::subscription::{Pages, Signals, lock};
use crate::{
    Expected, Lease, LeaseError, Leases, Log, MAX_READ_RECORDS, NewRecord, Record, StoreError, StreamSummary,
    Subscription,
};

/// A log and leases in memory.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    contents: Mutex<Contents>,
    signals: Signals,
}

#[derive(Default)]
struct Contents {
    streams: BTreeMap<String, Vec<Stored>>,
    blobs: BTreeMap<(String, String), Vec<u8>>,
    leases: BTreeMap<String, LeaseRow>,
}

struct Stored {
    kind: String,
    time_ms: i64,
    data: String,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        lock(&self.shared.contents)
    }
}

impl Pages for Shared {
    fn page(&self, stream: &str, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        check_size("number of records in one read", limit, MAX_READ_RECORDS)?;
        let contents = lock(&self.contents);
        let Some(records) = contents.streams.get(stream) else { return Ok(Vec::new()) };
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let decode = |(seq, stored): (u64, &Stored)| {
            let data = serde_json::from_str(&stored.data).map_err(|error| StoreError::Corrupt {
                path: PathBuf::from("the store in memory"),
                source: Box::new(error),
            })?;
            let Stored { kind, time_ms, .. } = stored;
            Ok(Record { stream: stream.to_owned(), seq, kind: kind.clone(), time_ms: *time_ms, data })
        };
        (1..).zip(records).skip(skipped).take(limit).map(decode).collect()
    }
}

impl Log for MemoryStore {
    fn append(&self, stream: &str, expected: Expected, records: &[NewRecord]) -> Result<u64, StoreError> {
        let encoded = encode(stream, records)?;
        let mut contents = self.contents();
        let last = contents.streams.get(stream).map_or(0, |records| records.len() as u64);
        expected.check(stream, last)?;
        let newest = advance(last, encoded.len())?;
        if encoded.is_empty() {
            return Ok(newest);
        }
        let stored = encoded.into_iter().map(|record| Stored {
            kind: record.kind.to_owned(),
            time_ms: record.time_ms,
            data: record.data,
        });
        contents.streams.entry(stream.to_owned()).or_default().extend(stored);
        drop(contents);
        self.shared.signals.announce(stream, newest);
        Ok(newest)
    }

    fn read(&self, stream: &str, after: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.shared.page(stream, after, limit)
    }

    fn last_seq(&self, stream: &str) -> Result<u64, StoreError> {
        Ok(self.contents().streams.get(stream).map_or(0, |records| records.len() as u64))
    }

    fn streams(&self) -> Result<Vec<StreamSummary>, StoreError> {
        let contents = self.contents();
        let summary = |(name, records): (&String, &Vec<Stored>)| {
            Some(StreamSummary {
                name: name.clone(),
                last_seq: records.len() as u64,
                first_time_ms: records.first()?.time_ms,
                last_time_ms: records.last()?.time_ms,
            })
        };
        Ok(contents.streams.iter().filter_map(summary).collect())
    }

    fn subscribe(&self, stream: &str, after: u64) -> Result<Subscription, StoreError> {
        Ok(Subscription::new(self.shared.clone(), &self.shared.signals, stream, after))
    }

    fn put_blob(&self, stream: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        check_name("stream name", stream, MAX_NAME_BYTES)?;
        check_name("blob key", key, MAX_NAME_BYTES)?;
        check_size("blob size in bytes", bytes.len(), MAX_BLOB_BYTES)?;
        self.contents().blobs.insert((stream.to_owned(), key.to_owned()), bytes.to_vec());
        Ok(())
    }

    fn get_blob(&self, stream: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.contents().blobs.get(&(stream.to_owned(), key.to_owned())).cloned())
    }

    fn blob_keys(&self, stream: &str) -> Result<Vec<String>, StoreError> {
        let contents = self.contents();
        let first = (stream.to_owned(), String::new());
        let of_stream = contents.blobs.range(first..).take_while(|((name, _), _)| name == stream);
        Ok(of_stream.map(|((_, key), _)| key.clone()).collect())
    }

    fn clear(&self, stream: &str) -> Result<(), StoreError> {
        let mut contents = self.contents();
        contents.streams.remove(stream);
        contents.blobs.retain(|(name, _), _| name != stream);
        Ok(())
    }
}

impl MemoryStore {
    /// Runs a lease rule on the row of `name` and keeps what it grants.
    fn keep(
        &self,
        name: &str,
        rule: impl FnOnce(Option<LeaseRow>) -> Result<Lease, LeaseError>,
    ) -> Result<Lease, LeaseError> {
        let mut contents = self.contents();
        let lease = rule(contents.leases.get(name).cloned())?;
        let row =
            LeaseRow { owner: Some(lease.owner.clone()), token: lease.token, expires_ms: lease.expires_ms };
        contents.leases.insert(name.to_owned(), row);
        Ok(lease)
    }
}

impl Leases for MemoryStore {
    fn acquire(&self, name: &str, owner: &str, now_ms: i64, ttl_ms: i64) -> Result<Lease, LeaseError> {
        self.keep(name, |row| grant(row, name, owner, now_ms, ttl_ms))
    }

    fn renew(&self, lease: &Lease, now_ms: i64, ttl_ms: i64) -> Result<Lease, LeaseError> {
        self.keep(&lease.name, |row| prolong(row, lease, now_ms, ttl_ms))
    }

    fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        let mut contents = self.contents();
        check_owned(contents.leases.get(&lease.name).cloned(), lease)?;
        let row = LeaseRow { owner: None, token: lease.token, expires_ms: lease.expires_ms };
        contents.leases.insert(lease.name.clone(), row);
        Ok(())
    }

    fn holder(&self, name: &str, now_ms: i64) -> Result<Option<Lease>, LeaseError> {
        Ok(self.contents().leases.get(name).cloned().and_then(|row| row.held(name, now_ms)))
    }
}
