//! A message: one turn of a conversation between a client and an agent.

use serde::{Deserialize, Serialize};

use super::parts::object_size;
use super::{Metadata, Part, nullable};

/// Who speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Not said; refused in a message from a client.
    #[default]
    #[serde(rename = "ROLE_UNSPECIFIED")]
    Unspecified,
    /// The client.
    #[serde(rename = "ROLE_USER")]
    User,
    /// The agent.
    #[serde(rename = "ROLE_AGENT")]
    Agent,
}

/// One turn of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Message {
    /// Made by whoever made the message.
    #[serde(alias = "message_id", deserialize_with = "nullable")]
    pub message_id: String,
    /// The conversation it belongs to; empty to begin one.
    #[serde(alias = "context_id", deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub context_id: String,
    /// The task it belongs to; empty to begin one.
    #[serde(alias = "task_id", deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub task_id: String,
    /// Who speaks.
    #[serde(deserialize_with = "nullable")]
    pub role: Role,
    /// What is said, at least one part.
    #[serde(deserialize_with = "nullable")]
    pub parts: Vec<Part>,
    /// Whatever else the sender attached.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// URIs of the extensions that this message uses.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// Other tasks that it is about.
    #[serde(
        alias = "reference_task_ids",
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub reference_task_ids: Vec<String>,
}

impl Message {
    /// A message with a fresh id.
    #[must_use]
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { message_id: uuid::Uuid::new_v4().to_string(), role, parts, ..Self::default() }
    }

    /// A message of the agent that is plain text.
    #[must_use]
    pub fn agent_text(text: impl Into<String>) -> Self {
        Self::new(Role::Agent, vec![Part::text(text)])
    }

    /// A message of the user that is plain text.
    #[must_use]
    pub fn user_text(text: impl Into<String>) -> Self {
        Self::new(Role::User, vec![Part::text(text)])
    }

    /// The first text among its parts, or "".
    #[must_use]
    pub fn first_text(&self) -> &str {
        self.parts.iter().find_map(Part::as_text).unwrap_or_default()
    }

    /// Bytes that it takes in memory, roughly.
    #[must_use]
    pub fn size(&self) -> usize {
        const FIXED: usize = 200;
        FIXED + self.parts.iter().map(|part| part.size() + 96).sum::<usize>() + object_size(&self.metadata)
    }
}
