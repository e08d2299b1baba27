//! `darwind import`: brings another engine's archive over as the lineage of a new run. Its programs come as proposals that
//! were made elsewhere: with their parents where those survived, with the metrics that were recorded as a note, and
//! measured by nobody here. `darwind resume` has each of them evaluated before anything new is proposed.

mod checkpoint;

use crate::cli::{Import, ImportFlags};
use crate::data::{self, DataFolder};
use crate::failure::{Exit, Failure};
use crate::lease::Driving;
use crate::request::RunRequest;
use crate::run;
use crate::terminal::Terminal;
use crate::wiring;
use checkpoint::Checkpoint;
use conductor::{Adopted, Adoption};
use serde::Serialize;

/// Name under which imported candidates stand as proposed.
pub(crate) const PROPOSER: &str = "import";
/// Their operator, for those of OpenEvolve.
const OPEN_EVOLVE: &str = "openevolve";

/// The answer of `darwind import --json`.
#[derive(Debug, Serialize)]
struct Answer {
    run_id: String,
    target: String,
    /// Programs in the checkpoint.
    programs: usize,
    /// Candidates made of them: equal programs share one, those equal to the initial program are the baseline.
    candidates: u32,
    /// Programs whose parent is not in the checkpoint: they descend from the baseline here.
    without_parent: usize,
    /// The candidate that stands for the checkpoint's best program, if it names one.
    best: Option<String>,
    /// That nothing of it was measured here yet.
    validated: bool,
    warnings: Vec<String>,
}

/// `darwind import`.
pub(crate) fn import(what: &Import, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    match what {
        Import::Openevolve(flags) => open_evolve(flags, data, terminal),
    }
}

fn open_evolve(flags: &ImportFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let mut request = RunRequest::of_folder(&flags.task, None, flags.seed)?;
    request.configuration.budget = request.configuration.budget.overridden(flags.evaluations, None);
    let mutable = &request.configuration.target.mutable;
    let [path] = mutable.as_slice() else {
        return Err(Failure::usage(
            format!("a program of OpenEvolve is one file, and {} may change here", mutable.len()),
            "name a task whose configuration has one file under [target] files",
        ));
    };
    let checkpoint = Checkpoint::read(&flags.checkpoint)?;
    let adopted: Vec<Adopted> = checkpoint
        .programs
        .iter()
        .map(|program| Adopted {
            parent: program.parent,
            path: path.clone(),
            text: program.code.clone(),
            rationale: program.rationale(),
            detail: program.detail(),
        })
        .collect();
    let runs = data.open()?;
    let run = data::new_run_id()?;
    let python = wiring::python(&request.configuration)?;
    let level = wiring::level(request.configuration.sandbox.require)?;
    let _driving = Driving::take(&runs, &run)?;
    let (ports, started) = run::prepare(&runs, &run, &request, (python, level))?;
    let reason = format!("imported from {}", flags.checkpoint.display());
    let Adoption { numbers, candidates } =
        conductor::adopt(ports, started, (PROPOSER, OPEN_EVOLVE), &adopted, &reason)
            .map_err(|error| Failure::caused("the checkpoint cannot be taken over", error))?;
    let best = checkpoint.best.and_then(|best| numbers.get(best)).map(|number| run.candidate(*number));
    let answer = Answer {
        run_id: run.to_string(),
        target: request.configuration.target.name.clone(),
        programs: checkpoint.programs.len(),
        candidates,
        without_parent: checkpoint.without_parent,
        best: best.map(|best| best.to_string()),
        validated: false,
        warnings: request.configuration.warnings.clone(),
    };
    tell(&answer, terminal)?;
    Ok(Exit::Done)
}

fn tell(answer: &Answer, terminal: Terminal) -> Result<(), Failure> {
    if terminal.wants_json() {
        return Ok(terminal.json(answer)?);
    }
    for warning in &answer.warnings {
        terminal.note(&format!("note: {warning}"));
    }
    terminal.line(&format!(
        "run {} of {}: {} candidates from {} programs, {} of them without their parent",
        answer.run_id, answer.target, answer.candidates, answer.programs, answer.without_parent
    ))?;
    if let Some(best) = &answer.best {
        terminal.line(&format!("the checkpoint's best program is {best}"))?;
    }
    let run = &answer.run_id;
    terminal.line(&format!(
        "Nothing of it was measured here, so none of it ranks yet. `darwind resume {run}` evaluates them and goes on."
    ))?;
    Ok(())
}
