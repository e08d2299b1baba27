//! The log's records as they travel, and what of them travels only on demand.

use crate::clock::timestamp;
use crate::wire::record::LogRecord;
use evolution::id::RunId;
use serde_json::{Map, Value, json};
use store::Record;

/// Parts of an evaluation that are fetched with the candidate instead of travelling with each event.
const ON_DEMAND: &[&str] = &["log", "suspicion", "cases"];

/// The candidate that a record is about.
pub(crate) fn modification_id(data: &Value) -> Option<String> {
    let id = |value: &Value| Some(value.get("modification_id")?.as_str()?.to_owned());
    id(data).or_else(|| id(data.get("command")?))
}

/// A record whole, as the API shows it.
pub(crate) fn whole(run: &RunId, record: Record) -> LogRecord {
    LogRecord {
        seq: record.seq,
        run_id: run.to_string(),
        event_type: record.kind,
        timestamp: timestamp(record.time_ms),
        modification_id: modification_id(&record.data),
        data: record.data,
        trimmed: false,
    }
}

/// A record for the dashboard, without what it fetches on demand.
pub(crate) fn trimmed(run: &RunId, record: Record) -> LogRecord {
    let mut shown = whole(run, record);
    let Some(evaluation) = shown.data.get_mut("evaluation").and_then(Value::as_object_mut) else {
        return shown;
    };
    let passed = evaluation
        .get("cases")
        .and_then(Value::as_array)
        .map(|cases| cases.iter().filter(|case| case.get("passed") == Some(&Value::Bool(true))).count());
    let before = evaluation.len();
    ON_DEMAND.iter().for_each(|part| drop(evaluation.remove(*part)));
    shown.trimmed = evaluation.len() < before;
    if let Some(passed) = passed {
        evaluation.insert("cases_passed".to_owned(), Value::from(passed));
    }
    shown
}

/// A record in the seeds' plain protocol: the event's own fields beside those that every message has.
pub(crate) fn plain(run: &RunId, agent: &str, record: Record) -> Value {
    let shown = trimmed(run, record);
    let mut data = match shown.data {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let delta = data.get("performance_delta").cloned().unwrap_or(Value::from(0.0));
    for (name, value) in [
        ("seq", json!(shown.seq)),
        ("run_id", json!(shown.run_id)),
        ("event_type", json!(shown.event_type)),
        ("timestamp", json!(shown.timestamp)),
        ("modification_id", json!(shown.modification_id)),
        ("agent_id", json!(agent)),
        ("performance_delta", delta),
    ] {
        data.insert(name.to_owned(), value);
    }
    json!({ "type": "evolution_progress", "data": data })
}
