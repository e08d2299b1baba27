//! The child's side of a launch: a small first process that puts the walls up, starts the candidate behind them, reaps
//! everything that comes to it, and reports how the candidate ended and what all of it cost.
#![expect(unsafe_code, reason = "forking, executing and waiting have no safe bindings")]

use super::filter::Filters;
use super::mounts::{self, failed};
use super::wire::{self, LaunchOrder};
use super::{Exit, Level, LimitKind, confinement, network, tree};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group,
    pidfd_open, set_child_subreaper, set_dumpable_behavior, set_parent_process_death_signal, setpgid, wait,
};
use serde::{Deserialize, Serialize};
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// The user that a candidate is inside a user namespace.
const INNER_USER: u32 = 1000;
/// Exit code of a child that could not put its walls up.
const SETUP_FAILED: i32 = 125;
/// Where the status socket goes, above the candidate's own descriptors.
const STATUS_FD: i32 = 5;
/// How often orphans are reaped while the candidate runs.
const REAP_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// Rounds of killing what is left after the candidate ended; each kills everything that it sees.
const MAX_KILL_ROUNDS: usize = 1000;

/// What a child tells the launcher.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Note {
    /// The listener of the counted calls comes with this.
    Listening,
    /// The listener of the cell's gateway comes with this.
    Gateway,
    /// The walls could not be put up.
    Failed(String),
    /// Everything is over.
    Ended {
        /// How the candidate ended.
        exit: Exit,
        /// CPU time of everything that was reaped, in microseconds.
        cpu_us: u64,
        /// CPU time of this first process itself, in microseconds.
        own_us: u64,
        /// Largest resident memory of one process, in bytes.
        peak_memory: u64,
        /// What a writable place ran out of, where its file system has limits.
        full: Option<LimitKind>,
    },
}

/// What the child is given.
pub(super) struct Setup<'a> {
    pub(super) order: &'a LaunchOrder,
    pub(super) filters: &'a Filters,
    /// Who the candidate shall be, when the launcher is root and can make it somebody else.
    pub(super) demote: Option<u32>,
    /// Whether a user namespace was made with the child.
    pub(super) user_namespace: bool,
    /// User and group outside.
    pub(super) outer: (u32, u32),
    /// The kernel's own limit on the user's processes and threads.
    pub(super) processes: u64,
}

/// Runs as the first process of the cell and never returns.
pub(super) fn run(setup: &Setup<'_>, streams: Vec<OwnedFd>, status: UnixStream) -> ! {
    let status = match arrange(streams, status) {
        Ok(status) => status,
        Err(_) => std::process::exit(SETUP_FAILED),
    };
    if let Err(reason) = build(setup, &status) {
        let _ = wire::send(&status, &Note::Failed(reason), &[]);
        std::process::exit(SETUP_FAILED);
    }
    // SAFETY: this process has one thread, so the child may do anything that a process may.
    match unsafe { libc::fork() } {
        0 => become_candidate(setup, &status),
        candidate => {
            for fd in 0..STATUS_FD {
                // SAFETY: these are the candidate's streams, which this process does not use.
                unsafe { libc::close(fd) };
            }
            let note = match Pid::from_raw(candidate) {
                Some(candidate) => watch(candidate, &status, setup.order),
                None => Note::Failed("fork failed".to_owned()),
            };
            let _ = wire::send(&status, &note, &[]);
            std::process::exit(0)
        }
    }
}

