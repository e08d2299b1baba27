//! `darwind agent check`: holds any agent against the contract `evolve-agent/1`, offline, by canned tasks in the sandbox.
//! It tells whether an agent can be evolved and can breed; how good it is, a run tells.

mod canned;
mod declaration;

use crate::cli::{Agent, AgentCheckFlags};
use crate::config::Required;
use crate::config::files::walk;
use crate::failure::{Exit, Failure};
use crate::terminal::{Colour, Terminal};
use crate::wiring;
use crate::workbench::ErrandBench;
use canned::Canned;
use declaration::Declaration;
use evolution::candidate::SourceFiles;
use evolution::errand::{Change, Ended};
use proposers::command::{contract_variables, fill};
use proposers::workbench::{Errand, Outcome, Workbench};
use sandbox::cell::Limits;
use sandbox::{ErrandOptions, Python};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Exit code of an agent that does not understand its task.
const NOT_UNDERSTOOD: i32 = 64;

/// One row of the answer.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    passed: bool,
    /// Whether the agent cannot be evolved without it.
    required: bool,
    reason: String,
}

/// The answer of `darwind agent check --json`.
#[derive(Debug, Serialize)]
struct Answer {
    ok: bool,
    protocol: &'static str,
    command: Vec<String>,
    kinds: Vec<String>,
    isolation: String,
    checks: Vec<Row>,
}

/// `darwind agent`.
pub(crate) fn agent(what: &Agent, terminal: Terminal) -> Result<Exit, Failure> {
    match what {
        Agent::Check(flags) => check(flags, terminal),
    }
}

fn check(flags: &AgentCheckFlags, terminal: Terminal) -> Result<Exit, Failure> {
    let declaration = declaration::read(&flags.folder)?;
    let folder =
        tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder can be made", error))?;
    let mut examiner = Examiner::new(flags, declaration, folder.path())?;
    let checks = examiner.rows()?;
    let answer = Answer {
        ok: checks.iter().all(|row| row.passed || !row.required),
        protocol: proposers::command::contract::PROTOCOL,
        command: examiner.declaration.command.clone(),
        kinds: examiner.declaration.kinds.clone(),
        isolation: examiner.isolation.clone(),
        checks,
    };
    if terminal.wants_json() {
        terminal.json(&answer)?;
    } else {
        print(&answer, terminal)?;
    }
    Ok(if answer.ok { Exit::Done } else { Exit::WorkFailed })
}

/// An agent and what it is examined with.
struct Examiner {
    declaration: Declaration,
    bench: ErrandBench,
    files: SourceFiles,
    canned: Canned,
    isolation: String,
    timeout: Duration,
}

impl Examiner {
    fn new(flags: &AgentCheckFlags, declaration: Declaration, folder: &Path) -> Result<Self, Failure> {
        let level = wiring::level(Required::L1)?;
        let python = Python::discover(declaration.python.as_deref(), std::env::var_os("VIRTUAL_ENV"))
            .map_err(|error| Failure::caused("there is no Python for the engine's side of a cell", error))?;
        let options = ErrandOptions {
            tree: flags.folder.clone(),
            mutable: declaration.editable.clone(),
            hidden: declaration.hidden.clone(),
            python,
            limits: Limits::default(),
            level,
            launcher: wiring::launcher()?,
            visible: Vec::new(),
            search: Vec::new(),
        };
        let bench = ErrandBench::over(options, &folder.join("bench"))?;
        let read =
            |path: &String| Some((path.clone(), Arc::from(std::fs::read(flags.folder.join(path)).ok()?)));
        let files = SourceFiles(declaration.editable.iter().filter_map(read).collect());
        let protected = walk(&flags.folder).map_err(Failure::work)?;
        let protected = protected.into_iter().filter(|path| !declaration.editable.contains(path)).collect();
        let canned = Canned::new(&folder.join("program"), &declaration.editable, protected, flags.timeout)?;
        let timeout = flags.timeout;
        Ok(Self { declaration, bench, files, canned, isolation: level.to_string(), timeout })
    }

    /// Runs the agent on one task.
    fn ask(&mut self, files: &SourceFiles, kind: &'static str, seed: u64) -> Result<Outcome, Failure> {
        let places = self.bench.places();
        let bench = &self.bench;
        let argv = fill(&self.declaration.command, (&places, None), "", &|path| bench.holds(path));
        let errand = Errand {
            argv,
            env: contract_variables(&places),
            files,
            start: (kind == "solve").then(|| self.canned.program.clone()),
            documents: BTreeMap::from(self.canned.documents(kind, seed)),
            wall: self.timeout,
            idle: self.timeout,
        };
        self.bench.run(&errand, None).map_err(|error| Failure::caused("the agent could not be asked", error))
    }

