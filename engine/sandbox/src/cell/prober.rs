//! What a probe does inside a cell: tries to get out, and says on standard output how far it came, one line a try with
//! the name, `held` or `open`, and the evidence between tabs. It is the launcher's own binary, so that finding out what
//! holds needs no interpreter.
//!
//! Nothing here does harm where it succeeds, and everything it starts is bounded.
#![expect(unsafe_code, reason = "system calls that nobody should make have no safe bindings")]

use super::launcher::{LAUNCHER_ARGUMENT, PROBE_ARGUMENT};
use super::probe::GREETING;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a process that only has to be there stays, should nobody end it.
const STAY: Duration = Duration::from_secs(20);
/// How long a connection is waited for.
const CONNECT_WAIT: Duration = Duration::from_millis(200);
/// How long the gateway's greeting is waited for.
const GREETING_WAIT: Duration = Duration::from_secs(2);
/// Bytes of one file of the disk probe.
const FILE_BYTES: usize = 256 * 1024;
/// Size of a page, or a part of it: touching one byte in each is touching all pages.
const PAGE: usize = 4096;

/// Does what the arguments say. Never returns.
pub(super) fn run(arguments: &[String]) -> ! {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<usize>().unwrap_or(0);
    match words.as_slice() {
        ["walls", port, daemon, secret, outside, shown] => {
            walls(port, daemon, Path::new(secret), outside, shown)
        }
        ["gateway", port, other, datagrams] => visit(port, other, datagrams),
        ["processes", count] => say("processes", processes(number(count))),
        ["memory", count, bytes] => memory(number(count), bytes),
        ["hold", bytes] => hold(number(bytes)),
        ["disk", place, bytes] => say("disk", fill(Path::new(place), number(bytes))),
        ["files", place, count] => say("files", litter(Path::new(place), number(count))),
        ["tree", mark] => leave_behind(mark),
        ["stay", _mark] => std::thread::park_timeout(STAY),
        _ => {}
    }
    std::process::exit(0)
}

/// How a try went: held with this evidence, or open with that.
type Try = Result<String, String>;

fn say(name: &str, tried: Try) {
    let (word, evidence) = match &tried {
        Ok(evidence) => ("held", evidence),
        Err(evidence) => ("open", evidence),
    };
    let line = format!("{name}\t{word}\t{}\n", evidence.replace(['\t', '\n'], " "));
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(line.as_bytes()).and_then(|()| output.flush());
}

/// A try that must fail.
fn refused<T>(doing: &str, result: std::io::Result<T>) -> Try {
    match result {
        Ok(_) => Err(format!("{doing}: done")),
        Err(error) => Ok(format!("{doing}: {error}")),
    }
}

/// All of several tries.
fn together(tries: impl IntoIterator<Item = Try>) -> Try {
    let (held, open): (Vec<Try>, Vec<Try>) = tries.into_iter().partition(Result::is_ok);
    if let Some(Err(first)) = open.into_iter().next() {
        return Err(first);
    }
    Ok(held.into_iter().flatten().collect::<Vec<_>>().join("; "))
}

/// Goes to the gateway that the cell was granted, and then to what it was not.
fn visit(port: &str, other: &str, datagrams: &str) {
    let [port, other, datagrams] = [port, other, datagrams].map(|word| word.parse::<u16>().unwrap_or(0));
    let greeting = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).and_then(|mut gateway| {
        let mut greeting = [0; GREETING.len()];
        gateway.set_read_timeout(Some(GREETING_WAIT))?;
        gateway.read_exact(&mut greeting)?;
        Ok(greeting)
    });
    say(
        "gateway",
        match greeting {
            Ok(greeting) if greeting == GREETING => Ok("reached the gateway".to_owned()),
            Ok(_) => Err("somebody else answered at the gateway's port".to_owned()),
            Err(error) => Err(format!("connect to the gateway: {error}")),
        },
    );
    let neighbour = Ipv4Addr::new(127, 0, 0, 2);
    let send = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.send_to(b"x", (Ipv4Addr::LOCALHOST, datagrams));
    say(
        "beyond",
        together([
            refused("connect to another port", TcpStream::connect((Ipv4Addr::LOCALHOST, other))),
            refused("connect to the same port of another address", TcpStream::connect((neighbour, port))),
            refused("send a datagram", send()),
            refused("listen", TcpListener::bind((Ipv4Addr::LOCALHOST, 0))),
        ]),
    );
}

