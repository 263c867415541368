"""One writer and several readers at once: whatever a reader gets belongs to one sequence number."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from dashboard.errors import Lapped
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.ticks import TickBatch
from dashboard.store.change import Change
from dashboard.store.memory import MemoryStore
from tests.market.making import MIDNIGHT
from tests.store.making import SECOND, store_of

COUNT = 8
BATCHES = 1_500
#: Three batches fall into one second.
STEP_MS = 334
FIVE = TIMEFRAME_INDEX["5s"]


def batch(number: int) -> TickBatch:
    """Batch `number` (from 1): every instrument's price is the number, its size 1, its bid and ask around it."""
    price = np.full(COUNT, float(number))
    return TickBatch(
        np.arange(COUNT),
        np.full(COUNT, MIDNIGHT + number * STEP_MS),
        np.full(COUNT, float(MIDNIGHT + number)),
        price,
        np.ones(COUNT),
        price - 0.5,
        price + 0.5,
    )


def number_of(seq: int) -> int:
    """The batch that ended with `seq`; a reader never sees a part of one."""
    assert seq % COUNT == 0
    return seq // COUNT


def volumes(number: int, ms: int) -> list[int]:
    """How many of the batches 1 to `number` lie in each bar, oldest first."""
    starts = (MIDNIGHT + np.arange(1, number + 1) * STEP_MS) // ms
    return np.unique(starts, return_counts=True)[1].tolist()


def read_last(store: MemoryStore, _turn: int) -> None:
    last = store.last()
    number = number_of(last.seq)
    if not number:
        return
    assert (last.price == number).all()
    assert (last.bid == number - 0.5).all()
    assert (last.ts == MIDNIGHT + number * STEP_MS).all()
    assert (last.received == MIDNIGHT + number).all()
    assert (last.high == number).all()
    assert (last.volume == number).all()
    assert last.last_seq.tolist() == list(range(last.seq - COUNT + 1, last.seq + 1))


def read_ticks(store: MemoryStore, turn: int) -> None:
    who = turn % COUNT
    found = store.ticks(who)
    number = number_of(found.seq)
    assert len(found.rows) == min(number, store._ticks.capacity)
    wanted = np.arange(number - len(found.rows) + 1, number + 1)
    assert (found.rows[:, 0] == (wanted - 1) * COUNT + who + 1).all()
    assert (found.rows[:, 1] == wanted).all()
    assert (found.rows[:, 5] == MIDNIGHT + wanted * STEP_MS).all()
    assert found.oldest_seq <= max(1, (number - len(found.rows)) * COUNT + 1)


def read_bars(store: MemoryStore, turn: int) -> None:
    for timeframe, ms in ((SECOND, 1_000), (FIVE, 5_000)):
        found = store.bars(turn % COUNT, timeframe)
        number = number_of(found.seq)
        assert found.rows[:, 5].tolist() == volumes(number, ms)[-len(found.rows) or None :]
        assert found.rows[-1:, 4].tolist() == ([number] if number else [])
        assert (found.rows[:, 1] == found.rows[:, 3]).all()
        assert (found.rows[1:, 1] == found.rows[:-1, 4] + 1).all()


def read_together(store: MemoryStore, turn: int) -> None:
    who = turn % COUNT
    with store.lock:
        last, ticks, bars = store.last(), store.ticks(who, limit=1), store.bars(who, FIVE, limit=1)
    assert last.seq == ticks.seq == bars.seq
    assert ticks.rows[:, 1].tolist() == bars.rows[:, 4].tolist() == ([last.price[who]] if last.seq else [])


def read_views(store: MemoryStore, turn: int) -> None:
    who = turn % COUNT
    try:
        with store.tick_view(who, 100) as frame:
            rows = frame.to_numpy().copy()
        with store.bar_view(who, SECOND, 20) as frame:
            bars = frame.to_numpy().copy()
    except Lapped:
        return
    assert (np.diff(rows[:, 1]) == 1).all()
    assert ((rows[:, 1] - 1) * COUNT + who + 1 == rows[:, 0]).all()
    assert (bars[:, 5] == bars[:, 6]).all()
    assert (bars[:, 5] == bars[:, 4] - bars[:, 1] + 1).all()
    assert (bars[1:, 1] == bars[:-1, 4] + 1).all()


@pytest.fixture
def busy() -> Iterator[None]:
    """Threads change as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("budget_mb", [0, 64])
@pytest.mark.parametrize("read", [read_last, read_ticks, read_bars, read_together, read_views])
def test_no_reader_ever_sees_half_a_batch(read: Callable[[MemoryStore, int], None], budget_mb: int) -> None:
    store = store_of(f"catalogue:{COUNT}", budget_mb)
    done, faults, looks = threading.Event(), list[BaseException](), list[int]()

    def reading() -> None:
        turn = 0
        try:
            while not done.is_set():
                read(store, turn)
                turn += 1
        except BaseException as fault:
            faults.append(fault)
        looks.append(turn)

    readers = [threading.Thread(target=reading) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, BATCHES + 1):
            store.append(batch(number))
            if number % 50 == 0:
                store.close_due(MIDNIGHT + number * STEP_MS)
            if faults:
                break
    finally:
        done.set()
        for reader in readers:
            reader.join()
    if faults:
        raise faults[0]
    read(store, 0)
    assert store.seq == BATCHES * COUNT
    assert len(looks) == 3


@pytest.mark.usefixtures("busy")
def test_who_starts_from_a_read_and_applies_what_it_is_told_from_there_misses_and_repeats_nothing() -> None:
    store = store_of(f"catalogue:{COUNT}")
    faults: list[BaseException] = []
    begin = threading.Barrier(4)

    class Follower:
        def __init__(self) -> None:
            self.price = np.full(COUNT, np.nan)
            self.seq = 0

        def on_change(self, change: Change) -> None:
            if change.batch is not None and self.seq + COUNT != change.seq:
                faults.append(AssertionError(f"after {self.seq} came {change.seq}"))
            self.seq = change.seq
            self.price[change.touched] = change.last[:, 0]

        def on_epoch(self, epoch: str) -> None:
            raise AssertionError(epoch)

    followers: list[Follower] = []

    def joining() -> None:
        begin.wait()
        for _ in range(20):
            follower = Follower()
            with store.lock:
                last = store.last()
                follower.price, follower.seq = last.price, last.seq
                store.add_listener(follower)
            followers.append(follower)

    threads = [threading.Thread(target=joining) for _ in range(3)]
    for thread in threads:
        thread.start()
    begin.wait()
    for number in range(1, 301):
        store.append(batch(number))
    for thread in threads:
        thread.join()
    store.append(batch(301))
    assert faults == []
    assert len(followers) == 60
    assert all((each.price == 301).all() and each.seq == store.seq for each in followers)
