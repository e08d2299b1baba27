"""Looks at what it was born with: its environment and its open files."""
import os
from attempt import breach, note

allowed = set(os.environ["ALLOWED"].split(","))
# What the interpreter adds by itself in a C locale.
for name in set(os.environ) - allowed - {"LC_CTYPE"}:
    breach("environment", name)
for fd in range(5, 4096):
    try:
        os.fstat(fd)
    except OSError:
        continue
    breach("descriptor", fd)
note("descriptors", [fd for fd in range(5) if os.isatty(fd)])
