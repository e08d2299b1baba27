//! Commands to a run that another process drives: heard through the store, answered in the log. Here the test's own
//! process drives, so that every step is in its hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use conductor::{ControlRequest, control_stream};
use evolution::candidate::Evaluation;
use evolution::event::{Command as Pinning, Event};
use evolution::id::{BASELINE, RunId};
use evolution::ports::{EvaluationRequest, Evaluator, EvaluatorError};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use store::{Expected, Leases, Log, NewRecord, SqliteStore};
use support::{RUN, Reader, begin, darwind, json};
use tempfile::TempDir;

/// Longer than any of these tests takes.
const LEASE_MS: i64 = 3_600_000;

/// Evaluates when it is allowed to, once a permit.
struct Gate(Receiver<()>);

impl Evaluator for Gate {
    fn evaluate(&mut self, request: &EvaluationRequest) -> Result<Evaluation, EvaluatorError> {
        // Without permits the test is over, and the rest may go as it likes.
        let _ = self.0.recv();
        Reader.evaluate(request)
    }
}

/// A run that this process drives.
struct Driven {
    data: TempDir,
    _target: TempDir,
    permits: Sender<()>,
    events: Receiver<&'static str>,
    driver: JoinHandle<()>,
}

fn drive() -> Driven {
    let (data, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (permits, gate) = channel();
    let (sender, events) = channel();
    let conductor = begin(data.path(), target.path(), Box::new(Gate(gate)));
    hold_lease(data.path());
    let driver = std::thread::spawn(move || {
        let watch = &mut |_: &_, event: &Event| {
            let _ = sender.send(event.name());
        };
        conductor.drive(watch).unwrap();
    });
    Driven { data, _target: target, permits, events, driver }
}

fn hold_lease(data: &Path) {
    let store = SqliteStore::open(&data.join("darwind.sqlite")).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    store.acquire(&format!("run/{RUN}"), "the test", i64::try_from(now).unwrap(), LEASE_MS).unwrap();
}

impl Driven {
    fn json(&self, words: &[&str]) -> serde_json::Value {
        json(&darwind(self.data.path()).args(words).arg("--json").output().unwrap())
    }

    fn wait_for(&self, name: &str) {
        while self.events.recv().unwrap() != name {}
    }
}

fn follower(data: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_darwind"))
        .args(["log", "last", "--follow", "--json"])
        .env("DARWIND_DATA_DIR", data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_driven_run_is_paused_resumed_followed_and_stopped() {
    let run = drive();
    run.permits.send(()).unwrap();
    run.wait_for("champion_changed");
    let shown = run.json(&["show"]);
    assert_eq!((shown["state"].as_str(), shown["driven"].as_bool()), (Some("running"), Some(true)));

    let paused = run.json(&["pause", "last", "--reason", "the cores are needed"]);
    assert_eq!((paused["ok"].as_bool(), paused["state"].as_str()), (Some(true), Some("paused")), "{paused}");
    let again = darwind(run.data.path()).args(["pause", "last"]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("paused already"));

    let resumed = run.json(&["resume", "last"]);
    assert_eq!(
        (resumed["ok"].as_bool(), resumed["state"].as_str()),
        (Some(true), Some("running")),
        "{resumed}"
    );

    let mut follower = follower(run.data.path());
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    run.permits.send(()).unwrap();
    let seen = lines.by_ref().map(|line| line.unwrap()).find(|line| line.contains("\"resume_evolution\""));
    assert!(seen.is_some(), "the follower sees what another process appends");

    let stopped = run.json(&["stop", "last"]);
    assert_eq!(
        (stopped["ok"].as_bool(), stopped["state"].as_str()),
        (Some(true), Some("stopped")),
        "{stopped}"
    );
    drop(run.permits);
    run.driver.join().unwrap();
    let last = lines.map(|line| line.unwrap()).last().unwrap();
    assert!(last.contains("run_finished"), "{last}");
    assert!(follower.wait().unwrap().success());
}

#[test]
fn a_driven_run_is_rolled_back_and_measured_again() {
    let run = drive();
    for _ in 0..4 {
        run.permits.send(()).unwrap();
    }
    run.wait_for("champion_changed");
    run.wait_for("champion_changed");
    let rollback = Command::new(env!("CARGO_BIN_EXE_darwind"))
        .args(["rollback", "last", "0", "--reason", "keep it simple", "--json"])
        .env("DARWIND_DATA_DIR", run.data.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Only once it is heard may the run go on, or it could be over before: the measurement needs permits too.
    run.wait_for("control_received");
    for _ in 0..40 {
        run.permits.send(()).unwrap();
    }
    let answer = json(&rollback.wait_with_output().unwrap());
    assert_eq!(
        (answer["ok"].as_bool(), answer["rollback"]["verified"].as_bool()),
        (Some(true), Some(true)),
        "{answer}"
    );
    let shown = run.json(&["show"]);
    let baseline = serde_json::Value::from(format!("{RUN}-0"));
    let times = shown["champion_history"].as_array().unwrap().iter().filter(|one| **one == baseline).count();
    assert_eq!(times, 2, "champion at first and by the rollback: {}", shown["champion_history"]);
    let nobody = darwind(run.data.path()).args(["rollback", "last", "4711"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("has no candidate 4711"));
    drop(run.permits);
    run.driver.join().unwrap();
    let findings = json(&darwind(run.data.path()).args(["replay", "last", "--json"]).output().unwrap());
    assert_eq!(findings["ok"], true, "commands leave the decisions as the seed gives them: {findings}");
}

#[test]
fn a_pinned_champion_stays_whatever_is_found() {
    let run = drive();
    run.permits.send(()).unwrap();
    run.wait_for("champion_changed");
    let store = SqliteStore::open(&run.data.path().join("darwind.sqlite")).unwrap();
    let name = RunId::new(RUN);
    let modification_id = name.candidate(BASELINE);
    let (id, reason) = ("pin".to_owned(), "it is known to work".to_owned());
    let request = ControlRequest { id, command: Pinning::Pin { modification_id }, reason };
    let data = serde_json::to_value(&request).unwrap();
    let record = NewRecord { kind: "control".to_owned(), time_ms: 0, data };
    store.append(&control_stream(&name), Expected::Any, &[record]).unwrap();
    run.wait_for("control_received");
    drop(run.permits);
    run.driver.join().unwrap();
    let state = conductor::replay_state(&store, &name).unwrap();
    assert!(state.counters.accepted > 0, "something better was found: {:?}", state.counters);
    assert_eq!((state.pinned, state.champion_history.as_slice()), (true, [BASELINE].as_slice()));
    let findings = json(&darwind(run.data.path()).args(["replay", "last", "--json"]).output().unwrap());
    assert_eq!(findings["ok"], true, "{findings}");
}
