//! Every SQL statement of the store, and the schema with its migrations. Nothing else in the crate holds SQL.
//!
//! A record's key is one integer, the stream's id above [`SEQ_BITS`] bits of sequence number: one B-tree keyed by
//! rowid, so that an append touches one leaf and no index, and the newest record of a stream is one seek. The
//! stream's row carries no counter, since a second page written per append would cost as much as the record.

/// Bits of a position that hold the sequence number.
pub(crate) const SEQ_BITS: u32 = 40;
/// Streams that a file can hold: what a positive 64-bit position leaves above the sequence number.
pub(crate) const MAX_STREAMS: i64 = (1 << (63 - SEQ_BITS)) - 1;
/// Marks the file as ours in its header ("drwn" in ASCII).
pub(crate) const APPLICATION_ID: i32 = 0x6472_776e;

/// Schema changes, oldest first; the schema version is the number of them that a file has seen. Only ever append.
pub(crate) const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE schema_version (version INTEGER NOT NULL);
    INSERT INTO schema_version VALUES (0);
    CREATE TABLE streams (
        id   INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE records (
        position INTEGER PRIMARY KEY,
        kind     TEXT NOT NULL,
        time_ms  INTEGER NOT NULL,
        data     TEXT NOT NULL
    ) STRICT;
    CREATE TABLE blobs (
        id     INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        key    TEXT NOT NULL,
        bytes  BLOB NOT NULL,
        UNIQUE (stream, key)
    ) STRICT;
    CREATE TABLE leases (
        name       TEXT PRIMARY KEY,
        owner      TEXT,
        token      INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"];

/// Schema version of a file that has seen every migration.
pub(crate) const NEWEST_SCHEMA: u32 = MIGRATIONS.len() as u32;

pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
pub(crate) const COMMIT: &str = "COMMIT";
pub(crate) const ROLLBACK: &str = "ROLLBACK";

pub(crate) const COUNT_TABLES: &str = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
pub(crate) const SCHEMA_VERSION: &str = "SELECT version FROM schema_version";
pub(crate) const SET_SCHEMA_VERSION: &str = "UPDATE schema_version SET version = ?1";

pub(crate) const STREAM_ID: &str = "SELECT id FROM streams WHERE name = ?1";
pub(crate) const ADD_STREAM: &str = "INSERT INTO streams (name) VALUES (?1)";
pub(crate) const LAST_POSITION: &str =
    "SELECT position FROM records WHERE position > ?1 AND position <= ?2 ORDER BY position DESC LIMIT 1";
pub(crate) const ADD_RECORD: &str =
    "INSERT INTO records (position, kind, time_ms, data) VALUES (?1, ?2, ?3, ?4)";
pub(crate) const READ_RECORDS: &str = "SELECT position, kind, time_ms, data FROM records \
     WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3";
/// Two seeks a stream: its newest record bounds the range of its id from below the next id's.
pub(crate) const SUMMARIES: &str = "SELECT s.name, last.position - (s.id << 40), first.time_ms, last.time_ms \
     FROM streams s \
     JOIN records last ON last.position = (SELECT max(position) FROM records \
         WHERE position > (s.id << 40) AND position <= (s.id << 40) + 1099511627775) \
     JOIN records first ON first.position = (s.id << 40) + 1 \
     ORDER BY s.name";
/// Streams whose records are not numbered 1, 2, 3, ... to the newest.
pub(crate) const GAPS: &str = "SELECT coalesce((SELECT name FROM streams WHERE id = position >> 40), \
         'unknown stream ' || (position >> 40)) \
     FROM records GROUP BY position >> 40 HAVING count(*) != max(position & 1099511627775)";

pub(crate) const PUT_BLOB: &str = "INSERT INTO blobs (stream, key, bytes) VALUES (?1, ?2, ?3) \
     ON CONFLICT (stream, key) DO UPDATE SET bytes = excluded.bytes";
pub(crate) const GET_BLOB: &str = "SELECT bytes FROM blobs WHERE stream = ?1 AND key = ?2";
pub(crate) const BLOB_KEYS: &str = "SELECT key FROM blobs WHERE stream = ?1 ORDER BY key";

/// The stream's own row stays, so that ids which other connections remember keep their meaning.
pub(crate) const CLEAR_RECORDS: &str = "DELETE FROM records WHERE position > ?1 AND position <= ?2";
pub(crate) const CLEAR_BLOBS: &str = "DELETE FROM blobs WHERE stream = ?1";

pub(crate) const GET_LEASE: &str = "SELECT owner, token, expires_ms FROM leases WHERE name = ?1";
pub(crate) const PUT_LEASE: &str = "INSERT INTO leases (name, owner, token, expires_ms) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, token = excluded.token, expires_ms = excluded.expires_ms";
