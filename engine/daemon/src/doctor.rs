//! `darwind doctor`: one row a promise of the sandbox, with evidence from probes that tried to break it, and the tools
//! and room that a run needs. Reports; changes nothing but a probe file in the data folder.

mod tools;

use crate::data::DataFolder;
use crate::failure::{Exit, Failure};
use crate::terminal::{Colour, Terminal};
use crate::wiring;
use sandbox::cell::{Establishment, ProbeOptions, Promise, PromiseStatus};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// Pieces of evidence that text shows of a row.
const MAX_PIECES: usize = 2;

/// How well a promise is kept, or whether a tool is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// The promise is kept; the tool is there.
    Held,
    /// Kept in part; there, with something missing.
    Partial,
    /// Not kept; not there.
    Open,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Partial => "partial",
            Self::Open => "open",
        }
    }

    fn colour(self) -> Colour {
        match self {
            Self::Held => Colour::Green,
            Self::Partial => Colour::Yellow,
            Self::Open => Colour::Red,
        }
    }
}

/// One row.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) mechanism: String,
    pub(crate) evidence: String,
    /// What would raise it.
    pub(crate) remedy: Option<String>,
    /// Whether a run cannot do without it.
    pub(crate) needed: bool,
}

/// All that was found.
#[derive(Debug, Serialize)]
struct Answer {
    /// Whether everything that a run needs is there.
    ok: bool,
    /// The isolation level, absent when none could be established.
    level: Option<String>,
    /// Levels that do not hold here, and why.
    levels: BTreeMap<String, String>,
    /// Share of promises that are not held, 0 (none open) to 10; a partial one counts half.
    exposure: f64,
    promises: Vec<Row>,
    tools: Vec<Row>,
}

/// `darwind doctor`.
pub(crate) fn doctor(data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let established = isolation()?;
    let (level, levels) = (established.level.map(|level| level.to_string()), lower_levels(&established));
    let promises: Vec<Row> = established.promises.into_iter().map(row).collect();
    let mut tools = tools::rows(data);
    tools.push(gateway()?);
    let answer = Answer {
        ok: level.is_some() && tools.iter().all(|row| row.status != Status::Open || !row.needed),
        level,
        levels,
        exposure: exposure(&promises),
        promises,
        tools,
    };
    let exit = if answer.ok { Exit::Done } else { Exit::WorkFailed };
    if terminal.wants_json() {
        terminal.json(&answer)?;
        return Ok(exit);
    }
    let level = answer.level.as_deref().unwrap_or("none");
    terminal.line(
        &terminal.paint(&format!("Isolation {level} · exposure {:.1} of 10", answer.exposure), Colour::Bold),
    )?;
    for (level, reason) in &answer.levels {
        terminal.line(&format!("  not {level}: {reason}"))?;
    }
    print(terminal, &answer.promises)?;
    terminal.line("")?;
    terminal.line(&terminal.paint("Tools and room", Colour::Bold))?;
    print(terminal, &answer.tools)?;
    Ok(exit)
}

fn lower_levels(established: &Establishment) -> BTreeMap<String, String> {
    let failed = established
        .levels
        .iter()
        .filter_map(|(level, result)| Some((level.to_string(), result.clone().err()?)));
    failed.collect()
}

fn print(terminal: Terminal, rows: &[Row]) -> io::Result<()> {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in rows {
        let status = terminal.paint(&format!("{:<8}", row.status.word()), row.status.colour());
        let mechanism = if row.mechanism.is_empty() { String::new() } else { format!("{}: ", row.mechanism) };
        terminal.line(&format!(
            "  {:<width$}  {status} {mechanism}{}",
            row.name,
            shortened(&row.evidence)
        ))?;
        if let Some(remedy) = row.remedy.as_ref().filter(|_| row.status != Status::Held) {
            terminal.line(&format!("  {:<width$}           {}", "", terminal.paint(remedy, Colour::Dim)))?;
        }
    }
    Ok(())
}

/// The first pieces of evidence; JSON has them all.
fn shortened(evidence: &str) -> String {
    let pieces: Vec<&str> = evidence.split("; ").collect();
    let beyond = pieces.len().saturating_sub(MAX_PIECES);
    let shown = pieces.iter().take(MAX_PIECES).copied().collect::<Vec<_>>().join("; ");
    if beyond > 0 { format!("{shown}; {beyond} more") } else { shown }
}

fn exposure(promises: &[Row]) -> f64 {
    if promises.is_empty() {
        return 10.0;
    }
    let open: f64 = promises
        .iter()
        .map(|row| match row.status {
            Status::Held => 0.0,
            Status::Partial => 0.5,
            Status::Open => 1.0,
        })
        .sum();
    10.0 * open / promises.len() as f64
}

/// The level that holds here and what is promised at it, found by probes that try to escape from real cells.
pub(crate) fn isolation() -> Result<Establishment, Failure> {
    probing(sandbox::cell::establish)
}

/// Whether a cell of level 1 that is granted the gateway reaches it and nothing else, found by one that tries.
fn gateway() -> Result<Row, Failure> {
    probing(sandbox::cell::probe_gateway).map(row)
}

fn probing<T>(probe: impl FnOnce(&ProbeOptions) -> T) -> Result<T, Failure> {
    let scratch = tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder", error))?;
    Ok(probe(&ProbeOptions {
        launcher: wiring::launcher()?,
        max_level: None,
        scratch: scratch.path().to_path_buf(),
    }))
}

fn row(promise: Promise) -> Row {
    Row {
        name: promise.name.to_owned(),
        status: match promise.status {
            PromiseStatus::Held => Status::Held,
            PromiseStatus::Partial => Status::Partial,
            PromiseStatus::Open => Status::Open,
        },
        mechanism: promise.mechanism.to_owned(),
        evidence: promise.evidence,
        remedy: promise.remedy,
        needed: false,
    }
}
