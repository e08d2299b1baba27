"""Makes names of its own for files that are not its own."""
import os
from attempt import BAIT, SCRATCH, TREE, attempt

for name, path in (("evaluator", os.path.join(BAIT, "evaluator.py")), ("passwd", "/etc/passwd"),
                   ("program", os.path.join(TREE, "program.py"))):
    attempt(f"link-{name}", os.link, path, os.path.join(SCRATCH, name))
    attempt(f"move-{name}", os.rename, path, os.path.join(SCRATCH, name))
