"""Flask and Dash put together: blueprints, guards, request ids, headers, error pages.

`create_server(runtime)` gives the WSGI application with its runtime under `server.extensions["tickboard"]`; it
starts no thread: the first request does where no server's hook has done it before.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from http import HTTPStatus

import structlog
from flask import Flask, Response, abort, g, make_response, render_template_string, request
from flask_login import current_user

from dashboard import accounts, api, ops, ui
from dashboard.accounts.guard import same_site_origin
from dashboard.runtime import Runtime
from dashboard.stream import handshake
from dashboard.workbench import Workbench

Studying = Callable[[], AbstractContextManager[None]]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
#: A body is a login form, an alert or a callback's inputs; the largest is a few kilobytes.
MAX_BODY_BYTES = 1_048_576
#: `/health/live` fails when a loop has not turned for so long; gunicorn's turns once a second when idle.
LOOP_LIMIT_S = 5.0
#: Styles need 'unsafe-inline': Dash, AG Grid and plotly.js insert style elements; scripts are hashed or our own files.
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
ERROR_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{{ title }} · Tickboard</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<link rel="stylesheet" href="{{ asset('00-tokens.css') }}"><link rel="stylesheet" href="{{ asset('login.css') }}">
<main class="login"><h1>{{ title }}</h1><p>{{ detail }}</p><p><a href="/">Back to the dashboard</a></p></main></html>"""


def create_server(runtime: Runtime) -> Flask:
    """The whole product as a WSGI application. Raises a DashboardError where it may not start as it is set up."""
    settings = runtime.settings
    runtime.database.migrate_if_embedded()
    accounts.prepare(settings, runtime.database, runtime.clock)
    server = Flask("dashboard", static_folder=None)
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    server.config["MAX_FORM_PARTS"] = 50
    server.extensions["tickboard"] = runtime
    server.url_map.merge_slashes = False

    @server.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        runtime.start()

    people = accounts.install(
        server,
        settings=settings,
        database=runtime.database,
        clock=runtime.clock,
        telemetry=runtime.telemetry,
        on_session_end=lambda session: runtime.hub.end_session(session, 4401),
        on_user_end=lambda user: runtime.hub.end_user(user, 4401),
    )
    runtime.sessions_alive = people.sessions.alive

    @server.before_request
    def only_known_paths() -> None:
        # Dash answers every path with its page; what is no page of ours is a 404.
        if request.url_rule is not None and request.url_rule.rule == "/<path:path>" and request.path not in ui.PATHS:
            abort(404)

    def identify() -> handshake.Identity | None:
        if not current_user.is_authenticated:
            return None
        return handshake.Identity(user_id=current_user.id, session=current_user.session_id, name=current_user.name)

    server.register_blueprint(
        handshake.blueprint(runtime.hub, identify=identify, same_site=lambda: same_site_origin(request))
    )
    server.register_blueprint(
        ops.health.blueprint(
            # Asked anew each time: the server puts its own in after this.
            live={"server": lambda: runtime.server_lag_s(), "hub": runtime.hub.lag_s},  # noqa: PLW0108
            limit_s=LOOP_LIMIT_S,
            ready={
                "feed": runtime.feed_health,
                "store": runtime.store_health,
                "bus": lambda: (True, "ok"),
                "database": runtime.database_health,
            },
        )
    )
    server.register_blueprint(
        ops.metrics.blueprint(
            runtime.telemetry.registry,
            token=settings.metrics_token,
            demonstration=lambda: people.demonstration.allows(request),
        )
    )
    workbench = Workbench(runtime.database, runtime.clock)
    studies = api.places.Places(api.places.STUDIES)

    def studying() -> AbstractContextManager[None]:
        return studies.held(int(current_user.id))

    services = api.Services(
        store=runtime.store,
        freshness=runtime.freshness,
        feed_kind=runtime.feed.kind,
        cut=runtime.cut,
        workbench=workbench,
        chart_types=tuple(ui.figures.TYPES),
        condition=runtime.condition,
        studying=studying,
    )
    server.register_blueprint(api.rest.blueprint(services))
    server.register_blueprint(api.looks.blueprint(services))
    server.register_blueprint(api.ranges.blueprint(services))
    server.register_blueprint(api.comparison.blueprint(services))
    server.register_blueprint(api.kept.blueprint(services))
    api.problems.install(server, error_page)
    dash_app = ui.build(server, runtime_services(runtime, workbench, studying))

    @server.after_request
    def headers(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if response.mimetype == "text/html":
            # Late, because Dash adds an inline script of its own at the first request.
            hashes = " ".join(dict.fromkeys(dash_app.csp_hashes()))
            response.headers["Content-Security-Policy"] = POLICY.format(hashes=hashes)
        else:
            response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if "began" in g:
            kind = "callback" if request.path == "/_dash-update-component" else request.blueprint or "page"
            runtime.telemetry.request_seconds.labels(kind).observe(time.perf_counter() - g.began)
        return response

    return server


def runtime_services(runtime: Runtime, workbench: Workbench, studying: Studying) -> ui.Services:
    """What the page may ask of the rest of the product."""
    return ui.Services(
        store=runtime.store,
        freshness=runtime.freshness,
        feed=runtime.feed,
        feed_health=runtime.feed_health,
        alert_book=runtime.alert_book,
        workbench=workbench,
        settings=runtime.settings,
        telemetry=runtime.telemetry,
        clock=runtime.clock,
        studying=studying,
    )


def error_page(status: int, detail: str) -> Response:
    """A page of its own for an error on a page (the API answers with problems)."""
    title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    return make_response(render_template_string(ERROR_PAGE, title=title, detail=detail), status)
