# Calls the candidate's functions, or runs it as a script, with the inputs of cases. What is expected never comes here.
def call(module, case):
    target = module
    for part in case["function"].split("."):
        target = getattr(target, part)
    return target(*case["args"], **case["kwargs"])


def script(path, case, limit):
    """Runs the file as a program in a process of its own, forked from this one."""
    import io

    inward_read, inward_write = posix.pipe()
    outward_read, outward_write = posix.pipe()
    child = posix.fork()
    if child == 0:
        try:
            posix.close(inward_write)
            posix.close(outward_read)
            posix.dup2(inward_read, 0)
            posix.dup2(outward_write, 1)
            posix.close(3)
            posix.close(4)
            sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0)), encoding="utf-8")
            sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w")), encoding="utf-8")
            sys.argv = [path] + case["argv"]
            alarm(limit)
            module = type(sys)("__main__")
            module.__file__ = path
            module.__builtins__ = __builtins__
            sys.modules["__main__"] = module
            with open(path, "rb") as file:
                code = compile(file.read(), path, "exec", dont_inherit=True)
            status = 0
            try:
                exec(code, module.__dict__)
            except SystemExit as leave:
                status = leave.code if isinstance(leave.code, int) else (0 if leave.code is None else 1)
            sys.stdout.flush()
            posix._exit(status)
        except Alarm:
            posix._exit(124)
        except BaseException:
            posix._exit(1)
    posix.close(inward_read)
    posix.close(outward_write)
    feeder = posix.fork()
    if feeder == 0:
        posix.close(outward_read)
        data = case["stdin"].encode("utf-8")
        try:
            while data:
                data = data[posix.write(inward_write, data):]
        except OSError:
            pass
        posix._exit(0)
    posix.close(inward_write)
    parts = []
    size = 0
    while True:
        chunk = posix.read(outward_read, 1 << 16)
        if not chunk:
            break
        size += len(chunk)
        if size <= 1 << 20:
            parts.append(chunk)
    posix.close(outward_read)
    posix.waitpid(feeder, 0)
    status = posix.waitpid(child, 0)[1]
    return [b"".join(parts).decode("utf-8", "replace"), status]


def main():
    channel = Channel()
    task = channel.receive()
    prepare(task)
    files = set(task["files"])
    lines = Lines(files) if task["trace"] else None
    module = None
    if task["mode"] == "call":
        try:
            alarm(task["limit"])
            module = load(task["module"], task["file"])
            alarm(0)
        except BaseException as error:
            alarm(0)
            channel.send({"failed": fault(error, files)})
            return
    channel.send({"ready": True})
    patience = Patience(task["limit"])
    while True:
        case = channel.receive()
        if case is None:
            return
        answer = {"id": case["id"]}
        wrong = None
        try:
            if lines:
                lines.start()
            patience.start()
            if module is None:
                answer["value"] = script(task["file"], case, task["limit"])
            else:
                answer["value"] = call(module, case)
            alarm(0)
        except BaseException as error:
            alarm(0)
            wrong = error
            answer["error"] = fault(error, files)
        answer["cpu"] = patience.stop(wrong)
        if lines:
            answer["lines"] = lines.stop()
        try:
            channel.send(answer)
        except ValueError:
            value = answer.pop("value", None)
            answer["error"] = {"kind": "not plain data", "text": type(value).__name__, "place": None}
            channel.send(answer)
