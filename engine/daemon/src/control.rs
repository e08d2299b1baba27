//! The commands that a run obeys: pause, resume, stop, rollback. A run that another process drives is told through the
//! store and answers through its log; a run that nobody drives is taken up here for the one command.

use crate::changes::Named;
use crate::cli::{ControlFlags, RollbackFlags};
use crate::data::{self, DataFolder, Runs};
use crate::events::command_name;
use crate::failure::{Exit, Failure};
use crate::request;
use crate::run;
use crate::summary;
use crate::terminal::Terminal;
use conductor::ControlRequest;
use evolution::event::{Command, ControlReceived, Event, RollbackCompleted};
use evolution::id::{CandidateId, Number, RunId};
use serde::Serialize;
use std::time::{Duration, Instant};
use store::{Expected, NewRecord};

/// Digits of a command's id.
const COMMAND_ID_DIGITS: usize = 16;
/// Longest wait for the answer of the process that drives a run.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// Longest wait for a rollback to be measured again.
const ROLLBACK_WAIT: Duration = Duration::from_secs(600);
/// Longest wait between two looks at whether anybody still drives the run.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What became of a command.
#[derive(Debug, Serialize)]
struct Answer {
    run_id: RunId,
    id: String,
    command: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How the rollback ended, for a rollback.
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback: Option<RollbackCompleted>,
    /// What the run is doing now.
    state: &'static str,
}

/// `darwind pause`.
pub(crate) fn pause(flags: &ControlFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    command(&flags.run.run, Command::PauseEvolution, &flags.reason, data, terminal)
}

/// `darwind stop`.
pub(crate) fn stop(flags: &ControlFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    command(&flags.run.run, Command::StopEvolution, &flags.reason, data, terminal)
}

/// `darwind resume`: tells the process that drives the run, or drives it here.
pub(crate) fn resume(flags: &ControlFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open()?;
    let run = runs.find_run(&flags.run.run)?;
    if runs.driver(&run)?.is_some() {
        return command(&flags.run.run, Command::ResumeEvolution, &flags.reason, data, terminal);
    }
    let state = runs.state(&run)?;
    if let evolution::state::Phase::Finished(by) = state.phase {
        let word = summary::stopped_word(by);
        return Err(Failure::work_with_help(
            format!("run {run} is over (stopped by {word}), so there is nothing to resume"),
            format!("begin another with: darwind run {}", state.run.target),
        ));
    }
    let reason = if flags.reason.is_empty() { "resumed from the command line" } else { &flags.reason };
    run::drive_stored(&runs, &run, (reason, request::workers(None)), terminal)
}

/// `darwind rollback`.
pub(crate) fn rollback(
    flags: &RollbackFlags,
    data: &DataFolder,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let runs = data.open()?;
    let run = runs.find_run(&flags.run)?;
    let candidate = candidate_of(&runs, &run, &flags.candidate)?;
    let command_ = Command::RollbackModification { modification_id: candidate };
    command(run.as_str(), command_, &flags.reason, data, terminal)
}

/// The candidate of this run that a person means: by number alone or by id.
fn candidate_of(runs: &Runs, run: &RunId, text: &str) -> Result<CandidateId, Failure> {
    let number = match text.parse::<Number>() {
        Ok(number) => number,
        Err(_) => {
            let (found, number) = runs.find_candidate(text)?;
            if found != *run {
                return Err(Failure::usage(
                    format!("candidate {text} belongs to run {found}, not to {run}"),
                    format!("`darwind lineage {run}` lists the candidates of this run"),
                ));
            }
            number
        }
    };
    let named = Named { run: run.clone(), number, state: runs.state(run)? };
    named.commit(number)?;
    Ok(run.candidate(number))
}

fn command(
    name: &str,
    command: Command,
    reason: &str,
    data: &DataFolder,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let runs = data.open()?;
    let run = runs.find_run(name)?;
    let request =
        ControlRequest { id: data::random_hex(COMMAND_ID_DIGITS)?, command, reason: reason.to_owned() };
    let measured = matches!(request.command, Command::RollbackModification { .. });
    let Heard { control, rollback, .. } = carry_out(&runs, &run, &request, measured)?;
    report(&runs, &run, &request, control, rollback, terminal)
}

/// Has a command obeyed by whoever drives the run, or here when nobody does, and answers what its log says of it. The
/// command's id makes twice be once. `to_the_end` waits for a rollback to be measured again.
pub(crate) fn carry_out(
    runs: &Runs,
    run: &RunId,
    request: &ControlRequest,
    to_the_end: bool,
) -> Result<Heard, Failure> {
    let known = runs.state(run)?.commands.contains(&request.id);
    if known {
        return recorded(runs, run, request, 0);
    }
    let seen = runs.last_seq(run)?;
    if runs.driver(run)?.is_some() {
        send(runs, run, request)?;
        if let Some(heard) = wait(runs, run, request, (seen, to_the_end))? {
            return Ok(heard);
        }
    }
    run::command_stored(runs, run, request)?;
    recorded(runs, run, request, seen)
}

