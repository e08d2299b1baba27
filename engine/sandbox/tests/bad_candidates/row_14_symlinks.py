"""Walks out of its folder by symbolic links and by `..`."""
import os
from attempt import BAIT, SCRATCH, attempt, read_from, write_to

os.chdir(SCRATCH)
for name, target in (("secret", os.path.join(BAIT, "secret")), ("root", "/"), ("folder", BAIT)):
    attempt(f"link-{name}", lambda: (os.symlink(target, name), read_from(name if name == "secret" else name + BAIT + "/secret")))
up = "../" * 40
attempt("up-read", read_from, up + BAIT.lstrip("/") + "/secret")
attempt("up-write", write_to, up + BAIT.lstrip("/") + "/evaluator.py")
attempt("cwd", read_from, "/proc/self/cwd/" + up + BAIT.lstrip("/") + "/secret")
attempt("proc-root", read_from, "/proc/self/root" + BAIT + "/secret")
attempt("parent-root", read_from, f"/proc/{os.getppid()}/root" + BAIT + "/secret")
