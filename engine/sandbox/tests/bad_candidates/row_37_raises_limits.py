"""Gives itself more than it was given."""
import os
import resource
from attempt import attempt, breach, held

for name in ("RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_CORE"):
    limit = getattr(resource, name)
    _, hard = resource.getrlimit(limit)
    try:
        resource.setrlimit(limit, (hard + 1, hard + 1))
    except ValueError:
        # Python's word for a hard limit that may not be raised.
        held(name, OSError(1, ""))
    except OSError as error:
        held(name, error)
    else:
        breach(name, hard + 1)
before = os.getpriority(os.PRIO_PROCESS, 0)
attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 0, before - 5))
attempt("fifo", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))


def score():
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")


attempt("oom", score)
