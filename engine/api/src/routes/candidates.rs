//! Candidates: listed by pages, shown whole, compared, and their files and logs.

use super::runs::query;
use super::{MAX_PAGE, PAGE};
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use crate::views;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State as Handed};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use evolution::candidate::Evaluation;
use evolution::event::Event;
use evolution::id::{CandidateId, CommitId, Number, RunId};
use evolution::state::State;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Candidates of a lineage that is shown at once; more are shown by pages of candidates.
const MAX_LINEAGE: usize = 100_000;

#[derive(Deserialize)]
pub(crate) struct Listed {
    after: Option<Number>,
    limit: Option<usize>,
    status: Option<String>,
    sort: Option<String>,
}

pub(crate) async fn list(
    Handed(shared): Handed<Arc<Shared>>,
    Path(run): Path<String>,
    wanted: Result<Query<Listed>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let wanted = query(wanted)?;
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let page = blocking(move || {
        let mirror = shared.mirrors.get(&RunId::new(run))?;
        mirror
            .with(|state| page(state, &wanted, limit))
            .ok_or_else(|| Problem::not_found("the run has not begun"))?
    });
    page.await.map(Json)
}

fn page(state: &State, wanted: &Listed, limit: usize) -> Result<Value, Problem> {
    let fits = |record: &&evolution::state::CandidateRecord| {
        wanted.status.as_ref().is_none_or(|status| views::fate(record.fate) == status)
    };
    let mut found: Vec<_> = state.candidates().filter(fits).collect();
    let total = found.len();
    let (name, falling) = match wanted.sort.as_deref() {
        None | Some("number") => ("", false),
        Some(sort) => sort.strip_prefix('-').map_or((sort, false), |name| (name, true)),
    };
    match name {
        "" => found.retain(|record| wanted.after.is_none_or(|after| record.number > after)),
        "number" => found.reverse(),
        name if state.run.objectives.index_of(name).is_some() => {
            let score =
                |record: &evolution::state::CandidateRecord| record.scores.get(name).unwrap_or(f64::NAN);
            found.sort_by(|a, b| score(a).total_cmp(&score(b)));
            if falling {
                found.reverse();
            }
        }
        other => {
            let objectives: Vec<&str> = state.run.objectives.names().collect();
            return Err(Problem::invalid(format!("candidates are not sorted by {other:?}")).help(format!(
                "sort by number, {}, or one of them with - before it",
                objectives.join(", ")
            )));
        }
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().map(|record| record.number).filter(|_| more && name.is_empty());
    let shown: Vec<Value> = found.iter().map(|record| views::candidate_head(state, record)).collect();
    Ok(json!({ "shown": shown.len(), "total": total, "candidates": shown, "next": next }))
}

/// The candidate that an id, or a number alone, names.
fn number(state: &State, id: &str) -> Result<Number, Problem> {
    let known = |number: Number| state.candidate(number).map(|_| number);
    let named = CandidateId::from_text(id);
    let own = named.run().is_some_and(|run| run == state.run.run_id);
    let number = if own { named.number() } else { id.parse().ok() };
    number.and_then(known).ok_or_else(|| {
        Problem::not_found(format!("there is no candidate {id}")).help("GET .../candidates lists them")
    })
}

/// Looks at a candidate's state on a thread that may block.
async fn of<T: Send + 'static>(
    shared: Arc<Shared>,
    (run, id): (String, String),
    look: impl FnOnce(&Shared, &RunId, Found) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    blocking(move || {
        let run = RunId::new(run);
        let mirror = shared.mirrors.get(&run)?;
        let found = mirror
            .with(|state| {
                let number = number(state, &id)?;
                let record = state.candidate(number).ok_or_else(|| Problem::not_found("it is gone"))?;
                let parent = record.parents.first().and_then(|parent| state.candidate(*parent));
                Ok::<_, Problem>(Found {
                    number,
                    commit: record.commit.clone(),
                    parent: parent.map(|parent| parent.commit.clone()),
                    evaluation_seq: record.evaluation_seq,
                })
            })
            .ok_or_else(|| Problem::not_found("the run has not begun"))??;
        look(&shared, &run, found)
    })
    .await
}

/// What is needed of a candidate's record.
struct Found {
    number: Number,
    commit: CommitId,
    parent: Option<CommitId>,
    evaluation_seq: u64,
}

