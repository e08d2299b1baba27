//! What can go wrong, by the specification's names, with its code in each binding (A2A 1.0.1, section 5.4).
//! Not here: how an error is written in JSON-RPC, HTTP+JSON or an older version (`server`, `dialect`).

use std::time::Duration;

use serde_json::{Value, json};

/// Where the specification's error reasons live.
pub(crate) const ERROR_DOMAIN: &str = "a2a-protocol.org";
pub(crate) const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
pub(crate) const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
pub(crate) const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The bytes are not JSON.
    Parse,
    /// The JSON is not a request.
    InvalidRequest,
    /// Nobody knows the operation.
    MethodNotFound,
    /// The request's fields are not as they must be.
    InvalidParams,
    /// A fault of ours.
    Internal,
    /// There is no such task, or it is not the caller's.
    TaskNotFound,
    /// The task has ended.
    TaskNotCancelable,
    /// The card declares no push notifications.
    PushNotificationNotSupported,
    /// The operation is not for this agent or for a task in this state.
    UnsupportedOperation,
    /// A media type that the agent does not take.
    ContentTypeNotSupported,
    /// The agent answered something that is not of the protocol.
    InvalidAgentResponse,
    /// A fuller card is declared and there is none.
    ExtendedAgentCardNotConfigured,
    /// The agent insists on an extension.
    ExtensionSupportRequired,
    /// The agent does not speak this version.
    VersionNotSupported,
    /// The caller did not say who it is.
    Unauthenticated,
    /// The caller may not.
    PermissionDenied,
    /// The caller asks more than its share.
    RateLimited,
    /// The server has as much work as it takes.
    Overloaded,
    /// A request larger than the server reads.
    TooLarge,
}

impl ErrorKind {
    /// All kinds.
    pub const ALL: [Self; 19] = [
        Self::Parse,
        Self::InvalidRequest,
        Self::MethodNotFound,
        Self::InvalidParams,
        Self::Internal,
        Self::TaskNotFound,
        Self::TaskNotCancelable,
        Self::PushNotificationNotSupported,
        Self::UnsupportedOperation,
        Self::ContentTypeNotSupported,
        Self::InvalidAgentResponse,
        Self::ExtendedAgentCardNotConfigured,
        Self::ExtensionSupportRequired,
        Self::VersionNotSupported,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::RateLimited,
        Self::Overloaded,
        Self::TooLarge,
    ];

