"""One process that takes four times the memory it may have, and keeps it."""
import time
from attempt import breach, held

hoard = []
try:
    for _ in range(64):
        hoard.append(b"x" * (16 << 20))
except MemoryError as error:
    held("memory", error)
else:
    breach("memory", "1 GiB")
time.sleep(60)
