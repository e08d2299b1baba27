//! Drives runs: a new one, a stored one to its end, or a stored one for one command.

mod check;

pub(crate) use check::check;

use crate::cli::RunFlags;
use crate::config::Configuration;
use crate::data::{self, DataFolder, Runs};
use crate::failure::{Exit, Failure};
use crate::language_models::{self, LanguageModels};
use crate::lease::Driving;
use crate::peering::Keeping;
use crate::peers::{self, Contact};
use crate::progress::Progress;
use crate::report;
use crate::request::RunRequest;
use crate::serve::{self, Dashboard};
use crate::summary::RunSummary;
use crate::telemetry::Telemetry;
use crate::terminal::Terminal;
use crate::wiring::{self, Evaluation, Workplace};
use conductor::{Conductor, ControlRequest, Ending, Ports};
use evolution::embedding::Embedding;
use evolution::event::{Event, ProposerInfo, RunStarted, StoppedBy};
use evolution::id::{BASELINE, RunId};
use evolution::ports::Snapshots;
use evolution::shape::Shape;
use evolution::state::{Phase, State};
use sandbox::{Calibration, PythonScreener};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use snapshots::{ImportRequest, Selection};
use std::sync::{Arc, Mutex};

/// `darwind run`.
pub(crate) fn run(flags: RunFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let request = RunRequest::new(&flags)?;
    for warning in &request.configuration.warnings {
        terminal.note(&format!("note: {warning}"));
    }
    let runs = data.open()?;
    let dashboard = Dashboard::open(flags.listen, &runs, Keeping::InMemory)?;
    if let Some(dashboard) = &dashboard {
        terminal.note(&format!("dashboard: {}", dashboard.link));
    }
    let exit = drive_wanted(&runs, &request, data, terminal);
    if let (Some(dashboard), Ok(Exit::Done | Exit::WorkFailed)) = (&dashboard, &exit)
        && terminal.is_interactive()
        && !flags.exit
    {
        terminal.note(&format!("the dashboard stays up until Ctrl-C: {}", dashboard.link));
        serve::wait_for_the_end()?;
    }
    if let Some(dashboard) = dashboard {
        dashboard.host.leave();
    }
    exit
}

/// Drives the run that is asked for: the last unfinished one, or a new one.
fn drive_wanted(
    runs: &Runs,
    request: &RunRequest,
    data: &DataFolder,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    if request.resume {
        let Some(run) = last_unfinished(runs, request)? else {
            return Err(Failure::work_with_help(
                format!(
                    "there is no unfinished run of {} in {}",
                    request.path.display(),
                    data.path().display()
                ),
                "begin one by leaving --resume out",
            ));
        };
        return drive_stored(runs, &run, ("resumed from the command line", request.workers), terminal);
    }
    let python = wiring::python(&request.configuration)?;
    let level = wiring::level(request.configuration.sandbox.require)?;
    let run = data::new_run_id()?;
    let driving = Driving::take(runs, &run)?;
    let (ports, started) = prepare(runs, &run, request, (python, level))?;
    let conductor =
        Conductor::begin(ports, started).map_err(|error| Failure::caused("the run cannot begin", error))?;
    drive(conductor, runs, &run, driving, terminal)
}

/// The newest run of the request's path that can still be driven.
fn last_unfinished(runs: &Runs, request: &RunRequest) -> Result<Option<RunId>, Failure> {
    let target = request.path.display().to_string();
    let mut lines = runs.list()?;
    lines.sort_by_key(|line| std::cmp::Reverse(line.started_ms));
    for line in lines {
        let state = runs.state(&line.id)?;
        if state.run.target == target && !matches!(state.phase, Phase::Finished(_)) {
            return Ok(Some(line.id));
        }
    }
    Ok(None)
}

