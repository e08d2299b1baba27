//! All that can happen to a task, as it is kept in the log, and the fold of it. What runs live and what is read back
//! after a crash goes through the same function, so they cannot differ.
//! Not here: whether a change is permitted (`cell`), and where it is kept (`journal`).

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::model::{
    Artifact, Message, Metadata, PushConfig, StreamItem, Task, TaskArtifactUpdateEvent, TaskState,
    TaskStatus, TaskStatusUpdateEvent,
};

/// Most messages kept of a task's history; the oldest go first.
pub const MAX_HISTORY: usize = 512;
/// Most artifacts of a task; more are refused by failing the task.
pub const MAX_ARTIFACTS: usize = 1024;

/// A webhook and the version of the protocol in which it was registered, in which it wants to be spoken to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) config: PushConfig,
    pub(crate) dialect: Dialect,
}

/// Everything about a task that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) owner: String,
    /// The id that a client of version 0.1 gave the task.
    pub(crate) alias: Option<String>,
    pub(crate) task: Task,
    pub(crate) webhooks: Vec<Webhook>,
    /// Changes so far; also the number of the newest.
    pub(crate) seq: u64,
    /// Number of the change that set the status.
    pub(crate) status_seq: u64,
    /// When it was set, in unix milliseconds.
    pub(crate) status_ms: i64,
}

/// One thing that happened to a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// It began, or is written down anew so that older records can go.
    Stands(Box<Standing>),
    /// The client said something more.
    Said(Message),
    /// It came to stand elsewhere.
    Status { status: TaskStatus, metadata: Metadata },
    /// It has a new result, or more of one.
    Result { artifact: Artifact, append: bool, last_chunk: bool },
    /// Somebody wants to hear of it.
    Webhook(Webhook),
    /// Somebody no longer wants to.
    WebhookGone(String),
}

impl Standing {
    /// A task that begins now with a message.
    pub(crate) fn begin(owner: &str, alias: Option<String>, message: Message, at_ms: i64) -> Self {
        let task = Task {
            id: message.task_id.clone(),
            context_id: message.context_id.clone(),
            status: TaskStatus { state: TaskState::Submitted, message: None, timestamp: timestamp(at_ms) },
            history: vec![message],
            ..Task::default()
        };
        let owner = owner.to_owned();
        Self { owner, alias, task, webhooks: Vec::new(), seq: 1, status_seq: 1, status_ms: at_ms }
    }

    /// Applies a change and returns what a stream tells of it. The caller has checked that it is permitted.
    pub(crate) fn apply(&mut self, change: &Change, at_ms: i64) -> Option<StreamItem> {
        if let Change::Stands(standing) = change {
            *self = (**standing).clone();
            return None;
        }
        self.seq += 1;
        match change {
            Change::Stands(_) => None,
            Change::Said(message) => {
                self.remember_status_message();
                self.remember(message.clone());
                None
            }
            Change::Status { status, metadata } => {
                self.remember_status_message();
                self.task.status = status.clone();
                (self.status_seq, self.status_ms) = (self.seq, at_ms);
                Some(StreamItem::StatusUpdate(TaskStatusUpdateEvent {
                    task_id: self.task.id.clone(),
                    context_id: self.task.context_id.clone(),
                    status: status.clone(),
                    metadata: metadata.clone(),
                }))
            }
            Change::Result { artifact, append, last_chunk } => {
                self.keep(artifact, *append);
                Some(StreamItem::ArtifactUpdate(TaskArtifactUpdateEvent {
                    task_id: self.task.id.clone(),
                    context_id: self.task.context_id.clone(),
                    artifact: artifact.clone(),
                    append: *append,
                    last_chunk: *last_chunk,
                    metadata: Metadata::new(),
                }))
            }
            Change::Webhook(webhook) => {
                self.webhooks.retain(|known| known.config.id != webhook.config.id);
                self.webhooks.push(webhook.clone());
                None
            }
            Change::WebhookGone(id) => {
                self.webhooks.retain(|known| known.config.id != *id);
                None
            }
        }
    }

    /// What the agent said with its last status belongs to the conversation once the status is replaced.
    fn remember_status_message(&mut self) {
        if let Some(message) = self.task.status.message.take() {
            self.remember(message);
        }
    }

    fn remember(&mut self, message: Message) {
        let history = &mut self.task.history;
        if history.len() >= MAX_HISTORY {
            history.drain(..=history.len() - MAX_HISTORY);
        }
        history.push(message);
    }

    fn keep(&mut self, artifact: &Artifact, append: bool) {
        let known = self.task.artifacts.iter_mut().find(|known| known.artifact_id == artifact.artifact_id);
        match known {
            Some(known) if append => {
                known.parts.extend(artifact.parts.iter().cloned());
                known.metadata.extend(artifact.metadata.clone());
            }
            Some(known) => *known = artifact.clone(),
            None => self.task.artifacts.push(artifact.clone()),
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn timestamp(ms: i64) -> String {
    let since = std::time::Duration::from_millis(ms.max(0).unsigned_abs());
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + since).to_string()
}

/// Unix milliseconds of an RFC 3339 time.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339(text).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}
