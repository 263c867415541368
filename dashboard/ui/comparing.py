"""Comparing instruments on the chart: what the page is told of it, and the closes that a figure brings of the others.

The page computes index, spread, ratio and correlation itself (`assets/compare/`), since their base moves with what is
in view and their last values with every tick; it draws them as indicators are drawn (`studies.py`). What they are
stands in `dashboard.market.comparison`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from dashboard.market.bars import CLOSE, START
from dashboard.market.comparison import LEAST_WINDOW, MODES, MOST, MOST_FACTOR, MOST_WINDOW, USUAL_WINDOW
from dashboard.market.instruments import Catalogue
from dashboard.market.ticks import Floats
from dashboard.store import text
from dashboard.store.memory import MemoryStore

#: Tokens `--study-…` of the lines, in the order of the instruments: the four that lie furthest apart in both themes, at
#: the end the one that a first indicator has.
COLOURS = (6, 5, 7, 1)


def registry() -> dict[str, Any]:
    """What there is to choose: {most, modes, colours, factor: the most, window: {minimum, maximum, default}}."""
    return {
        "most": MOST,
        "modes": MODES,
        "colours": COLOURS,
        "factor": MOST_FACTOR,
        "window": {"minimum": LEAST_WINDOW, "maximum": MOST_WINDOW, "default": USUAL_WINDOW},
    }


def lenient(given: object, catalogue: Catalogue, own: int) -> tuple[int, ...]:
    """The instruments that an address (a comma list) or a kept view (a list) compares with `own`, as far as there are
    any; the page itself says what it leaves out."""
    names = given[:2000].split(",") if isinstance(given, str) else given if isinstance(given, list) else []
    found = {catalogue.index(name): None for name in names[:50] if isinstance(name, str)}
    return tuple(at for at in found if at is not None and at != own)[:MOST]


def closes(store: MemoryStore, instruments: Sequence[int], timeframe: int, rows: Floats) -> list[dict[str, Any]]:
    """Closes from the first of the chart's own bars on, `rows` float64[n, 8]: {symbol, epoch, seq, bars: rows of start
    and close}, one an instrument. JSON already, as the bars of the figure are."""
    start = rows[0, START] if len(rows) else None
    return [_closes(store, each, timeframe, start) for each in instruments]


def _closes(store: MemoryStore, instrument: int, timeframe: int, start: float | None) -> dict[str, Any]:
    found = store.bars(instrument, timeframe, start=start, limit=0 if start is None else None)
    pairs = found.rows[:, [START, CLOSE]]
    return {
        "symbol": store.catalogue[instrument].symbol,
        "epoch": found.epoch,
        "seq": found.seq,
        "bars": orjson.Fragment(b"[" + text.json(pairs, ("start", "close")) + b"]"),
    }
