//! One suite that every backend passes: what the traits promise, tested from outside.
//! A backend's own tests call it with a function that makes an empty store; what it checks it asserts, so it
//! panics with the broken promise. Not here: crashes, damage and full disks, which differ by backend.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    Expected, LeaseError, Leases, Log, MAX_BLOB_BYTES, MAX_KIND_BYTES, MAX_NAME_BYTES, MAX_READ_RECORDS,
    MAX_RECORD_BYTES, MAX_RECORDS_PER_APPEND, NewRecord, POLL_INTERVAL, REPLAY_PAGE_RECORDS, Record,
    SUBSCRIPTION_PAGE_RECORDS, StoreError, Subscription,
};

/// Threads that append at once.
const WRITERS: u64 = 4;
/// Appends of each such thread.
const APPENDS: u64 = 50;
/// How long a subscription may take before the suite calls it stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// Checks everything that [`Log`] promises. `make` answers a new, empty store each time.
///
/// # Panics
/// When a promise is broken; the message says which.
pub fn check_log(make: impl Fn() -> Box<dyn Log>) {
    numbers_from_one_without_gap(&*make());
    refuses_what_was_not_expected(&*make());
    appends_all_or_nothing(&*make());
    gives_back_what_it_was_given(&*make());
    reads_pages(&*make());
    summarises_streams(&*make());
    limits_what_it_takes(&*make());
    keeps_blobs(&*make());
    clears_one_stream_and_no_other(&*make());
    writers_at_once_leave_no_gap(&*make());
    one_of_many_wins_an_expected_append(&*make());
    subscription_catches_up_then_follows(&*make());
    slow_subscription_misses_nothing(&*make());
    subscription_wakes_another_thread(&*make());
    subscription_wakes_without_polling(&*make());
}

/// Checks everything that [`Leases`] promises. `make` answers a new, empty store each time.
///
/// # Panics
/// When a promise is broken; the message says which.
pub fn check_leases(make: impl Fn() -> Box<dyn Leases>) {
    lease_excludes_until_it_expires(&*make());
    lease_renews_while_nobody_took_it(&*make());
    lease_token_grows_with_each_holder(&*make());
    lease_refuses_nonsense(&*make());
    one_of_many_gets_the_lease(&*make());
}

fn must<T, E: Debug>(what: &str, result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error:?}"),
    }
}

fn note(text: &str, time_ms: i64) -> NewRecord {
    NewRecord { kind: "note".to_owned(), time_ms, data: json!({ "text": text }) }
}

fn notes(count: usize) -> Vec<NewRecord> {
    (0..count).map(|index| note(&index.to_string(), 0)).collect()
}

fn fill(log: &dyn Log, stream: &str, count: usize) {
    for chunk in notes(count).chunks(MAX_RECORDS_PER_APPEND) {
        must("append", log.append(stream, Expected::Any, chunk));
    }
}

fn seqs(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.seq).collect()
}

fn numbers_from_one_without_gap(log: &dyn Log) {
    assert_eq!(must("last_seq", log.last_seq("a")), 0, "an unknown stream ends at 0");
    assert_eq!(must("append", log.append("a", Expected::NoStream, &notes(1))), 1, "the first record is 1");
    assert_eq!(
        must("append", log.append("a", Expected::Exact(1), &notes(3))),
        4,
        "append answers the newest"
    );
    assert_eq!(must("append", log.append("b", Expected::Any, &notes(2))), 2, "streams are numbered apart");
    assert_eq!(must("append", log.append("a", Expected::Any, &notes(1))), 5, "Any appends at the end");
    assert_eq!(seqs(&must("read", log.read("a", 0, 100))), [1, 2, 3, 4, 5]);
    assert_eq!(must("last_seq", log.last_seq("a")), 5);
    assert_eq!(must("last_seq", log.last_seq("b")), 2);
}

fn refuses_what_was_not_expected(log: &dyn Log) {
    let conflict = |stream: &str, expected: Expected, actual: u64| {
        let answer = log.append(stream, expected, &notes(2));
        let Err(StoreError::Conflict { actual: found, .. }) = &answer else {
            panic!("expecting {expected} of a stream at {actual} must be a conflict, not {answer:?}")
        };
        assert_eq!(*found, actual, "a conflict names where the stream really is");
    };
    conflict("a", Expected::Exact(1), 0);
    must("Exact(0) means no stream", log.append("a", Expected::Exact(0), &notes(2)));
    conflict("a", Expected::NoStream, 2);
    conflict("a", Expected::Exact(0), 2);
    conflict("a", Expected::Exact(1), 2);
    conflict("a", Expected::Exact(3), 2);
    assert_eq!(must("last_seq", log.last_seq("a")), 2, "a refused append leaves nothing");
    assert_eq!(must("empty append", log.append("a", Expected::Exact(2), &[])), 2);
    let empty = log.append("a", Expected::Exact(9), &[]);
    assert!(matches!(empty, Err(StoreError::Conflict { .. })), "an empty append still checks");
    assert_eq!(must("empty append", log.append("new", Expected::NoStream, &[])), 0);
    assert_eq!(must("streams", log.streams()).len(), 1, "an empty append makes no stream");
}

