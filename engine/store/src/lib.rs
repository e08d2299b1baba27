//! The durable log and leases: append with expected version, read, subscribe; small documents beside the log.
//!
//! Domain-free: a stream is a name, a record is a kind, a time that the caller handed in, and a JSON value. Two
//! backends stand behind the traits [`Log`] and [`Leases`]: [`SqliteStore`] (one file, several processes) and
//! [`MemoryStore`] (its twin for tests and simulation). [`conformance`] is the one suite that each backend passes.
//! Not here: what the records mean, and any clock (callers hand in unix milliseconds).

pub mod conformance;
mod error;
mod lease;
mod log;
mod memory;
mod record;
mod sqlite;
mod subscription;

pub use error::StoreError;
pub use lease::{Lease, LeaseError, Leases, MAX_OWNER_BYTES};
pub use log::{Log, MAX_READ_RECORDS, REPLAY_PAGE_RECORDS};
pub use memory::MemoryStore;
pub use record::{
    Expected, MAX_BLOB_BYTES, MAX_KIND_BYTES, MAX_NAME_BYTES, MAX_RECORD_BYTES, MAX_RECORDS_PER_APPEND,
    NewRecord, Record, StreamSummary,
};
pub use sqlite::{SqliteOptions, SqliteStore, Synchronous};
pub use subscription::{POLL_INTERVAL, SUBSCRIPTION_PAGE_RECORDS, Subscription};
