//! The system calls that a cell may not make. One filter denies, one denies and is counted by the launcher, and in fenced
//! cells one says that a call was made and makes it not.
//!
//! Compiled once in the launcher, installed by each child.
#![expect(unsafe_code, reason = "installing a filter with a listener is not offered by any safe binding")]

use super::calls::{
    COUNTED, DENIED, DENIED_FENCED, DENIED_FENCED_HERE, DENIED_HERE, DENIED_REQUESTS, DENIED_UNSCOPED,
    IGNORED_FENCED, IGNORED_FENCED_HERE, SELF_ONLY_FENCED,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;
use std::os::fd::{FromRawFd, OwnedFd};

/// Marks returns of the counted filter until they are turned into notifications, which `seccompiler` does not know.
const MARK: u32 = 0x0abc;
/// `SECCOMP_RET_TRACE` with the mark, see linux/seccomp.h.
const RET_TRACE_MARK: u32 = 0x7ff0_0000 | MARK;
/// `SECCOMP_RET_USER_NOTIF`, see linux/seccomp.h.
const RET_USER_NOTIF: u32 = 0x7fc0_0000;
/// `BPF_RET | BPF_K`.
const BPF_RET: u16 = 0x06;
/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`, see linux/seccomp.h.
const CONTINUE: u32 = 1;
/// The family of sockets by which processes of one machine speak.
const AF_UNIX: u32 = libc::AF_UNIX.unsigned_abs();
/// The bits of a socket's type that are not flags, `SOCK_TYPE_MASK` of linux/net.h.
const SOCKET_KINDS: u64 = 0xf;
/// The first version of Landlock that keeps signals within.
const FIRST_SCOPED: i64 = 6;

/// Name of a counted call.
fn counted_name(number: libc::c_long) -> &'static str {
    if number == libc::SYS_clone {
        return "clone";
    }
    COUNTED.iter().find(|(counted, _)| *counted == number).map_or("other", |(_, name)| name)
}

/// The filters of one level, compiled.
pub(super) struct Filters {
    plain: Vec<BpfProgram>,
    counted: BpfProgram,
    counted_fallback: BpfProgram,
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn always(calls: &[libc::c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn compile(rules: Rules, action: SeccompAction) -> Result<BpfProgram, String> {
    let architecture = std::env::consts::ARCH.try_into().map_err(|error| format!("{error}"))?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, architecture);
    filter.and_then(TryInto::try_into).map_err(|error: seccompiler::BackendError| error.to_string())
}

/// Puts in front of a filter that the kernel knows neither `clone3`, whose arguments no filter can see and for which C
/// libraries have a substitute, nor the calls of the x32 interface, which share the architecture's name but not its
/// numbers, so that no other rule fits them.
fn hiding(program: BpfProgram) -> BpfProgram {
    /// Loads the call's number, which comes first in `struct seccomp_data`: `BPF_LD | BPF_W | BPF_ABS`.
    const LOAD: u16 = 0x20;
    /// `BPF_JMP | BPF_JEQ | BPF_K` and `BPF_JMP | BPF_JGE | BPF_K`.
    const IF_EQUAL: u16 = 0x15;
    const IF_AT_LEAST: u16 = 0x35;
    /// `__X32_SYSCALL_BIT` of asm/unistd.h; no number elsewhere comes near it.
    const X32: u32 = 0x4000_0000;
    let clone3 = u32::try_from(libc::SYS_clone3).unwrap_or(X32);
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    let instruction = |code: u16, jt: u8, jf: u8, k: u32| seccompiler::sock_filter { code, jt, jf, k };
    let mut whole = vec![
        instruction(LOAD, 0, 0, 0),
        instruction(IF_AT_LEAST, 1, 0, X32),
        instruction(IF_EQUAL, 0, 1, clone3),
        instruction(BPF_RET, 0, 0, unknown),
    ];
    whole.extend(program);
    whole
}

/// `call` with any of `bits` set in argument `argument`.
fn with_bits(argument: u8, bits: &[u64]) -> Result<Vec<SeccompRule>, String> {
    let rule = |bit: &u64| {
        let condition =
            SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(*bit), *bit);
        condition.and_then(|condition| SeccompRule::new(vec![condition])).map_err(|error| error.to_string())
    };
    bits.iter().map(rule).collect()
}

/// A rule that every one of some comparisons of arguments with numbers must fit.
fn compared(conditions: &[(u8, SeccompCmpArgLen, SeccompCmpOp, u64)]) -> Result<SeccompRule, String> {
    let conditions = conditions.iter().map(|(argument, length, operator, value)| {
        SeccompCondition::new(*argument, length.clone(), operator.clone(), *value)
    });
    let conditions: Result<Vec<_>, _> = conditions.collect();
    conditions.and_then(SeccompRule::new).map_err(|error| error.to_string())
}

/// Every socket but those of TCP over version 4 of the Internet protocol. Other protocols for streams are walls of
/// their own that nothing else watches.
fn other_sockets() -> Result<Vec<SeccompRule>, String> {
    let (family, stream) =
        (u64::from(libc::AF_INET.unsigned_abs()), u64::from(libc::SOCK_STREAM.unsigned_abs()));
    let mut rules = vec![compared(&[(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)])?];
    for kind in (0..=SOCKET_KINDS).filter(|kind| *kind != stream) {
        rules.push(compared(&[(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(SOCKET_KINDS), kind)])?);
    }
    let neither = [0, libc::IPPROTO_TCP.unsigned_abs()]
        .map(|protocol| (2, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(protocol)));
    rules.push(compared(&neither)?);
    Ok(rules)
}

/// Ways of a TCP socket around its `connect`: sending to an address at once (`MSG_FASTOPEN`), and options of the
/// Internet protocol, by which packets can be sent over somebody else's machine (`IP_OPTIONS`, see ip(7)).
fn detours() -> Result<Rules, String> {
    let fast = [u64::from(libc::MSG_FASTOPEN.unsigned_abs())];
    let options = compared(&[(
        1,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Eq,
        u64::from(libc::IPPROTO_IP.unsigned_abs()),
    )])?;
    Ok(BTreeMap::from([
        (libc::SYS_sendto, with_bits(3, &fast)?),
        (libc::SYS_sendmsg, with_bits(2, &fast)?),
        (libc::SYS_sendmmsg, with_bits(3, &fast)?),
        (libc::SYS_setsockopt, vec![options]),
    ]))
}

impl Filters {
    /// Compiles the filters; `fenced` adds what only level 1 needs, `gateway` leaves TCP by version 4 of the Internet
    /// protocol, and at level 1 asks the launcher about each connection.
    pub(super) fn compile(fenced: bool, gateway: bool) -> Result<Self, String> {
        let mut denied = always(DENIED);
        if gateway {
            denied.remove(&libc::SYS_connect);
            if !fenced {
                // In a network of the cell's own only the cell can be listened to: some agents are a server to themselves.
                for call in [libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4] {
                    denied.remove(&call);
                }
            }
            denied.extend(detours()?);
        }
        denied.extend(always(DENIED_HERE));
        let namespaces: Vec<u64> = [
            libc::CLONE_NEWUSER,
            libc::CLONE_NEWNS,
            libc::CLONE_NEWPID,
            libc::CLONE_NEWNET,
            libc::CLONE_NEWIPC,
            libc::CLONE_NEWUTS,
            libc::CLONE_NEWCGROUP,
        ]
        .iter()
        .map(|flag| u64::from(flag.unsigned_abs()))
        .collect();
        let request =
            |request: &u32| compared(&[(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(*request))]);
        denied.insert(libc::SYS_ioctl, DENIED_REQUESTS.iter().map(request).collect::<Result<_, _>>()?);
        // Pairs of stream sockets stay in the cell. Datagrams can be sent to any name, whatever they were paired with.
        let mut pairs =
            vec![compared(&[(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(AF_UNIX))])?];
        for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW] {
            let kind = u64::from(kind.unsigned_abs());
            pairs.push(compared(&[(
                1,
                SeccompCmpArgLen::Dword,
                SeccompCmpOp::MaskedEq(SOCKET_KINDS),
                kind,
            )])?);
        }
        denied.insert(libc::SYS_socketpair, pairs);
        if fenced {
            denied.extend(always(DENIED_FENCED));
            denied.extend(always(DENIED_FENCED_HERE));
            for (call, argument) in SELF_ONLY_FENCED {
                let rule = compared(&[(*argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0)])?;
                denied.entry(*call).or_default().push(rule);
            }
            if landlock_version() < FIRST_SCOPED {
                denied.extend(always(DENIED_UNSCOPED));
            }
        }
        let errno = |number: i32| SeccompAction::Errno(number.unsigned_abs());
        let mut plain = vec![hiding(compile(denied, errno(libc::EPERM))?)];
        if fenced {
            let mut ignored = always(IGNORED_FENCED);
            ignored.extend(always(IGNORED_FENCED_HERE));
            plain.push(compile(ignored, SeccompAction::Errno(0))?);
        }
        let counted: Vec<libc::c_long> = COUNTED.iter().map(|(call, _)| *call).collect();
        let counted = || -> Result<Rules, String> {
            let mut rules = always(&counted);
            rules.insert(libc::SYS_clone, with_bits(0, &namespaces)?);
            if gateway {
                rules.insert(libc::SYS_socket, other_sockets()?);
            }
            if gateway && fenced {
                rules.insert(libc::SYS_connect, Vec::new());
            }
            Ok(rules)
        };
        let mut watched = counted()?;
        // Whoever changes what becomes of dead children can have them cost nothing in the kernel's books.
        let changes = compared(&[
            (0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(libc::SIGCHLD.unsigned_abs())),
            (1, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0),
        ])?;
        watched.insert(libc::SYS_rt_sigaction, vec![changes]);
        let mut notifying = compile(watched, SeccompAction::Trace(MARK))?;
        for instruction in &mut notifying {
            if instruction.code == BPF_RET && instruction.k == RET_TRACE_MARK {
                instruction.k = RET_USER_NOTIF;
            }
        }
        let counted_fallback = compile(counted()?, errno(libc::EPERM))?;
        Ok(Self { plain, counted: notifying, counted_fallback })
    }

    /// Installs the filters in this process for good. Answers the listener of the counted calls, if the kernel gives
    /// one; else they are denied without a count.
    pub(super) fn install(&self) -> Result<Option<OwnedFd>, String> {
        let listener = install(&self.counted, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER).ok();
        if listener.is_none() {
            install(&self.counted_fallback, 0).map_err(|error| error.to_string())?;
        }
        for program in &self.plain {
            install(program, 0).map_err(|error| error.to_string())?;
        }
        // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
        Ok(listener.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }))
    }
}

fn install(program: &BpfProgram, flags: libc::c_ulong) -> std::io::Result<i32> {
    let length = libc::c_ushort::try_from(program.len()).map_err(std::io::Error::other)?;
    // The kernel reads `struct sock_fprog`, and `seccompiler::sock_filter` has the layout of its elements.
    let description =
        libc::sock_fprog { len: length, filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut() };
    // SAFETY: `description` and the program that it points to outlive the call, which only reads them.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            std::ptr::from_ref(&description),
        )
    };
    if answer < 0 {
        return Err(std::io::Error::last_os_error());
    }
    i32::try_from(answer).map_err(std::io::Error::other)
}

/// A connection that a process wants to make.
pub(super) struct Connection {
    /// The notification.
    pub(super) id: u64,
    /// The thread that asks.
    pub(super) thread: u32,
    /// Its descriptor, the address of the address, and how long that is.
    pub(super) arguments: [u64; 3],
}

/// A call that the launcher was asked about.
pub(super) enum Call {
    /// One that is counted, by name; it was denied.
    Denied(&'static str),
    /// Dead children shall be treated as they are anyway; it was answered and not done.
    KeepsDefault,
    /// The way dead children are treated was changed; it was allowed.
    HidesChildren,
    /// A connection; it was not yet answered.
    Connects(Connection),
}

/// Answers one notification. `None` when its caller is gone.
///
/// # Errors
/// When there is nobody left who could call.
pub(super) fn answer_next(listener: &OwnedFd) -> std::io::Result<Option<Call>> {
    use std::os::fd::AsRawFd;
    /// `SECCOMP_IOCTL_NOTIF_RECV` of linux/seccomp.h.
    const RECEIVE: libc::c_ulong = 0xc050_2100;
    // SAFETY: the structure is plain data for which all zeroes is valid, and the kernel demands zeroes.
    let mut asked: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most the structure's size, which is part of the request's number.
    let received = unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE as _, std::ptr::from_mut(&mut asked)) };
    if received != 0 {
        let error = std::io::Error::last_os_error();
        let gone = matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR));
        return if gone { Ok(None) } else { Err(error) };
    }
    let number = libc::c_long::from(asked.data.nr);
    let call = match number {
        libc::SYS_rt_sigaction if keeps_default(&asked) => Call::KeepsDefault,
        libc::SYS_rt_sigaction => Call::HidesChildren,
        libc::SYS_connect => {
            let [socket, address, length, ..] = asked.data.args;
            let arguments = [socket, address, length];
            return Ok(Some(Call::Connects(Connection { id: asked.id, thread: asked.pid, arguments })));
        }
        _ => Call::Denied(counted_name(number)),
    };
    let (error, flags) = match call {
        Call::Denied(_) => (-libc::EPERM, 0),
        // Not done, but nothing would have changed.
        Call::KeepsDefault | Call::Connects(_) => (0, 0),
        Call::HidesChildren => (0, CONTINUE),
    };
    respond(listener, asked.id, error, flags);
    Ok(Some(call))
}

/// Answers a notification: with a negative error number, or with 0 for success.
pub(super) fn respond(listener: &OwnedFd, id: u64, error: i32, flags: u32) {
    use std::os::fd::AsRawFd;
    /// `SECCOMP_IOCTL_NOTIF_SEND` of linux/seccomp.h.
    const SEND: libc::c_ulong = 0xc018_2101;
    let mut answer = libc::seccomp_notif_resp { id, val: 0, error, flags };
    // SAFETY: the kernel reads the structure, whose size is part of the request's number. A caller that was killed
    // meanwhile needs no answer, so a failure changes nothing.
    let _ = unsafe { libc::ioctl(listener.as_raw_fd(), SEND as _, std::ptr::from_mut(&mut answer)) };
}

/// Whether who asked still waits for the answer: then its number still means it.
pub(super) fn still_asked(listener: &OwnedFd, id: u64) -> bool {
    use std::os::fd::AsRawFd;
    /// `SECCOMP_IOCTL_NOTIF_ID_VALID` of linux/seccomp.h.
    const VALID: libc::c_ulong = 0x4008_2102;
    // SAFETY: the kernel reads the eight bytes that the request's number says.
    unsafe { libc::ioctl(listener.as_raw_fd(), VALID as _, std::ptr::from_ref(&id)) == 0 }
}

/// Whether a call of `rt_sigaction` asks for the default treatment of a signal and nothing else, as starting a program
/// by `posix_spawn` does. What was read may be changed right afterwards, so such a call is never let through: the
/// treatment is the default one already, or its change was noticed before.
fn keeps_default(asked: &libc::seccomp_notif) -> bool {
    use std::os::unix::fs::FileExt;
    /// Handler and flags lead `struct sigaction` of the kernel's interface, a word each.
    const WORD: usize = 8;
    let [_, action, old, ..] = asked.data.args;
    let mut words = [0_u8; 2 * WORD];
    let memory = std::fs::File::open(format!("/proc/{}/mem", asked.pid));
    if old != 0 || memory.and_then(|memory| memory.read_exact_at(&mut words, action)).is_err() {
        return false;
    }
    let (handler, flags) = words.split_at(WORD);
    let no_wait = u8::try_from(libc::SA_NOCLDWAIT).unwrap_or(u8::MAX);
    let flagged = flags.iter().take(1).any(|byte| byte & no_wait != 0);
    handler.iter().all(|byte| *byte == 0) && !flagged
}

/// The version of Landlock that the kernel has; 0 for none. See landlock_create_ruleset(2).
pub(super) fn landlock_version() -> i64 {
    /// `LANDLOCK_CREATE_RULESET_VERSION` of linux/landlock.h.
    const VERSION: libc::c_long = 1;
    // SAFETY: asked for its version, the call reads nothing.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, VERSION) };
    version.max(0)
}
