"""The newest bars of many instruments beside each other: what every comparison across the market begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.market.bars import CLOSE, COLUMNS, HIGH, LOW, NEVER, START, TRADES, VOLUME
from dashboard.market.book import BarBook
from dashboard.market.ticks import Floats, Ints


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars of n instruments, the newest t of each, oldest first, so that column -1 is the newest.

    `start` int64[n, t] UTC ms, `NEVER` where the instrument has no such bar; the others float64[n, t], NaN there.
    Columns of two instruments need not be of the same time: a bar without a tick does not exist.
    """

    start: Ints
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    trades: Floats


def panel_of(book: BarBook, instruments: Ints, timeframe: int, count: int) -> Panel:
    """The newest `count` bars of `instruments` (each once) as `book` holds them: copies, read in one go."""
    keys = timeframe * book.instruments + instruments
    book.settle(keys)
    made, capacity = book.count[keys], book.capacity[keys]
    count = min(count, int(capacity.min())) if len(keys) else count
    # A bar lies at its slot and at slot + capacity, so the newest end at the second and go back without a break.
    end = book.base[keys] + (made - 1) % capacity + capacity + 1
    back = np.arange(count, 0, -1)
    there = back <= made[:, np.newaxis]
    slots = np.where(there, end[:, np.newaxis] - back, 0)
    rows = book.block[:COLUMNS].T[slots]
    rows[~there] = np.nan
    start = np.where(there, rows[:, :, START], 0.0).astype(np.int64)
    start[~there] = NEVER
    high, low, close, volume, trades = (rows[:, :, row] for row in (HIGH, LOW, CLOSE, VOLUME, TRADES))
    return Panel(start, high, low, close, volume, trades)


def joined(parts: Sequence[Panel]) -> Panel:
    """Panels of the same bars of different instruments, under each other."""
    return Panel(*(np.concatenate([getattr(part, name) for part in parts]) for name in Panel.__slots__))
