//! Candidates: listed by pages, shown whole, compared, and their files and logs.

use super::{MAX_PAGE, PAGE};
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use crate::views;
use crate::wire::candidate::{Artifacts, Candidate, CandidateHead, Candidates, Front, Lineage, Listed};
use crate::wire::difference::{Against, Difference};
use axum::Json;
use axum::extract::State as Handed;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use evolution::candidate::Evaluation;
use evolution::event::Event;
use evolution::id::{CandidateId, CommitId, Number, RunId};
use evolution::state::{CandidateRecord, State};
use std::sync::Arc;

/// Candidates of a lineage that is shown at once; more are shown by pages of candidates.
const MAX_LINEAGE: usize = 100_000;

/// The candidates of a run, by pages.
#[utoipa::path(get, path = "/runs/{run}/candidates", tag = "candidates",
    params(("run" = String, Path, description = "The run's name"), Listed), responses((status = 200, body = Candidates)))]
pub(crate) async fn list(
    Handed(shared): Handed<Arc<Shared>>,
    Path(run): Path<String>,
    Query(wanted): Query<Listed>,
) -> Result<Json<Candidates>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    in_state(shared, run, move |state| page(state, &wanted, limit)).await?.map(Json)
}

/// Looks at a run's state on a thread that may block.
async fn in_state<T: Send + 'static>(
    shared: Arc<Shared>,
    run: String,
    look: impl FnOnce(&State) -> T + Send + 'static,
) -> Result<T, Problem> {
    blocking(move || {
        let looked = shared.mirrors.get(&RunId::new(run))?.with(look);
        looked.ok_or_else(|| Problem::not_found("the run has not begun"))
    })
    .await
}

fn page(state: &State, wanted: &Listed, limit: usize) -> Result<Candidates, Problem> {
    let fits =
        |record: &&CandidateRecord| wanted.status.is_none_or(|status| views::status(record.fate) == status);
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
            let score = |record: &CandidateRecord| record.scores.get(name).unwrap_or(f64::NAN);
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
    let shown: Vec<CandidateHead> = found.iter().map(|record| views::candidate_head(state, record)).collect();
    Ok(Candidates { shown: shown.len(), total, candidates: shown, next })
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

/// A candidate: scores, checks, verdict and its reason, parents, proposer, costs.
#[utoipa::path(get, path = "/runs/{run}/candidates/{id}", tag = "candidates", params(
    ("run" = String, Path, description = "The run's name"), ("id" = String, Path, description = "Its name or number"),
), responses((status = 200, body = Candidate)))]
pub(crate) async fn show(
    Handed(shared): Handed<Arc<Shared>>,
    Path(named): Path<(String, String)>,
) -> Result<Json<Candidate>, Problem> {
    let shown = of(shared, named, |shared, run, found| {
        let told = evaluation(shared, run, found.evaluation_seq);
        let shown = shared
            .mirrors
            .get(run)?
            .with(|state| state.candidate(found.number).map(|record| views::candidate(state, record, told)));
        shown.flatten().ok_or_else(|| Problem::not_found("it is gone"))
    });
    shown.await.map(Json)
}

/// How a candidate differs from its first parent, or from any other candidate.
#[utoipa::path(get, path = "/runs/{run}/candidates/{id}/diff", tag = "candidates", params(
    ("run" = String, Path, description = "The run's name"), ("id" = String, Path, description = "Its name or number"),
    Against,
), responses((status = 200, body = Difference)))]
pub(crate) async fn diff(
    Handed(shared): Handed<Arc<Shared>>,
    Path(named): Path<(String, String)>,
    Query(Against { against }): Query<Against>,
) -> Result<Json<Difference>, Problem> {
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
        Ok(Difference { from: old.to_string(), to: found.commit.to_string(), files })
    });
    shown.await.map(Json)
}

/// A file of a candidate, as plain text.
#[utoipa::path(get, path = "/runs/{run}/candidates/{id}/files/{*path}", tag = "candidates", params(
    ("run" = String, Path, description = "The run's name"), ("id" = String, Path, description = "Its name or number"),
    ("path" = String, Path, description = "The file's path below the target"),
), responses((status = 200, body = String, content_type = "text/plain; charset=utf-8")))]
pub(crate) async fn file(
    Handed(shared): Handed<Arc<Shared>>,
    Path((run, id, path)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let bytes = of(shared, (run, id), move |shared, run, found| {
        Ok(shared.service.file(run, &found.commit, &path)?)
    });
    Ok(plain(bytes.await?))
}

/// A candidate's files and output are strangers' text: never anything that a browser would run.
fn plain(body: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

/// The end of what a candidate printed while it was evaluated.
#[utoipa::path(get, path = "/runs/{run}/candidates/{id}/logs", tag = "candidates", params(
    ("run" = String, Path, description = "The run's name"), ("id" = String, Path, description = "Its name or number"),
), responses((status = 200, body = String, content_type = "text/plain; charset=utf-8")))]
pub(crate) async fn logs(
    Handed(shared): Handed<Arc<Shared>>,
    Path(named): Path<(String, String)>,
) -> Result<Response, Problem> {
    let text = of(shared, named, |shared, run, found| {
        Ok(evaluation(shared, run, found.evaluation_seq).map(|evaluation| evaluation.log).unwrap_or_default())
    });
    Ok(plain(text.await?))
}

/// What a candidate left behind beside its files.
#[utoipa::path(get, path = "/runs/{run}/candidates/{id}/artifacts", tag = "candidates", params(
    ("run" = String, Path, description = "The run's name"), ("id" = String, Path, description = "Its name or number"),
), responses((status = 200, body = Artifacts)))]
pub(crate) async fn artifacts(
    Handed(shared): Handed<Arc<Shared>>,
    Path(named): Path<(String, String)>,
) -> Result<Json<Artifacts>, Problem> {
    of(shared, named, |_, _, _| Ok(Artifacts { artifacts: Vec::new() })).await.map(Json)
}

/// The first Pareto front and its hypervolume.
#[utoipa::path(get, path = "/runs/{run}/front", tag = "candidates",
    params(("run" = String, Path, description = "The run's name")), responses((status = 200, body = Front)))]
pub(crate) async fn front(
    Handed(shared): Handed<Arc<Shared>>,
    Path(run): Path<String>,
) -> Result<Json<Front>, Problem> {
    in_state(shared, run, views::front).await.map(Json)
}

/// Who descends from whom.
#[utoipa::path(get, path = "/runs/{run}/lineage", tag = "candidates",
    params(("run" = String, Path, description = "The run's name")), responses((status = 200, body = Lineage)))]
pub(crate) async fn lineage(
    Handed(shared): Handed<Arc<Shared>>,
    Path(run): Path<String>,
) -> Result<Json<Lineage>, Problem> {
    let shown = in_state(shared, run, |state| {
        let total = state.candidates().count();
        let points = state.candidates().take(MAX_LINEAGE);
        let candidates: Vec<_> = points.map(|record| views::lineage_point(state, record)).collect();
        Lineage { shown: candidates.len(), total, candidates }
    });
    shown.await.map(Json)
}
