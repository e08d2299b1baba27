//! What a stream is made of: records with gap-free sequence numbers, and the limits on everything handed in.
//! Both backends keep a record's JSON as text, encoded once on append and decoded once on read, so the limits
//! are checked here, in one place. Not here: where the text is kept.

use std::fmt;

use serde_json::Value;

use crate::StoreError;

/// Longest name of a stream, a lease or a blob key, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 256;
/// Longest kind of a record, in bytes of UTF-8.
pub const MAX_KIND_BYTES: usize = 128;
/// Largest record, in bytes of JSON text.
pub const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;
/// Most records in one append.
pub const MAX_RECORDS_PER_APPEND: usize = 1024;
/// Largest blob, in bytes.
pub const MAX_BLOB_BYTES: usize = 16 * 1024 * 1024;
/// Most records in one stream; a backend packs the sequence number into 40 bits.
pub(crate) const MAX_RECORDS_PER_STREAM: u64 = (1 << 40) - 1;

/// One record of a stream, as the log holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Name of the stream.
    pub stream: String,
    /// Position in the stream: 1 for the first record, one more for each next, no gap.
    pub seq: u64,
    /// What the record is, in the caller's words.
    pub kind: String,
    /// When it happened, in unix milliseconds, as the caller said on append.
    pub time_ms: i64,
    /// The record itself.
    pub data: Value,
}

/// A record that is not yet in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// What the record is, in the caller's words; 1 to [`MAX_KIND_BYTES`] bytes.
    pub kind: String,
    /// When it happened, in unix milliseconds.
    pub time_ms: i64,
    /// The record itself; at most [`MAX_RECORD_BYTES`] as JSON text.
    pub data: Value,
}

/// One line about a stream that holds at least one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSummary {
    /// Name of the stream.
    pub name: String,
    /// Sequence number of its newest record.
    pub last_seq: u64,
    /// Time of its first record, in unix milliseconds.
    pub first_time_ms: i64,
    /// Time of its newest record, in unix milliseconds.
    pub last_time_ms: i64,
}

/// What an append expects of its stream (optimistic concurrency, as in EventStoreDB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The stream's newest record has exactly this sequence number; `Exact(0)` means the same as `NoStream`.
    Exact(u64),
    /// The stream holds no record yet.
    NoStream,
    /// Whatever it holds.
    Any,
}

impl Expected {
    /// Compares the expectation with the stream's newest sequence number.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when they differ.
    pub(crate) fn check(self, stream: &str, actual: u64) -> Result<(), StoreError> {
        let met = match self {
            Self::Exact(seq) => seq == actual,
            Self::NoStream => actual == 0,
            Self::Any => true,
        };
        if met {
            return Ok(());
        }
        Err(StoreError::Conflict { stream: stream.to_owned(), expected: self, actual })
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(seq) => write!(f, "last record {seq}"),
            Self::NoStream => f.write_str("no stream of this name"),
            Self::Any => f.write_str("any state"),
        }
    }
}

/// A new record with its JSON already as text.
pub(crate) struct Encoded<'a> {
    pub(crate) kind: &'a str,
    pub(crate) time_ms: i64,
    pub(crate) data: String,
}

/// Checks an append against the limits and writes each value as JSON text, before any lock is taken.
pub(crate) fn encode<'a>(stream: &str, records: &'a [NewRecord]) -> Result<Vec<Encoded<'a>>, StoreError> {
    check_name("stream name", stream, MAX_NAME_BYTES)?;
    check_size("number of records in one append", records.len(), MAX_RECORDS_PER_APPEND)?;
    let mut encoded = Vec::with_capacity(records.len());
    for record in records {
        check_name("record kind", &record.kind, MAX_KIND_BYTES)?;
        let data = serde_json::to_string(&record.data)
            .map_err(|error| StoreError::Backend { doing: "encode a record", source: Box::new(error) })?;
        check_size("record size in bytes", data.len(), MAX_RECORD_BYTES)?;
        encoded.push(Encoded { kind: &record.kind, time_ms: record.time_ms, data });
    }
    Ok(encoded)
}

/// The sequence number after appending `count` records to a stream that ends at `last`.
pub(crate) fn advance(last: u64, count: usize) -> Result<u64, StoreError> {
    let next = u64::try_from(count).ok().and_then(|count| last.checked_add(count));
    next.filter(|&next| next <= MAX_RECORDS_PER_STREAM).ok_or(StoreError::TooLarge {
        what: "number of records in one stream",
        size: last,
        limit: MAX_RECORDS_PER_STREAM,
    })
}

/// Checks a name: not empty, at most `limit` bytes.
pub(crate) fn check_name(what: &'static str, name: &str, limit: usize) -> Result<(), StoreError> {
    if name.is_empty() {
        return Err(StoreError::EmptyName { what });
    }
    check_size(what, name.len(), limit)
}

/// Checks a size against its limit.
pub(crate) fn check_size(what: &'static str, size: usize, limit: usize) -> Result<(), StoreError> {
    if size <= limit {
        return Ok(());
    }
    Err(StoreError::TooLarge { what, size: size as u64, limit: limit as u64 })
}
