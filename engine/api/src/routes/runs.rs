//! Runs: listed, started, shown at any sequence number, and their events.

use super::{MAX_PAGE, PAGE};
use crate::access::Role;
use crate::clock::now_ms;
use crate::extract::{Body, Path, Query};
use crate::problem::Problem;
use crate::records;
use crate::server::{Shared, blocking};
use crate::service;
use crate::views;
use crate::wire::record::{After, Events};
use crate::wire::run::{At, NewRun, Run, RunLine, Runs, Started};
use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use evolution::id::RunId;
use std::sync::Arc;

/// Runs that a list shows.
const MAX_RUNS: usize = 500;

/// Time of a run's first event.
pub(crate) fn started_ms(shared: &Shared, run: &RunId) -> Result<i64, Problem> {
    let runs = shared.mirrors.list()?;
    Ok(runs.iter().find(|(id, _)| id == run).map_or(0, |(_, stream)| stream.first_time_ms))
}

/// The runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", responses((status = 200, body = Runs)))]
pub(crate) async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<Runs>, Problem> {
    let listed = blocking(move || {
        let runs = shared.mirrors.list()?;
        let total = runs.len();
        let line = |(run, stream): (RunId, store::StreamSummary)| {
            // A run that cannot be read must not hide the others.
            let mirror = shared.mirrors.get(&run).ok()?;
            let driven = shared.service.is_driven(&run);
            mirror.with(|state| RunLine {
                head: views::head(state, stream.first_time_ms),
                driven,
                counters: views::counters(state),
            })
        };
        let runs: Vec<RunLine> = runs.into_iter().take(MAX_RUNS).filter_map(line).collect();
        Ok(Runs { shown: runs.len(), total, runs })
    });
    listed.await.map(Json)
}

/// Starts a run of a folder on the daemon's machine, or of files that are sent along.
#[utoipa::path(post, path = "/runs", tag = "runs", request_body = NewRun, responses(
    (status = 201, body = Started),
    (status = 409, body = crate::wire::Problem, content_type = "application/problem+json",
        description = "Too many runs are driven, or nothing can be contained here"),
))]
pub(crate) async fn start(
    State(shared): State<Arc<Shared>>,
    Extension(role): Extension<Role>,
    Body(asked): Body<NewRun>,
) -> Result<(StatusCode, Json<Started>), Problem> {
    if role != Role::Operator {
        return Err(Problem::forbidden("only an operator starts runs"));
    }
    shared.permits_command()?;
    let NewRun { path, files, config, seed } = asked;
    let wanted = match (path, files) {
        (Some(path), None) => service::NewRun::Path { path, config, seed },
        (None, Some(files)) => service::NewRun::Files { files, config, seed },
        _ => return Err(Problem::invalid("a run needs either `path` or `files`")),
    };
    let run = blocking(move || Ok(shared.service.start(wanted)?)).await?;
    Ok((StatusCode::CREATED, Json(Started { run_id: run.to_string() })))
}

/// A run: state, counters, objectives, breakers, learning rate, budget, champion.
#[utoipa::path(get, path = "/runs/{run}", tag = "runs",
    params(("run" = String, Path, description = "The run's name"), At), responses((status = 200, body = Run)))]
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Path(run): Path<String>,
    Query(At { at }): Query<At>,
) -> Result<Json<Run>, Problem> {
    let run = RunId::new(run);
    let shown = blocking(move || {
        let mirror = shared.mirrors.get(&run)?;
        let (started, driven) = (started_ms(&shared, &run)?, shared.service.is_driven(&run));
        match at {
            Some(seq) => {
                let state = shared.mirrors.state_at(&run, seq)?;
                Ok(views::run(&state, started, false, state.last_ms))
            }
            None => mirror
                .with(|state| views::run(state, started, driven, now_ms()))
                .ok_or_else(|| Problem::not_found(format!("run {run} has not begun"))),
        }
    });
    shown.await.map(Json)
}

/// The run's durable log, from any point.
#[utoipa::path(get, path = "/runs/{run}/events", tag = "runs",
    params(("run" = String, Path, description = "The run's name"), After), responses((status = 200, body = Events)))]
pub(crate) async fn events(
    State(shared): State<Arc<Shared>>,
    Path(run): Path<String>,
    Query(After { after, limit }): Query<After>,
) -> Result<Json<Events>, Problem> {
    let limit = limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let run = RunId::new(run);
    let page = blocking(move || {
        shared.mirrors.get(&run)?;
        let stream = conductor::run_stream(&run);
        let log = shared.mirrors.log();
        let failed = |error: store::StoreError| Problem::failed(error.to_string());
        let found = log.read(&stream, after, limit).map_err(failed)?;
        let newest = log.last_seq(&stream).map_err(failed)?;
        let next = found.last().map(|record| record.seq).filter(|seq| *seq < newest);
        let events = found.into_iter().map(|record| records::whole(&run, record)).collect();
        Ok(Events { events, next })
    });
    page.await.map(Json)
}
