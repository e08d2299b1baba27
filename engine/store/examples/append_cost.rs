//! What an append costs, in CPU time of this thread, as a ratio to a bare SQLite transaction that inserts one row
//! of the same size; early and late in a log of over 100,000 records. Both are measured in turns, in one process, on
//! files of one folder, so that the machine's moods fall on both.
//!
//! `cargo run --release -p store --example append_cost`

#![expect(clippy::print_stdout, reason = "an example prints what it measured")]

use std::error::Error;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use store::{Expected, Log, NewRecord, SqliteStore};

/// Rounds; each appends `TURN` times for every contender.
const ROUNDS: usize = 40;
/// Appends in a turn.
const TURN: usize = 1_000;
/// Records in the larger of the two appends measured.
const BATCH: usize = 3;

/// CPU time of this thread, in nanoseconds (the first field of Linux's `schedstat`).
fn cpu_ns() -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split_whitespace().next().ok_or("schedstat is empty")?;
    Ok(first.parse()?)
}

/// A record of a usual size, about 500 bytes of JSON.
fn data(number: usize) -> Value {
    json!({
        "candidate": format!("{number:040x}"), "parents": [format!("{:040x}", number / 2)], "proposer": "ast",
        "operator": "swap_comparison", "scores": { "performance": 0.123_456 * number as f64, "size": number },
        "checks": [{ "name": "tests", "passed": true, "reason": null, "cases": "pppppppppppppppppppp" }],
        "outcome": "ok", "isolation": "L2", "cpu_s": 0.043_21, "wall_s": 0.051, "memory_bytes": 18_874_368,
        "rationale": "the comparison in line 41 is off by one at the upper end of the range",
    })
}

fn records(first: usize, count: usize) -> Vec<NewRecord> {
    let record =
        |number| NewRecord { kind: "evaluated".to_owned(), time_ms: number as i64, data: data(number) };
    (first..first + count).map(record).collect()
}

fn bare(path: &Path) -> Result<Connection, Box<dyn Error>> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, data TEXT NOT NULL)")?;
    Ok(connection)
}

fn bare_insert(connection: &Connection, text: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    connection.prepare_cached("INSERT INTO t (data) VALUES (?1)")?.execute([text])?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// Nanoseconds of CPU that each of `TURN` calls took on average.
fn turn(mut call: impl FnMut(usize) -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let start = cpu_ns()?;
    for number in 0..TURN {
        call(number)?;
    }
    Ok((cpu_ns()? - start) as f64 / TURN as f64)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let bare = bare(&folder.path().join("bare.sqlite"))?;
    let open = |name: &str| SqliteStore::open(&folder.path().join(name));
    // Each case has a file of its own, as a run whose stream is the newest in its file; the last case appends to a
    // stream in front of another one, as when several runs are at work at once.
    let (singly, batched, shared) = (open("1.sqlite")?, open("3.sqlite")?, open("2 streams.sqlite")?);
    let text = data(1_000).to_string();
    let one = records(1_000, 1);
    let several = records(1_000, BATCH);
    shared.append("older", Expected::NoStream, &one)?;
    shared.append("newer", Expected::NoStream, &records(0, TURN))?;

    let mut of_bare = Vec::new();
    let mut cases =
        ["append of 1 record", "append of 3 records", "the same, older stream", "read of the newest"]
            .map(|name| (name, Vec::new()));
    let mut last = 0;
    for _ in 0..ROUNDS {
        of_bare.push(turn(|_| Ok(bare_insert(&bare, &text)?))?);
        cases[0].1.push(turn(|_| Ok(singly.append("run", Expected::Any, &one).map(drop)?))?);
        cases[1].1.push(turn(|_| {
            last = batched.append("run", Expected::Exact(last), &several)?;
            Ok(())
        })?);
        cases[2].1.push(turn(|_| Ok(shared.append("older", Expected::Any, &several).map(drop)?))?);
        let end = last;
        cases[3].1.push(turn(|_| Ok(batched.read("run", end - 1, 1).map(drop)?))?);
    }

    let base = mean(&of_bare);
    let tenth = ROUNDS / 10;
    let ends = |values: &[f64]| (mean(&values[..tenth]) / 1e3, mean(&values[ROUNDS - tenth..]) / 1e3);
    println!(
        "{ROUNDS} turns of {TURN}; a record has {} bytes of JSON; {last} records at the end",
        text.len()
    );
    let (early, late) = ends(&of_bare);
    println!(
        "bare one-row transaction  1.00  {:5.1} us (first tenth {early:.1}, last {late:.1})",
        base / 1e3
    );
    for (name, values) in &cases {
        let (early, late) = ends(values);
        let (ratio, all) = (mean(values) / base, mean(values) / 1e3);
        println!("{name:<24} {ratio:>5.2}  {all:>5.1} us (first tenth {early:.1}, last {late:.1})");
    }
    Ok(())
}
