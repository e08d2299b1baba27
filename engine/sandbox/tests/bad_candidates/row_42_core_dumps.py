"""Crashes with as large a core as it can make, over and over."""
import os
import resource
from attempt import SCRATCH

os.chdir(SCRATCH)
ballast = b"x" * (32 << 20)
for _ in range(5):
    if os.fork() == 0:
        os.abort()
    os.wait()
assert os.listdir(SCRATCH) == []
os.abort()
