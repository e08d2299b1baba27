//! The HTTP routes: sessions, health and figures here; runs, candidates and commands in files of their own.

mod candidates;
pub(crate) mod commands;
mod runs;

use crate::access::Role;
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use crate::views;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Rows of a page when none are asked for, and at most.
pub(crate) const PAGE: usize = 200;
pub(crate) const MAX_PAGE: usize = 1000;
/// Runs whose figures are given.
const MAX_METERED: usize = 20;

/// Everything below `/api`.
pub(crate) fn router() -> Router<Arc<Shared>> {
    let run = Router::new()
        .route("/", get(runs::show))
        .route("/candidates", get(candidates::list))
        .route("/candidates/{id}", get(candidates::show))
        .route("/candidates/{id}/diff", get(candidates::diff))
        .route("/candidates/{id}/files/{*path}", get(candidates::file))
        .route("/candidates/{id}/logs", get(candidates::logs))
        .route("/candidates/{id}/artifacts", get(candidates::artifacts))
        .route("/front", get(candidates::front))
        .route("/lineage", get(candidates::lineage))
        .route("/events", get(runs::events))
        .route("/commands", post(commands::post));
    Router::new()
        .route("/session", get(session).post(open_session))
        .route("/v1/runs", get(runs::list).post(runs::start))
        .nest("/v1/runs/{run}", run)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

/// A body that is read as JSON, or why it is none.
pub(crate) fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    match body {
        Ok(Json(body)) => Ok(body),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE, rejection.body_text()))
        }
        Err(rejection) => Err(Problem::invalid(rejection.body_text())),
    }
}

async fn open_session(
    State(shared): State<Arc<Shared>>,
    sent: Result<Json<Token>, JsonRejection>,
) -> Result<Response, Problem> {
    let token = body(sent)?.token;
    let role =
        shared.access.role_of(&token).ok_or_else(|| Problem::unauthorized().help("the token is wrong"))?;
    let cookie = shared.access.open_session(role);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

async fn session(role: Option<Extension<Role>>) -> Result<Response, Problem> {
    let Extension(role) = role.ok_or_else(Problem::unauthorized)?;
    Ok(Json(json!({ "role": role })).into_response())
}

/// Whether requests can be answered: the log can be read.
pub(crate) async fn ready(State(shared): State<Arc<Shared>>) -> Result<&'static str, Problem> {
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

/// Figures as Prometheus reads them.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let text = blocking(move || {
        let mut text = String::new();
        let mut line = |name: &str, labels: &str, value: f64| {
            let _ = writeln!(text, "darwind_{name}{{{labels}}} {value}");
        };
        for (run, _) in shared.mirrors.list()?.into_iter().take(MAX_METERED) {
            let mirror = shared.mirrors.get(&run)?;
            mirror.with(|state| {
                let label = format!("run=\"{run}\"");
                line("events", &label, state.seq as f64);
                line("evaluations_total", &label, state.counters.evaluations as f64);
                line("proposals_total", &label, state.counters.proposals as f64);
                line("accepted_total", &label, state.counters.accepted as f64);
                line("rejected_total", &label, state.counters.rejected as f64);
                line("viable_total", &label, state.counters.viable as f64);
                line("front_size", &label, state.front.len() as f64);
                line("hypervolume", &label, state.hypervolume);
                line("learning_rate", &label, state.learning_rate.rate());
                line("in_flight", &label, state.in_flight().count() as f64);
                line("active_seconds", &label, state.active_ms(state.last_ms) as f64 / 1000.0);
                for (outcome, count) in &state.counters.outcomes {
                    line(
                        "evaluation_outcomes_total",
                        &format!("{label},outcome=\"{outcome}\""),
                        *count as f64,
                    );
                }
                for (name, breaker) in &state.breakers {
                    let open = f64::from(u8::from(breaker.state() != evolution::event::BreakerState::Closed));
                    line("breaker_open", &format!("{label},breaker=\"{name}\""), open);
                }
                let state_label = format!("{label},state=\"{}\"", views::phase(&state.phase));
                line("run_state", &state_label, 1.0);
            });
        }
        line("websocket_clients", "", shared.clients.load(Ordering::Relaxed) as f64);
        Ok(text.replace("{}", ""))
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
