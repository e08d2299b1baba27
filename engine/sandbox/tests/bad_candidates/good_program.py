"""What honest programs do, which the walls must not get in the way of."""
import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from attempt import SCRATCH, note


def check(name, action):
    try:
        note(name, "works" if action() else "is wrong")
    except Exception as error:
        note(name, f"fails with {error!r}")


def threads():
    results = []
    workers = [threading.Thread(target=lambda n=n: results.append(n)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(results) == list(range(8))


def files():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a")
        with open(path, "w") as file:
            file.write("text")
        os.chmod(path, 0o600)
        shutil.copy2(path, path + "2")
        os.rename(path + "2", path + "3")
        return open(path + "3").read() == "text" and folder.startswith(SCRATCH)


def database():
    with sqlite3.connect(os.path.join(SCRATCH, "base")) as base:
        base.execute("create table t (x)")
        base.executemany("insert into t values (?)", [(n,) for n in range(100)])
        return base.execute("select sum(x) from t").fetchone() == (4950,)


def child():
    return subprocess.run([sys.executable, "-I", "-S", "-c", "print(6 * 7)"], capture_output=True).stdout == b"42\n"


def coroutines():
    async def main():
        return await asyncio.gather(*(asyncio.sleep(0, n) for n in range(4)))
    return asyncio.run(main()) == [0, 1, 2, 3]


def limits():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 50), hard))
    return True


def pool():
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as workers:
        return workers.map(abs, [-1, -2]) == [1, 2]


for action in (threads, files, database, child, coroutines, pool, limits):
    check(action.__name__, action)
