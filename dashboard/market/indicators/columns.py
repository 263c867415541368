"""What an indicator reads and gives: columns of bars, and a state that takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from dashboard.market.bars import CLOSE, HIGH, LOW, OPEN, START, VOLUME
from dashboard.market.ticks import Floats, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Bars of one instrument and timeframe, oldest first, float64[n] each; `start` in UTC ms."""

    start: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    @classmethod
    def of(cls, rows: Floats) -> Columns:
        """Those of `rows` float64[n, 8], the contract's columns of bars."""
        wanted = (START, OPEN, HIGH, LOW, CLOSE, VOLUME)
        return cls(*(np.ascontiguousarray(rows[:, at]) for at in wanted))

    def __len__(self) -> int:
        return len(self.close)

    def __getitem__(self, where: Mask | slice) -> Columns:
        """The bars at `where`."""
        return Columns(
            self.start[where],
            self.open[where],
            self.high[where],
            self.low[where],
            self.close[where],
            self.volume[where],
        )

    def known(self, names: tuple[str, ...]) -> Mask:
        """bool[n]: whether each of the columns `names` is finite."""
        columns: list[Floats] = [getattr(self, name) for name in names]
        return np.asarray(np.logical_and.reduce([np.isfinite(column) for column in columns]), dtype=np.bool_)


class State(Protocol):
    """An indicator behind the bars it has seen; it is never changed.

    `fold(bars)` gives its outputs for the next bars, float64[n] each with NaN while warming up, and the state behind
    them. Every column that the indicator reads is finite there.
    """

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]: ...
