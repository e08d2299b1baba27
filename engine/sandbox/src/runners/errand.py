# The engine's side of an errand: copies a tree to where it may be changed, runs a command there, and reports how the
# tree differs afterwards. The task is the first JSON line in over descriptor 4, and orders follow: to end the command, and
# to pass lines and files on where it speaks over its standard streams. JSON lines go out over descriptor 3, the last one
# says the end.
#
# The command could forge this report, and would gain nothing: it says what a command may say anyway, namely how the tree
# shall look, and every claim is held against the rules outside.
import base64
import errno
import json
import os
import selectors
import signal
import stat
import subprocess
import sys
import time

GRACE_S = 2.0
LOOK_EVERY_S = 0.5
MAX_LOOKED_AT = 20_000


def read_task():
    """The task, and what came after it."""
    data = b""
    while b"\n" not in data:
        chunk = os.read(4, 1 << 16)
        if not chunk:
            break
        data += chunk
    line, _, rest = data.partition(b"\n")
    return json.loads(line), rest


def send(value):
    data = json.dumps(value).encode("ascii") + b"\n"
    while data:
        data = data[os.write(3, data):]


def encoded(data):
    return base64.b64encode(data).decode("ascii")


def copy(source, place):
    os.makedirs(place, exist_ok=True)
    for entry in os.scandir(source):
        target = os.path.join(place, entry.name)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
        elif entry.is_dir():
            copy(entry.path, target)
        else:
            with open(entry.path, "rb") as original, open(target, "wb") as twin:
                twin.write(original.read())
            os.chmod(target, 0o755 if entry.stat().st_mode & 0o100 else 0o644)


def entries(folder, ignored, prefix=""):
    """Everything that is no folder, as (path below the folder, entry); links are not followed."""
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.name in ignored or entry.name.endswith(".pyc"):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from entries(entry.path, ignored, prefix + entry.name + "/")
        else:
            yield prefix + entry.name, entry


