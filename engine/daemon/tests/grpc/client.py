"""Asks a running darwind over HTTP/2: as an agent with the Python SDK's client of gRPC (PyPI a2a-sdk[grpc] 1.3), and as a
browser does that opens page and WebSocket over one connection (PyPI h2).

Usage: python client.py PORT TOKEN [CERTIFICATE]
With CERTIFICATE, a PEM file, it speaks TLS and trusts that alone. Exits with 1 and names what failed; prints one line a
check otherwise.
"""

import asyncio
import json
import socket
import ssl
import sys
import uuid

import grpc
import h2.config
import h2.connection
import h2.events
import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.client import ClientCallContext
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import A2AError

PORT, TOKEN = sys.argv[1:3]
CERTIFICATE = sys.argv[3] if len(sys.argv) > 3 else None
TRUST = ssl.create_default_context(cafile=CERTIFICATE) if CERTIFICATE else False
HERE = f"localhost:{PORT}"
BASE = ("https://" if CERTIFICATE else "http://") + HERE
FAILURES = []
# How long the server may take for an answer, in seconds.
PATIENCE = 20


def check(name, passed, detail=""):
    print("ok  " if passed else "FAIL", name, "" if passed else detail, flush=True)
    if not passed:
        FAILURES.append(name)


def channel(url):
    check("the card names host and port", url == f"127.0.0.1:{PORT}", url)
    # The certificate is that of the machine's name.
    if not CERTIFICATE:
        return grpc.aio.insecure_channel(HERE)
    with open(CERTIFICATE, "rb") as file:
        return grpc.aio.secure_channel(HERE, grpc.ssl_channel_credentials(file.read()))


def saying(**content):
    part = pb.Part()
    if "text" in content:
        part.text = content["text"]
    else:
        part.data.struct_value.update(content)
    message = pb.Message(message_id=str(uuid.uuid4()), role=pb.ROLE_USER, parts=[part])
    return pb.SendMessageRequest(message=message)


async def agent():
    """What an agent does."""
    shown = ClientCallContext(service_parameters={"authorization": f"Bearer {TOKEN}"})
    async with httpx.AsyncClient(timeout=PATIENCE, verify=TRUST) as http:
        card = await A2ACardResolver(httpx_client=http, base_url=BASE).get_agent_card()
        settings = ClientConfig(httpx_client=http, streaming=True, supported_protocol_bindings=["GRPC"],
                                grpc_channel_factory=channel)
        async with ClientFactory(settings).create(card) as client:
            [answer] = [item async for item in client.send_message(saying(text="hello"), context=shown)]
            check("words are answered in words", "transfer_knowledge" in answer.message.parts[0].text, answer)
            joins = saying(type="evolution_group_join", group_id="g", agent_id="me", capabilities={})
            items = [item async for item in client.send_message(joins, context=shown)]
            kinds = [item.WhichOneof("payload") for item in items]
            check("a skill streams its task", kinds[0] == "task" and kinds[-1] == "status_update", kinds)
            ended = await client.get_task(pb.GetTaskRequest(id=items[0].task.id), context=shown)
            check("the task has its answer", ended.status.state == pb.TASK_STATE_COMPLETED and
                  ended.artifacts[0].parts[0].data.struct_value["type"] == "evolution_group", ended)
            tasks = await client.list_tasks(pb.ListTasksRequest(), context=shown)
            check("the task is listed", [task.id for task in tasks.tasks] == [ended.id], tasks)
            for name, context in [("nobody", None), ("a wrong token", ClientCallContext(
                    service_parameters={"authorization": "Bearer wrong"}))]:
                try:
                    await client.list_tasks(pb.ListTasksRequest(), context=context)
                    check(f"{name} is told nothing", False)
                except Exception as error:  # noqa: BLE001
                    cause = error.__cause__ if isinstance(error.__cause__, grpc.aio.AioRpcError) else error
                    code = cause.code() if isinstance(cause, grpc.aio.AioRpcError) else cause
                    check(f"{name} is told nothing", code == grpc.StatusCode.UNAUTHENTICATED, repr(error))
            try:
                await client.get_task(pb.GetTaskRequest(id="nope"), context=shown)
                check("an unknown task", False)
            except A2AError as error:
                check("an unknown task", "TaskNotFound" in type(error).__name__, repr(error))


class Browser:
    """One connection of HTTP/2."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", int(PORT)), timeout=PATIENCE)
        if CERTIFICATE:
            TRUST.set_alpn_protocols(["h2", "http/1.1"])
            self.socket = TRUST.wrap_socket(self.socket, server_hostname="localhost")
            check("HTTP/2 is chosen", self.socket.selected_alpn_protocol() == "h2")
        self.events = []
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration())
        self.connection.initiate_connection()
        self.socket.sendall(self.connection.data_to_send())

    def until(self, wanted):
        """The next event of a kind, and all data before it."""
        data = b""
        while True:
            while self.events:
                event = self.events.pop(0)
                if isinstance(event, h2.events.DataReceived):
                    data += event.data
                if isinstance(event, wanted):
                    return event, data
            received = self.socket.recv(65536)
            if not received:
                raise EOFError("the server closed the connection")
            self.events += self.connection.receive_data(received)
            self.socket.sendall(self.connection.data_to_send())

    def ask(self, authority, path, *more, method="GET", end=True):
        scheme = "https" if CERTIFICATE else "http"
        stream = self.connection.get_next_available_stream_id()
        headers = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path), *more]
        self.connection.send_headers(stream, headers, end_stream=end)
        self.socket.sendall(self.connection.data_to_send())
        event, _ = self.until(h2.events.ResponseReceived)
        return stream, int(dict(event.headers)[b":status"])

    def whole(self, *request):
        _, status = self.ask(*request)
        _, body = self.until(h2.events.StreamEnded)
        return status, body


def browser():
    """What a browser does."""
    bearer = ("authorization", f"Bearer {TOKEN}")
    tab = Browser()
    status, body = tab.whole(HERE, "/api/v1/runs", bearer)
    check("the API", status == 200 and json.loads(body)["total"] == 0, (status, body))
    check("a name that is not the server's", tab.whole("evil.example:80", "/api/v1/runs", bearer)[0] == 403)
    extended = tab.connection.remote_settings.enable_connect_protocol
    check("a WebSocket may be opened", extended == 1, extended)
    socket_of = [(":protocol", "websocket"), ("sec-websocket-version", "13")]
    _, status = tab.ask(HERE, "/ws", *socket_of, method="CONNECT", end=False)
    check("a WebSocket asks who is there", status == 401, status)
    stream, status = tab.ask(HERE, "/ws", *socket_of, bearer, ("sec-websocket-protocol", "darwind.v1"),
                             method="CONNECT", end=False)
    check("a WebSocket over HTTP/2", status == 200, status)
    # A text frame as a client sends it, masked with nothing.
    words = json.dumps({"t": "nonsense"}).encode()
    tab.connection.send_data(stream, bytes([0x81, 0x80 | len(words), 0, 0, 0, 0]) + words)
    tab.socket.sendall(tab.connection.data_to_send())
    event, data = tab.until(h2.events.DataReceived)
    check("it answers in frames", data[:1] in (b"\x81", b"\x88"), data)


asyncio.run(agent())
browser()
print(f"{len(FAILURES)} failures")
sys.exit(1 if FAILURES else 0)
