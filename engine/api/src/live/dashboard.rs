//! `darwind.v1`: subscriptions that resume by sequence number, batched deltas of the log's own records, commands with
//! acknowledgement. See `monitor-ui/PROTOCOL.md`.

use super::{BATCH, MAX_BATCH, MAX_COMMANDS, PING, Writer, read};
use crate::access::Role;
use crate::clock::now_ms;
use crate::mirror::{Folded, Mirror};
use crate::pace::Pace;
use crate::problem::Problem;
use crate::routes::commands::obey;
use crate::server::{Shared, blocking};
use crate::snapshot;
use crate::tail::Told;
use crate::views;
use crate::wire::command::{Asked, CommandName, Done};
use crate::wire::frame::{ClientFrame, Hello, Past, Place, Refusal, ServerFrame};
use crate::wire::run::RunHead;
use axum::extract::ws::{Message, WebSocket};
use evolution::id::RunId;
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
/// Records that a client may be behind. Further back it begins with a snapshot; when it falls so far behind, it is told
/// what it missed and goes on with the newest.
const MAX_BEHIND: u64 = 20_000;

/// A run's events, followed by one subscription.
struct Following {
    run: RunId,
    mirror: Arc<Mirror>,
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
    lists: BTreeMap<String, Option<Vec<RunHead>>>,
    pace: Pace,
}

/// Serves one page until it leaves.
pub(super) async fn serve(socket: WebSocket, shared: &Arc<Shared>, role: Role) {
    let (writer, mut reader) = socket.split();
    let (events, lists) = (BTreeMap::new(), BTreeMap::new());
    let mut client = Client {
        shared,
        role,
        writer: Writer::new(writer, shared),
        events,
        lists,
        pace: Pace::new(MAX_COMMANDS),
    };
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
            break;
        }
    }
    client.writer.leave(&mut reader).await;
}

/// Names one log: the run and the moment of its first event. A log that began anew is another one.
fn epoch(shared: &Shared, run: &RunId) -> Result<String, Problem> {
    let runs = shared.mirrors.list()?;
    let first = runs.iter().find(|(id, _)| id == run).map_or(0, |(_, stream)| stream.first_time_ms);
    Ok(format!("{run}-{first:x}"))
}

/// What a subscription has not seen yet, as much as one frame takes: out of memory, or else out of the log.
async fn told(shared: &Arc<Shared>, following: &Following) -> Result<Vec<Arc<Told>>, Problem> {
    if let Some(found) = following.mirror.tail(following.sent, MAX_BATCH) {
        return Ok(found);
    }
    let found = read(shared, &following.run, following.sent).await?;
    Ok(found.into_iter().filter_map(|record| Told::new(&following.run, record)).map(Arc::new).collect())
}

fn heads(shared: &Shared) -> Result<Vec<RunHead>, Problem> {
    let runs = shared.mirrors.list()?;
    let head = |(run, stream): (RunId, store::StreamSummary)| {
        shared.mirrors.get(&run).ok()?.with(|state| views::head(state, stream.first_time_ms))
    };
    Ok(runs.into_iter().take(MAX_RUNS).filter_map(head).collect())
}

