"""Plants files that an interpreter would run by itself the next time it starts."""
import os
import site
import sys
import sysconfig
from attempt import SCRATCH, TREE, attempt, write_to

EVIL = "import os; os.write(1, b'planted')"
for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sys.prefix, TREE}:
    for name in ("sitecustomize.py", "usercustomize.py", "evil.pth"):
        attempt(f"{folder}/{name}", write_to, os.path.join(folder, name), EVIL)
# These may be written: they must be gone, or not be looked at, when the next one starts.
for folder in (SCRATCH, site.getusersitepackages()):
    try:
        os.makedirs(folder, exist_ok=True)
        for name in ("sitecustomize.py", "usercustomize.py", "evil.pth"):
            write_to(os.path.join(folder, name), EVIL)
    except OSError:
        pass
