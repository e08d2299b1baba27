//! `darwind import openevolve` on a checkpoint that OpenEvolve itself wrote: its programs come with their parents, none of
//! them ranks before it was measured here, and the run goes on from them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{darwind, json};
use tempfile::TempDir;

/// Taken away to make a hole: the parent of another, and a program that equals a child of the best.
const LOST: [&str; 2] = ["b78687b2", "f70b8769"];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openevolve_checkpoint")
}

/// A copy of the checkpoint without some of its programs.
fn with_a_hole() -> TempDir {
    let folder = TempDir::new().unwrap();
    let (from, to) = (fixture().join("checkpoint_12"), folder.path());
    std::fs::create_dir(to.join("programs")).unwrap();
    std::fs::copy(from.join("metadata.json"), to.join("metadata.json")).unwrap();
    for entry in std::fs::read_dir(from.join("programs")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !LOST.iter().any(|lost| name.starts_with(lost)) {
            std::fs::copy(entry.path(), to.join("programs").join(name)).unwrap();
        }
    }
    folder
}

#[test]
fn an_archive_becomes_a_lineage_that_is_measured_before_it_ranks() {
    let (data, checkpoint) = (TempDir::new().unwrap(), with_a_hole());
    let imported = darwind(data.path())
        .args(["import", "openevolve", "--json", "--evaluations", "12"])
        .args([checkpoint.path(), &fixture().join("task")])
        .output()
        .unwrap();
    if imported.status.code() == Some(3) {
        println!("skipped: {}", String::from_utf8_lossy(&imported.stderr));
        return;
    }
    let imported = json(&imported);
    assert_eq!((&imported["programs"], &imported["without_parent"]), (&5.into(), &1.into()), "{imported}");
    assert_eq!(imported["validated"], false);
    let best = imported["best"].as_str().unwrap().to_owned();
    let asked = |words: &[&str]| json(&darwind(data.path()).args(words).arg("--json").output().unwrap());
    let before = asked(&["show", "last"]);
    assert_eq!((&before["state"], &before["counters"]["viable"]), (&"paused".into(), &0.into()), "{before}");

    let after = darwind(data.path()).args(["resume", "last", "--json"]).output().unwrap();
    let after = json(&after);
    let evaluations = after["evaluations"].as_u64().unwrap();
    assert!(evaluations > imported["candidates"].as_u64().unwrap(), "it goes on from them: {after}");
    assert_eq!(after["best"]["candidate_id"], best.as_str(), "what was best there is best here: {after}");
    let log = darwind(data.path()).args(["export", "last", "--format", "jsonl"]).output().unwrap().stdout;
    let log: Vec<Value> =
        String::from_utf8(log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let proposed: Vec<&Value> = log
        .iter()
        .filter(|event| {
            event["event_type"] == "improvement_proposed" && event["data"]["proposer"] == "import"
        })
        .map(|event| &event["data"])
        .collect();
    assert_eq!(proposed.len(), imported["candidates"].as_u64().unwrap() as usize);
    let winner = proposed.iter().find(|event| event["modification_id"] == best.as_str()).unwrap();
    let note = &winner["detail"]["imported"];
    assert_eq!((&note["metrics"]["combined_score"], &note["validated"]), (&1.0.into(), &false.into()));
    let child = proposed.iter().find(|event| event["parents"][0] == best.as_str());
    assert!(child.is_some(), "a child of the best stands below it: {proposed:?}");
    let replay = asked(&["replay", "last"]);
    assert_eq!(replay["ok"], true, "{replay}");
}

#[test]
fn what_is_no_checkpoint_is_said_to_be_none() {
    let data = TempDir::new().unwrap();
    let output = darwind(data.path())
        .args(["import", "openevolve"])
        .args([fixture().join("task"), fixture().join("task")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no checkpoint of OpenEvolve"));
}
