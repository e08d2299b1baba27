//! Version 0.1, as a thin shim: the client names the task, a conversation is a session, parts say their kind in `type`.

use serde_json::{Map, Value, json};

use super::reading::{Fields, history, kind_part, message, push, task_id, unknown};
use super::writing::{is_final, kind_part as write_part, state_word};
use crate::error::A2aError;
use crate::model::{
    Artifact, Message, PushConfigRequest, Role, SendMessageConfiguration, SendMessageRequest,
    SendMessageResponse, StreamItem, Task, TaskStatus,
};
use crate::operation::Reply;
use crate::operation::Request;

/// Whether only 0.1 knows the method.
pub(crate) fn is_first(method: &str) -> bool {
    matches!(
        method,
        "tasks/send" | "tasks/sendSubscribe" | "tasks/pushNotification/set" | "tasks/pushNotification/get"
    )
}

/// Reads a request. The task of a message is named by the client's own id; whether it exists is for the server to see.
pub(super) fn read(method: &str, fields: Fields<'_>) -> Result<Request, A2aError> {
    Ok(match method {
        "tasks/send" => Request::Send(send(fields)?),
        "tasks/sendSubscribe" => Request::Stream(send(fields)?),
        "tasks/pushNotification/set" => {
            let config = fields.get("pushNotificationConfig");
            let mut config = push(
                config.ok_or_else(|| A2aError::invalid("params.pushNotificationConfig", "is required"))?,
            )?;
            config.task_id = task_id(fields.text("id")?)?;
            Request::CreatePush(config)
        }
        "tasks/pushNotification/get" => {
            let task_id = task_id(fields.text("id")?)?;
            Request::GetPush(PushConfigRequest { task_id, ..PushConfigRequest::default() })
        }
        _ => return Err(unknown(method)),
    })
}

fn send(fields: Fields<'_>) -> Result<SendMessageRequest, A2aError> {
    let value = fields.get("message").ok_or_else(|| A2aError::invalid("params.message", "is required"))?;
    let mut message = message(value, "parts", kind_part)?;
    message.task_id = task_id(fields.text("id")?)?;
    message.context_id = fields.text("sessionId")?;
    if message.message_id.is_empty() {
        message.message_id = uuid::Uuid::new_v4().to_string();
    }
    let configuration = SendMessageConfiguration {
        accepted_output_modes: fields.texts("acceptedOutputModes")?,
        task_push_notification_config: fields.get("pushNotification").map(push).transpose()?,
        history_length: history(fields.number("historyLength")?),
        return_immediately: false,
    };
    let metadata = fields.metadata("metadata")?;
    Ok(SendMessageRequest {
        message: Some(message),
        configuration,
        metadata,
        ..SendMessageRequest::default()
    })
}

pub(super) fn reply(reply: &Reply, alias: Option<&str>) -> Result<Value, serde_json::Error> {
    Ok(match reply {
        Reply::Sent(SendMessageResponse::Task(task)) | Reply::Task(task) => self::task(task, alias),
        // 0.1 has no direct answers, so the answer becomes a task that was done at once.
        Reply::Sent(SendMessageResponse::Message(message)) => json!({
            "id": alias,
            "sessionId": message.context_id,
            "status": { "state": "completed", "message": self::message_value(message) },
        }),
        Reply::Push(config) => {
            let mut value = json!({ "url": config.url });
            if !config.token.is_empty() {
                value["token"] = json!(config.token);
            }
            json!({ "id": alias.unwrap_or(&config.task_id), "pushNotificationConfig": value })
        }
        Reply::Card(card) => super::union_card(card)?,
        Reply::Tasks(_) | Reply::Pushes(_) | Reply::Nothing | Reply::Stream(_) => Value::Null,
    })
}

pub(super) fn item(item: &StreamItem, alias: Option<&str>) -> Value {
    match item {
        // There the first event of a stream is a status.
        StreamItem::Task(task) => {
            let id = alias.unwrap_or(&task.id);
            let last = is_final(task.status.state);
            json!({ "id": id, "status": status(&task.status), "final": last })
        }
        StreamItem::Message(message) => json!({
            "id": alias,
            "status": { "state": "completed", "message": message_value(message) },
            "final": true,
        }),
        StreamItem::StatusUpdate(update) => {
            let id = alias.unwrap_or(&update.task_id);
            json!({ "id": id, "status": status(&update.status), "final": is_final(update.status.state) })
        }
        StreamItem::ArtifactUpdate(update) => {
            let mut artifact = artifact(0, &update.artifact);
            artifact["append"] = json!(update.append);
            artifact["lastChunk"] = json!(update.last_chunk);
            json!({ "id": alias.unwrap_or(&update.task_id), "artifact": artifact })
        }
    }
}

fn task(task: &Task, alias: Option<&str>) -> Value {
    let mut value = Map::from_iter([
        ("id".to_owned(), json!(alias.unwrap_or(&task.id))),
        ("sessionId".to_owned(), json!(task.context_id)),
        ("status".to_owned(), status(&task.status)),
    ]);
    if !task.artifacts.is_empty() {
        let artifacts = (0..).zip(&task.artifacts).map(|(index, one)| artifact(index, one)).collect();
        value.insert("artifacts".to_owned(), Value::Array(artifacts));
    }
    if !task.history.is_empty() {
        value.insert("history".to_owned(), task.history.iter().map(message_value).collect());
    }
    if !task.metadata.is_empty() {
        value.insert("metadata".to_owned(), Value::Object(task.metadata.clone()));
    }
    Value::Object(value)
}

fn status(status: &TaskStatus) -> Value {
    // Of the states that came later, 0.1 knows only what they amount to.
    let state = match state_word(status.state) {
        "rejected" => "failed",
        "auth-required" => "input-required",
        known => known,
    };
    let mut value = json!({ "state": state, "timestamp": status.timestamp });
    if let Some(message) = &status.message {
        value["message"] = message_value(message);
    }
    value
}

fn message_value(message: &Message) -> Value {
    let role = if message.role == Role::User { "user" } else { "agent" };
    let parts: Vec<Value> = message.parts.iter().map(|part| write_part(part, "type")).collect();
    json!({ "role": role, "parts": parts })
}

fn artifact(index: usize, artifact: &Artifact) -> Value {
    let parts: Vec<Value> = artifact.parts.iter().map(|part| write_part(part, "type")).collect();
    json!({ "name": artifact.name, "parts": parts, "index": index })
}
