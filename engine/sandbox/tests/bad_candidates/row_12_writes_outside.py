"""Writes where a program that wants to win would: the evaluator, the tests, the neighbours, the home."""
import os
from attempt import BAIT, TREE, attempt, write_to

for name in ("evaluator.py", "open/new", "secret", "../beside"):
    attempt(f"bait/{name}", write_to, os.path.join(BAIT, name))
for name in ("program.py", "new.py", "tests/test_program.py", "tests/conftest.py"):
    attempt(f"tree/{name}", write_to, os.path.join(TREE, name))
for path in ("/tmp/bad-candidate", "/var/tmp/bad-candidate", "/root/bad-candidate", "/home/bad-candidate"):
    attempt(path, write_to, path)
attempt("append", lambda: open(os.path.join(TREE, "program.py"), "a"))
attempt("truncate", os.truncate, os.path.join(TREE, "program.py"), 0)
attempt("rename", os.rename, os.path.join(TREE, "program.py"), os.path.join(TREE, "gone.py"))
attempt("replace", os.replace, write_to(os.path.join(os.environ["TMPDIR"], "mine")), os.path.join(TREE, "program.py"))
attempt("unlink", os.unlink, os.path.join(TREE, "program.py"))
attempt("mkdir", os.mkdir, os.path.join(TREE, "folder"))
attempt("rmdir", os.rmdir, os.path.join(TREE, "empty"))
