"""Debugs its parent and the daemon."""
import ctypes
import os
from attempt import DAEMON, VICTIM, attempt, call

ATTACH, SEIZE, TRACEME = 16, 0x4206, 0
for name, pid in (("parent", os.getppid()), ("daemon", DAEMON), ("victim", VICTIM)):
    attempt(f"attach-{name}", call, "ptrace", ATTACH, pid, 0, 0)
    attempt(f"seize-{name}", call, "ptrace", SEIZE, pid, 0, 0)
    here = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(here), 8)
    there = (ctypes.c_void_p * 2)(0x400000, 8)
    attempt(f"read-{name}", call, "process_vm_readv", pid, vector, 1, there, 1, 0)
    attempt(f"write-{name}", call, "process_vm_writev", pid, vector, 1, there, 1, 0)
