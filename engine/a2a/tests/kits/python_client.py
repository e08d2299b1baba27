"""Drives a running scripted agent with the Python SDK's own client (PyPI a2a-sdk 1.3), in every binding and version.

Usage: python python_client.py http://127.0.0.1:PORT [JWK [BINDING]]
With JWK, the file that `--sign` wrote, the card's signature is checked too (PyPI a2a-sdk[signing]). With BINDING, such as
GRPC (PyPI a2a-sdk[grpc]), interfaces of that binding are driven and no others; without it all but those of gRPC.
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
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import A2AError

FAILURES = []
HOOKS = []
ARRIVED = threading.Event()
# How long a notification or the end of a stream may take, in seconds.
PATIENCE = 10


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        HOOKS.append((dict(self.headers), json.loads(body)))
        self.send_response(204)
        self.end_headers()
        ARRIVED.set()

    def log_message(self, *_):
        pass


def check(name, passed, detail=""):
    print("ok  " if passed else "FAIL", name, "" if passed else detail, flush=True)
    if not passed:
        FAILURES.append(name)


def message(text, **fields):
    return pb.SendMessageRequest(
        message=pb.Message(message_id=str(uuid.uuid4()), role=pb.ROLE_USER, parts=[pb.Part(text=text)], **fields)
    )


async def last_task(client, request):
    """Sends and returns the task as the last items left it, and the items."""
    items = [item async for item in client.send_message(request)]
    task_id = next((getattr(i, i.WhichOneof("payload")) for i in items if not i.HasField("message")), None)
    task_id = getattr(task_id, "id", "") or getattr(task_id, "task_id", "")
    return task_id, items


async def raises(name, awaitable, word):
    try:
        await awaitable
        check(name, False, "no error")
    except A2AError as error:
        check(name, word.lower() in type(error).__name__.lower(), f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001
        check(name, False, f"{type(error).__name__}: {error}")


def client_of(card, http, streaming):
    binding = card.supported_interfaces[0].protocol_binding
    settings = ClientConfig(httpx_client=http, streaming=streaming, supported_protocol_bindings=[binding])
    if binding == "GRPC":
        import grpc

        settings.grpc_channel_factory = grpc.aio.insecure_channel
    return ClientFactory(settings).create(card)


async def drive(label, card, http, hook_url, first):
    blocking = client_of(card, http, streaming=False)
    streaming = client_of(card, http, streaming=True)

    task_id, items = await last_task(blocking, message("echo hello"))
    check(f"{label} send", len(items) == 1 and items[0].task.status.state == pb.TASK_STATE_COMPLETED, items)
    check(f"{label} send artifact", items[0].task.artifacts[0].parts[0].text == "echo hello", items)

    task = await blocking.get_task(pb.GetTaskRequest(id=task_id))
    check(f"{label} get", task.id == task_id and task.status.state == pb.TASK_STATE_COMPLETED, task)
    await raises(f"{label} get unknown", blocking.get_task(pb.GetTaskRequest(id="nope")), "TaskNotFound")

    _, items = await last_task(blocking, message("tck-message-response"))
    check(f"{label} direct message", items[0].HasField("message"), items)

    _, items = await last_task(streaming, message("tck-stream-chunked"))
    kinds = [item.WhichOneof("payload") for item in items]
    check(f"{label} stream", kinds == ["task", "status_update", "artifact_update", "artifact_update", "status_update"], kinds)
    check(f"{label} stream append", items[3].artifact_update.append and items[3].artifact_update.last_chunk, items)

    task_id, items = await last_task(streaming, message("tck-multi-turn please"))
    check(f"{label} input required ends stream", items[-1].status_update.status.state == pb.TASK_STATE_INPUT_REQUIRED, items)
    _, items = await last_task(blocking, message("done", task_id=task_id))
    check(f"{label} second turn", items[0].task.status.state == pb.TASK_STATE_COMPLETED, items)

    parts = [pb.Part(raw=b"bytes", media_type="application/octet-stream", filename="a.bin"), pb.Part(url="https://example.com/x", media_type="application/pdf")]
    request = message("echo parts")
    request.message.parts.extend(parts)
    request.message.parts.add().data.struct_value.update({"a": [1, 2.5, None]})
    request.message.parts.add().data.list_value.extend([1, "two"])
    task_id, items = await last_task(blocking, request)
    history = (await blocking.get_task(pb.GetTaskRequest(id=task_id))).history
    check(f"{label} parts come back as they were", list(history[0].parts) == list(request.message.parts), history)

    request = message("tck-cancel")
    request.configuration.return_immediately = True
    task_id, items = await last_task(blocking, request)
    subscription = streaming.subscribe(pb.SubscribeToTaskRequest(id=task_id))
    followed = [await anext(subscription)]
    config = await blocking.create_task_push_notification_config(
        pb.TaskPushNotificationConfig(task_id=task_id, url=hook_url, token=f"token-{label}",
                                      authentication=pb.AuthenticationInfo(scheme="Bearer", credentials="word")))
    check(f"{label} push create", config.task_id == task_id and config.id != "", config)
    known = await blocking.get_task_push_notification_config(pb.GetTaskPushNotificationConfigRequest(task_id=task_id, id=config.id))
    check(f"{label} push get", known.url == hook_url, known)
    try:
        listed = await blocking.list_task_push_notification_configs(pb.ListTaskPushNotificationConfigsRequest(task_id=task_id))
        check(f"{label} push list", [c.id for c in listed.configs] == [config.id], listed)
    except NotImplementedError:
        print("skip", f"{label} push list: the client has none in this version")
    HOOKS.clear()
    ARRIVED.clear()
    cancelled = await blocking.cancel_task(pb.CancelTaskRequest(id=task_id))
    check(f"{label} cancel", cancelled.status.state == pb.TASK_STATE_CANCELED, cancelled)
    items = followed + await asyncio.wait_for(collect(subscription), PATIENCE)
    check(f"{label} subscribe", items[0].HasField("task") and items[-1].status_update.status.state == pb.TASK_STATE_CANCELED, items)
    await raises(f"{label} cancel twice", blocking.cancel_task(pb.CancelTaskRequest(id=task_id)), "TaskNotCancelable")
    arrived = await asyncio.to_thread(ARRIVED.wait, PATIENCE)
    check(f"{label} push delivery", arrived and len(HOOKS) == 1, HOOKS)
    if arrived:
        headers = {k.lower(): v for k, v in HOOKS[0][0].items()}
        check(f"{label} push headers", headers.get("authorization") == "Bearer word" and headers.get("x-a2a-notification-token") == f"token-{label}", headers)
    try:
        await blocking.delete_task_push_notification_config(pb.DeleteTaskPushNotificationConfigRequest(task_id=task_id, id=config.id))
        await raises(f"{label} push gone", blocking.get_task_push_notification_config(pb.GetTaskPushNotificationConfigRequest(task_id=task_id, id=config.id)), "TaskNotFound")
    except NotImplementedError:
        print("skip", f"{label} push delete: the client has none in this version")

    card = await blocking.get_extended_agent_card(pb.GetExtendedAgentCardRequest())
    check(f"{label} extended card", "extended" in card.description, card.description)

    if first:
        page = await blocking.list_tasks(pb.ListTasksRequest(page_size=2))
        check(f"{label} list", len(page.tasks) == 2 and page.next_page_token and page.total_size >= 3, page)
        rest = await blocking.list_tasks(pb.ListTasksRequest(page_size=2, page_token=page.next_page_token))
        check(f"{label} next page", {t.id for t in rest.tasks}.isdisjoint({t.id for t in page.tasks}), rest)
        await raises(f"{label} list nonsense", blocking.list_tasks(pb.ListTasksRequest(page_size=1000)), "InvalidParams")


async def collect(stream):
    return [item async for item in stream]


async def main(base):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = f"http://127.0.0.1:{server.server_port}/hook"
    async with httpx.AsyncClient(timeout=20) as http:
        card = await A2ACardResolver(httpx_client=http, base_url=base).get_agent_card()
        check("card", card.capabilities.streaming and len(card.supported_interfaces) >= 2, card)
        if len(sys.argv) > 2:
            from a2a.utils.signing import create_signature_verifier
            from jwt import PyJWK

            with open(sys.argv[2], encoding="utf-8") as file:
                key = PyJWK(json.load(file))
            try:
                create_signature_verifier(lambda kid, jku: key, ["ES256"])(card)
                check("card signature", True)
            except Exception as error:  # noqa: BLE001
                check("card signature", False, repr(error))
        wanted = sys.argv[3] if len(sys.argv) > 3 else None
        offered = [i for i in card.supported_interfaces
                   if (i.protocol_binding == wanted if wanted else i.protocol_binding != "GRPC")]
        check("interfaces of the binding", offered, card)
        for interface in offered:
            only = pb.AgentCard()
            only.CopyFrom(card)
            del only.supported_interfaces[:]
            only.supported_interfaces.append(interface)
            label = f"{interface.protocol_binding} {interface.protocol_version}"
            try:
                await drive(label, only, http, hook, interface.protocol_version == "1.0")
            except Exception as error:  # noqa: BLE001
                import traceback

                traceback.print_exc()
                check(f"{label} to the end", False, repr(error))
    print(f"{len(FAILURES)} failures")
    return 1 if FAILURES else 0


sys.exit(asyncio.run(main(sys.argv[1])))
