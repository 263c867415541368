"""One writer of a wild market and readers of every kind at once: late ticks, breaks, bars asked for late."""

from __future__ import annotations

import random
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.errors import Lapped
from dashboard.market.bars import TIMEFRAMES
from dashboard.market.ticks import Floats, TickBatch
from dashboard.store.change import Change
from dashboard.store.memory import MemoryStore
from tests.conftest import Scale
from tests.market.making import MIDNIGHT
from tests.store.making import store_of

COUNT = 12
EVERYONE = np.arange(COUNT, dtype=np.int64)


class Writer:
    """Batches of a market whose every price is whole: usual ones, some of a few instruments, some with late ticks."""

    def __init__(self, store: MemoryStore, seed: int) -> None:
        self.store, self.random = store, np.random.default_rng(seed)
        # An hour into a day that the run stays within: no late tick belongs to the day before.
        self.now = MIDNIGHT + 3_600_000

    def batch(self) -> TickBatch:
        draw = self.random
        self.now += int(draw.choice([20, 100, 400, 3_000]))
        kind = draw.integers(0, 10)
        if kind < 6:
            who = EVERYONE
        elif kind < 8:
            who = np.flatnonzero(draw.random(COUNT) < 0.4)
        else:
            who = draw.integers(0, COUNT, int(draw.integers(1, 60)))
        count = len(who)
        late = draw.integers(0, 30_000, count) * (draw.random(count) < (0.2 if kind > 8 else 0.0))
        price = draw.integers(50, 150, count).astype(np.float64)
        ts = (self.now - late).astype(np.int64)
        return TickBatch(who, ts, np.full(count, float(self.now)), price, np.ones(count), price - 1, price + 1)

    def step(self) -> None:
        chance = self.random.integers(0, 40)
        if chance == 0:
            self.store.disconnected(self.now)
        elif chance == 1:
            self.store.connected(self.now)
        elif chance < 6:
            self.store.close_due(self.now + 600)
        self.store.append(self.batch())


def are_bars(rows: Floats, *, ascending: bool = True) -> None:
    """No row is torn: open, high, low and close fit, and there are as many trades as lots."""
    start, open_, high, low, close, volume, trades, _flags = rows.T
    assert ((low <= open_) & (open_ <= high) & (low <= close) & (close <= high)).all()
    assert (volume == trades).all()
    assert not ascending or (np.diff(start) > 0).all()


def are_ticks(rows: Floats) -> None:
    """No sequence number comes twice or out of order, and no row is torn."""
    assert (np.diff(rows[:, 0]) > 0).all()
    assert (rows[:, 3] == rows[:, 1] - 1).all()
    assert (rows[:, 4] == rows[:, 1] + 1).all()