/// The evaluation that an event recorded.
fn evaluation(shared: &Shared, run: &RunId, seq: u64) -> Option<Evaluation> {
    let after = seq.checked_sub(1)?;
    let found = shared.mirrors.log().read(&conductor::run_stream(run), after, 1).ok()?;
    match found.into_iter().next().map(conductor::event_of)?.ok()? {
        Event::ValidationCompleted(completed) => Some(*completed.evaluation),
        _ => None,
    }
}

pub(crate) async fn show(
    Handed(shared): Handed<Arc<Shared>>,
    Path(named): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let shown = of(shared, named, |shared, run, found| {
        let told = evaluation(shared, run, found.evaluation_seq);
        let shown = shared.mirrors.get(run)?.with(|state| {
            state.candidate(found.number).map(|record| views::candidate(state, record, told.as_ref()))
        });
        shown.flatten().ok_or_else(|| Problem::not_found("it is gone"))
    });
    shown.await.map(Json)
}

#[derive(Deserialize)]
pub(crate) struct Against {
    against: Option<String>,
}

pub(crate) async fn diff(
    Handed(shared): Handed<Arc<Shared>>,
    Path(named): Path<(String, String)>,
    against: Result<Query<Against>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let against = query(against)?.against;
    let shown = of(shared, named, move |shared, run, found| {
        let own = || found.commit.clone();
        let other = shared.mirrors.get(run)?.with(|state| match &against {
            None => Ok::<_, Problem>(found.parent.clone().unwrap_or_else(own)),
            Some(id) => {
                let number = number(state, id)?;
                Ok(state.candidate(number).map_or_else(own, |record| record.commit.clone()))
            }
        });
        let old = other.ok_or_else(|| Problem::not_found("the run has not begun"))??;
        let files = shared.service.diff(run, &old, &found.commit)?;
        Ok(json!({ "from": old, "to": found.commit, "files": files }))
    });
    shown.await.map(Json)
}

pub(crate) async fn file(
    Handed(shared): Handed<Arc<Shared>>,
    Path((run, id, path)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let bytes = of(shared, (run, id), move |shared, run, found| {
        Ok(shared.service.file(run, &found.commit, &path)?)
    });
    // A candidate's files are strangers' code: never anything that a browser would run.
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], bytes.await?).into_response())
}

pub(crate) async fn logs(
    Handed(shared): Handed<Arc<Shared>>,
    Path(named): Path<(String, String)>,
) -> Result<Response, Problem> {
    let text = of(shared, named, |shared, run, found| {
        Ok(evaluation(shared, run, found.evaluation_seq).map(|evaluation| evaluation.log).unwrap_or_default())
    });
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text.await?).into_response())
}

pub(crate) async fn artifacts(
    Handed(shared): Handed<Arc<Shared>>,
    Path(named): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    of(shared, named, |_, _, _| Ok(json!({ "artifacts": [] }))).await.map(Json)
}

pub(crate) async fn front(
    Handed(shared): Handed<Arc<Shared>>,
    Path(run): Path<String>,
) -> Result<Json<Value>, Problem> {
    let shown = blocking(move || {
        let shown = shared.mirrors.get(&RunId::new(run))?.with(|state| {
            let members = state.front.iter().filter_map(|number| state.candidate(*number));
            let members: Vec<Value> = members.map(|record| views::candidate_head(state, record)).collect();
            json!({ "front": members, "hypervolume": state.hypervolume })
        });
        shown.ok_or_else(|| Problem::not_found("the run has not begun"))
    });
    shown.await.map(Json)
}

pub(crate) async fn lineage(
    Handed(shared): Handed<Arc<Shared>>,
    Path(run): Path<String>,
) -> Result<Json<Value>, Problem> {
    let shown = blocking(move || {
        let shown = shared.mirrors.get(&RunId::new(run))?.with(|state| {
            let total = state.candidates().count();
            let line = |record: &evolution::state::CandidateRecord| {
                json!({
                    "number": record.number,
                    "candidate_id": state.id(record.number),
                    "parents": record.parents,
                    "status": views::status(state, record.number),
                    "scores": record.scores,
                })
            };
            let lines: Vec<Value> = state.candidates().take(MAX_LINEAGE).map(line).collect();
            json!({ "shown": lines.len(), "total": total, "candidates": lines })
        });
        shown.ok_or_else(|| Problem::not_found("the run has not begun"))
    });
    shown.await.map(Json)
}
