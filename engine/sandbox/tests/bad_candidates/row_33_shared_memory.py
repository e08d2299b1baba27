"""Leaves shared memory behind. The second time it looks whether something was left."""
import os
from attempt import attempt, breach, call, note

attempt("shmget", call, "shmget", 4242, 4096, 0o1666)
attempt("msgget", call, "msgget", 4242, 0o1666)
attempt("semget", call, "semget", 4242, 1, 0o1666)
try:
    if os.listdir("/dev/shm") and os.path.exists("/dev/shm/bad-candidate"):
        breach("left", "/dev/shm")
except OSError:
    pass
try:
    open("/dev/shm/bad-candidate", "w").write("x")
    note("shm", "written")
except OSError as error:
    note("shm", error.errno)
