# The engine's side inside a cell, common to all runners: speaks over descriptors 3 (out) and 4 (in), one value a line,
# as the hexadecimal text of `marshal` data. Only modules built into the interpreter are used, so that starting is cheap.
import marshal
import posix
import sys
import time
import _signal


class Alarm(BaseException):
    """Time for one case is up. Not an Exception, so that a candidate's `except Exception` lets it through."""


SCALARS = frozenset([type(None), bool, int, float, complex, str, bytes])
SERIES = frozenset([list, tuple, set, frozenset])


def written(value, _dumps=marshal.dumps, _scalars=SCALARS, _series=SERIES):
    """A value as `marshal` data; a ValueError for what is not plain data. `marshal` itself lets arrays and whatever else shows
    its memory pass, numbers of numpy among them, and they would arrive as bytes: where bytes came out, it is looked whether
    bytes went in."""
    data = _dumps(value, 2)
    if b"s" not in data:
        return data
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind in _scalars:
            continue
        if kind is dict:
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif kind in _series:
            waiting.extend(item)
        else:
            raise ValueError("not plain data: " + kind.__name__)
    return data


class Channel:
    def __init__(self):
        self._rest = b""

    def receive(self):
        while b"\n" not in self._rest:
            chunk = posix.read(4, 1 << 16)
            if not chunk:
                return None
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        return marshal.loads(bytes.fromhex(line.decode("ascii")))

    def send(self, value, _written=written, _write=posix.write):
        data = _written(value).hex().encode("ascii") + b"\n"
        while data:
            data = data[_write(3, data):]


def alarm(seconds, _set=_signal.setitimer, _which=_signal.ITIMER_PROF):
    _set(_which, seconds)


class Patience:
    """CPU time for one case. It halves with each case that ran out of it, so that a program which hangs in every case
    does not cost the full time in each."""

    LEAST = 0.02

    def __init__(self, seconds):
        self.seconds = seconds

    def start(self, _now=time.process_time):
        self._began = _now()
        alarm(self.seconds)

    def stop(self, error, _now=time.process_time):
        alarm(0)
        if isinstance(error, Alarm):
            self.seconds = max(self.LEAST, self.seconds / 2)
        return _now() - self._began


def _ring(number, frame):
    raise Alarm()


def prepare(task):
    _signal.signal(_signal.SIGPROF, _ring)
    sys.setrecursionlimit(task.get("recursion", 1000))
    sys.dont_write_bytecode = True
    sys.path[:0] = task["first_path"]
    sys.path.extend(path for path in task["path"] if path not in sys.path)


def fault(error, files):
    """The kind of an exception, its text, and where in the candidate's files it was last."""
    kind = "timeout" if isinstance(error, Alarm) else getattr(error, "darwind_kind", type(error).__name__)
    place = getattr(error, "darwind_place", None)
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in files:
            place = [name, trace.tb_lineno]
        trace = trace.tb_next
    try:
        text = str(error)[:300]
    except BaseException:
        text = ""
    return {"kind": kind, "text": text, "place": place}


class Lines:
    """Lines that run, of some files only."""

    def __init__(self, files):
        self._files = files
        self.seen = set()

    def _enter(self, frame, event, argument):
        name = frame.f_code.co_filename
        if name not in self._files:
            return None
        self.seen.add((name, frame.f_lineno))
        return self._line

    def _line(self, frame, event, argument):
        if event == "line":
            self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line

    def start(self):
        self.seen = set()
        sys.settrace(self._enter)

    def stop(self):
        sys.settrace(None)
        return [[name, line] for name, line in sorted(self.seen)]


def load(name, path):
    """Runs a file as a module of its own, without the import system's preparations."""
    module = type(sys)(name)
    module.__file__ = path
    module.__builtins__ = __builtins__
    sys.modules[name] = module
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module
