//! SQLite and memory agree: the same random operations, by two owners, get the same answers from both, and the
//! SQLite file still agrees after it was closed and opened again.

use std::fmt::Debug;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use store::{Expected, Lease, LeaseError, Leases, Log, MemoryStore, NewRecord, SqliteStore, StoreError};

#[derive(Clone, Debug)]
enum Operation {
    Append { stream: usize, expected: Expected, records: Vec<(i64, Value)> },
    Read { stream: usize, after: u64, limit: usize },
    Streams,
    PutBlob { stream: usize, key: usize, bytes: Vec<u8> },
    GetBlob { stream: usize, key: usize },
    Acquire { name: usize, owner: usize, ttl_ms: i64 },
    Renew { held: usize, ttl_ms: i64 },
    Release { held: usize },
    Holder { name: usize },
    Wait { ms: i64 },
    Reopen,
}

const NAMES: [&str; 4] = ["a", "run/b", "é\"'", "a "];

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,20}".prop_map(|text| json!({ "text": text, "more": [null, true] })),
    ]
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![
        3 => Just(Expected::Any),
        1 => Just(Expected::NoStream),
        2 => (0_u64..12).prop_map(Expected::Exact),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let name = || 0..NAMES.len();
    let records = prop::collection::vec((any::<i64>(), value()), 0..4);
    prop_oneof![
        6 => (name(), expected(), records)
            .prop_map(|(stream, expected, records)| Operation::Append { stream, expected, records }),
        2 => (name(), 0_u64..20, 0_usize..9)
            .prop_map(|(stream, after, limit)| Operation::Read { stream, after, limit }),
        1 => Just(Operation::Streams),
        1 => (name(), name(), prop::collection::vec(any::<u8>(), 0..9))
            .prop_map(|(stream, key, bytes)| Operation::PutBlob { stream, key, bytes }),
        1 => (name(), name()).prop_map(|(stream, key)| Operation::GetBlob { stream, key }),
        2 => (0..2_usize, 0..2_usize, 0_i64..50)
            .prop_map(|(name, owner, ttl_ms)| Operation::Acquire { name, owner, ttl_ms }),
        1 => (0..8_usize, 0_i64..50).prop_map(|(held, ttl_ms)| Operation::Renew { held, ttl_ms }),
        1 => (0..8_usize).prop_map(|held| Operation::Release { held }),
        1 => (0..2_usize).prop_map(|name| Operation::Holder { name }),
        2 => (0_i64..40).prop_map(|ms| Operation::Wait { ms }),
        1 => Just(Operation::Reopen),
    ]
}

/// One backend with what its user holds: the leases it was given and the time.
struct User<S> {
    store: S,
    held: Vec<Lease>,
    now_ms: i64,
}

/// What an operation answered, as text that two backends can be compared by.
fn told<T: Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("error: {error}"),
    }
}

impl<S: Log + Leases> User<S> {
    fn new(store: S) -> Self {
        Self { store, held: Vec::new(), now_ms: 0 }
    }

    fn keep(&mut self, answer: Result<Lease, LeaseError>) -> String {
        match answer {
            Ok(lease) => {
                let told = format!("{lease:?}");
                self.held.push(lease);
                told
            }
            Err(error) => format!("error: {error}"),
        }
    }

    fn run(&mut self, operation: &Operation) -> String {
        let store = &self.store;
        match operation {
            Operation::Append { stream, expected, records } => {
                let new = |(time_ms, data): &(i64, Value)| NewRecord {
                    kind: "k".to_owned(),
                    time_ms: *time_ms,
                    data: data.clone(),
                };
                let records: Vec<_> = records.iter().map(new).collect();
                told(store.append(NAMES[*stream], *expected, &records))
            }
            Operation::Read { stream, after, limit } => told(store.read(NAMES[*stream], *after, *limit)),
            Operation::Streams => told(store.streams()),
            Operation::PutBlob { stream, key, bytes } => {
                told(store.put_blob(NAMES[*stream], NAMES[*key], bytes))
            }
            Operation::GetBlob { stream, key } => {
                let keys = told(store.blob_keys(NAMES[*stream]));
                format!("{keys} {}", told(store.get_blob(NAMES[*stream], NAMES[*key])))
            }
            Operation::Acquire { name, owner, ttl_ms } => {
                let answer = store.acquire(NAMES[*name], NAMES[*owner], self.now_ms, *ttl_ms);
                self.keep(answer)
            }
            Operation::Renew { held, ttl_ms } => {
                let Some(lease) = self.held.get(*held) else { return String::new() };
                let answer = store.renew(lease, self.now_ms, *ttl_ms);
                self.keep(answer)
            }
            Operation::Release { held } => {
                let Some(lease) = self.held.get(*held) else { return String::new() };
                store
                    .release(lease)
                    .map_or_else(|error| format!("error: {error}"), |()| "released".to_owned())
            }
            Operation::Holder { name } => {
                let answer = store.holder(NAMES[*name], self.now_ms);
                answer.map_or_else(|error| format!("error: {error}"), |held| format!("{held:?}"))
            }
            Operation::Wait { ms } => {
                self.now_ms += ms;
                String::new()
            }
            Operation::Reopen => String::new(),
        }
    }

    /// All that the log holds.
    fn everything(&self) -> String {
        let streams = NAMES.iter().map(|name| {
            let keys = self.store.blob_keys(name);
            format!(
                "{} {} {}",
                told(self.store.last_seq(name)),
                told(self.store.read(name, 0, 1_000)),
                told(keys)
            )
        });
        let streams: Vec<_> = streams.collect();
        format!("{} {streams:#?}", told(self.store.streams()))
    }
}

fn reopened(user: User<SqliteStore>, path: &Path) -> Result<User<SqliteStore>, StoreError> {
    let User { store, held, now_ms } = user;
    drop(store);
    Ok(User { store: SqliteStore::open(path)?, held, now_ms })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_and_memory_answer_alike(operations in prop::collection::vec(operation(), 1..60)) {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.sqlite");
        let mut memory = User::new(MemoryStore::new());
        let mut sqlite = User::new(SqliteStore::open(&path)?);
        for (index, operation) in operations.iter().enumerate() {
            if matches!(operation, Operation::Reopen) {
                sqlite = reopened(sqlite, &path)?;
            }
            let (one, other) = (memory.run(operation), sqlite.run(operation));
            prop_assert_eq!(one, other, "operation {}: {:?}", index, operation);
        }
        prop_assert_eq!(memory.everything(), sqlite.everything());
        let sqlite = reopened(sqlite, &path)?;
        prop_assert_eq!(memory.everything(), sqlite.everything());
        sqlite.store.verify()?;
    }
}
