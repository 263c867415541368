"""The route `/ws/market`: login, origin and limits inside a normal request, then the TCP connection goes to the hub.

The hand-off replaces the server's descriptor by a dead one, so that whatever the server does to it later (shutdown,
time-out, close) touches nobody; the request's thread is free at once.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from dashboard.errors import problem
from dashboard.stream.connection import MAX_MESSAGE, deflate_extension
from dashboard.stream.hub import Hub
from dashboard.stream.limits import Reservation

PATH = "/ws/market"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the user, and the reference of the session that lets it in."""

    user_id: int
    session: str
    name: str


def blueprint(hub: Hub, *, identify: Callable[[], Identity | None], same_site: Callable[[], bool]) -> Blueprint:
    """The handshake, and the plain GET that tells a page why it was refused (a browser sees only 1006)."""
    routes = Blueprint("stream", __name__)

    def refusal(*, origin_needed: bool) -> tuple[Response | None, Identity | None]:
        identity = identify()
        if identity is None:
            return _refused(hub, 401, "log in first", "login"), None
        # A same-origin fetch carries no Origin; only one that is there can be foreign.
        if (origin_needed or "Origin" in request.headers) and not same_site():
            return _refused(hub, 403, "Origin must be present and this site's own", "origin"), None
        reason = in_the_way()
        return (_refused(hub, 501, reason, "server") if reason is not None else None), identity

    @routes.get(PATH, websocket=True)
    def upgrade() -> Response:
        refused, identity = refusal(origin_needed=True)
        if refused is not None or identity is None:
            return refused or _refused(hub, 401, "log in first", "login")
        if int(request.content_length or 0) or "Transfer-Encoding" in request.headers:
            # Nobody could tell such a body from the first frames.
            return _refused(hub, 400, "a WebSocket handshake has no body", "handshake")
        ws = ServerProtocol(state=OPEN, extensions=[deflate_extension()], max_size=MAX_MESSAGE)
        reply = ws.accept(Request(request.full_path, Headers(request.headers.items())))
        if reply.status_code != 101:
            answer = _refused(hub, reply.status_code, bytes(reply.body or b"").decode().strip(), "handshake")
            answer.headers["Sec-WebSocket-Version"] = "13"
            return answer
        place = hub.reserve(identity.user_id, identity.session, identity.name)
        if not isinstance(place, Reservation):
            return _full(hub, place)
        try:
            sock, early = take(request.environ)
        except OSError as error:
            hub.release(place)
            return _full(hub, f"the connection can't be taken over: {error}")
        hub.adopt(sock, ws, reply.serialize(), early, place)
        # What the server writes goes to the dead descriptor; an answer leaves a line in its access log.
        return Response(status=101)

    @routes.get(PATH)
    def ask() -> Response:
        """The status that the handshake would answer; 426 where it would let in."""
        refused, identity = refusal(origin_needed=False)
        if refused is not None or identity is None:
            return refused or _refused(hub, 401, "log in first", "login")
        place = hub.reserve(identity.user_id, identity.session, identity.name)
        if not isinstance(place, Reservation):
            return _full(hub, place)
        hub.release(place)
        answer = _refused(hub, 426, "this is a WebSocket; ask for an upgrade", None)
        answer.headers["Upgrade"] = "websocket"
        return answer

    return routes


def in_the_way() -> str | None:
    """Why this server can't hand a connection over."""
    if request.environ.get("SERVER_PROTOCOL") not in ("HTTP/1.1", "HTTP/1.0"):
        return f"a WebSocket needs HTTP/1.1, this is {request.environ.get('SERVER_PROTOCOL')}"
    taken = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
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


def _full(hub: Hub, reason: str) -> Response:
    answer = _refused(hub, 503, reason, "full")
    answer.headers["Retry-After"] = "5"
    return answer


def _refused(hub: Hub, status: int, detail: str, reason: str | None) -> Response:
    if reason is not None:
        hub.telemetry.refused.labels(reason).inc()
    body = problem(status, detail, g.get("request_id", ""))
    return Response(body, status, mimetype="application/problem+json")
