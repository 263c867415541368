"""What the Market page costs the server with 5,000 instruments: each panel's answer, nothing kept from before."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from dashboard.clock import SystemClock
from dashboard.feeds.simulator import Simulator
from dashboard.market.bars import CLOSE, START
from dashboard.market.instruments import catalogue
from dashboard.market.ticks import TickBatch
from dashboard.market.windows import WINDOWS
from dashboard.store.freshness import ages
from dashboard.store.memory import MemoryStore
from dashboard.ui.market.answers import PANELS
from dashboard.ui.market.asked import MOST
from dashboard.ui.market.overview import Overview
from tests.benchmarks.table import Line, alternating

INSTRUMENTS = 5_000


def lines() -> Iterator[Line]:
    """Each panel, the heaviest window's changes against pandas, and how long the store's lock is held."""
    overview = filled()
    symbols = ",".join(overview.catalogue.symbols[:MOST])
    question = {"window": "24h", "size": "turnover", "symbols": symbols}
    for name, answer in PANELS.items():
        (took,) = alternating(partial(anew, overview, partial(answer, overview, question)))
        matrix = f" of {MOST}" if name == "correlation" else ""
        yield Line(f"market page, {INSTRUMENTS:,} instruments: {name}{matrix}", took * 1000, "ms", limit=100)
    window = WINDOWS["24h"]
    ours, theirs = alternating(
        partial(anew, overview, partial(overview.crossed, window)), partial(by_pandas, overview), repeats=3
    )
    yield Line(
        f"changes, turnover, volatility and highs of {INSTRUMENTS:,} over 24 hours",
        ours * 1000,
        "ms",
        "changes alone, a pandas Series an instrument",
        theirs * 1000,
    )
    yield Line("the longest that a batch waits for the store's lock meanwhile", waited(overview), "ms")


def filled() -> Overview:
    """Numbers over a store with the history of a simulated market, and one tick of each instrument."""
    clock = SystemClock()
    feed = Simulator(catalogue(f"catalogue:{INSTRUMENTS}"), seed=1, tick_ms=1000, clock=clock)
    store = MemoryStore(feed.catalogue, clock=clock)
    store.load_history(feed.history())
    store.append(batch(feed))
    fresh = partial(ages, interval_ms=1000.0, silence_is_stale=True, alive_ms=0.0)
    return Overview(store, lambda last: fresh(last, clock.now_ms()), clock)


def batch(feed: Simulator) -> TickBatch:
    """A step of the market, now."""
    _interval, price, size, bid, ask = feed.step()
    now = feed.clock.now_ms()
    who = np.arange(len(price), dtype=np.int64)
    return TickBatch(who, np.full(len(who), int(now)), np.full(len(who), now), price.copy(), size, bid, ask)


def anew(overview: Overview, work: partial[object]) -> None:
    """Do it as the first who asks."""
    overview._kept.clear()
    work()


def by_pandas(overview: Overview) -> pd.Series:
    """The change of each instrument as one would write it."""
    store, window = overview.store, WINDOWS["24h"]
    timeframe = window.timeframe(store.kept_bars)
    last = store.last()
    since = float(np.nanmax(last.ts)) - window.ms
    before = {}
    for at in range(len(store.catalogue)):
        rows = store.bars(at, timeframe, limit=window.bars(timeframe)).rows
        before[at] = pd.Series(rows[:, CLOSE], rows[:, START]).asof(since)
    return (pd.Series(last.price) / pd.Series(before) - 1) * 100


def waited(overview: Overview) -> float:
    """Milliseconds: the worst of many tries to have the lock while another thread computes."""
    worst, done = 0.0, threading.Event()

    def compute() -> None:
        for _ in range(5):
            anew(overview, partial(overview.crossed, WINDOWS["24h"]))
        done.set()

    worker = threading.Thread(target=compute)
    worker.start()
    while not done.is_set():
        began = time.perf_counter()
        with overview.store.lock:
            worst = max(worst, time.perf_counter() - began)
        time.sleep(0.0005)
    worker.join()
    return worst * 1000
