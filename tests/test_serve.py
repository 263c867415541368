"""Werkzeug's server in this process: what it owns, and how it stops."""

from __future__ import annotations

import socket
import threading

import pytest
from flask import Flask

from dashboard.serve import Server, _stop_accepting, listen


def test_nobody_is_accepted_any_more_once_the_server_drains() -> None:
    listener = listen("127.0.0.1", 0)
    address = listener.getsockname()
    server = Server(listener, Flask("x"))
    loop = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    loop.start()
    socket.create_connection(address, 2).close()
    _stop_accepting(server)
    loop.join(8)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 2)
