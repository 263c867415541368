"""DataFrames over the store's own memory, without a copy, and the guard that tells when one has become void."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dashboard.errors import Lapped
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.store.change import BAR_COLUMNS
from dashboard.store.memory import TICK_COLUMNS, TICKS_LEAST, MemoryStore
from tests.market.making import MIDNIGHT
from tests.store.making import SECOND, give, is_void, store_of

MINUTE = TIMEFRAME_INDEX["1m"]


def seconds(store: MemoryStore, first: int, count: int, instrument: int = 0) -> None:
    """One tick a second, each in its own batch; price is 1 + the second."""
    for second in range(first, first + count):
        give(store, (instrument, second * 1_000, 1.0 + second, 1.0))


def test_a_view_of_ticks_is_the_rings_own_memory_read_only_and_right() -> None:
    store = store_of()
    seconds(store, 0, 10)
    with store.tick_view(0, 4) as frame:
        assert isinstance(frame, pd.DataFrame)
        assert np.shares_memory(frame.to_numpy(), store._ticks.block)
        assert all(np.shares_memory(frame[name].to_numpy(), store._ticks.block) for name in TICK_COLUMNS)
        assert tuple(frame.columns) == TICK_COLUMNS
        np.testing.assert_equal(frame.to_numpy(), store.ticks(0, limit=4).rows)
        with pytest.raises(ValueError, match="read-only"):
            frame.to_numpy()[0, 0] = 1.0


def test_a_view_of_bars_is_the_books_own_memory_read_only_and_right() -> None:
    store = store_of()
    seconds(store, 0, 10)
    with store.bar_view(0, SECOND, 4) as frame:
        assert np.shares_memory(frame.to_numpy(), store._book.block)
        assert all(np.shares_memory(frame[name].to_numpy(), store._book.block) for name in BAR_COLUMNS)
        assert tuple(frame.columns) == BAR_COLUMNS
        np.testing.assert_equal(frame.to_numpy(), store.bars(0, SECOND, limit=4).rows)
        with pytest.raises(ValueError, match="read-only"):
            frame.to_numpy()[0, 0] = 1.0


def test_what_a_reader_does_to_its_frame_never_reaches_the_store() -> None:
    store = store_of()
    seconds(store, 0, 3)
    with store.tick_view(0, 3) as frame:
        frame["price"] = 0.0
    assert store.ticks(0).rows[:, 1].tolist() == [1.0, 2.0, 3.0]


def test_views_are_one_slice_wherever_the_ring_stands() -> None:
    store = store_of(budget_mb=0)
    for turn in range(3 * TICKS_LEAST // 50):
        seconds(store, turn * 50, 50)
        with store.tick_view(0, TICKS_LEAST) as frame:
            assert np.shares_memory(frame.to_numpy(), store._ticks.block)
            np.testing.assert_equal(frame.to_numpy(), store.ticks(0).rows)
        with store.bar_view(0, SECOND) as frame:
            np.testing.assert_equal(frame.to_numpy(), store.bars(0, SECOND).rows)


def test_views_of_an_instrument_without_data_are_empty_and_stay_valid() -> None:
    store = store_of()
    with store.tick_view(1, 5) as frame, store.bar_view(1, SECOND) as other:
        seconds(store, 0, 3, instrument=1)
        assert (len(frame), len(other)) == (0, 0)


def test_a_view_of_ticks_stays_valid_until_the_writer_overwrites_its_oldest_row_and_then_raises() -> None:
    store = store_of(budget_mb=0)
    seconds(store, 0, 10)
    view = store.tick_view(0, 10)
    with view as frame:
        seconds(store, 10, TICKS_LEAST - 10)
        view.check()
        assert frame["price"].tolist() == [1.0 + second for second in range(10)]
    with pytest.raises(Lapped), view:
        seconds(store, TICKS_LEAST, TICKS_LEAST - 9)


def test_an_error_inside_of_a_lapped_view_is_told_as_it_is() -> None:
    store = store_of(budget_mb=0)
    seconds(store, 0, 10)
    with pytest.raises(KeyError), store.tick_view(0, 10) as frame:
        seconds(store, 10, 2 * TICKS_LEAST)
        frame["nothing"]


def test_a_view_of_closed_bars_outlives_new_ticks_and_raises_when_one_of_them_is_corrected() -> None:
    store = store_of()
    seconds(store, 0, 10)
    view = store.bar_view(0, SECOND, end=MIDNIGHT + 5_000)
    with pytest.raises(Lapped), view:
        give(store, (0, 9_500, 7.0))
        store.bars(0, SECOND)
        seconds(store, 10, 5)
        assert not is_void(view)
        give(store, (0, 2_500, 99.0))
        assert is_void(view)


def test_a_view_with_the_forming_bar_is_void_when_its_newer_state_was_written() -> None:
    store = store_of()
    give(store, (0, 0, 5.0))
    view = store.bar_view(0, MINUTE)
    with view as frame:
        give(store, (0, 1_000, 6.0))
        assert frame["close"].tolist() == [5.0]
        assert not is_void(view)
    with pytest.raises(Lapped), view:
        give(store, (0, 2_000, 7.0))
        assert store.bars(0, MINUTE).rows[0, 4] == 7.0


def test_a_view_of_bars_raises_when_the_writer_has_gone_round() -> None:
    store = store_of(budget_mb=0)
    seconds(store, 0, 10)
    view = store.bar_view(0, SECOND, end=MIDNIGHT + 5_000)
    with view:
        seconds(store, 10, 50)
    with pytest.raises(Lapped), view:
        seconds(store, 60, 20)
