//! Cells that are granted a gateway: they reach it, and nothing else, at every level that this host allows.
#![expect(clippy::expect_used, reason = "a test that cannot prepare its ground has failed")]

use sandbox::cell::{
    CellOutcome, CellReport, Exit, Job, Lane, LaneOptions, Level, Limits, ProbeOptions, PromiseStatus,
    can_reach_gateway, probe_gateway,
};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

const SCRIPT: &str = include_str!("gateway/visitor.py");
/// What the gateway says to whoever comes.
const GREETING: &[u8] = b"the gateway\n";

/// What is around a cell: the gateway, and much else that listens.
struct Ground {
    lane: Lane,
    level: Level,
    folder: tempfile::TempDir,
    gateway: TcpListener,
    other: TcpListener,
    /// Listens at the gateway's port of another address.
    neighbour: TcpListener,
    datagrams: UdpSocket,
    _sockets: (UnixListener, UnixListener),
}

impl Ground {
    fn new(level: Level) -> Self {
        let folder = tempfile::Builder::new().prefix("gate").tempdir().expect("a folder");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).expect("an open folder");
        std::fs::create_dir(folder.path().join("root")).expect("a folder");
        std::fs::write(folder.path().join("visitor.py"), SCRIPT).expect("a file");
        let listen = |address, port| TcpListener::bind((address, port)).expect("a port");
        let gateway = listen(Ipv4Addr::LOCALHOST, 0);
        let port = gateway.local_addr().expect("an address").port();
        let abstract_name = SocketAddr::from_abstract_name(folder.path().as_os_str().as_encoded_bytes());
        let sockets = (
            UnixListener::bind(folder.path().join("socket")).expect("a socket"),
            UnixListener::bind_addr(&abstract_name.expect("a name")).expect("an abstract socket"),
        );
        let options = LaneOptions {
            launcher: env!("CARGO_BIN_EXE_darwind_cell").into(),
            level,
            root: folder.path().join("root"),
        };
        Self {
            lane: Lane::start(options).expect("a launcher"),
            level,
            gateway,
            other: listen(Ipv4Addr::LOCALHOST, 0),
            neighbour: listen(Ipv4Addr::new(127, 0, 0, 2), port),
            datagrams: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"),
            _sockets: sockets,
            folder,
        }
    }

    fn job(&self, granted: bool) -> Job {
        let port = self.gateway.local_addr().expect("an address").port();
        let text = |path: &Path| path.display().to_string();
        let number =
            |port: std::io::Result<std::net::SocketAddr>| port.expect("an address").port().to_string();
        let env = [
            ("GATEWAY", port.to_string()),
            ("OTHER", number(self.other.local_addr())),
            ("DATAGRAMS", number(self.datagrams.local_addr())),
            ("SOCKET", text(&self.folder.path().join("socket"))),
            ("ABSTRACT", text(self.folder.path())),
        ];
        let system = ["/bin", "/usr", "/lib", "/lib64", "/etc/ld.so.cache"].iter().map(PathBuf::from);
        Job {
            argv: vec![
                python(),
                "-I".to_owned(),
                "-S".to_owned(),
                text(&self.folder.path().join("visitor.py")),
            ],
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            cwd: PathBuf::from("/"),
            stdin: Vec::new(),
            // The socket's folder too: only the cell's walls keep its visitor from connecting.
            read_only: system.chain([self.folder.path().to_owned()]).collect(),
            writable: Vec::new(),
            gateway: granted.then_some(port),
            limits: Limits { wall: Duration::from_secs(30), ..Limits::default() },
        }
    }

    /// Runs the visitor while the gateway greets whoever comes; answers how often it did.
    fn visit(&mut self, granted: bool) -> (CellReport, usize) {
        let (job, level) = (self.job(granted), self.level);
        let host = self.gateway.try_clone().expect("a copy");
        std::thread::scope(|scope| {
            let mut session = self.lane.open(&job).expect("a session");
            let listener = session.gateway();
            assert_eq!(listener.is_some(), granted && level >= Level::L2, "{level}");
            let listener = listener.unwrap_or(host);
            listener.set_nonblocking(true).expect("a setting");
            let (over, is_over) = mpsc::channel::<()>();
            let greeter = scope.spawn(move || {
                let mut greeted = 0;
                while is_over.recv_timeout(Duration::from_millis(5)) == Err(mpsc::RecvTimeoutError::Timeout) {
                    while let Ok((mut visitor, _)) = listener.accept() {
                        visitor.set_nonblocking(false).expect("a setting");
                        let mut word = [0; 5];
                        if visitor.read_exact(&mut word).is_ok() && &word == b"hello" {
                            greeted += usize::from(visitor.write_all(GREETING).is_ok());
                        }
                    }
                }
                greeted
            });
            let report = session.finish().expect("a report");
            drop(over);
            (report, greeter.join().expect("a count"))
        })
    }

    /// Whether anybody came to what must not be reached.
    fn was_reached(&self) -> bool {
        let came = |listener: &TcpListener| {
            listener.set_nonblocking(true).expect("a setting");
            listener.accept().is_ok()
        };
        self.datagrams.set_nonblocking(true).expect("a setting");
        came(&self.other) || came(&self.neighbour) || self.datagrams.recv(&mut [0; 16]).is_ok()
    }
}

