//! What the daemon lends to the skills that peers ask for over A2A: runs of programs that were sent, and what came of them.
//! A stranger's configuration may name nothing that would run outside the sandbox. Not here: the protocol.

mod judging;

use crate::config::Configuration;
use crate::control;
use crate::data;
use crate::failure::{Exit, Failure};
use crate::host::Host;
use crate::peers;
use crate::request::RunRequest;
use crate::summary::{self, RunSummary};
use conductor::{ControlRequest, Ledger, run_stream};
use evolution::event::{Command, Event, StoppedBy};
use evolution::id::{CommitId, RunId};
use evolution::state::{Phase, State};
use judging::Benches;
use serde_json::{Value, json};
use skills::{
    Capabilities, FeedbackRequest, GroupRequest, Heard, ImprovementSent, Measured, Member, Order, Outcome,
    Program, Received, TransferRequest, ValidationRequest, Winner, Workshop, WorkshopError,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Proposers that a stranger's configuration may name: those that run nothing themselves.
const HARMLESS_PROPOSERS: [&str; 2] = ["ast", "peer_knowledge"];
/// Digits of a command's id.
const COMMAND_ID_DIGITS: usize = 16;
/// How long a follower waits for an event before it looks whether anybody still listens.
const LISTEN: Duration = Duration::from_millis(500);
/// How long a run that has recorded its end may take to put its things away.
const PUTTING_AWAY: Duration = Duration::from_secs(30);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The workshop of a host.
pub(crate) struct HostWorkshop {
    host: Arc<Host>,
    benches: Benches,
}

impl HostWorkshop {
    /// The workshop of this host.
    pub(crate) fn new(host: Arc<Host>) -> Self {
        Self { host, benches: Benches::default() }
    }
}

impl Workshop for HostWorkshop {
    fn is_known(&self, run: &RunId) -> bool {
        self.host.runs().last_seq(run).is_ok_and(|seq| seq > 0)
    }

    fn begin(&self, order: Order) -> Result<(), WorkshopError> {
        if self.is_known(&order.run) {
            return Ok(());
        }
        let begin = || {
            let folder = match &order.program {
                Program::Files(files) => self.host.lay_down(files)?,
                Program::Bundle(bytes) => self.host.lay_down(&unbundled(bytes)?)?,
            };
            let request = strangers(&folder, order.seed, &order.budget)?;
            self.host.begin_as(order.run.clone(), &request)
        };
        begin().map(|_| ()).map_err(|failure| said(&failure))
    }

    fn stop(&self, run: &RunId, reason: &str) -> Result<(), WorkshopError> {
        let stop = || {
            let id = data::random_hex(COMMAND_ID_DIGITS)?;
            let request = ControlRequest { id, command: Command::StopEvolution, reason: reason.to_owned() };
            control::carry_out(self.host.runs(), run, &request, false)
        };
        stop().map(|_| ()).map_err(|failure| said(&failure))
    }

    fn follow(
        &self,
        run: &RunId,
        hear: &mut dyn FnMut(Option<Heard>) -> ControlFlow<()>,
    ) -> Result<(), WorkshopError> {
        let failed = |error: &dyn std::fmt::Display| WorkshopError::Failed(error.to_string());
        let log = self.host.runs().log();
        let mut records = log.subscribe(&run_stream(run), 0).map_err(|error| failed(&error))?;
        loop {
            let record = records.recv_timeout(LISTEN).map_err(|error| failed(&error))?;
            let heard = match record {
                Some(record) => {
                    let (seq, time_ms) = (record.seq, record.time_ms);
                    let event = conductor::event_of(record).map_err(|error| failed(&error))?;
                    Some(Heard { seq, time_ms, event })
                }
                None => None,
            };
            if hear(heard).is_break() {
                return Ok(());
            }
        }
    }

    fn outcome(&self, run: &RunId) -> Result<Outcome, WorkshopError> {
        // The end is recorded a moment before the thread that drove the run has put everything away.
        let begun = Instant::now();
        while self.host.drives(run) && begun.elapsed() < PUTTING_AWAY {
            std::thread::sleep(LOOK_EVERY);
        }
        outcome(&self.host, run).map_err(|failure| said(&failure))
    }

    fn validate(&self, request: &ValidationRequest) -> Result<Measured, WorkshopError> {
        judging::validate(&self.host, &self.benches, request).map_err(|failure| said(&failure))
    }

    fn receive(&self, from: &str, request: &TransferRequest) -> Result<Received, WorkshopError> {
        judging::receive(self.host.runs(), from, request).map_err(|failure| said(&failure))
    }

    fn assess(&self, from: &str, request: &FeedbackRequest) -> Result<Measured, WorkshopError> {
        match &request.improvement {
            ImprovementSent::Candidate(candidate) => self.validate(candidate),
            ImprovementSent::Package(sent) => {
                judging::assess(self.host.runs(), from, sent).map_err(|failure| said(&failure))
            }
        }
    }

    fn regroup(&self, request: &GroupRequest) -> Result<Vec<Member>, WorkshopError> {
        peers::regroup(self.host.runs(), request).map_err(|failure| said(&failure))
    }

    fn capabilities(&self) -> Member {
        let unknown = || Member { agent_id: peers::own_name(), capabilities: Capabilities::default() };
        peers::capabilities(self.host.runs()).unwrap_or_else(|_| unknown())
    }
}

/// The files of a stranger's git bundle.
fn unbundled(bytes: &[u8]) -> Result<BTreeMap<String, String>, Failure> {
    const HELP: &str = "make it with `git bundle create program.bundle HEAD`";
    let scratch =
        tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder can be made", error))?;
    let files = snapshots::unbundle(bytes, scratch.path())
        .map_err(|error| Failure::usage(error.to_string(), HELP))?;
    let text = |(path, bytes): (String, Vec<u8>)| match String::from_utf8(bytes) {
        Ok(text) => Ok((path, text)),
        Err(_) => Err(Failure::usage(format!("{path} in the bundle is no text"), "leave it out")),
    };
    files.into_iter().map(text).collect()
}

/// A run of a stranger's program: by its own configuration, within what a stranger may ask for.
fn strangers(
    folder: &Path,
    seed: Option<u64>,
    budget: &evolution::settings::Budget,
) -> Result<RunRequest, Failure> {
    let mut request = RunRequest::of_folder(folder, None, seed)?;
    let configuration = &mut request.configuration;
    refuse_foreign(configuration)?;
    let time = budget.time_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or_default()));
    configuration.budget = configuration.budget.overridden(budget.evaluations, time);
    configuration.budget.proposals = budget.proposals.or(configuration.budget.proposals);
    Ok(request)
}