fn appends_all_or_nothing(log: &dyn Log) {
    must("append", log.append("a", Expected::Any, &notes(1)));
    let mut batch = notes(3);
    batch[2].data = Value::String("x".repeat(MAX_RECORD_BYTES));
    let answer = log.append("a", Expected::Any, &batch);
    assert!(matches!(answer, Err(StoreError::TooLarge { .. })), "{answer:?}");
    assert_eq!(
        seqs(&must("read", log.read("a", 0, 100))),
        [1],
        "the records before the bad one are not kept"
    );
}

fn gives_back_what_it_was_given(log: &dyn Log) {
    let values = [
        json!(null),
        json!({ "b": 1, "a": [true, false, null], "nested": { "deep": [[[]]] } }),
        json!([i64::MIN, i64::MAX, u64::MAX, 0.1, 1e-300, -1.797_693_134_862_315_7e308]),
        json!("quotes \" and \\ and \u{0} and \u{1f9ec} and \u{2028}"),
    ];
    let records: Vec<_> = values
        .iter()
        .zip([0, -5, i64::MAX, i64::MIN])
        .map(|(data, time_ms)| NewRecord { kind: "kind é".to_owned(), time_ms, data: data.clone() })
        .collect();
    must("append", log.append("stream/é'\"%", Expected::NoStream, &records));
    let read = must("read", log.read("stream/é'\"%", 0, 10));
    assert_eq!(read.len(), records.len());
    for (index, (read, given)) in read.iter().zip(&records).enumerate() {
        assert_eq!(read.stream, "stream/é'\"%");
        assert_eq!(read.seq, index as u64 + 1);
        assert_eq!((&read.kind, read.time_ms), (&given.kind, given.time_ms));
        assert_eq!(read.data, given.data);
    }
}

