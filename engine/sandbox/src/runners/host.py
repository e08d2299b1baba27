# The candidate's side of a wall: loads its files and answers calls of their functions with plain data.
def describe(module):
    """The names of a module, each a function, plain data, a class of exceptions, or something that stays here."""
    import types

    names = []
    for name, value in list(vars(module).items()):
        if name.startswith("__"):
            continue
        if isinstance(value, type):
            if issubclass(value, Exception):
                names.append([name, "exception", [base.__name__ for base in value.__mro__]])
            else:
                names.append([name, "other", None])
        elif callable(value):
            names.append([name, "function", None])
        elif isinstance(value, types.ModuleType):
            names.append([name, "other", None])
        else:
            try:
                image({"value": value})
                names.append([name, "value", value])
            except ValueError:
                names.append([name, "other", None])
    return names


def find(task, modules, question):
    path = question["load"]
    full = task["root"] + "/" + path
    if question["again"]:
        modules[path, question["again"]] = load(question["name"], full)
    elif (path, 0) not in modules:
        for place in reversed(question["places"]):
            place = task["root"] + ("/" + place if place else "")
            if place not in sys.path:
                sys.path.insert(0, place)
        name = question["name"]
        module = None
        if name.replace(".", "/") in (path[:-3], path[:-3].rsplit("/", 1)[-1], path[: -len("/__init__.py")]) or "." in name:
            try:
                __import__(name)
                module = sys.modules[name]
            except ModuleNotFoundError as error:
                if error.name != name:
                    raise
        if module is None or getattr(module, "__file__", None) != full:
            module = load(name, full)
        modules[path, 0] = module
    return modules[path, question["again"]]


def plain(arguments):
    try:
        written(list(arguments))
        return list(arguments)
    except ValueError:
        return [str(argument)[:300] for argument in arguments]


def main():
    channel = Channel()
    task = channel.receive()
    prepare(task)
    files = set(task["files"])
    lines = Lines(files) if task["trace"] else None
    seen = set()
    modules = {}
    patience = Patience(task["limit"])
    while True:
        question = channel.receive()
        if question is None:
            return
        answer = {}
        wrong = None
        if "lines" in question:
            channel.send({"lines": [list(place) for place in sorted(seen)]})
            seen.clear()
            continue
        try:
            if "load" in question:
                patience.start()
                answer["names"] = describe(find(task, modules, question))
            else:
                target = getattr(modules[question["call"], question["again"]], question["name"])
                given = received(question)
                args = given["args"]
                kwargs = given["kwargs"]
                before = image({"args": args, "kwargs": kwargs})
                if lines:
                    lines.start()
                patience.start()
                answer["value"] = target(*args, **kwargs)
                patience.stop(None)
                try:
                    if image({"args": args, "kwargs": kwargs}) != before:
                        answer["args"] = args
                        answer["kwargs"] = kwargs
                except ValueError:
                    answer = {"unfit": "an argument became what is not plain data"}
        except BaseException as error:
            alarm(0)
            wrong = error
            if isinstance(error, Alarm):
                answer = {"gone": "timeout"}
            elif isinstance(error, KeyboardInterrupt):
                answer = {"gone": "KeyboardInterrupt"}
            else:
                answer = {"error": fault(error, files)}
                answer["error"]["bases"] = [base.__name__ for base in type(error).__mro__]
                answer["error"]["args"] = plain(error.args)
        patience.stop(wrong)
        if lines:
            seen.update(tuple(place) for place in lines.stop())
        try:
            tell(channel, answer)
        except ValueError:
            channel.send({"unfit": "an answer is not plain data: " + type(answer.get("value")).__name__})
