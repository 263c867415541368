"""A watchlist: instruments in an order, which of them are pinned to the cards, and how the list is shown."""

from __future__ import annotations

from typing import Any, Final

from dashboard.workbench.fields import Fields, flag, list_of, maybe, one_of, symbol, text

FORMAT: Final = 1
SYMBOLS, PINNED, NAME = 1000, 50, 80
#: Columns with a value an instrument, which a file can have too.
VALUES: Final = (
    "symbol",
    "name",
    "class",
    "price",
    "change",
    "change_percent",
    "bid",
    "ask",
    "spread",
    "volume",
    "open",
    "high",
    "low",
    "previous_close",
    "time",
    "age",
    "stale",
)
#: Columns that are drawn.
DRAWN: Final = ("trend", "day_range", "year_range", "volatility")
COLUMNS: Final = (*VALUES, *DRAWN)
USUAL: Final = ("symbol", "price", "change_percent", "trend")
GROUPINGS: Final = ("none", "class", "sector")
#: What an answer has besides.
ANSWERED: Final = ("id", "version", "format", "unknown", "created", "changed")
_name = text(1, NAME)
_symbols = list_of(symbol, SYMBOLS, "symbols")
_columns = list_of(one_of(*COLUMNS), len(COLUMNS), "columns")


def checked(given: object) -> tuple[str, dict[str, Any]]:
    """(name, content) of a watchlist as a user gives it: `symbols`, and where they matter `pinned` (some of them),
    `columns`, `sort` ({"column", "descending"} or null, which is the list's own order) and `group`.

    Raises BadParameters.
    """
    fields = Fields(given)
    name = fields.take("name", _name)
    symbols = fields.take("symbols", _symbols)
    pinned = fields.take("pinned", list_of(symbol, PINNED, "pinned symbols"), [])
    found = {
        "symbols": symbols,
        "pinned": pinned,
        "columns": fields.take("columns", _columns, list(USUAL)),
        "sort": fields.take("sort", maybe(_sort), None),
        "group": fields.take("group", one_of(*GROUPINGS), "none"),
    }
    among = set(symbols or ())
    if symbols is not None and (outside := next((each for each in pinned or () if each not in among), None)):
        fields.refuse_value("pinned", outside, "symbols of the list")
    fields.passed_over(ANSWERED)
    fields.done()
    return name, found


def _sort(name: str, value: Any) -> dict[str, Any]:
    fields = Fields(value, name)
    found = {
        "column": fields.take("column", one_of(*VALUES)),
        "descending": fields.take("descending", flag, False),
    }
    fields.done()
    return found
