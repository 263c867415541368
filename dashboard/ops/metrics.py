"""`/metrics`: Prometheus text, for a bearer token or under the demonstration mode's conditions."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


def blueprint(registry: CollectorRegistry, *, token: str | None, demonstration: Callable[[], bool]) -> Blueprint:
    """The route; anybody else gets a 401."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def show() -> Response:
        scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
        fits = (
            token is not None
            and scheme.lower() == "bearer"
            and hmac.compare_digest(given.strip().encode(), token.encode())
        )
        if not fits and not demonstration():
            answer = Response("a bearer token is needed: DASHBOARD_METRICS_TOKEN\n", 401, mimetype="text/plain")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return routes
