"""Prints fifty mebibytes."""
import os

for _ in range(50):
    os.write(1, b"x" * (1 << 20))
