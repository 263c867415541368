"""A market in plain Python lists, told the same ticks as the store: what every row on the wire has to say at its seq.

It follows the contract's words (section Market) one tick at a time and shares no code with the product. Sizes have to
be whole numbers, so that sums do not depend on their order.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any

from tests.soak.ledger import MS

Row = list[Any]
CLOSED, PARTIAL, CORRECTED = 1, 2, 16
GRACE_MS = 500


class Bar:
    """One bar and all its states, each with the seq at which it was the newest."""

    def __init__(self, start: int, flags: int) -> None:
        self.start, self.flags = start, flags
        self.open = self.close = 0.0
        self.high, self.low = -math.inf, math.inf
        self.volume = self.trades = 0.0
        self.first, self.last = math.inf, -math.inf
        self.states: list[tuple[int, Row]] = []

    def take(self, ts: int, price: float, size: float) -> None:
        """A tick; the open is of the earliest time and the close of the latest, among equal ones as they came."""
        if ts < self.first:
            self.open, self.first = price, ts
        if ts >= self.last:
            self.close, self.last = price, ts
        self.high, self.low = max(self.high, price), min(self.low, price)
        if not math.isnan(size):
            self.volume += size
            self.trades += 1

    def row(self) -> Row:
        return [self.start, self.open, self.high, self.low, self.close, self.volume, int(self.trades), self.flags]

    def at(self, seq: int) -> list[Row]:
        """States that a message of `seq` may tell: the newest, and the one before where that came at the same seq."""
        upto = bisect_right(self.states, seq, key=lambda state: state[0])
        allowed = [row for of, row in self.states[:upto] if of == seq]
        before = [row for of, row in self.states[:upto] if of < seq]
        return allowed + before[-1:]


class Oracle:
    """One epoch. `ticks` by symbol are the rows of the channel in order."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.seq = 0
        self.begin: int | None = None
        self.ticks: dict[str, list[Row]] = {symbol: [] for symbol in symbols}
        self.bars: dict[tuple[str, str], dict[int, Bar]] = {(each, frame): {} for each in symbols for frame in MS}
        self.newest: dict[tuple[str, str], int] = {}
        self.latest = dict.fromkeys(symbols, -1)
        self.quote: dict[str, tuple[float, float, float, float, int]] = {}
        #: By symbol: (seq, row of the channel ticker, open and previous close).
        self.history: dict[str, list[tuple[int, Row, tuple[Any, Any]]]] = {symbol: [] for symbol in symbols}

    def append(self, batch: list[tuple[str, int, float, float, float, float]]) -> None:
        """Ticks of one batch, in order: symbol, ts, price, size, bid, ask. They become visible together."""
        first = self.seq + 1
        self.seq += len(batch)
        touched: dict[tuple[str, str], dict[int, Bar]] = {}
        if self.begin is None:
            self.begin = batch[0][1]
        for at, (symbol, ts, price, size, bid, ask) in enumerate(batch):
            self.ticks[symbol].append([first + at, price, _null(size), _null(bid), _null(ask), ts])
            if symbol not in self.quote or ts >= self.quote[symbol][4]:
                self.quote[symbol] = (price, bid, ask, size, ts)
            for frame, ms in MS.items():
                self._fold(symbol, frame, ms, ts, price, size, touched)
            self.latest[symbol] = max(self.latest[symbol], ts)
        for bars in touched.values():
            for bar in bars.values():
                bar.states.append((self.seq, bar.row()))
        for symbol in {one[0] for one in batch}:
            price, bid, ask, size, ts = self.quote[symbol]
            day, before = self._days(symbol)
            row = [price, _null(bid), _null(ask), _null(size), day.volume, day.high, day.low, ts]
            self.history[symbol].append((self.seq, row, (day.open, before)))

    def close_due(self, now_ms: float) -> None:
        """The clock closes what ended more than the grace ago."""
        for (symbol, frame), start in self.newest.items():
            bar = self.bars[symbol, frame][start]
            if not bar.flags & CLOSED and start + MS[frame] <= now_ms - GRACE_MS:
                bar.flags |= CLOSED
                bar.states.append((self.seq, bar.row()))

    def ticker(self, symbol: str, seq: int) -> tuple[Row, tuple[Any, Any]] | None:
        """(row, (open, previous close)) of a symbol as of `seq`; None before its first tick."""
        history = self.history[symbol]
        at = bisect_right(history, seq, key=lambda state: state[0])
        return history[at - 1][1:] if at else None

    def _fold(
        self,
        symbol: str,
        frame: str,
        ms: int,
        ts: int,
        price: float,
        size: float,
        touched: dict[tuple[str, str], dict[int, Bar]],
    ) -> None:
        key = symbol, frame
        bars, start = self.bars[key], ts - ts % ms
        newest = self.newest.get(key)
        news = touched.setdefault(key, {})
        if newest is not None and start > newest and not bars[newest].flags & CLOSED:
            bars[newest].flags |= CLOSED
            news[newest] = bars[newest]
        bar = bars.get(start)
        late = self.latest[symbol] >= start + ms
        assert self.begin is not None
        if bar is None:
            bar = bars[start] = Bar(start, PARTIAL if start < self.begin else 0)
            if late:
                bar.flags |= CLOSED
        if late or bar.flags & CLOSED:
            bar.flags |= CORRECTED
        bar.take(ts, price, size)
        news[start] = bar
        self.newest[key] = max(start, newest if newest is not None else start)

    def _days(self, symbol: str) -> tuple[Bar, float | None]:
        days = self.bars[symbol, "1d"]
        starts = sorted(days)
        return days[starts[-1]], days[starts[-2]].close if len(starts) > 1 else None


def _null(value: float) -> float | None:
    return None if math.isnan(value) else value
