//! Which level holds here: found out by launching real cells that try to escape. That the kernel has a feature says
//! little; some grant a user namespace and then refuse what it is for.

mod gateway;

pub(super) use gateway::GREETING;
pub use gateway::probe_gateway;

use super::filter::landlock_version;
use super::launcher::{LAUNCHER_ARGUMENT, PROBE_ARGUMENT};
use super::remedy::Host;
use super::{CellError, CellOutcome, CellReport, Job, Lane, LaneOptions, Level, LimitKind, Limits};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIB: u64 = 1024 * 1024;
/// Memory of a probe's cell, in bytes.
const MEMORY: u64 = 96 * MIB;
/// Processes of a probe's cell.
const PROCESSES: u32 = 12;
/// Bytes and files that a probe may write.
const DISK: u64 = 2 * MIB;
const FILES: u32 = 64;
/// Wall time of one probe. One that is held takes a few milliseconds, so this is what a hanging one costs.
const WALL: Duration = Duration::from_secs(10);
/// What a prober that is linked to the system's libraries needs to start.
const LIBRARIES: &[&str] = &["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/nix/store"];
/// Permissions of the planted secret: readable, so that only the cell stands before it.
const SECRET_MODE: u32 = 0o644;

/// How the probing is set up.
#[derive(Debug, Clone)]
pub struct ProbeOptions {
    /// The binary that is a launcher, and a prober, when its first argument says so.
    pub launcher: PathBuf,
    /// Try no level above this one.
    pub max_level: Option<Level>,
    /// An existing folder in which the probes' own folder is made and removed.
    pub scratch: PathBuf,
}

/// How well a promise is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PromiseStatus {
    /// Every try to break it failed.
    Held,
    /// It holds with a gap that the evidence names.
    Partial,
    /// It does not hold.
    Open,
}

/// One thing that a cell promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// What is promised.
    pub name: &'static str,
    /// How well it is kept.
    pub status: PromiseStatus,
    /// What keeps it.
    pub mechanism: &'static str,
    /// What the probes saw.
    pub evidence: String,
    /// What to do to have it kept better.
    pub remedy: Option<String>,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Establishment {
    /// The highest level whose probes all held; none means that nothing should be run here.
    pub level: Option<Level>,
    /// The promises as they are kept at that level.
    pub promises: Vec<Promise>,
    /// The levels that were tried, from the highest, and why those that do not hold do not.
    pub levels: Vec<(Level, Result<(), String>)>,
}

/// Finds the highest level that holds here, by trying to escape from real cells. Takes a fraction of a second.
pub fn establish(options: &ProbeOptions) -> Establishment {
    let mut levels = Vec::new();
    let mut best = (None, Findings::default());
    for level in [Level::L3, Level::L2, Level::L1] {
        if options.max_level.is_some_and(|most| level > most) {
            continue;
        }
        let (findings, result) = match Findings::gather(options, level) {
            Ok(findings) => {
                let result = findings.breach(level).map_or(Ok(()), Err);
                (findings, result)
            }
            Err(reason) => (Findings::default(), Err(reason)),
        };
        let holds = result.is_ok();
        levels.push((level, result));
        if holds {
            best = (Some(level), findings);
            break;
        }
    }
    let (level, findings) = best;
    let promises = promises(level, &findings, Host::look().remedy(level, &options.launcher));
    Establishment { level, promises, levels }
}

/// What one probe found.
#[derive(Debug, Clone)]
struct Finding {
    held: bool,
    evidence: String,
}

/// What all probes found, by name.
#[derive(Debug, Default)]
struct Findings(BTreeMap<String, Finding>);

/// Probes that must hold at every level.
const WALLS: &[&str] = &[
    "connect",
    "socket",
    "read",
    "write",
    "attributes",
    "signal",
    "process files",
    "other processes",
    "calls",
    "environment",
    "descriptors",
    "memory",
    "processes",
    "tree",
];
/// Probes that must hold at level 2 as well.
const CONTAINED: &[&str] = &["stat", "disk", "files"];
/// Probes that must hold at level 3 as well.
const METERED: &[&str] = &["memory of several"];

