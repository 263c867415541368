"""The whole way of a tick for a long time: simulator, checks, store and the hub's fanout at 100,000 ticks a second."""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np
import psutil
import pytest

from dashboard.clock import SystemClock
from dashboard.feeds.simulator import Simulator
from dashboard.market.bars import TIMEFRAMES
from dashboard.market.instruments import catalogue
from dashboard.market.quality import REASONS, Checker
from dashboard.market.ticks import TickBatch
from dashboard.store.change import Change
from dashboard.store.intake import Intake
from dashboard.store.memory import MemoryStore
from dashboard.stream.hub import Hub
from dashboard.telemetry import Telemetry
from tests.conftest import Scale
from tests.market.making import Naive

INSTRUMENTS, TICK_MS = 5_000, 50
#: Ticks a second asked for, and how much of it a busy second may be short of.
RATE, SHORT = INSTRUMENTS * 1000 / TICK_MS, 0.99
#: Growth of memory over the whole run that counts as flat, bytes.
FLAT = 16 << 20
#: Instruments whose every tick is kept beside the store.
WATCHED = (0, 1, 777, 2_500, 4_999)


class Beside:
    """Stands before the intake and writes down what it is given."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.given = self.batches = 0
        self.kept: deque[tuple[int, list[float], list[float]]] = deque(maxlen=1_000)

    def ticks(self, batch: TickBatch) -> None:
        assert (batch.instrument[1:] > batch.instrument[:-1]).all()
        at = list(WATCHED)
        self.kept.append((int(batch.ts[0]), batch.price[at].tolist(), batch.size[at].tolist()))
        self.given += len(batch)
        self.batches += 1
        self.intake.ticks(batch)

    def alive(self) -> None: ...
    def unreadable(self, count: int) -> None: ...
    def new_pass(self) -> None: ...
    def restart(self) -> None: ...


class Follower:
    """A listener that checks that no step is missing and none comes twice."""

    def __init__(self) -> None:
        self.seq, self.steps, self.faults = 0, 0, list[str]()

    def on_change(self, change: Change) -> None:
        if change.batch is not None:
            if change.batch.first_seq != self.seq + 1:
                self.faults.append(f"after {self.seq} came {change.batch.first_seq}")
            self.steps += 1
        self.seq = change.seq

    def on_epoch(self, epoch: str) -> None:
        self.faults.append(f"epoch {epoch}")


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_hundred_thousand_ticks_a_second_are_all_found_and_memory_stays_flat(scale: Scale) -> None:
    seconds = scale.of(4, 600)
    clock, telemetry = SystemClock(), Telemetry()
    feed = Simulator(catalogue(f"catalogue:{INSTRUMENTS}"), seed=11, tick_ms=TICK_MS, clock=clock)
    store = MemoryStore(feed.catalogue, clock=clock, budget_mb=64)
    checker = Checker(INSTRUMENTS, store.late_ms, 5_000)
    beside = Beside(Intake(store, checker, feed.name, telemetry, clock, feed.market_now_ms))
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
    follower = Follower()
    store.add_listener(hub)
    store.add_listener(follower)
    if scale.full:
        # Every ring is written round once before, so that only what really grows is seen.
        store.load_history(feed.history())
        for _ in range(300):
            _, price, size, bid, ask = feed.step()
            stamp = np.full(INSTRUMENTS, int(clock.now_ms()), dtype=np.int64)
            beside.ticks(
                TickBatch(np.arange(INSTRUMENTS), stamp, stamp.astype(np.float64), price.copy(), size, bid, ask)
            )
    hub.start()
    stop, process, memory = threading.Event(), psutil.Process(), list[int]()
    thread = threading.Thread(target=feed.run, args=(beside, stop))
    before, began, used = beside.given, time.monotonic(), sum(process.cpu_times()[:2])
    thread.start()
    try:
        while time.monotonic() < began + seconds:
            time.sleep(0.5)
            memory.append(process.memory_info().rss)
            store.close_due(feed.market_now_ms())
            assert thread.is_alive()
    finally:
        stop.set()
        thread.join()
    took, used = time.monotonic() - began, sum(process.cpu_times()[:2]) - used
    rate = (beside.given - before) / took
    until = time.monotonic() + 10
    while hub.fanout.mark.seq < store.seq and time.monotonic() < until:
        time.sleep(0.01)
    drained = hub.fanout.mark.seq
    hub.stop()

    assert store.seq == beside.given == follower.seq == drained
    assert follower.faults == []
    sample = telemetry.registry.get_sample_value
    assert sample("dashboard_ticks_total", {"feed": "simulator"}) == beside.given
    refused = [sample("dashboard_ticks_quarantined_total", {"reason": reason}) for reason in REASONS]
    assert sum(value or 0.0 for value in refused) == 0.0
    assert follower.steps == beside.batches
    for column, who in enumerate(WATCHED):
        rows = store.ticks(who).rows
        newest = list(beside.kept)[-len(rows) :]
        assert rows[:, 1].tolist() == [prices[column] for _ts, prices, _sizes in newest]
        assert rows[:, 5].tolist() == [ts for ts, _prices, _sizes in newest]
        assert (np.diff(rows[:, 0]) == INSTRUMENTS).all()
        assert rows[-1, 0] == store.seq - INSTRUMENTS + who + 1
    if not scale.full:
        naive = Naive()
        naive.fold(
            (column, ts, prices[column], sizes[column])
            for ts, prices, sizes in beside.kept
            for column in range(len(WATCHED))
        )
        for column, who in enumerate(WATCHED):
            for timeframe in range(len(TIMEFRAMES)):
                bars = store.bars(who, timeframe).rows
                wanted = list(naive.of(column, timeframe).items())[-len(bars) :]
                assert bars[:, 0].tolist() == [start for start, _bar in wanted]
                assert bars[:, 1:5].tolist() == [list(bar[:4]) for _start, bar in wanted]
                assert bars[:, 5].tolist() == pytest.approx([bar[4] for _start, bar in wanted])
                assert bars[:, 6].tolist() == [bar[5] for _start, bar in wanted]
    print(f"{rate:,.0f} ticks/s over {took:.0f} s, {used / took:.3f} cores, {memory[-1] / 1e6:.0f} MB")
    if scale.full:
        grown = max(memory[-20:]) - max(memory[:20])
        assert grown < FLAT, f"memory grew by {grown / 1e6:.1f} MB"
        assert rate >= SHORT * RATE, f"{rate:,.0f} ticks a second"
