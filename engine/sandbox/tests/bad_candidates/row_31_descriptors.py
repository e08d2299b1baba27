"""Takes every open file, pipe buffer and locked page that it gets."""
import fcntl
import mmap
import os
from attempt import attempt, call

hoard = []


def open_all():
    for _ in range(5000):
        hoard.append(os.open("/dev/null", os.O_RDONLY))


def pipes():
    for _ in range(100):
        hoard.extend(os.pipe())
        fcntl.fcntl(hoard[-1], 1031, 1 << 20)


attempt("open", open_all)
for fd in hoard:
    os.close(fd)
hoard = []
attempt("pipes", pipes)
for fd in hoard:
    os.close(fd)
hoard = []
pages = mmap.mmap(-1, 64 << 20)


def lock():
    import ctypes
    call("mlock", ctypes.addressof(ctypes.c_char.from_buffer(pages)), 64 << 20)


attempt("mlock", lock)
