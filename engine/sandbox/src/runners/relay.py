# The judge's side of a wall: tests or an evaluator run here, and in place of each file of the candidate there is a stub
# that asks the engine, which asks the candidate in a cell of its own. Stays alive from one candidate to the next and
# forks for each, so that what it imports is paid for once and nothing is carried over.
class Gone(BaseException):
    """The candidate did not answer as a function can. Not an Exception, so that no test mistakes it for one."""

    def __init__(self, kind):
        super().__init__(kind)
        self.darwind_kind = kind


class Relay:
    """Fills stubs with functions that ask for an answer elsewhere."""

    def __init__(self, channel):
        self._channel = channel
        self._classes = {}
        self._loads = {}
        self.root = ""
        self.apart = None

    def _ask(self, question):
        try:
            tell(self._channel, question)
        except ValueError:
            return self._unfit("an argument is not plain data")
        answer = self._channel.receive()
        if answer is None or "gone" in answer:
            raise Gone(answer["gone"] if answer else "protocol")
        if "unfit" in answer:
            self._unfit(answer["unfit"])
        if "error" in answer:
            raise self._error(answer["error"])
        try:
            return received(answer)
        except (TypeError, ValueError):
            raise Gone("protocol")

    def _unfit(self, reason):
        self._channel.send({"unfit": reason})
        raise Gone("not plain data")

    def _error(self, error):
        kind = error["kind"]
        known = self._classes.get(kind)
        if known is None:
            import builtins

            known = Exception
            for name in error["bases"]:
                found = getattr(builtins, name, None)
                if isinstance(found, type) and issubclass(found, (Exception, SystemExit)):
                    known = found
                    break
            if known.__name__ != kind:
                known = self._classes[kind] = type(kind, (known,), {})
        try:
            raised = known(*error["args"])
        except Exception:
            raised = known.__new__(known)
        raised.darwind_place = error["place"]
        return raised

    def fill(self, scope):
        path = scope["__file__"]
        # An evaluator works in a copy of the whole target, or with the candidate beside it; see `Workplace`.
        root = posix.getcwd() if path.startswith(posix.getcwd() + "/") else self.root
        if self.apart and path.rsplit("/", 1)[-1].startswith(CANDIDATE + "."):
            path = self.apart
        elif path.startswith(root + "/"):
            path = path[len(root) + 1 :]
        else:
            self._unfit("a file of the candidate was copied")
        places = [place[len(base) + 1 :] for place in sys.path for base in {root, self.root} if (place + "/").startswith(base + "/")]
        # Whoever runs a file again has a module of its own.
        again = self._loads[path] = self._loads.get(path, -1) + 1
        try:
            answer = self._ask({"load": path, "again": again, "name": scope["__name__"], "places": places})
        except SystemExit:
            raise ImportError("the module left the program")
        names = []
        others = set()
        for name, kind, value in answer["names"]:
            if kind == "function":
                scope[name] = self._function(path, again, name)
            elif kind == "value":
                scope[name] = value
            elif kind == "exception":
                if name not in self._classes:
                    self._classes[name] = type(name, (self._base(value),), {"__module__": scope["__name__"]})
                scope[name] = self._classes[name]
            else:
                others.add(name)
                continue
            if not name.startswith("_"):
                names.append(name)
        if not others:
            scope["__all__"] = names

        def absent(name):
            if name in others or name == "__all__":
                self._unfit(name + " is not a function or plain data")
            raise AttributeError("module has no attribute " + repr(name))

        scope["__getattr__"] = absent

    def _base(self, names):
        import builtins

        for name in names:
            found = getattr(builtins, name, None)
            if isinstance(found, type) and issubclass(found, Exception):
                return found
        return Exception

    def _function(self, path, again, name):
        def ask(*args, **kwargs):
            answer = self._ask({"call": path, "again": again, "name": name, "args": list(args), "kwargs": kwargs})
            if "args" in answer:
                copy_back(list(args), answer["args"])
                copy_back(kwargs, answer["kwargs"])
            return answer["value"]

        ask.__name__ = ask.__qualname__ = name
        return ask


