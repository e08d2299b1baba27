"""Evaluations until the best program is found: darwind's default selection beside OpenEvolve's and ShinkaEvolve's, with the
same proposer.

    python3 benches/selection_peers.py target/release/darwind PYTHON [--budget N] [SEEDS [LANDSCAPE ...]]

PYTHON is an interpreter with the packages `openevolve` and `shinka-evolve` installed; an engine that it lacks is left out. All
engines run the same task, darwind and OpenEvolve as OpenEvolve writes it and ShinkaEvolve by a program that asks the same
evaluator, with their default selection and one evaluation at a time. Their model is one endpoint on the loopback interface: it
finds the program to be changed in the prompt, changes one number of it by one, and answers with the whole program. So all have
the same proposer, the same budget and the same landscape; what differs is which program is asked about. Of ShinkaEvolve, what
would ask a model for something else than a program is off: embeddings, and with them its novelty check, and recommendations.
Every evaluation counts that an engine starts after the initial program's, a program that it has evaluated before included.
Prints one line for each landscape and engine: the median over the seeds, the least and the most, and the runs themselves,
`None` for one that did not find the best program within the budget (counted as the budget).
"""

import http.server
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BUDGET = 150
# Longest run of one engine, in seconds.
PATIENCE = 3600
# Where the program to be changed stands in the prompt of each engine: after these words.
MARKS = ["# Current Program\n", "# Current program\n", "The program as it stands:"]
NUMBERS = re.compile(r"NUMBERS = \[([0-9, ]+)\]")

PROGRAM = """# EVOLVE-BLOCK-START
NUMBERS = {numbers}
# EVOLVE-BLOCK-END
"""

EVALUATOR = """import os
import re


def score(n):
    {score}


def evaluate(path):
    with open(path) as file:
        numbers = [int(n) for n in re.search(r"NUMBERS = \\[([0-9, ]+)\\]", file.read()).group(1).split(",")]
    value = score(numbers)
    if "EVALUATIONS" in os.environ:
        with open(os.environ["EVALUATIONS"], "a") as file:
            file.write(f"{{value}}\\n")
    return {{"combined_score": value}}
"""

CONFIG = """max_iterations: {budget}
random_seed: {seed}
diff_based_evolution: false
max_code_length: 10000
llm:
  primary_model: simulated
  api_base: http://127.0.0.1:{port}/v1
  api_key: ${{OPENAI_API_KEY}}
evaluator:
  cascade_evaluation: false
  parallel_evaluations: 1
"""

# Follows the evaluator to make it one of ShinkaEvolve: a program for each candidate, that writes two files. It is one file,
# since ShinkaEvolve runs a copy of it from a folder of its own.
EVALUATE = """
import argparse
import json
import pathlib

asked = argparse.ArgumentParser()
asked.add_argument("--program_path")
asked.add_argument("--results_dir")
asked = asked.parse_args()
results = pathlib.Path(asked.results_dir)
results.mkdir(parents=True, exist_ok=True)
(results / "metrics.json").write_text(json.dumps(dict(evaluate(asked.program_path), public={}, private={})))
(results / "correct.json").write_text(json.dumps({"correct": True, "error": ""}))
"""

# ShinkaEvolve's command, with the seed that it has no option for.
SHINKA = """import random
import sys

import numpy
from shinka.cli.run import main

random.seed(int(sys.argv[1]))
numpy.random.seed(int(sys.argv[1]))
sys.exit(main(sys.argv[2:]))
"""

# Name: first program, highest value of a number, score. The best score is 1.
LANDSCAPES = {
    # Every step up is better.
    "hill": ([0] * 3, 5, "return sum(n) / 15"),
    # A number counts only when those before it are at their highest: most steps change nothing.
    "stairs": (
        [0] * 3,
        4,
        "s = 0\n    for x in n:\n        s += x\n        if x < 4:\n            break\n    return s / 12",
    ),
    # A hill at the start, and the best behind two steps down.
    "valley": ([2, 2, 2], 7, "return 1.0 if n[0] == 6 else 0.5 - 0.05 * abs(n[0] - 3) + 0.01 * (n[1] + n[2]) / 14"),
}


class Proposer(http.server.BaseHTTPRequestHandler):
    """Answers chat completions with a program that differs from the one asked about by one step."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer({"object": "list", "data": [{"id": "simulated", "object": "model"}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        whole = "\n".join(str(message["content"]) for message in asked["messages"])
        text = whole
        for mark in MARKS:
            text = text.rsplit(mark, 1)[-1]
        found = NUMBERS.search(text)
        numbers = [int(number) for number in found.group(1).split(",")] if found else list(self.server.initial)
        with self.server.lock:
            self.server.calls += 1
            place = self.server.draws.randrange(len(numbers))
            step = self.server.draws.choice([-1, 1])
        numbers[place] = min(max(numbers[place] + step, 0), self.server.highest)
        program = PROGRAM.format(numbers=numbers)
        content = f"One step.\n\ninitial_program.py\n```python\n{program}```\n"
        if "<CODE>" in whole:
            name = "<NAME>\nstep\n</NAME>\n<DESCRIPTION>\nOne step.\n</DESCRIPTION>\n"
            content = f"{name}<CODE>\n```python\n{program}```\n</CODE>\n"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        message = {"role": "assistant", "content": content}
        if asked.get("stream"):
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "simulated"}
            first = dict(chunk, choices=[{"index": 0, "delta": message, "finish_reason": None}])
            last = dict(chunk, choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=usage)
            events = "".join(f"data: {json.dumps(event)}\n\n" for event in (first, last)) + "data: [DONE]\n\n"
            return self.send(events.encode(), "text/event-stream")
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self.answer(
            {"id": "1", "object": "chat.completion", "created": 1, "model": "simulated", "choices": [choice], "usage": usage}
        )

    def answer(self, value):
        self.send(json.dumps(value).encode(), "application/json")

    def send(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def first_best(scores):
    """How many evaluations it took, the initial program's not counted; None when the best was not found."""
    return next((place for place, score in enumerate(scores) if score >= 1.0), None)


