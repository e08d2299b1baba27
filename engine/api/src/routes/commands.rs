//! Commands, by whatever way they come: named, checked against the role and the state, obeyed once for each id.

use crate::access::Role;
use crate::extract::{Body, Path};
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use crate::service::CommandRequest;
use crate::views;
use crate::wire::command::{Asked, CommandName, Done};
use axum::Json;
use axum::extract::{Extension, State};
use evolution::event::Command;
use evolution::id::{CandidateId, RunId};
use evolution::settings::Budget;
use std::sync::Arc;

/// Longest reason, in bytes.
const MAX_REASON_BYTES: usize = 2_000;
/// Longest id of a command, in bytes.
const MAX_ID_BYTES: usize = 128;

/// What is asked, in the core's words.
fn command(asked: &Asked, state: &evolution::state::State) -> Result<Command, Problem> {
    let candidate = || named(asked, state);
    Ok(match asked.command {
        CommandName::PauseEvolution => Command::PauseEvolution,
        CommandName::ResumeEvolution => Command::ResumeEvolution,
        CommandName::StopEvolution => Command::StopEvolution,
        CommandName::RollbackModification => Command::RollbackModification { modification_id: candidate()? },
        CommandName::Promote => Command::Promote { modification_id: candidate()? },
        CommandName::Pin => Command::Pin { modification_id: candidate()? },
        CommandName::AbortEvaluation => Command::AbortEvaluation { modification_id: candidate()? },
        CommandName::SetBudget => {
            let limits = asked.budget.clone().ok_or_else(|| Problem::invalid("set_budget needs a budget"))?;
            let crate::wire::run::Budget { evaluations, proposals, time_ms, llm_tokens, llm_cost_usd } =
                limits;
            Command::SetBudget {
                budget: Budget { evaluations, proposals, time_ms, llm_tokens, llm_cost_usd },
            }
        }
    })
}

/// The candidate that a command is about.
fn named(asked: &Asked, state: &evolution::state::State) -> Result<CandidateId, Problem> {
    let missing = || Problem::invalid(format!("{} needs a modification_id", views::word(asked.command)));
    let id = asked.modification_id.as_ref().ok_or_else(missing)?;
    let named = CandidateId::from_text(id.clone());
    let own = named.run().is_some_and(|run| run == state.run.run_id);
    let known = named.number().and_then(|number| state.candidate(number)).filter(|_| own);
    known
        .map(|record| state.id(record.number))
        .ok_or_else(|| Problem::not_found(format!("there is no candidate {id} in run {}", state.run.run_id)))
}

/// Has a command carried out. Blocks until the run's log has recorded it.
pub(crate) fn obey(
    shared: &Shared,
    role: Role,
    run: &RunId,
    asked: &Asked,
    drawn: &str,
) -> Result<Done, Problem> {
    if role != Role::Operator {
        return Err(Problem::forbidden("the operator's role is needed to command"));
    }
    if asked.reason.len() > MAX_REASON_BYTES || asked.id.as_ref().is_some_and(|id| id.len() > MAX_ID_BYTES) {
        return Err(Problem::invalid("the reason or the id is too long"));
    }
    let mirror = shared.mirrors.get(run)?;
    let looked = mirror.with(|state| {
        if let Some(expected) = asked.expect_seq
            && state.seq > expected
            && asked.id.as_ref().is_none_or(|id| !state.commands.contains(id))
        {
            return Err(Problem::conflict(format!(
                "the run is at event {} now, not at {expected}",
                state.seq
            ))
            .help("look again, then repeat the command with the new expect_seq"));
        }
        command(asked, state)
    });
    let command = looked.ok_or_else(|| Problem::not_found("the run has not begun"))??;
    let id = asked.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| drawn.to_owned());
    let request = CommandRequest { id: id.clone(), command, reason: asked.reason.clone() };
    let obeyed = shared.service.command(run, request)?;
    let (name, refused) = (views::word(asked.command), obeyed.refused.as_deref().unwrap_or_default());
    tracing::info!(
        run = run.as_str(),
        command = name,
        id,
        reason = asked.reason,
        seq = obeyed.seq,
        refused,
        "commanded"
    );
    match obeyed.refused {
        Some(reason) => Err(Problem::conflict(reason)),
        None => Ok(Done { ok: true, id, seq: obeyed.seq }),
    }
}

/// Commands a run, and answers when its log has recorded it.
#[utoipa::path(post, path = "/runs/{run}/commands", tag = "commands", request_body = Asked,
    params(("run" = String, Path, description = "The run's name")), responses(
    (status = 200, body = Done),
    (status = 409, body = crate::wire::Problem, content_type = "application/problem+json",
        description = "The run's state does not allow it, or has gone on beyond `expect_seq`"),
))]
pub(crate) async fn post(
    State(shared): State<Arc<Shared>>,
    Extension(role): Extension<Role>,
    Path(run): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Json<Done>, Problem> {
    shared.permits_command()?;
    let done = blocking(move || {
        let drawn = shared.access.draw();
        obey(&shared, role, &RunId::new(run), &asked, &drawn)
    });
    done.await.map(Json)
}
