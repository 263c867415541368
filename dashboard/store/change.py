"""`Change`: what the store tells its listeners after each step, so that they need not ask for it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import RLock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dashboard.market.bars import TIMEFRAMES
from dashboard.market.ticks import TickBatch
from dashboard.market.touched import Touched

#: Columns of `Change.last`, the contract's columns of the channel `ticker`.
LAST_COLUMNS = ("price", "bid", "ask", "size", "volume", "high", "low", "ts")
#: Columns of `BarRows.rows`, the contract's columns of the channel `bars`.
BAR_COLUMNS = ("start", "open", "high", "low", "close", "volume", "trades", "flags")


@dataclass(frozen=True, slots=True)
class BarRows:
    """Bars of one timeframe in their newest state: `instrument` int64[m], `rows` float64[m, 8] (`BAR_COLUMNS`).

    Sorted by instrument, then by start.
    """

    instrument: NDArray[np.int64]
    rows: NDArray[np.float64]


class ChangedBars:
    """The bars of a change, one `BarRows` a timeframe, made when they are asked for: `bars[timeframe]`.

    Most are never asked for. Whenever they are, and from whichever thread, they are in their state right after the
    change: before the next one the store has what is left of them copied, where anybody still holds this object.
    """

    __slots__ = ("_lock", "_made", "_touched")

    def __init__(self, lock: RLock, touched: Touched) -> None:
        self._lock, self._touched = lock, touched
        self._made: list[BarRows | None] = [None] * len(TIMEFRAMES)

    @property
    def most(self) -> int:
        """No fewer than there are in all; needs nothing to be made."""
        return self._touched.most

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, timeframe: int) -> BarRows:
        made = self._made[timeframe]
        if made is None:
            with self._lock:
                made = self._made[timeframe] = BarRows(*self._touched.frame(timeframe))
        return made

    def __iter__(self) -> Iterator[BarRows]:
        return (self[timeframe] for timeframe in range(len(self)))


@dataclass(frozen=True, slots=True)
class Change:
    """One visible step of the store, delivered in order to every listener.

    `seq` is the store's newest sequence number after it. `batch` holds the accepted, numbered ticks, or None where
    only bars closed by the clock or the epoch began. `touched` int64[k], ascending, without repeats: instruments whose
    last values or day statistics changed; `last` float64[k, 8] their rows (`LAST_COLUMNS`, NaN for none). `reference`
    int64[r]: those whose day's open or previous close changed with it. `bars` has one entry a timeframe, ordered as
    `market.bars.TIMEFRAMES`: every bar that was made, changed, corrected or closed. `received` is the newest time of
    receipt in the batch (UTC ms; NaN without a batch).
    """

    epoch: str
    seq: int
    batch: TickBatch | None
    received: float
    touched: NDArray[np.int64]
    last: NDArray[np.float64]
    reference: NDArray[np.int64]
    bars: ChangedBars


class Listener(Protocol):
    """Called inside the store's lock, in order: only queue the change and wake whoever works on it."""

    def on_change(self, change: Change) -> None: ...

    def on_epoch(self, epoch: str) -> None:
        """The data started over: `epoch` is the new one, everything known before is void."""
        ...
