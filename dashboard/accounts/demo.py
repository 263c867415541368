"""Demonstration mode: user `root`, password `123456`, on this machine only and only until an administrator exists."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from werkzeug.wrappers import Request

from dashboard.accounts.believed import Believed
from dashboard.accounts.users import Users
from dashboard.clock import Clock
from dashboard.config import Settings

#: Headers that a proxy adds: with one of them, a peer on loopback says nothing about where a request comes from.
PROXY_HEADERS = ("Forwarded", "Via", "X-Real-Ip")
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)


class Demonstration:
    """Says where and when the demonstration mode exists."""

    def __init__(self, settings: Settings, users: Users, clock: Clock) -> None:
        self.settings = settings
        self._administrator = Believed(lambda: users.has_administrator(or_disabled=True), clock)

    def exists(self) -> bool:
        """Whether it exists at all just now. Raises StorageError."""
        if not self.settings.on_loopback or self.settings.trusted_proxies:
            return False
        return not self._administrator()

    def allows(self, request: Request) -> bool:
        """Whether it exists for this request: both ends on loopback, and no trace of a proxy."""
        return is_local(request) and self.exists()


def is_local(request: Request) -> bool:
    """Whether a request comes from a browser on this machine, as far as can be told."""
    if not _LOCAL_HOST.fullmatch(request.headers.get("Host", "")):
        return False
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    if any(name.lower().startswith("x-forwarded-") for name, _value in request.headers):
        return False
    own = own_address(request.environ)
    return is_loopback(request.environ.get("REMOTE_ADDR")) and (own is None or is_loopback(own))


def own_address(environ: dict[str, Any]) -> str | None:
    """The address that a request came in on, None where the server does not show its socket."""
    sock = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    try:
        return str(sock.getsockname()[0]) if sock is not None else None
    except OSError:
        return None


def is_loopback(address: str | None) -> bool:
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
