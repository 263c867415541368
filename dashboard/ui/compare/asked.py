"""What the charts of the Compare page may ask for; a stranger's words are answered with one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard.errors import BadParameter, UnknownSymbol
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.instruments import Catalogue
from dashboard.ui.figures import TYPES

#: Charts that the page may show.
LAYOUTS = (1, 2, 3, 4, 6, 9)
MOST_CHARTS = max(LAYOUTS)
#: Bars of a chart where it does not say how many, and the most that it may ask for at once.
BARS, MOST_BARS = 300, 2_000
#: UTC ms that may be asked for: those of years with four digits.
_LATEST_MS = 253_402_300_799_999
_CHARTS = f"a list of 1 to {MOST_CHARTS} charts"


@dataclass(frozen=True, slots=True)
class Asked:
    """The newest `bars` of a series, of those that begin before the moment `before` (UTC ms) where it is said."""

    instrument: int
    timeframe: int
    bars: int
    before: int | None


def type_of(request: dict[str, Any]) -> str:
    """The chart type. Raises BadParameter for what there is not."""
    given = request.get("type") or next(iter(TYPES))
    if not isinstance(given, str) or given not in TYPES:
        raise BadParameter("type", given, f"one of {', '.join(TYPES)}")
    return given


def charts_of(request: dict[str, Any]) -> list[Any]:
    """What is asked for each chart, unread. Raises BadParameter where that is no list of the right length."""
    given = request.get("charts")
    if not isinstance(given, list):
        raise BadParameter("charts", given, _CHARTS)
    if not 1 <= len(given) <= MOST_CHARTS:
        raise BadParameter("charts", f"{len(given)} of them", _CHARTS)
    return given


def asked(given: object, catalogue: Catalogue) -> Asked:
    """One chart's {symbol, timeframe} and, where they matter, bars and before. Raises BadParameter, UnknownSymbol."""
    if not isinstance(given, dict):
        raise BadParameter("chart", given, "an object with symbol and timeframe")
    symbol, timeframe = given.get("symbol"), given.get("timeframe")
    if not isinstance(symbol, str):
        raise BadParameter("symbol", symbol, "the symbol of an instrument")
    if not isinstance(timeframe, str) or timeframe not in TIMEFRAME_INDEX:
        raise BadParameter("timeframe", timeframe, f"one of {', '.join(TIMEFRAME_INDEX)}")
    before = given.get("before")
    return Asked(
        _instrument(symbol, catalogue),
        TIMEFRAME_INDEX[timeframe],
        _whole("bars", given.get("bars", BARS), 1, MOST_BARS),
        None if before is None else _whole("before", before, 0, _LATEST_MS),
    )


def _instrument(symbol: str, catalogue: Catalogue) -> int:
    # Half a character could not be sent back, and a catalogue knows none.
    text = symbol.encode("utf-8", "backslashreplace").decode()
    found = catalogue.index(text)
    if found is None:
        raise UnknownSymbol(text[:40], catalogue.near(text))
    return found


def _whole(name: str, given: object, least: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise BadParameter(name, given, f"a whole number from {least} to {most}")
    return given
