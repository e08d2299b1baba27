//! An errand: a command is run in a cell on a copy of a candidate's tree that it may change, and what it changed is
//! brought back. Other cells run what a candidate is; this one runs who edits it.
//!
//! Nothing here decides what a change is worth or whether it is allowed.

mod conversation;
mod task;

use crate::bench::BenchError;
use crate::cell::{Job, Lane, LaneOptions, Level, Limits, Received};
use crate::python::Python;
use crate::workspace::{copy_tree, open_to_all};
use conversation::Conversation;
use evolution::candidate::{Cost, SourceFiles};
use evolution::errand::{Change, Dialogue, Ended};
use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const RUNNER: &str = include_str!("runners/errand.py");
/// Bytes of changed files that an errand may bring back, all together.
pub const MAX_CHANGED_BYTES: u64 = 8 << 20;
/// Bytes on the report channel: what may be brought back, in base 64, and the names.
const MAX_REPORT_BYTES: u64 = 16 << 20;
/// As many more for what a command says in a conversation.
const MAX_SAID_BYTES: u64 = 32 << 20;
/// How much longer than its command a cell may take: for the copy, the grace of the command's end, the comparison.
const AROUND: Duration = Duration::from_secs(60);
/// Folders with the programs that a command may be or use.
const PROGRAMS: &[&str] =
    &["/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/usr/share", "/etc/alternatives"];
/// How often it is looked whether a command is to end.
const LOOK: Duration = Duration::from_millis(200);

/// How errands are set up.
#[derive(Debug, Clone)]
pub struct ErrandOptions {
    /// An exported copy of the unchanged target.
    pub tree: PathBuf,
    /// Files of it that may change.
    pub mutable: Vec<String>,
    /// Files of it that nobody who edits may see: answers, a judge's own.
    pub hidden: Vec<String>,
    /// The interpreter that `python` means.
    pub python: Python,
    /// What a cell may use; wall and CPU time come from the errand.
    pub limits: Limits,
    /// The level of the cells.
    pub level: Level,
    /// The binary that is a launcher when its first argument says so.
    pub launcher: PathBuf,
    /// Further files and folders that commands need to see, such as a tool's installation.
    pub visible: Vec<PathBuf>,
    /// Folders in which programs are looked for before the system's.
    pub search: Vec<PathBuf>,
}

/// Absolute paths as the command sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The candidate as it was, which cannot be changed.
    pub own: PathBuf,
    /// The copy that may be changed, and the working folder.
    pub work: PathBuf,
    /// The documents of the errand, which cannot be changed.
    pub documents: PathBuf,
    /// The folder that is HOME and is thrown away.
    pub home: PathBuf,
}

/// Something to do to a candidate's files.
#[derive(Debug, Clone)]
pub struct Errand<'e> {
    /// The command. `python` and `python3` are the target's interpreter; other names are looked for where programs are.
    pub argv: Vec<String>,
    /// Environment beside the few variables that every command has.
    pub env: Vec<(String, String)>,
    /// The candidate's files that may change.
    pub files: &'e SourceFiles,
    /// A folder whose copy is worked on in place of the candidate's own tree.
    pub start: Option<PathBuf>,
    /// Documents for the command, by path below their folder.
    pub documents: BTreeMap<String, Vec<u8>>,
    /// File below HOME into which the command may write an answer beside its changes.
    pub result: &'static str,
    /// Wall time of the command.
    pub wall: Duration,
    /// Time without output and without a change of any file.
    pub idle: Duration,
    /// The gateway that the command may connect to, if it is granted one: nothing else of any network is there.
    pub gateway: Option<Gateway<'e>>,
}

/// A gateway that is granted to an errand.
#[derive(Clone, Copy)]
pub struct Gateway<'e> {
    /// The port of 127.0.0.1 at which it is found, in the cell as outside.
    pub port: u16,
    /// Takes the listener of a cell with a network of its own: the gateway accepts on it until the errand is over.
    pub accept: &'e dyn Fn(TcpListener),
    /// Why the command is to be ended: what it may ask of the gateway is used up. Agents go on asking for minutes else.
    pub spent: &'e dyn Fn() -> Option<String>,
}

