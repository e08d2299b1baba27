//! A lane with its workspace: runs the engine's runners and other programs on the files shown, and keeps the bill.

use crate::cell::{
    CellError, CellOutcome, CellReport, Exit, Job, Lane, LaneOptions, Level, LimitKind, Limits, Session,
};
use crate::plan::EvaluationPlan;
use crate::relay::{Brief, Judge};
use crate::value::Value;
use crate::workspace::{Side, Workspace};
use evolution::candidate::{Cost, MAX_LOG_BYTES, Outcome, SourceFiles};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const FRAME: &str = include_str!("runners/frame.py");
const ARRAYS: &str = include_str!("runners/arrays.py");
const TESTS: &str = include_str!("runners/tests.py");
const METRIC: &str = include_str!("runners/metric.py");
/// The runners, by name, each put together from parts of which the last says what it does.
const RUNNERS: &[(&str, &[&str])] = &[
    ("cases", &[FRAME, include_str!("runners/cases.py")]),
    ("script", &[FRAME, include_str!("runners/script.py")]),
    ("tests", &[FRAME, TESTS]),
    ("metric", &[FRAME, METRIC]),
    ("host", &[FRAME, ARRAYS, include_str!("runners/host.py")]),
    ("relay", &[FRAME, ARRAYS, TESTS, METRIC, include_str!("runners/relay.py")]),
];
/// Packages of other engines that evaluators import, as far as they need them; see `stand_ins`.
const STAND_INS: &[(&str, &str)] = &[
    ("openevolve/__init__.py", include_str!("stand_ins/openevolve/__init__.py")),
    ("openevolve/evaluation_result.py", include_str!("stand_ins/openevolve/evaluation_result.py")),
    ("shinka/__init__.py", include_str!("stand_ins/shinka/__init__.py")),
    ("shinka/core/__init__.py", include_str!("stand_ins/shinka/core/__init__.py")),
    ("shinka/core/wrap_eval.py", include_str!("stand_ins/shinka/core/wrap_eval.py")),
];
/// Their folder, below that of the runners.
const STAND_INS_FOLDER: &str = "stand_ins";
/// The program as it was, beside the runners.
const ORIGINAL: &str = "original";
/// Wall and CPU time of a judge that stays alive, and bytes that it may report: it is ended by other means.
const JUDGE_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
const JUDGE_REPORT: u64 = 1 << 30;
/// A program that does nothing, to measure what starting one costs.
const NOTHING: &str = "nothing.py";
/// Folders with the programs that a command other than Python may be, or that an evaluator may start: compilers of
/// programs in other languages above all.
const PROGRAMS: &[&str] = &[
    "/bin",
    "/usr/bin",
    "/usr/local/bin",
    "/sbin",
    "/usr/sbin",
    "/usr/share",
    "/usr/include",
    "/usr/libexec",
    "/etc/alternatives",
];
/// Where programs are looked for, after the folder of the interpreter.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What the work for one evaluation came to.
#[derive(Debug, Default)]
pub(crate) struct Bill {
    pub(crate) cost: Cost,
    pub(crate) denials: BTreeMap<String, u32>,
    pub(crate) log: String,
}

impl Bill {
    fn add(&mut self, report: &CellReport) {
        self.cost.wall_s += report.wall.as_secs_f64();
        self.cost.cpu_s += report.cpu.as_secs_f64();
        self.cost.launches += 1;
        for denial in &report.denials {
            *self.denials.entry(denial.what.clone()).or_default() += denial.count;
        }
        for output in [&report.stdout, &report.stderr] {
            self.log.push_str(&String::from_utf8_lossy(output));
        }
        self.shorten();
    }

    /// Adds a line of the engine's own to the log.
    pub(crate) fn note(&mut self, line: &str) {
        self.write(&format!("darwind: {line}\n"));
    }

    /// Adds text to the log.
    pub(crate) fn write(&mut self, text: &str) {
        self.log.push_str(text);
        self.shorten();
    }

