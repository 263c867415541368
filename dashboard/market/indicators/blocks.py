"""The parts that indicators are made of: windows, smoothed means and lags, each with a state that is never changed.

A block's `fold(values)` takes the next values, oldest first, as many as there are, and gives float64 of the same
length with NaN while it warms up, and the block as it is after them. Folding a + b is folding a, then b: the whole of
a series and one forming bar are the same code. What is not finite is passed over, as if it had not been there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from dashboard.market.ticks import Floats

#: float64[m, period], a window a row -> float64[m].
Reduce = Callable[[Floats], Floats]
#: Numbers in the windows that are looked at in one step: half a megabyte, whatever the period.
CELLS = 65_536


def none() -> Floats:
    """No values."""
    return np.zeros(0)


def mean(windows: Floats) -> Floats:
    """Arithmetic means; those of equal values are that value to the last bit."""
    first = windows[:, :1]
    return np.asarray(first[:, 0] + (windows - first).mean(axis=1), dtype=np.float64)


def deviation(windows: Floats) -> Floats:
    """Standard deviations of populations, in two passes, so that a large mean costs no digits."""
    away = windows - windows[:, :1]
    away -= away.mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", away, away) / windows.shape[1]), dtype=np.float64)


def weighted(windows: Floats) -> Floats:
    """Means with the weights 1, 2, …, period, the newest value's the largest."""
    weights = np.arange(1.0, windows.shape[1] + 1.0)
    first = windows[:, :1]
    return np.asarray(first[:, 0] + (windows - first) @ (weights / weights.sum()), dtype=np.float64)


def highest(windows: Floats) -> Floats:
    """The largest value of each."""
    return np.asarray(windows.max(axis=1), dtype=np.float64)


def lowest(windows: Floats) -> Floats:
    """The smallest value of each."""
    return np.asarray(windows.min(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What `reduce` makes of the newest `period` values; O(period) a value. `tail`: the last period - 1 at most."""

    period: int
    reduce: Reduce
    tail: Floats = field(default_factory=none)

    def fold(self, values: Floats) -> tuple[Floats, Self]:
        """(float64[n], the window after them)."""
        known = np.isfinite(values)
        joined = np.concatenate([self.tail, values[known]])
        out = np.full(len(values), np.nan)
        if len(joined) >= self.period:
            made = np.full(len(joined) - len(self.tail), np.nan)
            view = sliding_window_view(joined, self.period)
            step = max(1, CELLS // self.period)
            first = len(made) - len(view)
            for at in range(0, len(view), step):
                windows = view[at : at + step]
                made[first + at : first + at + len(windows)] = self.reduce(windows)
            out[known] = made
        return out, replace(self, tail=joined[max(0, len(joined) - self.period + 1) :].copy())


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """A mean that each value draws towards itself by `alpha` of the distance; O(1) a value, O(period) until it begins.

    It begins as the arithmetic mean of the first `period` values behind `skip` that are left out, as in TA-Lib's EMA
    and in Wilder's smoothing. `silent`: this first mean is itself no value yet. `seed` are the values before it has
    begun, `value` the mean after, NaN before.
    """

    period: int
    alpha: float
    skip: int = 0
    silent: bool = False
    seed: Floats = field(default_factory=none)
    value: float = np.nan

    def fold(self, values: Floats) -> tuple[Floats, Self]:
        """(float64[n], the mean after them)."""
        known = np.isfinite(values)
        given = values[known]
        made = np.full(len(given), np.nan)
        out = np.full(len(values), np.nan)
        value, at = self.value, 0
        if value != value:
            wanted = self.skip + self.period
            seed = np.concatenate([self.seed, given])[:wanted]
            if len(seed) < wanted:
                return out, replace(self, seed=seed)
            at = wanted - len(self.seed)
            value = float(mean(seed[None, self.skip :])[0])
            made[at - 1] = np.nan if self.silent else value
        if at < len(given):
            made[at:] = _drawn(value, given[at:], self.alpha)
            value = float(made[-1])
        out[known] = made
        return out, replace(self, seed=none(), value=value)


def _drawn(value: float, values: Floats, alpha: float) -> Floats:
    """float64[n]: y = y + alpha * (x - y) along `values`, from `value`."""
    if len(values) == 1:  # the forming bar: most of it would be pandas' own overhead
        return np.asarray(value + alpha * (values - value), dtype=np.float64)
    joined = pd.Series(np.concatenate([[value], values]))
    return np.asarray(joined.ewm(alpha=alpha, adjust=False).mean().to_numpy()[1:], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Lag:
    """The value before each one, NaN before the first; O(1) a value."""

    last: float = np.nan

    def fold(self, values: Floats) -> tuple[Floats, Lag]:
        """(float64[n], the lag after them)."""
        if not len(values):
            return values, self
        return np.concatenate([[self.last], values[:-1]]), Lag(float(values[-1]))


@dataclass(frozen=True, slots=True)
class Held:
    """The last value that was finite, NaN before the first; O(1) a value."""

    last: float = np.nan

    def fold(self, values: Floats) -> tuple[Floats, Held]:
        """(float64[n], what is held after them)."""
        joined = np.concatenate([[self.last], values])
        newest = np.maximum.accumulate(np.where(np.isfinite(joined), np.arange(len(joined)), 0))
        filled = joined[newest]
        return filled[1:], Held(float(filled[-1]))