impl Findings {
    /// The first probe that should hold at a level and does not.
    fn breach(&self, level: Level) -> Option<String> {
        let contained = CONTAINED.iter().filter(|_| level >= Level::L2);
        let metered = METERED.iter().filter(|_| level >= Level::L3);
        WALLS.iter().chain(contained).chain(metered).find_map(|name| match self.0.get(*name) {
            Some(finding) if finding.held => None,
            Some(finding) => Some(format!("{name}: {}", finding.evidence)),
            None => Some(format!("{name}: the probe did not report")),
        })
    }

    fn note(&mut self, name: &str, held: bool, evidence: impl Into<String>) {
        self.0.insert(name.to_owned(), Finding { held, evidence: evidence.into() });
    }

    /// Reads what a prober said.
    fn read(&mut self, report: &CellReport) {
        for line in String::from_utf8_lossy(&report.stdout).lines() {
            if let [name, word, evidence] = line.split('\t').collect::<Vec<_>>().as_slice() {
                self.note(name, *word == "held", *evidence);
            }
        }
    }

    /// Runs all probes at a level.
    fn gather(options: &ProbeOptions, level: Level) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("prepare the probes: {error}");
        let ground = Ground::new(&options.scratch).map_err(failed)?;
        let lane = LaneOptions { launcher: options.launcher.clone(), level, root: ground.root.clone() };
        let mut lane = Lane::start(lane).map_err(|error| error.to_string())?;
        let mut findings = Self::default();
        findings.try_walls(&ground, &mut lane, options)?;
        let mut run = |words: &[&str]| lane.run(&ground.job(&options.launcher, words)).map_err(text);
        let place = ground.place.display().to_string();
        let report = run(&["processes", &(PROCESSES * 4).to_string()])?;
        findings.stopped("processes", &report, LimitKind::Processes);
        let report = run(&["disk", &place, &(DISK * 2).to_string()])?;
        findings.stopped("disk", &report, LimitKind::Disk);
        let report = run(&["files", &place, &(FILES * 2).to_string()])?;
        findings.stopped("files", &report, LimitKind::Files);
        let report = run(&["memory", "4", &(MEMORY / 2).to_string()])?;
        findings.stopped("memory of several", &report, LimitKind::Memory);
        let mark = format!("mark-{}-{level}", std::process::id());
        let report = run(&["tree", &mark])?;
        findings.read(&report);
        findings.account("accounting of children", &report);
        let survivors = survivors(&mark);
        let started = findings.0.get("tree").is_some_and(|finding| finding.held);
        let evidence = format!("an orphan of a process that had ended: {survivors} alive afterwards");
        findings.note("tree", started && survivors == 0, evidence);
        Ok(findings)
    }

    fn try_walls(&mut self, ground: &Ground, lane: &mut Lane, options: &ProbeOptions) -> Result<(), String> {
        let listener =
            TcpListener::bind("127.0.0.1:0").map_err(|error| format!("listen on loopback: {error}"))?;
        listener.set_nonblocking(true).map_err(|error| format!("listen on loopback: {error}"))?;
        let port =
            listener.local_addr().map_err(|error| format!("listen on loopback: {error}"))?.port().to_string();
        let [secret, outside, shown] =
            [&ground.secret, &ground.outside, &ground.shown].map(|path| path.display().to_string());
        let words = ["walls", &port, &std::process::id().to_string(), &secret, &outside, &shown];
        let report = lane.run(&ground.job(&options.launcher, &words)).map_err(text)?;
        if let CellOutcome::SandboxError(reason) = report.outcome {
            return Err(reason);
        }
        self.read(&report);
        self.account("accounting", &report);
        // What counts is what arrived here, whatever the prober was told.
        if listener.accept().is_ok() {
            self.note("connect", false, "a connection to our own port arrived");
        }
        if ground.outside.join("made").exists() || ground.shown.join("made").exists() {
            self.note("write", false, "a file was made outside");
        }
        let mode =
            std::fs::metadata(&ground.secret).map(|facts| facts.permissions().mode() & 0o7777).unwrap_or(0);
        self.note(
            "attributes",
            mode == SECRET_MODE,
            format!("the secret's permissions afterwards: {mode:o}"),
        );
        Ok(())
    }

    /// Notes whether the bill of a cell is complete.
    fn account(&mut self, name: &str, report: &CellReport) {
        let complete = if report.cpu_verified {
            "all of it"
        } else {
            "perhaps not all, since children may have hidden theirs"
        };
        self.note(
            name,
            report.cpu_verified,
            format!("{} us of CPU time, {complete}", report.cpu.as_micros()),
        );
    }

    /// Notes whether a probe that goes on until it is stopped was stopped, by an error that it met or by its end.
    fn stopped(&mut self, name: &str, report: &CellReport, kind: LimitKind) {
        self.read(report);
        if report.outcome == CellOutcome::Limit(kind) {
            let met = self.0.get(name).filter(|finding| finding.held).map(|finding| finding.evidence.clone());
            let evidence = met.map_or_else(String::new, |met| format!("{met}; "));
            self.note(name, true, format!("{evidence}stopped after {} ms", report.wall.as_millis()));
        } else if !self.0.contains_key(name) {
            self.note(name, false, format!("not stopped: {:?}", report.outcome));
        }
    }
}

