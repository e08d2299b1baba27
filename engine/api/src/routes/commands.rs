//! Commands, by whatever way they come: named, checked against the role and the state, obeyed once for each id.

use super::body;
use crate::access::Role;
use crate::problem::Problem;
use crate::server::{Shared, blocking};
use crate::service::CommandRequest;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Path, State};
use evolution::event::Command;
use evolution::id::{CandidateId, RunId};
use evolution::settings::Budget;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Longest reason, in bytes.
const MAX_REASON_BYTES: usize = 2_000;
/// Longest id of a command, in bytes.
const MAX_ID_BYTES: usize = 128;

/// A command as it travels.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) command: String,
    pub(crate) modification_id: Option<String>,
    pub(crate) budget: Option<Budget>,
    #[serde(default)]
    pub(crate) reason: String,
    pub(crate) id: Option<String>,
    pub(crate) expect_seq: Option<u64>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) id: String,
    pub(crate) seq: u64,
}

impl Asked {
    fn command(&self, state: &evolution::state::State) -> Result<Command, Problem> {
        let candidate = || {
            let id = self.modification_id.as_ref();
            let id =
                id.ok_or_else(|| Problem::invalid(format!("{} needs a modification_id", self.command)))?;
            let named = CandidateId::from_text(id.clone());
            let own = named.run().is_some_and(|run| run == state.run.run_id);
            let known = named.number().and_then(|number| state.candidate(number));
            match known.filter(|_| own) {
                Some(record) => Ok(state.id(record.number)),
                None => {
                    Err(Problem::not_found(format!("there is no candidate {id} in run {}", state.run.run_id)))
                }
            }
        };
        Ok(match self.command.as_str() {
            "pause_evolution" => Command::PauseEvolution,
            "resume_evolution" => Command::ResumeEvolution,
            "stop_evolution" => Command::StopEvolution,
            "rollback_modification" => Command::RollbackModification { modification_id: candidate()? },
            // Whoever is promoted stays champion until something newly found is better: that is a pin.
            "promote" | "pin" => Command::Promote { modification_id: candidate()? },
            "set_budget" => Command::SetBudget {
                budget: self.budget.clone().ok_or_else(|| Problem::invalid("set_budget needs a budget"))?,
            },
            "abort_evaluation" => {
                return Err(Problem::conflict(
                    "an evaluation under way cannot be aborted alone in this version",
                )
                .help("its time limit ends it; pause_evolution starts no more"));
            }
            other => {
                return Err(Problem::invalid(format!("there is no command {other:?}")).help(
                    "pause_evolution, resume_evolution, stop_evolution, rollback_modification, promote, pin, set_budget",
                ));
            }
        })
    }
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
        asked.command(state)
    });
    let command = looked.ok_or_else(|| Problem::not_found("the run has not begun"))??;
    let id = asked.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| drawn.to_owned());
    let request = CommandRequest { id: id.clone(), command, reason: asked.reason.clone() };
    let obeyed = shared.service.command(run, request)?;
    match obeyed.refused {
        Some(reason) => Err(Problem::conflict(reason)),
        None => Ok(Done { id, seq: obeyed.seq }),
    }
}

pub(crate) async fn post(
    State(shared): State<Arc<Shared>>,
    Extension(role): Extension<Role>,
    Path(run): Path<String>,
    sent: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let asked = body(sent)?;
    let done = blocking(move || {
        let drawn = shared.access.draw();
        obey(&shared, role, &RunId::new(run), &asked, &drawn)
    });
    let Done { id, seq } = done.await?;
    Ok(Json(json!({ "ok": true, "id": id, "seq": seq })))
}
