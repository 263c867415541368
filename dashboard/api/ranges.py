"""`/api/v1/ranges`: the 52-week range of every instrument, computed once for everybody who asks at the same moment."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from flask import Blueprint, Response, request

from dashboard.api import parameters
from dashboard.api.services import Services
from dashboard.market.bars import DAY
from dashboard.market.yearly import BARS, WEEKS, year_ranges
from dashboard.store.memory import MemoryStore

COLUMNS = ("symbol", "low", "high", "since", "whole")
#: What was computed serves so long although the market has moved on: who shows it follows the day's low and high.
KEPT_MS = 5_000
#: Instruments that are read while the store's lock is held once: 1 ms of a year's bars (all of 5,000 take 65 ms).
STEP = 100


@dataclass(frozen=True, slots=True)
class _Made:
    """An answer, the state of the store that it is of, and when it was made (UTC ms)."""

    epoch: str
    seq: int
    at: float
    body: bytes


class Ranges:
    """The answer's body, made at most once in `KEPT_MS`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._made: _Made | None = None

    def kept(self) -> bytes | None:
        """The body, where it needs not be made anew."""
        made, store = self._made, self._store
        if made is None or made.epoch != store.epoch:
            return None
        young = 0 <= store.clock.now_ms() - made.at < KEPT_MS
        return made.body if young or made.seq == store.seq else None

    def make(self) -> bytes:
        """The body, made by the first of those who come at once."""
        with self._lock:
            body = self.kept()
            if body is not None:
                return body
            # Of a market that begins anew meanwhile all is read once more.
            while True:
                with self._store.lock:
                    epoch, seq = self._store.epoch, self._store.seq
                rows = _rows(self._store)
                if self._store.epoch == epoch:
                    break
            body = orjson.dumps({"epoch": epoch, "seq": seq, "weeks": WEEKS, "columns": COLUMNS, "data": rows})
            self._made = _Made(epoch, seq, self._store.clock.now_ms(), body)
            return body


def blueprint(services: Services) -> Blueprint:
    """The route, for `/api/v1`."""
    routes = Blueprint("ranges", __name__, url_prefix="/api/v1")
    ranges = Ranges(services.store)

    @routes.get("/ranges")
    def of_all() -> Response:
        parameters.read(request.args, {})
        body = ranges.kept()
        if body is None:
            with services.studying():
                body = ranges.make()
        return Response(body, mimetype="application/json")

    return routes


def _rows(store: MemoryStore) -> list[list[Any]]:
    """A row as `COLUMNS` for each instrument that has a bar of a day, in the catalogue's order; at least what the store
    had when it was called."""
    symbols = store.catalogue.symbols
    rows: list[list[Any]] = []
    for low in range(0, len(symbols), STEP):
        who = np.arange(low, min(low + STEP, len(symbols)), dtype=np.int64)
        found = year_ranges(store.panel(who, DAY, BARS))
        known = np.flatnonzero(~np.isnan(found.low))
        columns = (column[known].tolist() for column in (found.low, found.high, found.since, found.whole))
        rows.extend([symbols[who[at]], *values] for at, *values in zip(known.tolist(), *columns, strict=True))
    return rows
