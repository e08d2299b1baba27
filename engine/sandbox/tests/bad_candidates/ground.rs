//! The ground that bad candidates are let loose on: a lane in some situation, and around it what they must not touch,
//! so that it can be seen afterwards whether they did.

use sandbox::cell::{CellOutcome, CellReport, Exit, Job, Lane, LaneOptions, Level, LimitKind, Limits};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const LAUNCHER: &str = env!("CARGO_BIN_EXE_darwind_cell");
const CANDIDATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad_candidates");
/// Files that candidates try to leave on the host.
const STRAY: &[&str] = &[
    "/tmp/bad-candidate",
    "/var/tmp/bad-candidate",
    "/root/bad-candidate",
    "/home/bad-candidate",
    "/etc/bad-candidate",
    "/usr/bad-candidate",
    "/bad-candidate",
    "/dev/shm/bad-candidate",
    "/tmp/message-of-a-bad-candidate",
    "/var/tmp/message-of-a-bad-candidate",
    "/dev/shm/message-of-a-bad-candidate",
    "/run/message-of-a-bad-candidate",
];
/// An ordinary user and the user that root's candidates become.
const ORDINARY: u32 = 1000;
const NOBODY: u32 = 65_534;

/// Who starts the launcher, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Situation {
    /// As the suite itself.
    Plain,
    /// As an ordinary user, which needs root to arrange.
    OrdinaryUser,
    /// Behind a container's filter.
    Container,
    /// As root, and what the candidate needs lies where nobody else gets in.
    PrivateFolders,
}

/// The interpreter, and what it needs to see.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    pub(crate) executable: PathBuf,
    visible: Vec<PathBuf>,
}

impl Python {
    /// The system's interpreter if there is one, since every user can reach that; else the one on the search path.
    pub(crate) fn find() -> Self {
        let ask = "import sys, os; print(os.path.realpath(sys.executable)); print(sys.base_prefix)";
        let answer = ["/usr/bin/python3", "python3"].iter().find_map(|name| {
            let output = Command::new(name).args(["-I", "-S", "-c", ask]).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        });
        let answer = answer.expect("the suite needs Python 3");
        let mut lines = answer.lines().map(PathBuf::from);
        let executable = lines.next().expect("the interpreter's own path");
        let library = lines.next().expect("its prefix").join("lib");
        let system = [
            "/bin",
            "/usr/bin",
            "/lib",
            "/lib64",
            "/usr/lib",
            "/usr/lib64",
            "/etc/ld.so.cache",
            "/etc/alternatives",
        ];
        let visible =
            [executable.clone(), library].into_iter().chain(system.iter().map(PathBuf::from)).collect();
        Self { executable, visible }
    }
}

