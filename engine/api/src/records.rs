//! The log's records as they travel, and what of them travels only on demand.

use crate::clock::timestamp;
use evolution::id::RunId;
use serde_json::{Map, Value, json};
use store::Record;

/// Parts of an evaluation that are fetched with the candidate instead of travelling with each event.
const ON_DEMAND: &[&str] = &["log", "suspicion", "cases"];

/// The candidate that a record is about.
fn modification_id(data: &Value) -> Option<String> {
    let id = |value: &Value| Some(value.get("modification_id")?.as_str()?.to_owned());
    id(data).or_else(|| id(data.get("command")?))
}

/// A record whole, as the API shows it.
pub(crate) fn whole(run: &RunId, record: Record) -> Value {
    let mut shown = json!({
        "seq": record.seq,
        "run_id": run,
        "event_type": record.kind,
        "timestamp": timestamp(record.time_ms),
    });
    if let (Some(fields), Some(id)) = (shown.as_object_mut(), modification_id(&record.data)) {
        fields.insert("modification_id".to_owned(), Value::String(id));
    }
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("data".to_owned(), record.data);
    }
    shown
}

/// A record for the dashboard, without what it fetches on demand.
pub(crate) fn trimmed(run: &RunId, record: Record) -> Value {
    let mut shown = whole(run, record);
    let Some(evaluation) = shown.pointer_mut("/data/evaluation").and_then(Value::as_object_mut) else {
        return shown;
    };
    let passed = evaluation
        .get("cases")
        .and_then(Value::as_array)
        .map(|cases| cases.iter().filter(|case| case.get("passed") == Some(&Value::Bool(true))).count());
    let before = evaluation.len();
    ON_DEMAND.iter().for_each(|part| drop(evaluation.remove(*part)));
    let left_out = evaluation.len() < before;
    if let Some(passed) = passed {
        evaluation.insert("cases_passed".to_owned(), Value::from(passed));
    }
    if let (true, Some(fields)) = (left_out, shown.as_object_mut()) {
        fields.insert("trimmed".to_owned(), Value::Bool(true));
    }
    shown
}

/// A record in the seeds' plain protocol: the event's own fields beside those that every message has.
pub(crate) fn plain(run: &RunId, agent: &str, record: Record) -> Value {
    let shown = trimmed(run, record);
    let mut data = match shown.get("data") {
        Some(Value::Object(fields)) => fields.clone(),
        _ => Map::new(),
    };
    let delta = data.get("performance_delta").cloned().unwrap_or(Value::from(0.0));
    for name in ["seq", "run_id", "event_type", "timestamp", "modification_id"] {
        data.insert(name.to_owned(), shown.get(name).cloned().unwrap_or(Value::Null));
    }
    data.insert("agent_id".to_owned(), Value::String(agent.to_owned()));
    data.insert("performance_delta".to_owned(), delta);
    json!({ "type": "evolution_progress", "data": data })
}
