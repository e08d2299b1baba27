//! Many runs in one process: each is driven by a thread of its own, started by the API or taken up after a restart. It is
//! also what the API asks of the daemon: runs, commands, differences and files.

use crate::control::{self, Heard};
use crate::data::{self, Runs};
use crate::failure::{Exit, Failure};
use crate::lease::Driving;
use crate::peers::Contact;
use crate::request::{self, RunRequest};
use crate::telemetry::Telemetry;
use crate::{peers, run, wiring};
use api::{
    Collective, CommandRequest, DiffLine, DiffPart, FileChange, NewRun, Obeyed, Redelivered, Service,
    ServiceError,
};
use conductor::{Conductor, ControlRequest, Handle, Ledger};
use evolution::event::Command;
use evolution::id::{CommitId, RunId};
use evolution::state::{Phase, State};
use snapshots::{FileDiff, LineOrigin};
use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Runs that one process drives at once; the operating system shares the cores among their evaluations.
const MAX_DRIVEN: usize = 16;
/// Files of a target that is sent along.
const MAX_SENT_FILES: usize = 2_000;
/// Key of the document that says where a run's time went.
const LEDGER_KEY: &str = "ledger";
/// Lines of a file's difference that are shown at once.
const MAX_DIFF_LINES: usize = 5_000;

