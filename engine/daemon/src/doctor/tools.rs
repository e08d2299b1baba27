//! The rows of `doctor` that are no promises: interpreter, git, room, cores.

use super::{Row, Status};
use crate::data::DataFolder;
use crate::presets;
use sandbox::Python;
use std::path::Path;
use std::process::Command;

/// Free room below which a run may stop early, in bytes.
const LITTLE_ROOM: u64 = 1 << 30;

/// Every row.
pub(super) fn rows(data: &DataFolder) -> Vec<Row> {
    let mut rows = python();
    rows.extend([git(), writable(data), room(data), cores(), kernel()]);
    rows.extend(presets::names().into_iter().filter_map(agent));
    rows
}

fn row(name: &str, status: Status, evidence: impl Into<String>) -> Row {
    Row {
        name: name.to_owned(),
        status,
        mechanism: String::new(),
        evidence: evidence.into(),
        remedy: None,
        needed: false,
    }
}

/// First line of what a command prints, or why it did not.
fn first_line(program: &str, words: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(words).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr });
    let line = text.lines().next().unwrap_or("").trim().to_owned();
    if output.status.success() { Ok(line) } else { Err(line) }
}

/// The interpreter that targets run under unless they name one, and what it has.
fn python() -> Vec<Row> {
    match Python::discover(None, std::env::var_os("VIRTUAL_ENV")) {
        Ok(python) => {
            let (major, minor) = python.version;
            let evidence = format!("{major}.{minor} at {}", python.executable.display());
            vec![Row { needed: true, ..row("python", Status::Held, evidence) }, pytest(python.has_pytest)]
        }
        Err(error) => vec![Row {
            needed: true,
            remedy: Some("install Python 3, or name one with python = \"…\" under [target]".to_owned()),
            ..row("python", Status::Open, error.to_string())
        }],
    }
}

fn pytest(installed: bool) -> Row {
    if installed {
        return row("pytest", Status::Held, "installed");
    }
    Row {
        remedy: Some("only for targets whose tests want it: python3 -m pip install pytest".to_owned()),
        ..row("pytest", Status::Partial, "not installed; unittest always works")
    }
}

/// A coding agent that a preset knows, and whether it is installed. None of them is needed.
fn agent(name: &'static str) -> Option<Row> {
    let preset = presets::preset(name).ok()?;
    let program = preset.run.first()?;
    let row = |status, evidence: String| row(&format!("agent {name}"), status, evidence);
    Some(match presets::find(program, std::env::var_os("PATH").as_deref()) {
        Some(installed) => row(Status::Held, format!("{} found", installed.program.display())),
        None => Row {
            remedy: Some(format!("only for [proposers.agent] preset = \"{name}\": {}", preset.install)),
            ..row(Status::Partial, format!("{program} is not on the search path"))
        },
    })
}

fn git() -> Row {
    match first_line("git", &["--version"]) {
        Ok(version) => row("git", Status::Held, version),
        Err(_) => Row {
            remedy: Some("install git to look into a run's repository by hand".to_owned()),
            ..row("git", Status::Partial, "not installed; darwind reads and writes repositories without it")
        },
    }
}

fn writable(data: &DataFolder) -> Row {
    let path = data.path();
    let folder = existing(path);
    match tempfile::NamedTempFile::new_in(folder) {
        Ok(_) => Row {
            needed: true,
            ..row("data folder", Status::Held, format!("{} can be written", path.display()))
        },
        Err(error) => Row {
            needed: true,
            remedy: Some("make it writable to this user, or name another with --data-dir".to_owned()),
            ..row(
                "data folder",
                Status::Open,
                format!("{} cannot be written: {}", path.display(), error.kind()),
            )
        },
    }
}

/// The folder itself, or the nearest one above it that is there.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"))
}

fn room(data: &DataFolder) -> Row {
    match rustix::fs::statvfs(existing(data.path())) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let status = if free >= LITTLE_ROOM { Status::Held } else { Status::Partial };
            let gibibytes = free as f64 / (1_u64 << 30) as f64;
            Row {
                remedy: Some(
                    "free some space; a run of 500 candidates needs some tens of megabytes".to_owned(),
                ),
                ..row("disk", status, format!("{gibibytes:.1} GiB free for the data folder"))
            }
        }
        Err(error) => row("disk", Status::Partial, format!("unknown: {error}")),
    }
}

fn cores() -> Row {
    row("cores", Status::Held, format!("{} evaluations at once by default", crate::request::workers(None)))
}

fn kernel() -> Row {
    let release =
        std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| "unknown".to_owned());
    row("kernel", Status::Held, format!("{} on {}", release.trim(), std::env::consts::ARCH))
}
