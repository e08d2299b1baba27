"""What one iteration costs the engine, beside OpenEvolve and ShinkaEvolve, in one run.

    python3 benches/engine_peers.py target/release/darwind PYTHON [--shinka N]

PYTHON is an interpreter with the packages `openevolve` and `shinka-evolve` installed. The model is free: a loopback server
of this script answers at once, with the parent's text and another number in it. The evaluator is free too: it reads that
number. Counted is the processor time of the engine and all its children, the start included, divided by the iterations;
the loopback server is not counted. darwind's proposer and evaluator are simulated in its own process (`darwind bench
engine`), with its snapshots and its log written as ever; OpenEvolve's evaluator is a function in its worker, ShinkaEvolve's
the program that it starts for each candidate, as its users write them. ShinkaEvolve's cost is what its bare evaluator
leaves; one by `run_shinka_eval` costs seconds.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PROGRAM = "# EVOLVE-BLOCK-START\n" + "".join(f"x{n} = {n}  # a line like any other\n" for n in range(30)) + "VALUE = 0.5\n# EVOLVE-BLOCK-END\n"
EVALUATOR = """
def evaluate(path):
    with open(path) as file:
        return {"combined_score": float(file.read().split("VALUE = ")[1].split()[0])}
"""
OPENEVOLVE = """
max_iterations: {iterations}
checkpoint_interval: 1000000
log_level: ERROR
diff_based_evolution: false
random_seed: 1
llm: {{api_base: "{url}", api_key: none, models: [{{name: free, weight: 1.0}}], retries: 0}}
evaluator: {{cascade_evaluation: false, parallel_evaluations: 2}}
"""
SHINKA = """
import argparse, json, pathlib
asked = argparse.ArgumentParser()
asked.add_argument("--program_path")
asked.add_argument("--results_dir")
asked = asked.parse_args()
value = float(open(asked.program_path).read().split("VALUE = ")[1].split()[0])
results = pathlib.Path(asked.results_dir)
results.mkdir(parents=True, exist_ok=True)
(results / "metrics.json").write_text(json.dumps({"combined_score": value, "public": {}, "private": {}}))
(results / "correct.json").write_text(json.dumps({"correct": True, "error": ""}))
"""


# `darwind bench engine` drives its run so many times and reports the median.
ROUNDS = 3


class FreeModel(BaseHTTPRequestHandler):
    """Answers any chat with a whole program of another number."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self):
        FreeModel.asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        text = PROGRAM.replace("0.5", repr(random.random()))
        answer = f"<NAME>\nfree\n</NAME>\n<DESCRIPTION>\nanother number\n</DESCRIPTION>\n<CODE>\n```python\n{text}```\n</CODE>\n"
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        body = json.dumps({"id": "1", "object": "chat.completion", "created": 0, "model": "free", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def cpu(command, folder):
    """Processor seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        sys.exit(f"{command[0]} failed:\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def openevolve(python, url, iterations, folder):
    (folder / "initial_program.py").write_text(PROGRAM)
    (folder / "evaluator.py").write_text(EVALUATOR)
    (folder / "config.yaml").write_text(OPENEVOLVE.format(iterations=iterations, url=url))
    command = [python, "-c", "import sys; from openevolve.cli import main; sys.exit(main())"]
    return cpu(command + ["initial_program.py", "evaluator.py", "--config", "config.yaml", "--output", "out"], folder)


def shinka(python, url, iterations, folder):
    (folder / "initial.py").write_text(PROGRAM)
    (folder / "evaluate.py").write_text(SHINKA)
    settings = {
        "evo.llm_models": [f"local/free@{url}"],
        "evo.patch_types": ["full"],
        "evo.patch_type_probs": [1.0],
        "evo.meta_rec_interval": None,
        "evo.embedding_model": None,
    }
    command = [python, "-c", "import sys; from shinka.cli.run import main; sys.exit(main())", "--task-dir", ".", "--results_dir", "out"]
    command += ["--num_generations", str(iterations), "--max-evaluation-jobs", "2", "--max-proposal-jobs", "2"]
    for name, value in settings.items():
        command += ["--set", f"{name}={json.dumps(value)}"]
    return cpu(command, folder)


def main():
    darwind, python, *rest = sys.argv[1:]
    generations = int(rest[1]) if rest[:1] == ["--shinka"] else 40
    server = ThreadingHTTPServer(("127.0.0.1", 0), FreeModel)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    darwind = str(Path(darwind).resolve())

    def row(name, iterations, measure, ours):
        FreeModel.asked = 0
        with tempfile.TemporaryDirectory() as folder:
            each = measure(Path(folder)) / iterations
        if ours is not None and FreeModel.asked < 0.9 * iterations:
            sys.exit(f"{name} asked for {FreeModel.asked} proposals, not {iterations}")
        times = "" if ours is None else f", {each / ours:.0f} times ours"
        print(f"{name}: {each * 1e3:.2f} ms of CPU an iteration over {iterations}{times}", flush=True)
        return each

    for iterations in (200, 1000):
        command = [darwind, "bench", "engine", "--candidates", str(iterations), "--contained", "0"]
        ours = row("darwind", iterations, lambda folder: cpu(command, folder) / ROUNDS, None)
        row("openevolve", iterations, lambda folder: openevolve(python, url, iterations, folder), ours)
    row("shinka-evolve", generations, lambda folder: shinka(python, url, generations, folder), ours)


if __name__ == "__main__":
    main()
