"""One guard before every route: known hosts, no cross-site changes, nothing without a login but a short list."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from flask import Flask, Response, g, redirect, request
from flask_login import current_user
from markupsafe import escape
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as Answer

from dashboard.accounts.demo import is_loopback, own_address
from dashboard.config import Settings
from dashboard.errors import problem
from dashboard.telemetry import get_logger

#: What anybody may have; `/ws/market` and `/metrics` look at their callers themselves.
OPEN = frozenset(
    {
        "/login",
        "/logout",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/ws/market",
        "/_favicon.ico",
    }
)
#: The login page's own files, at their plain address and at the one that holds their version.
_LOGIN_FILES = re.compile(r"/(assets|static/\w+/assets)/(00-tokens\.css|early\.js|login\.css|favicon\.svg)")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MACHINE = ("/api/", "/_dash", "/_reload", "/graphql", "/assets/", "/static/")
_DEFAULT_PORT = re.compile(r":(80|443)$")
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


def install(server: Flask, settings: Settings, missing: Callable[[], list[str]]) -> None:
    """Guard every request of `server`. `missing()` names what a request from another address would need."""
    log = get_logger("guard")
    allowed = settings.allowed_hosts

    @server.before_request
    def guard() -> Answer | None:
        path = request.path
        if not path.startswith("/health/") and not host_allowed(request.headers.get("Host", ""), allowed):
            return refusal(421, f"the host {request.headers.get('Host', '')[:80]!r} is not in DASHBOARD_ALLOWED_HOSTS")
        # Files are the same for everybody, and whoever is not logged in has the login page's own alone.
        if not path.startswith(("/health/", "/assets/", "/static/")):
            own = own_address(request.environ)
            if own is not None and not is_loopback(own) and (needed := missing()):
                return refusal(503, f"on the address {own} this needs {', '.join(needed)} first")
        if request.method not in _SAFE:
            reason = cross_site(request)
            if reason is not None:
                log.warning("cross-site request refused", path=path[:200], reason=reason)
                return refusal(403, reason)
            if path == "/_dash-update-component" and not request.is_json:
                return refusal(415, "a callback must be posted as application/json")
        if path in OPEN or _LOGIN_FILES.fullmatch(path) or current_user.is_authenticated:
            return None
        if path.startswith(_MACHINE) or request.method not in _SAFE:
            return refusal(401, "log in first")
        wanted = request.full_path.rstrip("?") if request.query_string else path
        return redirect(f"/login?next={quote(wanted, safe='/')}")

    @server.after_request
    def private(response: Response) -> Response:
        if "Cache-Control" not in response.headers or request.path == "/":
            response.headers["Cache-Control"] = "no-store"
        # What is the same for everybody says so itself, and is kept over a new login.
        if "public" not in response.headers["Cache-Control"]:
            response.vary.add("Cookie")
        return response


def host_allowed(host: str, allowed: tuple[str, ...] | None) -> bool:
    """Whether the header `Host` names this site; an allowed name without a port allows every port."""
    host = host.lower()
    bare = re.sub(r":\d{1,5}$", "", host)
    if allowed is None:
        return bare in _LOOPBACK_HOSTS
    return host in allowed or bare in allowed


def cross_site(asked: Request) -> str | None:
    """Why a request that changes something is refused, None where it is allowed."""
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site in ("same-origin", "none"):
            return None
        return f"Sec-Fetch-Site must be same-origin or none, got {site[:40]!r}"
    origin = asked.headers.get("Origin")
    if origin is None or _own(asked, origin):
        return None
    return f"Origin must be this site's own, got {origin[:80]!r}"


def same_site_origin(asked: Request) -> bool:
    """Whether `Origin` is present and the site's own."""
    origin = asked.headers.get("Origin")
    return origin is not None and _own(asked, origin)


def _own(asked: Request, origin: str) -> bool:
    """What follows `://` in `origin` equals `Host`, a default port left out in either."""
    _scheme, separator, rest = origin.partition("://")
    host = asked.host if asked.headers.get("Host") else ""
    return bool(separator) and bool(host) and _plain(rest) == _plain(host)


def _plain(host: str) -> str:
    return _DEFAULT_PORT.sub("", host.lower())


def refusal(status: int, detail: str) -> Response:
    """A refusal in the caller's language: problem+json for programs, a sentence for people."""
    if request.path.startswith(_MACHINE):
        return Response(problem(status, detail, g.get("request_id", "")), status, mimetype="application/problem+json")
    page = f"<!doctype html><meta charset=utf-8><title>{status}</title><p>{escape(detail)}</p>"
    return Response(page, status, mimetype="text/html")
