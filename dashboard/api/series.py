"""Bars of a range with the indicators that were asked for beside them: for the API and for exports alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.market import indicators
from dashboard.market.indicators import Chosen, Columns
from dashboard.market.ticks import Floats
from dashboard.store.change import BAR_COLUMNS
from dashboard.store.memory import MemoryStore


@dataclass(frozen=True, slots=True)
class Series:
    """Copies of bars as they were at `seq` of `epoch`: `rows` float64[n, 8] (`BAR_COLUMNS`), oldest first.

    `kept` float64[m, 8], m >= n, are these and every kept one before them: indicators warm up on those, so that a bar
    has the same values wherever a range begins, as far as the store reaches.
    """

    epoch: str
    seq: int
    rows: Floats
    kept: Floats
    chosen: tuple[Chosen, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `table`."""
        return BAR_COLUMNS + indicators.columns(self.chosen)

    def table(self) -> Floats:
        """float64[n, k]: the bars, and a column for each output of an indicator, NaN where there is no value.

        The work of one is bounded by what a timeframe keeps (14,400 bars), the most indicators there may be and their
        longest period, whatever the range.
        """
        if not self.chosen:
            return self.rows
        values = indicators.compute(self.chosen, Columns.of(self.kept))
        return np.column_stack([self.rows, values[len(self.kept) - len(self.rows) :]])


def read(
    store: MemoryStore,
    instrument: int,
    timeframe: int,
    chosen: tuple[Chosen, ...] = (),
    *,
    start: int | None = None,
    end: int | None = None,
    limit: int | None = None,
) -> Series:
    """The bars with `start` <= their start < `end`, the newest `limit` of them."""
    if not chosen:
        found = store.bars(instrument, timeframe, start=start, end=end, limit=limit)
        return Series(found.epoch, found.seq, found.rows, found.rows, ())
    found = store.bars(instrument, timeframe, end=end)
    low = 0 if start is None else int(np.searchsorted(found.rows[:, 0], start))
    if limit is not None:
        low = max(low, len(found.rows) - limit)
    return Series(found.epoch, found.seq, found.rows[low:], found.rows, chosen)
