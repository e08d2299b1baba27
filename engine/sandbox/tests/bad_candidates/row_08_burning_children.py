"""Leaves processes behind that burn CPU time."""
import os

for _ in range(4):
    if os.fork() == 0:
        try:
            os.setpgid(0, 0)
        except OSError:
            pass
        if os.fork() == 0:
            while True:
                pass
        os._exit(0)
