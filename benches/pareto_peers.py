"""Non-dominated sorting beside pymoo's, in one run.

    python3 benches/pareto_peers.py target/release/darwind PYTHON [PYTHON ...]

Each PYTHON is an interpreter with a version of pymoo installed (0.6.2 sorts in C by moocore, 0.6.1.6 in Python). Prints one
line for each number of objectives and each peer: seconds, and the peer's as a multiple of ours. The quickest of five counts.
"""

import json
import subprocess
import sys

PEER = """
import json, sys, time
from importlib.metadata import version
import numpy as np
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting
answer = {}
for m in (3, 4, 5):
    points = np.random.default_rng(1).random((10_000, m))
    best = float("inf")
    for _ in range(int(sys.argv[1])):
        began = time.perf_counter()
        NonDominatedSorting().do(points)
        best = min(best, time.perf_counter() - began)
        if best > 2:
            break
    answer[m] = best
print(json.dumps({"version": version("pymoo"), "seconds": answer}))
"""


def main():
    darwind, *pythons = sys.argv[1:]
    run = subprocess.run([darwind, "bench", "pareto", "--json"], check=True, capture_output=True, text=True)
    ours = {row["m"]: row["seconds"] for row in json.loads(run.stdout)}
    for python in pythons:
        run = subprocess.run([python, "-c", PEER, "5"], check=True, capture_output=True, text=True)
        peer = json.loads(run.stdout)
        for m, seconds in peer["seconds"].items():
            own = ours[int(m)]
            print(f"m {m}: darwind {own * 1e3:.2f} ms, pymoo {peer['version']} {seconds * 1e3:.2f} ms, {seconds / own:.1f} times ours")


if __name__ == "__main__":
    main()
