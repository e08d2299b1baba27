//! The messages of the Agent Client Protocol that a client of one session hears, as far as it acts on them.

use serde::Deserialize;
use serde_json::{Value, json};

/// Longest word of an agent that is repeated in an error, in characters.
const MAX_WORD: usize = 200;

/// A line of an agent's.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Incoming {
    /// An answer to a request, or why there is none.
    Answer { to: u64, result: Result<Value, String> },
    /// A request.
    Request { id: Value, wanted: Wanted },
    /// News of the session.
    Update(Update),
    /// Nothing that is to be acted on.
    Noise,
}

/// What an agent wants.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    /// To be permitted something, by one of these options.
    Permission(Vec<PermissionOption>),
    /// A file; with lines, as many of them from that one on, counted from 1.
    Read { path: String, lines: Option<(usize, usize)> },
    /// A file to be written.
    Write { path: String, content: String },
    /// One of these, but it cannot be understood.
    Garbled(String),
    /// Something else, by its name.
    Unknown(String),
}

/// News.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Update {
    /// A part of what the agent says to its user.
    Message(String),
    /// A plan, a thought, a tool, a mode, a count.
    Other,
}

/// A way to answer a request for permission.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PermissionOption {
    option_id: String,
    #[serde(default)]
    kind: String,
}

/// Why an agent stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is done, or will do no more.
    Done,
    /// It reached a limit of its own: tokens of an answer, or questions to its model.
    AtALimit,
}

impl Stop {
    pub(super) fn read(result: &Value) -> Self {
        match result.get("stopReason").and_then(Value::as_str) {
            Some("max_tokens" | "max_turn_requests") => Self::AtALimit,
            _ => Self::Done,
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    id: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    result: Option<Value>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Asking {
    options: Vec<PermissionOption>,
}

#[derive(Deserialize)]
struct Reading {
    path: String,
    line: Option<usize>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
struct Writing {
    path: String,
    content: String,
}

impl Incoming {
    pub(super) fn read(line: &str) -> Self {
        let Ok(envelope) = serde_json::from_str::<Envelope>(line) else { return Self::Noise };
        match (envelope.method, envelope.id) {
            (Some(method), Some(id)) => Self::Request { id, wanted: Wanted::read(&method, envelope.params) },
            (Some(method), None) if method == "session/update" => {
                Self::Update(Update::read(&envelope.params))
            }
            (Some(_), None) | (None, None) => Self::Noise,
            (None, Some(id)) => {
                let Some(to) = id.as_u64() else { return Self::Noise };
                let result = match (envelope.result, envelope.error) {
                    (_, Some(error)) => Err(reason(&error)),
                    (result, None) => Ok(result.unwrap_or_default()),
                };
                Self::Answer { to, result }
            }
        }
    }
}

/// The words of an error.
fn reason(error: &Value) -> String {
    let words = error.get("message").and_then(Value::as_str).unwrap_or("it did not say why");
    words.chars().take(MAX_WORD).collect()
}

impl Wanted {
    fn read(method: &str, parameters: Value) -> Self {
        let read = match method {
            "session/request_permission" => {
                serde_json::from_value(parameters).map(|Asking { options }| Self::Permission(options))
            }
            "fs/read_text_file" => serde_json::from_value(parameters).map(|Reading { path, line, limit }| {
                let some = line.is_some() || limit.is_some();
                let lines = some.then(|| (line.unwrap_or(1).max(1), limit.unwrap_or(usize::MAX)));
                Self::Read { path, lines }
            }),
            "fs/write_text_file" => serde_json::from_value(parameters)
                .map(|Writing { path, content }| Self::Write { path, content }),
            _ => return Self::Unknown(method.chars().take(MAX_WORD).collect()),
        };
        read.unwrap_or_else(|error| Self::Garbled(error.to_string()))
    }
}

impl Update {
    fn read(parameters: &Value) -> Self {
        let update = parameters.get("update");
        let kind = update.and_then(|update| update.get("sessionUpdate")).and_then(Value::as_str);
        let text = update.and_then(|update| update.pointer("/content/text")).and_then(Value::as_str);
        match (kind, text) {
            (Some("agent_message_chunk"), Some(text)) => Self::Message(text.to_owned()),
            _ => Self::Other,
        }
    }
}

/// The answer to a request for permission: yes, this once if that can be said, and no choice where yes is none.
pub(super) fn permission(options: &[PermissionOption]) -> Value {
    let of = |kind: &str| options.iter().find(|option| option.kind == kind);
    match of("allow_once").or_else(|| of("allow_always")) {
        Some(option) => json!({ "outcome": { "outcome": "selected", "optionId": option.option_id } }),
        None => json!({ "outcome": { "outcome": "cancelled" } }),
    }
}

/// Some lines of a text: as many, from that one on, counted from 1.
pub(super) fn cut(text: &str, (from, count): (usize, usize)) -> String {
    text.split_inclusive('\n').skip(from.saturating_sub(1)).take(count).collect()
}