fn send(runs: &Runs, run: &RunId, request: &ControlRequest) -> Result<(), Failure> {
    let faulty = |cause| Failure::caused("the command could not be sent", cause);
    let data = serde_json::to_value(request)
        .map_err(|error| Failure::caused("the command could not be written", error))?;
    let record = NewRecord { kind: command_name(&request.command).to_owned(), time_ms: data::now_ms(), data };
    runs.log().append(&conductor::control_stream(run), Expected::Any, &[record]).map_err(faulty)?;
    Ok(())
}

/// What a run says to a command.
pub(crate) struct Heard {
    /// The event that it was received.
    pub(crate) seq: u64,
    /// That it was received.
    pub(crate) control: ControlReceived,
    /// How a rollback ended, if that was waited for.
    pub(crate) rollback: Option<RollbackCompleted>,
}

/// Waits for the run's answer; `None` when whoever drove it is gone.
fn wait(
    runs: &Runs,
    run: &RunId,
    request: &ControlRequest,
    (after, to_the_end): (u64, bool),
) -> Result<Option<Heard>, Failure> {
    let faulty = |error| Failure::caused("the run's answer could not be read", error);
    let mut subscription = runs.log().subscribe(&conductor::run_stream(run), after).map_err(faulty)?;
    let begun = Instant::now();
    let mut received: Option<(u64, ControlReceived)> = None;
    loop {
        if let Some(record) = subscription.recv_timeout(LOOK_EVERY).map_err(faulty)? {
            let seq = record.seq;
            match conductor::event_of(record) {
                Ok(Event::ControlReceived(control)) if control.id == request.id => {
                    if control.refused.is_some() || !to_the_end {
                        return Ok(Some(Heard { seq, control, rollback: None }));
                    }
                    received = Some((seq, control));
                }
                Ok(Event::RollbackCompleted(rollback)) => {
                    if let Some((seq, control)) = received {
                        return Ok(Some(Heard { seq, control, rollback: Some(rollback) }));
                    }
                }
                _ => {}
            }
            continue;
        }
        if received.is_none() && runs.driver(run)?.is_none() {
            return Ok(None);
        }
        let limit = if received.is_some() { ROLLBACK_WAIT } else { ANSWER_WAIT };
        if begun.elapsed() > limit {
            return Err(Failure::work_with_help(
                format!("run {run} has not answered within {}", humantime::format_duration(limit)),
                format!(
                    "the command {} is in its queue; `darwind log {run} --follow` shows when it is heard",
                    request.id
                ),
            ));
        }
    }
}

/// The answer to a command that was obeyed here.
fn recorded(runs: &Runs, run: &RunId, request: &ControlRequest, after: u64) -> Result<Heard, Failure> {
    let mut control = None;
    let mut rollback = None;
    runs.visit(run, after, &mut |record| {
        let seq = record.seq;
        match conductor::event_of(record) {
            Ok(Event::ControlReceived(received)) if received.id == request.id => {
                control.get_or_insert((seq, received));
            }
            Ok(Event::RollbackCompleted(completed)) if control.is_some() && rollback.is_none() => {
                rollback = Some(completed);
            }
            _ => {}
        }
        std::ops::ControlFlow::Continue(())
    })?;
    let (seq, control) =
        control.ok_or_else(|| Failure::work(format!("run {run} did not record the command")))?;
    Ok(Heard { seq, control, rollback })
}

fn report(
    runs: &Runs,
    run: &RunId,
    request: &ControlRequest,
    control: ControlReceived,
    rollback: Option<RollbackCompleted>,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let unverified = rollback.as_ref().filter(|rollback| !rollback.verified).map(|rollback| {
        format!("{} was measured again and does not hold: {}", rollback.modification_id, rollback.reason)
    });
    let error = control.refused.or(unverified);
    let answer = Answer {
        run_id: run.clone(),
        id: request.id.clone(),
        command: command_name(&request.command),
        ok: error.is_none(),
        error: error.clone(),
        rollback,
        state: summary::phase_word(&runs.state(run)?.phase),
    };
    if terminal.wants_json() {
        terminal.json(&answer)?;
        return Ok(if answer.ok { Exit::Done } else { Exit::WorkFailed });
    }
    match error {
        Some(error) => Err(Failure::work(format!("run {run} refused: {error}"))),
        None => {
            let detail = answer.rollback.map(|rollback| format!(": {}", rollback.reason)).unwrap_or_default();
            terminal.line(&format!(
                "run {run}: {} obeyed, the run is {}{detail}",
                answer.command, answer.state
            ))?;
            Ok(Exit::Done)
        }
    }
}