/// Puts the streams at 0 to 4 and the status socket at 5, and closes everything else.
fn arrange(streams: Vec<OwnedFd>, status: UnixStream) -> std::io::Result<UnixStream> {
    use std::os::fd::FromRawFd;
    // First out of the way, so that no target overwrites a source.
    let high = |fd: i32| {
        // SAFETY: duplicating a descriptor touches no memory.
        let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 64) };
        if copy < 0 { Err(std::io::Error::last_os_error()) } else { Ok(copy) }
    };
    let sources: Vec<i32> = streams.iter().map(|fd| high(fd.as_raw_fd())).collect::<Result<_, _>>()?;
    let status_source = high(status.as_raw_fd())?;
    drop(streams);
    std::mem::forget(status);
    for (target, source) in (0..).zip(sources) {
        // SAFETY: as above; the candidate's streams lose the close-on-exec flag by this.
        if unsafe { libc::dup2(source, target) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    // SAFETY: as above.
    if unsafe { libc::dup3(status_source, STATUS_FD, libc::O_CLOEXEC) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: nothing above the status socket is used from here on.
    unsafe { libc::syscall(libc::SYS_close_range, STATUS_FD + 1, u32::MAX, 0) };
    // SAFETY: the descriptor was made above and belongs to nobody else.
    Ok(unsafe { UnixStream::from_raw_fd(STATUS_FD) })
}

/// Puts the walls of the whole cell up.
fn build(setup: &Setup<'_>, status: &UnixStream) -> Result<(), String> {
    let contained = setup.order.level >= Level::L2;
    if setup.user_namespace {
        map_user(INNER_USER, setup.outer)?;
    }
    if let Some(port) = setup.order.job.gateway.filter(|_| contained) {
        // Whoever accepts on the listener has it alone: it is closed here before there is a candidate.
        let listener = network::listen(port)?;
        wire::send(status, &Note::Gateway, &[listener.as_fd()])
            .map_err(failed("hand the gateway's listener over"))?;
    }
    if contained {
        let owner = setup.demote.unwrap_or(INNER_USER);
        mounts::enter(&setup.order.job, &setup.order.root, owner)?;
    }
    if let Some(user) = setup.demote {
        demote(user)?;
        if contained {
            // A user namespace of its own makes the count of processes its own.
            // SAFETY: unsharing touches no memory, and this process has one thread.
            if unsafe { libc::unshare(libc::CLONE_NEWUSER) } == 0 {
                set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(failed("become dumpable"))?;
                map_user(user, (user, user))?;
            }
        }
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("become opaque"))?;
    if contained {
        // The last process of the namespace goes with its first.
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed("die with the launcher"))
    } else {
        set_child_subreaper(Pid::from_raw(1)).map_err(failed("adopt orphans"))
    }
}

fn map_user(inner: u32, (user, group): (u32, u32)) -> Result<(), String> {
    std::fs::write("/proc/self/setgroups", "deny").map_err(failed("close setgroups"))?;
    std::fs::write("/proc/self/uid_map", format!("{inner} {user} 1")).map_err(failed("map the user"))?;
    std::fs::write("/proc/self/gid_map", format!("{inner} {group} 1")).map_err(failed("map the group"))
}

/// Stops being root.
fn demote(user: u32) -> Result<(), String> {
    // SAFETY: these calls change the credentials of this single-threaded process and touch no memory of it.
    let done = unsafe {
        libc::setgroups(0, std::ptr::null()) == 0
            && libc::setresgid(user, user, user) == 0
            && libc::setresuid(user, user, user) == 0
    };
    if done { Ok(()) } else { Err(format!("stop being root: {}", std::io::Error::last_os_error())) }
}

/// Confines this process and becomes the candidate.
fn become_candidate(setup: &Setup<'_>, status: &UnixStream) -> ! {
    let reason = match confine(setup, status) {
        Ok(()) => execute(setup),
        Err(reason) => reason,
    };
    let _ = wire::send(status, &Note::Failed(reason), &[]);
    std::process::exit(SETUP_FAILED)
}

fn confine(setup: &Setup<'_>, status: &UnixStream) -> Result<(), String> {
    let contained = setup.order.level >= Level::L2;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed("die with the first process"))?;
    setpgid(None, None).map_err(failed("lead a process group"))?;
    rustix::process::chdir(&setup.order.job.cwd).map_err(failed("enter the working folder"))?;
    confinement::limit(&setup.order.job, setup.processes)?;
    confinement::drop_privileges()?;
    confinement::landlock(&setup.order.job, contained)?;
    match setup.filters.install()? {
        Some(listener) => wire::send(status, &Note::Listening, &[listener.as_fd()])
            .map_err(failed("hand the listener over")),
        None if setup.order.job.gateway.is_some() && !contained => {
            Err("the kernel tells nobody of the cell's connections, so the gateway cannot be granted"
                .to_owned())
        }
        None => Ok(()),
    }
}

