//! Writing in the words of 0.3, in both vocabularies: the JSON whose objects say their kind (JSON-RPC), and the JSON
//! of its protobuf (HTTP+JSON).

use serde_json::{Map, Value, json};

use crate::model::{
    Artifact, Content, Message, Metadata, Part, PushConfig, Role, SendMessageResponse, StreamItem, Task,
    TaskState, TaskStatus, encode_base64,
};
use crate::operation::Reply;

/// The two ways in which 0.3 is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    Kind,
    Proto,
}
use Vocabulary::{Kind, Proto};

pub(super) fn reply(reply: &Reply, words: Vocabulary) -> Result<Value, serde_json::Error> {
    Ok(match reply {
        Reply::Sent(SendMessageResponse::Task(task)) => wrapped("task", self::task(task, words), words),
        Reply::Sent(SendMessageResponse::Message(message)) => {
            wrapped("message", self::message(message, words), words)
        }
        Reply::Task(task) => self::task(task, words),
        Reply::Tasks(tasks) => {
            json!({ "tasks": tasks.tasks.iter().map(|task| self::task(task, words)).collect::<Vec<_>>() })
        }
        Reply::Push(config) => push(config, words),
        Reply::Pushes(configs) => {
            let configs: Vec<Value> = configs.configs.iter().map(|config| push(config, words)).collect();
            if words == Proto { json!({ "configs": configs }) } else { Value::Array(configs) }
        }
        Reply::Nothing | Reply::Stream(_) => Value::Null,
        Reply::Card(card) => super::union_card(card)?,
    })
}

pub(super) fn item(item: &StreamItem, words: Vocabulary) -> Value {
    match item {
        StreamItem::Task(task) => wrapped("task", self::task(task, words), words),
        StreamItem::Message(message) => wrapped("message", self::message(message, words), words),
        StreamItem::StatusUpdate(update) => {
            let mut value = tagged("status-update", words);
            value.insert("taskId".to_owned(), json!(update.task_id));
            value.insert("contextId".to_owned(), json!(update.context_id));
            value.insert("status".to_owned(), status(&update.status, words));
            value.insert("final".to_owned(), json!(is_final(update.status.state)));
            add_metadata(&mut value, &update.metadata);
            wrapped("statusUpdate", Value::Object(value), words)
        }
        StreamItem::ArtifactUpdate(update) => {
            let mut value = tagged("artifact-update", words);
            value.insert("taskId".to_owned(), json!(update.task_id));
            value.insert("contextId".to_owned(), json!(update.context_id));
            value.insert("artifact".to_owned(), artifact(&update.artifact, words));
            value.insert("append".to_owned(), json!(update.append));
            value.insert("lastChunk".to_owned(), json!(update.last_chunk));
            add_metadata(&mut value, &update.metadata);
            wrapped("artifactUpdate", Value::Object(value), words)
        }
    }
}

/// Whether a client of an older version may stop to listen. A stream that waits for the client counts as ended, since
/// such clients wait for nothing else.
pub(super) fn is_final(state: TaskState) -> bool {
    state.is_terminal() || state == TaskState::InputRequired
}

/// In protobuf a oneof names its member; the other vocabulary has the tag inside.
fn wrapped(member: &str, value: Value, words: Vocabulary) -> Value {
    if words == Kind {
        return value;
    }
    Value::Object(Map::from_iter([(member.to_owned(), value)]))
}

fn tagged(kind: &str, words: Vocabulary) -> Map<String, Value> {
    let mut value = Map::new();
    if words == Kind {
        value.insert("kind".to_owned(), json!(kind));
    }
    value
}

fn add_metadata(value: &mut Map<String, Value>, metadata: &Metadata) {
    if !metadata.is_empty() {
        value.insert("metadata".to_owned(), Value::Object(metadata.clone()));
    }
}

fn add_text(value: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        value.insert(name.to_owned(), json!(text));
    }
}

/// The state in the words of JSON-RPC before 1.0.
pub(super) fn state_word(state: TaskState) -> &'static str {
    match state {
        TaskState::Unspecified => "unknown",
        TaskState::Submitted => "submitted",
        TaskState::Working => "working",
        TaskState::Completed => "completed",
        TaskState::Failed => "failed",
        TaskState::Canceled => "canceled",
        TaskState::InputRequired => "input-required",
        TaskState::Rejected => "rejected",
        TaskState::AuthRequired => "auth-required",
    }
}

fn state(state: TaskState, words: Vocabulary) -> Value {
    match (words, state) {
        (Kind, state) => json!(state_word(state)),
        (Proto, TaskState::Canceled) => json!("TASK_STATE_CANCELLED"),
        (Proto, state) => json!(state.name()),
    }
}

fn status(status: &TaskStatus, words: Vocabulary) -> Value {
    let mut value = Map::from_iter([("state".to_owned(), state(status.state, words))]);
    if let Some(message) = &status.message {
        value.insert("message".to_owned(), self::message(message, words));
    }
    add_text(&mut value, "timestamp", &status.timestamp);
    Value::Object(value)
}

