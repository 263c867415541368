"""The store against what one would write with pandas alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.clock import SystemClock
from dashboard.market.bars import (
    CLOSE,
    NEVER,
    OPEN,
    TIMEFRAME_INDEX,
    TIMEFRAMES,
    TRADES,
    VOLUME,
    Pieces,
    pieces_of_ticks,
)
from dashboard.market.book import BarBook
from dashboard.market.instruments import catalogue
from dashboard.market.ticks import TickBatch
from dashboard.store.memory import MemoryStore
from tests.benchmarks.table import Line, alternating

NOW_MS = 1_795_428_000_000
COLUMNS = ["instrument", "ts", "price", "size", "bid", "ask"]
#: Instruments, memory in MB, most milliseconds a batch may take; the least market shows what a batch costs at all.
MARKETS = ((15, 4, None), (500, 256, 0.1), (5_000, 512, 1.0))


def lines() -> Iterator[Line]:
    """Append, views and bars."""
    yield from append()
    yield from views()
    yield from minutes()
    yield from bars()


class Market:
    """A store whose rings have been written round once, and batches with a tick of every instrument at 10 Hz."""

    def __init__(self, instruments: int, budget_mb: int) -> None:
        random = np.random.default_rng(1)
        self.store = MemoryStore(catalogue(f"catalogue:{instruments}"), clock=SystemClock(), budget_mb=budget_mb)
        self.who = np.arange(instruments, dtype=np.int64)
        self.prices = [100 + random.random(instruments) for _ in range(20)]
        self.size = np.ones(instruments)
        self.number = 0
        while self.store.oldest_seq == 1 or self.number < 2_200:
            self.store.append(self.batch())

    def batch(self) -> TickBatch:
        ts = np.full(len(self.who), NOW_MS + 100 * self.number, dtype=np.int64)
        price = self.prices[self.number % len(self.prices)]
        self.number += 1
        return TickBatch(self.who, ts, ts.astype(np.float64), price, self.size, price - 0.01, price + 0.01)

    def seconds(self, count: int) -> list[list[float]]:
        """What each of the ten batches of a second took, for `count` seconds of the market; one of ten begins bars."""
        taken = []
        for _ in range(count):
            batches = [self.batch() for _ in range(10)]
            marks = [time.perf_counter()]
            for each in batches:
                self.store.append(each)
                marks.append(time.perf_counter())
            taken.append([after - before for before, after in pairwise(marks)])
        return taken


def append() -> Iterator[Line]:
    """A batch with the bars of eight timeframes and the day's statistics; pandas only keeps the rows."""
    frame = pd.DataFrame(np.zeros((5_000, len(COLUMNS))), columns=COLUMNS)
    for instruments, budget_mb, limit in MARKETS:
        market = Market(instruments, budget_mb)
        first = market.batch()
        rows = np.column_stack([getattr(first, name) for name in COLUMNS])
        grown = [frame]

        def concat(rows: NDArray[np.float64] = rows, grown: list[pd.DataFrame] = grown) -> None:
            grown[0] = pd.concat([grown[0].iloc[-5_000:], pd.DataFrame(rows, columns=COLUMNS)], ignore_index=True)

        taken: list[list[float]] = []
        _mine, theirs = alternating(lambda m=market, t=taken: t.extend(m.seconds(10)), concat, repeats=9)
        # The median of each of the ten, so that a batch during which another process ran does not count.
        mine = statistics.mean(statistics.median(batch) for batch in zip(*taken, strict=True))
        yield Line(
            f"append {instruments:,} ticks, their bars and statistics",
            mine * 1000,
            "ms",
            "one pd.concat of the batch, ticks only",
            theirs * 1000,
            limit=limit,
            note="mean of the ten batches of a second, one of which begins new bars",
        )
        yield Line(f"the same a tick, of {instruments:,} instruments", mine / instruments * 1e6, "µs")
        if instruments == 500:
            by_loc = _by_loc(frame, rows)
            yield Line("append 500 ticks", mine * 1000, "ms", "df.loc[len(df)] = row, ticks only", by_loc * 1000)


def _by_loc(frame: pd.DataFrame, rows: NDArray[np.float64]) -> float:
    grown = frame.copy()
    began = time.perf_counter()
    for row in rows:
        grown.loc[len(grown)] = row
    return time.perf_counter() - began


