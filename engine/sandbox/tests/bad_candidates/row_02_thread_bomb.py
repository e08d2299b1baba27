"""Starts threads that never end."""
import threading
from attempt import breach, held

threading.stack_size(65536)
for _ in range(200):
    try:
        threading.Thread(target=threading.Event().wait).start()
    except RuntimeError as error:
        held("thread", error)
        break
else:
    breach("thread", "200 threads")
threading.Event().wait()