def with_openevolve(python, task, environment):
    evaluations = task / "evaluations.txt"
    words = ["-m", "openevolve.cli", "initial_program.py", "evaluator.py", "--config", "config.yaml", "--output", "out"]
    command = [python, *words, "--target-score", "1.0"]
    environment = dict(environment, EVALUATIONS=str(evaluations))
    subprocess.run(command, cwd=task, env=environment, check=True, capture_output=True, timeout=PATIENCE)
    return first_best([float(line) for line in evaluations.read_text().split()])


def with_shinka(python, task, environment, seed, url):
    """ShinkaEvolve has no score to stop at, so it is stopped from here."""
    evaluations = task / "evaluations.txt"
    (task / "initial.py").write_text((task / "initial_program.py").read_text())
    (task / "evaluate.py").write_text((task / "evaluator.py").read_text() + EVALUATE)
    settings = {
        "evo.llm_models": [f"local/simulated@{url}"],
        "evo.patch_types": ["full"],
        "evo.patch_type_probs": [1.0],
        "evo.meta_rec_interval": None,
        "evo.embedding_model": None,
    }
    # Its first generation is the initial program.
    words = ["--task-dir", ".", "--results_dir", "out", "--num_generations", str(BUDGET + 1)]
    words += ["--max-evaluation-jobs", "1", "--max-proposal-jobs", "1", "--no-verbose"]
    for name, value in settings.items():
        words += ["--set", f"{name}={json.dumps(value)}"]
    environment = dict(environment, EVALUATIONS=str(evaluations))
    command = [python, "-c", SHINKA, str(seed), *words]

    def scores():
        return [float(line) for line in evaluations.read_text().split()] if evaluations.exists() else []

    with open(task / "log.txt", "w") as log:
        run = subprocess.Popen(command, cwd=task, env=environment, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + PATIENCE
        while run.poll() is None and first_best(scores()) is None and time.monotonic() < until:
            time.sleep(0.2)
    if run.returncode is None:
        # Its evaluation under way belongs to its session, and nothing else does.
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    found = first_best(scores())
    # Where its evaluator fails, it goes on to its end all the same.
    if found is None and (run.returncode or len(scores()) < 2):
        sys.exit(f"ShinkaEvolve ended after {len(scores())} evaluations:\n{(task / 'log.txt').read_text()[-2000:]}")
    return found


def with_darwind(darwind, task, environment, seed):
    with tempfile.TemporaryDirectory() as data:
        words = ["run", str(task), "--proposer", "llm", "--seed", str(seed), "--evaluations", str(BUDGET)]
        command = [darwind, *words, "--workers", "1", "--listen", "none", "--json", "--data-dir", data]
        run = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE)
        name = json.loads(run.stdout)["run_id"]
        command = [darwind, "export", name, "--format", "jsonl", "--data-dir", data]
        log = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        events = [json.loads(line) for line in log.splitlines()]
        done = [event["data"] for event in events if event["event_type"] == "validation_completed"]
        judged = [it["evaluation"]["scores"].get("combined_score", 0.0) for it in done if it["purpose"] != "verify"]
        return first_best(judged)


def trial(engine, landscape, seed):
    initial, highest, score = LANDSCAPES[landscape]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proposer)
    server.initial, server.highest, server.calls = initial, highest, 0
    server.draws, server.lock = random.Random(seed), threading.Lock()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            task = pathlib.Path(folder)
            (task / "initial_program.py").write_text(PROGRAM.format(numbers=initial))
            (task / "evaluator.py").write_text(EVALUATOR.format(score=score))
            config = CONFIG.format(budget=BUDGET, seed=seed, port=server.server_address[1])
            (task / "config.yaml").write_text(config)
            url = f"http://127.0.0.1:{server.server_address[1]}/v1"
            return engine(task, dict(os.environ, OPENAI_API_KEY="none"), seed, url)
    finally:
        server.shutdown()


def has(python, module):
    question = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", question], capture_output=True).returncode == 0


def row(landscape, name, runs):
    counted = [BUDGET if run is None else run for run in runs]
    spread = f"{min(counted)} to {max(counted)}"
    print(f"{landscape} | {name} | median {statistics.median(counted)} of {BUDGET}, {spread} | {runs}", flush=True)


def main():
    global BUDGET
    darwind, python, *rest = sys.argv[1:]
    if rest[:1] == ["--budget"]:
        BUDGET, rest = int(rest[1]), rest[2:]
    seeds = int(rest[0]) if rest else 5
    engines = {"darwind": lambda task, environment, seed, _: with_darwind(darwind, task, environment, seed)}
    if has(python, "openevolve.cli"):
        engines["openevolve"] = lambda task, environment, *_: with_openevolve(python, task, environment)
    if has(python, "shinka.cli"):
        engines["shinka-evolve"] = lambda *words: with_shinka(python, *words)
    for landscape in rest[1:] or LANDSCAPES:
        for name, engine in engines.items():
            row(landscape, name, [trial(engine, landscape, seed) for seed in range(1, seeds + 1)])


if __name__ == "__main__":
    main()
