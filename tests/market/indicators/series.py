"""Bars that indicators are tried on: walks, a simulated market, standing prices, short ones."""

from __future__ import annotations

import numpy as np

from dashboard.clock import ManualClock
from dashboard.feeds.simulator import Simulator
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.indicators import Columns, parse
from dashboard.market.indicators.running import compute
from dashboard.market.instruments import catalogue
from dashboard.market.ticks import Floats
from tests.feeds.making import NOW

#: 2026-11-23T00:00:00Z.
MIDNIGHT = 1_795_392_000_000
HOUR = 3_600_000


def walk(count: int, seed: int, step: float = 0.01, price: float = 100.0) -> Columns:
    """Bars of a random walk on a grid of cents, hourly: now and then one stands still or has no volume."""
    random = np.random.default_rng(seed)
    close = np.round(price * np.exp(np.cumsum(random.normal(0, step, count))), 2)
    open_ = np.concatenate([[price], close[:-1]])[:count]
    high = np.round(np.maximum(open_, close) * (1 + random.exponential(step / 2, count)), 2)
    low = np.round(np.minimum(open_, close) * (1 - random.exponential(step / 2, count)), 2)
    high, low = np.maximum(high, np.maximum(open_, close)), np.minimum(low, np.minimum(open_, close))
    volume = np.where(random.random(count) < 0.1, 0.0, random.integers(1, 10_000, count).astype(np.float64))
    start = MIDNIGHT + HOUR * np.arange(count, dtype=np.float64)
    return Columns(start, open_, high, low, close, volume)


def standing(count: int, price: float) -> Columns:
    """Bars of a price that never moves."""
    start = MIDNIGHT + HOUR * np.arange(count, dtype=np.float64)
    same = np.full(count, price)
    return Columns(start, same, same, same, same, np.full(count, 7.0))


def simulated(symbol: str, timeframe: str) -> Columns:
    """The history of a simulated instrument."""
    feed = Simulator(catalogue(symbol), seed=11, tick_ms=1000, clock=ManualClock(NOW))
    for block in feed.history():
        if block.timeframe == TIMEFRAME_INDEX[timeframe]:
            bars = block.bars[0]
            return Columns.of(np.column_stack((block.start.astype(np.float64), bars, np.zeros(len(bars)))))
    raise AssertionError(f"there is no history of {timeframe}")


def still_after_moving(count: int, seed: int) -> Columns:
    """A walk whose last two thirds stand still, so that smoothed movements fade out."""
    moving, rest = walk(count // 3, seed), count - count // 3
    last = float(moving.close[-1])
    quiet = standing(rest, last)
    joined = [np.concatenate([getattr(moving, name), getattr(quiet, name)]) for name in Columns.__slots__]
    joined[0] = MIDNIGHT + HOUR * np.arange(count, dtype=np.float64)
    return Columns(*joined)


SERIES: dict[str, Columns] = {
    "walk": walk(600, 1),
    "wild walk": walk(400, 2, step=0.1),
    "cheap": walk(400, 3, price=0.5),
    "dear": walk(400, 4, price=5e6),
    "simulated minutes": simulated("BTC-USD", "1m"),
    "simulated days": simulated("AAPL", "1d"),
    "standing": standing(300, 0.1),
    "still after moving": still_after_moving(900, 5),
    **{f"{count} bars": walk(count, 6) for count in (0, 1, 2, 3, 13, 14, 15, 26, 33, 34, 35)},
}


def values(text: str, bars: Columns) -> Floats:
    """float64[outputs, n] of one indicator."""
    return compute(parse(text), bars).T
