"""Fills its disk with many files, each of them modest, and stays."""
import os
import time
from attempt import SCRATCH, breach, held

try:
    for number in range(64):
        with open(os.path.join(SCRATCH, f"{number}"), "wb") as file:
            file.write(b"x" * (1 << 20))
except OSError as error:
    held("fill", error)
else:
    breach("fill", "64 MiB")
time.sleep(60)
