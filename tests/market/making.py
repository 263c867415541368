"""Batches of ticks in one line, and the slow and obvious way to make bars of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dashboard.market.bars import TIMEFRAMES, Flag
from dashboard.market.book import BarBook
from dashboard.market.ticks import TickBatch

NAN = float("nan")
#: A Monday, 00:00 UTC: on the grid of every timeframe.
MIDNIGHT = 1_704_067_200_000
#: (instrument, event time, price, size), and bid and ask where they matter.
Row = tuple[float, ...]
#: start -> open, high, low, close, volume, trades, flags
BarsByStart = dict[int, tuple[float, ...]]


def ticks(*rows: Row, ids: Sequence[int] | None = None, received: float = NAN) -> TickBatch:
    """A batch of rows (instrument, ts, price[, size[, bid, ask]])."""
    table = np.array([(*row, *(NAN,) * (6 - len(row))) for row in rows], dtype=np.float64).reshape(-1, 6)
    return TickBatch(
        table[:, 0].astype(np.int64),
        table[:, 1].astype(np.int64),
        np.full(len(table), received),
        table[:, 2].copy(),
        table[:, 3].copy(),
        table[:, 4].copy(),
        table[:, 5].copy(),
        trade_id=None if ids is None else np.array(ids, dtype=np.int64),
    )


def book_of(instruments: int, capacity: int = 1000) -> BarBook:
    """A book that keeps `capacity` bars of each timeframe."""
    return BarBook(instruments, [capacity] * len(TIMEFRAMES))


def fold(book: BarBook, rows: Iterable[Row], seq: int = 1) -> None:
    """Fold rows into a book as one batch."""
    batch = ticks(*rows)
    book.fold(batch.instrument, batch.ts, batch.price, batch.size, seq)


def kept(book: BarBook, instrument: int, timeframe: int) -> BarsByStart:
    """What a reader finds in the book."""
    low, high = book.window(timeframe * book.instruments + instrument)
    return by_start(book.block[:8, low:high].T)


def by_start(rows: NDArray[np.float64]) -> BarsByStart:
    """Rows of the contract's eight columns as a mapping."""
    return {int(row[0]): tuple(row[1:].tolist()) for row in rows}


def flags(book: BarBook, timeframe: str, instrument: int = 0) -> dict[int, Flag]:
    """The flags of every kept bar, by its start counted from MIDNIGHT."""
    at = [frame.name for frame in TIMEFRAMES].index(timeframe)
    return {start - MIDNIGHT: Flag(int(bar[-1])) for start, bar in kept(book, instrument, at).items()}


@dataclass
class _Bar:
    open: float
    high: float
    low: float
    close: float
    first: int
    last: int
    volume: float = 0.0
    trades: int = 0
    corrected: bool = False


@dataclass
class Naive:
    """Folds tick after tick into dictionaries, as the contract's words say."""

    bars: dict[tuple[int, int, int], _Bar] = field(default_factory=dict)
    latest: dict[int, int] = field(default_factory=dict)
    begin: int | None = None

    def fold(self, rows: Iterable[Row]) -> None:
        for instrument, ts, price, size in rows:
            who, when = int(instrument), int(ts)
            self.begin = when if self.begin is None else self.begin
            known = self.latest.get(who)
            for timeframe, frame in enumerate(TIMEFRAMES):
                start = when // frame.ms * frame.ms
                bar = self.bars.get((who, timeframe, start))
                if bar is None:
                    bar = self.bars[who, timeframe, start] = _Bar(price, price, price, price, when, when)
                if when < bar.first:
                    bar.open, bar.first = price, when
                if when >= bar.last:
                    bar.close, bar.last = price, when
                bar.high, bar.low = max(bar.high, price), min(bar.low, price)
                if size == size:
                    bar.volume, bar.trades = bar.volume + size, bar.trades + 1
                bar.corrected |= known is not None and known >= start + frame.ms
            self.latest[who] = when if known is None else max(known, when)

    def of(self, instrument: int, timeframe: int, newest: int | None = None) -> BarsByStart:
        """The bars of a key, the `newest` of them."""
        found: BarsByStart = {}
        for (who, at, start), bar in sorted(self.bars.items()):
            if (who, at) != (instrument, timeframe):
                continue
            assert self.begin is not None
            flag = Flag.PARTIAL if start < self.begin else Flag(0)
            flag |= Flag.CORRECTED if bar.corrected else Flag(0)
            flag |= Flag.CLOSED if self.latest[who] >= start + TIMEFRAMES[at].ms else Flag(0)
            found[start] = (bar.open, bar.high, bar.low, bar.close, bar.volume, float(bar.trades), float(flag))
        starts = list(found)[-newest if newest else None :]
        return {start: found[start] for start in starts}


def merged(bars: BarsByStart, ms: int) -> BarsByStart:
    """Bars joined to those of a longer timeframe; flags are left out."""
    joined: BarsByStart = {}
    for start in sorted(bars):
        open_, high, low, close, volume, trades = bars[start][:6]
        at = start // ms * ms
        if at in joined:
            first, top, bottom, _close, before, number = joined[at]
            joined[at] = (first, max(top, high), min(bottom, low), close, before + volume, number + trades)
        else:
            joined[at] = (open_, high, low, close, volume, trades)
    return joined