fn python() -> String {
    let found =
        ["/usr/bin/python3", "/usr/local/bin/python3"].into_iter().find(|path| Path::new(path).exists());
    found.expect("the suite needs Python 3").to_owned()
}

/// The levels at which a gateway can be granted here.
#[expect(clippy::print_stdout, reason = "what cannot be seen here is said")]
fn levels() -> Vec<Level> {
    let granted = |level: &Level| match can_reach_gateway(*level) {
        Ok(()) => true,
        Err(reason) => {
            println!("skipped: {level}: {reason}");
            false
        }
    };
    [Level::L1, Level::L2].into_iter().filter(granted).collect()
}

#[test]
fn a_cell_reaches_its_gateway_and_nothing_else() {
    for level in levels() {
        let mut ground = Ground::new(level);
        let (report, greeted) = ground.visit(true);
        let said = String::from_utf8_lossy(&report.stdout).into_owned();
        let errors = String::from_utf8_lossy(&report.stderr).into_owned();
        assert_eq!(
            (report.outcome.clone(), report.exit),
            (CellOutcome::Exited, Exit::Code(0)),
            "{level}: {errors}"
        );
        assert!(said.contains("reached: gateway\n"), "{level}: {said}{errors}");
        assert!(
            said.contains("reached: gateway from a thread, without waiting\n"),
            "{level}: {said}{errors}"
        );
        // In a network of its own it can be reached by itself.
        let own = usize::from(level >= Level::L2);
        assert_eq!(said.matches("reached: itself\n").count(), own, "{level}: {said}{errors}");
        assert_eq!(said.matches("reached: ").count(), 2 + own, "{level}: {said}");
        assert_eq!(greeted, 2, "{level}");
        assert!(said.matches("kept from: ").count() >= 14 - own, "{level}: {said}");
        assert!(!ground.was_reached(), "{level}: {said}");
        assert!(report.denials.iter().any(|denial| denial.what == "socket"), "{level}: {:?}", report.denials);
    }
}

#[test]
fn a_probe_tells_whether_a_fenced_cell_can_be_granted_the_gateway() {
    let scratch = tempfile::tempdir().expect("a folder");
    let found = probe_gateway(&ProbeOptions {
        launcher: env!("CARGO_BIN_EXE_darwind_cell").into(),
        max_level: None,
        scratch: scratch.path().to_path_buf(),
    });
    match can_reach_gateway(Level::L1) {
        Ok(()) => {
            assert_eq!(found.status, PromiseStatus::Held, "{found:?}");
            assert!(
                found.evidence.starts_with("reached the gateway; connect to another port: "),
                "{found:?}"
            );
        }
        Err(reason) => assert_eq!((found.status, found.evidence), (PromiseStatus::Open, reason)),
    }
}

#[test]
fn a_cell_without_a_grant_reaches_nothing() {
    for level in levels() {
        let mut ground = Ground::new(level);
        let (report, greeted) = ground.visit(false);
        let said = String::from_utf8_lossy(&report.stdout).into_owned();
        assert!(!said.contains("reached: ") && greeted == 0, "{level}: {said}");
        assert!(said.contains("kept from: gateway\n"), "{level}: {said}");
        // The next job of the same lane may have what this one had not.
        let (report, greeted) = ground.visit(true);
        assert_eq!(greeted, 2, "{level}: {report:?}");
    }
}