impl std::fmt::Debug for Gateway<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gateway").field("port", &self.port).finish_non_exhaustive()
    }
}

/// What came of an errand.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrandReport {
    /// How the command ended.
    pub ended: Ended,
    /// What is different in the tree, by path.
    pub changes: BTreeMap<String, Change>,
    /// Whether there were more changes than may be brought back, so that some are missing.
    pub too_much: bool,
    /// The answer beside the changes, if there is one.
    pub result: Option<Vec<u8>>,
    /// The end of output and error output.
    pub output: String,
    /// What it cost.
    pub cost: Cost,
}

/// A lane for errands, with the template of the tree.
pub struct Errands {
    options: ErrandOptions,
    lane: Lane,
    folder: PathBuf,
    places: Places,
    /// What the files that may change hold in the template now.
    shown: BTreeMap<String, Arc<[u8]>>,
    /// Files and bytes of the template: what a copy takes of the cell's own limits.
    size: (u32, u64),
}

impl Errands {
    /// Sets up a lane in `folder`, which is its own.
    ///
    /// # Errors
    /// When the folder cannot be written or the launcher cannot be run.
    pub fn new(options: ErrandOptions, folder: &Path) -> Result<Self, BenchError> {
        let places = Places {
            own: folder.join("self"),
            work: folder.join("work"),
            documents: folder.join("documents"),
            home: folder.join("home"),
        };
        let made = || -> io::Result<(u32, u64)> {
            if folder.exists() {
                std::fs::remove_dir_all(folder)?;
            }
            for (name, mode) in
                [("root", 0o755), ("runner", 0o755), ("documents", 0o755), ("work", 0o777), ("home", 0o777)]
            {
                std::fs::create_dir_all(folder.join(name))?;
                open_to_all(&folder.join(name), mode)?;
            }
            std::fs::write(folder.join("runner/errand.py"), RUNNER)?;
            open_to_all(&folder.join("runner/errand.py"), 0o644)?;
            let is_hidden = |path: &Path| options.hidden.iter().any(|hidden| Path::new(hidden) == path);
            copy_tree(&options.tree, &places.own, &is_hidden)
        };
        let size = made().map_err(|source| BenchError::Folder { path: folder.to_owned(), source })?;
        let lane = Lane::start(LaneOptions {
            launcher: options.launcher.clone(),
            level: options.level,
            root: folder.join("root"),
        })?;
        Ok(Self { options, lane, folder: folder.to_owned(), places, shown: BTreeMap::new(), size })
    }

    /// Where a command finds things.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Runs an errand to its end.
    ///
    /// # Errors
    /// When the folder cannot be written or the launcher is gone. A command that fails is a report.
    pub fn run(&mut self, errand: &Errand<'_>) -> Result<ErrandReport, BenchError> {
        self.carry_out(errand, None)
    }

    /// Runs an errand whose command is spoken with over its standard streams, line by line.
    ///
    /// # Errors
    /// As [`Errands::run`].
    pub fn converse(
        &mut self,
        errand: &Errand<'_>,
        dialogue: &mut dyn Dialogue,
    ) -> Result<ErrandReport, BenchError> {
        self.carry_out(errand, Some(dialogue))
    }