/// Refuses what would run outside the sandbox, or on another machine only.
fn refuse_foreign(configuration: &Configuration) -> Result<(), Failure> {
    let harmless = |name: &&String| HARMLESS_PROPOSERS.contains(&name.as_str());
    if let Some(proposer) = configuration.proposers.used.iter().find(|name| !harmless(name)) {
        return Err(Failure::refused(
            format!("the proposer `{proposer}` is not run for others"),
            "leave its section out of darwind.toml",
        ));
    }
    if configuration.embedding.is_some() {
        return Err(Failure::refused(
            "[evolution.embedding] names an endpoint, and none is asked for others",
            "leave the section out of darwind.toml",
        ));
    }
    if configuration.target.python.is_some() {
        return Err(Failure::refused(
            "[target] python names an interpreter of another machine",
            "leave it out; the daemon's own is used",
        ));
    }
    Ok(())
}

fn outcome(host: &Host, run: &RunId) -> Result<Outcome, Failure> {
    let state = host.runs().state(run)?;
    let ledger = host.ledger(run).unwrap_or_else(|| from_log(&state));
    let interrupted = !matches!(state.phase, Phase::Finished(_));
    let summary = RunSummary::new(&state, &ledger, interrupted, host.runs().folder());
    let failure = match state.phase {
        Phase::Finished(StoppedBy::Failure) => Some(last_words(host, &state)?),
        _ => None,
    };
    let winner = match state.champion.and_then(|champion| state.candidate(champion)) {
        Some(champion) => Some(winner(host, run, &state, &champion.commit)?),
        None => None,
    };
    let candidate = |number: &u32| {
        let record = state.candidate(*number)?;
        serde_json::to_value(summary::scored(&state, record)).ok()
    };
    let front = state.front.iter().filter_map(candidate).collect();
    let summary = serde_json::to_value(&summary)
        .map_err(|error| Failure::caused("the run cannot be summed up", error))?;
    Ok(Outcome { summary: without_paths(summary), failure, winner, front })
}

/// Where the time went as far as the log tells: what candidates cost, and nothing of what overlapped.
fn from_log(state: &State) -> Ledger {
    let wall_s = state.active_ms(state.last_ms) as f64 / 1000.0;
    let evaluator_s = state.candidates().map(|record| record.cost.wall_s).sum::<f64>().min(wall_s);
    Ledger { wall_s, evaluator_s, overhead_s: wall_s - evaluator_s }
}

/// The summary for another machine: folders of this one say nothing there, and are nobody's business.
fn without_paths(mut summary: Value) -> Value {
    if let Some(fields) = summary.as_object_mut() {
        fields.insert("data_dir".to_owned(), json!(""));
        let target = fields.get("agent_id").cloned().unwrap_or_default();
        fields.insert("target".to_owned(), target);
    }
    summary
}

fn last_words(host: &Host, state: &State) -> Result<String, Failure> {
    let mut words = "the run failed".to_owned();
    host.runs().visit(&state.run.run_id, state.seq.saturating_sub(1), &mut |record| {
        if let Ok(Event::RunFinished(finished)) = conductor::event_of(record)
            && !finished.reason.is_empty()
        {
            words = finished.reason;
        }
        ControlFlow::Continue(())
    })?;
    Ok(words)
}

fn winner(host: &Host, run: &RunId, state: &State, commit: &CommitId) -> Result<Winner, Failure> {
    let unreadable = |error: snapshots::SnapshotsError| Failure::caused("the winner cannot be read", error);
    let snapshots = host.runs().snapshots(run)?;
    let patch = snapshots.patch(&state.run.baseline, commit).map_err(unreadable)?;
    let configuration = crate::wiring::stored_configuration(run, &state.run.configuration)?;
    let mut files = BTreeMap::new();
    for path in &configuration.target.mutable {
        // A winner may have removed a file, and a file that is no text travels in the patch.
        if let Ok(Ok(text)) = snapshots.read(commit, Path::new(path)).map(String::from_utf8) {
            files.insert(path.clone(), text);
        }
    }
    Ok(Winner { files, patch: String::from_utf8_lossy(&patch).into_owned() })
}

/// A failure as a peer hears of it.
fn said(failure: &Failure) -> WorkshopError {
    let text = match failure.help() {
        Some(help) => format!("{}; {help}", failure.text()),
        None => failure.text(),
    };
    match failure.exit() {
        Exit::Usage | Exit::Refused => WorkshopError::Refused(text),
        _ => WorkshopError::Failed(text),
    }
}
