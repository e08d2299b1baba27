//! Whole runs of a small real target by the binary: the exact JSON, interruption and resumption, and machines that lack
//! something. A run here takes seconds; what it finds is other tests' business.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{darwind, json, refused};
use tempfile::TempDir;

const PROGRAM: &str = "
def grade(points):
    if points > 90:
        return 'A'
    if points >= 80:
        return 'B'
    if points >= 70:
        return 'C'
    return 'F'


def total(values):
    result = 1
    for value in values:
        result += value
    return result
";

const CONFIGURATION: &str = r#"
[target]
name = "grades"
files = ["grades.py"]
[[objective]]
name = "accuracy"
kind = "pass_rate"
cases = "cases.json"
weight = 1.0
[[objective]]
name = "size"
kind = "code_size"
weight = 0.1
"#;

fn target() -> TempDir {
    let folder = TempDir::new().unwrap();
    let cases = serde_json::json!([
        {"function": "grade", "args": [95], "expected": "A"},
        {"function": "grade", "args": [90], "expected": "A"},
        {"function": "grade", "args": [85], "expected": "B"},
        {"function": "grade", "args": [10], "expected": "F"},
        {"function": "total", "args": [[1, 2, 3]], "expected": 6},
        {"function": "total", "args": [[]], "expected": 0},
    ]);
    std::fs::write(folder.path().join("grades.py"), PROGRAM).unwrap();
    std::fs::write(folder.path().join("cases.json"), cases.to_string()).unwrap();
    std::fs::write(folder.path().join("darwind.toml"), CONFIGURATION).unwrap();
    folder
}

#[test]
fn a_run_prints_one_json_object_with_every_field() {
    let (data, target) = (TempDir::new().unwrap(), target());
    let words = ["--evaluations", "8", "--seed", "5", "--workers", "2", "--listen", "none", "--json"];
    let output = darwind(data.path()).arg("run").arg(target.path()).args(words).output().unwrap();
    if refused(&output) {
        return;
    }
    let summary = json(&output);
    for key in [
        "run_id",
        "target",
        "seed",
        "stopped_by",
        "evaluations",
        "proposals",
        "duplicates",
        "viable",
        "rejected",
        "accepted",
        "wall_s",
        "evaluator_s",
        "overhead_s",
        "isolation",
        "objectives",
        "baseline",
        "best",
        "front",
        "hypervolume",
        "champion_history",
        "data_dir",
        "proposal_outcomes",
    ] {
        assert!(!summary[key].is_null(), "{key}: {summary}");
    }
    assert_eq!((summary["seed"].as_u64(), summary["stopped_by"].as_str()), (Some(5), Some("evaluations")));
    assert_eq!(summary["evaluations"], 8);
    let outcomes = summary["proposal_outcomes"].as_object().unwrap();
    let answers: u64 = outcomes.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(Some(answers), summary["proposals"].as_u64(), "every answer has one outcome");
    for name in ["applied", "duplicate", "no_change", "does_not_apply", "refused", "failed"] {
        assert!(outcomes.contains_key(name), "{name}");
    }
    assert!(summary["baseline"]["scores"]["accuracy"].is_number(), "{summary}");
    assert!(summary["best"]["improvement"]["accuracy"].is_number(), "{summary}");
    assert_eq!(summary["objectives"][0]["direction"], "maximize");
    let findings = json(&darwind(data.path()).args(["replay", "last", "--json"]).output().unwrap());
    assert_eq!(findings["ok"], true, "{findings}");
    let diff = darwind(data.path()).args(["diff", "1"]).output().unwrap();
    assert!(String::from_utf8(diff.stdout).unwrap().contains("grades.py"));
}

