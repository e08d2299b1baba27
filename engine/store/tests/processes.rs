//! Several processes on one file, and a process that is killed at any moment.
//!
//! A child process is this test binary again, asked for its one ignored test, which does what the environment says
//! and acknowledges each append on standard output. The parent never waits by the clock: it reads that output.

use std::env;
use std::io::{BufRead, BufReader, Lines, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use store::{Expected, Leases, Log, NewRecord, Record, SqliteStore};

const FILE: &str = "STORE_TEST_FILE";
const APPENDS: &str = "STORE_TEST_APPENDS";
const ACKNOWLEDGED: &str = "acknowledged ";
const STREAM: &str = "run";
/// Bytes of text in a record, so that a few hundred appends fill the write-ahead log and bring on checkpoints.
const TEXT_BYTES: usize = 2_000;

/// How long a record of another process may take before the test calls the subscription stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// A batch of one to four records that tell their batch, so that half a batch can be seen.
fn batch(number: u64) -> Vec<NewRecord> {
    let size = number % 4 + 1;
    let record = |index| NewRecord {
        kind: "tick".to_owned(),
        time_ms: number.cast_signed(),
        data: json!({ "batch": number, "index": index, "of": size, "text": "x".repeat(TEXT_BYTES) }),
    };
    (0..size).map(record).collect()
}

/// The child's part; without its environment it is no test of anything.
#[test]
#[ignore = "the body of the child processes that the other tests start"]
fn child() {
    let Ok(file) = env::var(FILE) else { return };
    let appends: u64 = env::var(APPENDS).unwrap().parse().unwrap();
    let store = SqliteStore::open(Path::new(&file)).unwrap();
    let mut out = std::io::stdout().lock();
    for number in 0..appends {
        let last = store.append(STREAM, Expected::Any, &batch(number)).unwrap();
        // The leading line break ends what the test harness has written on the line.
        writeln!(out, "\n{ACKNOWLEDGED}{last}").unwrap();
        out.flush().unwrap();
    }
}

struct Appender {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Appender {
    fn start(file: &Path, appends: u64) -> std::io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FILE, file)
            .env(APPENDS, appends.to_string())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| std::io::Error::other("no standard output"))?;
        Ok(Self { child, lines: BufReader::new(stdout).lines() })
    }

    /// The next acknowledged sequence number, `None` at the end of the child's output.
    fn next(&mut self) -> Option<u64> {
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some(seq) = line.strip_prefix(ACKNOWLEDGED) {
                return seq.parse().ok();
            }
        }
    }

    /// Sends SIGKILL, then reads what the child had still acknowledged; answers the newest.
    fn kill(mut self) -> std::io::Result<Option<u64>> {
        self.child.kill()?;
        self.child.wait()?;
        let mut newest = None;
        while let Some(seq) = self.next() {
            newest = Some(seq);
        }
        Ok(newest)
    }

    fn finish(mut self) -> bool {
        while self.next().is_some() {}
        self.child.wait().is_ok_and(|status| status.success())
    }
}

/// Every record is there once, in order, and every batch is whole.
fn check_whole(store: &SqliteStore) {
    let (mut next, mut open_batch) = (1, None);
    let mut visit = |record: Record| {
        assert_eq!(record.seq, next);
        next += 1;
        let (index, of) = (record.data["index"].as_u64(), record.data["of"].as_u64());
        let (Some(index), Some(of)) = (index, of) else { panic!("not a record of this test: {record:?}") };
        assert_eq!(index, open_batch.unwrap_or(0), "half a batch before record {}", record.seq);
        assert_eq!(record.data["text"].as_str().map(str::len), Some(TEXT_BYTES));
        open_batch = if index + 1 == of { None } else { Some(index + 1) };
        ControlFlow::Continue(())
    };
    assert!(store.replay(STREAM, 0, &mut visit).is_ok());
    assert_eq!(open_batch, None, "half a batch at the end");
}

/// A small generator with a seed (Knuth's MMIX constants), to choose when to kill.
struct Choice(u64);

