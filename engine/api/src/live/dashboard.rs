//! `darwind.v1`: subscriptions that resume by sequence number, batched deltas of the log's own records, commands with
//! acknowledgement. See `monitor-ui/PROTOCOL.md`.

use super::{BATCH, PING, Pace, Writer, read};
use crate::access::Role;
use crate::clock::now_ms;
use crate::problem::Problem;
use crate::records;
use crate::routes::commands::{Asked, Done, obey};
use crate::server::{Shared, blocking};
use crate::views;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use evolution::id::RunId;
use evolution::settings::Budget;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::interval;

/// Version of the frames' meaning; a page of another version should be loaded again.
const SCHEMA: &str = "1";
/// Subscriptions of one client.
const MAX_SUBSCRIPTIONS: usize = 8;
/// Runs that a list shows.
const MAX_RUNS: usize = 200;
/// How often the list of runs is looked at.
const RUNS_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// Close code of a client that takes nothing: it should come back and resume.
const TOO_SLOW: u16 = 4008;

/// What the page says.
#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
enum Said {
    Sub {
        id: String,
        topic: String,
        run: Option<String>,
        from: Option<From>,
        at: Option<At>,
    },
    Unsub {
        id: String,
    },
    Cmd {
        id: String,
        name: String,
        run: Option<String>,
        #[serde(default)]
        args: Args,
        #[serde(default)]
        reason: String,
        expect_seq: Option<u64>,
        confirm: Option<String>,
    },
    Ping {},
}

#[derive(Deserialize)]
struct From {
    epoch: String,
    seq: u64,
}

#[derive(Deserialize)]
struct At {
    seq: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Args {
    modification_id: Option<String>,
    budget: Option<Budget>,
}

/// A run's events, followed by one subscription.
struct Following {
    run: RunId,
    seq: watch::Receiver<u64>,
    sent: u64,
    /// The last event to send, for a look at the past.
    until: Option<u64>,
}

/// One connected page.
struct Client<'s> {
    shared: &'s Arc<Shared>,
    role: Role,
    writer: Writer,
    events: BTreeMap<String, Following>,
    /// Who wants the list of runs, and the list that was sent last.
    lists: BTreeMap<String, Value>,
    pace: Pace,
}

/// Serves one page until it leaves.
pub(super) async fn serve(socket: WebSocket, shared: &Arc<Shared>, role: Role) {
    let (writer, mut reader) = socket.split();
    let (events, lists) = (BTreeMap::new(), BTreeMap::new());
    let mut client = Client { shared, role, writer: Writer(writer), events, lists, pace: Pace::new() };
    if !client.greet().await {
        return;
    }
    let (mut batch, mut runs, mut ping) = (interval(BATCH), interval(RUNS_EVERY), interval(PING));
    let mut stopping = shared.stopping.subscribe();
    loop {
        let fine = tokio::select! {
            _ = stopping.changed() => return,
            said = reader.next() => match said {
                Some(Ok(Message::Text(text))) => client.hear(text.as_str()).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => true,
            },
            _ = batch.tick(), if !client.events.is_empty() => client.send_events().await,
            _ = runs.tick(), if !client.lists.is_empty() => client.send_lists().await,
            _ = ping.tick() => client.writer.send(Message::Ping(Vec::new().into())).await,
        };
        if !fine {
            let frame = CloseFrame { code: TOO_SLOW, reason: "too slow; come back and resume".into() };
            client.writer.send(Message::Close(Some(frame))).await;
            return;
        }
    }
}

/// Names one log: the run and the moment of its first event. A log that began anew is another one.
fn epoch(shared: &Shared, run: &RunId) -> Result<String, Problem> {
    let runs = shared.mirrors.list()?;
    let first = runs.iter().find(|(id, _)| id == run).map_or(0, |(_, stream)| stream.first_time_ms);
    Ok(format!("{run}-{first:x}"))
}

fn heads(shared: &Shared) -> Result<Value, Problem> {
    let runs = shared.mirrors.list()?;
    let head = |(run, stream): (RunId, store::StreamSummary)| {
        shared.mirrors.get(&run).ok()?.with(|state| views::head(state, stream.first_time_ms))
    };
    Ok(Value::Array(runs.into_iter().take(MAX_RUNS).filter_map(head).collect()))
}

