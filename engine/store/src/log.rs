//! The log's trait: streams of records that only grow, and small documents beside them.
//! Not here: any backend.

use std::ops::ControlFlow;

use crate::{Expected, NewRecord, Record, StoreError, StreamSummary, Subscription};

/// Most records that one `read` may ask for. Asking for more is an error rather than a short answer, since a
/// short answer could be taken for the end of the stream; [`Log::replay`] reads a stream of any length.
pub const MAX_READ_RECORDS: usize = 10_000;
/// Records that `replay` reads at a time.
pub const REPLAY_PAGE_RECORDS: usize = 1_000;

/// Streams of records that only grow. Whatever `append` acknowledged is durable and never changes, until the whole
/// stream is cleared.
pub trait Log: Send + Sync {
    /// Appends all `records` or none and returns the sequence number of the newest record of the stream. No
    /// records: checks the expectation, writes nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the stream is not as `expected`; [`StoreError::TooLarge`] and
    /// [`StoreError::EmptyName`] for what is handed in; else the backend's faults.
    fn append(&self, stream: &str, expected: Expected, records: &[NewRecord]) -> Result<u64, StoreError>;

    /// The records with a sequence number above `after`, oldest first, at most `limit`. An unknown stream is empty.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] when `limit` is above [`MAX_READ_RECORDS`]; else the backend's faults.
    fn read(&self, stream: &str, after: u64, limit: usize) -> Result<Vec<Record>, StoreError>;

    /// Sequence number of the newest record, 0 for an unknown stream.
    ///
    /// # Errors
    /// The backend's faults.
    fn last_seq(&self, stream: &str) -> Result<u64, StoreError>;

    /// All streams that hold a record, by name.
    ///
    /// # Errors
    /// The backend's faults.
    fn streams(&self) -> Result<Vec<StreamSummary>, StoreError>;

    /// Follows a stream (which need not exist yet) from the record after `after`: first what the log holds, then
    /// what is appended, by this process or another. Each record comes once, in order, with no gap.
    ///
    /// # Errors
    /// The backend's faults.
    fn subscribe(&self, stream: &str, after: u64) -> Result<Subscription, StoreError>;

    /// Keeps a small document beside a stream, replacing the one of the same key.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] above [`crate::MAX_BLOB_BYTES`]; [`StoreError::EmptyName`]; else the backend's faults.
    fn put_blob(&self, stream: &str, key: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// The document of that key, if there is one.
    ///
    /// # Errors
    /// The backend's faults.
    fn get_blob(&self, stream: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The keys of a stream's documents, sorted.
    ///
    /// # Errors
    /// The backend's faults.
    fn blob_keys(&self, stream: &str) -> Result<Vec<String>, StoreError>;

    /// Takes all records and documents of a stream away, at once and for good; a stream that is empty or unknown stays
    /// so. It is for streams that are segments of something larger, whose names are not used again: who follows the
    /// stream hears nothing of it, and an append would number from 1.
    ///
    /// # Errors
    /// The backend's faults.
    fn clear(&self, stream: &str) -> Result<(), StoreError>;

    /// Visits every record after `after`, page by page, until the end of the stream or until `visit` breaks, and
    /// returns the sequence number of the last record visited (`after` if there was none).
    ///
    /// # Errors
    /// The backend's faults.
    fn replay(
        &self,
        stream: &str,
        after: u64,
        visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<u64, StoreError> {
        let mut seen = after;
        loop {
            let page = self.read(stream, seen, REPLAY_PAGE_RECORDS)?;
            if page.is_empty() {
                return Ok(seen);
            }
            for record in page {
                seen = record.seq;
                if visit(record).is_break() {
                    return Ok(seen);
                }
            }
        }
    }
}