fn reads_pages(log: &dyn Log) {
    let count = REPLAY_PAGE_RECORDS + 7;
    fill(log, "a", count);
    fill(log, "b", 3);
    assert_eq!(seqs(&must("read", log.read("a", 2, 3))), [3, 4, 5]);
    assert_eq!(seqs(&must("read", log.read("a", count as u64 - 1, 9))), [count as u64]);
    assert!(must("read", log.read("a", count as u64, 9)).is_empty(), "nothing after the end");
    assert!(must("read", log.read("a", u64::MAX, 9)).is_empty(), "nothing far after the end");
    assert!(must("read", log.read("a", 0, 0)).is_empty(), "a limit of none gives none");
    assert!(must("read", log.read("unknown", 0, 9)).is_empty(), "an unknown stream is empty");
    assert_eq!(must("read", log.read("a", 0, MAX_READ_RECORDS)).len(), count);
    let above = log.read("a", 0, MAX_READ_RECORDS + 1);
    assert!(matches!(above, Err(StoreError::TooLarge { .. })), "a read above the limit is refused");

    let mut next = 1;
    let mut visit = |record: Record| {
        assert_eq!(record.seq, next, "replay goes in order");
        next += 1;
        if record.seq == 1_005 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    assert_eq!(must("replay", log.replay("a", 0, &mut visit)), 1_005, "replay stops where it is told");
    assert_eq!(must("replay", log.replay("a", 1_005, &mut visit)), count as u64, "replay goes on to the end");
    assert_eq!(must("replay", log.replay("unknown", 4, &mut visit)), 4, "nothing to replay");
}

fn summarises_streams(log: &dyn Log) {
    assert!(must("streams", log.streams()).is_empty());
    must("append", log.append("b", Expected::Any, &[note("x", 30), note("y", 10)]));
    must("append", log.append("a", Expected::Any, &[note("x", 7)]));
    must("append", log.append("b", Expected::Any, &[note("z", 20)]));
    must("put_blob", log.put_blob("c", "key", b"no record"));
    let lines: Vec<_> = must("streams", log.streams())
        .into_iter()
        .map(|line| (line.name, line.last_seq, line.first_time_ms, line.last_time_ms))
        .collect();
    assert_eq!(lines, [("a".to_owned(), 1, 7, 7), ("b".to_owned(), 3, 30, 20)], "by name, with ends");
}

fn limits_what_it_takes(log: &dyn Log) {
    let too_large = |answer: Result<u64, StoreError>, what: &str| {
        assert!(matches!(answer, Err(StoreError::TooLarge { .. })), "{what} must be refused: {answer:?}");
    };
    let empty_name = |answer: Result<u64, StoreError>, what: &str| {
        assert!(matches!(answer, Err(StoreError::EmptyName { .. })), "{what} must be refused: {answer:?}");
    };
    let longest = "n".repeat(MAX_NAME_BYTES);
    must("the longest name", log.append(&longest, Expected::Any, &notes(1)));
    too_large(log.append(&format!("{longest}n"), Expected::Any, &notes(1)), "a longer name");
    empty_name(log.append("", Expected::Any, &notes(1)), "an empty name");
    must("the longest append", log.append("a", Expected::Any, &notes(MAX_RECORDS_PER_APPEND)));
    too_large(log.append("a", Expected::Any, &notes(MAX_RECORDS_PER_APPEND + 1)), "a longer append");
    let mut record = note("x", 0);
    record.kind = "k".repeat(MAX_KIND_BYTES + 1);
    too_large(log.append("a", Expected::Any, &[record.clone()]), "a longer kind");
    record.kind = String::new();
    empty_name(log.append("a", Expected::Any, &[record.clone()]), "an empty kind");
    // Two bytes of the limit go to the quotes.
    record = NewRecord { kind: "k".to_owned(), data: "x".repeat(MAX_RECORD_BYTES - 2).into(), ..record };
    must("the largest record", log.append("a", Expected::Any, &[record]));
}

fn keeps_blobs(log: &dyn Log) {
    assert_eq!(must("get_blob", log.get_blob("a", "k")), None);
    must("put_blob", log.put_blob("a", "k", b"\x00\xff one"));
    must("put_blob", log.put_blob("a", "j", b""));
    must("put_blob", log.put_blob("b", "k", b"other stream"));
    assert_eq!(must("get_blob", log.get_blob("a", "k")).as_deref(), Some(&b"\x00\xff one"[..]));
    assert_eq!(must("get_blob", log.get_blob("a", "j")).as_deref(), Some(&b""[..]));
    must("put_blob", log.put_blob("a", "k", b"two"));
    assert_eq!(must("get_blob", log.get_blob("a", "k")).as_deref(), Some(&b"two"[..]), "the newest stays");
    assert_eq!(must("blob_keys", log.blob_keys("a")), ["j", "k"]);
    assert!(must("blob_keys", log.blob_keys("c")).is_empty());
    assert_eq!(must("last_seq", log.last_seq("a")), 0, "a blob is no record");
    must("the largest blob", log.put_blob("a", "large", &vec![7; MAX_BLOB_BYTES]));
    let larger = log.put_blob("a", "large", &vec![7; MAX_BLOB_BYTES + 1]);
    assert!(matches!(larger, Err(StoreError::TooLarge { .. })), "a larger blob is refused");
    assert!(matches!(log.put_blob("a", "", b""), Err(StoreError::EmptyName { .. })));
}

fn clears_one_stream_and_no_other(log: &dyn Log) {
    must("clear", log.clear("unknown"));
    fill(log, "a", 3);
    fill(log, "b", 2);
    must("put_blob", log.put_blob("a", "k", b"one"));
    must("put_blob", log.put_blob("b", "k", b"two"));
    must("clear", log.clear("a"));
    assert_eq!(must("last_seq", log.last_seq("a")), 0);
    assert!(must("read", log.read("a", 0, 10)).is_empty());
    assert_eq!(must("get_blob", log.get_blob("a", "k")), None);
    let names: Vec<String> = must("streams", log.streams()).into_iter().map(|stream| stream.name).collect();
    assert_eq!(names, ["b"], "a cleared stream is not listed");
    assert_eq!(must("last_seq", log.last_seq("b")), 2);
    assert_eq!(must("get_blob", log.get_blob("b", "k")).as_deref(), Some(&b"two"[..]));
    fill(log, "c", 1);
    fill(log, "a", 1);
    assert_eq!(seqs(&must("read", log.read("a", 0, 10))), [1], "a cleared stream numbers from 1");
    assert_eq!(seqs(&must("read", log.read("c", 0, 10))), [1]);
}

fn writers_at_once_leave_no_gap(log: &dyn Log) {
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for index in 0..APPENDS {
                    let record = note(&writer.to_string(), index.cast_signed());
                    must("append", log.append("a", Expected::Any, &[record]));
                }
            });
        }
    });
    let records = must("read", log.read("a", 0, MAX_READ_RECORDS));
    assert_eq!(seqs(&records), (1..=WRITERS * APPENDS).collect::<Vec<_>>());
    for writer in 0..WRITERS {
        let name = writer.to_string();
        let own = records.iter().filter(|record| record.data["text"] == name.as_str());
        let times: Vec<_> = own.map(|record| record.time_ms.unsigned_abs()).collect();
        assert_eq!(times, (0..APPENDS).collect::<Vec<_>>(), "each writer's records keep their order");
    }
}

