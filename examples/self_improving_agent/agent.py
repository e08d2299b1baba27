"""A program-repair agent without a model, and its way in: the contract `evolve-agent/1`.

`solve` repairs the program in the working folder; `propose` edits the agent that lies there, which is its own child.
"""
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import learning  # noqa: E402
import ranking  # noqa: E402
import trial  # noqa: E402

NOTHING_TO_PROPOSE = 3
NOT_UNDERSTOOD = 64


def repair(source, examples, tries):
    """Programs to try in place of `source`, the most promising first, at most `tries`."""
    heuristics = ranking.read_heuristics(HERE)
    return [patch.source for patch in ranking.ranked(source, examples, heuristics)[:tries]]


def solve(task):
    """Repairs `program.py` so that the cases of `examples.json`, [arguments, result], hold."""
    with open("program.py", encoding="utf-8") as file:
        source = file.read()
    with open("examples.json", encoding="utf-8") as file:
        examples = json.load(file)
    for program in repair(source, examples, tries=200):
        if trial.passes(program, examples):
            with open("program.py", "w", encoding="utf-8") as file:
                file.write(program)
            return {"status": "proposed", "summary": "a change that makes every example hold"}
    return {"status": "gave_up", "summary": "no single change makes every example hold"}


def propose(task):
    """Edits the child in the working folder."""
    rng = random.Random(task["seed"])
    with open(os.path.join(HERE, "training.json"), encoding="utf-8") as file:
        bugs = {bug["name"]: bug for bug in json.load(file)}
    failed = [name.rsplit("test_", 1)[-1] for name in task["parent"]["failed"]]
    return learning.improve(os.getcwd(), [bugs[name] for name in failed if name in bugs], rng)


def main(arguments):
    path = arguments[-1] if arguments[:1] == ["--improve"] else os.environ.get("EVOLVE_TASK", "")
    try:
        with open(path, encoding="utf-8") as file:
            task = json.load(file)
        act = {"solve": solve, "propose": propose}[task["kind"]]
        if task["protocol"] != "evolve-agent/1":
            return NOT_UNDERSTOOD
    except (OSError, ValueError, KeyError):
        return NOT_UNDERSTOOD
    answer = act(task)
    if os.environ.get("EVOLVE_RESULT"):
        with open(os.environ["EVOLVE_RESULT"], "w", encoding="utf-8") as file:
            json.dump(answer, file)
    return 0 if answer["status"] == "proposed" else NOTHING_TO_PROPOSE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
