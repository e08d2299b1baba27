//! The commands that read a stored run, from outside: their JSON, their text, and what they say about names that fit
//! nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use support::{RUN, darwind, json, store_run};
use tempfile::TempDir;

struct Stored {
    data: TempDir,
    target: TempDir,
}

impl Stored {
    fn new() -> Self {
        let stored = Self { data: TempDir::new().unwrap(), target: TempDir::new().unwrap() };
        store_run(stored.data.path(), stored.target.path());
        stored
    }

    fn json(&self, words: &[&str]) -> Value {
        json(&darwind(self.data.path()).args(words).arg("--json").output().unwrap())
    }

    fn text(&self, words: &[&str]) -> String {
        let output = darwind(self.data.path()).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, words: &[&str]) -> (i32, String) {
        let output = darwind(self.data.path()).args(words).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

#[test]
fn a_run_is_listed_and_shown() {
    let stored = Stored::new();
    let runs = stored.json(&["runs"]);
    assert_eq!(runs[0]["run_id"], RUN);
    assert_eq!((runs[0]["state"].as_str(), runs[0]["driven"].as_bool()), (Some("finished"), Some(false)));
    assert_eq!(runs[0]["evaluations"], 12);
    let shown = stored.json(&["show", "0123"]);
    assert_eq!(shown["agent_id"], "toy");
    assert_eq!(shown["stopped_by"], "evaluations");
    assert_eq!(shown["counters"]["evaluations"], 12);
    assert_eq!(shown["baseline"]["scores"]["performance"], 100.0);
    // Speeds 99 down to 88; those that five divides fail, so 88 is the best.
    assert_eq!(shown["best"]["scores"]["performance"], 88.0);
    assert!((shown["best"]["improvement"]["performance"].as_f64().unwrap() - 0.12).abs() < 1e-12);
    assert_eq!(shown["champion"]["candidate_id"], format!("{RUN}-12"));
    assert_eq!(shown["counters"]["gates"]["tests"], 2);
    assert!(stored.text(&["show"]).contains("performance"));
    assert!(stored.text(&["runs"]).contains("toy"));
}

#[test]
fn front_best_and_lineage_agree() {
    let stored = Stored::new();
    let front = stored.json(&["front", "last"]);
    assert_eq!(front["front"][0]["candidate_id"], format!("{RUN}-12"));
    assert_eq!(front["front"][0]["champion"], true);
    assert_eq!(stored.json(&["best"])["candidate_id"], front["front"][0]["candidate_id"]);
    let lineage = stored.json(&["lineage", "--all"]);
    assert_eq!(lineage["total"], 13);
    assert_eq!(lineage["candidates"].as_array().unwrap().len(), 13);
    let text = stored.text(&["lineage"]);
    assert!(text.lines().next().unwrap().starts_with(&format!("{RUN}-0")), "{text}");
    assert!(text.contains(&format!("{RUN}-12 ★ champion")), "{text}");
    let rejected: Vec<&Value> =
        lineage["candidates"].as_array().unwrap().iter().filter(|one| one["state"] == "rejected").collect();
    assert_eq!(rejected.len(), 2);
    assert_eq!(rejected[0]["gate"], "tests");
}

#[test]
fn the_exported_log_is_exact() {
    let stored = Stored::new();
    let lines = stored.text(&["export", "last", "--format", "jsonl"]);
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["seq"].as_u64(), Some(index as u64 + 1), "sequence numbers have no gap");
        let timestamp = event["timestamp"].as_str().unwrap();
        assert!(
            timestamp.len() == 24 && timestamp.ends_with('Z') && timestamp.as_bytes()[10] == b'T',
            "{timestamp}"
        );
        assert!(event["data"].is_object());
        let keys: Vec<&String> = event.as_object().unwrap().keys().collect();
        let known = ["seq", "event_type", "timestamp", "modification_id", "data"];
        assert!(keys.iter().all(|key| known.contains(&key.as_str())), "{keys:?}");
    }
    assert_eq!(events[0]["event_type"], "run_started");
    assert_eq!(events.last().unwrap()["event_type"], "run_finished");
    let proposed = events.iter().find(|event| event["event_type"] == "improvement_proposed").unwrap();
    assert_eq!(proposed["modification_id"], format!("{RUN}-1"));
    assert_eq!(stored.text(&["log", "--json"]), lines, "log and export write the same");
    assert_eq!(stored.text(&["log", "--json", "--follow"]), lines, "a finished run ends the following");
    assert_eq!(stored.text(&["log"]).lines().count(), events.len());
    assert_eq!(stored.text(&["log", "--after", "3"]).lines().count(), events.len() - 3);
}

#[test]
fn the_table_has_a_row_for_every_candidate() {
    let stored = Stored::new();
    let table = stored.text(&["export", "last", "--format", "csv"]);
    let rows: Vec<&str> = table.split("\r\n").filter(|row| !row.is_empty()).collect();
    assert_eq!(rows.len(), 14);
    assert!(rows[0].ends_with("score:performance,improvement:performance"), "{}", rows[0]);
    assert!(rows[13].contains("\"speed 88, \"\"quicker\"\" than before\""), "{}", rows[13]);
    let file = stored.target.path().join("table.csv");
    stored.text(&["export", "last", "--format", "csv", "--output", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), table);
}

