"""Two daemons, the same target, different seeds: with and without sharing knowledge.

usage: two_daemons.py PATH_TO_DARWIND [PAIRS] [EVALUATIONS] [FUNCTIONS]

For each pair of seeds both daemons begin at the same moment, alone and then as peers. S is the best score that either
reached alone; printed is how many evaluations the better one needed for S alone, and how many both together had spent when
the first of them reached S, alone and sharing. The target is a toolbox of the first FUNCTIONS functions below.
`docs/two-daemons.md` holds figures of such a run.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

# Functions with a fault each, and cases of each: arguments and what is expected.
TOOLS = [
    (
        "middle",
        """
def middle(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 3]
""",
        [([[3, 1, 2]], 2), ([[5, 4, 3, 2, 1]], 3), ([[9, 8, 7, 1, 2]], 7)],
    ),
    (
        "area",
        """
def area(a, b):
    return a + b
""",
        [([2, 3], 6), ([1, 7], 7), ([4, 4], 16)],
    ),
    (
        "largest",
        """
def largest(values):
    best = values[0]
    for value in values:
        if value < best:
            best = value
    return best
""",
        [([[1, 5, 2]], 5), ([[7, 3]], 7), ([[-4, -2, -9]], -2)],
    ),
    (
        "count",
        """
def count(values, wanted):
    found = 1
    for value in values:
        if value == wanted:
            found += 1
    return found
""",
        [([[1, 2, 1], 1], 2), ([[], 4], 0), ([[4, 4], 4], 2)],
    ),
    (
        "clamp",
        """
def clamp(value, low, high):
    return max(high, min(value, low))
""",
        [([5, 0, 3], 3), ([-1, 0, 3], 0), ([2, 0, 3], 2)],
    ),
    (
        "total",
        """
def total(values):
    result = 0
    for value in values[1:]:
        result += value
    return result
""",
        [([[1, 2, 3]], 6), ([[5]], 5), ([[2, 2]], 4)],
    ),
    (
        "is_leap",
        """
def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 and year % 400 == 0)
""",
        [([2000], True), ([1996], True), ([1900], False), ([2001], False)],
    ),
    (
        "last",
        """
def last(values):
    return values[len(values) - 2]
""",
        [([[1, 2, 3]], 3), ([[7, 8]], 8), ([[4]], 4)],
    ),
    (
        "grade",
        """
def grade(points):
    if points > 90:
        return "A"
    if points >= 50:
        return "B"
    return "C"
""",
        [([90], "A"), ([95], "A"), ([50], "B"), ([10], "C")],
    ),
    (
        "initials",
        """
def initials(name):
    return "".join(word[1] for word in name.split())
""",
        [(["ada lovelace"], "al"), (["grace hopper"], "gh"), (["a b"], "ab")],
    ),
    (
        "power",
        """
def power(base, exponent):
    result = 1
    for _ in range(exponent - 1):
        result *= base
    return result
""",
        [([2, 3], 8), ([5, 1], 5), ([3, 0], 1)],
    ),
    (
        "unique",
        """
def unique(values):
    seen = []
    for value in values:
        if value in seen:
            seen.append(value)
    return seen
""",
        [([[1, 2, 1]], [1, 2]), ([[3, 3]], [3]), ([[]], [])],
    ),
    (
        "average",
        """
def average(values):
    return sum(values) // len(values)
""",
        [([[1, 2]], 1.5), ([[2, 4]], 3.0), ([[1, 2, 4, 3]], 2.5)],
    ),
]
CONFIGURATION = """[target]
name = "toolbox"
files = ["program.py"]
[[objective]]
name = "accuracy"
kind = "pass_rate"
cases = "cases.json"
[budget]
evaluations = {evaluations}
"""
TOKEN = "measured"


class Daemon:
    """A daemon with a data folder of its own."""

    def __init__(self, binary, folder):
        self.folder = folder
        self.environment = {**os.environ, "DARWIND_DATA_DIR": folder, "DARWIND_TOKEN": TOKEN, "PEER_TOKEN": TOKEN}
        command = [binary, "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)
        self.base = self.process.stderr.readline().split()[1].split("/#")[0]

    def ask(self, path, body=None):
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers)) as answer:
            return json.load(answer)

    def begin(self, tools, seed, evaluations):
        cases = [
            {"function": name, "args": args, "expected": expected}
            for name, _, examples in tools
            for args, expected in examples
        ]
        files = {
            "program.py": "\n".join(text for _, text, _ in tools),
            "cases.json": json.dumps(cases),
            "darwind.toml": CONFIGURATION.format(evaluations=evaluations),
        }
        self.run = self.ask("/api/v1/runs", {"files": files, "seed": seed})["run_id"]

    def events(self):
        """The run's events to its end."""
        while self.ask(f"/api/v1/runs/{self.run}")["state"] not in ("finished", "stopped", "failed"):
            time.sleep(0.2)
        found, after = [], 0
        while after is not None:
            page = self.ask(f"/api/v1/runs/{self.run}/events?after={after}&limit=1000")
            found += page["events"]
            after = page["next"]
        return found


def measure(binary, tools, seeds, evaluations, sharing):
    """What both runs did: for each, the moments of its evaluations and of its scores."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        daemons = [Daemon(binary, one), Daemon(binary, other)]
        try:
            if sharing:
                for daemon, peer in (daemons, reversed(daemons)):
                    words = [binary, "peers", "add", peer.base, "--token-env", "PEER_TOKEN"]
                    subprocess.run(words, env=daemon.environment, check=True, stdout=subprocess.DEVNULL)
            for daemon, seed in zip(daemons, seeds):
                daemon.begin(tools, seed, evaluations)
            return [story(daemon.events()) for daemon in daemons]
        finally:
            for daemon in daemons:
                daemon.process.kill()
                daemon.process.wait()


def story(events):
    started = [e["timestamp"] for e in events if e["event_type"] == "validation_started" and e["data"]["purpose"] == "judge"]
    applied = [e for e in events if e["event_type"] == "improvement_applied"]
    return started, [(e["timestamp"], e["data"]["scores"]["accuracy"]) for e in applied]


def best(story):
    return max((score for _, score in story[1]), default=0.0)


def reached(story, score):
    """When a run reached a score, or None."""
    return next((at for at, reached in story[1] if reached >= score), None)


def spent(stories, score):
    """Evaluations of all runs together until the first of them reached a score, or None."""
    moments = [at for at in (reached(story, score) for story in stories) if at is not None]
    if not moments:
        return None
    return sum(sum(at <= min(moments) for at in story[0]) for story in stories)


def main():
    binary = os.path.abspath(sys.argv[1])
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    evaluations = int(sys.argv[3]) if len(sys.argv) > 3 else 400
    tools = TOOLS[: int(sys.argv[4]) if len(sys.argv) > 4 else 6]
    print("| seeds | S | better one alone | both, alone | both, sharing | score at the end, alone | sharing |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for pair in range(pairs):
        seeds = (100 + 2 * pair, 101 + 2 * pair)
        alone = measure(binary, tools, seeds, evaluations, False)
        together = measure(binary, tools, seeds, evaluations, True)
        score = max(map(best, alone))
        single = min(x for x in (spent([story], score) for story in alone) if x is not None)
        ends = ["/".join(f"{best(story):.2f}" for story in stories) for stories in (alone, together)]
        row = [f"{seeds[0]}, {seeds[1]}", f"{score:.2f}", single, spent(alone, score), spent(together, score), *ends]
        print("|", " | ".join(map(str, row)), "|", flush=True)


if __name__ == "__main__":
    main()
