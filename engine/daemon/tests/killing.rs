//! Runs killed at random moments, two hundred times, and taken up again: every event that was once read stays as it was,
//! nothing is evaluated twice in the record, and each run comes to the end of its budget.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::darwind;
use tempfile::TempDir;

/// How often a process is killed.
const KILLS: u32 = 200;
/// Evaluations of one run.
const EVALUATIONS: u64 = 150;
/// The longest that a process lives before it is killed, in milliseconds: some die before they begin, some late. On a
/// machine that is busy it becomes longer, until one process in three gets nowhere.
const LONGEST_MS: u64 = 700;
/// The part of itself by which that becomes longer after a process that got nowhere, and shorter after another.
const LONGER_BY: u64 = 8;
const SHORTER_BY: u64 = 16;

const PROGRAM: &str = "def middle(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 3]\n\ndef area(a, b):\n    return a + b\n";
const CASES: &str = r#"[{"function": "middle", "args": [[3, 1, 2]], "expected": 2},
    {"function": "middle", "args": [[5, 4, 3, 2, 1]], "expected": 4}, {"function": "middle", "args": [[1]], "expected": 3},
    {"function": "area", "args": [2, 3], "expected": 6}, {"function": "area", "args": [1, 1], "expected": 7}]"#;
const CONFIGURATION: &str = "[target]\nname = \"middle\"\nfiles = [\"program.py\"]\n[[objective]]\nname = \"accuracy\"\nkind = \"pass_rate\"\ncases = \"cases.json\"\n[budget]\ntime = \"10m\"\n";

/// A stretch of time to let a process live, different each time and the same in each run of this test.
fn moment(turn: u32, longest_ms: u64) -> Duration {
    let mixed = (u64::from(turn) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Duration::from_millis((mixed ^ (mixed >> 29)) % longest_ms)
}

fn start(data: &Path, target: &Path, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_darwind"))
        .arg("run")
        .arg(target)
        .args(words)
        .args(["--json", "--listen", "none"])
        .env("DARWIND_DATA_DIR", data)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The newest run's events, one line of JSON each; none when there is no run yet.
fn events(data: &Path) -> Vec<String> {
    let output = darwind(data).args(["export", "last", "--format", "jsonl"]).output().unwrap();
    if output.status.success() {
        return String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    }
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("no runs"), "{message}");
    Vec::new()
}

/// What every log must hold, however often its writer was killed.
fn hold(events: &[String]) {
    let mut evaluated = BTreeSet::new();
    for (seq, line) in (1u64..).zip(events) {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["seq"], seq, "a gap");
        if event["event_type"] == "validation_completed" {
            let (number, purpose) = (&event["data"]["number"], &event["data"]["purpose"]);
            if purpose == "judge" || purpose == "baseline" {
                assert!(evaluated.insert(number.to_string()), "{number} was evaluated twice: {line}");
            }
        }
    }
}

#[test]
fn two_hundred_kills_lose_nothing() {
    let (data, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for (name, text) in [("program.py", PROGRAM), ("cases.json", CASES), ("darwind.toml", CONFIGURATION)] {
        std::fs::write(target.path().join(name), text).unwrap();
    }
    let budget = EVALUATIONS.to_string();
    let (mut seed, mut finished) = (0u64, 0u32);
    let mut known: Vec<String> = Vec::new();
    let (mut turn, mut longest_ms) = (0, LONGEST_MS);
    while turn < KILLS {
        let seed_word = seed.to_string();
        let fresh = ["--evaluations", budget.as_str(), "--seed", seed_word.as_str()];
        let words: &[&str] = if known.is_empty() { &fresh } else { &["--resume"] };
        let mut run = start(data.path(), target.path(), words);
        // The random moment is what is tested; nothing is waited for.
        std::thread::sleep(moment(turn, longest_ms));
        let over = run.try_wait().unwrap();
        if over.is_none() {
            run.kill().unwrap();
            turn += 1;
        }
        let output = run.wait_with_output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() == Some(3) {
            println!("skipped: {message}");
            return;
        }
        if let Some(status) = over {
            assert!(status.success(), "resuming fails: {message}");
        }
        let now = events(data.path());
        hold(&now);
        let same_run = known.is_empty() || now.first() == known.first();
        assert!(same_run && now.len() >= known.len(), "events are gone");
        assert_eq!(now.get(..known.len()), Some(known.as_slice()), "what was read once has changed");
        if now.len() == known.len() {
            longest_ms += longest_ms / LONGER_BY;
        } else {
            longest_ms = (longest_ms - longest_ms / SHORTER_BY).max(LONGEST_MS);
        }
        known = now;
        let ended = known.last().is_some_and(|last| last.contains(r#""event_type":"run_finished""#));
        if ended {
            let replay = darwind(data.path()).args(["replay", "last", "--json"]).output().unwrap();
            assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stdout));
            let judged = |line: &&String| {
                line.contains(r#""event_type":"validation_completed""#)
                    && line.contains(r#""purpose":"judge""#)
            };
            assert_eq!(known.iter().filter(judged).count() as u64, EVALUATIONS);
            finished += 1;
            seed += 1;
            known.clear();
        }
    }
    println!("{KILLS} kills across {} runs, {finished} of them to their end", seed + 1);
    assert!(finished > 1, "the moments were too early to get anywhere");
}
