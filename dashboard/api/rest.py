"""`/api/v1`: tickers, bars, ticks, exports and their receipts, as the contract says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import orjson
from flask import Blueprint, Response, request
from flask_login import current_user

from dashboard.api import export, formats, parameters, problems, series
from dashboard.api.services import Services
from dashboard.errors import BadParameter, BadParameters, EpochChanged
from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.market.indicators import Columns, warm
from dashboard.store import text
from dashboard.store.memory import TICK_COLUMNS
from dashboard.store.quotes import quotes

MINUTE = TIMEFRAME_INDEX["1m"]
_NEEDED = {"before": "the start of the first bar to go on with", "indicators": "a comma list such as sma:20,macd"}


def blueprint(services: Services) -> Blueprint:
    """The routes of the API."""
    routes = Blueprint("api", __name__, url_prefix="/api/v1")
    store = services.store
    rows = parameters.whole(1, parameters.MOST_ROWS)

    @routes.get("/tickers")
    def tickers() -> Response:
        parameters.read(request.args, {})
        last = store.last()
        return _json({"epoch": last.epoch, "seq": last.seq, "data": quotes(store.catalogue, last, services.freshness)})

    @routes.get("/tickers/<path:symbol>")
    def ticker(symbol: str) -> Response:
        at = store.catalogue.require(symbol)
        parameters.read(request.args, {})
        last = store.last()
        (quote,) = quotes(store.catalogue, last, services.freshness, (at,))
        return _json({"epoch": last.epoch, "seq": last.seq, "data": quote})

    @routes.get("/tickers/<path:symbol>/bars")
    def bars(symbol: str) -> Response:
        at = store.catalogue.require(symbol)
        given = parameters.read(
            request.args,
            {
                "timeframe": parameters.timeframe,
                "start": parameters.instant,
                "end": parameters.instant,
                "limit": rows,
                "indicators": parameters.indicators,
            },
        )
        timeframe, chosen = given.get("timeframe", MINUTE), given.get("indicators", ())
        with services.studying() if chosen else nullcontext():
            found = series.read(
                store,
                at,
                timeframe,
                chosen,
                start=given.get("start"),
                end=given.get("end"),
                limit=given.get("limit", 500),
            )
            table = found.table()
        return _json(
            {
                "epoch": found.epoch,
                "seq": found.seq,
                "symbol": symbol,
                "timeframe": TIMEFRAMES[timeframe].name,
                "columns": found.columns,
                "data": orjson.Fragment(b"[" + text.json(table, found.columns) + b"]"),
            }
        )

    @routes.get("/tickers/<path:symbol>/warm-up")
    def warm_up(symbol: str) -> Response:
        """The states of indicators behind every kept bar that begins before `before`, for who goes on with them."""
        at = store.catalogue.require(symbol)
        given = parameters.read(
            request.args,
            {"timeframe": parameters.timeframe, "before": parameters.instant, "indicators": parameters.indicators},
        )
        missing = [BadParameter(name, "", words) for name, words in _NEEDED.items() if name not in given]
        if missing:
            raise BadParameters(missing)
        timeframe, chosen = given.get("timeframe", MINUTE), given["indicators"]
        with services.studying():
            found = store.bars(at, timeframe, end=given["before"])
            states = warm(chosen, Columns.of(found.rows))
        return _json(
            {
                "epoch": found.epoch,
                "seq": found.seq,
                "symbol": symbol,
                "timeframe": TIMEFRAMES[timeframe].name,
                "start": given["before"],
                "texts": [each.text for each in chosen],
                "states": states,
            }
        )

    @routes.get("/tickers/<path:symbol>/ticks")
    def ticks(symbol: str) -> Response:
        at = store.catalogue.require(symbol)
        given = parameters.read(
            request.args,
            {
                "start": parameters.instant,
                "end": parameters.instant,
                "epoch": parameters.word,
                "after_seq": parameters.whole(0, 2**63 - 1),
                "limit": rows,
            },
        )
        found = store.ticks(
            at,
            start=given.get("start"),
            end=given.get("end"),
            after_seq=given.get("after_seq"),
            limit=given.get("limit", 1000),
        )
        if given.get("epoch", found.epoch) != found.epoch:
            raise EpochChanged(given["epoch"], found.epoch)
        more = found.more and "after_seq" in given
        return _json(
            {
                "epoch": found.epoch,
                "seq": found.seq,
                "oldest_seq": found.oldest_seq,
                "symbol": symbol,
                "columns": TICK_COLUMNS,
                "data": orjson.Fragment(b"[" + text.json(found.rows, TICK_COLUMNS) + b"]"),
                "next_after_seq": int(found.rows[-1, 0]) if more and len(found.rows) else None,
            }
        )

    def export_as(form: formats.Format) -> Callable[[str], Response]:
        def exported(symbol: str) -> Response:
            at = store.catalogue.require(symbol)
            given = parameters.read(
                request.args,
                {
                    "timeframe": parameters.timeframe_or_ticks,
                    "start": parameters.instant,
                    "end": parameters.instant,
                    "zone": parameters.zone,
                    "indicators": parameters.indicators,
                },
            )
            timeframe, chosen = given.get("timeframe", MINUTE), given.get("indicators", ())
            if timeframe is None and chosen:
                raise BadParameter("indicators", request.args["indicators"], "left out of ticks: bars have indicators")
            start, end, zone = given.get("start"), given.get("end"), given.get("zone")
            return export.answer(services, form, export.Wanted(at, timeframe, start, end, zone, chosen))

        return exported

    for form in formats.FORMATS:
        name = form.extension
        routes.add_url_rule(f"/export/<path:symbol>.{name}", f"export_{name}", export_as(form), methods=["GET"])

    @routes.get("/receipts/<number>")
    def receipt(number: str) -> Response:
        parameters.read(request.args, {})
        kept = services.receipts.find(int(current_user.id), number)
        if kept is None:
            return problems.answer(404, "there is no such receipt of yours, or no more; export again for a new one")
        if kept.broken:
            return problems.answer(404, "this export broke off before its end, so it has no receipt")
        if kept.receipt is None:
            return problems.answer(409, "this export is still being sent; its receipt is there at its end")
        made = Response(kept.receipt, mimetype="application/json")
        made.headers["Content-Disposition"] = f'attachment; filename="{kept.name}"'
        made.headers["Cache-Control"] = "no-store"
        return made

    return routes


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), mimetype="application/json")