    fn rows(&mut self) -> Result<Vec<Row>, Failure> {
        let files = self.files.clone();
        let first = self.ask(&files, "propose", 1)?;
        let started = !matches!(first.ended, Ended::Unstarted(_) | Ended::CutOff(_));
        let mut rows = vec![row("starts", started, true, last_words(&first))];
        if !started {
            return Ok(rows);
        }
        let bounds = self.out_of_bounds(&first);
        rows.push(row("keeps to its files", bounds.is_empty(), true, bounds.join(", ")));
        let child = self.edited(&first);
        rows.push(row("proposes", child.is_some(), true, last_words(&first)));
        if let Some(child) = &child {
            let offspring = self.ask(child, "propose", 2)?;
            let fertile = self.out_of_bounds(&offspring).is_empty()
                && !edits(&offspring, &self.declaration.editable).is_empty();
            rows.push(row("its child proposes too", fertile, true, last_words(&offspring)));
            let again = self.ask(&files, "propose", 1)?;
            let same = again.changes == first.changes;
            rows.push(row("same seed, same edit", same, false, "a run cannot be repeated".to_owned()));
        }
        let answered = first.result.as_deref().is_some_and(|answer| {
            serde_json::from_slice::<serde_json::Value>(answer).is_ok_and(|answer| answer.is_object())
        });
        rows.push(row(
            "says what it did",
            answered,
            false,
            "there is no JSON object in EVOLVE_RESULT".to_owned(),
        ));
        let strange = self.ask(&files, "dance", 3)?;
        let refused = strange.ended == Ended::Exited(NOT_UNDERSTOOD) && strange.changes.is_empty();
        let reason = format!("{}; code {NOT_UNDERSTOOD} is expected", strange.ended.words());
        rows.push(row("refuses what it does not know", refused, false, reason));
        if self.declaration.kinds.iter().any(|kind| kind == "solve") {
            let solved = self.ask(&files, "solve", 4)?;
            let edited = matches!(solved.changes.get(canned::PROGRAM), Some(Change::Changed(_)));
            rows.push(row("solves", edited, true, last_words(&solved)));
        }
        Ok(rows)
    }

    /// The child, if there is one.
    fn edited(&self, outcome: &Outcome) -> Option<SourceFiles> {
        let mut files = self.files.clone();
        let edits = edits(outcome, &self.declaration.editable);
        let any = !edits.is_empty();
        files.0.extend(edits);
        any.then_some(files)
    }

    /// What it changed and may not change.
    fn out_of_bounds(&self, outcome: &Outcome) -> Vec<String> {
        let allowed = |path: &String, change: &Change| match change {
            Change::New(_) => true,
            Change::Changed(_) => self.declaration.editable.contains(path),
            Change::Gone | Change::Odd => false,
        };
        let changes = outcome.changes.iter().filter(|(path, change)| !allowed(path, change));
        changes.map(|(path, _)| path.clone()).collect()
    }
}

/// The files that an outcome changed within its bounds.
fn edits(outcome: &Outcome, editable: &[String]) -> BTreeMap<String, Arc<[u8]>> {
    let edit = |(path, change): (&String, &Change)| match change {
        Change::New(content) | Change::Changed(content) if editable.contains(path) => {
            Some((path.clone(), content.clone()))
        }
        _ => None,
    };
    outcome.changes.iter().filter_map(edit).collect()
}

fn row(name: &'static str, passed: bool, required: bool, reason: String) -> Row {
    Row { name, passed, required, reason: if passed { String::new() } else { reason } }
}

/// How it ended, with the end of its output.
fn last_words(outcome: &Outcome) -> String {
    let line = outcome.output.lines().rev().map(str::trim).find(|line| !line.is_empty());
    line.map_or_else(|| outcome.ended.words(), |line| format!("{}: {line}", outcome.ended.words()))
}

fn print(answer: &Answer, terminal: Terminal) -> std::io::Result<()> {
    terminal.line(&format!("{} · isolation {}", answer.command.join(" "), answer.isolation))?;
    for row in &answer.checks {
        let (word, colour) = match (row.passed, row.required) {
            (true, _) => ("held", Colour::Green),
            (false, true) => ("open", Colour::Red),
            (false, false) => ("advised", Colour::Yellow),
        };
        let reason = if row.reason.is_empty() { String::new() } else { format!("  {}", row.reason) };
        terminal.line(&format!("{:<30} {}{reason}", row.name, terminal.paint(word, colour)))?;
    }
    terminal.line(if answer.ok {
        "It keeps the contract and can be evolved."
    } else {
        "It cannot be evolved before what is open is held."
    })
}
