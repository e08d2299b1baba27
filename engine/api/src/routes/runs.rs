//! Runs: listed, started, shown at any sequence number, and their events.

use super::{MAX_PAGE, PAGE, body};
use crate::access::Role;
use crate::clock::now_ms;
use crate::problem::Problem;
use crate::records;
use crate::server::{Shared, blocking};
use crate::service::NewRun;
use crate::views;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use evolution::id::RunId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Runs that a list shows.
const MAX_RUNS: usize = 500;

/// A query that is understood, or why it is not.
pub(crate) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(query)| query).map_err(|rejection| Problem::invalid(rejection.body_text()))
}

/// Time of a run's first event.
pub(crate) fn started_ms(shared: &Shared, run: &RunId) -> Result<i64, Problem> {
    let runs = shared.mirrors.list()?;
    Ok(runs.iter().find(|(id, _)| id == run).map_or(0, |(_, stream)| stream.first_time_ms))
}

pub(crate) async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, Problem> {
    let listed = blocking(move || {
        let runs = shared.mirrors.list()?;
        let total = runs.len();
        let shown: Vec<Value> = runs
            .into_iter()
            .take(MAX_RUNS)
            .filter_map(|(run, stream)| {
                // A run that cannot be read must not hide the others.
                let mirror = shared.mirrors.get(&run).ok()?;
                let driven = shared.service.is_driven(&run);
                mirror.with(|state| {
                    let mut head = views::head(state, stream.first_time_ms);
                    if let Some(fields) = head.as_object_mut() {
                        fields.insert("driven".to_owned(), Value::Bool(driven));
                        fields.insert("counters".to_owned(), views::counters(state));
                    }
                    head
                })
            })
            .collect();
        Ok(json!({ "shown": shown.len(), "total": total, "runs": shown }))
    });
    listed.await.map(Json)
}

/// What a run is started with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    path: Option<PathBuf>,
    files: Option<BTreeMap<String, String>>,
    config: Option<String>,
    seed: Option<u64>,
}

pub(crate) async fn start(
    State(shared): State<Arc<Shared>>,
    Extension(role): Extension<Role>,
    sent: Result<Json<Start>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if role != Role::Operator {
        return Err(Problem::forbidden("only an operator starts runs"));
    }
    let Start { path, files, config, seed } = body(sent)?;
    let wanted = match (path, files) {
        (Some(path), None) => NewRun::Path { path, config, seed },
        (None, Some(files)) => NewRun::Files { files, config, seed },
        _ => return Err(Problem::invalid("a run needs either `path` or `files`")),
    };
    let run = blocking(move || Ok(shared.service.start(wanted)?)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "run_id": run }))))
}

#[derive(Deserialize)]
pub(crate) struct At {
    at: Option<u64>,
}

pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Path(run): Path<String>,
    at: Result<Query<At>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let (run, at) = (RunId::new(run), query(at)?.at);
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

#[derive(Deserialize)]
pub(crate) struct After {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

pub(crate) async fn events(
    State(shared): State<Arc<Shared>>,
    Path(run): Path<String>,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let After { after, limit } = query(after)?;
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
        let events: Vec<Value> = found.into_iter().map(|record| records::whole(&run, record)).collect();
        Ok(json!({ "events": events, "next": next }))
    });
    page.await.map(Json)
}
