"""The WebSocket handshake inside a normal request, and taking the TCP connection over from the server that had it.

It knows nothing of users or markets. The hand-off replaces the server's descriptor by a dead one, so that whatever the
server does to it later (shutdown, time-out, close) touches nobody; the request's thread is free at once.
"""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from typing import Any

import flask
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from dashboard.stream.deflate import deflate_extension


@dataclass(frozen=True, slots=True)
class Accepted:
    """A handshake that may be answered: the protocol behind it, and the answer that has not been written."""

    ws: ServerProtocol
    reply: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The status and the reason that a handshake is answered with."""

    status: int
    detail: str


def accept(request: flask.Request, *, max_size: int) -> Accepted | Refused:
    """Look at a request for an upgrade; `max_size` bounds a client's message, counted after inflating."""
    if int(request.content_length or 0) or "Transfer-Encoding" in request.headers:
        # Nobody could tell such a body from the first frames.
        return Refused(400, "a WebSocket handshake has no body")
    ws = ServerProtocol(state=OPEN, extensions=[deflate_extension()], max_size=max_size)
    reply = ws.accept(Request(request.full_path, Headers(request.headers.items())))
    if reply.status_code != 101:
        return Refused(reply.status_code, bytes(reply.body or b"").decode().strip())
    return Accepted(ws, reply.serialize())


def in_the_way(environ: dict[str, Any]) -> str | None:
    """Why this server can't hand a connection over."""
    if environ.get("SERVER_PROTOCOL") not in ("HTTP/1.1", "HTTP/1.0"):
        return f"a WebSocket needs HTTP/1.1, this is {environ.get('SERVER_PROTOCOL')}"
    taken = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if taken is None:
        return "the WSGI server does not expose its socket"
    if isinstance(taken, ssl.SSLSocket):
        return "the WSGI server ends TLS itself; end it in the proxy"
    return None


def take(environ: dict[str, Any]) -> tuple[socket.socket, bytes]:
    """(the connection's own socket, the bytes that the server has already read behind the request).

    The peer of the dead pair is closed first: an open one stalls gunicorn's loop for two seconds a handshake.
    """
    theirs = environ.get("gunicorn.socket") or environ["werkzeug.socket"]
    mine = socket.socket(fileno=os.dup(theirs.fileno()))
    try:
        # First what may fail: once the server has its dead descriptor, nobody can be answered any more.
        mine.setblocking(False)
        if mine.family != socket.AF_UNIX:
            mine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        dead, peer = socket.socketpair()
        peer.close()
        with dead:
            os.dup2(dead.fileno(), theirs.fileno(), inheritable=False)
        body = environ["wsgi.input"]
        unreader = getattr(getattr(body, "reader", None), "unreader", None)
        early: bytes = unreader.take_buffered() if unreader else body.read()
    except BaseException:
        mine.close()
        raise
    return mine, early
