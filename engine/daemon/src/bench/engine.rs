//! The engine's own cost: a whole run by the real conductor, store and repository, over a landscape that costs nothing
//! to evaluate. What is left is the engine: deciding, recording, committing.

mod landscape;

use super::contained::{self, Contained};
use super::process;
use crate::cli::EngineBenchFlags;
use crate::data::{self, DataFolder};
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;
use conductor::{Conductor, Ports};
use evolution::event::{Event, ProposerInfo, RunStarted};
use evolution::id::BASELINE;
use evolution::ports::{Clock, Proposer};
use evolution::settings::{Budget, Settings};
use evolution::shape::Shape;
use landscape::{ByText, FILE, Landscape, Nudge};
use serde::Serialize;
use snapshots::{Access, GitSnapshots, ImportRequest, Selection};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Evaluations that are compared at the beginning and at the end.
const WINDOW: u64 = 1000;
/// Runs of which the one with the median growth is reported: a thousand evaluations last less than half a second, in which
/// whatever else the machine does weighs a lot.
const ROUNDS: usize = 3;

/// What was measured.
#[derive(Debug, Serialize)]
struct Answer {
    /// A whole run against the same contained evaluations alone; absent when it was not asked for.
    contained: Option<Contained>,
    candidates: u64,
    front: usize,
    wall_s: f64,
    /// Milliseconds of CPU an evaluation, everything of the engine together.
    cpu_ms_per_evaluation: Option<f64>,
    /// Resident memory at the end, in MiB, and before the run.
    resident_mib: Option<f64>,
    resident_before_mib: Option<f64>,
    /// CPU of the last thousand evaluations over that of the first thousand.
    last_to_first_thousand: Option<f64>,
    /// Every thousand evaluations by itself.
    thousands: Vec<Window>,
}

/// A thousand evaluations.
#[derive(Debug, Serialize)]
struct Window {
    cpu_ms_per_evaluation: f64,
    /// The same by thread.
    threads: BTreeMap<String, f64>,
}

impl Window {
    fn between(before: &BTreeMap<String, Duration>, after: &BTreeMap<String, Duration>) -> Self {
        let spent = after.iter().map(|(name, now)| {
            let then = before.get(name).copied().unwrap_or_default();
            (name.clone(), now.saturating_sub(then).as_secs_f64() * 1000.0 / WINDOW as f64)
        });
        let threads: BTreeMap<String, f64> = spent.collect();
        Self { cpu_ms_per_evaluation: threads.values().sum(), threads }
    }
}

/// One run over the landscape.
struct Round {
    candidates: u64,
    front: usize,
    wall: Duration,
    resident: Option<u64>,
    windows: Vec<Window>,
}

impl Round {
    /// Drives one run to its end, in a folder that goes with it.
    fn passing(evaluations: u64) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder", error))?;
        Self::drive(&DataFolder::locate(Some(folder.path().to_owned()))?, evaluations)
    }

    /// Drives one run to its end.
    fn drive(folder: &DataFolder, evaluations: u64) -> Result<Self, Failure> {
        let conductor = prepare(folder, evaluations)?;
        let begun = Instant::now();
        let mut marks = vec![process::cpu().unwrap_or_default()];
        let mut done: u64 = 0;
        let ending = conductor
            .drive(&mut |_, event| {
                if matches!(event, Event::ValidationCompleted(_)) {
                    done += 1;
                    if done.is_multiple_of(WINDOW) {
                        marks.push(process::cpu().unwrap_or_default());
                    }
                }
            })
            .map_err(|error| Failure::caused("the run failed", error))?;
        let windows = marks.iter().zip(marks.iter().skip(1));
        Ok(Self {
            candidates: ending.state.counters.evaluations,
            front: ending.state.front.len(),
            wall: begun.elapsed(),
            resident: process::resident(),
            windows: windows.map(|(before, after)| Window::between(before, after)).collect(),
        })
    }

    fn totals(&self) -> Vec<f64> {
        self.windows.iter().map(|window| window.cpu_ms_per_evaluation).collect()
    }

    /// CPU of the last thousand evaluations over that of the first.
    fn growth(&self) -> Option<f64> {
        match self.totals().as_slice() {
            [first, .., last] if *first > 0.0 => Some(last / first),
            _ => None,
        }
    }
}

