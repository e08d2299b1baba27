//! `darwind watch`: a run as it happens, in a terminal. The records come from the store of this machine, or from a daemon
//! anywhere over its WebSocket; either way they are folded here, so that both show the same.

mod remote;

use crate::cli::WatchFlags;
use crate::data::{DataFolder, Runs};
use crate::events;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;
use crate::terminal::Terminal;
use conductor::{event_of, run_stream};
use evolution::event::Event;
use evolution::id::RunId;
use evolution::state::{Phase, State};
use std::time::Duration;
use store::{Record, Subscription};

/// How often a run that says nothing is asked whether it is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What comes from where a run is watched.
enum Heard {
    /// One more record.
    Record(Record),
    /// Nothing now; this is the newest record.
    Quiet { newest: u64 },
}

/// Where a run is watched.
trait Source {
    fn hear(&mut self) -> Result<Heard, Failure>;
}

/// The store of this machine.
struct Local {
    runs: Runs,
    run: RunId,
    subscription: Subscription,
}

impl Local {
    fn open(name: &str, data: &DataFolder) -> Result<Self, Failure> {
        let runs = data.open_existing()?;
        let run = runs.find_run(name)?;
        let subscription = runs.log().subscribe(&run_stream(&run), 0);
        let subscription =
            subscription.map_err(|error| Failure::caused("the run's log could not be followed", error))?;
        Ok(Self { runs, run, subscription })
    }
}

impl Source for Local {
    fn hear(&mut self) -> Result<Heard, Failure> {
        let heard = self.subscription.recv_timeout(LOOK_EVERY);
        match heard.map_err(|error| Failure::caused("the run's log could not be followed", error))? {
            Some(record) => Ok(Heard::Record(record)),
            None => Ok(Heard::Quiet { newest: self.runs.last_seq(&self.run)? }),
        }
    }
}

/// `darwind watch`.
pub(crate) fn watch(flags: &WatchFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    match &flags.url {
        None => follow(Local::open(flags.run.as_deref().unwrap_or("last"), data)?, flags.after, terminal),
        Some(url) => follow(remote::Remote::open(url, flags.run.as_deref())?, flags.after, terminal),
    }
}

/// Shows a run until it is over.
fn follow(mut source: impl Source, after: u64, terminal: Terminal) -> Result<Exit, Failure> {
    let mut shown: Option<(State, Progress)> = None;
    loop {
        match source.hear()? {
            Heard::Record(record) => take(&mut shown, record, after, terminal)?,
            Heard::Quiet { newest } => {
                let over = |state: &State| matches!(state.phase, Phase::Finished(_)) && state.seq >= newest;
                if shown.as_ref().is_some_and(|(state, _)| over(state)) {
                    break;
                }
            }
        }
    }
    if let Some((_, progress)) = shown {
        progress.finish();
    }
    Ok(Exit::Done)
}

/// Folds one record and shows it, if a person would want to see it.
fn take(
    shown: &mut Option<(State, Progress)>,
    record: Record,
    after: u64,
    terminal: Terminal,
) -> Result<(), Failure> {
    let seq = record.seq;
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::work_with_help(
            format!("event {seq} cannot be read: {error}"),
            "watch it with the version of darwind that drives it",
        )
    };
    let event = event_of(record.clone()).map_err(|error| unreadable(&error))?;
    let time_ms = record.time_ms;
    match (shown.as_mut(), &event) {
        (Some((state, progress)), event) => {
            state.apply(time_ms, event).map_err(|error| unreadable(&error))?;
            progress.observe(state, event);
        }
        (None, Event::RunStarted(started)) => {
            let state = State::begin(time_ms, started).map_err(|error| unreadable(&error))?;
            let progress = Progress::new(&state, terminal.wants_json());
            *shown = Some((state, progress));
        }
        (None, _) => return Err(unreadable(&"the log has no beginning")),
    }
    if seq <= after || !(terminal.wants_json() || is_notable(&event)) {
        return Ok(());
    }
    let write = || events::write(terminal, record).and_then(|()| terminal.flush());
    match shown {
        Some((_, progress)) => progress.beside(write)?,
        None => write()?,
    }
    Ok(())
}

/// What a person wants to see of a run among thousands of events.
fn is_notable(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_)
            | Event::RunResumed(_)
            | Event::RunPaused(_)
            | Event::RunFinished(_)
            | Event::ControlReceived(_)
            | Event::ChampionChanged(_)
            | Event::ImprovementApplied(_)
            | Event::BreakerChanged(_)
            | Event::BudgetWarning(_)
            | Event::BudgetExhausted(_)
            | Event::BudgetChanged(_)
            | Event::SafetyViolation(_)
            | Event::EvaluationFailed(_)
            | Event::RollbackInitiated(_)
            | Event::RollbackCompleted(_)
    )
}
