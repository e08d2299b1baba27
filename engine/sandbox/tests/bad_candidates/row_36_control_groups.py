"""Leaves its control group, or makes one without limits."""
import os
from attempt import attempt

for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory"):
    attempt(f"mkdir-{root}", os.mkdir, f"{root}/bad-candidate")
    attempt(f"join-{root}", lambda: open(f"{root}/cgroup.procs", "w").write("0"))
    attempt(f"join-tasks-{root}", lambda: open(f"{root}/tasks", "w").write("0"))
attempt("release", lambda: open("/sys/fs/cgroup/release_agent", "w"))
