"""Indicators along bars: all of a history at once, and then bar by bar, the forming one as often as it changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dashboard.market.indicators.chosen import Chosen
from dashboard.market.indicators.columns import Columns, State
from dashboard.market.ticks import Floats


class Running:
    """An indicator behind the closed bars of one instrument and timeframe.

        running = Running(chosen)
        history = running.close(Columns.of(closed))       # its values for the bars so far
        newest = running.forming(Columns.of(forming))     # and for the bar that forms, as often as it changes
        newest = running.close(Columns.of(forming))       # which is folded in when it closes

    Values of n bars are float64[outputs, n], oldest first, NaN while it warms up. However the bars are dealt out to
    `close`, they are those of all bars at once (but for the rounding of sums). A bar without a finite number in a
    column that the indicator reads has NaN and is passed over, as if it had not been there; a result that is none, or
    too large for a float, is NaN. A closed bar that is corrected later needs a new one: nothing is taken back.
    Costs of one bar: O(period) for what looks at windows, O(1) for the others (see each formula).
    """

    def __init__(self, chosen: Chosen) -> None:
        self.chosen = chosen
        self._state: State = chosen.indicator.begin(*chosen.values)

    def close(self, bars: Columns) -> Floats:
        """The values for `bars`, which are closed and folded in."""
        values, self._state = self._fold(bars)
        return values

    def forming(self, bar: Columns) -> Floats:
        """The values for bars as if they had closed so; the state stays."""
        return self._fold(bar)[0]

    def _fold(self, bars: Columns) -> tuple[Floats, State]:
        indicator = self.chosen.indicator
        known = bars.known(indicator.inputs)
        values = np.full((len(indicator.outputs), len(bars)), np.nan)
        with np.errstate(all="ignore"):
            outputs, state = self._state.fold(bars if known.all() else bars[known])
        values[:, known] = outputs
        values[~np.isfinite(values)] = np.nan
        return values, state


def compute(chosen: Sequence[Chosen], bars: Columns) -> Floats:
    """float64[n, k]: every output of the indicators `chosen` for n bars, in the order of `columns(chosen)`."""
    values = [Running(each).close(bars) for each in chosen]
    return np.concatenate(values).T if values else np.zeros((len(bars), 0))


def columns(chosen: Sequence[Chosen]) -> tuple[str, ...]:
    """The names of the outputs of the indicators `chosen`."""
    return tuple(name for each in chosen for name in each.columns)
