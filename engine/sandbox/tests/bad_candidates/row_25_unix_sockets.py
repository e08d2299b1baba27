"""Talks to local services by the names of their sockets."""
import os
import socket
from attempt import attempt


def connect(name):
    client = socket.socket(socket.AF_UNIX)
    client.connect(name)
    return client


def borrowed(name):
    # A pair needs no call that makes one socket, and its half might be pointed elsewhere.
    one, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.connect(name)
    return one


for way in (connect, borrowed):
    attempt(f"{way.__name__}-path", way, os.environ["SOCKET"])
    attempt(f"{way.__name__}-abstract", way, "\0" + os.environ["ABSTRACT"])
    attempt(f"{way.__name__}-docker", way, "/var/run/docker.sock")
    attempt(f"{way.__name__}-bus", way, "/run/dbus/system_bus_socket")


def sent(kind, name):
    # A datagram goes where it is told to, whatever its socket is paired with.
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    one.sendto(b"x", name)
    other.setblocking(False)
    try:
        # Some kinds ignore the name: what came to the other half went nowhere else.
        other.recv(1)
    except BlockingIOError:
        return "sent"
    raise PermissionError(1, "it stayed here")


for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_STREAM, socket.SOCK_RAW):
    attempt(f"sendto-{kind}", sent, kind, os.environ["SOCKET"] + ".dgram")
    attempt(f"sendto-abstract-{kind}", sent, kind, "\0" + os.environ["ABSTRACT"] + ".dgram")
