"""Indicators on the scale of the price: moving averages, VWAP, bands and channels.

Each function gives the state before the first bar. The costs said are those of one update of the forming bar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from dashboard.market.bars import DAY, TIMEFRAMES
from dashboard.market.indicators.blocks import Smoothed, Window, deviation, highest, lowest, mean, weighted
from dashboard.market.indicators.columns import Columns
from dashboard.market.indicators.oscillators import AverageTrueRange, atr
from dashboard.market.ticks import Floats


@dataclass(frozen=True, slots=True, eq=False)
class OfClose:
    """A block over the closes."""

    block: Window | Smoothed

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        """((values,), the state after)."""
        out, block = self.block.fold(bars.close)
        return (out,), replace(self, block=block)


def sma(period: int) -> OfClose:
    """Simple moving average: the mean of the last `period` closes (TA-Lib's SMA). O(period)."""
    return OfClose(Window(period, mean))


def ema(period: int) -> OfClose:
    """Exponential moving average: EMA = EMA' + 2 / (period + 1) * (close - EMA'), begun as the SMA of the first
    `period` closes (TA-Lib's EMA). O(1)."""
    return OfClose(Smoothed(period, 2 / (period + 1)))


def wma(period: int) -> OfClose:
    """Weighted moving average: weights 1 to `period`, the newest close's the largest (TA-Lib's WMA). O(period)."""
    return OfClose(Window(period, weighted))


@dataclass(frozen=True, slots=True)
class _Vwap:
    day: float = np.nan
    money: float = 0.0
    volume: float = 0.0

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        if not len(bars):
            return (bars.close,), self
        day = np.floor(bars.start / TIMEFRAMES[DAY].ms)
        # Thirds are added up, since the sum of three prices may be too large for a float.
        money = (bars.high / 3 + bars.low / 3 + bars.close / 3) * bars.volume
        sums = np.column_stack([money, bars.volume])
        if day[0] == self.day:
            sums[0] += (self.money, self.volume)
        if len(day) > 1:
            sums = pd.DataFrame(sums).groupby(day, sort=False).cumsum().to_numpy()
        newest = replace(self, day=float(day[-1]), money=float(sums[-1, 0]), volume=float(sums[-1, 1]))
        return (sums[:, 0] / sums[:, 1],), newest


def vwap() -> _Vwap:
    """Volume-weighted average price of the session, which is the UTC day: the sum of typical price * volume over that
    of volume, the typical price being (high + low + close) / 3; nothing before the day's first volume (Berkowitz, Logue
    and Noser, "The Total Cost of Transactions on the NYSE", 1988, over bars instead of trades). O(1)."""
    return _Vwap()


@dataclass(frozen=True, slots=True, eq=False)
class _Bollinger:
    middle: Window
    spread: Window
    deviations: float

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        middle, next_middle = self.middle.fold(bars.close)
        spread, next_spread = self.spread.fold(bars.close)
        away = self.deviations * spread
        return (middle + away, middle, middle - away), replace(self, middle=next_middle, spread=next_spread)


def bollinger(period: int, deviations: float) -> _Bollinger:
    """Bollinger bands: the SMA of `period` closes, and it plus and minus `deviations` times their standard deviation as
    a population (Bollinger, "Bollinger on Bollinger Bands", 2001; TA-Lib's BBANDS). O(period)."""
    return _Bollinger(Window(period, mean), Window(period, deviation), deviations)


@dataclass(frozen=True, slots=True, eq=False)
class _Keltner:
    middle: Smoothed
    range: AverageTrueRange
    multiplier: float

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        middle, next_middle = self.middle.fold(bars.close)
        (range_,), next_range = self.range.fold(bars)
        away = self.multiplier * range_
        # All three lines begin together, whichever part of them takes longer to warm up.
        middle = np.where(np.isfinite(away), middle, np.nan)
        return (middle + away, middle, middle - away), replace(self, middle=next_middle, range=next_range)


def keltner(period: int, multiplier: float, atr_period: int) -> _Keltner:
    """Keltner channels: the EMA of `period` closes, and it plus and minus `multiplier` times the ATR of `atr_period`
    bars (Keltner, "How to Make Money in Commodities", 1960, in the form of Raschke, who took EMA and ATR). O(1)."""
    return _Keltner(Smoothed(period, 2 / (period + 1)), atr(atr_period), multiplier)


@dataclass(frozen=True, slots=True, eq=False)
class _Donchian:
    upper: Window
    lower: Window

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        upper, next_upper = self.upper.fold(bars.high)
        lower, next_lower = self.lower.fold(bars.low)
        return (upper, lower + (upper - lower) / 2, lower), replace(self, upper=next_upper, lower=next_lower)


def donchian(period: int) -> _Donchian:
    """Donchian channel: the highest high and the lowest low of the last `period` bars, this one included, and the
    middle between them (Donchian's four-week rule, 1960). O(period)."""
    return _Donchian(Window(period, highest), Window(period, lowest))
