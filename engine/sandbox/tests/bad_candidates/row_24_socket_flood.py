"""Asks for sockets so often that whoever counts might lose count, from several processes, and dies while asking."""
import os
import signal
import socket
from attempt import breach, note

children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        while True:
            try:
                socket.socket()
                breach("socket")
            except PermissionError:
                pass
    children.append(pid)
denied = 0
for _ in range(5000):
    try:
        socket.socket()
        breach("socket")
    except PermissionError:
        denied += 1
for pid in children:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
note("denied", denied)
