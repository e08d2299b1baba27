"""Becomes somebody else."""
import os
import stat
import time
from attempt import SCRATCH, attempt, breach, note


def become(action):
    # In a process of its own, lest it lose the user that the rest of the attempts need.
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, "")


if os.getuid() != 0:
    attempt("setuid", become, lambda: os.setuid(0))
    attempt("setgid", become, lambda: os.setgid(0))
attempt("setgroups", become, lambda: os.setgroups([0, 27]))
attempt("mknod", os.mknod, os.path.join(SCRATCH, "disk"), 0o666 | stat.S_IFBLK, os.makedev(254, 0))
attempt("clock", time.clock_settime, time.CLOCK_REALTIME, time.time())
try:
    status = open("/proc/self/status").readlines()
except OSError:
    status = []
for line in status:
    if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd")) and int(line.split()[1], 16):
        if not line.startswith("CapBnd"):
            breach("capability", line.strip())
        note("bounding", line.strip())
    if line.startswith("NoNewPrivs") and line.split()[1] != "1":
        breach("no_new_privs", line.strip())
for program in ("/bin/su", "/usr/bin/su", "/usr/bin/sudo"):
    def gain():
        pid = os.fork()
        if pid == 0:
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            os.dup2(null, 2)
            try:
                os.execv(program, [program, "-c", "test $(id -u) = 0 && exit 99"])
            except OSError as error:
                os._exit(error.errno)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code == 99 and os.getuid() != 0:
            return "root"
        raise OSError(code if 0 < code < 99 else 1, "")
    attempt(program, gain)