fn one_of_many_wins_an_expected_append(log: &dyn Log) {
    for round in 0..20 {
        let wins: usize = thread::scope(|scope| {
            let tries: Vec<_> = (0..WRITERS)
                .map(|_| scope.spawn(move || log.append("a", Expected::Exact(round), &notes(1)).is_ok()))
                .collect();
            tries.into_iter().map(|attempt| usize::from(attempt.join().unwrap_or(false))).sum()
        });
        assert_eq!(wins, 1, "exactly one append may follow record {round}");
    }
}

fn expect_next(subscription: &mut Subscription, seq: u64) {
    match subscription.recv_timeout(PATIENCE) {
        Ok(Some(record)) => assert_eq!(record.seq, seq, "a subscription goes in order with no gap"),
        other => panic!("record {seq} did not reach the subscription: {other:?}"),
    }
}

fn subscription_catches_up_then_follows(log: &dyn Log) {
    let mut early = must("subscribe to a stream to come", log.subscribe("a", 0));
    assert!(must("try_recv", early.try_recv()).is_none(), "nothing yet");
    assert!(must("recv_timeout", early.recv_timeout(Duration::ZERO)).is_none(), "no time, no record");
    fill(log, "a", 3);
    let mut late = must("subscribe", log.subscribe("a", 2));
    let mut beyond = must("subscribe", log.subscribe("a", 4));
    assert_eq!(late.stream(), "a");
    for seq in 1..=3 {
        expect_next(&mut early, seq);
    }
    expect_next(&mut late, 3);
    assert!(must("try_recv", late.try_recv()).is_none(), "the end of the log");
    fill(log, "other", 2);
    assert!(must("try_recv", late.try_recv()).is_none(), "another stream's records do not come");
    fill(log, "a", 2);
    for subscription in [&mut early, &mut late] {
        expect_next(subscription, 4);
        assert_eq!(must("recv", subscription.recv()).seq, 5);
    }
    expect_next(&mut beyond, 5);
}

fn slow_subscription_misses_nothing(log: &dyn Log) {
    let mut slow = must("subscribe", log.subscribe("a", 0));
    fill(log, "a", 1);
    expect_next(&mut slow, 1);
    let count = SUBSCRIPTION_PAGE_RECORDS * 3 + 5;
    fill(log, "a", count);
    for seq in 2..=count as u64 + 1 {
        expect_next(&mut slow, seq);
    }
    assert!(must("try_recv", slow.try_recv()).is_none());
}

fn subscription_wakes_another_thread(log: &dyn Log) {
    let subscriptions: Vec<_> = (0..3).map(|_| must("subscribe", log.subscribe("a", 0))).collect();
    thread::scope(|scope| {
        for mut subscription in subscriptions {
            scope.spawn(move || {
                for seq in 1..=APPENDS {
                    expect_next(&mut subscription, seq);
                }
            });
        }
        for _ in 0..APPENDS {
            fill(log, "a", 1);
        }
    });
}

/// One record goes out only after the one before arrived, so a subscription that only polled would need a poll each.
fn subscription_wakes_without_polling(log: &dyn Log) {
    const TRIPS: u32 = 100;
    let mut subscription = must("subscribe", log.subscribe("a", 0));
    let (arrived, arrivals) = mpsc::channel();
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            for seq in 1..=u64::from(TRIPS) {
                expect_next(&mut subscription, seq);
                must("tell the writer", arrived.send(()));
            }
        });
        for _ in 0..TRIPS {
            fill(log, "a", 1);
            must("hear from the reader", arrivals.recv());
        }
    });
    assert!(start.elapsed() < POLL_INTERVAL * TRIPS / 2, "an append wakes its followers");
}