/// `darwind bench engine`.
pub(super) fn measure(
    flags: &EngineBenchFlags,
    folder: &DataFolder,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let before = process::resident();
    let evaluations = u64::from(flags.candidates);
    let mut rounds = if flags.keep {
        vec![Round::drive(folder, evaluations)?]
    } else {
        (0..ROUNDS).map(|_| Round::passing(evaluations)).collect::<Result<Vec<Round>, Failure>>()?
    };
    // Memory counts as the first round leaves it: later ones find what it has freed.
    let resident = rounds.first().and_then(|round| round.resident);
    rounds.sort_by(|a, b| a.growth().unwrap_or(0.0).total_cmp(&b.growth().unwrap_or(0.0)));
    let round = rounds.swap_remove(rounds.len() / 2);
    let totals = round.totals();
    let mean = totals.iter().sum::<f64>() / totals.len() as f64;
    let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
    let contained = match flags.contained {
        0 => None,
        evaluations => Some(contained::measure(evaluations, terminal)?),
    };
    let answer = Answer {
        contained,
        candidates: round.candidates,
        front: round.front,
        wall_s: round.wall.as_secs_f64(),
        cpu_ms_per_evaluation: mean.is_finite().then_some(mean),
        resident_mib: resident.map(mib),
        resident_before_mib: before.map(mib),
        last_to_first_thousand: round.growth(),
        thousands: round.windows,
    };
    if terminal.wants_json() {
        terminal.json(&answer)?;
        return Ok(Exit::Done);
    }
    let figure = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "unknown".to_owned(), |v| format!("{v:.3}{unit}"))
    };
    terminal.line(&format!("candidates                {} in {:.1} s", answer.candidates, answer.wall_s))?;
    terminal.line(&format!("CPU an evaluation         {}", figure(answer.cpu_ms_per_evaluation, " ms")))?;
    terminal.line(&format!(
        "resident                  {} (before the run {})",
        figure(answer.resident_mib, " MiB"),
        figure(answer.resident_before_mib, " MiB")
    ))?;
    terminal
        .line(&format!("last to first thousand    {}", figure(answer.last_to_first_thousand, " times")))?;
    if let Some(contained) = &answer.contained {
        terminal.line(&format!(
            "run to bare evaluations   {:.3} times ({:.2} s to {:.2} s for the same {} at {}, {} at once)",
            contained.run_to_bare,
            contained.run_s,
            contained.bare_s,
            contained.evaluations,
            contained.isolation,
            contained.workers
        ))?;
    }
    Ok(Exit::Done)
}

/// A run over the landscape in a data folder, ready to be driven.
fn prepare(folder: &DataFolder, evaluations: u64) -> Result<Conductor, Failure> {
    let runs = folder.open()?;
    let run = data::new_run_id()?;
    let target = folder.run_folder(&run).join("target");
    std::fs::create_dir_all(&target)?;
    std::fs::write(target.join(FILE), landscape::baseline())?;
    let failed = |error: snapshots::SnapshotsError| Failure::caused("the repository failed", error);
    let may_change = Arc::new(|path: &str| path == FILE);
    let mut snapshots =
        GitSnapshots::open(&folder.repository(&run), Access::Write, may_change).map_err(failed)?;
    let import = ImportRequest {
        directory: &target,
        selection: Selection::default(),
        id: run.candidate(BASELINE),
        summary: "the unchanged program".to_owned(),
        trailers: Vec::new(),
        time_ms: 0,
    };
    let commit = snapshots.import(&import).map_err(failed)?.commit;
    let started = RunStarted {
        version: evolution::event::VERSION,
        run_id: run,
        agent_id: "bench".to_owned(),
        target: target.display().to_string(),
        seed: 1,
        objectives: landscape::objectives()?,
        settings: Settings::default(),
        budget: Budget { evaluations: Some(evaluations), ..Budget::default() },
        proposers: vec![ProposerInfo { name: "ast".to_owned(), operators: Nudge.operators(), fed: false }],
        baseline: commit,
        fingerprint: landscape::baseline(),
        shape: Shape::default(),
        configuration: serde_json::Value::Null,
    };
    let ports = Ports {
        log: runs.log(),
        clock: Arc::new(Wall),
        snapshots: Box::new(snapshots),
        screener: Arc::new(ByText),
        proposers: vec![Box::new(Nudge)],
        evaluators: vec![Box::new(Landscape)],
    };
    Conductor::begin(ports, started).map_err(|error| Failure::caused("the run could not begin", error))
}

struct Wall;

impl Clock for Wall {
    fn now_ms(&self) -> i64 {
        data::now_ms()
    }
}
