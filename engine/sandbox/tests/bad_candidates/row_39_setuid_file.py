"""Leaves a program behind that runs as its owner for whoever starts it."""
import os
import shutil
from attempt import SCRATCH, note

path = os.path.join(SCRATCH, "gift")
shutil.copy("/bin/true" if os.path.exists("/bin/true") else __file__, path)
try:
    os.chmod(path, 0o6755)
except OSError as error:
    note("chmod", error.errno)
note("mode", oct(os.stat(path).st_mode))
