"""What the bad candidates share: saying, on the report channel, what came of an attempt.

`held NAME ERROR` is an attempt that the cell denied, `breach NAME WHAT` one that succeeded and must not have, and
`note NAME WHAT` a fact. The suite reads these lines; a candidate has nothing to gain by lying in them here.
"""

import ctypes
import errno
import os

# Numbers of the calls that Python has no function for, by machine; see syscalls(2) and asm/unistd.h.
NUMBERS = {
    "x86_64": dict(
        ptrace=101, personality=135, pivot_root=155, adjtimex=159, chroot=161, mount=165, umount2=166, clone=56,
        add_key=248, request_key=249, keyctl=250, inotify_init1=294, perf_event_open=298, fanotify_init=300, setns=308,
        process_vm_readv=310, process_vm_writev=311, finit_module=313, bpf=321, userfaultfd=323, unshare=272,
        io_uring_setup=425, clone3=435, memfd_secret=447, clock_settime=227, shmget=29, shmat=30, msgget=68, semget=64,
        prlimit64=302, mlock=149, ioctl=16, open_by_handle_at=304, pidfd_open=434, pidfd_getfd=438, getpid=39,
    ),
    "aarch64": dict(
        ptrace=117, personality=92, pivot_root=41, adjtimex=171, chroot=51, mount=40, umount2=39, clone=220,
        add_key=217, request_key=218, keyctl=219, inotify_init1=26, perf_event_open=241, fanotify_init=262, setns=268,
        process_vm_readv=270, process_vm_writev=271, finit_module=273, bpf=280, userfaultfd=282, unshare=97,
        io_uring_setup=425, clone3=435, memfd_secret=447, clock_settime=112, shmget=194, shmat=196, msgget=186,
        semget=190, prlimit64=261, mlock=228, ioctl=29, open_by_handle_at=265, pidfd_open=434, pidfd_getfd=438,
        getpid=172,
    ),
}[os.uname().machine]

LIBC = ctypes.CDLL(None, use_errno=True)
BAIT = os.environ.get("BAIT", "/nowhere")
TREE = os.environ.get("TREE", "/nowhere")
SCRATCH = os.environ.get("TMPDIR", "/nowhere")
DAEMON = int(os.environ.get("DAEMON", "0"))
VICTIM = int(os.environ.get("VICTIM", "0"))


def say(kind, name, what):
    os.write(3, f"{kind} {name} {what}\n".encode("ascii", "backslashreplace"))


def note(name, what):
    say("note", name, what)


def breach(name, what=""):
    say("breach", name, what)


def held(name, error):
    if isinstance(error, MemoryError):
        word = "ENOMEM"
    elif isinstance(error, RuntimeError):
        # What Python's threading makes of a thread that cannot be started.
        word = "EAGAIN"
    else:
        word = errno.errorcode.get(error.errno, str(error.errno))
    say("held", name, word)


def attempt(name, action, *arguments):
    """Does what must not succeed."""
    try:
        result = action(*arguments)
    except (OSError, MemoryError, RuntimeError) as error:
        held(name, error)
        return None
    breach(name, repr(result)[:80])
    return result


def call(number, *arguments):
    """A system call by name or number; raises what it fails with."""
    number = NUMBERS.get(number, number)
    words = [a if a is None or isinstance(a, (bytes, ctypes.Array)) else ctypes.c_long(a) for a in arguments]
    ctypes.set_errno(0)
    result = LIBC.syscall(ctypes.c_long(number), *words)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def write_to(path, text="x"):
    with open(path, "w") as file:
        file.write(text)
    return path


def read_from(path):
    with open(path, "rb") as file:
        return file.read(200)
