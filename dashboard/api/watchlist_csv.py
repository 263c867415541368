"""A watchlist as CSV: its instruments in its order, in its columns, with the values of this moment.

An instrument that is not in this market keeps its row, with nothing but its symbol. Numbers are the shortest text that
parses to the same float, times ISO 8601 UTC, `age` whole milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from flask import Response

from dashboard.api.services import Services
from dashboard.errors import BadParameter
from dashboard.market.statistics import change
from dashboard.market.ticks import Floats, Ints
from dashboard.store import text
from dashboard.store.memory import LastTable
from dashboard.workbench.shelf import Kept
from dashboard.workbench.watchlists import VALUES

#: What a spreadsheet would take for a formula. A name comes from a catalogue file and may say anything; a symbol can
#: call nothing, since it has no brackets, and stays as it is.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def columns(name: str, given: str) -> tuple[str, ...]:
    """The columns in a query parameter, with commas between them. Raises BadParameter."""
    found = tuple(given.split(","))
    if not set(found) <= set(VALUES) or len(set(found)) != len(found):
        raise BadParameter(name, given, f"some of {', '.join(VALUES)} with commas between them, each once")
    return found


def answer(services: Services, kept: Kept | None, wanted: tuple[str, ...] | None) -> Response:
    """The file of a watchlist, or without one of every instrument. Its columns are those `wanted`, else the list's that
    have a value, or all. Raises Conflict for a list that a newer version of the program has made."""
    content = kept.content() if kept is not None else None
    if wanted is None and content is not None:
        wanted = tuple(name for name in content["columns"] if name in VALUES)
    # A list that shows nothing but drawn columns has its symbols still.
    wanted = VALUES if wanted is None else wanted or ("symbol",)
    catalogue = services.store.catalogue
    symbols: Sequence[str] = catalogue.symbols if content is None else content["symbols"]
    found = [catalogue.index(symbol) for symbol in symbols]
    at = np.array([-1 if each is None else each for each in found], dtype=np.int64)
    last = services.store.last()
    table = {name: _column(services, last, name, symbols, at) for name in wanted}
    made = Response(text.table(table), mimetype="text/csv")
    made.headers["Content-Disposition"] = f'attachment; filename="{_file_name(services, kept)}"'
    made.headers["Cache-Control"] = "no-store"
    return made


def _column(services: Services, last: LastTable, name: str, symbols: Sequence[str], at: Ints) -> text.Column:
    """A column of the instruments `at` (-1: not in this market)."""
    catalogue = services.store.catalogue
    if name == "symbol":
        return list(symbols)
    if name == "name":
        return [_harmless(catalogue[each].name) if each >= 0 else None for each in at]
    if name == "class":
        return [catalogue[each].asset_class if each >= 0 else None for each in at]
    if name == "stale":
        stale = services.freshness(last)[1]
        return [bool(stale[each]) if each >= 0 else None for each in at]
    if name == "time":
        return _taken(last.ts, at).astype("datetime64[ms]")
    if name == "age":
        ages = _taken(services.freshness(last)[0], at)
        return [round(float(age)) if age == age else None for age in ages]
    return _taken(_values(last, name), at)


def _values(last: LastTable, name: str) -> Floats:
    """The column of numbers of that name, of every instrument."""
    if name == "spread":
        return last.ask - last.bid
    if name in ("change", "change_percent"):
        return change(last.price, last.previous_close)[name == "change_percent"]
    values: Floats = getattr(last, name)
    return values


def _taken(values: Floats, at: Ints) -> Floats:
    """`values` of the instruments `at`, NaN for those that are not there and for what is no number."""
    found = np.where(at >= 0, values[at], np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _harmless(name: str) -> str:
    return f"'{name}" if name.startswith(_FORMULA) else name


def _file_name(services: Services, kept: Kept | None) -> str:
    now = datetime.fromtimestamp(services.workbench.watchlists.clock.now_ms() / 1000, UTC)
    safe = (
        "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "_" for char in kept.name)
        if kept
        else ""
    )
    return f"{services.file_prefix}watchlist{'_' + safe if safe else ''}_{now:%Y%m%dT%H%M%SZ}.csv"