fn task(task: &Task, words: Vocabulary) -> Value {
    let mut value = tagged("task", words);
    value.insert("id".to_owned(), json!(task.id));
    value.insert("contextId".to_owned(), json!(task.context_id));
    value.insert("status".to_owned(), status(&task.status, words));
    if !task.artifacts.is_empty() {
        let artifacts = task.artifacts.iter().map(|artifact| self::artifact(artifact, words)).collect();
        value.insert("artifacts".to_owned(), Value::Array(artifacts));
    }
    if !task.history.is_empty() {
        let history = task.history.iter().map(|message| self::message(message, words)).collect();
        value.insert("history".to_owned(), Value::Array(history));
    }
    add_metadata(&mut value, &task.metadata);
    Value::Object(value)
}

fn message(message: &Message, words: Vocabulary) -> Value {
    let mut value = tagged("message", words);
    value.insert("messageId".to_owned(), json!(message.message_id));
    let role = match (words, message.role) {
        (Kind, Role::User) => "user",
        (Kind, _) => "agent",
        (Proto, Role::User) => "ROLE_USER",
        (Proto, _) => "ROLE_AGENT",
    };
    value.insert("role".to_owned(), json!(role));
    let parts = parts(&message.parts, words);
    value.insert(if words == Kind { "parts" } else { "content" }.to_owned(), parts);
    add_text(&mut value, "taskId", &message.task_id);
    add_text(&mut value, "contextId", &message.context_id);
    add_metadata(&mut value, &message.metadata);
    if !message.extensions.is_empty() {
        value.insert("extensions".to_owned(), json!(message.extensions));
    }
    if words == Kind && !message.reference_task_ids.is_empty() {
        value.insert("referenceTaskIds".to_owned(), json!(message.reference_task_ids));
    }
    Value::Object(value)
}

fn artifact(artifact: &Artifact, words: Vocabulary) -> Value {
    let mut value = Map::from_iter([
        ("artifactId".to_owned(), json!(artifact.artifact_id)),
        ("parts".to_owned(), parts(&artifact.parts, words)),
    ]);
    add_text(&mut value, "name", &artifact.name);
    add_text(&mut value, "description", &artifact.description);
    add_metadata(&mut value, &artifact.metadata);
    if !artifact.extensions.is_empty() {
        value.insert("extensions".to_owned(), json!(artifact.extensions));
    }
    Value::Object(value)
}

fn parts(parts: &[Part], words: Vocabulary) -> Value {
    let part = |part| if words == Kind { kind_part(part, "kind") } else { proto_part(part) };
    Value::Array(parts.iter().map(part).collect())
}

/// A part that says its kind in a tag.
pub(super) fn kind_part(part: &Part, tag: &str) -> Value {
    let mut metadata = part.metadata.clone();
    let (kind, name, content) = match &part.content {
        Content::Text(text) => ("text", "text", json!(text)),
        Content::Raw(bytes) => ("file", "file", file(part, "bytes", json!(encode_base64(bytes)), "mimeType")),
        Content::Url(url) => ("file", "file", file(part, "uri", json!(url), "mimeType")),
        Content::Data(data) => ("data", "data", object_data(data, &mut metadata)),
    };
    let mut value = Map::from_iter([(tag.to_owned(), json!(kind)), (name.to_owned(), content)]);
    add_metadata(&mut value, &metadata);
    Value::Object(value)
}

fn proto_part(part: &Part) -> Value {
    let mut metadata = part.metadata.clone();
    let (name, content) = match &part.content {
        Content::Text(text) => ("text", json!(text)),
        Content::Raw(bytes) => ("file", file(part, "fileWithBytes", json!(encode_base64(bytes)), "mimeType")),
        Content::Url(url) => ("file", file(part, "fileWithUri", json!(url), "mimeType")),
        Content::Data(data) => ("data", json!({ "data": object_data(data, &mut metadata) })),
    };
    let mut value = Map::from_iter([(name.to_owned(), content)]);
    add_metadata(&mut value, &metadata);
    Value::Object(value)
}

fn file(part: &Part, member: &str, content: Value, media_type: &str) -> Value {
    let mut file = Map::from_iter([(member.to_owned(), content)]);
    add_text(&mut file, media_type, &part.media_type);
    add_text(&mut file, "name", &part.filename);
    Value::Object(file)
}

/// Before 1.0 data is an object; anything else travels in one, with a mark that other implementations know as well.
fn object_data(data: &Value, metadata: &mut Metadata) -> Value {
    if data.is_object() {
        return data.clone();
    }
    metadata.insert(super::reading::COMPAT_MARK.to_owned(), json!(true));
    json!({ "value": data })
}

fn push(config: &PushConfig, words: Vocabulary) -> Value {
    let mut inner = Map::from_iter([("url".to_owned(), json!(config.url))]);
    add_text(&mut inner, "id", &config.id);
    add_text(&mut inner, "token", &config.token);
    if let Some(authentication) = &config.authentication {
        let mut value = Map::from_iter([("schemes".to_owned(), json!([authentication.scheme]))]);
        add_text(&mut value, "credentials", &authentication.credentials);
        inner.insert("authentication".to_owned(), Value::Object(value));
    }
    if words == Kind {
        return json!({ "taskId": config.task_id, "pushNotificationConfig": inner });
    }
    let name = format!("tasks/{}/pushNotificationConfigs/{}", config.task_id, config.id);
    json!({ "name": name, "pushNotificationConfig": inner })
}
