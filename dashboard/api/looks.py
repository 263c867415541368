"""Closer looks at one instrument: `/tickers/{symbol}/statistics` and `/tickers/{symbol}/quality`."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, request

from dashboard.api import parameters
from dashboard.api.services import Services
from dashboard.api.statistics import USUAL_WINDOW, WINDOWS, statistics
from dashboard.errors import BadParameter


def blueprint(services: Services) -> Blueprint:
    """The routes, for `/api/v1`."""
    routes = Blueprint("looks", __name__, url_prefix="/api/v1")
    store = services.store

    def window(name: str, text: str) -> str:
        if text not in WINDOWS:
            raise BadParameter(name, text, f"one of {', '.join(WINDOWS)}")
        return text

    def against(name: str, text: str) -> int:
        found = store.catalogue.index(text)
        if found is None:
            raise BadParameter(name, text, "the symbol of an instrument that there is")
        return found

    @routes.get("/tickers/<path:symbol>/statistics")
    def of_returns(symbol: str) -> Response:
        at = store.catalogue.require(symbol)
        given = parameters.read(request.args, {"window": window, "against": against})
        return _json(statistics(store, at, given.get("window", USUAL_WINDOW), given.get("against")))

    @routes.get("/tickers/<path:symbol>/quality")
    def of_data(symbol: str) -> Response:
        at = store.catalogue.require(symbol)
        parameters.read(request.args, {})
        return _json(services.condition(at))

    return routes


def _json(body: dict[str, object]) -> Response:
    return Response(orjson.dumps(body), mimetype="application/json")