class Readers:
    """What readers do, each a method; `told` is what a listener has queued for them."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.told: deque[Change] = deque(maxlen=50)

    def on_change(self, change: Change) -> None:
        self.told.append(change)

    def on_epoch(self, epoch: str) -> None:
        raise AssertionError(epoch)

    def read_bars(self, draw: random.Random) -> None:
        who, timeframe = draw.randrange(COUNT), draw.randrange(len(TIMEFRAMES))
        are_bars(self.store.bars(who, timeframe).rows)
        several, looked = self.store.bars_since(EVERYONE, timeframe, max(1, self.store.seq - 200))
        are_bars(several.rows, ascending=False)
        assert looked == COUNT
        are_bars(self.store.recent_bars(EVERYONE, timeframe, 3).rows, ascending=False)

    def read_ticks(self, draw: random.Random) -> None:
        found = self.store.ticks(draw.randrange(COUNT))
        are_ticks(found.rows)
        assert not len(found.rows) or found.rows[-1, 0] <= found.seq
        with self.store.lock:
            after = max(self.store.oldest_seq - 1, self.store.seq - 500)
            missed, seq = self.store.missed(EVERYONE, after, 1_000), self.store.seq
        assert missed[:, 0].tolist() == list(range(after + 1, seq + 1))
        are_ticks(missed[:, :6])

    def read_views(self, draw: random.Random) -> None:
        who, timeframe = draw.randrange(COUNT), draw.randrange(len(TIMEFRAMES))
        try:
            with self.store.tick_view(who, 100) as frame:
                ticks = frame.to_numpy().copy()
            with self.store.bar_view(who, timeframe, 30) as frame:
                bars = frame.to_numpy().copy()
        except Lapped:
            return
        are_ticks(ticks)
        are_bars(bars)

    def read_last(self, _draw: random.Random) -> None:
        last = self.store.last()
        known = last.last_seq > 0
        assert ((last.low <= last.price) & (last.price <= last.high))[known].all()
        assert (last.bid == last.price - 1)[known].all()
        assert last.last_seq.max() == last.seq

    def read_changes(self, draw: random.Random) -> None:
        """Bars of a change that are asked for long after it, by several threads, are those right after it."""
        if not self.told:
            return
        change = self.told[draw.randrange(len(self.told))]
        timeframe = draw.randrange(len(TIMEFRAMES))
        told = change.bars[timeframe]
        are_bars(told.rows, ascending=False)
        if change.batch is None:
            return
        batch = change.batch
        assert set(batch.instrument.tolist()) <= set(told.instrument.tolist())
        start = batch.ts - batch.ts % TIMEFRAMES[timeframe].ms
        known = {(int(who), int(row[0])): row for who, row in zip(told.instrument, told.rows, strict=True)}
        for who, at, price in zip(batch.instrument.tolist(), start.tolist(), batch.price.tolist(), strict=True):
            row = known.get((who, at))
            assert row is None or row[3] <= price <= row[2]
        if timeframe == len(TIMEFRAMES) - 1:
            # The day's bar of an instrument is in the same state as its last values.
            newest = {int(who): row for who, row in zip(told.instrument, told.rows, strict=True)}
            for who, row in zip(change.touched.tolist(), change.last, strict=True):
                assert newest[who][[5, 2, 3]].tolist() == row[[4, 5, 6]].tolist()


@pytest.fixture
def busy() -> Iterator[None]:
    """Threads change as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.soak
@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("budget_mb", [0, 16])
def test_readers_of_every_kind_beside_a_wild_market_never_see_a_torn_row_or_a_sequence_twice(
    budget_mb: int, scale: Scale
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    store = store_of(f"catalogue:{COUNT}", budget_mb)
    readers = Readers(store)
    store.add_listener(readers)
    writer = Writer(store, seed)
    writer.step()
    done, faults = threading.Event(), list[BaseException]()
    reads: list[Callable[[random.Random], None]] = [
        readers.read_bars,
        readers.read_ticks,
        readers.read_views,
        readers.read_last,
        readers.read_changes,
        readers.read_changes,
    ]

    def reading(number: int) -> None:
        draw = random.Random(seed + number)
        try:
            while not done.is_set():
                draw.choice(reads)(draw)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=reading, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(scale.of(600, 60_000)):
            writer.step()
            if faults:
                break
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if faults:
        raise faults[0]
    assert len({change.seq for change in readers.told if change.batch is not None}) == len(
        [change for change in readers.told if change.batch is not None]
    )


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 4), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_readers_between_the_steps_of_a_wild_market_change_nothing_and_see_nothing_torn(
    seed: int, order: list[int]
) -> None:
    read, unread = store_of(f"catalogue:{COUNT}", 0), store_of(f"catalogue:{COUNT}", 0)
    readers, draw = Readers(read), random.Random(seed)
    read.add_listener(readers)
    writers = Writer(read, seed), Writer(unread, seed)
    reads = [readers.read_bars, readers.read_ticks, readers.read_views, readers.read_last, readers.read_changes]
    for number in order:
        for writer in writers:
            writer.step()
        reads[number](draw)
    for who in range(COUNT):
        assert read.ticks(who).rows.tolist() == unread.ticks(who).rows.tolist()
        for timeframe in range(len(TIMEFRAMES)):
            assert read.bars(who, timeframe).rows.tolist() == unread.bars(who, timeframe).rows.tolist()
