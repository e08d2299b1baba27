"""Drives a running scripted agent with the Python SDK's client of protocol 0.3 (PyPI a2a-sdk 0.3.26), in both bindings.

Usage: python python_old_client.py http://127.0.0.1:PORT
Exits with 1 and names what failed; prints one line a check otherwise.
"""

import asyncio
import json
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import (
    GetTaskPushNotificationConfigParams,
    Message,
    Part,
    PushNotificationConfig,
    Role,
    TaskIdParams,
    TaskPushNotificationConfig,
    TaskQueryParams,
    TaskState,
    TextPart,
    TransportProtocol,
)

FAILURES = []
DELIVERED = []
ARRIVED = threading.Event()
# How long a notification may take, in seconds.
PATIENCE = 10


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        DELIVERED.append((self.headers.get("X-A2A-Notification-Token"), json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        ARRIVED.set()

    def log_message(self, *_):
        pass


def check(name, passed, detail=""):
    print("ok  " if passed else "FAIL", name, "" if passed else detail, flush=True)
    if not passed:
        FAILURES.append(name)


def say(text, **fields):
    fields.setdefault("message_id", str(uuid.uuid4()))
    return Message(role=Role.user, parts=[Part(root=TextPart(text=text))], **fields)


async def collect(stream):
    return [event async for event in stream]


def last_task(events):
    """The task as the last event left it; `None` for a plain message."""
    return events[-1][0] if isinstance(events[-1], tuple) else None


async def fails(name, awaitable, words):
    try:
        check(name, False, f"no error but {await awaitable}")
    except Exception as error:  # noqa: BLE001 -- each binding has an exception of its own
        text = f"{type(error).__name__} {error}".lower()
        check(name, any(word in text for word in words), text)


async def drive(label, card, binding, hook):
    def client(streaming, polling=False):
        config = ClientConfig(httpx_client=http, streaming=streaming, polling=polling, supported_transports=[binding])
        return ClientFactory(config).create(card)

    async with httpx.AsyncClient(timeout=20) as http:
        blocking, streaming, polling = client(False), client(True), client(False, polling=True)

        task = last_task(await collect(blocking.send_message(say("echo hello"))))
        check(f"{label} send", task.status.state == TaskState.completed, task)
        check(f"{label} artifact", task.artifacts[0].parts[0].root.text == "echo hello", task)
        known = await blocking.get_task(TaskQueryParams(id=task.id))
        check(f"{label} get", known.id == task.id and known.artifacts == task.artifacts, known)
        await fails(f"{label} get unknown", blocking.get_task(TaskQueryParams(id="nope")), ["not found", "no task", "404", "-32001"])

        events = await collect(blocking.send_message(say("tck-message-response")))
        check(f"{label} direct message", isinstance(events[0], Message), events)

        events = await collect(streaming.send_message(say("tck-stream-chunked")))
        kinds = [getattr(update, "kind", None) for _, update in events]
        check(f"{label} stream", kinds == [None, "status-update", "artifact-update", "artifact-update", "status-update"], kinds)
        check(f"{label} stream is final", events[-1][1].final and last_task(events).status.state == TaskState.completed, events[-1])

        task = last_task(await collect(streaming.send_message(say("tck-multi-turn please"))))
        check(f"{label} input required", task.status.state == TaskState.input_required, task)
        task = last_task(await collect(blocking.send_message(say("done", task_id=task.id, context_id=task.context_id))))
        check(f"{label} second turn", task.status.state == TaskState.completed, task)

        # As the compliance kit of 0.3 does it, by its ids: any task goes on, and can be canceled.
        task = last_task(await collect(blocking.send_message(say("Hello", message_id=f"text-message-id-{uuid.uuid4()}"))))
        task = last_task(await collect(blocking.send_message(say("more", task_id=task.id))))
        check(f"{label} continues", task.status.state == TaskState.input_required and len(task.history) >= 2, task)
        cancelled = await blocking.cancel_task(TaskIdParams(id=task.id))
        check(f"{label} cancel while waiting", cancelled.status.state == TaskState.canceled, cancelled)

        task = last_task(await collect(polling.send_message(say("tck-cancel"))))
        check(f"{label} not blocking", task.status.state in (TaskState.submitted, TaskState.working), task)
        stream = streaming.resubscribe(TaskIdParams(id=task.id))
        first = await anext(stream)
        config = PushNotificationConfig(url=hook, token=f"token {label}")
        wanted = TaskPushNotificationConfig(task_id=task.id, push_notification_config=config)
        try:
            config = (await blocking.set_task_callback(wanted)).push_notification_config
            check(f"{label} push set", config.url == hook and config.id, config)
            params = GetTaskPushNotificationConfigParams(id=task.id, push_notification_config_id=config.id)
            known = (await blocking.get_task_callback(params)).push_notification_config
            check(f"{label} push get", known.token == f"token {label}", known)
        except Exception as error:  # noqa: BLE001
            check(f"{label} push", False, repr(error))
        ARRIVED.clear()
        DELIVERED.clear()
        cancelled = await blocking.cancel_task(TaskIdParams(id=task.id))
        check(f"{label} cancel", cancelled.status.state == TaskState.canceled, cancelled)
        rest = await asyncio.wait_for(collect(stream), PATIENCE)
        check(f"{label} resubscribe", rest[-1][1].final and rest[-1][0].id == first[0].id, rest)
        arrived = await asyncio.to_thread(ARRIVED.wait, PATIENCE)
        check(f"{label} push delivery", arrived and DELIVERED[0][0] == f"token {label}", DELIVERED)
        await fails(f"{label} cancel twice", blocking.cancel_task(TaskIdParams(id=task.id)), ["cancel", "ended", "-32002"])
        full = await blocking.get_card()
        check(f"{label} extended card", "extended" in full.description, full.description)


async def main(base):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = f"http://127.0.0.1:{server.server_port}/hook"
    async with httpx.AsyncClient(timeout=20) as http:
        card = await A2ACardResolver(httpx_client=http, base_url=base).get_agent_card()
    check("card", card.url and card.protocol_version.startswith("0.3") and card.capabilities.streaming, card)
    for binding in (TransportProtocol.jsonrpc, TransportProtocol.http_json):
        label = f"{binding.value} 0.3"
        try:
            await drive(label, card, binding, hook)
        except Exception as error:  # noqa: BLE001
            check(f"{label} to the end", False, repr(error))
    print(f"{len(FAILURES)} failures")
    return 1 if FAILURES else 0


sys.exit(asyncio.run(main(sys.argv[1])))
