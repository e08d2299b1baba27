//! What the runner inside the cell is told of an errand.

use super::{Errand, Errands, MAX_CHANGED_BYTES};
use crate::cell::Level;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of one changed file, or of one that is asked for in a conversation.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// Bytes of the answer that a command may write beside its changes.
const MAX_RESULT_BYTES: u64 = 64 << 10;
/// Bytes kept of the end of a command's output.
const MAX_OUTPUT_BYTES: u64 = 32 << 10;
/// Bytes of one line of a conversation.
const MAX_LINE_BYTES: u64 = 6 << 20;
/// Names that belong to tools and never to a candidate.
const IGNORED: &[&str] =
    &[".git", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__"];
/// Where a command looks for programs.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What the runner is told.
#[derive(Debug, Serialize)]
pub(super) struct Task {
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    base: String,
    work: String,
    home: String,
    result: String,
    wall_s: f64,
    idle_s: f64,
    ignored: &'static [&'static str],
    max_changed: u64,
    max_file: u64,
    max_result: u64,
    max_output: u64,
    max_line: u64,
    /// Whether the command is spoken with over its standard streams.
    dialogue: bool,
    /// Whether the command may lead a group of processes.
    own_group: bool,
}

impl Errands {
    /// What the runner is told of an errand; `dialogue` when its command is spoken with.
    pub(super) fn task(&self, errand: &Errand<'_>, dialogue: bool) -> Task {
        let text = |path: &Path| path.display().to_string();
        let mut env: BTreeMap<String, String> = errand.env.iter().cloned().collect();
        let home = text(&self.places.home);
        let search: Vec<String> = self.options.search.iter().map(|folder| text(folder)).collect();
        let search = search.into_iter().chain([SEARCH_PATH.to_owned()]).collect::<Vec<_>>().join(":");
        let fixed = [
            ("HOME", home.as_str()),
            ("TMPDIR", home.as_str()),
            ("PATH", search.as_str()),
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ];
        env.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let mut argv = errand.argv.clone();
        if let Some(program) = argv.first_mut().filter(|name| matches!(name.as_str(), "python" | "python3")) {
            *program = self.options.python.executable.display().to_string();
        }
        Task {
            argv,
            env,
            base: text(errand.start.as_deref().unwrap_or(&self.places.own)),
            work: text(&self.places.work),
            result: text(&self.places.home.join(errand.result)),
            home,
            wall_s: errand.wall.as_secs_f64(),
            idle_s: errand.idle.as_secs_f64(),
            ignored: IGNORED,
            max_changed: MAX_CHANGED_BYTES,
            max_file: MAX_FILE_BYTES,
            max_result: MAX_RESULT_BYTES,
            max_output: MAX_OUTPUT_BYTES,
            max_line: MAX_LINE_BYTES,
            dialogue,
            own_group: self.options.level >= Level::L2,
        }
    }
}