impl Client<'_> {
    async fn greet(&mut self) -> bool {
        let shared = self.shared.clone();
        let runs = blocking(move || heads(&shared)).await.unwrap_or_default();
        let newest = runs.first();
        let hello = Hello {
            proto: 1,
            epoch: newest.map(|run| format!("{}-{:x}", run.run_id, run.started_at)),
            seq: newest.map_or(0, |run| run.seq),
            server: concat!("darwind ", env!("CARGO_PKG_VERSION")),
            schema: SCHEMA,
            caps: &["events", "runs", "commands"],
            role: self.role,
            now: now_ms(),
            runs,
        };
        self.writer.json(&ServerFrame::Hello(hello)).await
    }

    async fn refuse(&mut self, id: Option<&str>, code: Refusal, message: &str) -> bool {
        let (id, message) = (id.map(str::to_owned), message.to_owned());
        self.writer.json(&ServerFrame::Err { id, code, message }).await
    }

    async fn hear(&mut self, text: &str) -> bool {
        let said = match serde_json::from_str::<ClientFrame>(text) {
            Ok(said) => said,
            Err(error) => return self.refuse(None, Refusal::BadFrame, &error.to_string()).await,
        };
        match said {
            ClientFrame::Ping {} => self.writer.json(&ServerFrame::Pong { now: now_ms() }).await,
            ClientFrame::Unsub { id } => {
                self.events.remove(&id);
                self.lists.remove(&id);
                true
            }
            ClientFrame::Sub { id, topic, run, from, at } => self.subscribe(id, &topic, run, from, at).await,
            ClientFrame::Cmd { id, name, run, args, reason, expect_seq, confirm } => {
                let asked = Asked {
                    command: name,
                    modification_id: args.modification_id,
                    budget: args.budget,
                    reason,
                    id: Some(id.clone()),
                    expect_seq,
                };
                let answer = match self.command(run, asked, confirm).await {
                    Ok(Done { seq, .. }) => ServerFrame::Ack { id, ok: true, error: None, seq: Some(seq) },
                    Err(problem) => {
                        let error = Some(problem.detail().to_owned());
                        ServerFrame::Ack { id, ok: false, error, seq: None }
                    }
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
        from: Option<Place>,
        at: Option<Past>,
    ) -> bool {
        if self.events.len() + self.lists.len() >= MAX_SUBSCRIPTIONS && !self.events.contains_key(&id) {
            return self.refuse(Some(&id), Refusal::TooMany, "8 subscriptions are the most").await;
        }
        match (topic, run) {
            ("runs", _) => {
                self.lists.insert(id, None);
                self.send_lists().await
            }
            ("events" | "run" | "lineage", Some(run)) => self.follow(id, RunId::new(run), from, at).await,
            _ => self.refuse(Some(&id), Refusal::UnknownTopic, "there are: events (with a run), runs").await,
        }
    }

    /// Follows a run's events, from where the client stands or from a snapshot when that is far back.
    async fn follow(&mut self, id: String, run: RunId, from: Option<Place>, at: Option<Past>) -> bool {
        let (shared, named) = (self.shared.clone(), run.clone());
        let found = blocking(move || Ok((shared.mirrors.get(&named)?, epoch(&shared, &named)?))).await;
        let (mirror, epoch) = match found {
            Ok(found) => found,
            Err(problem) => return self.refuse(Some(&id), Refusal::UnknownRun, problem.detail()).await,
        };
        let seq = mirror.seq();
        let newest = *seq.borrow();
        let to = at.as_ref().map_or(newest, |at| at.seq.min(newest));
        let from = from.filter(|from| from.epoch == epoch).map_or(0, |from| from.seq.min(to));
        let mut following = Following { run, mirror, seq, sent: from, until: at.map(|_| to) };
        let fine = if following.until.is_none() && to - from > MAX_BEHIND {
            self.begin_with_snapshot(&id, epoch, &mut following).await
        } else {
            let run = following.run.to_string();
            self.writer.json(&ServerFrame::Resume { id: id.clone(), run, epoch, from, to }).await
        };
        self.events.insert(id, following);
        fine
    }

    async fn begin_with_snapshot(&mut self, id: &str, epoch: String, following: &mut Following) -> bool {
        let mirror = following.mirror.clone();
        let taken = blocking(move || {
            let taken = mirror.with_all(|Folded { state, chronicle, started_ms }| {
                let columns = snapshot::columns(state, chronicle, *started_ms);
                (state.seq, columns, snapshot::beside(state, chronicle, *started_ms))
            });
            taken.ok_or_else(|| Problem::not_found("the run has not begun"))
        });
        let (seq, columns, beside) = match taken.await {
            Ok(taken) => taken,
            Err(problem) => return self.refuse(Some(id), Refusal::UnknownRun, problem.detail()).await,
        };
        following.sent = seq;
        let (id, run, state) = (id.to_owned(), following.run.to_string(), Box::new(beside));
        self.writer.send(Message::binary(columns)).await
            && self.writer.json(&ServerFrame::Snap { id, run, epoch, seq, state }).await
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
            let from = following.sent + 1;
            if following.until.is_none() && newest - following.sent > MAX_BEHIND {
                let (id, run) = (id.clone(), following.run.to_string());
                let missed = newest - following.sent;
                following.sent = newest;
                self.shared.meter.missed.fetch_add(missed, Ordering::Relaxed);
                let gap = ServerFrame::Gap { id, run, from, to: newest, missed };
                if !self.writer.json(&gap).await {
                    return false;
                }
                continue;
            }
            let Ok(mut found) = told(self.shared, following).await else { continue };
            found.retain(|told| told.seq <= newest);
            let Some(last) = found.last().map(|told| told.seq) else { continue };
            following.sent = last;
            let ev = found.iter().map(|told| told.json.clone()).collect();
            let delta = ServerFrame::D { id: id.clone(), run: following.run.to_string(), from, to: last, ev };
            if let Some(told) = found.last().filter(|_| following.until.is_none()) {
                self.shared.meter.delivered(now_ms() - told.time_ms);
            }
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
            if sent.as_ref() != Some(&runs) {
                *sent = Some(runs.clone());
                let list = ServerFrame::Runs { id: id.clone(), runs: runs.clone() };
                if !self.writer.json(&list).await {
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
        let meant = match asked.command {
            CommandName::RollbackModification => asked.modification_id.clone(),
            CommandName::StopEvolution => Some(run.to_string()),
            _ => confirm.clone(),
        };
        if confirm != meant {
            return Err(Problem::conflict(format!(
                "{} needs `confirm` to be {}",
                views::word(asked.command),
                meant.unwrap_or_default()
            )));
        }
        let (shared, role) = (self.shared.clone(), self.role);
        blocking(move || obey(&shared, role, &run, &asked, &shared.access.draw())).await
    }
}
