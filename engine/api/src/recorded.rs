//! A recorded run that daemon and page share (`monitor-ui/fixtures`): its records, and what the engine's own fold shows of it
//! at some of them. The page's tests hold its fold to the same. Only tests know this.

use crate::mirror::Folded;
use crate::{snapshot, views};
use conductor::event_of;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use store::Record;

/// Parts of the run at which it is looked at.
const LOOKS: u64 = 6;

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../monitor-ui/fixtures").join(name)
}

/// A record as the API gave it, as the log held it.
fn record(line: &str) -> Record {
    let told: Value = serde_json::from_str(line).unwrap();
    let written = humantime::parse_rfc3339(told["timestamp"].as_str().unwrap()).unwrap();
    let time_ms = written.duration_since(UNIX_EPOCH).unwrap().as_millis();
    Record {
        stream: format!("run/{}", told["run_id"].as_str().unwrap()),
        seq: told["seq"].as_u64().unwrap(),
        kind: told["event_type"].as_str().unwrap().to_owned(),
        time_ms: i64::try_from(time_ms).unwrap(),
        data: told["data"].clone(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Folds records, shows what they come to at some of them, and holds that against the file of this name.
fn hold(records: Vec<Record>, looks: &[u64], name: &str) {
    let (mut folded, mut shown) = (None, Vec::new());
    for record in records {
        let (seq, time_ms) = (record.seq, record.time_ms);
        Folded::fold(&mut folded, time_ms, &event_of(record).unwrap()).unwrap();
        let Folded { state, chronicle, started_ms } = folded.as_ref().unwrap();
        assert_eq!(state.seq, seq, "the log has no gap");
        if looks.contains(&seq) {
            shown.push(json!({
                "seq": seq,
                "run": views::run(state, *started_ms, false, state.last_ms),
                "state": snapshot::beside(state, chronicle, *started_ms),
                "columns": hexadecimal(&snapshot::columns(state, chronicle, *started_ms)),
            }));
        }
    }
    let made = serde_json::to_string_pretty(&shown).unwrap() + "\n";
    if std::env::var_os("DARWIND_BLESS").is_some() {
        fs::write(place(name), &made).unwrap();
    }
    let tracked = fs::read_to_string(place(name)).unwrap_or_default();
    assert!(
        made == tracked,
        "the fold of {name} changed: `DARWIND_BLESS=1 cargo test -p api`, and look at the difference"
    );
}

fn records(name: &str) -> Vec<Record> {
    fs::read_to_string(place(name)).unwrap().lines().map(record).collect()
}

#[test]
fn the_fold_at_each_look_is_the_recorded_one() {
    let records = records("area.jsonl");
    let last = records.len() as u64;
    let pause = records.iter().find(|record| record.kind == "run_paused").map(|record| record.seq);
    let mut looks: Vec<u64> = (1..=LOOKS).map(|look| last * look / LOOKS).chain(pause).collect();
    looks.sort_unstable();
    hold(records, &looks, "area.folds.json");
}

/// The same run with another end, written by hand: the second judgement of the winner takes its verdict back.
#[test]
fn a_revocation_is_folded_as_recorded() {
    let end = records("area.revoked.jsonl");
    let (begins, looks) = (end[0].seq, [end[2].seq, end[end.len() - 1].seq]);
    let mut all = records("area.jsonl");
    all.retain(|record| record.seq < begins);
    all.extend(end);
    hold(all, &looks, "area.revoked.folds.json");
}
