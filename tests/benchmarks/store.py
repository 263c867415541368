"""The store against what one would write with pandas alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dashboard.clock import SystemClock
from dashboard.market.bars import TIMEFRAMES
from dashboard.market.book import BarBook
from dashboard.market.instruments import catalogue
from dashboard.market.ticks import TickBatch
from dashboard.store.memory import MemoryStore
from tests.benchmarks.table import Line, alternating

INSTRUMENTS = 500
NOW_MS = 1_795_428_000_000
COLUMNS = ["instrument", "ts", "price", "size", "bid", "ask"]


def lines() -> Iterator[Line]:
    """Append, views and bars."""
    yield from append()
    yield from views()
    yield from bars()


def batch(number: int, random: np.random.Generator) -> TickBatch:
    """One tick of every instrument."""
    who = np.arange(INSTRUMENTS, dtype=np.int64)
    ts = np.full(INSTRUMENTS, NOW_MS + 100 * number, dtype=np.int64)
    price = 100 + random.random(INSTRUMENTS)
    size = np.ones(INSTRUMENTS)
    return TickBatch(who, ts, ts.astype(np.float64), price, size, price - 0.01, price + 0.01)


def append() -> Iterator[Line]:
    """A batch of 500 ticks, with the bars of eight timeframes and the day's statistics; pandas only keeps the rows."""
    random = np.random.default_rng(1)
    store = MemoryStore(catalogue(f"catalogue:{INSTRUMENTS}"), clock=SystemClock(), budget_mb=256)
    batches = [batch(number, random) for number in range(400)]
    given = iter(batches)
    for _ in range(100):
        store.append(next(given))
    frame = pd.DataFrame(np.zeros((5_000, len(COLUMNS))), columns=COLUMNS)
    rows = np.column_stack([getattr(batches[0], name) for name in COLUMNS])

    def ours() -> None:
        for _ in range(20):
            store.append(next(given))

    def loc() -> None:
        grown = frame.copy()
        for row in rows:
            grown.loc[len(grown)] = row

    def concat() -> None:
        grown = frame
        for row in rows:
            grown = pd.concat([grown, pd.DataFrame([row], columns=COLUMNS)], ignore_index=True)

    mine, by_loc, by_concat = alternating(ours, loc, concat, repeats=5)
    yield Line(
        "append 500 ticks, their bars and statistics",
        mine / 20 * 1000,
        "ms",
        "df.loc[len(df)] = row, ticks only",
        by_loc * 1000,
    )
    yield Line("", mine / 20 * 1000, "ms", "pd.concat a row at a time, ticks only", by_concat * 1000)


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

    def ours() -> None:
        for _ in range(100):
            with store.tick_view(0, 100_000) as frame:
                assert len(frame) == 100_000

    def copied() -> None:
        found = store.ticks(0, limit=100_000)
        frame = pd.DataFrame(found.rows, columns=pd.Index(["seq", "price", "size", "bid", "ask", "ts"]), copy=True)
        assert len(frame) == 100_000

    def from_rows() -> None:
        frame = pd.DataFrame(kept[-100_000:], columns=pd.Index(["seq", "price", "size", "bid", "ask", "ts"]))
        assert len(frame) == 100_000

    view, copy, rows = alternating(ours, copied, from_rows, repeats=5)
    yield Line(
        "newest 100,000 ticks as a DataFrame, guarded view", view * 10, "ms", "DataFrame of a list of rows", rows * 1000
    )
    yield Line("", view * 10, "ms", "a copy of the same columns", copy * 1000)


def bars() -> Iterator[Line]:
    """1,000,000 ticks of ten instruments into eight timeframes; also in batches, as a quick feed brings them."""
    random = np.random.default_rng(3)
    count = 1_000_000
    who = np.tile(np.arange(10, dtype=np.int64), count // 10)
    ts = NOW_MS + np.sort(random.integers(0, 86_400_000 // 2, count))
    price = 100 + np.cumsum(random.standard_normal(count)) * 0.001
    size = random.random(count)
    frame = pd.DataFrame({"price": price, "size": size, "who": who}, index=pd.to_datetime(ts, unit="ms"))

    def folded(step: int) -> None:
        book = BarBook(10, [90_000] * len(TIMEFRAMES))
        for at in range(0, count, step):
            part = slice(at, at + step)
            book.fold(who[part], ts[part], price[part], size[part], at + step)

    def resample() -> None:
        for each in TIMEFRAMES:
            groups = frame.groupby("who").resample(f"{each.ms}ms")
            groups["price"].ohlc()
            groups["size"].agg(["sum", "count"])

    whole, live, theirs = alternating(lambda: folded(count), lambda: folded(1_000), resample, repeats=3)
    against = "resample().ohlc(), sum and count, all at once"
    yield Line("bars of 1,000,000 ticks, 8 timeframes, at once", whole, "s", against, theirs)
    yield Line("the same incrementally, 1,000 ticks a batch", live, "s", against, theirs)
