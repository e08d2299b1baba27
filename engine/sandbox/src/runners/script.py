# Runs a script or module as a program, and says when it has really come to its end.
def main():
    channel = Channel()
    task = channel.receive()
    prepare(task)
    nonce = task.pop("nonce")
    files = set(task["files"])
    sys.argv = task["argv"]
    status = 0
    try:
        if task["module"]:
            import runpy

            runpy.run_module(task["module"], run_name="__main__", alter_sys=True)
        else:
            path = task["argv"][0]
            module = type(sys)("__main__")
            module.__file__ = path
            module.__builtins__ = __builtins__
            sys.modules["__main__"] = module
            with open(path, "rb") as file:
                code = compile(file.read(), path, "exec", dont_inherit=True)
            exec(code, module.__dict__)
    except SystemExit as leave:
        place = fault(leave, files)["place"]
        last = leave.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        inside = last is not None and last.tb_frame.f_code.co_filename in files
        if leave.code is not None and not isinstance(leave.code, int):
            print(leave.code, file=sys.stderr)
        status = leave.code if isinstance(leave.code, int) else (0 if leave.code is None else 1)
        if inside and place and status == 0 and place[0] != task["main"]:
            channel.send({"left_early": place})
            return
    except BaseException as error:
        if sys.stdout:
            sys.stdout.flush()
        channel.send({"failed": fault(error, files)})
        return
    if sys.stdout:
        sys.stdout.flush()
    channel.send({"done": nonce, "status": status})