#[test]
fn a_person_reads_a_report() {
    let (data, target) = (TempDir::new().unwrap(), target());
    let words = ["--evaluations", "4", "--seed", "5", "--listen", "127.0.0.1:0"];
    let output = darwind(data.path()).arg("run").arg(target.path()).args(words).output().unwrap();
    if refused(&output) {
        return;
    }
    let (report, notes) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    for part in ["grades · run", "accuracy", "Proposals", "Evaluated  4", "isolation L"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(!report.contains('\u{1b}'), "no colours where no terminal is");
    assert_eq!(notes.lines().count(), 1, "{notes}");
    assert!(notes.contains("dashboard: http://127.0.0.1:"), "{notes}");
}

/// Follows the log of the newest run until an event comes by that fits.
fn follow_until(data: &Path, fits: impl Fn(&Value) -> bool) {
    let mut follower = Command::new(env!("CARGO_BIN_EXE_darwind"))
        .args(["log", "last", "--follow", "--json"])
        .env("DARWIND_DATA_DIR", data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let found = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).any(|event| fits(&event));
    let _ = follower.kill();
    let _ = follower.wait();
    assert!(found, "the run ended before");
}

#[test]
fn an_interrupted_run_is_saved_and_resumed_to_the_same_budget() {
    let (data, target) = (TempDir::new().unwrap(), target());
    let run = Command::new(env!("CARGO_BIN_EXE_darwind"))
        .arg("run")
        .arg(target.path())
        .args(["--evaluations", "60", "--seed", "3", "--workers", "1"])
        .env("DARWIND_DATA_DIR", data.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The log appears with the run's first event; before that there is nothing to follow.
    let store = data.path().join("darwind.sqlite");
    let begun = || {
        let log = store::SqliteStore::open(&store).ok()?;
        store::Log::streams(&log).ok()?.pop()
    };
    let mut run = run;
    while begun().is_none() {
        if run.try_wait().unwrap().is_some() {
            let output = run.wait_with_output().unwrap();
            assert!(refused(&output), "{}", String::from_utf8_lossy(&output.stderr));
            return;
        }
        std::thread::yield_now();
    }
    follow_until(data.path(), |event| event["event_type"] == "improvement_proposed");
    let interrupted = Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("darwind resume"));
    let resumed =
        darwind(data.path()).arg("run").arg(target.path()).args(["--resume", "--json"]).output().unwrap();
    let summary = json(&resumed);
    assert_eq!(summary["seed"], 3);
    let ended = summary["stopped_by"].as_str().unwrap();
    assert!(matches!(ended, "evaluations" | "goal"), "{summary}");
    if ended == "evaluations" {
        assert_eq!(summary["evaluations"], 60, "{summary}");
    }
    let again = darwind(data.path()).arg("run").arg(target.path()).arg("--resume").output().unwrap();
    assert_eq!(again.status.code(), Some(1), "nothing is left to resume");
    let over = darwind(data.path()).args(["resume", "last"]).output().unwrap();
    assert_eq!(over.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&over.stderr).contains("is over"));
}

/// The interpreter behind whatever `python3` on PATH is.
fn interpreter() -> Option<PathBuf> {
    let words = ["-c", "import os, sys; print(os.path.realpath(sys.executable))"];
    let output =
        Command::new("python3").args(words).output().ok().filter(|output| output.status.success())?;
    Some(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()))
}

#[test]
fn a_machine_without_git_runs_all_the_same() {
    let Some(python) = interpreter() else {
        println!("skipped: there is no python3 on PATH");
        return;
    };
    let (data, target, tools) = (TempDir::new().unwrap(), target(), TempDir::new().unwrap());
    let shim = format!("#!/bin/sh\nexec {} \"$@\"\n", python.display());
    let path = tools.path().join("python3");
    std::fs::write(&path, shim).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let words = ["--evaluations", "1", "--json"];
    let output = darwind(data.path())
        .env("PATH", tools.path())
        .env_remove("VIRTUAL_ENV")
        .arg("run")
        .arg(target.path())
        .args(words)
        .output()
        .unwrap();
    if refused(&output) {
        return;
    }
    assert_eq!(json(&output)["evaluations"], 1);
}

#[test]
fn a_machine_without_python_says_so() {
    let (data, target, empty) = (TempDir::new().unwrap(), target(), TempDir::new().unwrap());
    for words in [&["run"][..], &["check"]] {
        let output = darwind(data.path())
            .env("PATH", empty.path())
            .env_remove("VIRTUAL_ENV")
            .args(words)
            .arg(target.path())
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{message}");
        assert!(message.contains("Install Python 3"), "{message}");
    }
    let mut doctor = darwind(data.path());
    doctor.env("PATH", empty.path()).env_remove("VIRTUAL_ENV").args(["doctor", "--json"]);
    let answer: Value = serde_json::from_slice(&doctor.output().unwrap().stdout).unwrap();
    let rows = answer["tools"].as_array().unwrap();
    let status = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap()["status"].clone();
    assert_eq!((status("python"), status("git")), ("open".into(), "partial".into()));
    assert_eq!(answer["ok"], false);
}

#[test]
fn a_baseline_that_cannot_be_measured_ends_with_1() {
    let (data, target) = (TempDir::new().unwrap(), target());
    std::fs::write(target.path().join("grades.py"), "def grade(points:\n").unwrap();
    let output =
        darwind(data.path()).arg("run").arg(target.path()).args(["--evaluations", "2"]).output().unwrap();
    if refused(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!output.stderr.is_empty());
}
