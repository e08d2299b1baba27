//! The canonical model: the objects of A2A 1.0 as Rust types that read and write ProtoJSON.
//! Reading is as tolerant as ProtoJSON asks (camelCase and snake_case, `null` for a default, unknown fields ignored);
//! writing leaves defaults out except where the specification says REQUIRED. What a message must hold is checked by
//! `validation`, what other versions call things is known to `dialect` alone.

mod card;
mod messages;
mod operations;
mod parts;
mod push;
mod tasks;

pub use card::{
    AgentCapabilities, AgentCard, AgentCardSignature, AgentExtension, AgentInterface, AgentProvider,
    AgentSkill, Binding, SecurityRequirement,
};
pub use messages::{Message, Role};
pub use operations::{
    GetTaskRequest, ListTasksRequest, ListTasksResponse, SendMessageConfiguration, SendMessageRequest,
    SendMessageResponse, TaskIdRequest,
};
pub use parts::{Content, Part};
pub(crate) use parts::{decode_base64, encode_base64, value_size};
pub use push::{AuthenticationInfo, ListPushConfigsResponse, PushConfig, PushConfigRequest};
pub use tasks::{
    Artifact, StreamItem, Task, TaskArtifactUpdateEvent, TaskState, TaskStatus, TaskStatusUpdateEvent,
};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A JSON object that travels untouched, as `google.protobuf.Struct` does.
pub type Metadata = Map<String, Value>;

/// Reads a field in which `null` means the default, as ProtoJSON has it.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a field whose presence counts even when it is `null`.
pub(crate) fn present<'de, D>(deserializer: D) -> Result<Option<Value>, D::Error>
where
    D: Deserializer<'de>,
{
    Value::deserialize(deserializer).map(Some)
}

/// Whether a flag has its default, for leaving it out.
pub(crate) fn is_false(flag: &bool) -> bool {
    !*flag
}