    fn shorten(&mut self) {
        if self.log.len() > MAX_LOG_BYTES {
            let mut start = self.log.len() - MAX_LOG_BYTES;
            while !self.log.is_char_boundary(start) {
                start += 1;
            }
            self.log.drain(..start);
        }
    }
}

/// Why a cell gave no result, in the words of an evaluation; `Err` for the sandbox's own fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trouble {
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
}

impl Trouble {
    pub(crate) fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into() }
    }

    /// What the end of a cell means when its runner did not say that all was done.
    pub(crate) fn of(report: &CellReport) -> Self {
        match &report.outcome {
            CellOutcome::WallTimeout => Self::new(Outcome::Timeout, "wall time ran out"),
            CellOutcome::CpuTimeout => Self::new(Outcome::Timeout, "CPU time ran out"),
            CellOutcome::Limit(kind) => Self::new(
                Outcome::Limit,
                match kind {
                    LimitKind::Memory => "memory",
                    LimitKind::Processes => "processes",
                    LimitKind::Disk => "disk",
                    LimitKind::Files => "files",
                    LimitKind::Output => "output",
                },
            ),
            CellOutcome::SandboxError(reason) => Self::new(Outcome::SandboxError, reason.clone()),
            CellOutcome::Exited => match report.exit {
                Exit::Signal(signal) => Self::new(Outcome::Crashed, format!("signal {signal}")),
                Exit::Code(0) => Self::new(Outcome::EarlyExit, "it left before the runner saw its end"),
                Exit::Code(code) => {
                    Self::new(Outcome::EarlyExit, format!("it left with code {code} before its end"))
                }
                Exit::None => Self::new(Outcome::SandboxError, "it did not run"),
            },
        }
    }
}

/// A lane with its workspace.
pub(crate) struct Bench {
    pub(crate) plan: Arc<EvaluationPlan>,
    pub(crate) workspace: Workspace,
    pub(crate) lane: Lane,
    /// Alive from one candidate to the next; see `relay`.
    pub(crate) judge: Option<Judge>,
    launcher: PathBuf,
    folder: PathBuf,
    pub(crate) bill: Bill,
}

/// Why a bench could not be set up or used: the machinery's fault.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Files of the engine's own could not be written.
    #[error("the evaluator's working folder {path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The cell failed.
    #[error(transparent)]
    Cell(#[from] CellError),
}

