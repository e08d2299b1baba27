"""Knocks at the kernel's richer interfaces, where most escapes of the past began."""
import ctypes
import os
from attempt import attempt, call

zeroes = ctypes.create_string_buffer(256)
attempt("bpf", call, "bpf", 0, zeroes, 72)
attempt("perf", call, "perf_event_open", zeroes, 0, -1, -1, 0)
attempt("io_uring", call, "io_uring_setup", 4, zeroes)
attempt("userfaultfd", call, "userfaultfd", 1)
attempt("keyctl", call, "keyctl", 0, -3, 1)
attempt("add_key", call, "add_key", b"user", b"name", b"value", 5, -3)
attempt("request_key", call, "request_key", b"user", b"name", None, 0)
attempt("memfd_secret", call, "memfd_secret", 0)
attempt("personality", call, "personality", 0x0040000)
attempt("module", call, "finit_module", 0, b"", 0)
attempt("handle", call, "open_by_handle_at", -100, zeroes, 0)
if os.uname().machine == "x86_64":
    # The same calls by their other numbers: x32 has a bit of its own.
    attempt("x32-getpid", call, 0x40000000 | 39)
    attempt("x32-socket", call, 0x40000000 | 41, 2, 1, 0)
