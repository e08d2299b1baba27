//! A child's request: who asks, whether it may, and off to the endpoint with it.

use super::Desk;
use super::attempt::Attempt;
use super::pump::{Call, Paid};
use super::question::Question;
use crate::dialect::Dialect;
use crate::error::ModelError;
use crate::http;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest question of a child, in bytes.
pub const MAX_QUESTION: usize = 8 << 20;
/// How long a question may take to arrive.
const QUESTION_TIME: Duration = Duration::from_secs(30);
/// Headers of the child that are passed on: which version and which trials of a dialect it speaks.
const PASSED_ON: [&str; 2] = ["anthropic-version", "anthropic-beta"];

/// Why a request is turned away. The texts go to the child.
#[derive(Debug, thiserror::Error)]
pub(super) enum Denied {
    #[error("the token is none of an attempt under way")]
    Stranger,
    #[error("the question took more than {QUESTION_TIME:?} to arrive, or broke off")]
    Slow,
    #[error("the question has more than {MAX_QUESTION} bytes")]
    TooLarge,
    #[error("the question is no JSON object")]
    Garbled,
    #[error("too many calls at once; try again when one has ended")]
    Crowded,
    #[error("the allowance of this attempt or the budget of the run is used up")]
    Exhausted,
    #[error("the attempt is over")]
    Over,
    #[error("{0}")]
    Upstream(ModelError),
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let (status, kind) = match &self {
            Self::Stranger => (StatusCode::UNAUTHORIZED, "authentication_error"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "request_too_large"),
            Self::Garbled => (StatusCode::BAD_REQUEST, "invalid_request_error"),
            Self::Crowded => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error"),
            Self::Exhausted => (StatusCode::FORBIDDEN, "budget_exhausted"),
            Self::Over => (StatusCode::GONE, "attempt_over"),
            Self::Upstream(ModelError::Refused { status, .. }) => {
                (StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY), "api_error")
            }
            Self::Upstream(_) => (StatusCode::BAD_GATEWAY, "api_error"),
        };
        // One shape that the clients of all three dialects read.
        let body =
            json!({ "type": "error", "error": { "type": kind, "message": self.to_string() } }).to_string();
        let mut response = (status, [(CONTENT_TYPE, "application/json")], body).into_response();
        let wait = match &self {
            Self::Crowded => Some(Duration::from_secs(1)),
            Self::Upstream(ModelError::Refused { retry_after, .. }) => *retry_after,
            _ => None,
        };
        if let Some(wait) = wait {
            response.headers_mut().insert(RETRY_AFTER, wait.as_secs().into());
        }
        response
    }
}

/// The models there are: one.
pub(super) async fn models(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Result<Response, Denied> {
    caller(&desk, &headers)?;
    let model = json!({ "id": desk.options.model, "object": "model" });
    let body = json!({ "object": "list", "data": [model] }).to_string();
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

pub(super) async fn chat(desk: State<Arc<Desk>>, headers: HeaderMap, body: Body) -> Result<Response, Denied> {
    forward(&desk, Dialect::Chat, &headers, body).await
}

pub(super) async fn responses(
    desk: State<Arc<Desk>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Denied> {
    forward(&desk, Dialect::Responses, &headers, body).await
}

pub(super) async fn messages(
    desk: State<Arc<Desk>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Denied> {
    forward(&desk, Dialect::Messages, &headers, body).await
}

/// The attempt whose token the request carries, where either family of clients puts it.
fn caller(desk: &Desk, headers: &HeaderMap) -> Result<Arc<Attempt>, Denied> {
    let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = of(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer.or_else(|| of("x-api-key")).ok_or(Denied::Stranger)?;
    desk.attempts.of(token).ok_or(Denied::Stranger)
}

async fn forward(
    desk: &Arc<Desk>,
    dialect: Dialect,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Denied> {
    let attempt = caller(desk, headers)?;
    let bytes = arrived(body).await?;
    let question = Question::read(dialect, &bytes).ok_or(Denied::Garbled)?;
    let turn = attempt.at_once.clone().try_acquire_owned().map_err(|_| Denied::Crowded)?;
    let number = attempt.call().ok_or(Denied::Exhausted)?;
    let paid = tokio::select! {
        paid = pay(desk, &attempt, &question) => paid?,
        () = attempt.over() => return Err(Denied::Over),
    };
    let call = Call::new(desk.clone(), attempt.clone(), (dialect, number), &bytes, &question, turn);
    let sent = send(desk, dialect, headers, question.written(&desk.options.model, paid.granted()));
    let response = tokio::select! {
        sent = tokio::time::timeout(desk.options.limits.first_byte, sent) => match sent {
            Ok(response) => response,
            Err(_) => Err(ModelError::Stalled(desk.options.limits.first_byte)),
        },
        () = attempt.over() => return Err(Denied::Over),
    };
    let response =
        response.map_err(|error| Denied::Upstream(http::hidden(error, desk.options.key.as_ref())))?;
    Ok(call.stream(response, paid))
}

/// The whole question.
async fn arrived(body: Body) -> Result<Bytes, Denied> {
    match tokio::time::timeout(QUESTION_TIME, axum::body::to_bytes(body, MAX_QUESTION)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if error.to_string().contains("length limit") => Err(Denied::TooLarge),
        _ => Err(Denied::Slow),
    }
}

/// Sets aside what the call may cost: of the attempt's allowance first, then of the run's purse.
async fn pay(desk: &Desk, attempt: &Arc<Attempt>, question: &Question) -> Result<Paid, Denied> {
    let (read, answer) = (question.tokens, question.answer());
    let price = desk.options.price.map(|price| (price.input / 1e6, price.output / 1e6));
    let (attempt, purse, started) = (attempt.clone(), desk.purse.clone(), Instant::now());
    // The purse blocks while others that are under way may leave something over.
    let paid = tokio::task::spawn_blocking(move || {
        let own = attempt.purse.reserve(read, answer, None).map_err(|poor| attempt.refuse(poor, false))?;
        let shared = purse.reserve(read, own.answer, price).map_err(|poor| attempt.refuse(poor, true))?;
        Ok::<_, crate::purse::Poor>(Paid { own, shared, started })
    });
    match paid.await {
        Ok(paid) => paid.map_err(|_| Denied::Exhausted),
        Err(_) => Err(Denied::Over),
    }
}

async fn send(
    desk: &Desk,
    dialect: Dialect,
    from: &HeaderMap,
    body: String,
) -> Result<reqwest::Response, ModelError> {
    let mut headers = http::headers(dialect, desk.options.key.as_ref())?;
    for name in PASSED_ON {
        if let Some(value) = from.get(name) {
            headers.insert(name, value.clone());
        }
    }
    let url = format!("{}/{}", desk.options.endpoint.trim_end_matches('/'), dialect.path());
    http::post(&desk.http, &url, headers, body, &desk.options.limits).await
}
