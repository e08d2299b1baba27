"""A tree deeper than any path may be long, with names that no text holds."""
import os
import time
from attempt import SCRATCH, held

os.chdir(SCRATCH)
try:
    os.mkdir("n" * 255)
    os.mkdir(b"\xff\xfe\n\x01")
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    os.mkdir(b"\xff")
    os.chmod(".", 0)
except OSError as error:
    held("deep", error)
time.sleep(60)