/// One lane with its surroundings.
pub(crate) struct Ground {
    pub(crate) lane: Lane,
    pub(crate) level: Level,
    situation: Situation,
    folder: tempfile::TempDir,
    python: Python,
    victim: Child,
    port: TcpListener,
    _sockets: (UnixListener, UnixListener, UnixDatagram, UnixDatagram),
    before: Vec<String>,
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What is reported, in the words of the list.
pub(crate) struct Told {
    pub(crate) outcome: String,
    pub(crate) words: BTreeSet<String>,
    pub(crate) breaches: Vec<String>,
    pub(crate) report: CellReport,
}

impl Ground {
    /// Sets everything up, or says why that level or situation cannot be had here.
    pub(crate) fn new(level: Level, situation: Situation) -> Result<Self, String> {
        if situation != Situation::Plain && situation != Situation::Container && !is_root() {
            return Err(format!("{situation:?} needs root"));
        }
        let python = Python::find();
        let folder = tempfile::Builder::new().prefix("bad").tempdir().map_err(|error| error.to_string())?;
        open(folder.path(), 0o755);
        let bait = folder.path().join("bait");
        furnish(&bait);
        furnish(&folder.path().join("tree"));
        std::fs::create_dir(folder.path().join("root")).expect("a folder");
        copy_candidates(&folder.path().join("candidates"));
        let (user, situated) = match situation {
            Situation::OrdinaryUser => (ORDINARY, true),
            _ if is_root() => (NOBODY, false),
            _ => (rustix::process::geteuid().as_raw(), false),
        };
        if is_root() {
            // The bait belongs to the candidates' user: only the cell's walls keep them from it.
            give(folder.path(), if situated { ORDINARY } else { 0 });
            give(&bait, user);
        }
        let launcher = wrap(folder.path(), situation, &python);
        let options = LaneOptions { launcher, level, root: folder.path().join("root") };
        let lane = Lane::start(options).map_err(|error| error.to_string())?;
        let sockets = (
            UnixListener::bind(folder.path().join("socket")).expect("a socket"),
            UnixListener::bind_addr(&abstract_name(folder.path(), "")).expect("a socket"),
            UnixDatagram::bind(folder.path().join("socket.dgram")).expect("a socket"),
            UnixDatagram::bind_addr(&abstract_name(folder.path(), ".dgram")).expect("a socket"),
        );
        for name in ["socket", "socket.dgram"] {
            open(&folder.path().join(name), 0o777);
        }
        let port = TcpListener::bind("127.0.0.1:0").expect("a port");
        let victim = victim(user);
        let before = Vec::new();
        let mut ground =
            Self { lane, level, situation, folder, python, victim, port, _sockets: sockets, before };
        ground.before = ground.surroundings();
        let told = ground.run("good_program", super::rows::limits());
        if told.outcome.starts_with("sandbox_error") {
            assert!(!host_offers(level), "{level} {situation:?} should be possible here: {}", told.outcome);
            return Err(told.outcome);
        }
        assert_eq!(told.outcome, "exited(0)", "{:?}", String::from_utf8_lossy(&told.report.stderr));
        Ok(ground)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The job of a candidate.
    pub(crate) fn job(&self, file: &str, limits: Limits) -> Job {
        let scratch = self.path("scratch");
        let text = |path: &Path| path.display().to_string();
        let mut env = vec![
            ("HOME", text(&scratch)),
            ("TMPDIR", text(&scratch)),
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
            ("BAIT", text(&self.path("bait"))),
            ("TREE", text(&self.path("tree"))),
            ("DAEMON", std::process::id().to_string()),
            ("VICTIM", self.victim.id().to_string()),
            ("PORT", self.port.local_addr().expect("an address").port().to_string()),
            ("SOCKET", text(&self.path("socket"))),
            ("ABSTRACT", text(self.folder.path())),
        ];
        let names: Vec<&str> = env.iter().map(|(name, _)| *name).chain(["ALLOWED"]).collect();
        env.push(("ALLOWED", names.join(",")));
        let script = self.path("candidates").join(format!("{file}.py"));
        let mut read_only = self.python.visible.clone();
        read_only.extend([self.path("tree"), self.path("candidates")]);
        if self.situation == Situation::PrivateFolders {
            read_only.push(self.path("private").join("inside"));
        }
        Job {
            argv: [&self.python.executable, Path::new("-s"), Path::new("-S"), &script]
                .iter()
                .map(|word| text(word))
                .collect(),
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            cwd: self.path("tree"),
            stdin: Vec::new(),
            read_only,
            writable: vec![scratch],
            gateway: None,
            limits,
        }
    }

    /// Runs a candidate to its end.
    pub(crate) fn run(&mut self, file: &str, limits: Limits) -> Told {
        let job = self.job(file, limits);
        let report = self.lane.run(&job).expect("a lane that works");
        Told::of(report)
    }

    /// Whether a word was reported. A container's filter answers some calls before the cell's, which then cannot count
    /// them; that they were denied, the candidate says.
    pub(crate) fn reports(&self, told: &Told, word: &str) -> bool {
        let foreign =
            self.situation == Situation::Container && word.starts_with("denied(") && word != "denied(socket)";
        told.words.contains(if foreign { "denied" } else { word })
    }

    /// What has changed outside, and who is left, since the beginning: nothing and nobody, or it is said what.
    pub(crate) fn damage(&mut self) -> Vec<String> {
        let now = self.surroundings();
        let changed = now.iter().filter(|fact| !self.before.contains(fact));
        let gone = self.before.iter().filter(|fact| !now.contains(fact));
        let mut damage: Vec<String> = changed
            .map(|fact| format!("now: {fact}"))
            .chain(gone.map(|fact| format!("gone: {fact}")))
            .collect();
        damage.extend(survivors(self.folder.path()).into_iter().map(|process| format!("alive: {process}")));
        let left = std::fs::read_dir(self.path("scratch")).map_or(0, Iterator::count);
        if left > 0 {
            damage.push(format!("{left} files left in the scratch folder"));
        }
        if let Ok((_, from)) = self.port.accept() {
            damage.push(format!("a connection from {from}"));
        }
        damage
    }

    /// Facts about what candidates must not change.
    fn surroundings(&self) -> Vec<String> {
        self.port.set_nonblocking(true).expect("a port that can be asked");
        let mut facts = Vec::new();
        for name in ["bait", "tree", "candidates"] {
            describe(&self.path(name), &mut facts);
        }
        facts.extend(
            STRAY.iter().filter(|path| Path::new(path).exists()).map(|path| format!("{path} exists")),
        );
        for process in [self.victim.id(), std::process::id()] {
            let read =
                |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
            let stat = read("stat");
            // From the last parenthesis on: state first, priority and niceness 15 and 16 fields later.
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let state = fields.first().filter(|_| process == self.victim.id());
            facts.push(format!(
                "{process}: {state:?} nice {:?} {} {}",
                fields.get(16),
                read("limits"),
                read("oom_score_adj")
            ));
        }
        facts
    }
}

impl Told {
    fn of(report: CellReport) -> Self {
        let outcome = match (&report.outcome, report.exit) {
            (CellOutcome::Exited, Exit::Code(code)) => format!("exited({code})"),
            (CellOutcome::Exited, Exit::Signal(signal)) => format!("crashed({signal})"),
            (CellOutcome::Exited, Exit::None) => "exited(?)".to_owned(),
            (CellOutcome::WallTimeout, _) => "timeout(wall)".to_owned(),
            (CellOutcome::CpuTimeout, _) => "timeout(cpu)".to_owned(),
            (CellOutcome::Limit(kind), _) => {
                let kind = match kind {
                    LimitKind::Memory => "mem",
                    LimitKind::Processes => "pids",
                    LimitKind::Disk => "disk",
                    LimitKind::Files => "files",
                    LimitKind::Output => "output",
                };
                format!("limit({kind})")
            }
            (CellOutcome::SandboxError(reason), _) => format!("sandbox_error({reason})"),
        };
        let mut words: BTreeSet<String> = report
            .denials
            .iter()
            .filter(|denial| denial.count > 0)
            .map(|denial| format!("denied({})", denial.what))
            .collect();
        let mut breaches = Vec::new();
        for line in String::from_utf8_lossy(&report.report).lines() {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["held", .., error] => {
                    let word = match *error {
                        "ENOSPC" | "EFBIG" | "EDQUOT" => "limit(disk)",
                        "EMFILE" | "ENFILE" => "limit(files)",
                        "EAGAIN" => "limit(pids)",
                        "ENOMEM" => "limit(mem)",
                        _ => "denied",
                    };
                    words.insert(word.to_owned());
                }
                ["breach", ..] => breaches.push(line.to_owned()),
                _ => {}
            }
        }
        Self { outcome, words, breaches, report }
    }
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .expect("the right to change a mode");
}

fn abstract_name(folder: &Path, ending: &str) -> SocketAddr {
    let mut name = OsString::from(folder);
    name.push(ending);
    SocketAddr::from_abstract_name(name.as_bytes()).expect("a name for a socket")
}

/// A folder of files that anybody could change, if modes were all that stood before them.
fn furnish(folder: &Path) {
    for below in ["open", "tests", "empty"] {
        std::fs::create_dir_all(folder.join(below)).expect("a folder");
        open(&folder.join(below), 0o777);
    }
    for file in ["secret", "evaluator.py", "program.py", "tests/test_program.py"] {
        std::fs::write(folder.join(file), "planted\n").expect("a file");
        open(&folder.join(file), 0o666);
    }
    open(folder, 0o777);
}

/// The repository may lie where only its owner gets in.
fn copy_candidates(folder: &Path) {
    std::fs::create_dir(folder).expect("a folder");
    for entry in std::fs::read_dir(CANDIDATES).expect("the candidates").flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "py") {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("room for a copy");
        }
    }
}

fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).expect("root");
    if path.is_dir() && !path.is_symlink() {
        for entry in std::fs::read_dir(path).expect("a folder").flatten() {
            give(&entry.path(), user);
        }
    }
}

/// The launcher as the situation has it.
fn wrap(folder: &Path, situation: Situation, python: &Python) -> PathBuf {
    // A copy under the ground's own name, so that its processes can be told from those of other lanes.
    let launcher = folder.join("launcher");
    std::fs::copy(LAUNCHER, &launcher).expect("room for a copy");
    open(&launcher, 0o755);
    let launcher_text = launcher.display();
    let command = match situation {
        Situation::Plain => return launcher,
        Situation::PrivateFolders => {
            std::fs::create_dir_all(folder.join("private/inside")).expect("a folder");
            open(&folder.join("private"), 0o700);
            return launcher;
        }
        Situation::OrdinaryUser => {
            format!(
                "/usr/bin/setpriv --reuid={ORDINARY} --regid={ORDINARY} --clear-groups -- {launcher_text}"
            )
        }
        Situation::Container => {
            let script = folder.join("candidates/container.py");
            format!("{} -I -S {} {launcher_text}", python.executable.display(), script.display())
        }
    };
    let wrapper = folder.join("wrapper");
    std::fs::write(&wrapper, format!("#!/bin/sh\nexec {command} \"$@\"\n")).expect("a file");
    open(&wrapper, 0o755);
    wrapper
}

