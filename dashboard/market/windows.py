"""The spans of time that instruments are compared over, and the bars that each is measured with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES

_MINUTE, _HOUR, DAY_MS = 60_000, 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Window:
    """A span that ends at the market's newest tick.

    `frames`: timeframes that it may be measured with, the finest first. `full`: the change in percent, up or down,
    from which on a colour grows no stronger; about three deviations of a stock of 30 % a year. `daily`: it begins with
    the instrument's day and changes count from the previous close, as on every other part of the page.
    """

    name: str
    title: str
    ms: int
    frames: tuple[str, ...]
    full: float
    daily: bool = False

    def bars(self, timeframe: int) -> int:
        """How many bars of `timeframe` it takes: those inside, and the one that holds the moment it begins."""
        return -(-self.ms // TIMEFRAMES[timeframe].ms) + 2

    def timeframe(self, kept: Sequence[int]) -> int:
        """The finest of its timeframes that is kept long enough (`kept` bars of each), else its coarsest."""
        choices = [TIMEFRAME_INDEX[name] for name in self.frames]
        return next((frame for frame in choices if kept[frame] >= self.bars(frame)), choices[-1])


_ALL = (
    Window("15m", "15 minutes", 15 * _MINUTE, ("1m",), 0.5),
    Window("1h", "1 hour", _HOUR, ("1m",), 1.0),
    Window("4h", "4 hours", 4 * _HOUR, ("5m", "15m"), 2.0),
    Window("day", "Today", DAY_MS, ("15m", "1h"), 3.0, daily=True),
    Window("24h", "24 hours", DAY_MS, ("15m", "1h"), 3.0),
    Window("1w", "1 week", 7 * DAY_MS, ("1h", "1d"), 9.0),
    Window("1mo", "30 days", 30 * DAY_MS, ("1d",), 18.0),
    Window("1y", "1 year", 365 * DAY_MS, ("1d",), 60.0),
)
WINDOWS: Mapping[str, Window] = MappingProxyType({window.name: window for window in _ALL})
