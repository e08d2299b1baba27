"""Watches files, its neighbours' among them."""
import os
from attempt import attempt, call

attempt("inotify", call, "inotify_init1", 0)
attempt("fanotify", call, "fanotify_init", 0, 0)
if os.uname().machine == "x86_64":
    attempt("inotify-old", call, 253)
