"""The protocol between a source of ticks and the rest: `Feed` gives, `Sink` takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dashboard.market.instruments import Catalogue
from dashboard.market.ticks import TickBatch


@dataclass(frozen=True, slots=True)
class HistoryBlock:
    """Bars from before the live stream, for one timeframe and many instruments at once.

    `timeframe` is an index into `market.bars.TIMEFRAMES`; `instrument` int64[i]; `start` int64[t] ascending UTC ms on
    the timeframe's grid; `bars` float64[i, t, 6] with open, high, low, close, volume, trades. The last bar may still
    be forming: the live stream continues it.
    """

    timeframe: int
    instrument: NDArray[np.int64]
    start: NDArray[np.int64]
    bars: NDArray[np.float64]


class Sink(Protocol):
    """What a feed may tell. Every method is called from the feed's own thread and returns soon."""

    def ticks(self, batch: TickBatch) -> None:
        """Ticks as they came, unchecked and unnumbered."""
        ...

    def alive(self) -> None:
        """The feed is reading although it has nothing to report (call it at least once a second)."""
        ...

    def unreadable(self, count: int) -> None:
        """`count` lines or messages of the source could not be read (the feed has logged which)."""
        ...

    def new_pass(self) -> None:
        """The source begins again in times that go on (a loop of a replay): its trade ids may repeat."""
        ...

    def restart(self) -> None:
        """The data starts over (a loop of a replay in original time): a new epoch begins."""
        ...


class Feed(Protocol):
    """A source of ticks. Made once, run in one thread, possibly several times (after a failure)."""

    @property
    def name(self) -> str:
        """Label in metrics and logs: `simulator`, `replay`, `coinbase`."""
        ...

    @property
    def kind(self) -> str:
        """What the page's badge says: `SIMULATED`, `REPLAY` or the venue."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """The instruments that it can report; the store is made for exactly these."""
        ...

    @property
    def interval_ms(self) -> float:
        """Mean time between two reports of an instrument, as far as known (0: unknown)."""
        ...

    @property
    def silence_is_stale(self) -> bool:
        """False for a replay: a hole in the file is not staleness, only a reader that has stopped is."""
        ...

    @property
    def pace(self) -> float | None:
        """Seconds that the market's clock runs in a real one; None where it only steps from row to row."""
        ...

    def market_now_ms(self) -> float:
        """The market's clock, UTC ms: the wall clock, or where a replay stands. Any thread may ask."""
        ...

    def history(self) -> Iterator[HistoryBlock]:
        """Bars from before the live stream; asked once, before `run`. Nothing where the source has none."""
        ...

    def run(self, sink: Sink, stop: threading.Event) -> None:
        """Report until `stop` is set or the source ends (return), raising `FeedError` or OSError when it breaks."""
        ...