fn lease_excludes_until_it_expires(leases: &dyn Leases) {
    assert_eq!(must("holder", leases.holder("x", 0)), None);
    let first = must("a free lease", leases.acquire("x", "one", 1_000, 500));
    assert_eq!((first.token, first.expires_ms), (1, 1_500));
    assert_eq!(must("holder", leases.holder("x", 1_499)).as_ref(), Some(&first));
    let refused = leases.acquire("x", "two", 1_499, 500);
    let Err(LeaseError::HeldBy { owner, expires_ms, token, .. }) = &refused else {
        panic!("a held lease must be refused, not {refused:?}")
    };
    assert_eq!((owner.as_str(), *expires_ms, *token), ("one", 1_500, 1));
    must("another name is free", leases.acquire("y", "two", 1_499, 500));
    assert_eq!(must("holder", leases.holder("x", 1_500)), None, "expired at its very millisecond");
    let second = must("an expired lease", leases.acquire("x", "two", 1_500, 500));
    assert_eq!((second.owner.as_str(), second.token), ("two", 2));
    assert!(matches!(leases.renew(&first, 1_600, 500), Err(LeaseError::Lost { token: 1, .. })));
    assert!(matches!(leases.release(&first), Err(LeaseError::Lost { .. })));
    assert_eq!(must("holder", leases.holder("x", 1_600)), Some(second), "a late owner changes nothing");
}

fn lease_renews_while_nobody_took_it(leases: &dyn Leases) {
    let first = must("acquire", leases.acquire("x", "one", 0, 100));
    let again = must("the owner acquires again", leases.acquire("x", "one", 50, 100));
    assert_eq!((again.token, again.expires_ms), (1, 150), "same holding, longer");
    let renewed = must("renew", leases.renew(&first, 90, 200));
    assert_eq!((renewed.token, renewed.expires_ms), (1, 290));
    let late = must("renew after it expired, taken by nobody", leases.renew(&renewed, 900, 100));
    assert_eq!((late.token, late.expires_ms), (1, 1_000));
    assert_eq!(must("holder", leases.holder("x", 999)), Some(late));
}

fn lease_token_grows_with_each_holder(leases: &dyn Leases) {
    let mut last = 0;
    for round in 0..5 {
        let owner = if round % 2 == 0 { "one" } else { "two" };
        let lease = must("acquire", leases.acquire("x", owner, round, 100));
        assert!(lease.token > last, "the token grows over a release");
        last = lease.token;
        must("release", leases.release(&lease));
        assert_eq!(must("holder", leases.holder("x", round)), None, "released");
        assert!(matches!(leases.renew(&lease, round, 1), Err(LeaseError::Lost { .. })));
        assert!(matches!(leases.release(&lease), Err(LeaseError::Lost { .. })), "released only once");
    }
    let same = must("acquire", leases.acquire("x", "one", 100, 10));
    let after = must("the same owner after it expired", leases.acquire("x", "one", 200, 10));
    assert!(after.token > same.token, "a new holding has a new token even for the same owner");
}

fn lease_refuses_nonsense(leases: &dyn Leases) {
    assert!(matches!(leases.acquire("x", "one", 0, 0), Err(LeaseError::TimeToLive { ttl_ms: 0 })));
    assert!(matches!(leases.acquire("", "one", 0, 1), Err(LeaseError::Store(StoreError::EmptyName { .. }))));
    assert!(matches!(leases.acquire("x", "", 0, 1), Err(LeaseError::Store(StoreError::EmptyName { .. }))));
    let long = "n".repeat(MAX_NAME_BYTES + 1);
    assert!(matches!(
        leases.acquire(&long, "one", 0, 1),
        Err(LeaseError::Store(StoreError::TooLarge { .. }))
    ));
    let lease = must("nothing was kept", leases.acquire("x", "two", i64::MAX - 1, i64::MAX));
    assert_eq!((lease.token, lease.expires_ms), (1, i64::MAX), "the end of time does not overflow");
}

fn one_of_many_gets_the_lease(leases: &dyn Leases) {
    let wins: usize = thread::scope(|scope| {
        let tries: Vec<_> = (0..WRITERS)
            .map(|owner| scope.spawn(move || leases.acquire("x", &owner.to_string(), 0, 10).is_ok()))
            .collect();
        tries.into_iter().map(|attempt| usize::from(attempt.join().unwrap_or(false))).sum()
    });
    assert_eq!(wins, 1, "exactly one owner holds a lease");
}
