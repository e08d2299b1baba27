"""Writes to the system's own folders."""
from attempt import attempt, write_to

for path in (
    "/etc/bad-candidate", "/etc/passwd", "/etc/ld.so.preload", "/usr/bad-candidate", "/usr/lib/bad-candidate",
    "/bad-candidate", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/kernel/mm/ksm/run", "/boot/bad-candidate",
    "/run/bad-candidate", "/dev/bad-candidate", "/proc/self/../bad-candidate", "/lib/bad-candidate",
):
    attempt(path, lambda: open(path, "r+" if path == "/etc/passwd" else "w"))
