"""A daemon by the book: forks twice, leads a session of its own, and lets the first process go."""
import os
import signal

if os.fork() == 0:
    try:
        os.setsid()
    except OSError:
        pass
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        while True:
            signal.pause()
    os._exit(0)
os.wait()