fn text(error: CellError) -> String {
    error.to_string()
}

/// Processes that have a mark among their arguments.
fn survivors(mark: &str) -> usize {
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
    let marked = processes.flatten().filter(|entry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| {
            line.split(|byte| *byte == 0).any(|word| String::from_utf8_lossy(word).ends_with(mark))
        })
    });
    marked.count()
}

/// The folders of the probes.
struct Ground {
    _folder: tempfile::TempDir,
    root: PathBuf,
    secret: PathBuf,
    outside: PathBuf,
    shown: PathBuf,
    place: PathBuf,
}

impl Ground {
    fn new(scratch: &Path) -> std::io::Result<Self> {
        let folder = tempfile::tempdir_in(scratch)?;
        let within = |name: &str| folder.path().join(name);
        let ground = Self {
            root: within("root"),
            secret: within("secret"),
            outside: within("outside"),
            shown: within("shown"),
            place: within("place"),
            _folder: folder,
        };
        let open =
            |path: &Path, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
        // Permissions let everybody in, so that only the cell stands before the secret.
        open(ground._folder.path(), 0o755)?;
        for (path, mode) in [(&ground.root, 0o755), (&ground.outside, 0o777), (&ground.shown, 0o777)] {
            std::fs::create_dir(path)?;
            open(path, mode)?;
        }
        std::fs::write(&ground.secret, "nobody inside may read this")?;
        open(&ground.secret, SECRET_MODE)?;
        std::fs::write(ground.shown.join("file"), "everybody inside may read this")?;
        Ok(ground)
    }

    fn job(&self, launcher: &Path, words: &[&str]) -> Job {
        let program = launcher.display().to_string();
        let start = [program.as_str(), LAUNCHER_ARGUMENT, PROBE_ARGUMENT];
        let libraries = LIBRARIES.iter().map(PathBuf::from);
        Job {
            argv: start.iter().chain(words).map(|word| (*word).to_owned()).collect(),
            env: Vec::new(),
            cwd: self.place.clone(),
            stdin: Vec::new(),
            read_only: libraries.chain([launcher.to_owned(), self.shown.clone()]).collect(),
            writable: vec![self.place.clone()],
            gateway: None,
            limits: Limits {
                wall: WALL,
                cpu: WALL,
                memory: MEMORY,
                processes: PROCESSES,
                disk: DISK,
                files: FILES,
                ..Limits::default()
            },
        }
    }
}

