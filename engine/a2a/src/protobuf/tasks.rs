//! Tasks, their results, and the updates that streams carry.

#![expect(
    missing_docs,
    reason = "these are the objects of `model` by the same names, where their fields are described"
)]

use prost::{Enumeration, Oneof};
use prost_types::{Struct, Timestamp};

use super::values::{object, timestamp};
use super::{IntoModel, Message, Part, all, or_default, within};
use crate::error::A2aError;
use crate::model;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum TaskState {
    Unspecified = 0,
    Submitted = 1,
    Working = 2,
    Completed = 3,
    Failed = 4,
    Canceled = 5,
    InputRequired = 6,
    Rejected = 7,
    AuthRequired = 8,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Artifact {
    #[prost(string, tag = "1")]
    pub artifact_id: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub description: String,
    #[prost(message, repeated, tag = "4")]
    pub parts: Vec<Part>,
    #[prost(message, optional, tag = "5")]
    pub metadata: Option<Struct>,
    #[prost(string, repeated, tag = "6")]
    pub extensions: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct TaskStatus {
    #[prost(enumeration = "TaskState", tag = "1")]
    pub state: i32,
    #[prost(message, optional, tag = "2")]
    pub message: Option<Message>,
    #[prost(message, optional, tag = "3")]
    pub timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Task {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub context_id: String,
    #[prost(message, optional, tag = "3")]
    pub status: Option<TaskStatus>,
    #[prost(message, repeated, tag = "4")]
    pub artifacts: Vec<Artifact>,
    #[prost(message, repeated, tag = "5")]
    pub history: Vec<Message>,
    #[prost(message, optional, tag = "6")]
    pub metadata: Option<Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct TaskStatusUpdateEvent {
    #[prost(string, tag = "1")]
    pub task_id: String,
    #[prost(string, tag = "2")]
    pub context_id: String,
    #[prost(message, optional, tag = "3")]
    pub status: Option<TaskStatus>,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct TaskArtifactUpdateEvent {
    #[prost(string, tag = "1")]
    pub task_id: String,
    #[prost(string, tag = "2")]
    pub context_id: String,
    #[prost(message, optional, tag = "3")]
    pub artifact: Option<Artifact>,
    #[prost(bool, tag = "4")]
    pub append: bool,
    #[prost(bool, tag = "5")]
    pub last_chunk: bool,
    #[prost(message, optional, tag = "6")]
    pub metadata: Option<Struct>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct StreamResponse {
    #[prost(oneof = "StreamPayload", tags = "1, 2, 3, 4")]
    pub payload: Option<StreamPayload>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum StreamPayload {
    #[prost(message, tag = "1")]
    Task(Task),
    #[prost(message, tag = "2")]
    Message(Message),
    #[prost(message, tag = "3")]
    StatusUpdate(TaskStatusUpdateEvent),
    #[prost(message, tag = "4")]
    ArtifactUpdate(TaskArtifactUpdateEvent),
}

impl From<model::TaskState> for TaskState {
    fn from(state: model::TaskState) -> Self {
        match state {
            model::TaskState::Unspecified => Self::Unspecified,
            model::TaskState::Submitted => Self::Submitted,
            model::TaskState::Working => Self::Working,
            model::TaskState::Completed => Self::Completed,
            model::TaskState::Failed => Self::Failed,
            model::TaskState::Canceled => Self::Canceled,
            model::TaskState::InputRequired => Self::InputRequired,
            model::TaskState::Rejected => Self::Rejected,
            model::TaskState::AuthRequired => Self::AuthRequired,
        }
    }
}

impl From<TaskState> for model::TaskState {
    fn from(state: TaskState) -> Self {
        match state {
            TaskState::Unspecified => Self::Unspecified,
            TaskState::Submitted => Self::Submitted,
            TaskState::Working => Self::Working,
            TaskState::Completed => Self::Completed,
            TaskState::Failed => Self::Failed,
            TaskState::Canceled => Self::Canceled,
            TaskState::InputRequired => Self::InputRequired,
            TaskState::Rejected => Self::Rejected,
            TaskState::AuthRequired => Self::AuthRequired,
        }
    }
}

impl From<model::Artifact> for Artifact {
    fn from(artifact: model::Artifact) -> Self {
        Self {
            artifact_id: artifact.artifact_id,
            name: artifact.name,
            description: artifact.description,
            parts: artifact.parts.into_iter().map(Part::from).collect(),
            metadata: object(artifact.metadata),
            extensions: artifact.extensions,
        }
    }
}

impl IntoModel for Artifact {
    type Object = model::Artifact;

    fn into_model(self, at: &str) -> Result<model::Artifact, A2aError> {
        Ok(model::Artifact {
            artifact_id: self.artifact_id,
            name: self.name,
            description: self.description,
            parts: all(self.parts, at, "parts")?,
            metadata: or_default(self.metadata, at, "metadata")?,
            extensions: self.extensions,
        })
    }
}

impl From<model::TaskStatus> for TaskStatus {
    fn from(status: model::TaskStatus) -> Self {
        Self {
            state: TaskState::from(status.state).into(),
            message: status.message.map(Message::from),
            timestamp: timestamp(&status.timestamp),
        }
    }
}

impl IntoModel for TaskStatus {
    type Object = model::TaskStatus;

    fn into_model(self, at: &str) -> Result<model::TaskStatus, A2aError> {
        Ok(model::TaskStatus {
            // A state of a later version is none that is known here.
            state: self.state().into(),
            message: self.message.map(|message| message.into_model(&within(at, "message"))).transpose()?,
            timestamp: or_default(self.timestamp, at, "timestamp")?,
        })
    }
}

impl From<model::Task> for Task {
    fn from(task: model::Task) -> Self {
        Self {
            id: task.id,
            context_id: task.context_id,
            status: Some(task.status.into()),
            artifacts: task.artifacts.into_iter().map(Artifact::from).collect(),
            history: task.history.into_iter().map(Message::from).collect(),
            metadata: object(task.metadata),
        }
    }
}

impl IntoModel for Task {
    type Object = model::Task;

    fn into_model(self, at: &str) -> Result<model::Task, A2aError> {
        Ok(model::Task {
            id: self.id,
            context_id: self.context_id,
            status: or_default(self.status, at, "status")?,
            artifacts: all(self.artifacts, at, "artifacts")?,
            history: all(self.history, at, "history")?,
            metadata: or_default(self.metadata, at, "metadata")?,
        })
    }
}

impl From<model::TaskStatusUpdateEvent> for TaskStatusUpdateEvent {
    fn from(update: model::TaskStatusUpdateEvent) -> Self {
        Self {
            task_id: update.task_id,
            context_id: update.context_id,
            status: Some(update.status.into()),
            metadata: object(update.metadata),
        }
    }
}

impl IntoModel for TaskStatusUpdateEvent {
    type Object = model::TaskStatusUpdateEvent;

    fn into_model(self, at: &str) -> Result<model::TaskStatusUpdateEvent, A2aError> {
        Ok(model::TaskStatusUpdateEvent {
            task_id: self.task_id,
            context_id: self.context_id,
            status: or_default(self.status, at, "status")?,
            metadata: or_default(self.metadata, at, "metadata")?,
        })
    }
}

impl From<model::TaskArtifactUpdateEvent> for TaskArtifactUpdateEvent {
    fn from(update: model::TaskArtifactUpdateEvent) -> Self {
        Self {
            task_id: update.task_id,
            context_id: update.context_id,
            artifact: Some(update.artifact.into()),
            append: update.append,
            last_chunk: update.last_chunk,
            metadata: object(update.metadata),
        }
    }
}

impl IntoModel for TaskArtifactUpdateEvent {
    type Object = model::TaskArtifactUpdateEvent;

    fn into_model(self, at: &str) -> Result<model::TaskArtifactUpdateEvent, A2aError> {
        Ok(model::TaskArtifactUpdateEvent {
            task_id: self.task_id,
            context_id: self.context_id,
            artifact: or_default(self.artifact, at, "artifact")?,
            append: self.append,
            last_chunk: self.last_chunk,
            metadata: or_default(self.metadata, at, "metadata")?,
        })
    }
}

impl From<model::StreamItem> for StreamResponse {
    fn from(item: model::StreamItem) -> Self {
        let payload = match item {
            model::StreamItem::Task(task) => StreamPayload::Task(task.into()),
            model::StreamItem::Message(message) => StreamPayload::Message(message.into()),
            model::StreamItem::StatusUpdate(update) => StreamPayload::StatusUpdate(update.into()),
            model::StreamItem::ArtifactUpdate(update) => StreamPayload::ArtifactUpdate(update.into()),
        };
        Self { payload: Some(payload) }
    }
}

impl IntoModel for StreamResponse {
    type Object = model::StreamItem;

    fn into_model(self, at: &str) -> Result<model::StreamItem, A2aError> {
        Ok(match self.payload {
            Some(StreamPayload::Task(task)) => model::StreamItem::Task(task.into_model(&within(at, "task"))?),
            Some(StreamPayload::Message(message)) => {
                model::StreamItem::Message(message.into_model(&within(at, "message"))?)
            }
            Some(StreamPayload::StatusUpdate(update)) => {
                model::StreamItem::StatusUpdate(update.into_model(&within(at, "statusUpdate"))?)
            }
            Some(StreamPayload::ArtifactUpdate(update)) => {
                model::StreamItem::ArtifactUpdate(update.into_model(&within(at, "artifactUpdate"))?)
            }
            None => return Err(A2aError::invalid(at, "a stream item holds exactly one member")),
        })
    }
}
