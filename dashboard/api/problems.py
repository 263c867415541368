"""Errors as problem+json (RFC 9457): the one place that turns them into answers."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from dashboard.errors import (
    BadParameter,
    BadParameters,
    Conflict,
    DashboardError,
    EpochChanged,
    NotThere,
    Outrun,
    StorageError,
    TooLarge,
    UnknownSymbol,
    problem,
)
from dashboard.telemetry import get_logger

_STATUSES: dict[type[DashboardError], int] = {NotThere: 404, Conflict: 409, TooLarge: 413, StorageError: 503}
_PREFIXES = ("/api/", "/_dash", "/graphql")


def answer(status: int, detail: str, errors: list[dict[str, str]] | None = None, **extra: object) -> Response:
    """A problem as an answer."""
    body = problem(status, detail, g.get("request_id", ""), errors, **extra)
    return Response(body, status, mimetype="application/problem+json")


def of(error: Exception) -> Response:
    """The problem that an error of ours is."""
    if isinstance(error, UnknownSymbol):
        return answer(404, str(error), near=list(error.near))
    if isinstance(error, EpochChanged):
        return answer(409, str(error), epoch=error.current)
    if isinstance(error, BadParameters):
        return answer(422, "; ".join(str(each) for each in error.errors[:5]), [_entry(each) for each in error.errors])
    if isinstance(error, BadParameter):
        return answer(422, str(error), [_entry(error)])
    if isinstance(error, Outrun):
        made = answer(412, str(error), version=error.current)
        made.set_etag(str(error.current))
        return made
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return answer(status, str(error))
    return answer(400, str(error))


def _entry(error: BadParameter) -> dict[str, str]:
    return {"parameter": error.parameter, "received": error.received, "accepted": error.accepted}


def install(server: Flask, page: Callable[[int, str], Response]) -> None:
    """Make every error below the API's paths a problem; elsewhere `page(status, sentence)` shows it."""
    log = get_logger("api")

    @server.errorhandler(DashboardError)
    def ours(error: DashboardError) -> Response:
        made = of(error)
        return made if _is_api() else page(made.status_code, str(error))

    @server.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response | HTTPException:
        status = error.code or 500
        if status < 400:
            return error
        made = answer(status, _words(error)) if _is_api() else page(status, _words(error))
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After", "WWW-Authenticate"):
                made.headers[name] = value
        return made

    @server.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        status = _strangers_fault(error)
        if status is not None:
            words = HTTPStatus(status).phrase
            return answer(status, words) if _is_api() else page(status, words)
        log.error("request failed", path=request.path[:200], exc_info=error)
        words = "something went wrong here; the log has it under the request id"
        return answer(500, words) if _is_api() else page(500, words.capitalize())


def _strangers_fault(error: Exception) -> int | None:
    """The status for what a library below raises over a bad request rather than over a fault of ours."""
    kind = f"{type(error).__module__}.{type(error).__name__}"
    if kind.startswith("gunicorn.http.errors."):
        return 400
    if kind.startswith("dash.exceptions."):
        return 404
    return 400 if isinstance(error, RecursionError) else None


def _is_api() -> bool:
    return request.path.startswith(_PREFIXES)


def _words(error: HTTPException) -> str:
    if error.code == 404:
        return f"there is nothing at {request.path[:100]!r}"
    if error.code == 405:
        return f"{request.method[:20]} is not for this; the header Allow says what is"
    return error.description or error.name
