"""Opens the machine's devices."""
import fcntl
import os
import termios
from attempt import attempt

for name in ("kvm", "kmsg", "fuse", "vda", "sda", "mem", "net/tun", "tty", "tty0", "console", "ptmx", "loop-control",
             "uinput", "vhost-vsock", "autofs", "mapper/control"):
    attempt(name, lambda: open(f"/dev/{name}", "r+b", buffering=0))
attempt("type", lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"))
