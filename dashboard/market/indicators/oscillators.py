"""Indicators with a scale of their own: momentum, range, trend and volume.

Each function gives the state before the first bar. The costs said are those of one update of the forming bar. Wilder
1978 is "New Concepts in Technical Trading Systems", whose smoothing draws a mean by 1 / period of the distance.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from dashboard.market.indicators.blocks import Held, Lag, Smoothed, Window, highest, lowest, mean
from dashboard.market.indicators.columns import Columns
from dashboard.market.ticks import Floats, Mask


def _wilder(period: int) -> Smoothed:
    return Smoothed(period, 1 / period)


@dataclass(frozen=True, slots=True, eq=False)
class _Rsi:
    gain: Smoothed
    loss: Smoothed
    previous: Lag = field(default_factory=Lag)

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        before, previous = self.previous.fold(bars.close)
        change = bars.close - before
        up, gain = self.gain.fold(np.maximum(change, 0.0))
        down, loss = self.loss.fold(np.maximum(-change, 0.0))
        both = up + down
        index = np.where(both == 0, 0.0, 100 * (up / both))
        return (index,), replace(self, gain=gain, loss=loss, previous=previous)


def rsi(period: int) -> _Rsi:
    """Relative strength index: 100 * up / (up + down), the smoothed rises and falls from close to close (Wilder 1978;
    TA-Lib's RSI, which is 0 where nothing moves). O(1)."""
    return _Rsi(_wilder(period), _wilder(period))


@dataclass(frozen=True, slots=True, eq=False)
class _Macd:
    fast: Smoothed
    slow: Smoothed
    signal: Smoothed

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        quick, fast = self.fast.fold(bars.close)
        steady, slow = self.slow.fold(bars.close)
        line = quick - steady
        mean_line, signal = self.signal.fold(line)
        line = np.where(np.isnan(mean_line), np.nan, line)
        return (line, mean_line, line - mean_line), replace(self, fast=fast, slow=slow, signal=signal)


def macd(fast: int, slow: int, signal: int) -> _Macd:
    """Moving average convergence/divergence: the EMA of `fast` closes less that of `slow`, the EMA of `signal` values
    of this line, and the line less its signal (Appel, "The Moving Average Convergence-Divergence Trading Method",
    1979). As in TA-Lib's MACD the fast EMA begins with the slow one, as the SMA of the `fast` closes up to there, and
    the line is shown from where its signal begins. O(1)."""
    return _Macd(
        Smoothed(fast, 2 / (fast + 1), skip=slow - fast),
        Smoothed(slow, 2 / (slow + 1)),
        Smoothed(signal, 2 / (signal + 1)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Stochastic:
    highest: Window
    lowest: Window
    slow: Window
    signal: Window

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        top, next_highest = self.highest.fold(bars.high)
        bottom, next_lowest = self.lowest.fold(bars.low)
        fast = np.where(top == bottom, 0.0, 100 * ((bars.close - bottom) / (top - bottom)))
        slow, next_slow = self.slow.fold(fast)
        signal, next_signal = self.signal.fold(slow)
        slow = np.where(np.isnan(signal), np.nan, slow)
        after = replace(self, highest=next_highest, lowest=next_lowest, slow=next_slow, signal=next_signal)
        return (slow, signal), after


def stochastic(period: int, slowing: int, signal: int) -> _Stochastic:
    """Slow stochastic: %K is the SMA of `slowing` values of 100 * (close - lowest) / (highest - lowest) within `period`
    bars, 0 where these are equal, %D the SMA of `signal` values of %K (Lane, "Lane's Stochastics", 1984; TA-Lib's
    STOCH). O(period)."""
    return _Stochastic(Window(period, highest), Window(period, lowest), Window(slowing, mean), Window(signal, mean))


@dataclass(frozen=True, slots=True)
class _TrueRange:
    previous: Lag = field(default_factory=Lag)

    def fold(self, bars: Columns) -> tuple[Floats, Self]:
        """The largest of high - low and the distances of both to the close before (Wilder 1978); NaN at first."""
        before, previous = self.previous.fold(bars.close)
        away = np.maximum(np.abs(bars.high - before), np.abs(bars.low - before))
        return np.maximum(bars.high - bars.low, away), replace(self, previous=previous)


@dataclass(frozen=True, slots=True, eq=False)
class AverageTrueRange:
    """The state of `atr`."""

    mean: Smoothed
    range: _TrueRange = field(default_factory=_TrueRange)

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        """((values,), the state after)."""
        true, range_ = self.range.fold(bars)
        out, smoothed = self.mean.fold(true)
        return (out,), replace(self, mean=smoothed, range=range_)


def atr(period: int) -> AverageTrueRange:
    """Average true range: Wilder's smoothing of the true range, from the second bar on (Wilder 1978; TA-Lib's ATR).
    O(1)."""
    return AverageTrueRange(_wilder(period))


@dataclass(frozen=True, slots=True)
class _Obv:
    total: float = 0.0
    previous: Lag = field(default_factory=Lag)

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        before, previous = self.previous.fold(bars.close)
        direction = np.where(np.isnan(before), 1.0, np.sign(bars.close - before))
        out = self.total + np.cumsum(direction * bars.volume)
        total = float(out[-1]) if len(out) else self.total
        return (out,), replace(self, total=total, previous=previous)


def obv() -> _Obv:
    """On-balance volume: the sum of the volumes of bars that closed higher less that of those that closed lower, from
    the oldest bar on, whose own volume it begins with (Granville 1963; TA-Lib's OBV). O(1)."""
    return _Obv()


@dataclass(frozen=True, slots=True, eq=False)
class _Adx:
    plus: Smoothed
    minus: Smoothed
    true: Smoothed
    mean: Smoothed
    range: _TrueRange = field(default_factory=_TrueRange)
    high: Lag = field(default_factory=Lag)
    low: Lag = field(default_factory=Lag)
    held: Held = field(default_factory=Held)

    def fold(self, bars: Columns) -> tuple[tuple[Floats, ...], Self]:
        above, high = self.high.fold(bars.high)
        below, low = self.low.fold(bars.low)
        range_, next_range = self.range.fold(bars)
        rise, fall = bars.high - above, below - bars.low
        up, plus = self.plus.fold(_only(rise, (rise > fall) & (rise > 0)))
        down, minus = self.minus.fold(_only(fall, (fall > rise) & (fall > 0)))
        span, true = self.true.fold(range_)
        still = span == 0
        plus_di = _only(100 * (up / span), ~still, of=span)
        minus_di = _only(100 * (down / span), ~still, of=span)
        both = plus_di + minus_di
        still |= both == 0
        index = _only(100 * (np.abs(plus_di - minus_di) / both), ~still, of=span)
        smoothed, average = self._averaged(index, still)
        out, held = self.held.fold(smoothed)
        out = np.where(np.isnan(index), np.nan, out)
        after = replace(
            self, plus=plus, minus=minus, true=true, mean=average, range=next_range, high=high, low=low, held=held
        )
        return (out, plus_di, minus_di), after

    def _averaged(self, index: Floats, still: Mask) -> tuple[Floats, Smoothed]:
        """The mean of DX, NaN at bars without a direction: they leave it as it is, or count as 0 until it begins."""
        begun = self.mean.value == self.mean.value
        left = 0 if begun else self.mean.period - len(self.mean.seed)
        known = np.isfinite(index)
        taken = known & ((np.cumsum(known) <= left) | ~still)
        return self.mean.fold(np.where(taken, index, np.nan))


def _only(values: Floats, where: Mask, of: Floats | None = None) -> Floats:
    """`values` there and 0 elsewhere; NaN where `of`, by default they themselves, is NaN."""
    return np.where(np.isnan(values if of is None else of), np.nan, np.where(where, values, 0.0))


def adx(period: int) -> _Adx:
    """Average directional index and the directional indicators +DI and -DI: Wilder's smoothing of
    100 * |+DI - -DI| / (+DI + -DI), these being the smoothed directional movements in percent of the smoothed true
    range (Wilder 1978). As in TA-Lib's ADX, PLUS_DI and MINUS_DI the sums begin with period - 1 bars, and a bar without
    direction leaves the average as it was. O(1)."""

    def begun() -> Smoothed:
        # A zero before the first period - 1 bars makes a period of them, whose mean is not shown.
        return Smoothed(period, 1 / period, silent=True, seed=np.zeros(1))

    return _Adx(begun(), begun(), begun(), _wilder(period))
