"""The route `/ws/market`: login, origin and limits inside a normal request, then the TCP connection goes to the hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, g, request

from dashboard.errors import problem
from dashboard.stream.connection import MAX_MESSAGE
from dashboard.stream.handoff import Refused, accept, in_the_way, take
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
        reason = in_the_way(request.environ)
        return (_refused(hub, 501, reason, "server") if reason is not None else None), identity

    @routes.get(PATH, websocket=True)
    def upgrade() -> Response:
        refused, identity = refusal(origin_needed=True)
        if refused is not None or identity is None:
            return refused or _refused(hub, 401, "log in first", "login")
        accepted = accept(request, max_size=MAX_MESSAGE)
        if isinstance(accepted, Refused):
            answer = _refused(hub, accepted.status, accepted.detail, "handshake")
            answer.headers["Sec-WebSocket-Version"] = "13"
            return answer
        place = hub.reserve(identity.user_id, identity.session, identity.name)
        if not isinstance(place, Reservation):
            return _full(hub, place)
        try:
            sock, early = take(request.environ)
        except BaseException as error:
            hub.release(place)
            if not isinstance(error, OSError):
                raise
            return _full(hub, f"the connection can't be taken over: {error}")
        hub.adopt(sock, accepted.ws, accepted.reply, early, place)
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


def _full(hub: Hub, reason: str) -> Response:
    answer = _refused(hub, 503, reason, "full")
    answer.headers["Retry-After"] = "5"
    return answer


def _refused(hub: Hub, status: int, detail: str, reason: str | None) -> Response:
    if reason is not None:
        hub.telemetry.refused.labels(reason).inc()
    body = problem(status, detail, g.get("request_id", ""))
    return Response(body, status, mimetype="application/problem+json")
