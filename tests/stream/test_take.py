"""Taking a connection over from the server, over TCP and over a unix socket."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import pytest

from dashboard.stream.handoff import take


@pytest.fixture(params=[socket.AF_INET, socket.AF_UNIX], ids=["tcp", "unix"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[socket.socket, socket.socket]:
    """(the server's end, the client's end) of a connection."""
    address: object = ("127.0.0.1", 0) if request.param == socket.AF_INET else str(tmp_path / "socket")
    with socket.socket(request.param) as listener:
        listener.bind(address)
        listener.listen()
        client = socket.socket(request.param)
        client.connect(listener.getsockname())
        return listener.accept()[0], client


def test_the_connection_is_ours_and_whatever_the_server_does_to_its_own_touches_nobody(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    server, client = ends
    mine, early = take({"werkzeug.socket": server, "wsgi.input": io.BytesIO(b"early")})
    assert early == b"early"
    server.close()
    mine.setblocking(True)
    mine.sendall(b"still there")
    assert client.recv(100) == b"still there"
    for end in (mine, client):
        end.close()