    fn carry_out(
        &mut self,
        errand: &Errand<'_>,
        dialogue: Option<&mut dyn Dialogue>,
    ) -> Result<ErrandReport, BenchError> {
        let fault = |source| BenchError::Folder { path: self.folder.clone(), source };
        self.show(errand.files)
            .and_then(|shown| self.lay_out(&errand.documents).map(|()| shown))
            .map(|shown| self.shown = shown)
            .map_err(fault)?;
        let job = self.job(errand, dialogue.is_some());
        let mut line = serde_json::to_vec(&self.task(errand, dialogue.is_some())).unwrap_or_default();
        line.push(b'\n');
        let mut conversation = Conversation::new(dialogue, errand.gateway);
        let mut session = self.lane.open(&job)?;
        if let Some(gateway) = &errand.gateway
            && let Some(listener) = session.gateway()
        {
            (gateway.accept)(listener);
        }
        session.send(&line);
        conversation.begin(&mut session);
        loop {
            match session.receive(LOOK) {
                Received::Line(line) => conversation.hear(&line, Some(&mut session)),
                Received::Timeout => {}
                Received::End => break,
            }
            conversation.look(&mut session);
        }
        let report = session.finish()?;
        for line in report.report.split(|byte| *byte == b'\n') {
            conversation.hear(line, None);
        }
        let cost = Cost {
            wall_s: report.wall.as_secs_f64(),
            cpu_s: report.cpu.as_secs_f64(),
            launches: 1,
            ..Cost::default()
        };
        let mut read = conversation.over(cost, &report);
        read.output = self.without_places(&read.output);
        Ok(read)
    }

    /// Text without the engine's own places, which would tell where its user keeps things.
    fn without_places(&self, text: &str) -> String {
        let work = format!("{}/", self.places.work.display());
        text.replace(&work, "").replace(&self.folder.display().to_string(), "")
    }

    /// Makes the template's files that may change what `files` says.
    fn show(&self, files: &SourceFiles) -> io::Result<BTreeMap<String, Arc<[u8]>>> {
        for path in self.options.mutable.iter().filter(|path| !files.0.contains_key(*path)) {
            match std::fs::remove_file(self.places.own.join(path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for (path, bytes) in &files.0 {
            if self.shown.get(path).is_some_and(|shown| shown == bytes) {
                continue;
            }
            let place = self.places.own.join(path);
            if let Some(folder) = place.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&place, bytes)?;
        }
        Ok(files.0.clone())
    }

    fn lay_out(&self, documents: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
        let folder = &self.places.documents;
        std::fs::remove_dir_all(folder)?;
        std::fs::create_dir_all(folder)?;
        open_to_all(folder, 0o755)?;
        for (name, bytes) in documents {
            let place = folder.join(name);
            if let Some(parent) = place.parent().filter(|parent| *parent != folder.as_path()) {
                std::fs::create_dir_all(parent)?;
                open_to_all(parent, 0o755)?;
            }
            std::fs::write(&place, bytes)?;
            open_to_all(&place, 0o644)?;
        }
        Ok(())
    }

    fn job(&self, errand: &Errand<'_>, speaks: bool) -> Job {
        let python = self.options.python.executable.display().to_string();
        let runner = self.folder.join("runner");
        let mut read_only = self.options.python.visible.clone();
        read_only.extend(PROGRAMS.iter().map(PathBuf::from));
        read_only.extend(self.options.visible.iter().chain(errand.start.iter()).cloned());
        read_only.extend([self.places.own.clone(), self.places.documents.clone(), runner.clone()]);
        let limits = &self.options.limits;
        let wall = errand.wall + AROUND;
        let script = runner.join("errand.py").display().to_string();
        Job {
            argv: vec![python, "-I".to_owned(), "-S".to_owned(), script],
            env: vec![("LANG".to_owned(), "C.UTF-8".to_owned())],
            cwd: self.places.own.clone(),
            stdin: Vec::new(),
            read_only,
            writable: vec![self.places.work.clone(), self.places.home.clone()],
            gateway: errand.gateway.map(|gateway| gateway.port),
            limits: Limits {
                wall,
                cpu: wall,
                disk: limits.disk.saturating_add(self.size.1),
                files: limits.files.saturating_add(self.size.0),
                report: MAX_REPORT_BYTES + if speaks { MAX_SAID_BYTES } else { 0 },
                ..limits.clone()
            },
        }
    }
}
