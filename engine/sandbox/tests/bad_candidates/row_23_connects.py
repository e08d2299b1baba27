"""Talks to the daemon's own interface."""
import os
import socket
from attempt import attempt

port = int(os.environ["PORT"])
attempt("loopback", socket.create_connection, ("127.0.0.1", port), 2)
attempt("loopback-6", socket.create_connection, ("::1", port), 2)
attempt("outside", socket.create_connection, ("192.0.2.1", 80), 1)
attempt("name", socket.create_connection, ("example.org", 80), 1)
