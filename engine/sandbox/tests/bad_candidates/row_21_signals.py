"""Sends signals to those who judge it. They are harmless ones, since denying does not depend on which."""
import os
import signal
from attempt import DAEMON, VICTIM, attempt, call

for name, pid in (("daemon", DAEMON), ("victim", VICTIM), ("daemon-group", -DAEMON)):
    attempt(f"signal-{name}", os.kill, pid, signal.SIGCONT)
    attempt(f"ask-{name}", os.kill, pid, 0)
# Whom this reaches, the suite sees by the victim: it is stopped, and this signal would let it go on.
try:
    os.kill(-1, signal.SIGCONT)
except OSError:
    pass
try:
    os.kill(os.getppid(), signal.SIGKILL)
except OSError:
    pass
def steal():
    fd = call("pidfd_open", VICTIM, 0)
    return call("pidfd_getfd", fd, 0, 0)
attempt("pidfd", steal)
