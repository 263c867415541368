"""The one family of errors.

Every error that a person may read is a `DashboardError` whose text is one clear sentence: what came and what is
accepted. `dashboard.api` turns them into problem+json in one place; the command line prints them and exits.
"""

from __future__ import annotations

from http import HTTPStatus

import orjson


class DashboardError(Exception):
    """Base of every error this product raises on purpose; `str(error)` is one sentence for a person."""


class ConfigurationError(DashboardError):
    """A setting is unknown, bad, or unusable together with another; stops the start with status 3."""


class StartRefused(DashboardError):
    """The product can't start here (port in use, schema too old, no administrator); stops with status 3."""


class BadParameter(DashboardError):
    """A request's parameter is not acceptable (HTTP 422).

    `parameter` names it, `received` is what came as text, `accepted` says what would have been taken.
    """

    def __init__(self, parameter: str, received: object, accepted: str) -> None:
        # Half a character (JSON's "\ud800") could not be sent back.
        text = str(received).encode("utf-8", "backslashreplace").decode()
        self.parameter = parameter
        self.received = text if len(text) <= 100 else text[:99] + "…"
        self.accepted = accepted
        super().__init__(f"{parameter} must be {accepted}, got {self.received or 'nothing'}")


class BadParameters(DashboardError):
    """Several parameters, or fields of a body, are not acceptable (HTTP 422)."""

    def __init__(self, errors: list[BadParameter]) -> None:
        self.errors = errors
        super().__init__("; ".join(str(error) for error in errors))


class NotThere(DashboardError):
    """What a request names does not exist, or belongs to somebody else (HTTP 404)."""


class Conflict(DashboardError):
    """What is kept already stands against it: a name taken, as many as may be, a newer format (HTTP 409)."""


class Outrun(DashboardError):
    """Somebody else has changed a document meanwhile (HTTP 412); `current` is its version now."""

    def __init__(self, what: str, current: int) -> None:
        self.current = current
        super().__init__(
            f"{what} has been changed meanwhile: it is at version {current} now; read it again, then change that"
        )


class TooLarge(DashboardError):
    """A document takes more room than there is for one (HTTP 413)."""


class UnknownSymbol(DashboardError):
    """No such instrument (HTTP 404); `near` lists symbols that look like it, best first."""

    def __init__(self, symbol: str, near: tuple[str, ...] = ()) -> None:
        self.symbol = symbol if len(symbol) <= 60 else symbol[:59] + "…"
        self.near = near
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"there is no instrument {self.symbol!r}{hint}")


class EpochChanged(DashboardError):
    """The data that a request names belongs to another epoch (HTTP 409)."""

    def __init__(self, received: str, current: str) -> None:
        self.received, self.current = received[:40], current
        super().__init__(f"epoch {self.received!r} has ended; the current one is {current!r}")


class Lapped(DashboardError):
    """The writer has overwritten rows of a view that was still in use."""


class FeedError(DashboardError):
    """A feed can't be read or has broken off; the supervisor tries again."""


class StorageError(DashboardError):
    """The database does not take or give what it should just now."""


def problem(
    status: int, detail: str, request_id: str, errors: list[dict[str, str]] | None = None, **extra: object
) -> bytes:
    """The body of an `application/problem+json` answer (RFC 9457)."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **extra,
    }
    if errors:
        body["errors"] = errors
    body["request_id"] = request_id
    return orjson.dumps(body)