/// Takes the target in and wires a new run: its ports, and the event that it begins with.
pub(crate) fn prepare(
    runs: &Runs,
    run: &RunId,
    request: &RunRequest,
    (python, level): (sandbox::Python, sandbox::cell::Level),
) -> Result<(Ports, RunStarted), Failure> {
    let configuration = &peers::with_peers(runs, &request.configuration)?;
    let budget = configuration.budget.for_core();
    let models = language_models::open(configuration, runs, run, &budget)?;
    let programs = models.programs.clone();
    let mut snapshots = wiring::snapshots(runs, run, configuration)?;
    let mutable = configuration.target.mutable.clone();
    let import = snapshots
        .import(&ImportRequest {
            directory: &request.path,
            selection: Selection {
                take_in: Some(Arc::new(move |path: &str| mutable.iter().any(|file| file == path))),
                ..Selection::default()
            },
            id: run.candidate(BASELINE),
            summary: format!("{}: the unchanged target", configuration.target.name),
            trailers: vec![("Candidate".to_owned(), run.candidate(BASELINE).to_string())],
            time_ms: data::now_ms(),
        })
        .map_err(|error| Failure::caused(format!("cannot take {} in", request.path.display()), error))?;
    let workplace = Workplace::of(runs, run);
    workplace.export(&snapshots, &import.commit)?;
    let plan = Arc::new(wiring::plan(configuration, python, &workplace.tree(), level)?);
    let calibration = Arc::new(Mutex::new(Calibration::default()));
    let evaluators = workplace.evaluators(&plan, request.workers, &calibration)?;
    let files = snapshots
        .files(&import.commit)
        .map_err(|error| Failure::caused("cannot read the baseline", error))?;
    let looks = if configuration.settings.archive.looks_at_shapes() {
        PythonScreener::shape(&files)
    } else {
        Shape::default()
    };
    let evaluation = Evaluation { run, plan: &plan, workplace: &workplace };
    let ports = wiring::ports(runs, configuration, snapshots, evaluators, request.seed, &evaluation, models)?;
    let proposers = ports
        .proposers
        .iter()
        .map(|proposer| ProposerInfo {
            name: proposer.name().to_owned(),
            operators: proposer.operators(),
            fed: proposer.is_fed(),
        })
        .collect();
    let started = RunStarted {
        version: evolution::event::VERSION,
        run_id: run.clone(),
        agent_id: configuration.target.name.clone(),
        target: request.path.display().to_string(),
        seed: request.seed,
        objectives: wiring::objective_set(configuration)?,
        settings: request.settings(),
        budget,
        proposers,
        baseline: import.commit,
        fingerprint: PythonScreener::fingerprint(&files),
        shape: Shape {
            embedding: programs.map_or(Embedding::Unasked, |programs| programs.embed(&files).0),
            ..looks
        },
        configuration: serde_json::to_value(configuration)
            .map_err(|error| Failure::caused("the configuration cannot be stored", error))?,
    };
    Ok((ports, started))
}

/// Takes up a stored run that nobody drives, and drives it to its end.
pub(crate) fn drive_stored(
    runs: &Runs,
    run: &RunId,
    (reason, workers): (&str, usize),
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let driving = Driving::take(runs, run)?;
    let conductor = take_up(runs, run, reason, workers)?;
    drive(conductor, runs, run, driving, terminal)
}

/// A stored run, ready to be driven by whoever holds its lease.
pub(crate) fn take_up(runs: &Runs, run: &RunId, reason: &str, workers: usize) -> Result<Conductor, Failure> {
    let state = runs.state(run)?;
    let configuration = wiring::stored_configuration(run, &state.run.configuration)?;
    let models = language_models::open(&configuration, runs, run, &state.budget)?;
    let ports = stored_ports(runs, run, &state, &configuration, (workers, models))?;
    Conductor::resume(ports, run, reason)
        .map_err(|error| Failure::caused(format!("run {run} cannot be taken up"), error))
}

/// Takes up a stored run that nobody drives, only to obey one command, and answers the state after it.
pub(crate) fn command_stored(runs: &Runs, run: &RunId, request: &ControlRequest) -> Result<State, Failure> {
    let _driving = Driving::take(runs, run)?;
    let state = runs.state(run)?;
    let configuration = wiring::stored_configuration(run, &state.run.configuration)?;
    let ports = stored_ports(runs, run, &state, &configuration, (1, LanguageModels::default()))?;
    Conductor::command(ports, run, request)
        .map_err(|error| Failure::caused(format!("run {run} cannot be commanded"), error))
}

