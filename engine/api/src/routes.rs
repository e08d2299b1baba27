//! The HTTP API: what is where, and what is neither a run nor a candidate.

mod candidates;
pub(crate) mod commands;
pub(crate) mod metrics;
mod peers;
mod runs;

use crate::access::Role;
use crate::extract::Body;
use crate::openapi;
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use crate::wire::run::{Session, Token};
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Rows of a page when none are asked for, and at most.
pub(crate) const PAGE: usize = 200;
pub(crate) const MAX_PAGE: usize = 1000;

/// Every route, and the document that says what they take and answer.
fn gathered() -> (Router<Arc<Shared>>, OpenApi) {
    let runs = OpenApiRouter::new()
        .routes(routes!(runs::list, runs::start))
        .routes(routes!(runs::show))
        .routes(routes!(runs::events))
        .routes(routes!(candidates::list))
        .routes(routes!(candidates::show))
        .routes(routes!(candidates::diff))
        .routes(routes!(candidates::file))
        .routes(routes!(candidates::logs))
        .routes(routes!(candidates::artifacts))
        .routes(routes!(candidates::front))
        .routes(routes!(candidates::lineage))
        .routes(routes!(commands::post))
        .routes(routes!(peers::show))
        .routes(routes!(peers::replay));
    let (router, document) = OpenApiRouter::with_openapi(openapi::frame())
        .nest("/api/v1", runs)
        .routes(routes!(session, open_session))
        .routes(routes!(healthy))
        .routes(routes!(ready))
        .routes(routes!(metrics::show))
        .split_for_parts();
    (router, openapi::complete(document))
}

/// The HTTP API with its own description.
pub(crate) fn router() -> Router<Arc<Shared>> {
    let (router, document) = gathered();
    let document = Arc::new(document);
    router.route("/api/v1/openapi.json", get(move || std::future::ready(Json(document.clone()))))
}

/// The OpenAPI document.
#[cfg(test)]
pub(crate) fn document() -> OpenApi {
    gathered().1
}

/// Opens a session for a token; its cookie comes with the answer.
#[utoipa::path(post, path = "/api/session", tag = "session", request_body = Token, security(()),
    responses((status = 204, description = "The session is open")))]
async fn open_session(
    State(shared): State<Arc<Shared>>,
    Body(Token { token }): Body<Token>,
) -> Result<Response, Problem> {
    if shared.access.role_of(&token).is_none() {
        shared.permits_guess()?;
        return Err(Problem::unauthorized().help("the token is wrong"));
    }
    let cookie = shared.access.open_session(&token);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Who is asking.
#[utoipa::path(get, path = "/api/session", tag = "session", responses((status = 200, body = Session)))]
async fn session(role: Option<Extension<Role>>) -> Result<Json<Session>, Problem> {
    let Extension(role) = role.ok_or_else(Problem::unauthorized)?;
    Ok(Json(Session { role }))
}

/// Whether the daemon lives.
#[utoipa::path(get, path = "/healthz", tag = "daemon", security(()),
    responses((status = 200, body = String, content_type = "text/plain; charset=utf-8")))]
async fn healthy() -> &'static str {
    "ok\n"
}

/// Whether requests can be answered: the log can be read.
#[utoipa::path(get, path = "/readyz", tag = "daemon", security(()),
    responses((status = 200, body = String, content_type = "text/plain; charset=utf-8")))]
async fn ready(State(shared): State<Arc<Shared>>) -> Result<&'static str, Problem> {
    blocking(move || {
        let listed = shared.mirrors.list();
        listed.map(|_| "ready\n").map_err(|problem| {
            Problem::of_status(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the log cannot be read: {}", problem.detail()),
            )
        })
    })
    .await
}
