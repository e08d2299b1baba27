"""What an echo costs: one SendMessage over JSON-RPC at the scripted agent, the Python SDK and the official Rust SDK.

Usage: python benches/a2a_echo.py [--requests 20000] [--tasks 0]

Each server runs as a process of its own on this machine and is asked over one connection that stays open, one request at a
time, by a client that reads no more than it must; the cost is the processor time that the server's process took, by
the kernel's count, so that the client's own and the machine's load do not enter. The Python SDK answers a twentieth of
the requests. Beside it stand the time to the first event of a stream, seen by the client, and the memory. `--tasks` asks
the scripted agent that many times more and prints its memory on the way.

Needs: `cargo build --release -p a2a --example scripted_agent`, a Python with `a2a-sdk[http-server]==1.3.0` and uvicorn, and
`cargo build --release` in `benches/a2a_echo_peer`. What is missing is left out, saying so. With `CARGO_TARGET_DIR` set
both builds are looked for there.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# How long a server may take to listen, in seconds.
PATIENCE = 30
# The Python SDK takes long enough for a twentieth of the requests to be counted well.
PYTHON_SHARE = 20
WARM_UP = 200
STREAMS = 300


def serve_python(port):
    """The echo agent of the Python SDK."""
    import uvicorn
    from a2a.server.agent_execution import AgentExecutor
    from a2a.server.request_handlers import DefaultRequestHandler
    from a2a.server.routes import create_jsonrpc_routes
    from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
    from a2a.types import a2a_pb2 as pb
    from starlette.applications import Starlette

    class Echo(AgentExecutor):
        async def execute(self, context, event_queue):
            task = pb.Task(id=context.task_id, context_id=context.context_id, history=[context.message])
            task.status.state = pb.TASK_STATE_SUBMITTED
            await event_queue.enqueue_event(task)
            updater = TaskUpdater(event_queue, context.task_id, context.context_id)
            await updater.start_work()
            await updater.add_artifact([pb.Part(text=context.get_user_input())], name="echo")
            await updater.complete()

        async def cancel(self, context, event_queue):
            await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()

    card = pb.AgentCard(name="echo", description="echo", version="1", default_input_modes=["text/plain"], default_output_modes=["text/plain"])
    card.capabilities.streaming = True
    card.skills.add(id="echo", name="echo", description="echo", tags=["echo"])
    card.supported_interfaces.add(url=f"http://127.0.0.1:{port}/a2a", protocol_binding="JSONRPC", protocol_version="1.0")
    handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore(), agent_card=card)
    app = Starlette(routes=create_jsonrpc_routes(handler, rpc_url="/a2a"))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


class Connection:
    """An HTTP/1.1 connection that stays open and reads no more of an answer than its length and its words."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0

    def request(self, method):
        self.number += 1
        message = {"messageId": f"m{self.number}", "role": "ROLE_USER", "parts": [{"text": "echo hello"}]}
        body = json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": {"message": message}})
        head = (
            "POST /a2a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"A2A-Version: 1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.socket.sendall((head + body).encode())

    def answer(self):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.read()
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self.read()
        return body

    def first_event(self):
        """Seconds until the first event of a stream; the rest is read to its end."""
        begun = time.perf_counter()
        self.request("SendStreamingMessage")
        data = self.read()
        while b"data:" not in data:
            data += self.read()
        first = time.perf_counter() - begun
        while not data.endswith(b"0\r\n\r\n"):
            data += self.read()
        return first

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        return data


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(command, port):
    process = subprocess.Popen(command)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.05)


def ask(connection, count):
    for _ in range(count):
        connection.request("SendMessage")
        answer = connection.answer()
    return answer


def measure(name, command, port, requests, tasks):
    process = started(command, port)
    try:
        connection = Connection(port)
        answer = json.loads(ask(connection, WARM_UP))
        assert answer["result"]["task"]["status"]["state"] == "TASK_STATE_COMPLETED", answer
        idle = resident_mib(process.pid)
        spent, begun = cpu_seconds(process.pid), time.perf_counter()
        ask(connection, requests)
        took, spent = time.perf_counter() - begun, cpu_seconds(process.pid) - spent
        firsts = sorted(connection.first_event() for _ in range(STREAMS))
        print(
            f"{name:18} {spent / requests * 1e6:8.1f} us a request, {requests / took:7.0f} requests/s, first event "
            f"p50 {statistics.median(firsts) * 1e3:.2f} ms, p99 {firsts[int(STREAMS * 0.99)] * 1e3:.2f} ms, "
            f"{idle:.0f} -> {resident_mib(process.pid):.0f} MiB",
            flush=True,
        )
        for done in range(10 if tasks else 0):
            ask(connection, tasks // 10)
            print(f"  {(done + 1) * (tasks // 10):9} tasks more: {resident_mib(process.pid):6.1f} MiB", flush=True)
        return spent / requests
    finally:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--tasks", type=int, default=0)
    parser.add_argument("--serve-python", type=int, metavar="PORT")
    arguments = parser.parse_args()
    if arguments.serve_python:
        return serve_python(arguments.serve_python)
    target = os.environ.get("CARGO_TARGET_DIR")
    ours = Path(target or ROOT / "target") / "release/examples/scripted_agent"
    peer = Path(target or ROOT / "benches/a2a_echo_peer/target") / "release/a2a_echo_peer"
    costs = {}
    for name, program, requests in [
        ("scripted agent", ours, arguments.requests),
        ("official Rust SDK", peer, arguments.requests),
        ("Python SDK", Path(__file__), arguments.requests // PYTHON_SHARE),
    ]:
        port = free_port()
        command = {
            ours: [ours, "--listen", f"127.0.0.1:{port}"],
            peer: [peer, str(port)],
        }.get(program, [sys.executable, program, "--serve-python", str(port)])
        try:
            costs[name] = measure(name, command, port, requests, arguments.tasks if program == ours else 0)
        except OSError as error:
            print(f"skipped: {name}: {error}")
    own = costs.pop("scripted agent", None)
    for name, cost in costs.items() if own else []:
        print(f"the scripted agent takes 1/{cost / own:.1f} of what the {name} does")


if __name__ == "__main__":
    main()
