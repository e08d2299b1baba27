"""Makes more files than it may, all empty, and stays."""
import os
import time
from attempt import SCRATCH, breach, held

try:
    for number in range(6000):
        os.close(os.open(os.path.join(SCRATCH, f"{number}"), os.O_CREAT | os.O_WRONLY))
except OSError as error:
    held("files", error)
else:
    breach("files", "6000 files")
time.sleep(60)