fn walls(port: &str, daemon: &str, secret: &Path, outside: &str, shown: &str) {
    let outside = Path::new(outside);
    let address = format!("127.0.0.1:{port}");
    let connect = match address.parse() {
        Ok(address) => refused("connect to our own port", TcpStream::connect_timeout(&address, CONNECT_WAIT)),
        Err(error) => Err(format!("{error}")),
    };
    say("connect", connect);
    say("socket", refused("open a socket", UdpSocket::bind("127.0.0.1:0")));
    say("read", refused("read a secret", std::fs::read(secret)));
    say("stat", refused("see that a secret is there", std::fs::metadata(secret)));
    say(
        "write",
        together([
            refused("make a file outside", std::fs::write(outside.join("made"), "x")),
            refused("write to a file outside", std::fs::OpenOptions::new().append(true).open(secret)),
            refused("write beside what is shown", std::fs::write(Path::new(shown).join("made"), "x")),
            refused("remove what is shown", std::fs::remove_file(Path::new(shown).join("file"))),
        ]),
    );
    // A fenced cell answers that this was done, and does nothing: the other side looks.
    let _ = std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o777));
    let pid = daemon.parse::<libc::c_long>().unwrap_or(1);
    say("signal", together([refused("signal the daemon", call(libc::SYS_kill, [pid, 0, 0, 0, 0]))]));
    let entries = ["environ", "maps", "mem"].map(|entry| format!("/proc/{daemon}/{entry}"));
    let entries = entries.into_iter().chain(["/proc/1/environ".to_owned()]);
    say("process files", together(entries.map(|entry| empty_or_refused(&entry))));
    say(
        "other processes",
        together([
            refused("trace the daemon", call(libc::SYS_ptrace, [16, pid, 0, 0, 0])),
            refused("read the daemon's memory", call(libc::SYS_process_vm_readv, [pid, 0, 0, 0, 0])),
        ]),
    );
    say("calls", calls());
    say("environment", environment());
    say("descriptors", descriptors());
    say("memory", one_memory());
}

fn empty_or_refused(path: &str) -> Try {
    match std::fs::read(path) {
        Ok(bytes) if bytes.is_empty() => Ok(format!("read {path}: empty")),
        other => refused(&format!("read {path}"), other),
    }
}

/// Makes a system call by number. Only for calls to which every argument given is a number or null.
fn call(number: libc::c_long, [a, b, c, d, e]: [libc::c_long; 5]) -> std::io::Result<libc::c_long> {
    // SAFETY: the callers give numbers and null pointers, so the kernel touches no memory of this process.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e) };
    if answer < 0 { Err(std::io::Error::last_os_error()) } else { Ok(answer) }
}

fn calls() -> Try {
    let user_namespace = libc::c_long::from(libc::CLONE_NEWUSER);
    let mut tries = vec![
        refused("unshare", call(libc::SYS_unshare, [user_namespace, 0, 0, 0, 0])),
        refused("mount", call(libc::SYS_mount, [0, 0, 0, 0, 0])),
        refused("bpf", call(libc::SYS_bpf, [0, 0, 0, 0, 0])),
        refused("keyctl", call(libc::SYS_keyctl, [0, 0, 0, 0, 0])),
        refused("io_uring_setup", call(libc::SYS_io_uring_setup, [1, 0, 0, 0, 0])),
        refused("userfaultfd", call(libc::SYS_userfaultfd, [0, 0, 0, 0, 0])),
        refused("setuid", call(libc::SYS_setuid, [0, 0, 0, 0, 0])),
    ];
    #[cfg(target_arch = "x86_64")]
    tries.push(refused("getpid of x32", call(0x4000_0000 + libc::SYS_getpid, [0; 5])));
    // A process that is root already may become root: what counts is that it can do nothing by it.
    if rustix::process::getuid().is_root() {
        tries.truncate(6);
    }
    together(tries)
}

