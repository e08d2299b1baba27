# Looks for a way out of its cell: the gateway must be reached, and nothing else.
import os
import socket
import struct
import threading

GATEWAY, OTHER, DATAGRAMS = (int(os.environ[name]) for name in ("GATEWAY", "OTHER", "DATAGRAMS"))
MSG_FASTOPEN = 0x20000000


def attempt(name, way):
    try:
        way()
        print("reached:", name, flush=True)
    except Exception as error:
        print("kept from:", name, flush=True)
        print(name, repr(error), file=__import__("sys").stderr, flush=True)


def tcp(address, port, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
    with socket.socket(family, kind, protocol) as made:
        made.settimeout(5)
        made.connect((address, port))
        made.sendall(b"hello")
        assert made.recv(100)


def from_a_thread():
    failure = []

    def visit():
        try:
            made = socket.socket()
            made.setblocking(False)
            code = made.connect_ex(("127.0.0.1", GATEWAY))
            assert code in (0, 115), os.strerror(code)
            made.settimeout(5)
            made.sendall(b"hello")
            assert made.recv(100)
        except Exception as error:
            failure.append(error)

    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def unix(address):
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(address)


def paired():
    for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET:
        one, other = socket.socketpair(socket.AF_UNIX, kind)
        other.close()
        try:
            one.connect(os.environ["SOCKET"])
            return
        except OSError:
            pass
    raise OSError("a pair stays one")


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"hello", ("127.0.0.1", DATAGRAMS))


def fast_open():
    with socket.socket() as made:
        made.sendto(b"hello", MSG_FASTOPEN, ("127.0.0.1", OTHER))
        made.recv(1)


def swapped():
    """Another thread changes the address while it is looked at."""
    import ctypes
    library = ctypes.CDLL(None, use_errno=True)
    pack = lambda port: struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + bytes([127, 0, 0, 1]) + bytes(8)
    right, wrong = pack(GATEWAY), pack(OTHER)
    address = ctypes.create_string_buffer(right, 16)
    over = threading.Event()

    def change():
        while not over.is_set():
            ctypes.memmove(address, wrong, 16)
            ctypes.memmove(address, right, 16)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(200):
            with socket.socket() as made:
                if library.connect(made.fileno(), address, 16) == 0:
                    # Only the port says where it led: whoever listens elsewhere sees it too.
                    assert made.getpeername() == ("127.0.0.1", GATEWAY), made.getpeername()
                    made.shutdown(socket.SHUT_RDWR)
    finally:
        over.set()
        thread.join()
    raise OSError("it led to the gateway or nowhere")


def listening():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        with socket.create_connection(made.getsockname()) as visitor, made.accept()[0] as host:
            visitor.sendall(b"hello")
            assert host.recv(5) == b"hello"


def source_route():
    with socket.socket() as made:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([131, 7, 4, 127, 0, 0, 2, 0]))


attempt("gateway", lambda: tcp("127.0.0.1", GATEWAY))
attempt("gateway from a thread, without waiting", from_a_thread)
attempt("another port", lambda: tcp("127.0.0.1", OTHER))
attempt("another address", lambda: tcp("127.0.0.2", GATEWAY))
attempt("an outside address", lambda: tcp("192.0.2.1", GATEWAY))
attempt("a name", lambda: tcp("example.org", 80))
attempt("version 6", lambda: tcp("::ffff:127.0.0.1", GATEWAY, socket.AF_INET6))
attempt("multipath", lambda: tcp("127.0.0.1", OTHER, protocol=262))
attempt("datagrams", datagram)
attempt("fast open", fast_open)
attempt("a changing address", swapped)
attempt("a socket by its path", lambda: unix(os.environ["SOCKET"]))
attempt("the end of a pair", paired)
attempt("an abstract socket", lambda: unix("\0" + os.environ["ABSTRACT"]))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
attempt("raw packets", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("itself", listening)
attempt("a source route", source_route)
