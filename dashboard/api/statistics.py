"""Statistics of an instrument over a window of stored bars, as `GET /api/v1/tickers/{symbol}/statistics` gives them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboard.market import indicators, returns
from dashboard.market.bars import CLOSE, FLAGS, START, TIMEFRAME_INDEX, TIMEFRAMES, Flag
from dashboard.market.indicators import Columns
from dashboard.market.ticks import Floats
from dashboard.store.memory import MemoryStore

MINUTE_MS, DAY_MS = 60_000, 86_400_000
#: Windows by name: their length, and the timeframe of the bars that their statistics are made of. Five minutes are
#: what prices are commonly sampled at within a day: shorter returns measure the spread (Liu, Patton, Sheppard 2015).
WINDOWS = {
    "1h": (60 * MINUTE_MS, "1m"),
    "1d": (DAY_MS, "5m"),
    "7d": (7 * DAY_MS, "1h"),
    "30d": (30 * DAY_MS, "1h"),
    "1y": (365 * DAY_MS, "1d"),
}
USUAL_WINDOW = "1d"
#: The windows that returns are given of, beside each other.
RETURNS = {"5m": 5 * MINUTE_MS, **{name: ms for name, (ms, _frame) in WINDOWS.items()}}
_ATR = indicators.parse("atr:14")
_ATR_PERIOD = 14


@dataclass(frozen=True, slots=True)
class _Closed:
    """Closed bars of one instrument and timeframe, every kept one or those of a window: `rows` float64[n, 8], when
    they ended and at which price."""

    rows: Floats
    time: Floats
    close: Floats

    def after(self, since: float) -> _Closed:
        """Those that ended after `since`."""
        inside = self.time > since
        return _Closed(self.rows[inside], self.time[inside], self.close[inside])


def statistics(store: MemoryStore, instrument: int, window: str, against: int | None) -> dict[str, Any]:
    """The answer's body. A window ends with the instrument's newest tick, or the last closed bar where that is later.

    What can't be told (too few bars, a price that does not move) is None.
    """
    length, frame = WINDOWS[window]
    timeframe = TIMEFRAME_INDEX[frame]
    with store.lock:
        last = store.last()
        every = _closed(store, instrument, timeframe)
        now = float(np.fmax(last.ts[instrument], every.time[-1] if len(every.time) else math.nan))
        own = every.after(now - length)
        other = None if against is None else _closed(store, against, timeframe).after(now - length)
        price = float(last.price[instrument])
        past = {name: _close_at(store, instrument, now - ms) for name, ms in RETURNS.items()}
    body: dict[str, Any] = {
        "epoch": last.epoch,
        "seq": last.seq,
        "symbol": store.catalogue[instrument].symbol,
        "against": None if against is None else store.catalogue[against].symbol,
        "window": window,
        "timeframe": frame,
        "bars": len(own.close),
        "start": _whole(own.time[0]) if len(own.time) else None,
        "end": _whole(now),
        "price": _number(price),
        "returns": [
            {"window": name, "value": _number(price / close - 1.0), "since": _whole(since)}
            for name, (since, close) in past.items()
        ],
    }
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return body | {
            "volatility": _number(returns.volatility(own.time, own.close)),
            "atr": _atr(every.rows, price),
            "beta": _beta(own, other),
            "drawdown": _drawdown(own, now, price),
            "distribution": _distribution(own.close),
        }


def _closed(store: MemoryStore, instrument: int, timeframe: int) -> _Closed:
    """Every kept bar that has closed."""
    rows = store.bars(instrument, timeframe).rows
    rows = rows[(rows[:, FLAGS].astype(np.int64) & int(Flag.CLOSED)) > 0]
    return _Closed(rows, rows[:, START] + TIMEFRAMES[timeframe].ms, np.ascontiguousarray(rows[:, CLOSE]))


def _close_at(store: MemoryStore, instrument: int, at: float) -> tuple[float, float]:
    """(when, the close) of the last bar that had ended at `at`, of the shortest timeframe of a minute or more that
    reaches so far; NaN for none."""
    if at == at:
        for timeframe in range(TIMEFRAME_INDEX["1m"], len(TIMEFRAMES)):
            ms = TIMEFRAMES[timeframe].ms
            rows = store.bars(instrument, timeframe, end=at - ms + 1, limit=1).rows
            if len(rows):
                return float(rows[0, START]) + ms, float(rows[0, CLOSE])
    return math.nan, math.nan


def _atr(rows: Floats, price: float) -> dict[str, Any] | None:
    """The average true range of the last closed bar, warmed up on every kept one, as the chart's indicator is."""
    if len(rows) <= _ATR_PERIOD:
        return None
    value = _number(float(indicators.compute(_ATR, Columns.of(rows))[-1, 0]))
    return None if value is None else {"period": _ATR_PERIOD, "value": value, "percent": _number(value / price * 100)}


def _beta(own: _Closed, other: _Closed | None) -> dict[str, Any] | None:
    found = None if other is None else returns.beta(own.time, own.close, other.time, other.close)
    if found is None:
        return None
    return {
        "value": _number(found.slope),
        "correlation": _number(found.correlation),
        "returns": found.returns,
    }


def _drawdown(own: _Closed, now: float, price: float) -> dict[str, Any] | None:
    """Of the window's closes and the price of now."""
    if not len(own.close) or not math.isfinite(price):
        return None
    found = returns.drawdown(np.append(own.close, price))
    time = np.append(own.time, now)
    return {
        "now": found.now,
        "most": found.most,
        "peak": _whole(time[found.peak]),
        "trough": _whole(time[found.trough]),
    }


def _distribution(close: Floats) -> dict[str, Any] | None:
    found = returns.distribution(returns.log_returns(close)) if len(close) else None
    if found is None or not np.isfinite(found.edges).all():
        return None
    return {
        "returns": int(found.counts.sum()),
        "mean": found.mean,
        "deviation": found.deviation,
        "skew": _number(found.skew),
        "kurtosis": _number(found.kurtosis),
        "edges": found.edges.tolist(),
        "counts": found.counts.tolist(),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _whole(value: float) -> int | None:
    return int(value) if math.isfinite(value) else None
