"""Runs program variants for the repair yardstick: one JSON request a line, one JSON answer a line.

Each variant runs in a forked child with limits on CPU time and memory. This is a development tool for programs that we
wrote ourselves, not a sandbox.
"""

import copy
import io
import json
import os
import resource
import signal
import sys

CASE_CPU_S = 0.1
MEMORY_BYTES = 1 << 30


class OutOfTime(BaseException):
    pass


def out_of_time(_signal, _frame):
    raise OutOfTime


def plain(value, depth=0):
    """The value as JSON has it, so that tuples and generators compare with what the cases say."""
    if depth > 50:
        raise ValueError("nested too deeply")
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return repr(value)


def run_case(function, case, lines):
    def trace(frame, event, _argument):
        if frame.f_code.co_filename != "<variant>":
            return None
        if event == "line":
            lines.add(frame.f_lineno)
        return trace

    signal.setitimer(signal.ITIMER_PROF, CASE_CPU_S)
    try:
        if lines is not None:
            sys.settrace(trace)
        result = plain(function(*copy.deepcopy(case["args"])))
        # True and 1 are different answers.
        return "" if json.dumps(result, sort_keys=True) == json.dumps(case["expected"], sort_keys=True) else "wrong"
    except OutOfTime:
        return "timeout"
    except BaseException as error:
        return type(error).__name__
    finally:
        sys.settrace(None)
        signal.setitimer(signal.ITIMER_PROF, 0)


def judge(request):
    answer = {"failures": [], "lines": []}
    try:
        namespace = {"__name__": "variant"}
        signal.setitimer(signal.ITIMER_PROF, CASE_CPU_S)
        exec(compile(request["source"], "<variant>", "exec"), namespace)
        signal.setitimer(signal.ITIMER_PROF, 0)
        function = namespace[request["function"]]
    except SyntaxError:
        return {"failures": ["SyntaxError"] * len(request["cases"]), "lines": []}
    except BaseException as error:
        return {"failures": [type(error).__name__] * len(request["cases"]), "lines": []}
    for case in request["cases"]:
        lines = set() if request["trace"] else None
        answer["failures"].append(run_case(function, case, lines))
        answer["lines"].append(sorted(lines or ()))
        # A variant that hangs once will hang again; only the original is followed through all cases.
        if answer["failures"][-1] == "timeout" and not request["trace"]:
            rest = len(request["cases"]) - len(answer["failures"])
            answer["failures"] += ["timeout"] * rest
            break
    return answer


def in_child(request):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        # A variant must not read the requests that wait on standard input, nor write among the answers.
        sys.stdin, sys.stdout = io.StringIO(), io.StringIO()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
        signal.signal(signal.SIGPROF, out_of_time)
        try:
            text = json.dumps(judge(request))
        except BaseException:
            text = "{}"
        with os.fdopen(writer, "w") as pipe:
            pipe.write(text)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    if "failures" not in answer:
        answer = {"failures": ["crashed"] * len(request["cases"]), "lines": []}
    return answer


def main():
    for line in sys.stdin:
        sys.stdout.write(json.dumps(in_child(json.loads(line))) + "\n")
        sys.stdout.flush()


main()
