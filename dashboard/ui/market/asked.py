"""What a panel of the Market page may be asked for; a stranger's words are answered with one sentence."""

from __future__ import annotations

from typing import Any

from dashboard.errors import BadParameter, UnknownSymbol
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.instruments import Catalogue
from dashboard.market.windows import WINDOWS, Window

#: What the tiles of the heat map may be as large as.
MEASURES = {"turnover": "Turnover", "volume": "Volume", "trades": "Trades", "equal": "Equal"}
#: Timeframes whose returns are correlated.
RETURNS = ("1m", "5m", "15m", "1h", "1d")
DEFAULT_WINDOW, DEFAULT_MEASURE, DEFAULT_RETURNS = "day", "turnover", "15m"
#: Instruments of a correlation matrix.
FEWEST, MOST = 2, 40
_SYMBOLS = f"{FEWEST} to {MOST} symbols with commas between them"
#: Characters of the longest list of symbols that is looked at.
_LONGEST = 1_100


def window_of(request: dict[str, Any]) -> Window:
    """The window that is asked for. Raises BadParameter for what there is not."""
    return WINDOWS[_choice(request, "window", tuple(WINDOWS), DEFAULT_WINDOW)]


def measure_of(request: dict[str, Any]) -> str:
    """The measure of the tiles' sizes. Raises BadParameter for what there is not."""
    return _choice(request, "size", tuple(MEASURES), DEFAULT_MEASURE)


def returns_of(request: dict[str, Any]) -> int:
    """The index of the timeframe whose returns are correlated. Raises BadParameter for another one."""
    return TIMEFRAME_INDEX[_choice(request, "returns", RETURNS, DEFAULT_RETURNS)]


def symbols_of(request: dict[str, Any], catalogue: Catalogue) -> list[int] | None:
    """The instruments to correlate, None where none are named.

    Raises BadParameter where it is no list of the right length or names one twice, UnknownSymbol for what there is not.
    """
    given = request.get("symbols")
    if given is None or given == "":
        return None
    if not isinstance(given, str) or len(given) > _LONGEST:
        raise BadParameter("symbols", given, _SYMBOLS)
    names = [name.upper() for name in given.replace(",", " ").split()]
    if not FEWEST <= len(names) <= MOST:
        raise BadParameter("symbols", f"{len(names)} of them", _SYMBOLS)
    found = [_require(catalogue, name) for name in names]
    if len(set(found)) < len(found):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadParameter("symbols", f"{twice} twice", _SYMBOLS)
    return found


def _require(catalogue: Catalogue, name: str) -> int:
    # Half a character could not be sent back, and a catalogue knows none.
    text = name.encode("utf-8", "backslashreplace").decode()
    found = catalogue.index(text)
    if found is None:
        raise UnknownSymbol(text[:40], catalogue.near(text))
    return found


def _choice(request: dict[str, Any], name: str, accepted: tuple[str, ...], usual: str) -> str:
    given = request.get(name)
    if given is None or given == "":
        return usual
    if isinstance(given, str) and given in accepted:
        return given
    raise BadParameter(name, given, f"one of {', '.join(accepted)}")
