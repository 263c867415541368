"""What 5,000 instruments at 10 Hz take of one core: simulator, checks, store, bars and the hub's listener together."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import psutil

from dashboard.clock import SystemClock
from dashboard.feeds.base import Sink
from dashboard.feeds.simulator import Simulator
from dashboard.market.instruments import Catalogue, catalogue
from dashboard.market.quality import Checker
from dashboard.market.ticks import TickBatch
from dashboard.store.intake import Intake
from dashboard.store.memory import MemoryStore
from dashboard.stream.hub import Hub
from dashboard.telemetry import Telemetry
from tests.benchmarks.table import Line
from tests.conftest import Product

INSTRUMENTS, TICK_MS = 5_000, 100
MEASURED_S, ROUNDS = 5.0, 3
#: Most of one core, in percent, that leaves room to spare.
LIMIT = 50.0


class Deques:
    """A floor in Python: the newest ticks of each instrument, without checks, bars or anybody told."""

    def __init__(self, instruments: Catalogue) -> None:
        self.kept: list[deque[tuple[float, ...]]] = [deque(maxlen=500) for _ in instruments]

    def ticks(self, batch: TickBatch) -> None:
        columns = (batch.ts, batch.price, batch.size, batch.bid, batch.ask)
        for who, row in zip(
            batch.instrument.tolist(), zip(*(each.tolist() for each in columns), strict=True), strict=True
        ):
            self.kept[who].append(row)

    def alive(self) -> None: ...
    def unreadable(self, count: int) -> None: ...
    def new_pass(self) -> None: ...
    def restart(self) -> None: ...


class Nothing(Deques):
    """Keeps nothing: what the simulator itself takes."""

    def ticks(self, batch: TickBatch) -> None: ...


def lines() -> Iterator[Line]:
    """In this process without anything else, and as the product."""
    clock, telemetry = SystemClock(), Telemetry()
    feed = Simulator(catalogue(f"catalogue:{INSTRUMENTS}"), seed=1, tick_ms=TICK_MS, clock=clock)
    store = MemoryStore(feed.catalogue, clock=clock, budget_mb=512)
    hub = Hub(
        store,
        telemetry,
        clock,
        frame_ms=20,
        connections=10,
        connections_per_user=10,
        symbols=1_000,
        messages_per_s=20,
        buffer_kb=256,
        alive=set,
    )
    store.add_listener(hub)
    hub.start()
    checker = Checker(INSTRUMENTS, store.late_ms, 5_000)
    intake = Intake(store, checker, feed.name, telemetry, clock, feed.market_now_ms)
    deques, nothing = Deques(feed.catalogue), Nothing(feed.catalogue)
    # Every ring is written round once before.
    store.load_history(feed.history())
    for _ in range(550):
        _, price, size, bid, ask = feed.step()
        now = clock.now_ms()
        stamp = feed._all * 0 + int(now)
        batch = TickBatch(feed._all, stamp, stamp.astype(float), price, size, bid, ask)
        intake.ticks(batch)
        deques.ticks(batch)
    shares: tuple[list[float], list[float], list[float]] = ([], [], [])
    for _ in range(ROUNDS):
        for taken, sink in zip(shares, (intake, deques, nothing), strict=True):
            taken.append(_share(feed, sink))
    hub.stop()
    ours, floor, alone = (statistics.median(taken) for taken in shares)
    yield Line(
        "5,000 instruments at 10 Hz: simulator, checks, store, bars, hub",
        ours,
        "% of a core",
        "the simulator into a deque an instrument",
        floor,
        limit=LIMIT,
    )
    yield Line("", ours, "% of a core", "the simulator alone", alone)
    yield Line(
        "the same as the product, nobody connected",
        _product(),
        "% of a core",
        limit=LIMIT,
        note="with HTTP server, hub loop, alerts and market clock",
    )


def _share(feed: Simulator, sink: Sink) -> float:
    """Percent of a core that this process takes while the market runs into `sink`."""
    stop = threading.Event()
    thread = threading.Thread(target=feed.run, args=(sink, stop))
    began, used = time.perf_counter(), time.process_time()
    thread.start()
    time.sleep(MEASURED_S)
    stop.set()
    thread.join()
    return (time.process_time() - used) / (time.perf_counter() - began) * 100


def _product() -> float:
    """The same for the real product and all its processes."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"SYMBOLS": f"catalogue:{INSTRUMENTS}", "TICK_MS": str(TICK_MS), "STORE_MB": "512"}
        product = Product(Path(folder), "gunicorn", settings).start()
        try:
            assert product.process is not None
            time.sleep(3)
            root = psutil.Process(product.process.pid)
            family = [root, *root.children(recursive=True)]
            began, before = time.perf_counter(), sum(sum(each.cpu_times()[:2]) for each in family)
            time.sleep(2 * MEASURED_S)
            used = sum(sum(each.cpu_times()[:2]) for each in family) - before
            return used / (time.perf_counter() - began) * 100
        finally:
            product.stop()
