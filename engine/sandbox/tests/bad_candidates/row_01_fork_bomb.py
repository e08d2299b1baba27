"""Forks what never ends by itself, up to a bound that does no harm where nothing holds it."""
import os
import signal
from attempt import breach, held

for _ in range(200):
    try:
        if os.fork() == 0:
            signal.pause()
    except OSError as error:
        held("fork", error)
        signal.pause()
breach("fork", "200 processes")
signal.pause()
