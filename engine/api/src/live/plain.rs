//! The seeds' plain protocol: every event of one run as `evolution_progress`, its figures as `performance_metrics`, and
//! commands that are answered by `command_result`.

use super::{BATCH, MAX_BATCH, MAX_COMMANDS, PING, Wanted, Writer, read};
use crate::access::Role;
use crate::clock::{now_ms, timestamp};
use crate::mirror::Mirror;
use crate::pace::Pace;
use crate::problem::Problem;
use crate::records;
use crate::routes::commands::obey;
use crate::server::{Shared, blocking};
use crate::wire::command::{Asked, CommandName, Done};
use axum::extract::ws::{Message, WebSocket};
use evolution::id::RunId;
use evolution::state::State;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::interval;

/// How often a client without a run looks for one.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);

/// What a client may say.
#[derive(Deserialize)]
struct Said {
    command: CommandName,
    modification_id: Option<String>,
    run_id: Option<String>,
    id: Option<Value>,
    #[serde(default)]
    reason: String,
}

/// The run that a client follows, and how far it has come.
struct Following {
    run: RunId,
    agent: String,
    mirror: Arc<Mirror>,
    seq: watch::Receiver<u64>,
    sent: u64,
}

/// Serves one client until it leaves.
pub(super) async fn serve(socket: WebSocket, shared: &Arc<Shared>, role: Role, wanted: Wanted) {
    let (writer, mut reader) = socket.split();
    let mut writer = Writer::new(writer, shared);
    let mut following = match follow(shared, &wanted).await {
        Ok(found) => found,
        Err(problem) => {
            writer.json(&json!({ "type": "error", "error": problem.detail() })).await;
            return;
        }
    };
    let mut metrics = interval(shared.metrics_interval);
    let (mut batch, mut look, mut ping) = (interval(BATCH), interval(LOOK), interval(PING));
    let mut stopping = shared.stopping.subscribe();
    let mut pace = Pace::new(MAX_COMMANDS);
    loop {
        let fine = tokio::select! {
            _ = stopping.changed() => false,
            said = reader.next() => match said {
                Some(Ok(Message::Text(text))) => {
                    let run = following.as_ref().map(|following| following.run.clone());
                    let answer = if pace.permits(now_ms()) {
                        command(shared, role, run, text.as_str()).await
                    } else {
                        json!({ "type": "command_result", "ok": false, "error": "too many commands a second" })
                    };
                    writer.json(&answer).await
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                Some(Ok(_)) => true,
            },
            _ = batch.tick(), if following.is_some() => match &mut following {
                Some(following) => events(shared, following, &mut writer).await,
                None => true,
            },
            _ = metrics.tick(), if following.is_some() => match &following {
                Some(following) => match following.mirror.with(figures) {
                    Some(figures) => writer.json(&figures).await,
                    None => true,
                },
                None => true,
            },
            _ = look.tick(), if following.is_none() => {
                following = follow(shared, &wanted).await.unwrap_or_default();
                true
            }
            _ = ping.tick() => writer.send(Message::Ping(Vec::new().into())).await,
        };
        if !fine {
            break;
        }
    }
    writer.leave(&mut reader).await;
}

/// Finds the run to follow: the one asked for, else the newest. None while there is no run at all.
async fn follow(shared: &Arc<Shared>, wanted: &Wanted) -> Result<Option<Following>, Problem> {
    let (shared, wanted) = (shared.clone(), wanted.clone());
    blocking(move || {
        let run = match &wanted.run {
            Some(run) => RunId::new(run.clone()),
            None => match shared.mirrors.list()?.into_iter().next() {
                Some((run, _)) => run,
                None => return Ok(None),
            },
        };
        let mirror = shared.mirrors.get(&run)?;
        let agent = mirror.with(|state| state.run.agent_id.clone()).unwrap_or_default();
        let seq = mirror.seq();
        let sent = wanted.after.unwrap_or_else(|| *seq.borrow());
        Ok(Some(Following { run, agent, mirror, seq, sent }))
    })
    .await
}

/// Sends what the client has not seen yet, one batch.
async fn events(shared: &Arc<Shared>, following: &mut Following, writer: &mut Writer) -> bool {
    if *following.seq.borrow() <= following.sent {
        return true;
    }
    let Ok(found) = read(shared, &following.run, following.sent).await else { return true };
    debug_assert!(found.len() <= MAX_BATCH);
    for record in found {
        following.sent = record.seq;
        if !writer.json(&records::plain(&following.run, &following.agent, record)).await {
            return false;
        }
    }
    true
}

fn figures(state: &State) -> Value {
    let champion = state.champion.and_then(|number| state.candidate(number));
    json!({
        "type": "performance_metrics",
        "timestamp": timestamp(now_ms()),
        "data": {
            "run_id": state.run.run_id,
            "agent_id": state.run.agent_id,
            "state": crate::views::phase(&state.phase),
            "seq": state.seq,
            "evaluations": state.counters.evaluations,
            "proposals": state.counters.proposals,
            "viable": state.counters.viable,
            "accepted": state.counters.accepted,
            "rejected": state.counters.rejected,
            "front": state.front.len(),
            "hypervolume": state.hypervolume,
            "learning_rate": state.learning_rate.rate(),
            "champion": champion.map(|record| state.id(record.number)),
            "scores": champion.map(|record| &record.scores),
        },
    })
}

async fn command(shared: &Arc<Shared>, role: Role, run: Option<RunId>, text: &str) -> Value {
    let said: Said = match serde_json::from_str(text) {
        Ok(said) => said,
        Err(error) => {
            return json!({ "type": "command_result", "ok": false, "error": format!("not a command: {error}") });
        }
    };
    let id = said.id.clone();
    let obeyed = match said.run_id.map(RunId::new).or(run) {
        None => Err(Problem::not_found("there is no run to command")),
        Some(run) => {
            let asked = Asked {
                command: said.command,
                modification_id: said.modification_id,
                budget: None,
                reason: said.reason,
                id: id.as_ref().and_then(Value::as_str).map(str::to_owned),
                expect_seq: None,
            };
            let shared = shared.clone();
            blocking(move || obey(&shared, role, &run, &asked, &shared.access.draw())).await
        }
    };
    let mut answer = match obeyed {
        Ok(Done { seq, .. }) => json!({ "type": "command_result", "ok": true, "seq": seq }),
        Err(problem) => json!({ "type": "command_result", "ok": false, "error": problem.detail() }),
    };
    if let (Some(fields), Some(id)) = (answer.as_object_mut(), id) {
        fields.insert("id".to_owned(), id);
    }
    answer
}