/// A promise's name, the probes that it rests on, and what keeps it at a fenced and at a contained level.
type Row = (&'static str, &'static [&'static str], &'static str, &'static str);

const ROWS: &[Row] = &[
    ("no network", &["connect", "socket"], "seccomp", "network namespace, seccomp"),
    ("secrets unreadable", &["read", "stat"], "Landlock", "file system of its own, Landlock"),
    ("writes confined", &["write", "attributes"], "Landlock, seccomp", "read-only mounts, Landlock"),
    ("memory bounded", &["memory", "memory of several"], "RLIMIT_DATA, samples", "RLIMIT_DATA, samples"),
    (
        "processes bounded",
        &["processes"],
        "RLIMIT_NPROC, samples",
        "RLIMIT_NPROC in a user namespace, samples",
    ),
    ("disk bounded", &["disk", "files"], "samples", "tmpfs with a size and a number of files"),
    ("whole tree killed", &["tree"], "child subreaper, process group", "process namespace"),
    (
        "evaluator untouchable",
        &["signal", "process files", "other processes"],
        "Landlock scope, seccomp",
        "process namespace, Landlock scope, seccomp",
    ),
    ("no environment leak", &["environment", "descriptors"], "empty environment", "empty environment"),
    ("dangerous calls denied", &["calls"], "seccomp", "seccomp"),
    (
        "CPU time of the whole tree known",
        &["accounting", "accounting of children"],
        "child subreaper",
        "the first process waits for all",
    ),
];

fn promises(level: Option<Level>, findings: &Findings, remedy: Option<String>) -> Vec<Promise> {
    let promise = |(name, probes, fenced, contained): &Row| {
        let found: Vec<&Finding> = probes.iter().filter_map(|probe| findings.0.get(*probe)).collect();
        let all = found.len() == probes.len() && found.iter().all(|finding| finding.held);
        let gap = gap(level, name);
        let status = match (level, all, gap) {
            (None, _, _) => PromiseStatus::Open,
            (Some(_), true, None) => PromiseStatus::Held,
            (Some(_), true, Some(_)) => PromiseStatus::Partial,
            (Some(_), false, _) if found.iter().any(|finding| finding.held) => PromiseStatus::Partial,
            (Some(_), false, _) => PromiseStatus::Open,
        };
        let evidence: Vec<&str> = found.iter().map(|finding| finding.evidence.as_str()).chain(gap).collect();
        Promise {
            name,
            status,
            mechanism: match level {
                None => "none",
                Some(Level::L1) => fenced,
                Some(Level::L3) if *name == "memory bounded" => "control group",
                Some(_) => contained,
            },
            evidence: if level.is_none() {
                "no level of isolation holds here".to_owned()
            } else {
                evidence.join("; ")
            },
            remedy: if status == PromiseStatus::Held { None } else { remedy.clone() },
        }
    };
    ROWS.iter().map(promise).collect()
}

/// What a promise leaves open although every probe held.
fn gap(level: Option<Level>, promise: &str) -> Option<&'static str> {
    let level = level?;
    let root = rustix::process::geteuid().is_root();
    match promise {
        "memory bounded" if level < Level::L3 => {
            Some("the sum over processes is sampled every 50 ms and may be passed in between")
        }
        "disk bounded" if level < Level::L2 => Some("folders are sampled and may be overfilled in between"),
        "processes bounded" if level < Level::L2 => {
            Some("the kernel's own limit counts every process of the user, so samples decide")
        }
        "writes confined" | "evaluator untouchable"
            if level < Level::L2 && landlock_version() < 6 && !root =>
        {
            Some("this kernel's Landlock is older than version 6: signals are denied altogether")
        }
        _ => None,
    }
}