impl Bench {
    /// Sets up a lane in `folder`, which is the lane's own.
    pub(crate) fn new(
        plan: Arc<EvaluationPlan>,
        launcher: PathBuf,
        folder: &Path,
    ) -> Result<Self, BenchError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| BenchError::Folder { path, source }
        };
        for name in ["root", "judge-root", "runners", "scratch", "judge-scratch"] {
            let path = folder.join(name);
            // What an earlier process left in a writable place is nobody's.
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(&path).map_err(fail(&path))?;
            open_to_all(&path, if name.ends_with("scratch") { 0o777 } else { 0o755 }).map_err(fail(&path))?;
        }
        let runners = folder.join("runners");
        let texts =
            RUNNERS.iter().map(|(name, parts)| (format!("{name}.py"), parts.join("\n\n") + "\n\nmain()\n"));
        let stand_ins =
            STAND_INS.iter().map(|(path, text)| (format!("{STAND_INS_FOLDER}/{path}"), (*text).to_owned()));
        for (name, text) in texts.chain(stand_ins).chain([(NOTHING.to_owned(), String::new())]) {
            let path = runners.join(name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(fail(folder))?;
            }
            std::fs::write(&path, text).map_err(fail(&path))?;
        }
        if let Some(original) = plan.original() {
            let (from, to) = (plan.target.tree.join(original), runners.join(ORIGINAL));
            std::fs::copy(&from, &to).map_err(fail(&from))?;
            open_to_all(&to, 0o644).map_err(fail(&to))?;
        }
        let workspace =
            Workspace::new(&plan.target.tree, folder, &plan.target.mutable, &plan.judging_files())
                .map_err(fail(folder))?;
        let options =
            LaneOptions { launcher: launcher.clone(), level: plan.level, root: folder.join("root") };
        let lane = Lane::start(options)?;
        let folder = folder.to_owned();
        Ok(Self { plan, workspace, lane, judge: None, launcher, folder, bill: Bill::default() })
    }

    pub(crate) fn level(&self) -> Level {
        self.lane.level()
    }

    /// Path of a program that does nothing.
    pub(crate) fn nothing(&self) -> String {
        self.folder.join("runners").join(NOTHING).display().to_string()
    }

    /// Path of the program as it was, where the evaluator's folder is to keep it.
    pub(crate) fn original(&self) -> Option<String> {
        let path = self.folder.join("runners").join(ORIGINAL).display().to_string();
        self.plan.original().map(|_| path)
    }

    /// Folder of the packages that stand in for other engines'.
    pub(crate) fn stand_ins(&self) -> String {
        self.folder.join("runners").join(STAND_INS_FOLDER).display().to_string()
    }

    /// Shows a candidate's files to what runs next.
    pub(crate) fn show(&mut self, files: &SourceFiles) -> Result<(), BenchError> {
        let path = self.folder.clone();
        self.workspace.show(files).map_err(|source| BenchError::Folder { path, source })
    }

    fn job(&self, argv: Vec<String>, side: Side, wall: Duration) -> Job {
        let scratch = self.folder.join(if side == Side::Judge { "judge-scratch" } else { "scratch" });
        let place = scratch.display().to_string();
        let tree = self.workspace.tree(side);
        let mut read_only = self.plan.target.python.visible.clone();
        read_only.extend([tree.to_owned(), self.folder.join("runners")]);
        let interpreters = self.plan.target.python.executable.parent().unwrap_or(Path::new("/usr/bin"));
        let search = format!("{}:{SEARCH_PATH}", interpreters.display());
        let env = [
            ("HOME", place.as_str()),
            ("TMPDIR", place.as_str()),
            ("PATH", search.as_str()),
            ("LANG", "C.UTF-8"),
            ("PYTHONHASHSEED", "0"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            // One thread a library: CPU time is what is compared, and lanes share the machine.
            ("OMP_NUM_THREADS", "1"),
            ("OPENBLAS_NUM_THREADS", "1"),
        ];
        Job {
            argv,
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            cwd: tree.to_owned(),
            stdin: Vec::new(),
            read_only,
            writable: vec![scratch],
            gateway: None,
            limits: Limits { wall, cpu: wall.max(Duration::from_secs(1)), ..self.plan.limits.clone() },
        }
    }

    fn python_job(&self, runner: &str, side: Side, wall: Duration) -> Job {
        let python = self.plan.target.python.executable.display().to_string();
        let script = self.folder.join("runners").join(format!("{runner}.py")).display().to_string();
        let mut job = self.job(vec![python, "-s".to_owned(), "-S".to_owned(), script], side, wall);
        // Evaluators start programs; a candidate alone and tests do without them.
        if self.plan.evaluator.is_some() && matches!(runner, "metric" | "relay") {
            self.show_programs(&mut job);
        }
        job
    }

    /// Lets a job start programs: the system's, and those of the target's toolchains.
    fn show_programs(&self, job: &mut Job) {
        let tools = &self.plan.tools;
        job.read_only.extend(PROGRAMS.iter().map(PathBuf::from).chain(tools.iter().cloned()));
        let Some((_, path)) = job.env.iter_mut().find(|(name, _)| name == "PATH") else { return };
        // Before the system's programs, of which there may be one of the same name and another version.
        if let Some(first) = path.strip_suffix(SEARCH_PATH) {
            let places: String =
                tools.iter().map(|folder| format!("{}:", folder.join("bin").display())).collect();
            *path = format!("{first}{places}{SEARCH_PATH}");
        }
    }

    /// What every runner is told: where to look for modules, which files are the candidate's.
    pub(crate) fn task(&self, side: Side, first_path: &[&str], more: Vec<(&str, Value)>) -> Value {
        let texts = |texts: &[String]| Value::List(texts.iter().cloned().map(Value::Str).collect());
        let tree = self.workspace.tree(side);
        let place = |path: &str| if path.is_empty() { tree.to_owned() } else { tree.join(path) };
        let first: Vec<String> = first_path.iter().map(|path| place(path).display().to_string()).collect();
        let mut items = vec![
            ("first_path", texts(&first)),
            ("path", texts(&self.plan.target.python.packages)),
            ("files", texts(&self.workspace.mutable_paths(side))),
            ("root", Value::Str(tree.display().to_string())),
        ];
        items.extend(more);
        Value::Dict(items.into_iter().map(|(name, value)| (Value::Str(name.to_owned()), value)).collect())
    }

    /// Starts a runner and tells it its task.
    pub(crate) fn start(
        &mut self,
        runner: &str,
        side: Side,
        wall: Duration,
        task: &Value,
    ) -> Result<Session<'_>, BenchError> {
        let job = self.python_job(runner, side, wall);
        let mut session = self.lane.open(&job)?;
        session.send(&line(task));
        Ok(session)
    }

    /// The candidate's side of a wall: its job and its task.
    pub(crate) fn host(&self, brief: &Brief<'_>) -> (Job, Value) {
        let more = vec![("limit", Value::Float(brief.limit_s)), ("trace", Value::Bool(brief.trace))];
        let task = self.task(Side::Candidate, &[], more);
        (self.python_job("host", Side::Candidate, brief.wall), task)
    }

    /// Starts a judge on a lane of its own.
    pub(crate) fn appoint(&self, framework: &'static str) -> Result<Judge, BenchError> {
        let root = self.folder.join("judge-root");
        let options = LaneOptions { launcher: self.launcher.clone(), level: self.plan.level, root };
        let mut job = self.python_job("relay", Side::Judge, JUDGE_LIFE);
        job.limits.report = JUDGE_REPORT;
        // It forks for each candidate, so that what would fit together with one has a process more here.
        job.limits.processes = job.limits.processes.saturating_add(1);
        Judge::start(options, job, framework)
    }

    /// Runs a program of any kind to its end.
    pub(crate) fn run_program(&mut self, argv: &[String], wall: Duration) -> Result<CellReport, BenchError> {
        let mut argv = argv.to_vec();
        if let Some(program) = argv.first_mut() {
            *program = match program.as_str() {
                "python" | "python3" => self.plan.target.python.executable.display().to_string(),
                named if named.starts_with('/') => named.to_owned(),
                named if named.contains('/') => {
                    self.workspace.tree(Side::Whole).join(named).display().to_string()
                }
                named => self.found_on_path(named).unwrap_or_else(|| named.to_owned()),
            };
        }
        let mut job = self.job(argv, Side::Whole, wall);
        self.show_programs(&mut job);
        let report = self.lane.run(&job)?;
        Ok(self.settle(report))
    }

    /// A program by its name alone, among those that [`Self::show_programs`] shows.
    fn found_on_path(&self, name: &str) -> Option<String> {
        let tools = self.plan.tools.iter().map(|folder| folder.join("bin"));
        tools
            .chain(SEARCH_PATH.split(':').map(PathBuf::from))
            .map(|folder| folder.join(name))
            .find(|path| path.exists())
            .map(|path| path.display().to_string())
    }

    /// Books a cell that is over.
    pub(crate) fn settle(&mut self, report: CellReport) -> CellReport {
        self.bill.add(&report);
        report
    }
}

/// A value as a line of a channel.
pub(crate) fn line(value: &Value) -> Vec<u8> {
    let mut line = value.to_line();
    line.push(b'\n');
    line
}

fn open_to_all(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