/// A process of the candidates' user that is stopped, so that a signal from them would show.
fn victim(user: u32) -> Child {
    let mut command = if is_root() {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args([
            &format!("--reuid={user}"),
            &format!("--regid={user}"),
            "--clear-groups",
            "sleep",
            "1000",
        ]);
        command
    } else {
        let mut command = Command::new("sleep");
        command.arg("1000");
        command
    };
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("a victim");
    let process = rustix::process::Pid::from_child(&child);
    let name = format!("/proc/{}/comm", child.id());
    while std::fs::read_to_string(&name).is_ok_and(|name| name.trim() != "sleep") {
        std::thread::yield_now();
    }
    rustix::process::kill_process(process, rustix::process::Signal::STOP).expect("a victim to stop");
    let options = rustix::process::WaitOptions::UNTRACED;
    let _ = rustix::process::waitpid(Some(process), options).expect("a victim that stops");
    child
}

/// Everything about the files below a path that a candidate could change.
fn describe(path: &Path, facts: &mut Vec<String>) {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        facts.push(format!("{} is missing", path.display()));
        return;
    };
    let content = if found.is_file() { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    let content =
        if content.len() > 100 { format!("{} bytes", content.len()) } else { format!("{content:?}") };
    facts.push(format!(
        "{} {:o} {}:{} {}.{} {} {content}",
        path.display(),
        found.mode(),
        found.uid(),
        found.gid(),
        found.mtime(),
        found.mtime_nsec(),
        found.nlink()
    ));
    if found.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            describe(&entry.path(), facts);
        }
    }
}

/// Whether this host has what a level needs, as tools that are not ours say: then a failure is ours.
fn host_offers(level: Level) -> bool {
    let succeeds = |line: &str| {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().expect("a command"));
        command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let namespaces = "unshare --user --map-root-user --mount --pid --net --ipc --uts --cgroup --fork mount -t tmpfs none /tmp";
    match level {
        Level::L1 => true,
        Level::L2 => succeeds(namespaces),
        Level::L3 => {
            let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
            let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
            let folder = Path::new("/sys/fs/cgroup").join(own);
            let controllers = std::fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
            let all = ["memory", "pids", "cpu"]
                .iter()
                .all(|name| controllers.split_whitespace().any(|found| found == *name));
            succeeds(namespaces)
                && all
                && folder.metadata().is_ok_and(|facts| facts.uid() == rustix::process::geteuid().as_raw())
        }
    }
}

/// Processes of candidates that were started from a folder.
pub(crate) fn survivors(folder: &Path) -> Vec<String> {
    let mark = folder.join("candidates").display().to_string();
    processes(&mark)
}

/// Processes whose command line holds a text, by number.
pub(crate) fn processes(mark: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").expect("the proc file system").flatten();
    let lines = all.filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(mark).then(|| format!("{} {line}", entry.file_name().to_string_lossy()))
    });
    lines.collect()
}

impl Ground {
    /// The ground's own folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}
