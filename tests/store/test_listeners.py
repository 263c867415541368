"""Who is told: every step, in order, inside the step; what fails disturbs nobody; a new epoch voids everything."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.market.bars import TIMEFRAMES
from dashboard.market.book import BarBook
from dashboard.store.change import BAR_COLUMNS, LAST_COLUMNS, Change
from dashboard.store.memory import MemoryStore
from tests.market.making import MIDNIGHT
from tests.store.making import SECOND, Diary, Failing, bars, give, is_void, store_of


def test_listeners_are_told_every_change_in_order_and_each_the_same() -> None:
    store, first, second = store_of(), Diary(), Diary()
    store.add_listener(first)
    store.add_listener(second)
    returned = [give(store, (number % 3, number * 400, 5.0 + number)) for number in range(10)]
    assert [change.seq for change in first.changes] == list(range(1, 11))
    assert all(told is change for told, change in zip(first.changes, returned, strict=True))
    assert first.told == second.told


def test_a_failing_listener_disturbs_neither_the_writer_nor_the_others() -> None:
    store, diary = store_of(), Diary()
    store.add_listener(Failing())
    store.add_listener(diary)
    give(store, (0, 0, 5.0))
    give(store, (0, 1_000, 6.0))
    store.close_due(MIDNIGHT + 5_000)
    store.reset()
    assert [change.seq for change in diary.changes] == [1, 2, 2]
    assert diary.told[-1] == store.epoch


def test_a_change_tells_ticks_last_values_and_bars_as_a_reader_finds_them() -> None:
    store = store_of()
    give(store, (2, 0, 9.0, 1.0))
    change = give(store, (1, 500, 5.0, 2.0, 4.0, 6.0), (0, 600, 7.0, 1.0), (1, 1_500, 6.0, 3.0), received=MIDNIGHT + 9)
    last = store.last()
    assert (change.epoch, change.seq, change.received) == (last.epoch, last.seq, MIDNIGHT + 9)
    assert change.batch is not None
    assert change.batch.seqs().tolist() == [2, 3, 4]
    assert change.touched.tolist() == [0, 1]
    wanted = np.stack([getattr(last, name) for name in LAST_COLUMNS], axis=1)[:2]
    np.testing.assert_equal(change.last, wanted)
    assert len(change.bars) == len(TIMEFRAMES)
    assert BAR_COLUMNS[0] == "start"
    told = change.bars[SECOND]
    assert told.instrument.tolist() == [0, 1, 1]
    for who, row in zip(told.instrument.tolist(), told.rows, strict=True):
        assert bars(store, SECOND, who)[int(row[0])] == tuple(row[1:].tolist())


def test_what_a_listener_reads_while_it_is_told_is_the_state_that_it_is_told() -> None:
    found: list[tuple[int, float, int]] = []

    class Reader:
        def __init__(self, store: MemoryStore) -> None:
            self.store = store

        def on_change(self, change: Change) -> None:
            found.append((change.seq, float(self.store.last().price[0]), len(self.store.ticks(0).rows)))

        def on_epoch(self, epoch: str) -> None:
            assert epoch == self.store.last().epoch

    store = store_of()
    store.add_listener(Reader(store))
    for number in range(1, 6):
        give(store, (0, number * 700, float(number)))
    assert found == [(number, float(number), number) for number in range(1, 6)]


def test_a_change_stays_as_it_was_told_when_later_ticks_come() -> None:
    store = store_of()
    change = give(store, (0, 0, 5.0, 1.0))
    rows, last = change.bars[SECOND].rows.copy(), change.last.copy()
    give(store, (0, 1, 9.0, 1.0))
    np.testing.assert_equal(change.bars[SECOND].rows, rows)
    np.testing.assert_equal(change.last, last)


@pytest.mark.parametrize("broken", ["fold", "take", "begin"])
def test_a_batch_that_fails_half_written_begins_a_new_epoch_and_no_number_is_given_twice(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, diary = store_of(), Diary()
    store.add_listener(diary)
    if broken != "begin":
        give(store, (0, 0, 5.0, 1.0))
    before = store.epoch
    with monkeypatch.context() as patch:
        patch.setattr(BarBook, broken, Mock(side_effect=MemoryError))
        with pytest.raises(MemoryError):
            give(store, (0, 100, 6.0, 1.0))
    assert diary.told[-1] == store.epoch != before
    assert (store.seq, len(store.ticks(0).rows)) == (0, 0)
    change = give(store, (0, 200, 7.0, 1.0))
    assert (change.epoch, change.seq) == (store.epoch, 1)
    assert store.ticks(0).rows[:, :2].tolist() == [[1.0, 7.0]]
    assert diary.told[-1] is change


def test_an_epoch_can_begin_although_the_bars_before_it_are_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of()
    give(store, (0, 0, 5.0, 1.0))
    before = store.epoch
    with monkeypatch.context() as patch:
        patch.setattr(BarBook, "leave", Mock(side_effect=MemoryError))
        store.reset()
    assert (store.epoch == before, store.seq) == (False, 0)


def test_an_empty_batch_is_no_step() -> None:
    store, diary = store_of(), Diary()
    store.add_listener(diary)
    assert give(store).seq == 0
    assert diary.told == []


def test_a_reset_empties_everything_begins_a_new_epoch_and_counts_from_one_again() -> None:
    store, diary = store_of(), Diary()
    store.add_listener(diary)
    give(store, (0, 61_000, 5.0))
    store.disconnected(MIDNIGHT + 61_500)
    before, ticks, bars_view = store.epoch, store.tick_view(0, 5), store.bar_view(0, SECOND, 5)
    ticks.__enter__()
    bars_view.__enter__()
    store.reset()
    assert store.epoch != before
    assert diary.told[-1] == store.epoch
    last = store.last()
    assert (last.seq, last.epoch, last.last_seq.tolist()) == (0, store.epoch, [0, 0, 0])
    assert np.isnan(last.price).all()
    assert (len(store.ticks(0).rows), len(store.bars(0, SECOND).rows), store.oldest_seq) == (0, 0, 1)
    assert is_void(ticks)
    assert is_void(bars_view)
    change = give(store, (0, 1_000, 6.0))
    assert (change.epoch, change.seq) == (store.epoch, 1)
    assert bars(store) == {MIDNIGHT + 1_000: (6.0, 6.0, 6.0, 6.0, 0.0, 0.0, 0.0)}


# -- bars of a change are made when they are asked for -----------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.just("clock"),
        st.just("gone"),
        st.just("back"),
        st.just("nothing"),
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 400, 1_000, 61_000]), st.integers(1, 50)), max_size=6
        ),
    ),
    min_size=1,
    max_size=12,
)


@given(steps)
@settings(max_examples=100, deadline=None)
def test_bars_of_changes_are_the_same_whether_they_are_asked_for_at_once_or_after_everything(
    drawn: list[str | list[tuple[int, int, int]]],
) -> None:
    at_once, later = store_of(), store_of()
    prompt: list[list[tuple[list[int], list[list[float]]]]] = []

    def told(change: Change | None) -> list[tuple[list[int], list[list[float]]]]:
        return [(part.instrument.tolist(), part.rows.tolist()) for part in change.bars] if change is not None else []

    changes: list[Change | None] = []
    now = 0.0
    for step in drawn:
        rows: list[tuple[float, ...]] = []
        if isinstance(step, list):
            for who, forward, price in step:
                now += forward
                rows.append((who, now, float(price), 1.0))
        for store in (at_once, later):
            moment = MIDNIGHT + now
            change = (
                store.close_due(moment + 1_600)
                if step == "clock"
                else store.disconnected(moment)
                if step == "gone"
                else store.connected(moment + 10)
                if step == "back"
                else give(store, *rows)
            )
            if store is at_once:
                prompt.append(told(change))
            else:
                changes.append(change)
    later.reset()
    assert [told(change) for change in changes] == prompt


def test_a_change_that_nobody_holds_costs_its_store_nothing_and_a_held_one_only_a_copy() -> None:
    store = store_of()
    held = give(store, *((who, 0, 5.0, 1.0) for who in range(3)))
    assert held.bars.most == 3 * len(TIMEFRAMES)
    for second in range(1, 4):
        give(store, *((who, second * 1_000, 5.0 + second, 1.0) for who in range(3)))
    assert held.bars[SECOND].rows[:, 0].tolist() == [MIDNIGHT] * 3
    assert held.bars[SECOND] is held.bars[SECOND]
    assert not np.shares_memory(held.bars[SECOND].rows, store._book.forming)
