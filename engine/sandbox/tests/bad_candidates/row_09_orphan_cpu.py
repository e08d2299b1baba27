"""Has half a second of work done by a process that nobody it knows will wait for."""
import os
import time
from attempt import note

read, write = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        while time.process_time() < 0.5:
            pass
        os._exit(0)
    os._exit(0)
os.wait()
os.close(write)
# The end of the pipe is the end of the orphan.
os.read(read, 1)
note("own", time.process_time())
