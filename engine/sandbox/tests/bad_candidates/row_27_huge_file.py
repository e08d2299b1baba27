"""One file beyond all measure: written, reserved, and only claimed."""
import os
from attempt import SCRATCH, attempt

path = os.path.join(SCRATCH, "huge")


def write():
    with open(path, "wb") as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))
            file.flush()


file = os.open(os.path.join(SCRATCH, "sparse"), os.O_CREAT | os.O_RDWR)
attempt("sparse", os.ftruncate, file, 1 << 40)
attempt("reserve", os.posix_fallocate, file, 0, 1 << 34)
attempt("seek", lambda: os.pwrite(file, b"x", 1 << 40))
attempt("write", write)
