"""Leaves a message for its successor, and is its own successor."""
import os
from attempt import SCRATCH, breach

for folder in (SCRATCH, "/tmp", "/dev/shm", "/var/tmp", "/run"):
    path = os.path.join(folder, "message-of-a-bad-candidate")
    if os.path.exists(path):
        breach("message", path)
    try:
        open(path, "w").close()
    except OSError:
        pass