def mutable(old, new):
    """Whether a value can take on another in its place."""
    if type(old) is not type(new):
        return False
    if type(old) in (list, dict, set):
        return True
    return hasattr(old, "setfield") and old.shape == new.shape and old.dtype == new.dtype and old.ndim > 0


def copy_back(old, new):
    """What a function did to its arguments, done to the caller's."""
    if type(old) is list:
        for index in range(min(len(old), len(new))):
            if mutable(old[index], new[index]):
                copy_back(old[index], new[index])
            else:
                old[index] = new[index]
        del old[len(new) :]
        old.extend(new[len(old) :])
    elif type(old) is dict:
        if list(old) == list(new):
            for key in new:
                if mutable(old[key], new[key]):
                    copy_back(old[key], new[key])
                else:
                    old[key] = new[key]
        else:
            old.clear()
            old.update(new)
    elif type(old) is set:
        old.clear()
        old.update(new)
    else:
        old[...] = new


# Who opens a module's file to run it, and who shows a line of it where something went wrong.
LOADERS = ("<frozen importlib._bootstrap_external>", "<frozen zipimport>", "<frozen runpy>", "/runpy.py")
REPORTERS = ("/traceback.py", "/warnings.py", "/_pytest/_code/code.py", "/_pytest/_code/source.py")


def only_runs_or_reports(frame):
    name = frame.f_code.co_filename
    if name.endswith(LOADERS) or name == only_runs_or_reports.__code__.co_filename:
        return True
    while name.endswith("/tokenize.py") and frame is not None:
        if frame.f_code.co_filename.endswith(REPORTERS):
            return True
        frame = frame.f_back
    return False


def watch_reading(channel, task):
    """A judge that reads the candidate's source, to forbid an import say, or hands it to another program, would find the
    stub's: it cannot judge apart."""
    stubs = tuple(path[len(task["root"]) :] for path in task["files"])
    if task.get("original"):
        stubs = ("/" + CANDIDATE + "." + task["program"].rsplit(".", 1)[-1],)

    def text(value):
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def named(words):
        words = words if isinstance(words, (list, tuple)) else [words]
        return any(stub[1:] in text(word) for word in words for stub in stubs)

    def happened(event, arguments):
        if event == "open":
            path, mode, flags = arguments
            reads = ("/" + text(path)).endswith(stubs) and not flags & (posix.O_WRONLY | posix.O_RDWR)
            reads = reads and not only_runs_or_reports(sys._getframe(1))
        elif event in ("subprocess.Popen", "os.posix_spawn", "os.exec"):
            reads = named(arguments[1])
        else:
            reads = event == "os.system" and named(arguments[0])
        if reads:
            channel.send({"unfit": "the candidate's source is read"})

    sys.addaudithook(happened)


def judge(channel, relay, task):
    """One candidate, in a fork of its own."""
    silence = posix.open("/dev/null", posix.O_WRONLY)
    posix.dup2(silence, 1)
    posix.dup2(silence, 2)
    relay.root = task["root"]
    relay.apart = task["program"] if task.get("original") else None
    prepare(task)
    watch_reading(channel, task)
    try:
        if task["framework"] == "evaluator":
            run_evaluator(channel, task)
        else:
            run_tests(channel, task, set())
    except BaseException as error:
        alarm(0)
        channel.send({"failed": fault(error, set())})


def main():
    channel = Channel()
    framework = channel.receive()["framework"]
    relay = Relay(channel)
    module = type(sys)("darwind_relay")
    module.fill = relay.fill
    sys.modules["darwind_relay"] = module
    if framework == "unittest":
        import unittest.main
    channel.send({"ready": True})
    while True:
        task = channel.receive()
        if task is None:
            return
        if framework == "pytest":
            sys.path.extend(path for path in task["path"] if path not in sys.path)
            import pytest
        child = posix.fork()
        if child == 0:
            try:
                judge(channel, relay, task)
            finally:
                posix._exit(0)
        posix.waitpid(child, 0)
        times = posix.times()
        channel.send({"over": times.children_user + times.children_system})
