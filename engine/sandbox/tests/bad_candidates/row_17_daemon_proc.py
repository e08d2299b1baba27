"""Looks into the process that started it, through the proc file system."""
import os
from attempt import DAEMON, VICTIM, attempt, read_from

for name, pid in (("daemon", DAEMON), ("victim", VICTIM)):
    for entry in ("environ", "maps", "mem", "auxv", "cwd/Cargo.toml", "root/etc/passwd", "stack"):
        attempt(f"{name}/{entry}", read_from, f"/proc/{pid}/{entry}")
    attempt(f"{name}/fd", os.listdir, f"/proc/{pid}/fd")
    attempt(f"{name}/mem-write", lambda: open(f"/proc/{pid}/mem", "r+b"))
    attempt(f"{name}/oom", lambda: open(f"/proc/{pid}/oom_score_adj", "w").write("1000"))