    /// The code in JSON-RPC. What the specification has no code for lies in -32000 and below -32090, the range that
    /// JSON-RPC leaves to servers, away from the codes that A2A takes in order.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Parse => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::Internal => -32603,
            Self::TaskNotFound => -32001,
            Self::TaskNotCancelable => -32002,
            Self::PushNotificationNotSupported => -32003,
            Self::UnsupportedOperation => -32004,
            Self::ContentTypeNotSupported => -32005,
            Self::InvalidAgentResponse => -32006,
            Self::ExtendedAgentCardNotConfigured => -32007,
            Self::ExtensionSupportRequired => -32008,
            Self::VersionNotSupported => -32009,
            Self::Unauthenticated => -32091,
            Self::PermissionDenied => -32092,
            Self::RateLimited => -32093,
            Self::Overloaded => -32094,
            Self::TooLarge => -32095,
        }
    }

    /// The status in HTTP+JSON.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Self::Internal | Self::InvalidAgentResponse => 500,
            Self::MethodNotFound | Self::TaskNotFound => 404,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::RateLimited => 429,
            Self::Overloaded => 503,
            Self::TooLarge => 413,
            _ => 400,
        }
    }

    /// The canonical status of `google.rpc.Code`, as HTTP+JSON writes beside the number and as gRPC would.
    #[must_use]
    pub fn status_name(self) -> &'static str {
        match self {
            Self::Parse | Self::InvalidRequest | Self::InvalidParams | Self::ContentTypeNotSupported => {
                "INVALID_ARGUMENT"
            }
            Self::Internal | Self::InvalidAgentResponse => "INTERNAL",
            Self::MethodNotFound | Self::TaskNotFound => "NOT_FOUND",
            Self::TaskNotCancelable
            | Self::PushNotificationNotSupported
            | Self::UnsupportedOperation
            | Self::ExtendedAgentCardNotConfigured
            | Self::ExtensionSupportRequired
            | Self::VersionNotSupported => "FAILED_PRECONDITION",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::RateLimited | Self::TooLarge => "RESOURCE_EXHAUSTED",
            Self::Overloaded => "UNAVAILABLE",
        }
    }

    /// The reason of `google.rpc.ErrorInfo`.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Parse => "PARSE_ERROR",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::MethodNotFound => "METHOD_NOT_FOUND",
            Self::InvalidParams => "INVALID_PARAMS",
            Self::Internal => "INTERNAL_ERROR",
            Self::TaskNotFound => "TASK_NOT_FOUND",
            Self::TaskNotCancelable => "TASK_NOT_CANCELABLE",
            Self::PushNotificationNotSupported => "PUSH_NOTIFICATION_NOT_SUPPORTED",
            Self::UnsupportedOperation => "UNSUPPORTED_OPERATION",
            Self::ContentTypeNotSupported => "CONTENT_TYPE_NOT_SUPPORTED",
            Self::InvalidAgentResponse => "INVALID_AGENT_RESPONSE",
            Self::ExtendedAgentCardNotConfigured => "EXTENDED_AGENT_CARD_NOT_CONFIGURED",
            Self::ExtensionSupportRequired => "EXTENSION_SUPPORT_REQUIRED",
            Self::VersionNotSupported => "VERSION_NOT_SUPPORTED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Overloaded => "OVERLOADED",
            Self::TooLarge => "TOO_LARGE",
        }
    }

    /// The kind of a reason that another server gave.
    #[must_use]
    pub fn from_reason(reason: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.reason() == reason)
    }

    /// The kind of a JSON-RPC code that another server gave.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| i64::from(kind.code()) == code)
    }
}

/// One field that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, such as `message.parts[0]`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// An error of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct A2aError {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// What happened and what to do, for people.
    pub message: String,
    /// Which fields are to blame.
    pub violations: Vec<Violation>,
    /// When it may be worth trying again.
    pub retry_after: Option<Duration>,
}

impl A2aError {
    /// An error of a kind with its message.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), violations: Vec::new(), retry_after: None }
    }

    /// A field that is not as it must be.
    #[must_use]
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::violations(vec![Violation { field: field.into(), description: description.into() }])
    }

    /// Several fields that are not as they must be. At least one is expected.
    #[must_use]
    pub fn violations(violations: Vec<Violation>) -> Self {
        let first = violations.first().map_or_else(
            || "invalid parameters".to_owned(),
            |violation| format!("{}: {}", violation.field, violation.description),
        );
        Self { violations, ..Self::new(ErrorKind::InvalidParams, first) }
    }

    /// No such task, or not the caller's: the two look alike.
    #[must_use]
    pub fn task_not_found(id: &str) -> Self {
        Self::new(ErrorKind::TaskNotFound, format!("there is no task {id:?}"))
    }

    /// The server or the caller's share is full; worth another try after a while.
    #[must_use]
    pub fn busy(kind: ErrorKind, message: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(kind, message) }
    }

    /// A fault of ours. What is told must be fit for strangers.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The details that go with it, as `google.protobuf.Any` in JSON.
    #[must_use]
    pub fn details(&self) -> Vec<Value> {
        let mut details = vec![
            json!({ "@type": ERROR_INFO, "reason": self.kind.reason(), "domain": ERROR_DOMAIN, "metadata": {} }),
        ];
        if !self.violations.is_empty() {
            let violations: Vec<Value> = self
                .violations
                .iter()
                .map(|v| json!({ "field": v.field, "description": v.description }))
                .collect();
            details.push(json!({ "@type": BAD_REQUEST, "fieldViolations": violations }));
        }
        if let Some(after) = self.retry_after {
            details
                .push(json!({ "@type": RETRY_INFO, "retryDelay": format!("{}s", after.as_secs().max(1)) }));
        }
        details
    }
}
