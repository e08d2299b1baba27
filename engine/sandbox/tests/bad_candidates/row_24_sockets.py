"""Asks for sockets of every kind there is."""
import socket
from attempt import attempt

KINDS = {
    "udp": (2, socket.SOCK_DGRAM, 0), "raw": (2, socket.SOCK_RAW, 1), "netlink": (16, socket.SOCK_RAW, 0),
    "packet": (17, socket.SOCK_RAW, 3), "vsock": (40, socket.SOCK_STREAM, 0), "alg": (38, socket.SOCK_SEQPACKET, 0),
    "bluetooth": (31, socket.SOCK_RAW, 1), "tcp6": (10, socket.SOCK_STREAM, 0), "icmp": (2, socket.SOCK_DGRAM, 1),
    "xdp": (44, socket.SOCK_RAW, 0), "sctp": (2, socket.SOCK_STREAM, 132),
}
for name, kind in KINDS.items():
    attempt(name, socket.socket, *kind)


def listen():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


attempt("listen", listen)
