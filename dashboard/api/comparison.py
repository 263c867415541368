"""Instruments compared at the bars of one of them: `/tickers/{symbol}/comparison`, as JSON and as a CSV file.

The file is what the page offers beside the chart's own, whose columns are the contract's: what is compared is not among
those. It has the closes too, so that everything else in it can be made again.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import orjson
from flask import Blueprint, Response, request

from dashboard.api import parameters
from dashboard.api.services import Services
from dashboard.errors import BadParameter, BadParameters
from dashboard.market.bars import CLOSE, START, TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.market.comparison import (
    LEAST_WINDOW,
    MODES,
    MOST,
    MOST_FACTOR,
    MOST_WINDOW,
    aligned,
    indexed,
    ratio,
    rolling_correlation,
    spread,
)
from dashboard.market.ticks import Floats
from dashboard.store import text
from dashboard.store.memory import MemoryStore

_NEEDED = "one to four other symbols with commas between them, as in compare=MSFT,GOOGL"
_FACTOR = f"a number other than 0, at most {MOST_FACTOR:g} in size"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: `others` beside `own`, at own's bars with `start` <= their start < `end`, the newest `limit`.

    A spread (with its `factor`) and a ratio are of own and the first of the others; `window` None: no correlation.
    """

    own: int
    others: tuple[int, ...]
    timeframe: int
    mode: str
    factor: float
    window: int | None
    start: int | None
    end: int | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What there is, at `seq` of `epoch`: `rows` float64[n, len(columns)], the start of each bar first, NaN for what is
    not there."""

    epoch: str
    seq: int
    columns: tuple[str, ...]
    rows: Floats = field(repr=False)


def blueprint(services: Services) -> Blueprint:
    """The routes, for `/api/v1`."""
    routes = Blueprint("comparison", __name__, url_prefix="/api/v1")
    store = services.store

    def others(name: str, given: str) -> tuple[int, ...]:
        symbols = given.split(",")
        found = [store.catalogue.index(symbol) for symbol in symbols[: MOST + 1]]
        known = tuple(at for at in found if at is not None)
        if len(known) < len(found):
            raise BadParameter(name, symbols[found.index(None)], "the symbols of instruments that there are")
        if len(known) > MOST:
            raise BadParameter(name, given, f"{MOST} symbols at most: a comparison is of five instruments")
        if len(set(known)) < len(known):
            raise BadParameter(name, given, "symbols each once")
        return known

    def wanted(symbol: str) -> Wanted:
        own = store.catalogue.require(symbol)
        given = parameters.read(
            request.args,
            {
                "compare": others,
                "timeframe": parameters.timeframe,
                "mode": mode,
                "factor": factor,
                "correlation": parameters.whole(LEAST_WINDOW, MOST_WINDOW),
                "start": parameters.instant,
                "end": parameters.instant,
                "limit": parameters.whole(1, parameters.MOST_ROWS),
            },
        )
        if "compare" not in given:
            raise BadParameters([BadParameter("compare", "", _NEEDED)])
        if own in given["compare"]:
            raise BadParameter("compare", symbol, f"symbols other than {symbol} itself")
        return Wanted(
            own,
            given["compare"],
            given.get("timeframe", TIMEFRAME_INDEX["1m"]),
            given.get("mode", "indexed"),
            given.get("factor", 1.0),
            given.get("correlation"),
            given.get("start"),
            given.get("end"),
            given.get("limit"),
        )

    @routes.get("/tickers/<path:symbol>/comparison")
    def compared(symbol: str) -> Response:
        asked = wanted(symbol)
        with services.studying():
            found = find(store, asked)
        body = {
            "epoch": found.epoch,
            "seq": found.seq,
            "symbol": symbol,
            "compare": [store.catalogue[at].symbol for at in asked.others],
            "timeframe": TIMEFRAMES[asked.timeframe].name,
            "mode": asked.mode,
            "columns": found.columns,
            "data": orjson.Fragment(b"[" + text.json(found.rows, found.columns) + b"]"),
        }
        return Response(orjson.dumps(body), mimetype="application/json")

    @routes.get("/tickers/<path:symbol>/comparison.csv")
    def compared_csv(symbol: str) -> Response:
        asked = wanted(symbol)
        with services.studying():
            found = find(store, asked)
            head = ",".join(("time", *found.columns[1:])).encode() + b"\n"
            made = Response(head + text.csv(found.rows, found.columns, found.columns), mimetype="text/csv")
        made.headers["Content-Disposition"] = f'attachment; filename="{_name(services, asked, found)}"'
        made.headers["Cache-Control"] = "no-store"
        return made

    return routes


def mode(name: str, given: str) -> str:
    """The name of a way to compare."""
    if given not in MODES:
        raise BadParameter(name, given, f"one of {', '.join(MODES)}")
    return given


def factor(name: str, given: str) -> float:
    """What the second of a spread is multiplied by."""
    value = float(given) if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?", given, re.ASCII) else math.nan
    if not 0 < abs(value) <= MOST_FACTOR:
        raise BadParameter(name, given, _FACTOR)
    return value


def find(store: MemoryStore, wanted: Wanted) -> Found:
    """Closes, then what `mode` makes of them, then correlations, at own's bars of the range.

    An index counts from the first bar that its instrument has in the range; correlations take the kept bars before it
    too, as indicators do. The work is bounded by what a timeframe keeps (14,400 bars) and the longest window.
    """
    with store.lock:
        kept = [store.bars(at, wanted.timeframe, end=wanted.end) for at in (wanted.own, *wanted.others)]
    time = kept[0].rows[:, START]
    low = 0 if wanted.start is None else int(np.searchsorted(time, wanted.start))
    if wanted.limit is not None:
        low = max(low, len(time) - wanted.limit)
    closes = [np.ascontiguousarray(kept[0].rows[:, CLOSE])]
    closes += [aligned(time, each.rows[:, START], each.rows[:, CLOSE]) for each in kept[1:]]
    symbols = [store.catalogue[at].symbol for at in (wanted.own, *wanted.others)]
    table = {"start": time[low:]}
    table |= {f"close_{symbol}": close[low:] for symbol, close in zip(symbols, closes, strict=True)}
    own, first = closes[0][low:], closes[1][low:]
    pair = f"{symbols[0]}_{symbols[1]}"
    if wanted.mode == "spread":
        table[f"spread_{pair}"] = spread(own, first, wanted.factor)
    elif wanted.mode == "ratio":
        table[f"ratio_{pair}"] = ratio(own, first)
    else:
        table |= {f"index_{symbol}": indexed(close[low:]) for symbol, close in zip(symbols, closes, strict=True)}
    if wanted.window is not None:
        for symbol, close in zip(symbols[1:], closes[1:], strict=True):
            name = f"correlation_{symbols[0]}_{symbol}_{wanted.window}"
            table[name] = rolling_correlation(closes[0], close, wanted.window)[low:]
    return Found(kept[0].epoch, kept[0].seq, tuple(table), np.column_stack(list(table.values())))


def _name(services: Services, wanted: Wanted, found: Found) -> str:
    symbols = [services.store.catalogue[at].symbol for at in (wanted.own, *wanted.others)]
    safe = "_".join("".join(char if char.isalnum() or char in ".-_" else "_" for char in each) for each in symbols)
    ends = (found.rows[0, 0], found.rows[-1, 0]) if len(found.rows) else (wanted.start or 0, wanted.end or 0)
    first, last = (datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ") for ms in ends)
    timeframe = TIMEFRAMES[wanted.timeframe].name
    return f"{services.file_prefix}{safe}_{timeframe}_{wanted.mode}_{first}_{last}.csv"
