//! Errors as RFC 9457 problem details, each with what to do next.

use crate::service::ServiceError;
use crate::wire;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A refusal in its one shape.
#[derive(Debug)]
pub(crate) struct Problem(wire::Problem);

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        let (status, detail) = (status.as_u16(), detail.into());
        Self(wire::Problem { kind: "about:blank", title, status, detail, help: None })
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", detail)
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "the request makes no sense", detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "refused in this state", detail)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "who are you?", "a session or a bearer token is needed")
            .help("open the link that darwind printed, or send `Authorization: Bearer` with its token")
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not allowed", detail)
    }

    pub(crate) fn too_many(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too many at once", detail)
            .help("wait a second, then try again")
    }

    pub(crate) fn failed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the daemon failed", detail)
    }

    pub(crate) fn of_status(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, status.canonical_reason().unwrap_or("refused"), detail)
    }

    /// Says what to do next.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self(wire::Problem { help: Some(help.into()), ..self.0 })
    }

    /// What it says, for those who get no HTTP answer.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound(detail) => Self::not_found(detail),
            ServiceError::Invalid { message, help } => match help {
                Some(help) => Self::invalid(message).help(help),
                None => Self::invalid(message),
            },
            ServiceError::Refused(detail) => Self::conflict(detail),
            ServiceError::Failed(detail) => Self::failed(detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self.0).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }
}
