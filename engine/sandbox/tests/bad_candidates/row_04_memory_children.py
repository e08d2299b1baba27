"""Six processes, each below the limit, together far above."""
import os
import time
from attempt import held

for _ in range(6):
    if os.fork() == 0:
        try:
            hoard = b"x" * (120 << 20)
        except MemoryError as error:
            held("memory", error)
        time.sleep(60)
        os._exit(0)
time.sleep(60)
