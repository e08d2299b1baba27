//! A task: the work that a message started, its state, its results, and the updates that a stream carries.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::parts::object_size;
use super::{Message, Metadata, Part, is_false, nullable};

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaskState {
    /// Not said.
    #[default]
    #[serde(rename = "TASK_STATE_UNSPECIFIED")]
    Unspecified,
    /// Received and not begun.
    #[serde(rename = "TASK_STATE_SUBMITTED")]
    Submitted,
    /// Under way.
    #[serde(rename = "TASK_STATE_WORKING")]
    Working,
    /// Done.
    #[serde(rename = "TASK_STATE_COMPLETED")]
    Completed,
    /// Ended by a fault.
    #[serde(rename = "TASK_STATE_FAILED")]
    Failed,
    /// Ended on the client's wish.
    #[serde(rename = "TASK_STATE_CANCELED")]
    Canceled,
    /// Waits for the client to say more.
    #[serde(rename = "TASK_STATE_INPUT_REQUIRED")]
    InputRequired,
    /// The agent would not do it.
    #[serde(rename = "TASK_STATE_REJECTED")]
    Rejected,
    /// Waits for credentials.
    #[serde(rename = "TASK_STATE_AUTH_REQUIRED")]
    AuthRequired,
}

impl TaskState {
    /// All states that a task can be in.
    pub const ALL: [Self; 8] = [
        Self::Submitted,
        Self::Working,
        Self::Completed,
        Self::Failed,
        Self::Canceled,
        Self::InputRequired,
        Self::Rejected,
        Self::AuthRequired,
    ];

    /// Whether a task never leaves this state.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled | Self::Rejected)
    }

    /// Whether the agent waits for the client.
    #[must_use]
    pub fn is_interrupted(self) -> bool {
        matches!(self, Self::InputRequired | Self::AuthRequired)
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "TASK_STATE_UNSPECIFIED",
            Self::Submitted => "TASK_STATE_SUBMITTED",
            Self::Working => "TASK_STATE_WORKING",
            Self::Completed => "TASK_STATE_COMPLETED",
            Self::Failed => "TASK_STATE_FAILED",
            Self::Canceled => "TASK_STATE_CANCELED",
            Self::InputRequired => "TASK_STATE_INPUT_REQUIRED",
            Self::Rejected => "TASK_STATE_REJECTED",
            Self::AuthRequired => "TASK_STATE_AUTH_REQUIRED",
        }
    }

    /// The state of a name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A task's state, since when, and what the agent says about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskStatus {
    /// Where the task stands.
    #[serde(deserialize_with = "nullable")]
    pub state: TaskState,
    /// What the agent says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// When it came to stand there, RFC 3339 in UTC.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub timestamp: String,
}

/// A result of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Artifact {
    /// Unique within the task.
    #[serde(alias = "artifact_id", deserialize_with = "nullable")]
    pub artifact_id: String,
    /// A name for people.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A description for people.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it holds, at least one part.
    #[serde(deserialize_with = "nullable")]
    pub parts: Vec<Part>,
    /// Whatever else the agent attached.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// URIs of the extensions that it uses.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
}

impl Artifact {
    /// An artifact with a fresh id.
    #[must_use]
    pub fn new(name: impl Into<String>, parts: Vec<Part>) -> Self {
        let artifact_id = uuid::Uuid::new_v4().to_string();
        Self { artifact_id, name: name.into(), parts, ..Self::default() }
    }

    /// Bytes that it takes in memory, roughly.
    #[must_use]
    pub fn size(&self) -> usize {
        const FIXED: usize = 160;
        FIXED
            + self.name.len()
            + self.description.len()
            + self.parts.iter().map(|part| part.size() + 96).sum::<usize>()
            + object_size(&self.metadata)
    }
}

/// The work that a message started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Task {
    /// Made by the server.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// The conversation it belongs to.
    #[serde(alias = "context_id", deserialize_with = "nullable")]
    pub context_id: String,
    /// Where it stands.
    #[serde(deserialize_with = "nullable")]
    pub status: TaskStatus,
    /// Its results so far.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// What was said so far, oldest first.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Message>,
    /// Whatever else the agent attached.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// The task came to stand elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskStatusUpdateEvent {
    /// Which task.
    #[serde(alias = "task_id", deserialize_with = "nullable")]
    pub task_id: String,
    /// Its conversation.
    #[serde(alias = "context_id", deserialize_with = "nullable")]
    pub context_id: String,
    /// Where it stands now.
    #[serde(deserialize_with = "nullable")]
    pub status: TaskStatus,
    /// Whatever else the agent attached.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// The task has a new result, or more of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskArtifactUpdateEvent {
    /// Which task.
    #[serde(alias = "task_id", deserialize_with = "nullable")]
    pub task_id: String,
    /// Its conversation.
    #[serde(alias = "context_id", deserialize_with = "nullable")]
    pub context_id: String,
    /// The result, or a further piece of it.
    #[serde(deserialize_with = "nullable")]
    pub artifact: Artifact,
    /// Whether the parts continue the artifact of the same id.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub append: bool,
    /// Whether this piece is the last.
    #[serde(alias = "last_chunk", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub last_chunk: bool,
    /// Whatever else the agent attached.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// One item of a stream or of a push notification. On the wire it is an object with exactly one member.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// The whole task; a stream about a task begins with it.
    Task(Task),
    /// The agent's direct answer; then it is the only item.
    Message(Message),
    /// The task came to stand elsewhere.
    StatusUpdate(TaskStatusUpdateEvent),
    /// The task has a new result, or more of one.
    ArtifactUpdate(TaskArtifactUpdateEvent),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamItemFields {
    task: Option<Task>,
    message: Option<Message>,
    #[serde(alias = "status_update")]
    status_update: Option<TaskStatusUpdateEvent>,
    #[serde(alias = "artifact_update")]
    artifact_update: Option<TaskArtifactUpdateEvent>,
}

impl<'de> Deserialize<'de> for StreamItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StreamItemFields { task, message, status_update, artifact_update } =
            StreamItemFields::deserialize(deserializer)?;
        match (task, message, status_update, artifact_update) {
            (Some(task), None, None, None) => Ok(Self::Task(task)),
            (None, Some(message), None, None) => Ok(Self::Message(message)),
            (None, None, Some(update), None) => Ok(Self::StatusUpdate(update)),
            (None, None, None, Some(update)) => Ok(Self::ArtifactUpdate(update)),
            _ => Err(de::Error::custom(
                "a stream item holds exactly one of `task`, `message`, `statusUpdate` and `artifactUpdate`",
            )),
        }
    }
}

impl Serialize for StreamItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NAME: &str = "StreamResponse";
        match self {
            Self::Task(task) => serializer.serialize_newtype_variant(NAME, 0, "task", task),
            Self::Message(message) => serializer.serialize_newtype_variant(NAME, 1, "message", message),
            Self::StatusUpdate(update) => {
                serializer.serialize_newtype_variant(NAME, 2, "statusUpdate", update)
            }
            Self::ArtifactUpdate(update) => {
                serializer.serialize_newtype_variant(NAME, 3, "artifactUpdate", update)
            }
        }
    }
}

impl StreamItem {
    /// The state that it tells of, if it tells of one.
    #[must_use]
    pub fn state(&self) -> Option<TaskState> {
        match self {
            Self::Task(task) => Some(task.status.state),
            Self::StatusUpdate(update) => Some(update.status.state),
            Self::Message(_) | Self::ArtifactUpdate(_) => None,
        }
    }
}