impl Choice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn kill_at_any_moment_loses_nothing_acknowledged() {
    let mut choice = Choice(20_240_607);
    let folder = tempfile::tempdir().unwrap();
    let mut file = folder.path().join("0.sqlite");
    let (mut kills, mut acknowledged) = (0, 0);
    for round in 0..60_u64 {
        if round % 6 == 0 {
            file = folder.path().join(format!("{round}.sqlite"));
        }
        // In half of the rounds this process has the file open too, so the dead one's locks and shared memory
        // are taken over by a living connection rather than recovered by a new one.
        let company = (round % 2 == 1).then(|| SqliteStore::open(&file).unwrap());
        let appends = if round % 6 == 2 { 100 + choice.below(1_500) } else { choice.below(60) };
        let mut child = Appender::start(&file, u64::MAX).unwrap();
        let mut newest = 0;
        for _ in 0..appends {
            newest = child.next().expect("the child appends for ever");
        }
        newest = child.kill().unwrap().unwrap_or(newest);
        kills += 1;
        acknowledged += appends;

        let store = company.unwrap_or_else(|| SqliteStore::open(&file).unwrap());
        let last = store.last_seq(STREAM).unwrap();
        assert!(last >= newest, "round {round}: record {newest} was acknowledged, the log ends at {last}");
        check_whole(&store);
        store.verify().unwrap();
        let next = store.append(STREAM, Expected::Exact(last), &batch(round)).unwrap();
        assert_eq!(next, last + batch(round).len() as u64);
    }
    println!("{kills} kills after at least {acknowledged} acknowledged appends, none lost");
}

#[test]
fn kill_while_a_new_file_is_opened_leaves_an_openable_file() {
    /// Turns of an empty loop that last about as long as a child takes to open a new file.
    const SPINS: u64 = 60_000;
    let mut choice = Choice(7);
    let folder = tempfile::tempdir().unwrap();
    let (mut untouched, mut begun, mut written) = (0, 0, 0);
    for round in 0..60 {
        let file = folder.path().join(format!("{round}.sqlite"));
        let mut child = Appender::start(&file, u64::MAX).unwrap();
        // The harness's own first lines: from here on the child opens the file.
        while !child.lines.next().unwrap().unwrap().starts_with("running") {}
        for _ in 0..choice.below(SPINS) {
            std::hint::spin_loop();
        }
        let newest = child.kill().unwrap().unwrap_or(0);
        match (file.exists(), newest) {
            (false, _) => untouched += 1,
            (true, 0) => begun += 1,
            (true, _) => written += 1,
        }
        let store = SqliteStore::open(&file).unwrap();
        let last = store.last_seq(STREAM).unwrap();
        assert!(last >= newest, "round {round}: record {newest} was acknowledged, the log ends at {last}");
        check_whole(&store);
        store.verify().unwrap();
        store.append(STREAM, Expected::Exact(last), &batch(1)).unwrap();
    }
    println!("killed before the file was made: {untouched}, before an append: {begun}, later: {written}");
}

#[test]
fn subscription_sees_another_process() {
    const COUNT: u64 = 300;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.sqlite");
    let store = SqliteStore::open(&file).unwrap();
    let mut subscription = store.subscribe(STREAM, 0).unwrap();
    let start = Instant::now();
    let child = Appender::start(&file, COUNT).unwrap();
    let total: u64 = (0..COUNT).map(|number| batch(number).len() as u64).sum();
    for seq in 1..=total {
        let record = subscription.recv_timeout(PATIENCE).unwrap().expect("the child appends");
        assert_eq!(record.seq, seq);
    }
    assert!(start.elapsed() < PATIENCE / 2, "it looks into the log rather than wait its whole time");
    assert!(child.finish());
    assert!(subscription.try_recv().unwrap().is_none());
}

#[test]
fn processes_that_open_and_append_at_once_leave_no_gap() {
    const COUNT: u64 = 60;
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let file = folder.path().join(format!("{round}.sqlite"));
        let children: Vec<_> = (0..6).map(|_| Appender::start(&file, COUNT).unwrap()).collect();
        for child in children {
            assert!(child.finish(), "a child failed");
        }
        let store = SqliteStore::open(&file).unwrap();
        let each: u64 = (0..COUNT).map(|number| batch(number).len() as u64).sum();
        assert_eq!(store.last_seq(STREAM).unwrap(), 6 * each);
        check_whole(&store);
    }
}

#[test]
fn lease_of_one_connection_binds_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.sqlite");
    let (one, other) = (SqliteStore::open(&file).unwrap(), SqliteStore::open(&file).unwrap());
    let lease = one.acquire("run", "one", 0, 100).unwrap();
    assert!(other.acquire("run", "other", 50, 100).is_err());
    assert_eq!(other.holder("run", 50).unwrap().as_ref(), Some(&lease));
    one.release(&lease).unwrap();
    assert_eq!(other.acquire("run", "other", 50, 100).unwrap().token, 2);
    assert!(one.renew(&lease, 60, 100).is_err());
}