/// The ports of a run that was begun by another process.
fn stored_ports(
    runs: &Runs,
    run: &RunId,
    state: &State,
    configuration: &Configuration,
    (workers, models): (usize, LanguageModels),
) -> Result<Ports, Failure> {
    let python = wiring::python(configuration)?;
    let level = wiring::level(configuration.sandbox.require)?;
    let snapshots = wiring::snapshots(runs, run, configuration)?;
    let workplace = Workplace::of(runs, run);
    workplace.export(&snapshots, &state.run.baseline)?;
    let plan = Arc::new(wiring::plan(configuration, python, &workplace.tree(), level)?);
    let calibration = Arc::new(Mutex::new(baseline_calibration(runs, run)?));
    let evaluators = workplace.evaluators(&plan, workers, &calibration)?;
    let evaluation = Evaluation { run, plan: &plan, workplace: &workplace };
    wiring::ports(runs, configuration, snapshots, evaluators, state.run.seed, &evaluation, models)
}

/// What the recorded evaluation of the baseline taught, if there is one.
fn baseline_calibration(runs: &Runs, run: &RunId) -> Result<Calibration, Failure> {
    let mut calibration = Calibration::default();
    conductor::read_events(runs.log().as_ref(), run, 0, |_, _, event| {
        if let Event::ValidationCompleted(completed) = event
            && completed.purpose == evolution::ports::Purpose::Baseline
        {
            calibration = Calibration::of(&completed.evaluation);
        }
        Ok(())
    })
    .map_err(|error| Failure::caused(format!("the log of run {run} cannot be read"), error))?;
    Ok(calibration)
}

/// Drives a run to its end or until somebody interrupts, and reports.
fn drive(
    conductor: Conductor,
    runs: &Runs,
    run: &RunId,
    driving: Driving,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let handle = conductor.handle();
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Failure::caused("signals cannot be listened to", error))?;
    let closer = signals.handle();
    let listener = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if signals.forever().next().is_some() {
            handle.interrupt("interrupted");
        }
    });
    listener.map_err(|error| Failure::caused("no thread could be started", error))?;
    let mut progress = Progress::new(conductor.state(), terminal.wants_json());
    let mut telemetry = Telemetry::of_run(run.as_str())?;
    let mut last_words = String::new();
    let mut contact = Contact::of(runs, conductor.state(), &conductor.handle());
    let ending = conductor.drive(&mut |state, event| {
        if let Event::RunFinished(finished) = event {
            last_words.clone_from(&finished.reason);
        }
        progress.observe(state, event);
        if let Some(telemetry) = &mut telemetry {
            telemetry.observe(state, event);
        }
        contact.observe(state, event);
    });
    drop(telemetry);
    progress.finish();
    closer.close();
    let ending = ending.map_err(|error| {
        Failure::caused(
            format!("run {run} had to end; what it had recorded is safe, and `darwind resume {run}` goes on"),
            error,
        )
    })?;
    drop(driving);
    contact.end();
    tell(&ending, runs, run, terminal)?;
    match ending.state.phase {
        _ if ending.interrupted => Ok(Exit::Interrupted),
        Phase::Finished(StoppedBy::Failure) => Err(Failure::work_with_help(
            last_words,
            format!(
                "`darwind log {run}` shows what happened; `darwind check` runs the unchanged target alone"
            ),
        )),
        _ => Ok(Exit::Done),
    }
}

fn tell(ending: &Ending, runs: &Runs, run: &RunId, terminal: Terminal) -> Result<(), Failure> {
    let summary = RunSummary::new(&ending.state, &ending.ledger, ending.interrupted, runs.folder());
    if terminal.wants_json() {
        return Ok(terminal.json(&summary)?);
    }
    let winner = ending.state.champion.filter(|champion| *champion != BASELINE);
    let diff = match winner.and_then(|winner| ending.state.candidate(winner)) {
        Some(winner) => runs
            .snapshots(run)?
            .diff_text(&ending.state.run.baseline, &winner.commit)
            .map_err(|error| Failure::caused("the winner's diff cannot be made", error))?,
        None => String::new(),
    };
    Ok(report::print(terminal, &ending.state, &summary, &diff)?)
}