def views() -> Iterator[Line]:
    """The newest 100,000 ticks as a DataFrame."""
    random = np.random.default_rng(2)
    count = 120_000
    store = MemoryStore(catalogue("AAPL"), clock=SystemClock(), budget_mb=64)
    ts = NOW_MS + np.arange(count, dtype=np.int64)
    price = 100 + random.random(count)
    none = np.full(count, np.nan)
    store.append(TickBatch(np.zeros(count, dtype=np.int64), ts, ts.astype(float), price, np.ones(count), none, none))
    kept = list(
        zip(range(count), price.tolist(), [1.0] * count, none.tolist(), none.tolist(), ts.tolist(), strict=True)
    )

    taken: list[float] = []

    def ours() -> None:
        for _ in range(50):
            began = time.perf_counter()
            with store.tick_view(0, 100_000) as frame:
                assert len(frame) == 100_000
            taken.append(time.perf_counter() - began)

    def copied() -> None:
        found = store.ticks(0, limit=100_000)
        frame = pd.DataFrame(found.rows, columns=pd.Index(["seq", "price", "size", "bid", "ask", "ts"]), copy=True)
        assert len(frame) == 100_000

    def from_rows() -> None:
        frame = pd.DataFrame(kept[-100_000:], columns=pd.Index(["seq", "price", "size", "bid", "ask", "ts"]))
        assert len(frame) == 100_000

    with store.tick_view(0, 100_000) as frame:
        assert all(np.shares_memory(frame[name].to_numpy(), store._ticks.block) for name in frame)
    _all, copy, rows = alternating(ours, copied, from_rows, repeats=9)
    view = statistics.median(taken)
    yield Line(
        "newest 100,000 ticks as a DataFrame, guarded view",
        view * 1000,
        "ms",
        "DataFrame of a list of rows",
        rows * 1000,
        limit=0.1,
        note="shares the ring's memory",
    )
    yield Line("", view * 1000, "ms", "a copy of the same columns", copy * 1000)


class Ticks:
    """1,000,000 ticks of ten instruments in turn over twelve hours, and the same as a DataFrame."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        self.count = count = 1_000_000
        self.who = np.tile(np.arange(10, dtype=np.int64), count // 10)
        self.ts = NOW_MS + np.sort(random.integers(0, 86_400_000 // 2, count))
        self.price = 100 + np.cumsum(random.standard_normal(count)) * 0.001
        self.size = random.random(count)
        self.frame = pd.DataFrame(
            {"price": self.price, "size": self.size, "who": self.who}, index=pd.to_datetime(self.ts, unit="ms")
        )


def minutes() -> Iterator[Line]:
    """1,000,000 ticks to one-minute bars: open, high, low, close, volume and the number of trades."""
    given, latest = Ticks(), np.full(10, NEVER)
    one = np.zeros(given.count, dtype=np.int64)
    minute = TIMEFRAMES[TIMEFRAME_INDEX["1m"]].ms

    def ours(who: NDArray[np.int64]) -> Pieces:
        return pieces_of_ticks(who, given.ts, given.price, given.size, latest, minute)

    def theirs(groups: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        return groups["price"].ohlc(), groups["size"].agg(["sum", "count"])

    prices, sizes = theirs(given.frame.resample("1min"))
    rows = ours(one).rows
    assert (prices[["open", "high", "low", "close"]].to_numpy() == rows[OPEN : CLOSE + 1].T).all()
    assert np.allclose(rows[VOLUME : TRADES + 1].T, sizes.to_numpy())
    mine, resampled = alternating(lambda: ours(one), lambda: theirs(given.frame.resample("1min")), repeats=15)
    yield Line(
        "1,000,000 ticks of one instrument to one-minute bars",
        mine * 1000,
        "ms",
        "resample: ohlc, sum, count",
        resampled * 1000,
        ratio=0.2,
    )
    grouped, by_group = alternating(
        lambda: ours(given.who), lambda: theirs(given.frame.groupby("who").resample("1min")), repeats=9
    )
    yield Line("the same of ten", grouped * 1000, "ms", "groupby().resample", by_group * 1000, ratio=0.2)


def bars() -> Iterator[Line]:
    """The same ticks into eight timeframes; also in batches, as a quick feed brings them."""
    given = Ticks()
    kept = [86_400_000 // 2 // frame.ms + 2 for frame in TIMEFRAMES]

    def folded(step: int) -> None:
        book = BarBook(10, kept)
        for at in range(0, given.count, step):
            part = slice(at, at + step)
            book.fold(given.who[part], given.ts[part], given.price[part], given.size[part], at + step)

    def resample() -> None:
        for each in TIMEFRAMES:
            groups = given.frame.groupby("who").resample(f"{each.ms}ms")
            groups["price"].ohlc()
            groups["size"].agg(["sum", "count"])

    whole, live, theirs = alternating(lambda: folded(given.count), lambda: folded(1_000), resample, repeats=3)
    against = "resample().ohlc(), sum and count, all at once"
    yield Line("bars of 1,000,000 ticks, 8 timeframes, at once", whole, "s", against, theirs)
    yield Line("the same incrementally, 1,000 ticks a batch", live, "s", against, theirs)
