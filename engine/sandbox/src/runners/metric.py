# Calls a project's own evaluator with the candidate's path and sends the numbers that it reports.
def numbers(result):
    metrics = getattr(result, "metrics", result)
    if not isinstance(metrics, dict):
        raise TypeError("evaluate() answered " + type(metrics).__name__ + ", not a dict of numbers")
    plain = {}
    for name, value in metrics.items():
        if isinstance(value, (bool, int, float)):
            plain[str(name)] = float(value)
        elif hasattr(value, "item") and not isinstance(value, (str, bytes, list, dict)):
            plain[str(name)] = float(value.item())
    return plain


def run_evaluator(channel, task):
    """Asks the evaluator and sends its numbers; raises what kept it from answering."""
    nonce = task.pop("nonce")
    module = load("evaluation_module", task["evaluator"])
    if hasattr(module, "evaluate"):
        found = numbers(module.evaluate(task["program"]))
    else:
        found = {}
        for stage in ("evaluate_stage1", "evaluate_stage2", "evaluate_stage3"):
            if hasattr(module, stage):
                found.update(numbers(getattr(module, stage)(task["program"])))
    channel.send({"done": nonce, "metrics": found})


def main():
    channel = Channel()
    task = channel.receive()
    prepare(task)
    files = set(task["files"])
    try:
        run_evaluator(channel, task)
    except BaseException as error:
        channel.send({"failed": fault(error, files)})
