//! Errors as gRPC carries them: a status with `google.rpc.Status` in the trailers, whose details say more.

use prost::Message;
use prost_types::{Any, Duration};
use tonic::{Code, Status};

use crate::error::{A2aError, BAD_REQUEST, ERROR_DOMAIN, ERROR_INFO, ErrorKind, RETRY_INFO};

/// Most fields that an error names. Trailers have to stay small: clients read 8 KiB of them, and more is told to nobody.
const MAX_VIOLATIONS: usize = 8;
/// Longest text of an error, in bytes.
const MAX_TEXT_BYTES: usize = 256;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub struct RichStatus {
    /// The number of the code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// What happened, for people.
    #[prost(string, tag = "2")]
    pub message: String,
    /// [`ErrorInfo`] first; then [`BadRequest`] or [`RetryInfo`] where they apply.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`, without its metadata.
#[derive(Clone, PartialEq, Message)]
pub struct ErrorInfo {
    /// See [`ErrorKind::reason`].
    #[prost(string, tag = "1")]
    pub reason: String,
    /// Whose reason it is.
    #[prost(string, tag = "2")]
    pub domain: String,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, Message)]
pub struct BadRequest {
    /// The fields to blame.
    #[prost(message, repeated, tag = "1")]
    pub field_violations: Vec<FieldViolation>,
}

/// A field that is not as it must be.
#[derive(Clone, PartialEq, Message)]
pub struct FieldViolation {
    /// Its path.
    #[prost(string, tag = "1")]
    pub field: String,
    /// What is wrong with it.
    #[prost(string, tag = "2")]
    pub description: String,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct RetryInfo {
    /// How long to wait.
    #[prost(message, optional, tag = "1")]
    pub retry_delay: Option<Duration>,
}

/// The code of an error in gRPC (A2A 1.0.1, section 5.4).
fn code(kind: ErrorKind) -> Code {
    if kind == ErrorKind::MethodNotFound {
        // gRPC has a code of its own for a method that a service does not have.
        return Code::Unimplemented;
    }
    match kind.status_name() {
        "INVALID_ARGUMENT" => Code::InvalidArgument,
        "NOT_FOUND" => Code::NotFound,
        "FAILED_PRECONDITION" => Code::FailedPrecondition,
        "UNAUTHENTICATED" => Code::Unauthenticated,
        "PERMISSION_DENIED" => Code::PermissionDenied,
        "RESOURCE_EXHAUSTED" => Code::ResourceExhausted,
        "UNAVAILABLE" => Code::Unavailable,
        _ => Code::Internal,
    }
}

/// The beginning of a text, as far as there is room.
fn short(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or_default().to_owned()
}

fn any(type_url: &str, detail: &impl Message) -> Any {
    Any { type_url: type_url.to_owned(), value: detail.encode_to_vec() }
}

/// Writes an error.
pub(crate) fn status(error: &A2aError) -> Status {
    let info = ErrorInfo { reason: error.kind.reason().to_owned(), domain: ERROR_DOMAIN.to_owned() };
    let mut details = vec![any(ERROR_INFO, &info)];
    if !error.violations.is_empty() {
        let violations = error.violations.iter().take(MAX_VIOLATIONS).map(|violation| FieldViolation {
            field: short(&violation.field),
            description: short(&violation.description),
        });
        details.push(any(BAD_REQUEST, &BadRequest { field_violations: violations.collect() }));
    }
    if let Some(after) = error.retry_after {
        let seconds = i64::try_from(after.as_secs().max(1)).unwrap_or(i64::MAX);
        let retry_delay = Some(Duration { seconds, nanos: 0 });
        details.push(any(RETRY_INFO, &RetryInfo { retry_delay }));
    }
    let (code, message) = (code(error.kind), short(&error.message));
    let status = RichStatus { code: code.into(), message: message.clone(), details };
    Status::with_details(code, message, status.encode_to_vec().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_that_http_json_names() {
        for kind in ErrorKind::ALL {
            let name = format!("{:?}", code(kind)).to_ascii_uppercase();
            let expected = match kind {
                ErrorKind::MethodNotFound => "UNIMPLEMENTED".to_owned(),
                _ => kind.status_name().replace('_', ""),
            };
            assert_eq!(name, expected, "{kind:?}");
        }
    }

    #[test]
    fn however_much_is_wrong_the_trailers_stay_small() {
        let wrong = |index| crate::Violation {
            field: format!("message.parts[{index}]"),
            description: "é".repeat(5_000),
        };
        let status = status(&A2aError::violations((0..5_000).map(wrong).collect()));
        assert!(status.details().len() < 6_000 && status.message().len() <= MAX_TEXT_BYTES);
        let rich = RichStatus::decode(status.details()).unwrap();
        let bad = BadRequest::decode(rich.details[1].value.as_slice()).unwrap();
        assert_eq!(bad.field_violations.len(), MAX_VIOLATIONS);
    }
}
