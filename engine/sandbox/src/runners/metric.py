# Asks a project's own evaluator about the candidate, by the contract that the task names: "function" is OpenEvolve's
# evaluate(program_path) with its cascade of stages, "process" is ShinkaEvolve's evaluate.py that writes two JSON files.
# Sends the numbers that were reported, the fitness that follows from them, and texts for whoever reads the evaluation.
MAX_TEXTS = 32
# The candidate's name where the evaluator's folder keeps the original: one that no evaluator imports by chance.
CANDIDATE = "evolved_candidate"
MAX_TEXT_CHARACTERS = 20000
MAX_COPIED_FILES = 500
MAX_COPIED_BYTES = 8 * 1024 * 1024


class Report:
    """What an evaluator said, as it said it. Texts among its metrics, `error` above all, are for readers."""

    def __init__(self, metrics, texts, incorrect=None):
        self.metrics = metrics
        self.texts = {**{name: text for name, text in metrics.items() if text and isinstance(text, str)}, **texts}
        self.incorrect = incorrect


def number(value):
    """A metric as a float; None when it is no number."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    if hasattr(value, "item") and getattr(value, "size", 1) == 1 and not isinstance(value, (str, bytes, list, dict)):
        value = value.item()
        return float(value) if isinstance(value, (bool, int, float)) else None
    return None


def numbers(metrics):
    found = {}
    for name, value in metrics.items():
        value = number(value)
        if value is not None:
            found[str(name)] = value
    return found


def mean(metrics, without, flags):
    """Of the numbers of Python's own kinds; None when there are none. `flags`: truth values and NaN count too."""
    counted = [
        float(value)
        for name, value in metrics.items()
        if name not in without and isinstance(value, (int, float)) and (flags or not isinstance(value, bool))
    ]
    if not flags:
        counted = [value for value in counted if value == value]
    return sum(counted) / len(counted) if counted else None


def fitness(metrics, features):
    """OpenEvolve's: combined_score where it can be read as a number, else the mean of what is no feature dimension, else
    the mean of all."""
    if "combined_score" in metrics:
        try:
            return float(metrics["combined_score"])
        except (TypeError, ValueError):
            pass
    for without in (features, ()):
        found = mean(metrics, without, False)
        if found is not None:
            return found
    return 0.0


def rated(metrics):
    """ShinkaEvolve's fitness: combined_score, or nothing."""
    return number(metrics.get("combined_score")) or 0.0


def unpacked(result):
    """What evaluate() returned: a dict, an object with metrics and artifacts, or something that must be awaited first."""
    if hasattr(result, "__await__"):
        import asyncio

        result = asyncio.run(awaited(result))
    metrics = getattr(result, "metrics", result)
    if not isinstance(metrics, dict):
        raise TypeError("evaluate() answered " + type(metrics).__name__ + ", not a dict of numbers")
    artifacts = getattr(result, "artifacts", None)
    return Report(dict(metrics), dict(artifacts) if isinstance(artifacts, dict) else {})


async def awaited(result):
    return await result


def passes(metrics, threshold):
    """Whether a stage is good enough for the next one."""
    value = metrics.get("combined_score")
    if not isinstance(value, (int, float)):
        value = mean(metrics, ("error",), True)
    return value is not None and value >= threshold


def timed(evaluate, program, limit):
    """One stage. In a process with the candidate its wall time is limited here; elsewhere each of its calls is."""

    def over(number, frame):
        raise Alarm()

    if limit:
        _signal.signal(_signal.SIGALRM, over)
        _signal.setitimer(_signal.ITIMER_REAL, limit)
    try:
        return unpacked(evaluate(program))
    finally:
        _signal.setitimer(_signal.ITIMER_REAL, 0)


def ran_out(error):
    return isinstance(error, Alarm) or getattr(error, "darwind_kind", None) == "timeout"


def cascade(module, program, thresholds, limit):
    """Stage after stage, as long as each is good enough. What a later stage does wrong, or does not end, keeps what came
    before."""
    report = timed(module.evaluate_stage1, program, limit)
    for stage, threshold in zip(("stage2", "stage3"), thresholds):
        evaluate = getattr(module, "evaluate_" + stage, None)
        if evaluate is None or not passes(report.metrics, threshold):
            break
        try:
            more = timed(evaluate, program, limit)
        except BaseException as error:
            if ran_out(error):
                report.metrics["timeout"] = True
            elif not isinstance(error, Exception):
                raise
            report.metrics[stage + "_passed"] = 0.0
            report.texts[stage + "_stderr"] = type(error).__name__ + ": " + str(error)
            break
        merged = {**numbers(report.metrics), **numbers(more.metrics)}
        merged.pop("error", None)
        report.metrics = merged
        report.texts.update(more.texts)
    return report


def by_function(task, program, results):
    module = load("evaluation_module", task["evaluator"])
    if task["cascade"] is not None and hasattr(module, "evaluate_stage1"):
        alone = "darwind_relay" in sys.modules
        return cascade(module, program, task["cascade"], None if alone else task["stage_limit"])
    return unpacked(module.evaluate(program))


