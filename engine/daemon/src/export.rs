//! `darwind export`: a run's log as JSON lines, its candidates as a table, or its repository as a git bundle.

use crate::cli::{ExportFlags, Format};
use crate::data::{DataFolder, Runs};
use crate::events::EventLine;
use crate::failure::{Exit, Failure};
use crate::summary;
use crate::terminal::Terminal;
use evolution::id::RunId;
use evolution::state::{CandidateRecord, State};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;

/// `darwind export`.
pub(crate) fn export(flags: &ExportFlags, data: &DataFolder, terminal: Terminal) -> Result<Exit, Failure> {
    let runs = data.open_existing()?;
    let run = runs.find_run(&flags.run.run)?;
    match (flags.format, &flags.output) {
        (Format::Bundle, Some(path)) => {
            let references = bundle(&runs, &run, path)?;
            say_written(terminal, path, &format!("{references} references"))?;
        }
        (Format::Bundle, None) if io::stdout().is_terminal() => {
            return Err(Failure::usage(
                "a bundle is binary, and this is a terminal",
                "name a file with --output, or send it on with | or >",
            ));
        }
        (Format::Bundle, None) => {
            let folder =
                tempfile::tempdir().map_err(|error| Failure::caused("no temporary folder", error))?;
            let path = folder.path().join("run.bundle");
            bundle(&runs, &run, &path)?;
            io::copy(&mut File::open(&path)?, &mut io::stdout().lock())?;
        }
        (format, Some(path)) => {
            let unwritable = |error| Failure::caused(format!("cannot write {}", path.display()), error);
            let mut file = BufWriter::new(File::create(path).map_err(unwritable)?);
            let lines = write(format, &runs, &run, &mut file)?;
            file.flush().map_err(unwritable)?;
            say_written(terminal, path, &format!("{lines} lines"))?;
        }
        (format, None) if terminal.is_watched() => {
            let mut text = Vec::new();
            write(format, &runs, &run, &mut text)?;
            terminal.line(String::from_utf8_lossy(&text).trim_end_matches('\n'))?;
        }
        (format, None) => {
            let mut out = BufWriter::new(io::stdout().lock());
            write(format, &runs, &run, &mut out)?;
            out.flush()?;
        }
    }
    Ok(Exit::Done)
}

fn say_written(terminal: Terminal, path: &Path, what: &str) -> io::Result<()> {
    if terminal.wants_json() {
        return terminal.json(&serde_json::json!({ "path": path, "wrote": what }));
    }
    terminal.line(&format!("wrote {what} to {}", path.display()))
}

fn bundle(runs: &Runs, run: &RunId, path: &Path) -> Result<usize, Failure> {
    let mut snapshots = runs.snapshots(run)?;
    snapshots.bundle(path).map_err(|error| Failure::caused("the bundle could not be written", error))
}

fn write(format: Format, runs: &Runs, run: &RunId, out: &mut dyn Write) -> Result<u64, Failure> {
    if format == Format::Csv {
        return Ok(csv(&runs.state(run)?, out)?);
    }
    let mut lines = 0;
    let mut written: io::Result<()> = Ok(());
    runs.visit(run, 0, &mut |record| {
        lines += 1;
        written = serde_json::to_writer(&mut *out, &EventLine::new(record))
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n"));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    Ok(lines)
}

/// The table's columns that every run has, before those of its objectives.
const COLUMNS: [&str; 18] = [
    "number",
    "candidate_id",
    "parents",
    "proposer",
    "operator",
    "state",
    "gate",
    "outcome",
    "rank",
    "champion",
    "cases_passed",
    "cases_run",
    "changed_bytes",
    "cpu_s",
    "wall_s",
    "commit",
    "rationale",
    "reason",
];

/// Writes one row a candidate; returns the number of lines.
fn csv(state: &State, out: &mut dyn Write) -> io::Result<u64> {
    let objectives: Vec<&str> =
        state.run.objectives.iter().map(|objective| objective.name.as_str()).collect();
    let scores = objectives.iter().map(|name| format!("score:{name}"));
    let improvements = objectives.iter().map(|name| format!("improvement:{name}"));
    row(out, COLUMNS.iter().map(|name| (*name).to_owned()).chain(scores).chain(improvements))?;
    let mut lines = 1;
    for record in state.candidates() {
        let scored = summary::scored(state, record);
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let scores = objectives.iter().map(|name| number(record.scores.get(name)));
        let shares = scored.improvement.unwrap_or_default();
        let improvements = objectives.iter().map(|name| number(shares.get(*name).copied()));
        row(out, fields(state, record).into_iter().chain(scores).chain(improvements))?;
        lines += 1;
    }
    Ok(lines)
}

fn fields(state: &State, record: &CandidateRecord) -> [String; COLUMNS.len()] {
    let arm = state.arm(record);
    let parents: Vec<String> = record.parents.iter().map(|parent| state.id(*parent).to_string()).collect();
    [
        record.number.to_string(),
        state.id(record.number).to_string(),
        parents.join(" "),
        arm.map(|arm| arm.proposer.clone()).unwrap_or_default(),
        arm.map(|arm| arm.operator.clone()).unwrap_or_default(),
        summary::fate_word(record.fate).to_owned(),
        record.gate.clone(),
        record.outcome.map(|outcome| outcome.word().to_owned()).unwrap_or_default(),
        state.rank(record.number).map(|rank| rank.to_string()).unwrap_or_default(),
        (state.champion == Some(record.number)).to_string(),
        record.passed.len().to_string(),
        record.ran.len().to_string(),
        record.changed_bytes.to_string(),
        record.cost.cpu_s.to_string(),
        record.cost.wall_s.to_string(),
        record.commit.to_string(),
        record.rationale.to_string(),
        record.reason.clone(),
    ]
}

/// Writes a row by RFC 4180.
fn row(out: &mut dyn Write, fields: impl Iterator<Item = String>) -> io::Result<()> {
    let quoted: Vec<String> = fields.map(|field| quote(&field)).collect();
    write!(out, "{}\r\n", quoted.join(","))
}

fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn fields_are_quoted_by_rfc_4180() {
        assert_eq!(quote("plain"), "plain");
        assert_eq!(quote("a,b"), "\"a,b\"");
        assert_eq!(quote("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
    }
}
