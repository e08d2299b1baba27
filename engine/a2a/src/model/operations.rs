//! What clients ask for and what they are answered, one pair for each operation.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Message, Metadata, PushConfig, Task, TaskState, is_false, nullable};

/// How a message is to be answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SendMessageConfiguration {
    /// Media types that the client can read; empty for any.
    #[serde(
        alias = "accepted_output_modes",
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub accepted_output_modes: Vec<String>,
    /// Where the client wants to hear of the task.
    #[serde(alias = "task_push_notification_config", skip_serializing_if = "Option::is_none")]
    pub task_push_notification_config: Option<PushConfig>,
    /// Most messages of the history in the answer; unset for the server's choice.
    #[serde(alias = "history_length", skip_serializing_if = "Option::is_none")]
    pub history_length: Option<i32>,
    /// Whether to answer as soon as the task exists.
    #[serde(alias = "return_immediately", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub return_immediately: bool,
}

/// Says something to the agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SendMessageRequest {
    /// The tenant.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// What is said; refused when missing.
    pub message: Option<Message>,
    /// How it is to be answered.
    #[serde(deserialize_with = "nullable")]
    pub configuration: SendMessageConfiguration,
    /// Whatever else the client attached.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// The answer to a message: a task, or the agent's direct answer.
#[derive(Clone, Debug, PartialEq)]
pub enum SendMessageResponse {
    /// The task that does the work.
    Task(Task),
    /// The agent's direct answer.
    Message(Message),
}

#[derive(Deserialize)]
struct SendMessageResponseFields {
    task: Option<Task>,
    message: Option<Message>,
}

impl<'de> Deserialize<'de> for SendMessageResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SendMessageResponseFields { task, message } = Deserialize::deserialize(deserializer)?;
        match (task, message) {
            (Some(task), None) => Ok(Self::Task(task)),
            (None, Some(message)) => Ok(Self::Message(message)),
            _ => Err(de::Error::custom("an answer holds exactly one of `task` and `message`")),
        }
    }
}

impl Serialize for SendMessageResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NAME: &str = "SendMessageResponse";
        match self {
            Self::Task(task) => serializer.serialize_newtype_variant(NAME, 0, "task", task),
            Self::Message(message) => serializer.serialize_newtype_variant(NAME, 1, "message", message),
        }
    }
}

/// Asks for a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GetTaskRequest {
    /// The tenant.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Which task.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// Most messages of the history; unset for the server's choice.
    #[serde(alias = "history_length", skip_serializing_if = "Option::is_none")]
    pub history_length: Option<i32>,
}

/// Names a task, to cancel it or to follow it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskIdRequest {
    /// The tenant.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Which task.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// Whatever else the client attached.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// Asks for the caller's tasks, those that changed last first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListTasksRequest {
    /// The tenant.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Only tasks of this conversation; empty for any.
    #[serde(alias = "context_id", deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub context_id: String,
    /// Only tasks in this state.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_unspecified")]
    pub status: TaskState,
    /// Most tasks in the page, 1 to 100; unset for 50.
    #[serde(alias = "page_size", skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i32>,
    /// Where the page begins, as an earlier page said.
    #[serde(alias = "page_token", deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub page_token: String,
    /// Most messages of each history; unset for the server's choice.
    #[serde(alias = "history_length", skip_serializing_if = "Option::is_none")]
    pub history_length: Option<i32>,
    /// Only tasks whose status is of this time or later, RFC 3339.
    #[serde(
        alias = "status_timestamp_after",
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub status_timestamp_after: String,
    /// Whether the tasks come with their artifacts.
    #[serde(alias = "include_artifacts", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub include_artifacts: bool,
}

/// A page of tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListTasksResponse {
    /// The tasks of the page.
    #[serde(deserialize_with = "nullable")]
    pub tasks: Vec<Task>,
    /// Where the next page begins; "" at the end.
    #[serde(alias = "next_page_token", deserialize_with = "nullable")]
    pub next_page_token: String,
    /// Most tasks in a page, as applied.
    #[serde(alias = "page_size", deserialize_with = "nullable")]
    pub page_size: i32,
    /// Tasks in all pages.
    #[serde(alias = "total_size", deserialize_with = "nullable")]
    pub total_size: i32,
}

fn is_unspecified(state: &TaskState) -> bool {
    *state == TaskState::Unspecified
}