/// The runs that this process drives.
pub(crate) struct Host {
    runs: Runs,
    driven: Mutex<HashMap<RunId, Handle>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Host {
    /// A host over a data folder.
    pub(crate) fn new(runs: Runs) -> Arc<Self> {
        Arc::new(Self { runs, driven: Mutex::new(HashMap::new()), threads: Mutex::new(Vec::new()) })
    }

    /// Takes up what an earlier process left unfinished. What was paused stays paused until somebody resumes it. Answers
    /// the runs that were taken up, and what kept others from it.
    pub(crate) fn take_up_unfinished(self: &Arc<Self>) -> Result<(Vec<RunId>, Vec<String>), Failure> {
        let (mut taken, mut troubles) = (Vec::new(), Vec::new());
        for line in self.runs.list()? {
            let unfinished = |state: &State| matches!(state.phase, Phase::Pending | Phase::Running);
            let interrupted =
                |state: &State| state.phase == Phase::Paused && was_interrupted(&self.runs, state);
            match self.runs.state(&line.id) {
                Ok(state) if unfinished(&state) || interrupted(&state) => {
                    match self.resume(&line.id, "taken up after a restart") {
                        Ok(()) => taken.push(line.id),
                        Err(failure) => troubles.push(format!("run {}: {}", line.id, failure.text())),
                    }
                }
                Ok(_) => {}
                Err(error) => troubles.push(format!("run {}: {error}", line.id)),
            }
        }
        Ok((taken, troubles))
    }

    /// Asks every run to save and leave, and waits until they have.
    pub(crate) fn leave(&self) {
        for handle in self.driven.lock().unwrap_or_else(PoisonError::into_inner).values() {
            handle.interrupt("the daemon was stopped");
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that panicked has left its run for the next process to take up.
            let _ = thread.join();
        }
    }

    fn begin(self: &Arc<Self>, request: &RunRequest) -> Result<RunId, Failure> {
        self.begin_as(data::new_run_id()?, request)
    }

    /// Begins a run under a name of its own.
    pub(crate) fn begin_as(self: &Arc<Self>, run: RunId, request: &RunRequest) -> Result<RunId, Failure> {
        self.has_room()?;
        let python = wiring::python(&request.configuration)?;
        let level = wiring::level(request.configuration.sandbox.require)?;
        let driving = Driving::take(&self.runs, &run)?;
        let (ports, started) = run::prepare(&self.runs, &run, request, (python, level))?;
        let begun = Conductor::begin(ports, started);
        let conductor = begun.map_err(|error| Failure::caused("the run cannot begin", error))?;
        self.drive(run.clone(), conductor, driving)?;
        Ok(run)
    }

    fn resume(self: &Arc<Self>, run: &RunId, reason: &str) -> Result<(), Failure> {
        self.has_room()?;
        let driving = Driving::take(&self.runs, run)?;
        let conductor = run::take_up(&self.runs, run, reason, request::workers(None))?;
        self.drive(run.clone(), conductor, driving)
    }

    fn has_room(&self) -> Result<(), Failure> {
        let driven = self.driven.lock().unwrap_or_else(PoisonError::into_inner).len();
        if driven < MAX_DRIVEN {
            return Ok(());
        }
        Err(Failure::work_with_help(
            format!("{driven} runs are being driven already"),
            "wait for one to end, or stop one",
        ))
    }

    fn drive(self: &Arc<Self>, run: RunId, conductor: Conductor, driving: Driving) -> Result<(), Failure> {
        let mut telemetry = Telemetry::of_run(run.as_str())?;
        self.driven.lock().unwrap_or_else(PoisonError::into_inner).insert(run.clone(), conductor.handle());
        let host = self.clone();
        let work = move || {
            tracing::info!(run = run.as_str(), "driving");
            let mut contact = Contact::of(&host.runs, conductor.state(), &conductor.handle());
            let ending = conductor.drive(&mut |state, event| {
                tracing::debug!(run = run.as_str(), seq = state.seq, event = event.name(), "recorded");
                if let Some(telemetry) = &mut telemetry {
                    telemetry.observe(state, event);
                }
                contact.observe(state, event);
            });
            // Whatever ended it is in the run's log, or the run is taken up again after a restart.
            match ending {
                Ok(ending) => {
                    tracing::info!(run = run.as_str(), interrupted = ending.interrupted, "driven");
                    host.keep_ledger(&run, ending.ledger);
                }
                Err(error) => tracing::error!(run = run.as_str(), %error, "the run had to end"),
            }
            drop(telemetry);
            drop(driving);
            host.driven.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
            // Peers are told to the end, which nobody else waits for.
            contact.end();
        };
        let thread = std::thread::Builder::new()
            .name("run".to_owned())
            .spawn(work)
            .map_err(|error| Failure::caused("no thread could be started", error))?;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// The runs of the data folder.
    pub(crate) fn runs(&self) -> &Runs {
        &self.runs
    }

    /// Whether this process drives a run.
    pub(crate) fn drives(&self, run: &RunId) -> bool {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner).contains_key(run)
    }

    /// Keeps where the time of a run's last driving went, for whoever sums the run up.
    fn keep_ledger(&self, run: &RunId, ledger: Ledger) {
        let text = serde_json::json!([ledger.wall_s, ledger.evaluator_s, ledger.overhead_s]).to_string();
        // Without it the sum is told from the log alone.
        let _ = self.runs.log().put_blob(&conductor::run_stream(run), LEDGER_KEY, text.as_bytes());
    }

    /// Where the time of a run's last driving went, if that was kept.
    pub(crate) fn ledger(&self, run: &RunId) -> Option<Ledger> {
        let kept = self.runs.log().get_blob(&conductor::run_stream(run), LEDGER_KEY).ok()??;
        let [wall_s, evaluator_s, overhead_s] = serde_json::from_slice(&kept).ok()?;
        Some(Ledger { wall_s, evaluator_s, overhead_s })
    }

    /// Puts files that were sent into a folder of their own.
    pub(crate) fn lay_down(&self, files: &BTreeMap<String, String>) -> Result<PathBuf, Failure> {
        if files.len() > MAX_SENT_FILES {
            let most = format!("send at most {MAX_SENT_FILES}, or name a folder by `path`");
            return Err(Failure::usage(format!("{} files are too many", files.len()), most));
        }
        if files.is_empty() {
            return Err(Failure::usage(
                "no file was sent",
                "send the target's files by path, darwind.toml among them",
            ));
        }
        let folder = self.runs.folder().path().join("targets").join(data::random_hex(12)?);
        for (name, text) in files {
            let below = Path::new(name);
            let plain = below.components().all(|part| matches!(part, Component::Normal(_)));
            if !plain || name.is_empty() {
                return Err(Failure::usage(
                    format!("{name:?} is no path below the target"),
                    "paths are relative, with / between parts and no ..",
                ));
            }
            let place = folder.join(below);
            let parent = place.parent().unwrap_or(&folder);
            let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&place, text));
            written.map_err(|error| Failure::caused(format!("cannot write {}", place.display()), error))?;
        }
        Ok(folder)
    }
}

/// Whether a run stands still only because its process was stopped, and not because somebody paused it.
fn was_interrupted(runs: &Runs, state: &State) -> bool {
    let mut last = String::new();
    let seen = runs.visit(&state.run.run_id, state.seq.saturating_sub(1), &mut |record| {
        let reason = record.data.get("reason").and_then(serde_json::Value::as_str);
        last = format!("{}:{}", record.kind, reason.unwrap_or_default());
        std::ops::ControlFlow::Continue(())
    });
    let reasons = ["interrupted", "the daemon was stopped"];
    seen.is_ok() && reasons.iter().any(|reason| last == format!("run_paused:{reason}"))
}

fn refusal(failure: &Failure) -> ServiceError {
    let message = failure.text();
    match failure.exit() {
        Exit::Usage => ServiceError::Invalid { message, help: failure.help() },
        Exit::Refused => ServiceError::Refused(message),
        _ => ServiceError::Failed(message),
    }
}

