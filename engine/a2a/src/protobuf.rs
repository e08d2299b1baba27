//! The objects of A2A 1.0 in protobuf, as gRPC carries them: package `lf.a2a.v1`. The messages are written by hand after
//! the descriptors of the Python SDK (PyPI a2a-sdk 1.3.0), so that nothing has to be generated; `tests/kits` has the
//! samples of that SDK that they are held to. A message is made from its object of the model by `From`, and read into it
//! by [`IntoModel`].
//! Not here: how gRPC frames them (`server`), and what a request must hold (`validation`).

mod card;
mod errors;
mod messages;
mod operations;
mod push;
mod security;
mod tasks;
#[cfg(test)]
mod trips;
mod values;

pub use card::{
    AgentCapabilities, AgentCard, AgentCardSignature, AgentExtension, AgentInterface, AgentProvider,
    AgentSkill,
};
pub(crate) use errors::status;
pub use errors::{BadRequest, ErrorInfo, FieldViolation, RetryInfo, RichStatus};
pub use messages::{Content, Message, Part, Role};
pub use operations::{
    CancelTaskRequest, GetExtendedAgentCardRequest, GetTaskRequest, ListTasksRequest, ListTasksResponse,
    SendMessageConfiguration, SendMessageRequest, SendMessageResponse, SentPayload, SubscribeToTaskRequest,
};
pub use push::{
    AuthenticationInfo, DeleteTaskPushNotificationConfigRequest, GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest, ListTaskPushNotificationConfigsResponse,
    TaskPushNotificationConfig,
};
pub use security::{
    ApiKeySecurityScheme, AuthorizationCodeOAuthFlow, ClientCredentialsOAuthFlow, DeviceCodeOAuthFlow, Flow,
    HttpAuthSecurityScheme, ImplicitOAuthFlow, MutualTlsSecurityScheme, OAuth2SecurityScheme, OAuthFlows,
    OpenIdConnectSecurityScheme, PasswordOAuthFlow, Scheme, SecurityRequirement, SecurityScheme, StringList,
};
pub use tasks::{
    Artifact, StreamPayload, StreamResponse, Task, TaskArtifactUpdateEvent, TaskState, TaskStatus,
    TaskStatusUpdateEvent,
};

use crate::error::A2aError;

/// The service, as it stands in the paths of calls.
pub const SERVICE: &str = "lf.a2a.v1.A2AService";

/// A message that can be read into an object of the model.
pub trait IntoModel {
    /// The object.
    type Object;

    /// Reads the message. `at` is its path within the request, "" for the request itself.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidParams`] with the path of the field that the model cannot hold.
    fn into_model(self, at: &str) -> Result<Self::Object, A2aError>;
}

/// The path of a field.
fn within(at: &str, field: &str) -> String {
    if at.is_empty() { field.to_owned() } else { format!("{at}.{field}") }
}

/// Reads every message of a repeated field.
fn all<M: IntoModel>(messages: Vec<M>, at: &str, field: &str) -> Result<Vec<M::Object>, A2aError> {
    let read = |(index, message): (usize, M)| message.into_model(&format!("{}[{index}]", within(at, field)));
    messages.into_iter().enumerate().map(read).collect()
}

/// Reads a message that a client may leave out; then the object is the default.
fn or_default<M>(message: Option<M>, at: &str, field: &str) -> Result<M::Object, A2aError>
where
    M: IntoModel,
    M::Object: Default,
{
    message.map_or_else(|| Ok(M::Object::default()), |message| message.into_model(&within(at, field)))
}
