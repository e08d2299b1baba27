"""Evaluations until the best program is found: darwind's default selection beside OpenEvolve's, with the same proposer.

    python3 benches/selection_peers.py target/release/darwind PYTHON [SEEDS [LANDSCAPE ...]]

PYTHON is an interpreter with OpenEvolve installed. Both engines run the same task of OpenEvolve, unchanged, with their default
selection. Their model is one endpoint on the loopback interface: it finds the program to be changed in the prompt, changes one
number of it by one, and answers with the whole program. So both have the same proposer, the same budget and the same landscape;
what differs is which program is asked about. Every evaluation counts that an engine starts after the initial program's, a
program that it has evaluated before included. Prints one line for each landscape and engine: the median over the seeds and the
runs themselves, `None` for one that did not find the best program within the budget (counted as the budget).
"""

import http.server
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading

BUDGET = 150
# Longest run of one engine, in seconds.
PATIENCE = 900
# Where the program to be changed stands in the prompt of each engine: after these words.
MARKS = ["# Current Program\n", "The program as it stands:"]
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
        text = "\n".join(str(message["content"]) for message in asked["messages"])
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
            return engine(task, dict(os.environ, OPENAI_API_KEY="none"), seed)
    finally:
        server.shutdown()


def main():
    darwind, python = sys.argv[1:3]
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    engines = {
        "darwind": lambda task, environment, seed: with_darwind(darwind, task, environment, seed),
        "openevolve": lambda task, environment, _: with_openevolve(python, task, environment),
    }
    for landscape in sys.argv[4:] or LANDSCAPES:
        for name, engine in engines.items():
            runs = [trial(engine, landscape, seed) for seed in range(1, seeds + 1)]
            median = statistics.median(BUDGET if run is None else run for run in runs)
            print(f"{landscape} | {name} | median {median} of {BUDGET} | {runs}", flush=True)


if __name__ == "__main__":
    main()