def content(path, limit):
    """The bytes of a plain file, or None for what is none or is too large; never follows a link, never waits."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(fd, "rb") as file:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > limit:
            return None
        return file.read(limit)


class Activity:
    """When something last happened: output, or a change below one of the folders."""

    def __init__(self, folders):
        self.folders = folders
        self.last = time.monotonic()
        self.looked = self.last
        self.newest = self.look()

    def look(self):
        newest, left = 0.0, MAX_LOOKED_AT
        for top in self.folders:
            for folder, _, files in os.walk(top):
                for name in [".", *files]:
                    try:
                        newest = max(newest, os.lstat(os.path.join(folder, name)).st_mtime)
                    except OSError:
                        pass
                    left -= 1
                if left < 0:
                    return newest
        return newest

    def idle_s(self):
        now = time.monotonic()
        if now - self.looked >= LOOK_EVERY_S:
            self.looked = now
            newest = self.look()
            if newest != self.newest:
                self.newest, self.last = newest, now
        return now - self.last


class Inbox:
    """Orders from outside over descriptor 4, one JSON line each, without waiting for them."""

    def __init__(self, rest):
        self.data, self.open = rest, True
        os.set_blocking(4, False)

    def orders(self):
        while self.open:
            try:
                chunk = os.read(4, 1 << 16)
            except BlockingIOError:
                break
            self.open = bool(chunk)
            self.data += chunk
        *lines, self.data = self.data.split(b"\n")
        return [json.loads(line) for line in lines]


class Place:
    """Files below a folder, by paths below it; no link is followed on the way."""

    def __init__(self, top):
        self.top = top

    def opened(self, path, flags, make=False):
        *folders, name = path.split("/")
        fd = os.open(self.top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for folder in folders:
                if make:
                    try:
                        os.mkdir(folder, dir_fd=fd)
                    except FileExistsError:
                        pass
                below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                os.close(fd)
                fd = below
            return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644, dir_fd=fd)
        finally:
            os.close(fd)

    def read(self, path, limit):
        with open(self.opened(path, os.O_RDONLY), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise OSError(errno.EINVAL, "no plain file")
            if facts.st_size > limit:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            return file.read(limit)

    def write(self, path, data):
        with open(self.opened(path, os.O_WRONLY | os.O_CREAT, make=True), "wb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "no plain file")
            file.truncate()
            file.write(data)


def signalled(process, sign):
    """A signal for all of the command. In a cell of one group it goes to the first of its processes; what that leaves
    behind ends with the cell."""
    for way in lambda: os.killpg(process.pid, sign), lambda: process.send_signal(sign):
        try:
            return way()
        except OSError:
            pass


def end(process):
    for sign in signal.SIGTERM, signal.SIGKILL:
        signalled(process, sign)
        try:
            process.wait(GRACE_S)
            break
        except subprocess.TimeoutExpired:
            pass
    signalled(process, signal.SIGKILL)


def started(task):
    speaks = task["dialogue"]
    options = dict(
        cwd=task["work"], env=task["env"], bufsize=0, stdin=subprocess.PIPE if speaks else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE if speaks else subprocess.STDOUT)
    # A fenced cell is one group and lets nothing out of it.
    return subprocess.Popen(task["argv"], start_new_session=task["own_group"], **options)


class Conversation:
    """A command under way: what it says, what it is told, and when it is to end."""

    def __init__(self, task, process, inbox):
        self.task, self.process, self.inbox = task, process, inbox
        self.place, self.tail, self.ended = Place(task["work"]), b"", "exited"
        self.said, self.to_say, self.hung_up = b"", b"", None
        self.activity = Activity([task["work"], task["home"]])
        self.selector = selectors.DefaultSelector()
        if task["dialogue"]:
            self.listen(process.stdout, self.hear)
            self.listen(process.stderr, self.grumble)
            os.set_blocking(process.stdin.fileno(), False)
        else:
            self.listen(process.stdout, self.grumble)
        self.selector.register(4, selectors.EVENT_READ, lambda _: self.obey())
        # Some may have come with the task.
        self.obey()

    def listen(self, stream, heard):
        os.set_blocking(stream.fileno(), False)
        self.selector.register(stream, selectors.EVENT_READ, heard)

    def chunk(self, stream):
        try:
            chunk = os.read(stream.fileno(), 1 << 16)
        except BlockingIOError:
            return b""
        if not chunk:
            self.selector.unregister(stream)
        self.activity.last = time.monotonic()
        return chunk

    def grumble(self, stream):
        self.tail = (self.tail + self.chunk(stream))[-self.task["max_output"]:]

    def hear(self, stream):
        self.said += self.chunk(stream)
        *lines, self.said = self.said.split(b"\n")
        for line in lines:
            send({"kind": "said", "line": line.decode("utf-8", "replace")})
        if len(self.said) > self.task["max_line"]:
            self.ended = "garbled"

    def obey(self):
        for order in self.inbox.orders():
            self.obey_one(order)
        if not self.inbox.open:
            self.selector.unregister(4)

    def obey_one(self, order):
        kind = order["kind"]
        if kind == "end":
            self.ended = "ended"
        elif kind == "say":
            self.to_say += order["line"].encode() + b"\n"
        elif kind == "hang_up":
            self.hung_up = self.hung_up or time.monotonic()
        else:
            answer = {"kind": "file", "id": order["id"], "content": None, "error": None}
            try:
                if kind == "read":
                    answer["content"] = encoded(self.place.read(order["path"], self.task["max_file"]))
                else:
                    self.place.write(order["path"], base64.b64decode(order["content"]))
            except OSError as error:
                answer["error"] = error.strerror or "it cannot be done"
            send(answer)

    def speak(self):
        stdin = self.process.stdin
        if stdin is None or stdin.closed:
            return
        try:
            while self.to_say:
                self.to_say = self.to_say[os.write(stdin.fileno(), self.to_say[:1 << 16]):]
        except BlockingIOError:
            return
        except OSError:
            self.to_say, self.hung_up = b"", time.monotonic()
        if self.hung_up:
            stdin.close()

    def follow(self):
        began = time.monotonic()
        while self.process.poll() is None and self.ended == "exited":
            for key, _ in self.selector.select(0.02):
                key.data(key.fileobj)
            self.speak()
            if not self.selector.get_map():
                time.sleep(0.02)
            if self.hung_up and time.monotonic() - self.hung_up > GRACE_S:
                break
            if time.monotonic() - began > self.task["wall_s"]:
                self.ended = "wall"
            elif self.activity.idle_s() > self.task["idle_s"]:
                self.ended = "idle"
        end(self.process)
        for key in list(self.selector.get_map().values()):
            if key.fileobj != 4:
                key.data(key.fileobj)


def run(task, inbox):
    """Runs the command; answers how it ended and the end of its output."""
    process = started(task)
    conversation = Conversation(task, process, inbox)
    conversation.follow()
    return conversation.ended, process.returncode, conversation.tail


def report_changes(task):
    """Says what is new, different or gone."""
    ignored, left, before = set(task["ignored"]), task["max_changed"], {}
    for path, entry in entries(task["base"], ignored):
        before[path] = entry
    for path, entry in entries(task["work"], ignored):
        old = before.pop(path, None)
        if entry.is_symlink() or (old is not None and old.is_symlink()):
            same = old is not None and old.is_symlink() and entry.is_symlink() and (
                os.readlink(old.path) == os.readlink(entry.path))
            if not same:
                send({"path": path, "kind": "odd"})
            continue
        data = content(entry.path, task["max_file"])
        if data is None:
            send({"path": path, "kind": "odd"})
        elif old is None or content(old.path, task["max_file"]) != data:
            left -= len(data)
            if left < 0:
                send({"kind": "too_much"})
                return
            send({"path": path, "kind": "new" if old is None else "changed", "content": encoded(data)})
    for path in before:
        send({"path": path, "kind": "gone"})


def main():
    task, rest = read_task()
    for fd in 3, 4:
        os.set_inheritable(fd, False)
    if not task["own_group"]:
        # A command that ends its group means itself. A handler is not inherited, unlike being deaf.
        signal.signal(signal.SIGTERM, lambda *_: None)
    copy(task["base"], task["work"])
    try:
        ended, code, tail = run(task, Inbox(rest))
    except (OSError, ValueError) as error:
        # Only the name of what went wrong: the message would hold places of the engine's own.
        reason = error.strerror if isinstance(error, OSError) else str(error)
        ended, code, tail = "unstarted", None, str(reason).encode()
    report_changes(task)
    answer = content(task["result"], task["max_result"])
    send({"kind": "end", "ended": ended, "code": code, "output": encoded(tail),
          "result": None if answer is None else encoded(answer)})
    # Nothing of this process is needed any more, and what is left of the command ends with the cell.
    os._exit(0)


sys.setrecursionlimit(10_000)
main()
