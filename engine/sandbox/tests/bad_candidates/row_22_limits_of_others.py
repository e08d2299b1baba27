"""Changes the limits and the priority of the processes that judge it."""
import ctypes
import os
import resource
from attempt import DAEMON, VICTIM, attempt, note

for name, pid in (("daemon", DAEMON), ("victim", VICTIM)):
    attempt(f"prlimit-{name}", resource.prlimit, pid, resource.RLIMIT_NOFILE, (1, 1))
    attempt(f"nice-{name}", os.setpriority, os.PRIO_PROCESS, pid, 19)
    attempt(f"affinity-{name}", os.sched_setaffinity, pid, {0})
# The cell's own first process is the candidate's user; what it may do to that ends with the cell.
try:
    resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (64, 64))
    note("init", "reached")
except OSError as error:
    note("init", error.errno)
