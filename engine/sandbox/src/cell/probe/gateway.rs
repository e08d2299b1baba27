//! Whether a fenced cell that is granted the gateway reaches it and nothing else: found out by a real cell that tries, with
//! a gateway that counts its visitors and much else that listens. At higher levels a cell has a network of its own, in which
//! nothing but the gateway's port is there to be reached.

use super::{Findings, Ground, ProbeOptions, Promise, PromiseStatus, text};
use crate::cell::{CellOutcome, CellReport, Lane, LaneOptions, Level, can_reach_gateway};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

/// What the row is called.
const NAME: &str = "gateway at L1";
/// What lets a cell through to one port.
const MECHANISM: &str = "launcher connects, Landlock, seccomp";
/// How often the gateway looks for visitors.
const LOOK: Duration = Duration::from_millis(5);
/// What the gateway says to whoever comes.
pub(crate) const GREETING: &[u8] = b"the gateway\n";
/// What to do where it cannot be granted.
const REMEDY: &str = "only for agents in cells of level 1: Linux 6.7 or later, in a container that allows pidfd_getfd; or \
                      what raises the isolation to L2, where a cell has a network of its own";

/// Tries it. Takes a fraction of a second.
pub fn probe_gateway(options: &ProbeOptions) -> Promise {
    let row = |status, evidence: String, remedy: Option<&str>| Promise {
        name: NAME,
        status,
        mechanism: MECHANISM,
        evidence,
        remedy: remedy.map(str::to_owned),
    };
    if let Err(reason) = can_reach_gateway(Level::L1) {
        return row(PromiseStatus::Open, reason, Some(REMEDY));
    }
    match visit(options) {
        Ok((evidence, true)) => row(PromiseStatus::Held, evidence, None),
        Ok((evidence, false)) => row(PromiseStatus::Open, evidence, Some(REMEDY)),
        Err(reason) => {
            row(PromiseStatus::Open, format!("the probe could not be made: {reason}"), Some(REMEDY))
        }
    }
}

/// What listens beside the gateway and must not be reached.
struct Others {
    port: TcpListener,
    /// At the gateway's port of another address.
    neighbour: TcpListener,
    datagrams: UdpSocket,
}

impl Others {
    fn beside(gateway: u16) -> std::io::Result<Self> {
        let others = Self {
            port: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
            neighbour: TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), gateway))?,
            datagrams: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?,
        };
        others.port.set_nonblocking(true)?;
        others.neighbour.set_nonblocking(true)?;
        others.datagrams.set_nonblocking(true)?;
        Ok(others)
    }

    /// Whether anybody came, whatever the prober was told.
    fn were_reached(&self) -> bool {
        self.port.accept().is_ok()
            || self.neighbour.accept().is_ok()
            || self.datagrams.recv(&mut [0; 16]).is_ok()
    }
}

/// Has a cell visit the gateway; the evidence, and whether the cell came there and nowhere else.
fn visit(options: &ProbeOptions) -> Result<(String, bool), String> {
    let failed = |error: std::io::Error| error.to_string();
    let gateway = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    gateway.set_nonblocking(true).map_err(failed)?;
    let port = gateway.local_addr().map_err(failed)?.port();
    let others = Others::beside(port).map_err(failed)?;
    let other = others.port.local_addr().map_err(failed)?.port().to_string();
    let datagrams = others.datagrams.local_addr().map_err(failed)?.port().to_string();
    let ground = Ground::new(&options.scratch).map_err(failed)?;
    let lane =
        LaneOptions { launcher: options.launcher.clone(), level: Level::L1, root: ground.root.clone() };
    let mut lane = Lane::start(lane).map_err(text)?;
    let mut job = ground.job(&options.launcher, &["gateway", &port.to_string(), &other, &datagrams]);
    job.gateway = Some(port);
    let (report, greeted) = std::thread::scope(|scope| {
        let (over, is_over) = mpsc::channel::<()>();
        let greeter = scope.spawn(move || greet(&gateway, &is_over));
        let report: Result<CellReport, String> =
            lane.open(&job).and_then(|session| session.finish()).map_err(text);
        drop(over);
        report.map(|report| (report, greeter.join().unwrap_or_default()))
    })?;
    if let CellOutcome::SandboxError(reason) = report.outcome {
        return Err(reason);
    }
    let mut findings = Findings::default();
    findings.read(&report);
    if others.were_reached() {
        findings.note("beyond", false, "somebody else than the gateway was reached");
    }
    if greeted == 0 {
        findings.note("gateway", false, "no visitor came to the gateway");
    }
    let found = ["gateway", "beyond"].map(|name| findings.0.get(name));
    let held = found.iter().all(|found| found.is_some_and(|found| found.held));
    let evidence = found.map(|found| found.map_or("the probe did not report", |found| &found.evidence));
    Ok((evidence.join("; "), held))
}

/// Greets whoever comes until nobody will; answers how many came.
fn greet(gateway: &TcpListener, is_over: &mpsc::Receiver<()>) -> usize {
    let mut greeted = 0;
    while is_over.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
        while let Ok((mut visitor, _)) = gateway.accept() {
            greeted += usize::from(visitor.write_all(GREETING).is_ok());
        }
    }
    greeted
}