fn environment() -> Try {
    let names: Vec<String> =
        std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    if names.is_empty() {
        Ok("no variable but those given".to_owned())
    } else {
        Err(format!("sees {}", names.join(", ")))
    }
}

fn descriptors() -> Try {
    let open: Vec<String> = (5..256)
        .filter(|fd| call(libc::SYS_fcntl, [*fd, libc::c_long::from(libc::F_GETFD), 0, 0, 0]).is_ok())
        .map(|fd| fd.to_string())
        .collect();
    if open.is_empty() {
        Ok("no descriptor but those given".to_owned())
    } else {
        Err(format!("open: {}", open.join(", ")))
    }
}

/// Asks for more memory than the cell has, in one process.
fn one_memory() -> Try {
    const BYTES: usize = 1 << 30;
    let mut bytes: Vec<u8> = Vec::new();
    match bytes.try_reserve_exact(BYTES) {
        Ok(()) => Err(format!("{BYTES} bytes given")),
        Err(error) => Ok(error.to_string()),
    }
}

fn myself(words: &[&str]) -> Command {
    let program = std::env::args_os().next().unwrap_or_default();
    let mut command = Command::new(program);
    command.args([LAUNCHER_ARGUMENT, PROBE_ARGUMENT]).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Starts processes until it cannot, and stays with them for a while so that they can be counted.
fn processes(count: usize) -> Try {
    let mut children: Vec<Child> = Vec::new();
    for _ in 0..count {
        match myself(&["stay", "x"]).spawn() {
            Ok(child) => children.push(child),
            Err(error) => {
                say("processes", Ok(format!("process {}: {error}", children.len() + 1)));
                break;
            }
        }
    }
    std::thread::park_timeout(STAY);
    Err(format!("{} processes live", children.len()))
}

/// Has several processes hold memory together that each of them alone may.
fn memory(count: usize, bytes: &str) {
    let children: Vec<Child> = (0..count).filter_map(|_| myself(&["hold", bytes]).spawn().ok()).collect();
    std::thread::park_timeout(STAY);
    say("memory of several", Err(format!("{} processes held {bytes} bytes each", children.len())));
}

fn hold(bytes: usize) {
    let mut held = vec![0_u8; bytes];
    for byte in held.iter_mut().step_by(PAGE) {
        *byte = 1;
    }
    std::thread::park_timeout(STAY);
    std::hint::black_box(held);
}

/// Writes `bytes` to a folder, then stays so that they can be counted.
fn fill(place: &Path, bytes: usize) -> Try {
    let block = vec![1_u8; FILE_BYTES];
    for index in 0..bytes.div_ceil(FILE_BYTES) {
        if let Err(error) = std::fs::write(place.join(format!("block{index}")), &block) {
            return Ok(format!("file {}: {error}", index + 1));
        }
    }
    std::thread::park_timeout(STAY);
    Err(format!("{bytes} bytes written"))
}

/// Makes files in a folder, then stays so that they can be counted.
fn litter(place: &Path, count: usize) -> Try {
    for index in 0..count {
        if let Err(error) = std::fs::write(place.join(format!("{index}")), "") {
            return Ok(format!("file {}: {error}", index + 1));
        }
    }
    std::thread::park_timeout(STAY);
    Err(format!("{count} files made"))
}

/// Leaves a grandchild behind that nobody waits for: the mark is by what the other side finds it.
fn leave_behind(mark: &str) {
    let tried = if mark.starts_with("parent-") {
        myself(&["stay", mark]).spawn().map(|_| ())
    } else {
        myself(&["tree", &format!("parent-{mark}")]).spawn().and_then(|mut child| child.wait()).map(|_| ())
    };
    say("tree", tried.map(|()| "left".to_owned()).map_err(|error| error.to_string()));
}