/// Whether a command is obeyed after the end of a run, too.
fn is_about_the_champion(command: &Command) -> bool {
    matches!(command, Command::RollbackModification { .. } | Command::Promote { .. } | Command::Pin { .. })
}

/// The API's view of a host.
pub(crate) struct Hosted(pub(crate) Arc<Host>);

impl Service for Hosted {
    fn start(&self, run: NewRun) -> Result<RunId, ServiceError> {
        let request = match run {
            NewRun::Path { path, config, seed } => RunRequest::of_folder(&path, config.as_deref(), seed),
            NewRun::Files { files, config, seed } => self
                .0
                .lay_down(&files)
                .and_then(|folder| RunRequest::of_folder(&folder, config.as_deref(), seed)),
        };
        request.and_then(|request| self.0.begin(&request)).map_err(|failure| refusal(&failure))
    }

    fn command(&self, run: &RunId, request: CommandRequest) -> Result<Obeyed, ServiceError> {
        let CommandRequest { id, command, reason } = request;
        let asks_to_go_on = command == Command::ResumeEvolution;
        let state = self.0.runs.state(run).map_err(|error| ServiceError::NotFound(error.to_string()))?;
        let finished = matches!(state.phase, Phase::Finished(_));
        if finished && !is_about_the_champion(&command) {
            return Err(ServiceError::Refused("the run is over".to_owned()));
        }
        let request = ControlRequest { id, command, reason };
        if asks_to_go_on && !self.is_driven(run) {
            let reason = if request.reason.is_empty() { "resumed" } else { &request.reason };
            self.0.resume(run, reason).map_err(|failure| refusal(&failure))?;
            let seq = self.0.runs.last_seq(run).map_err(|error| ServiceError::Failed(error.to_string()))?;
            return Ok(Obeyed { refused: None, seq });
        }
        let heard = control::carry_out(&self.0.runs, run, &request, false);
        let Heard { seq, control, .. } = heard.map_err(|failure| refusal(&failure))?;
        Ok(Obeyed { refused: control.refused, seq })
    }

    fn peers(&self) -> Result<Collective, ServiceError> {
        peers::overview(&self.0.runs).map_err(|failure| refusal(&failure))
    }

    fn replay_letter(&self, number: u64) -> Result<Redelivered, ServiceError> {
        peers::replay(&self.0.runs, number)
    }

    fn is_driven(&self, run: &RunId) -> bool {
        self.0.runs.driver(run).is_ok_and(|driver| driver.is_some())
    }

    fn diff(&self, run: &RunId, old: &CommitId, new: &CommitId) -> Result<Vec<FileChange>, ServiceError> {
        let failed = |error: &dyn std::fmt::Display| ServiceError::Failed(error.to_string());
        let snapshots = self.0.runs.snapshots(run).map_err(|error| failed(&error))?;
        let files = snapshots.diff(old, new).map_err(|error| failed(&error))?;
        Ok(files.into_iter().map(file_change).collect())
    }

    fn file(&self, run: &RunId, commit: &CommitId, path: &str) -> Result<Vec<u8>, ServiceError> {
        let snapshots =
            self.0.runs.snapshots(run).map_err(|error| ServiceError::Failed(error.to_string()))?;
        snapshots.read(commit, Path::new(path)).map_err(|error| ServiceError::NotFound(error.to_string()))
    }
}

fn file_change(file: FileDiff) -> FileChange {
    let status = match (&file.old, &file.new) {
        (None, _) => "added",
        (_, None) => "deleted",
        _ => "modified",
    };
    let all: usize = file.hunks.iter().map(|hunk| hunk.lines.len()).sum();
    let mut left = MAX_DIFF_LINES;
    let hunks = file.hunks.into_iter().map_while(|hunk| {
        let (mut old, mut new) = (hunk.old_start, hunk.new_start);
        let header = format!("@@ -{old},{} +{new},{} @@", hunk.old_lines, hunk.new_lines);
        let shown = hunk.lines.len().min(left);
        left -= shown;
        let lines = hunk.lines.into_iter().take(shown).map(|line| {
            let (kind, is_old, is_new) = match line.origin {
                LineOrigin::Context => (' ', true, true),
                LineOrigin::Removed => ('-', true, false),
                LineOrigin::Added => ('+', false, true),
            };
            let shown =
                DiffLine { kind, old: is_old.then_some(old), new: is_new.then_some(new), text: line.text };
            old += u32::from(is_old);
            new += u32::from(is_new);
            shown
        });
        let lines: Vec<DiffLine> = lines.collect();
        (shown > 0).then_some(DiffPart { header, lines })
    });
    let hunks = hunks.collect();
    FileChange {
        path: file.path,
        status,
        added: file.added,
        removed: file.removed,
        binary: file.binary,
        truncated: all > MAX_DIFF_LINES,
        hunks,
    }
}
