"""What the store hands out: copies that belong to the reader, each with the epoch and the seq it was read at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dashboard.market.ticks import Floats, Ints

#: Columns of a row of ticks, the contract's columns of the channel `ticks`.
TICK_COLUMNS = ("seq", "price", "size", "bid", "ask", "ts")
#: The float64 columns of `LastTable`, in order.
LAST_FIELDS = ("price", "bid", "ask", "size", "volume", "high", "low", "ts", "received", "open", "previous_close")


class History(Protocol):
    """A block of bars from before the live stream (`feeds.base.HistoryBlock`)."""

    @property
    def timeframe(self) -> int: ...
    @property
    def instrument(self) -> Ints: ...
    @property
    def start(self) -> Ints: ...
    @property
    def bars(self) -> Floats: ...


@dataclass(frozen=True, slots=True)
class LastTable:
    """Copies of the last values and day statistics of all n instruments, float64[n] each, NaN for none.

    `ts` is the newest tick's event time, `received` the time of the last report, both UTC ms; `last_seq` int64[n], 0
    where nothing came in this epoch.
    """

    epoch: str
    seq: int
    price: Floats
    bid: Floats
    ask: Floats
    size: Floats
    ts: Floats
    received: Floats
    volume: Floats
    open: Floats
    high: Floats
    low: Floats
    previous_close: Floats
    last_seq: Ints


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of one instrument, `rows` float64[n, 6] (`TICK_COLUMNS`) by seq; `more`: the limit left some out."""

    epoch: str
    seq: int
    oldest_seq: int
    rows: Floats
    more: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one instrument and timeframe, `rows` float64[n, 8] (`BAR_COLUMNS`), oldest first."""

    epoch: str
    seq: int
    rows: Floats