#[test]
fn the_bundle_is_a_repository() {
    if Command::new("git").arg("--version").output().is_err() {
        println!("skipped: git is not installed");
        return;
    }
    let stored = Stored::new();
    let bundle = stored.target.path().join("run.bundle");
    stored.text(&["export", "last", "--format", "bundle", "--output", bundle.to_str().unwrap()]);
    let clone = stored.target.path().join("clone");
    let git = |words: &[&str], folder: &Path| {
        let output = Command::new("git").args(words).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["clone", "-q", bundle.to_str().unwrap(), "clone"], stored.target.path());
    assert_eq!(std::fs::read_to_string(clone.join("program.py")).unwrap(), "SPEED = 88\n");
    let piped = darwind(stored.data.path()).args(["export", "last", "--format", "bundle"]).output().unwrap();
    assert!(piped.stdout.starts_with(b"# v"), "a bundle begins with its version");
}

#[test]
fn the_seed_gives_the_recorded_decisions_again() {
    let stored = Stored::new();
    let findings = stored.json(&["replay", "last"]);
    assert_eq!((findings["ok"].as_bool(), findings["seed"].as_u64()), (Some(true), Some(7)));
    assert_eq!(findings["choices"]["recomputed"], findings["choices"]["equal"]);
    assert_eq!(findings["verdicts"]["recomputed"], 12);
    assert!(findings["choices"]["recomputed"].as_u64().unwrap() >= 12);
}

#[test]
fn a_log_that_was_tampered_with_is_found() {
    use store::{Expected, Log, NewRecord, SqliteStore};
    let stored = Stored::new();
    let path = stored.data.path().join("darwind.sqlite");
    let log = SqliteStore::open(&path).unwrap();
    let forged: Vec<NewRecord> = log
        .read(&format!("run/{RUN}"), 0, 1000)
        .unwrap()
        .into_iter()
        .map(|mut record| {
            match record.kind.as_str() {
                "proposal_requested" if record.data["number"] == 5 => {
                    record.data["learning_rate"] = 0.2.into()
                }
                "improvement_rejected" => record.data["reason"] = "not liked".into(),
                _ => {}
            }
            let text = record.data.to_string().replace(RUN, "ffff");
            NewRecord {
                kind: record.kind,
                time_ms: record.time_ms,
                data: serde_json::from_str(&text).unwrap(),
            }
        })
        .collect();
    for record in forged {
        log.append("run/ffff", Expected::Any, &[record]).unwrap();
    }
    let output = darwind(stored.data.path()).args(["replay", "ffff", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings["ok"], false);
    assert_eq!(
        findings["differences"].as_array().unwrap().len(),
        3,
        "one choice and two verdicts: {findings}"
    );
}

#[test]
fn a_candidate_is_compared_and_brought_home() {
    let stored = Stored::new();
    let diff = stored.text(&["diff", "12", "0"]);
    assert!(diff.contains("-SPEED = 100") && diff.contains("+SPEED = 88"), "{diff}");
    let against_parent = stored.json(&["diff", &format!("{RUN}-12")]);
    assert_eq!(against_parent["to"], format!("{RUN}-12"));
    assert_eq!(against_parent["files"][0], "program.py");
    let program = stored.target.path().join("program.py");
    let (code, message) = stored.fails(&["apply", "12"]);
    assert_eq!(code, 2, "a folder without git has no branches: {message}");
    assert!(message.contains("--in-place"), "{message}");
    let patch = stored.target.path().join("p.patch");
    stored.text(&["apply", "12", "--patch", patch.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&patch).unwrap().contains("+SPEED = 88"));
    assert_eq!(
        std::fs::read_to_string(&program).unwrap(),
        "SPEED = 100\n",
        "a patch leaves the target alone"
    );
    std::fs::write(&program, "SPEED = 1\n").unwrap();
    let (code, message) = stored.fails(&["apply", "12", "--in-place"]);
    assert_eq!(code, 1, "{message}");
    assert!(message.contains("program.py"), "{message}");
    assert_eq!(std::fs::read_to_string(&program).unwrap(), "SPEED = 1\n", "a conflict writes nothing");
    std::fs::write(&program, "SPEED = 100\n").unwrap();
    let applied = stored.json(&["apply", "0123-12", "--in-place"]);
    assert_eq!(applied["way"], "in_place");
    assert_eq!(std::fs::read_to_string(&program).unwrap(), "SPEED = 88\n");
}

#[test]
fn names_that_fit_nothing_say_what_to_do() {
    let stored = Stored::new();
    for words in [["show", "zzz"], ["diff", "zzz-1"], ["best", "zzz"]] {
        let (code, message) = stored.fails(&words);
        assert_eq!(code, 2, "{message}");
        assert!(message.contains("darwind runs"), "{message}");
    }
    let (code, message) = stored.fails(&["diff", "last-99"]);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("lineage"), "{message}");
    let empty = TempDir::new().unwrap();
    let output = darwind(empty.path()).arg("show").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("darwind run PATH"));
    assert_eq!(
        json(&darwind(empty.path()).args(["runs", "--json"]).output().unwrap()),
        serde_json::json!([])
    );
    assert!(std::fs::read_dir(empty.path()).unwrap().next().is_none(), "reading creates nothing");
}
