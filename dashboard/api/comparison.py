"""Instruments compared at the bars of one of them: `/tickers/{symbol}/comparison`, and the same as files.

A file is an export as those of bars and ticks are (`export`): its columns are others, so it has an address of its own.
It has the closes too, so that everything else in it can be made again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson
from flask import Blueprint, Response, request

from dashboard.api import export, formats, parameters
from dashboard.api.services import Services
from dashboard.errors import BadParameter, BadParameters
from dashboard.market.bars import CLOSE, FLAGS, START, TIMEFRAME_INDEX, TIMEFRAMES, Flag
from dashboard.market.comparison import (
    LEAST_WINDOW,
    MODES,
    MOST,
    MOST_FACTOR,
    MOST_WINDOW,
    aligned,
    columns,
    table,
)
from dashboard.market.ticks import Floats
from dashboard.store import text
from dashboard.store.memory import MemoryStore

_NEEDED = "one to four other symbols with commas between them, as in compare=MSFT,GOOGL"
_FACTOR = f"a number other than 0, at most {MOST_FACTOR:g} in size"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: `others` beside `own`, at own's bars with `start` <= their start < `end`, the newest `limit`.

    A spread (with its `factor`) and a ratio are of own and the first of the others; `window` None: no correlation. A
    file has a local time in a `zone`.
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
    zone: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What there is, at `seq` of `epoch`: copies of the kept bars of `symbols` before the end of the range,
    float64[m, 8] each; of the first those from `low` on are in it. `gaps` of the feed are those of the range."""

    epoch: str
    seq: int
    symbols: tuple[str, ...]
    wanted: Wanted
    kept: tuple[Floats, ...] = field(repr=False)
    low: int
    gaps: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `table`."""
        return ("start", *columns(self.symbols, self.wanted.mode, self.wanted.window))

    @property
    def time(self) -> Floats:
        """float64[n]: the start of each bar of the range, UTC ms."""
        return self.kept[0][self.low :, START]

    @property
    def forming(self) -> float | None:
        """The last of them, if a bar of it is not closed; UTC ms."""
        if not len(self.time):
            return None
        last = self.time[-1]
        there = (bars[np.searchsorted(bars[:, START], last) :][:1] for bars in self.kept)
        flags = (int(bar[0, FLAGS]) for bar in there if len(bar) and bar[0, START] == last)
        return float(last) if any(not each & Flag.CLOSED for each in flags) else None

    def table(self) -> Floats:
        """float64[n, len(columns)]: the start of each bar first, NaN for what is not there.

        The work is bounded by what a timeframe keeps (14,400 bars) and the longest window.
        """
        time, asked = self.kept[0][:, START], self.wanted
        closes = [np.ascontiguousarray(self.kept[0][:, CLOSE])]
        closes += [aligned(time, bars[:, START], bars[:, CLOSE]) for bars in self.kept[1:]]
        return np.column_stack([self.time, table(closes, self.low, asked.mode, asked.factor, asked.window)])


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

    def wanted(symbol: str, of_files: Mapping[str, parameters.Reader]) -> Wanted:
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
                **of_files,
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
            given.get("zone"),
        )

    @routes.get("/tickers/<path:symbol>/comparison")
    def compared(symbol: str) -> Response:
        asked = wanted(symbol, {})
        with services.studying():
            found = find(store, asked)
            rows = text.json(found.table(), found.columns)
        body = {
            "epoch": found.epoch,
            "seq": found.seq,
            "symbol": symbol,
            "timeframe": TIMEFRAMES[asked.timeframe].name,
            **_more(found),
            "columns": found.columns,
            "data": orjson.Fragment(b"[" + rows + b"]"),
        }
        return Response(orjson.dumps(body), mimetype="application/json")

    def file_as(form: formats.Format) -> Callable[[str], Response]:
        def compared_file(symbol: str) -> Response:
            asked = wanted(symbol, {"zone": parameters.zone})
            return export.send(services, form, lambda: _file(services, find(store, asked)))

        return compared_file

    for form in formats.FORMATS:
        name = form.extension
        rule = f"/tickers/<path:symbol>/comparison.{name}"
        routes.add_url_rule(rule, f"compared_{name}", file_as(form), methods=["GET"])

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
    """The bars that it takes, as they are at one moment."""
    instruments = (wanted.own, *wanted.others)
    with store.lock:
        found = [store.bars(at, wanted.timeframe, end=wanted.end) for at in instruments]
        time = found[0].rows[:, START]
        low = 0 if wanted.start is None else int(np.searchsorted(time, wanted.start))
        if wanted.limit is not None:
            low = max(low, len(time) - wanted.limit)
        ms = TIMEFRAMES[wanted.timeframe].ms
        gaps = store.gaps(time[low], time[-1] + ms) if low < len(time) else 0
    symbols = tuple(store.catalogue[at].symbol for at in instruments)
    return Found(found[0].epoch, found[0].seq, symbols, wanted, tuple(each.rows for each in found), low, gaps)


def _more(found: Found) -> dict[str, str | list[str]]:
    """What a comparison says of itself beside what every series does."""
    return {"compare": list(found.symbols[1:]), "mode": found.wanted.mode}


def _file(services: Services, found: Found) -> export.Found:
    asked, time = found.wanted, found.time
    timeframe = TIMEFRAMES[asked.timeframe].name
    table = formats.Table(
        found.symbols[0], timeframe, found.epoch, found.seq, found.columns, asked.zone, more=_more(found)
    )
    oldest = tuple(float(bars[0, START]) if len(bars) else None for bars in found.kept)
    return export.Found(
        table,
        export.pieces(services, table, found.table),
        asked.start,
        asked.end,
        (time[0], time[-1], len(time)) if len(time) else None,
        found.gaps,
        f"{'_'.join(map(export.safe, found.symbols))}_{timeframe}_{asked.mode}",
        compared={
            "compare": ",".join(found.symbols[1:]),
            "mode": asked.mode,
            "factor": asked.factor if asked.mode == "spread" else None,
            "correlation": asked.window,
            "limit": asked.limit,
        },
        correlated_from=None if asked.window is None else oldest,
        forming=found.forming,
    )
