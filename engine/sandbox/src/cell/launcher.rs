//! The launcher: a single-threaded process of its own, one for each lane. It takes a job from its lane, forks the cell's
//! first process into the namespaces of the level, has it watched, and says how it went.
#![expect(unsafe_code, reason = "clone3, clone and fork have no safe bindings")]

use super::child::{self, Setup};
use super::fence::{Places, reachable_to_all, readable_to_all};
use super::filter::Filters;
use super::group::Leaf;
use super::watch::{Watch, most_processes};
use super::wire::{self, Answer, LaunchOrder, Request, Verdict};
use super::{CellOutcome, Exit, Level, can_reach_gateway, prober, tree};
use rustix::process::{Pid, set_child_subreaper};
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// The first argument by which a binary is asked to be a launcher.
pub const LAUNCHER_ARGUMENT: &str = "__cell";
/// The second argument by which it is asked to be a prober instead.
pub(super) const PROBE_ARGUMENT: &str = "probe";

/// How long a count of the user's processes is believed.
const COUNT_FOR: Duration = Duration::from_secs(10);
/// Processes that the user may start elsewhere within that time without the cell's running out of them.
const COUNT_SLACK: u64 = 512;
/// The user that owns nothing.
const NOBODY: u32 = 65_534;
/// The users that nothing is installed for: what systemd gives to services for as long as they run, see
/// systemd.exec(5), DynamicUser.
const FIRST_USER: u32 = 61_184;
const USERS: u32 = 65_519 - FIRST_USER + 1;
/// `CLONE_INTO_CGROUP` of linux/sched.h, of clone3 alone.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
/// The most likely victim when the machine runs out of memory, see proc(5).
const OOM_SCORE: &str = "1000";

/// Runs as a launcher until the lane is gone: reads jobs from the socket at standard input. Call it first in `main`,
/// before any thread, when [`LAUNCHER_ARGUMENT`] is the first argument.
pub fn launcher_main() -> ! {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    if let Some((PROBE_ARGUMENT, rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest))
    {
        prober::run(rest)
    }
    // SAFETY: the lane hands its socket over as standard input, and nothing else in this process uses it.
    let socket = unsafe { UnixStream::from_raw_fd(0) };
    let _ = set_child_subreaper(Pid::from_raw(1));
    // Inherited by every cell. Whoever may not raise it runs as safely without.
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    let code = match serve(&socket) {
        Ok(()) => 0,
        Err(_) => 1,
    };
    std::process::exit(code)
}

fn serve(socket: &UnixStream) -> std::io::Result<()> {
    // By whether a job is fenced and whether it has a gateway: made when the first such job comes.
    let mut filters: BTreeMap<(bool, bool), Result<Filters, String>> = BTreeMap::new();
    let mut census = Census { taken: None, threads: 0 };
    while let Some((request, fds)) = wire::receive::<Request>(socket)? {
        let Request::Run(order) = request else { continue };
        let (fenced, gateway) = (order.level < Level::L2, order.job.gateway.is_some());
        let compiled = filters.entry((fenced, gateway)).or_insert_with(|| Filters::compile(fenced, gateway));
        let granted = if gateway { can_reach_gateway(order.level) } else { Ok(()) };
        let verdict = match (compiled, granted) {
            (Ok(filters), Ok(())) => run(&order, filters, fds, socket, &mut census),
            (Err(reason), _) => Verdict::failure(reason),
            (_, Err(reason)) => Verdict::failure(&reason),
        };
        wire::send(socket, &Answer::Over(verdict), &[])?;
    }
    Ok(())
}

/// How many threads the candidates' user has on this machine, where the kernel counts them all against the limit.
struct Census {
    taken: Option<Instant>,
    threads: u64,
}

impl Census {
    fn threads(&mut self, user: u32) -> u64 {
        if self.taken.is_none_or(|taken| taken.elapsed() > COUNT_FOR) {
            self.threads = tree::threads_of_user(user) + COUNT_SLACK;
            self.taken = Some(Instant::now());
        }
        self.threads
    }
}