impl Client<'_> {
    async fn greet(&mut self) -> bool {
        let shared = self.shared.clone();
        let runs = blocking(move || heads(&shared)).await.unwrap_or_else(|_| json!([]));
        let newest = runs.get(0);
        let epoch = newest.map(|run| {
            let id = run.get("run_id").and_then(Value::as_str).unwrap_or_default();
            format!("{id}-{:x}", run.get("started_at").and_then(Value::as_i64).unwrap_or_default())
        });
        let hello = json!({
            "t": "hello",
            "proto": 1,
            "epoch": epoch,
            "seq": newest.and_then(|run| run.get("seq")).cloned().unwrap_or(json!(0)),
            "server": concat!("darwind ", env!("CARGO_PKG_VERSION")),
            "schema": SCHEMA,
            "caps": ["events", "runs", "commands"],
            "role": self.role,
            "now": now_ms(),
            "runs": runs,
        });
        self.writer.json(&hello).await
    }

    async fn refuse(&mut self, id: Option<&str>, code: &str, message: &str) -> bool {
        self.writer.json(&json!({ "t": "err", "id": id, "code": code, "message": message })).await
    }

    async fn hear(&mut self, text: &str) -> bool {
        let said = match serde_json::from_str::<Said>(text) {
            Ok(said) => said,
            Err(error) => return self.refuse(None, "bad_frame", &error.to_string()).await,
        };
        match said {
            Said::Ping {} => self.writer.json(&json!({ "t": "pong", "now": now_ms() })).await,
            Said::Unsub { id } => {
                self.events.remove(&id);
                self.lists.remove(&id);
                true
            }
            Said::Sub { id, topic, run, from, at } => self.subscribe(id, &topic, run, from, at).await,
            Said::Cmd { id, name, run, args, reason, expect_seq, confirm } => {
                let asked = Asked {
                    command: name,
                    modification_id: args.modification_id,
                    budget: args.budget,
                    reason,
                    id: Some(id.clone()),
                    expect_seq,
                };
                let answer = match self.command(run, asked, confirm).await {
                    Ok(Done { seq, .. }) => json!({ "t": "ack", "id": id, "ok": true, "seq": seq }),
                    Err(problem) => json!({ "t": "ack", "id": id, "ok": false, "error": problem.detail() }),
                };
                self.writer.json(&answer).await
            }
        }
    }

    async fn subscribe(
        &mut self,
        id: String,
        topic: &str,
        run: Option<String>,
        from: Option<From>,
        at: Option<At>,
    ) -> bool {
        if self.events.len() + self.lists.len() >= MAX_SUBSCRIPTIONS && !self.events.contains_key(&id) {
            return self.refuse(Some(&id), "too_many", "8 subscriptions are the most").await;
        }
        match (topic, run) {
            ("runs", _) => {
                self.lists.insert(id, Value::Null);
                self.send_lists().await
            }
            ("events" | "run" | "lineage", Some(run)) => {
                let (shared, run) = (self.shared.clone(), RunId::new(run));
                let named = run.clone();
                let found =
                    blocking(move || Ok((shared.mirrors.get(&named)?, epoch(&shared, &named)?))).await;
                let (mirror, epoch) = match found {
                    Ok(found) => found,
                    Err(problem) => return self.refuse(Some(&id), "unknown_run", problem.detail()).await,
                };
                let seq = mirror.seq();
                let to = at.as_ref().map_or(*seq.borrow(), |at| at.seq.min(*seq.borrow()));
                let sent = from.filter(|from| from.epoch == epoch).map_or(0, |from| from.seq.min(to));
                let resume =
                    json!({ "t": "resume", "id": id, "run": run, "epoch": epoch, "from": sent, "to": to });
                self.events.insert(id, Following { run, seq, sent, until: at.map(|_| to) });
                self.writer.json(&resume).await
            }
            _ => self.refuse(Some(&id), "unknown_topic", "there are: events (with a run), runs").await,
        }
    }

    /// Sends to each subscription what it has not seen yet.
    async fn send_events(&mut self) -> bool {
        let mut over = Vec::new();
        for (id, following) in &mut self.events {
            let newest = following.until.unwrap_or(*following.seq.borrow());
            if following.sent >= newest {
                if following.until.is_some() {
                    over.push(id.clone());
                }
                continue;
            }
            let Ok(mut found) = read(self.shared, &following.run, following.sent).await else { continue };
            found.retain(|record| record.seq <= newest);
            let Some(last) = found.last().map(|record| record.seq) else { continue };
            let from = following.sent + 1;
            following.sent = last;
            let shown: Vec<Value> =
                found.into_iter().map(|record| records::trimmed(&following.run, record)).collect();
            let delta =
                json!({ "t": "d", "id": id, "run": following.run, "from": from, "to": last, "ev": shown });
            if !self.writer.json(&delta).await {
                return false;
            }
        }
        over.iter().for_each(|id| drop(self.events.remove(id)));
        true
    }

    async fn send_lists(&mut self) -> bool {
        let shared = self.shared.clone();
        let Ok(runs) = blocking(move || heads(&shared)).await else { return true };
        for (id, sent) in &mut self.lists {
            if *sent != runs {
                sent.clone_from(&runs);
                if !self.writer.json(&json!({ "t": "runs", "id": id, "runs": runs })).await {
                    return false;
                }
            }
        }
        true
    }

    async fn command(
        &mut self,
        run: Option<String>,
        asked: Asked,
        confirm: Option<String>,
    ) -> Result<Done, Problem> {
        if !self.pace.permits(now_ms()) {
            return Err(Problem::conflict("too many commands a second"));
        }
        let run = run.map(RunId::new).or_else(|| self.events.values().next().map(|f| f.run.clone()));
        let run = run.ok_or_else(|| Problem::not_found("the command names no run"))?;
        let meant = match asked.command.as_str() {
            "rollback_modification" => asked.modification_id.clone(),
            "stop_evolution" => Some(run.to_string()),
            _ => confirm.clone(),
        };
        if confirm != meant {
            return Err(Problem::conflict(format!(
                "{} needs `confirm` to be {}",
                asked.command,
                meant.unwrap_or_default()
            )));
        }
        let (shared, role) = (self.shared.clone(), self.role);
        blocking(move || obey(&shared, role, &run, &asked, &shared.access.draw())).await
    }
}
