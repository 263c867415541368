"""What every instrument did over a window: change, turnover, volatility, new highs and lows. Vectorised over all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.market.bars import DAY, NEVER, TIMEFRAMES
from dashboard.market.panel import Panel
from dashboard.market.statistics import change
from dashboard.market.ticks import Floats, Ints, Mask
from dashboard.market.windows import Window

#: Returns that make a volatility.
LEAST_RETURNS = 2


@dataclass(frozen=True, slots=True)
class Moves:
    """Of n instruments over one window, all of length n, NaN where it can't be known.

    `change` in percent against `reference`, the price at the window's beginning. `volume` in the instrument's units,
    `turnover` in its currency (each bar's volume at its close), `trades` their number: sums over the bars that begin
    inside the window, 0 where there is none. `volatility` in percent: the realised volatility of the window.
    `new_high`, `new_low`: the newest bar is above the high (under the low) of every earlier bar of the window.
    """

    price: Floats
    reference: Floats
    change: Floats
    volume: Floats
    turnover: Floats
    trades: Floats
    volatility: Floats
    new_high: Mask
    new_low: Mask


def moves(window: Window, panel: Panel, price: Floats, ts: Floats, previous_close: Floats, now_ms: float) -> Moves:
    """What happened over `window`, which ends at `now_ms`, from the bars of `panel` (`window.bars` of them or more).

    `price`, `ts` (UTC ms) and `previous_close` float64[n] are the last values. The reference is the close of the bar
    that holds the moment `now_ms - window.ms`, or of the newest before it; for a daily window the previous close, and
    the window begins with the UTC day of the instrument's own last tick, as the day's statistics do.
    """
    if window.daily:
        day = TIMEFRAMES[DAY].ms
        begins = np.where(np.isnan(ts), now_ms, ts)
        cut: Ints = (begins // day * day).astype(np.int64) - 1
        reference = previous_close
    else:
        cut = np.full(len(price), int(now_ms) - window.ms, dtype=np.int64)
        reference = _held(panel, cut)
    inside = panel.start > cut[:, np.newaxis]
    volume = np.where(inside, panel.volume, 0.0)
    return Moves(
        price=price,
        reference=reference,
        change=change(price, reference)[1],
        volume=volume.sum(axis=1),
        turnover=np.where(inside, volume * panel.close, 0.0).sum(axis=1),
        trades=np.where(inside, panel.trades, 0.0).sum(axis=1),
        volatility=realised(panel, inside),
        new_high=_beyond(panel.high, inside, np.isfinite(reference)),
        new_low=_beyond(-panel.low, inside, np.isfinite(reference)),
    )


def realised(panel: Panel, inside: Mask) -> Floats:
    """float64[n]: the realised volatility, percent, of the bars `inside` bool[n, t]: the root of the sum of squared
    log returns from each bar's close to the next (Andersen and Bollerslev 1998), the first from the bar before them.

    NaN where there are fewer than two returns.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = np.diff(np.log(panel.close), axis=1)
    counted = inside[:, 1:] & np.isfinite(returns)
    squares = np.where(counted, returns, 0.0) ** 2
    return np.where(counted.sum(axis=1) >= LEAST_RETURNS, np.sqrt(squares.sum(axis=1)) * 100.0, np.nan)


def above_mean(price: Floats, close: Floats, period: int) -> tuple[Mask, Mask]:
    """(whether `price` is over the simple mean of the newest `period` columns of `close`, whether that is known)."""
    if close.shape[1] < period:
        nothing = np.zeros(len(price), dtype=np.bool_)
        return nothing, nothing
    mean = close[:, -period:].mean(axis=1)
    known = np.isfinite(mean) & np.isfinite(price)
    return known & (price > mean), known


def _held(panel: Panel, cut: Ints) -> Floats:
    """The close of the newest bar that begins at or before `cut`; NaN where none does."""
    at = panel.start.shape[1] - 1 - (panel.start > cut[:, np.newaxis]).sum(axis=1)
    rows = np.arange(len(cut))
    found = (at >= 0) & (panel.start[rows, at] != NEVER)
    return np.where(found, panel.close[rows, at], np.nan)


def _beyond(values: Floats, inside: Mask, covered: Mask) -> Mask:
    """Whether the newest bar is inside and above every earlier bar inside, of which there is one at least."""
    if values.shape[1] < 2:
        return np.zeros(len(values), dtype=np.bool_)
    earlier = np.where(inside[:, :-1], values[:, :-1], -np.inf).max(axis=1)
    return np.asarray(covered & inside[:, -1] & np.isfinite(earlier) & (values[:, -1] > earlier), dtype=np.bool_)