def by_process(task, program, results):
    import json

    sys.argv = [task["evaluator"], "--program_path", program, "--results_dir", results] + task["arguments"]
    trouble = None
    try:
        load("__main__", task["evaluator"])
    except SystemExit:
        # Only the files count, as with ShinkaEvolve.
        pass
    except Exception as error:
        trouble = error
    found = []
    for name in ("metrics.json", "correct.json"):
        try:
            with open(results + "/" + name) as file:
                found.append(json.load(file))
        except (OSError, ValueError) as error:
            if isinstance(trouble, (ImportError, MemoryError, PermissionError)):
                # The evaluator itself lacks something: no candidate can make up for that.
                raise trouble
            said = type(trouble).__name__ + ": " + str(trouble) if trouble else str(error)
            return Report({"combined_score": 0.0}, {}, "it wrote no " + name + " that can be read: " + said)
    metrics, correct = found
    return flattened(metrics, correct)


def flattened(metrics, correct):
    """The two files as one report. Private numbers keep a prefix, by which they can be kept from a model."""
    flat = {name: value for name, value in metrics.items() if name not in ("public", "private")}
    for prefix, part in (("", metrics.get("public")), ("private.", metrics.get("private"))):
        if isinstance(part, dict):
            flat.update({prefix + str(name): value for name, value in part.items() if prefix + str(name) not in flat})
    texts = {name: flat[name] for name in ("text_feedback", "all_validation_errors") if flat.get(name)}
    incorrect = None
    if not correct.get("correct"):
        incorrect = str(correct.get("error") or "the evaluator says that it is not correct")
    return Report(flat, texts, incorrect)


class Workplace:
    """A copy of the target that can be written to, for as long as the evaluator works: evaluators write next to the
    program and into their working folder, and read what lies beside themselves. What is too large to be copied each
    time is used where it is, and cannot be written to."""

    def __init__(self, task):
        import os

        self._os = os
        self._root = task["root"]
        self._own = os.environ["TMPDIR"] + "/work-" + str(posix.getpid())
        self.path = task["root"]
        self.results = self._own + "/results"
        self.program = task["root"] + "/" + task["program"]
        os.makedirs(self.results)
        if self._small(task["root"]):
            self.path = self._own + "/target"
            self._copy(task["root"], self.path)
            self.program = self.path + "/" + task["program"]
            if task["original"]:
                self._set_apart(task)
        sys.path[:] = [self.place(path) for path in sys.path]
        os.chdir(self.path)
        # For programs that the evaluator starts: they find installed packages as it does.
        os.environ["PYTHONPATH"] = os.pathsep.join([task["stand_ins"]] + task["path"])

    def _small(self, root):
        room, places = MAX_COPIED_BYTES, MAX_COPIED_FILES
        for folder, _, names in self._os.walk(root):
            places -= len(names)
            room -= sum(self._os.lstat(folder + "/" + name).st_size for name in names)
            if room < 0 or places < 0:
                return False
        return True

    def _copy(self, root, place):
        for folder, _, names in self._os.walk(root):
            target = place + folder[len(root) :]
            self._os.mkdir(target)
            for name in filter(lambda name: self._os.path.isfile(folder + "/" + name), names):
                with open(folder + "/" + name, "rb") as source, open(target + "/" + name, "wb") as copy:
                    copy.write(source.read())

    def _set_apart(self, task):
        """Puts the candidate into a folder of its own, and the program as it was in its place."""
        place = self._own + "/candidate"
        self._os.mkdir(place)
        apart = place + "/" + CANDIDATE + self._os.path.splitext(self.program)[1]
        self._os.rename(self.program, apart)
        with open(task["original"], "rb") as source, open(self.program, "wb") as copy:
            copy.write(source.read())
        self.program = apart

    def place(self, path):
        """Where a path of the target is in the copy."""
        inside = path == self._root or path.startswith(self._root + "/")
        return self.path + path[len(self._root) :] if inside else path

    def leave(self):
        self._os.chdir("/")
        for folder, _, names in self._os.walk(self._own, topdown=False):
            for name in names:
                self._os.unlink(folder + "/" + name)
            self._os.rmdir(folder)


def run_evaluator(channel, task):
    """Asks the evaluator and sends its report; raises what kept it from answering."""
    nonce = task.pop("nonce")
    workplace = Workplace(task)
    task["evaluator"] = workplace.place(task["evaluator"])
    ask = by_process if task["contract"] == "process" else by_function
    try:
        report = ask(task, workplace.program, workplace.results)
    finally:
        workplace.leave()
    texts = [(str(name), str(text)[:MAX_TEXT_CHARACTERS]) for name, text in report.texts.items()]
    channel.send(
        {
            "done": nonce,
            "metrics": numbers(report.metrics),
            "fitness": rated(report.metrics) if task["contract"] == "process" else fitness(report.metrics, task["features"]),
            "texts": dict(texts[:MAX_TEXTS]),
            "incorrect": report.incorrect,
        }
    )


def main():
    channel = Channel()
    task = channel.receive()
    prepare(task)
    files = set(task["files"])
    try:
        run_evaluator(channel, task)
    except BaseException as error:
        channel.send({"failed": fault(error, files)})
