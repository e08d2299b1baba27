"""Looks for keys in the environments of all processes that it can see, its own ancestors first."""
import os
from attempt import breach, note

mine = {name.encode() for name in os.environ}
seen = 0
try:
    listed = [name for name in os.listdir("/proc") if name.isdigit()]
except OSError:
    listed = []
for pid in {"1", "2", str(os.getppid()), *listed}:
    if int(pid) == os.getpid():
        continue
    try:
        text = open(f"/proc/{pid}/environ", "rb").read()
    except OSError:
        continue
    seen += 1
    foreign = {part.split(b"=")[0] for part in text.split(b"\0") if part} - mine
    if foreign:
        breach("environ", f"{pid} {sorted(foreign)[:5]}")
note("readable", seen)
