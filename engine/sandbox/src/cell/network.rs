//! The one thing of a network that a cell may be granted: TCP connections to a gateway at a port of 127.0.0.1.
//!
//! A contained cell has a network of its own in which nothing but that port listens, and whoever holds the listener
//! accepts from outside. A fenced cell shares the host's network, so there the launcher makes each connection on the
//! process's own socket, to an address that no process can change meanwhile.
#![expect(unsafe_code, reason = "switching a network interface on has no safe binding")]

use super::Level;
use super::filter::{Connection, landlock_version, respond, still_asked};
use super::mounts::failed;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// The first version of Landlock that governs networks.
const FIRST_WITH_NETWORK: i64 = 4;
/// Bytes of `struct sockaddr_in`, see ip(7).
const ADDRESS: usize = 16;
/// How long a connection on this machine may take to stand; the launcher waits for it.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// The loopback interface.
const LOOPBACK: &[u8] = b"lo";

/// Whether cells of this level can be granted a gateway here.
///
/// # Errors
/// Why not, in words.
pub fn can_reach_gateway(level: Level) -> Result<(), String> {
    if level >= Level::L2 {
        return Ok(());
    }
    let version = landlock_version();
    if version < FIRST_WITH_NETWORK {
        return Err(format!(
            "a fenced cell (L1) is granted the gateway only where Landlock governs networks, which it does from version \
             {FIRST_WITH_NETWORK} on (Linux 6.7); this kernel has version {version}"
        ));
    }
    // Tried on itself. Whether the descriptor is open says nothing; whether the call is allowed does.
    let own = pidfd_open(rustix::process::getpid(), PidfdFlags::empty());
    match own.and_then(|own| pidfd_getfd(own, 0, PidfdGetfdFlags::empty())) {
        Err(error @ (Errno::PERM | Errno::NOSYS)) => Err(format!(
            "a fenced cell (L1) is granted the gateway only where its launcher may connect for it, and pidfd_getfd is \
             denied here ({error})"
        )),
        _ => Ok(()),
    }
}

/// Switches the loopback interface of this process's own network on and listens there. Needs the right to administer it.
pub(super) fn listen(port: u16) -> Result<TcpListener, String> {
    switch_on().map_err(failed("switch the cell's loopback interface on"))?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed("listen for the gateway"))
}

fn switch_on() -> std::io::Result<()> {
    let any = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    // SAFETY: the structure is plain data for which all zeroes is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(LOOPBACK) {
        *place = libc::c_char::from_ne_bytes([*byte]);
    }
    let flags = libc::IFF_UP | libc::IFF_RUNNING;
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(flags).map_err(std::io::Error::other)?;
    // SAFETY: the kernel reads the structure, which outlives the call; the descriptor is open.
    let answer =
        unsafe { libc::ioctl(any.as_raw_fd(), libc::SIOCSIFFLAGS as _, std::ptr::from_ref(&request)) };
    if answer == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// Makes the connection that a process of a fenced cell asks for, if it leads to the gateway, and answers the process.
/// Tells whether it led there.
pub(super) fn connect(notifications: &OwnedFd, asked: &Connection, gateway: Option<u16>) -> bool {
    let port =
        gateway.filter(|port| address_of(asked) == Some(SocketAddrV4::new(Ipv4Addr::LOCALHOST, *port)));
    let made = match port {
        Some(port) => connect_for(notifications, asked, port),
        None => Err(Errno::ACCESS),
    };
    respond(notifications, asked.id, made.map_or_else(|error| -error.raw_os_error(), |()| 0), 0);
    port.is_some()
}

/// The address that is asked for, if it is one of the Internet's version 4. The process may change it after this look,
/// which is why it is only compared and never used.
fn address_of(asked: &Connection) -> Option<SocketAddrV4> {
    let [_, place, length] = asked.arguments;
    let mut bytes = [0_u8; ADDRESS];
    if length < ADDRESS as u64 {
        return None;
    }
    let memory = std::fs::File::open(format!("/proc/{}/mem", asked.thread)).ok()?;
    memory.read_exact_at(&mut bytes, place).ok()?;
    let [f0, f1, p0, p1, a, b, c, d, ..] = bytes;
    let family = libc::c_int::from(u16::from_ne_bytes([f0, f1]));
    (family == libc::AF_INET)
        .then(|| SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([p0, p1])))
}

/// Connects a process's own socket to the gateway.
fn connect_for(notifications: &OwnedFd, asked: &Connection, port: u16) -> Result<(), Errno> {
    let process = process_of(asked.thread).ok_or(Errno::SRCH)?;
    let process = pidfd_open(process, PidfdFlags::empty())?;
    // Only now is it certain that the number did not pass to another process before it was opened.
    if !still_asked(notifications, asked.id) {
        return Err(Errno::SRCH);
    }
    let [descriptor, ..] = asked.arguments;
    let descriptor = i32::try_from(descriptor).map_err(|_| Errno::BADF)?;
    let socket = pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty())?;
    let flags = fcntl_getfl(&socket)?;
    let waits = !flags.contains(OFlags::NONBLOCK);
    if waits {
        // The launcher has a cell to watch and cannot wait for as long as it takes.
        fcntl_setfl(&socket, flags | OFlags::NONBLOCK)?;
    }
    let mut connected = rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
    if waits {
        if connected == Err(Errno::INPROGRESS) {
            connected = stands(&socket);
        }
        fcntl_setfl(&socket, flags)?;
    }
    connected
}

/// Waits until a connection stands.
fn stands(socket: &OwnedFd) -> Result<(), Errno> {
    let mut polled = [PollFd::new(socket, PollFlags::OUT)];
    if poll(&mut polled, Some(&PATIENCE))? == 0 {
        return Err(Errno::TIMEDOUT);
    }
    rustix::net::sockopt::socket_error(socket)?
}

/// The process that a thread belongs to.
fn process_of(thread: u32) -> Option<Pid> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let number = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()?;
    Pid::from_raw(number)
}
