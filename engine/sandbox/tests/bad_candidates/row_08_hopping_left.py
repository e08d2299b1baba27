"""Processes that fork and end at once, over and over, so that whoever kills them by number comes too late; and nobody
stays with them."""
import os
import time

end = time.monotonic() + 30
for _ in range(6):
    if os.fork() == 0:
        while time.monotonic() < end:
            if os.fork() != 0:
                os._exit(0)
        os._exit(0)
time.sleep(0.1)
