"""Settles in for long, with a family. The suite kills what watches over it."""
import os
import time
from attempt import note

for _ in range(2):
    if os.fork() == 0:
        os.fork()
        break
# Each of the five says so when it is there.
note("ready", os.getpid())
time.sleep(1000)