/// Replaces this process; answers only why that failed.
fn execute(setup: &Setup<'_>) -> String {
    let job = &setup.order.job;
    let text = |text: &str| CString::new(text).unwrap_or_default();
    let argv: Vec<CString> = job.argv.iter().map(|argument| text(argument)).collect();
    let env: Vec<CString> = job.env.iter().map(|(name, value)| text(&format!("{name}={value}"))).collect();
    let pointers = |strings: &[CString]| {
        strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>()
    };
    let (Some(program), argv_pointers, env_pointers) = (argv.first(), pointers(&argv), pointers(&env)) else {
        return "there is no program to run".to_owned();
    };
    // SAFETY: the strings and the null-terminated arrays of pointers to them outlive the call.
    unsafe { libc::execve(program.as_ptr(), argv_pointers.as_ptr(), env_pointers.as_ptr()) };
    format!("run {}: {}", program.to_string_lossy(), std::io::Error::last_os_error())
}

/// Waits for the candidate while reaping whatever comes, then ends everything that is left.
fn watch(candidate: Pid, status: &UnixStream, order: &LaunchOrder) -> Note {
    let pidfd = pidfd_open(candidate, PidfdFlags::empty()).ok();
    let exit = loop {
        if let Some(exit) = reap(candidate) {
            break exit;
        }
        let mut fds = vec![PollFd::new(status, PollFlags::empty())];
        fds.extend(pidfd.as_ref().map(|pidfd| PollFd::new(pidfd, PollFlags::IN)));
        let _ = poll(&mut fds, Some(&REAP_EVERY));
        let launcher_gone =
            fds.first().is_some_and(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR));
        // A candidate that sits on a full disk is stopped like one that is over any other limit.
        if launcher_gone || full_place(order).is_some() {
            break Exit::None;
        }
    };
    // Asked before the end, with which files that have no name any more go.
    let full = full_place(order);
    end_all(candidate, order.level);
    let (cpu_us, peak_memory) = usage(libc::RUSAGE_CHILDREN);
    let (own_us, _) = usage(libc::RUSAGE_SELF);
    Note::Ended { exit, cpu_us, own_us, peak_memory, full }
}

/// What a writable place has nothing left of, where the places are file systems of their own.
fn full_place(order: &LaunchOrder) -> Option<LimitKind> {
    if order.level < Level::L2 {
        return None;
    }
    let places = order.job.writable.iter().filter_map(|path| rustix::fs::statvfs(path).ok());
    let mut full = places.filter_map(|place| match (place.f_bfree, place.f_ffree) {
        (0, _) => Some(LimitKind::Disk),
        (_, 0) => Some(LimitKind::Files),
        _ => None,
    });
    full.next_back()
}

/// Reaps all that has ended; answers the candidate's end if it was among it.
fn reap(candidate: Pid) -> Option<Exit> {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == candidate {
            return Some(exit_of(status));
        }
    }
    None
}

/// How a wait status reads.
pub(super) fn exit_of(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::None,
    }
}

/// Kills whatever the candidate left, until nothing is.
fn end_all(candidate: Pid, level: Level) {
    for _ in 0..MAX_KILL_ROUNDS {
        let _ = kill_process_group(candidate, Signal::KILL);
        if level >= Level::L2 {
            // SAFETY: sending a signal touches no memory; -1 is everybody in this process namespace but its first.
            unsafe { libc::kill(-1, libc::SIGKILL) };
        } else {
            for orphan in tree::descendants(rustix::process::getpid().as_raw_nonzero().get()) {
                let _ = Pid::from_raw(orphan).map(|orphan| kill_process(orphan, Signal::KILL));
            }
        }
        // Blocking is right here: everything that is left has been killed.
        if wait(WaitOptions::empty()).is_err() {
            return;
        }
    }
}

/// CPU microseconds and largest resident bytes of this process, or of all that it has reaped.
fn usage(whose: libc::c_int) -> (u64, u64) {
    // SAFETY: all zeroes is a valid `rusage`, and the kernel writes within it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(whose, &raw mut usage);
        usage
    };
    usage_of(&usage)
}

/// CPU microseconds and largest resident bytes of an `rusage`.
fn usage_of(usage: &libc::rusage) -> (u64, u64) {
    let micros = |time: libc::timeval| u64::try_from(time.tv_sec * 1_000_000 + time.tv_usec).unwrap_or(0);
    let kilobytes = u64::try_from(usage.ru_maxrss).unwrap_or(0);
    (micros(usage.ru_utime) + micros(usage.ru_stime), kilobytes * 1024)
}