fn run(
    order: &LaunchOrder,
    filters: &Filters,
    streams: Vec<OwnedFd>,
    lane: &UnixStream,
    census: &mut Census,
) -> Verdict {
    let contained = order.level >= Level::L2;
    let root = rustix::process::geteuid().is_root();
    let job = &order.job;
    // Another user can be used only where it gets at what the job names. In a contained cell the way there is ours.
    let reachable =
        job.read_only.iter().all(|path| readable_to_all(path) && (contained || reachable_to_all(path)))
            && (contained || job.writable.iter().all(|path| reachable_to_all(path)));
    let demote = if root && reachable { candidates_user(contained) } else { None };
    let user = demote.unwrap_or_else(|| rustix::process::getuid().as_raw());
    let places = if contained { Ok(None) } else { Places::make(&job.writable, demote).map(Some) };
    let (places, (mine, theirs)) = match (places, UnixStream::pair()) {
        (Ok(places), Ok(pair)) => (places, pair),
        (Err(reason), _) => return Verdict::failure(&reason),
        (_, Err(error)) => return Verdict::failure(&format!("make a status socket: {error}")),
    };
    let leaf = match order.group.as_ref().map(|group| Leaf::make(group, &job.limits)).transpose() {
        Ok(leaf) => leaf,
        Err(reason) => return Verdict::failure(&reason),
    };
    let user_namespace = contained && !root;
    let elsewhere = if contained { 0 } else { census.threads(user) };
    let setup = Setup {
        order,
        filters,
        demote,
        user_namespace,
        outer: (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw()),
        processes: most_processes(&job.limits) + elsewhere,
    };
    let began = Instant::now();
    match fork_into(namespaces(contained, user_namespace), leaf.as_ref()) {
        Err(reason) => Verdict::failure(&reason),
        Ok(None) => {
            drop(mine);
            child::run(&setup, streams, theirs)
        }
        Ok(Some(first)) => {
            drop(streams);
            drop(theirs);
            Watch::new(order, first, mine, began).with(places, leaf).follow(lane)
        }
    }
}

/// Who root's candidates are, if there is anybody: nobody, or, where the kernel counts processes by users of the whole
/// machine, somebody else for each lane, so that one cannot use up what another may have.
fn candidates_user(contained: bool) -> Option<u32> {
    let own = FIRST_USER + std::process::id() % USERS;
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let first = if contained { NOBODY } else { own };
    [first, NOBODY].into_iter().find(|user| is_mapped(&map, *user))
}

/// Whether a user exists in a user namespace, from its map; see user_namespaces(7).
fn is_mapped(map: &str, user: u32) -> bool {
    map.lines().any(|line| {
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        matches!(numbers.as_slice(), [first, _, count] if (*first..first + count).contains(&u64::from(user)))
    })
}

fn namespaces(contained: bool, user: bool) -> i32 {
    let own = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    match (contained, user) {
        (false, _) => 0,
        (true, false) => own,
        (true, true) => own | libc::CLONE_NEWUSER,
    }
}

/// Forks into new namespaces, and into a control group. Answers `None` in the child.
fn fork_into(namespaces: i32, leaf: Option<&Leaf>) -> Result<Option<Pid>, String> {
    let last = |doing: &str| format!("{doing}: {}", std::io::Error::last_os_error());
    if namespaces == 0 {
        // SAFETY: this process has one thread, so the child may do anything that a process may.
        let pid = unsafe { libc::fork() };
        return if pid < 0 { Err(last("fork")) } else { Ok(Pid::from_raw(pid)) };
    }
    // SAFETY: all zeroes is a valid `clone_args`: no flags, no stack, a plain fork.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = u64::from(namespaces.unsigned_abs());
    arguments.exit_signal = u64::from(libc::SIGCHLD.unsigned_abs());
    let folder = leaf.map(Leaf::open).transpose()?;
    if let Some(folder) = &folder {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::from(folder.as_raw_fd().unsigned_abs());
    }
    // SAFETY: the kernel reads the structure; without a stack and shared memory this is a fork of one thread.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            std::ptr::from_ref(&arguments),
            std::mem::size_of::<libc::clone_args>(),
        )
    };
    if pid >= 0 {
        return Ok(i32::try_from(pid).ok().and_then(Pid::from_raw));
    }
    let unknown = std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS);
    if !unknown || folder.is_some() {
        return Err(last("make the namespaces"));
    }
    // Containers hide clone3, whose arguments their filters cannot read, and may let the older call through.
    let flags = libc::c_long::from(namespaces | libc::SIGCHLD);
    // SAFETY: as above; the remaining arguments are null whatever their order on this architecture.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if pid < 0 {
        Err(last("make the namespaces"))
    } else {
        Ok(i32::try_from(pid).ok().and_then(Pid::from_raw))
    }
}

impl Verdict {
    /// The sandbox failed before there was a cell.
    pub(super) fn failure(reason: &str) -> Self {
        Self {
            outcome: CellOutcome::SandboxError(reason.to_owned()),
            exit: Exit::None,
            wall_us: 0,
            cpu_us: 0,
            cpu_verified: false,
            peak_memory: 0,
            denials: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_mapped;

    #[test]
    fn users_are_looked_up_in_a_map() {
        let everybody = "         0          0 4294967295\n";
        let container = "0 100000 65536\n";
        let alone = "0 1000 1\n";
        assert!([everybody, container].iter().all(|map| is_mapped(map, 65_534) && is_mapped(map, 0)));
        assert!(is_mapped(alone, 0) && !is_mapped(alone, 65_534) && !is_mapped("", 0));
        assert!(!is_mapped(container, 65_536));
    }
}
