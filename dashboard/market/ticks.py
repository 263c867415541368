"""`TickBatch`, the one type that flows from feeds to the store and on: equal-length numpy columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SourceBars:
    """Bars as a feed of bars reports them, one for each tick of the batch that carries them.

    `timeframe` is an index into `market.bars.TIMEFRAMES`, the same for all; `start` int64[n] UTC ms; the others
    float64[n], `trades` 0 where the feed does not say.
    """

    timeframe: int
    start: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    trades: Floats

    def take(self, where: Mask | Ints) -> SourceBars:
        """The bars at `where` (a mask or positions), in that order."""
        return SourceBars(
            self.timeframe,
            self.start[where],
            self.open[where],
            self.high[where],
            self.low[where],
            self.close[where],
            self.volume[where],
            self.trades[where],
        )


@dataclass(frozen=True, slots=True)
class TickBatch:
    """Ticks that became known together, in the order of the feed.

    All columns have length n. `instrument` int64 index into the catalogue (-1: unknown to it); `ts` int64 event time
    and `received` float64 time of receipt, both UTC ms; `price`, `size`, `bid`, `ask` float64, NaN where the feed has
    none (a quote has no size, a trade no bid and ask); `trade_id` int64 or None where the feed has no ids.
    `first_seq` is the sequence number of the first tick, the others follow by one; 0 until the store has taken it.
    With `bars`, tick i is the close of bar i and sets the last price, but goes into no bar itself.
    """

    instrument: Ints
    ts: Ints
    received: Floats
    price: Floats
    size: Floats
    bid: Floats
    ask: Floats
    trade_id: Ints | None = None
    first_seq: int = 0
    bars: SourceBars | None = None

    def __post_init__(self) -> None:
        size = len(self.instrument)
        equal = size == len(self.ts) == len(self.received) == len(self.price)
        equal = equal and size == len(self.size) == len(self.bid) == len(self.ask)
        equal = equal and (self.trade_id is None or len(self.trade_id) == size)
        equal = equal and (self.bars is None or len(self.bars.start) == size)
        assert equal, "columns of different lengths"

    def __len__(self) -> int:
        return len(self.instrument)

    def columns(self) -> tuple[Ints, Ints, Floats, Floats, Floats, Floats, Floats]:
        """The columns every batch has, in the order of the fields."""
        return self.instrument, self.ts, self.received, self.price, self.size, self.bid, self.ask

    @property
    def last_seq(self) -> int:
        """Sequence number of the last tick (`first_seq - 1` when the batch is empty)."""
        return self.first_seq + len(self) - 1

    def seqs(self) -> Ints:
        """int64[n]: the sequence number of each tick."""
        return np.arange(self.first_seq, self.first_seq + len(self), dtype=np.int64)

    def take(self, where: Mask | Ints) -> TickBatch:
        """The ticks at `where` (a mask or positions), in that order; meant for a batch without numbers yet."""
        return TickBatch(
            self.instrument[where],
            self.ts[where],
            self.received[where],
            self.price[where],
            self.size[where],
            self.bid[where],
            self.ask[where],
            trade_id=None if self.trade_id is None else self.trade_id[where],
            first_seq=self.first_seq,
            bars=None if self.bars is None else self.bars.take(where),
        )

    def numbered(self, first_seq: int) -> TickBatch:
        """The same ticks with sequence numbers from `first_seq` on."""
        return TickBatch(*self.columns(), self.trade_id, first_seq, self.bars)


def ascending(instrument: Ints, *, or_equal: bool = False) -> bool:
    """Whether they ascend, each once, or with `or_equal` any number of times."""
    after, before = instrument[1:], instrument[:-1]
    return bool((after >= before if or_equal else after > before).all())
