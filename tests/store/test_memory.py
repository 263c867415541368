"""The store on its own: sequence numbers, last values, ticks, bars, day statistics, epochs and what memory allows."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.feeds.base import HistoryBlock
from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES, Flag
from dashboard.market.ticks import SourceBars
from dashboard.store.memory import BARS_WANTED, TICK_COLUMNS, TICKS_LEAST, TICKS_WANTED, MemoryStore
from tests.market.making import MIDNIGHT, NAN, Naive, Row, ticks
from tests.store.making import DAY, DAY_MS, SECOND, Diary, bars, give, store_of

MINUTE = TIMEFRAME_INDEX["1m"]


def seqs(store: MemoryStore, instrument: int = 0, **wanted: float) -> list[int]:
    """The sequence numbers of the ticks that `store.ticks` gives."""
    return [int(seq) for seq in store.ticks(instrument, **wanted).rows[:, 0]]


# -- ticks -----------------------------------------------------------------------------------------------------------


def test_sequence_numbers_count_from_one_over_all_instruments_in_the_order_given() -> None:
    store = store_of()
    give(store, (1, 0, 5.0), (0, 0, 6.0), (1, 1, 7.0))
    give(store, (0, 2, 8.0))
    assert (seqs(store, 0), seqs(store, 1), seqs(store, 2)) == ([2, 4], [1, 3], [])
    assert store.seq == 4
    assert store.last().last_seq.tolist() == [4, 3, 0]


def test_a_tick_is_given_back_as_it_came_with_nan_for_what_it_had_not() -> None:
    store = store_of()
    give(store, (0, 7, 5.0, 2.0, 4.9, 5.1))
    give(store, (0, 8, 6.0))
    rows = store.ticks(0).rows
    assert rows[0].tolist() == [1.0, 5.0, 2.0, 4.9, 5.1, MIDNIGHT + 7]
    np.testing.assert_equal(rows[1], [2.0, 6.0, NAN, NAN, NAN, MIDNIGHT + 8])
    assert len(TICK_COLUMNS) == 6


def test_ticks_are_chosen_by_time_by_seq_and_by_number_and_say_whether_there_are_more() -> None:
    store = store_of()
    for second in range(10):
        give(store, (0, second * 1_000, 5.0))
    assert seqs(store, start=MIDNIGHT + 2_000, end=MIDNIGHT + 5_000) == [3, 4, 5]
    assert seqs(store, limit=2) == [9, 10]
    assert seqs(store, after_seq=4, limit=2) == [5, 6]
    assert seqs(store, after_seq=8) == [9, 10]
    assert seqs(store, after_seq=10**30) == []
    assert store.ticks(0, limit=9).more
    assert not store.ticks(0, limit=10).more


def test_a_batch_of_more_ticks_than_are_kept_leaves_no_hole_among_those_that_are() -> None:
    store = store_of(",".join(f"S{number}" for number in range(40)), budget_mb=1)
    # In the order of instruments the oldest ticks come behind the newest, and share their places.
    places = 40 * TICKS_LEAST
    old, fill, new = [(39, 0, 5.0)] * 10, [(20, 1, 6.0)] * (places - 10), [(0, 2, 7.0)] * 10
    give(store, *old, *fill, *new)
    assert store.oldest_seq == places - TICKS_LEAST + 1
    rows = store.missed(np.arange(40), store.oldest_seq - 1, places)
    assert rows[:, 0].tolist() == list(range(store.oldest_seq, store.seq + 1))
    assert rows[:, 6].tolist() == [20.0] * TICKS_LEAST + [0.0] * 10


def test_a_bar_that_is_read_while_it_forms_in_a_full_ring_is_not_taken_for_one_that_is_lost() -> None:
    store = store_of(budget_mb=1)
    second = 0
    while store.bars_whole([0], SECOND, 1):
        give(store, (0, second * 1000, 5.0))
        second += 1
    for _ in range(3):
        give(store, (0, (second - 1) * 1000, 6.0))
        store.bars(0, SECOND)
    # Only the first bar has gone, which the second tick closed.
    assert store.bars_whole([0], SECOND, 3)


def test_missed_gives_the_first_ticks_after_a_seq_of_several_instruments_in_order() -> None:
    store = store_of()
    for second in range(4):
        give(store, *((who, second * 1_000, 10.0 + who) for who in range(3)))
    rows = store.missed(np.array([0, 2]), 3, 4)
    assert rows[:, 0].tolist() == [4.0, 6.0, 7.0, 9.0]
    assert rows[:, -1].tolist() == [0.0, 2.0, 0.0, 2.0]
    assert rows[:, 1].tolist() == [10.0, 12.0, 10.0, 12.0]
    assert store.missed(np.array([0, 1, 2]), 12, 4).shape == (0, 7)


def test_more_ticks_than_are_kept_leave_the_newest_and_the_seq_from_which_all_are_whole() -> None:
    store = store_of(budget_mb=0)
    for number in range(3):
        give(store, *((0, number * 1_000 + at, 5.0) for at in range(TICKS_LEAST // 2)))
    give(store, (1, 9_000, 5.0))
    assert seqs(store) == list(range(TICKS_LEAST // 2 + 1, TICKS_LEAST * 3 // 2 + 1))
    assert store.oldest_seq == TICKS_LEAST // 2 + 1
    assert seqs(store, 1) == [store.seq]


def test_one_batch_with_more_ticks_of_an_instrument_than_are_kept_leaves_its_newest() -> None:
    store = store_of(budget_mb=0)
    give(store, (1, 0, 5.0), *((0, at, 5.0 + at) for at in range(TICKS_LEAST + 10)))
    assert seqs(store) == list(range(12, TICKS_LEAST + 12))
    assert store.oldest_seq == 12
    assert store.last().price[0] == 5.0 + TICKS_LEAST + 9


# -- late ticks, last values, the day --------------------------------------------------------------------------------


def test_a_late_tick_gets_its_seq_and_corrects_its_bars_and_never_changes_the_last_price() -> None:
    store = store_of()
    give(store, (0, 500, 5.0, 1.0, 4.0, 6.0))
    give(store, (0, 2_500, 6.0, 2.0))
    late = give(store, (0, 600, 9.0, 3.0), received=MIDNIGHT + 3_000)
    last = store.last()
    assert (last.price[0], last.size[0], last.ts[0], last.seq) == (6.0, 2.0, MIDNIGHT + 2_500, 3)
    assert (last.high[0], last.volume[0]) == (9.0, 6.0)
    assert (last.last_seq[0], last.received[0]) == (3, MIDNIGHT + 3_000)
    assert store.ticks(0).rows[:, [0, 5]].tolist() == [[1, MIDNIGHT + 500], [2, MIDNIGHT + 2_500], [3, MIDNIGHT + 600]]
    assert bars(store)[MIDNIGHT] == (5.0, 9.0, 5.0, 9.0, 4.0, 2.0, float(Flag.CLOSED | Flag.CORRECTED | Flag.PARTIAL))
    assert late.touched.tolist() == [0]
    assert late.last[0, 0] == 6.0


def test_the_newest_tick_by_time_of_a_batch_sets_the_last_values_whatever_the_order() -> None:
    store = store_of()
    give(store, (1, 900, 3.0), (0, 800, 5.0), (0, 700, 6.0), (1, 100, 4.0), (0, 800, 7.0))
    last = store.last()
    assert last.price[:2].tolist() == [7.0, 3.0]
    assert np.isnan(last.price[2])


def test_a_price_without_bid_and_ask_takes_those_of_the_tick_before_away() -> None:
    store = store_of()
    give(store, (0, 0, 5.0, 1.0, 4.0, 6.0))
    give(store, (0, 1, 5.0, 1.0))
    assert np.isnan(store.last().bid[0])
    assert np.isnan(store.last().ask[0])


def test_day_statistics_are_of_the_newest_day_and_the_previous_close_of_the_one_before() -> None:
    store = store_of()
    give(store, (0, 0, 5.0, 1.0), (0, 1_000, 8.0, 2.0), (0, 2_000, 6.0, 3.0))
    last = store.last()
    assert (last.open[0], last.high[0], last.low[0], last.volume[0]) == (5.0, 8.0, 5.0, 6.0)
    assert np.isnan(last.previous_close[0])
    change = give(store, (0, 3 * DAY_MS, 7.0, 4.0), (1, 3 * DAY_MS, 1.0, 1.0))
    last = store.last()
    assert (last.open[0], last.high[0], last.low[0], last.volume[0]) == (7.0, 7.0, 7.0, 4.0)
    assert last.previous_close[0] == 6.0
    assert np.isnan(last.previous_close[1])
    assert change.reference.tolist() == [0, 1]
    assert give(store, (0, 3 * DAY_MS + 1, 7.5, 4.0)).reference.tolist() == []


def test_a_late_tick_into_yesterday_that_was_its_last_moves_the_previous_close_and_says_so() -> None:
    store = store_of()
    give(store, (0, DAY_MS - 5_000, 5.0))
    give(store, (0, DAY_MS, 6.0))
    change = give(store, (0, DAY_MS - 1, 5.5))
    assert store.last().previous_close[0] == 5.5
    assert change.reference.tolist() == [0]
    assert store.last().open[0] == 6.0


def test_history_gives_prices_and_day_statistics_before_the_first_tick_which_goes_on_with_its_bars() -> None:
    store = store_of()
    start = MIDNIGHT + np.array([-DAY_MS, 0], dtype=np.int64)
    block = np.array([[[1.0, 4.0, 1.0, 3.0, 10.0, 5.0], [3.0, 3.5, 2.0, 2.5, 7.0, 2.0]]])
    store.load_history([HistoryBlock(DAY, np.array([1]), start, block)])
    last = store.last()
    assert (last.price[1], last.open[1], last.previous_close[1], last.volume[1]) == (2.5, 3.0, 3.0, 7.0)
    assert (last.seq, last.last_seq[1]) == (0, 0)
    give(store, (1, 5_000, 9.0, 1.0))
    last = store.last()
    assert (last.open[1], last.high[1], last.volume[1], last.previous_close[1]) == (3.0, 9.0, 8.0, 3.0)


def test_ticks_of_reported_bars_set_the_last_price_and_change_no_bar() -> None:
    store = store_of()
    source = SourceBars(MINUTE, np.array([MIDNIGHT]), *(np.array([each]) for each in (5.0, 9.0, 4.0, 6.0, 3.0, 0.0)))
    batch = ticks((0, MIDNIGHT + 59_999, 6.0, 3.0))
    store.append(type(batch)(*batch.columns(), bars=source))
    assert bars(store) == {}
    assert bars(store, MINUTE)[MIDNIGHT][:6] == (5.0, 9.0, 4.0, 6.0, 3.0, 0.0)
    assert bars(store, MINUTE)[MIDNIGHT][-1] == 0.0
    last = store.last()
    assert (last.price[0], last.ts[0], last.volume[0]) == (6.0, MIDNIGHT + 59_999, 3.0)


# -- bars ------------------------------------------------------------------------------------------------------------

streams = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from([0, 400, 1_000, 7_000, 61_000]),
            st.sampled_from([0, 0, 900, 30_000]),
            st.integers(1, 9).map(float),
            st.integers(0, 3).map(float),
        ),
        min_size=1,
        max_size=8,
    ),
    max_size=8,
)


@given(streams)
@settings(max_examples=60, deadline=None)
def test_every_way_to_read_bars_gives_those_of_the_naive_fold(batches: list[list[tuple[int, ...]]]) -> None:
    store, naive, now = store_of(), Naive(), MIDNIGHT
    everyone = np.arange(3)
    for batch in batches:
        rows: list[Row] = []
        for who, step, late, price, size in batch:
            now += step
            rows.append((who, now - late, price, size))
        before = store.seq
        change = store.append(ticks(*rows))
        naive.fold(rows)
        for timeframe in range(len(TIMEFRAMES)):
            since, looked = store.bars_since(everyone, timeframe, before + 1)
            assert looked == 3
            told = change.bars[timeframe]
            assert since.instrument.tolist() == told.instrument.tolist()
            assert since.rows.tolist() == told.rows.tolist()
    for who in range(3):
        for timeframe in range(len(TIMEFRAMES)):
            wanted = naive.of(who, timeframe)
            assert bars(store, timeframe, who) == wanted
            recent = store.recent_bars(np.array([who]), timeframe, 3)
            assert recent.rows[:, 0].tolist() == list(wanted)[-3:]
            assert store.sparkline(who, timeframe, 3).tolist() == [bar[3] for bar in wanted.values()][-3:]
    assert store.bars_whole([0, 1, 2], SECOND, 1)


def test_bars_are_chosen_by_start_and_by_number() -> None:
    store = store_of()
    give(store, *((0, second * 1_000, 5.0) for second in range(6)))
    rows = store.bars(0, SECOND, start=MIDNIGHT + 1_000, end=MIDNIGHT + 5_000, limit=2).rows
    assert (rows[:, 0] - MIDNIGHT).tolist() == [3_000, 4_000]
    assert store.bars(1, SECOND).rows.shape == (0, 8)


def test_it_is_told_when_changed_bars_are_not_all_kept_any_more() -> None:
    store = store_of(budget_mb=0)
    give(store, (0, 0, 5.0))
    give(store, *((0, 1_000 + second * 1_000, 5.0) for second in range(63)))
    assert store.bars_whole([0], SECOND, 1)
    give(store, (0, 64_000, 5.0))
    assert not store.bars_whole([0], SECOND, 1)
    assert store.bars_whole([0], SECOND, store.seq)
    assert store.bars_whole([1], SECOND, 1)


def test_a_newest_bar_that_readers_look_at_again_and_again_takes_nothing_from_the_kept_ones() -> None:
    store = store_of(budget_mb=0)
    for second in range(0, 80, 40):
        give(store, *((0, (second + further) * 1_000, 5.0) for further in range(40)))
    for tick in range(5):
        seq = store.seq
        assert store.bars_whole([0], SECOND, seq)
        give(store, (0, 79_000 + tick * 100, 6.0))
        assert store.bars_whole([0], SECOND, seq)


def test_bars_with_a_moment_without_the_feed_are_marked_and_told_without_a_new_seq() -> None:
    store, diary = store_of(), Diary()
    give(store, (0, 0, 5.0))
    store.add_listener(diary)
    store.disconnected(MIDNIGHT + 200)
    assert store.connected(MIDNIGHT + 300) is None
    assert {int(row[-1]) for each in diary.changes for part in each.bars for row in part.rows} == {Flag.GAP}
    assert [(each.seq, each.batch, len(each.touched)) for each in diary.changes] == [(1, None, 0)]
    store.close_due(MIDNIGHT + 1_500)
    assert bars(store)[MIDNIGHT][-1] == Flag.GAP | Flag.CLOSED
    assert store.close_due(MIDNIGHT + 1_500) is None


# -- memory ----------------------------------------------------------------------------------------------------------


def kept(store: MemoryStore) -> tuple[int, list[int]]:
    """(ticks, bars of each timeframe) that the sentence for the log says are kept."""
    numbers = [int(number) for number in re.findall(r"\b(\d+) (?:ticks|of)", store.retention)]
    return numbers[0], numbers[1:]


def test_with_memory_enough_everything_wanted_is_kept() -> None:
    store = store_of("AAPL", budget_mb=512)
    assert kept(store) == (TICKS_WANTED, list(BARS_WANTED))
    assert "shrunk" not in store.retention


@pytest.mark.parametrize(
    ("symbols", "budget_mb"), [("catalogue:15", 64), ("catalogue:100", 64), ("catalogue:200", 128)]
)
def test_a_smaller_budget_shrinks_what_is_kept_says_so_and_is_not_exceeded(symbols: str, budget_mb: int) -> None:
    store = store_of(symbols, budget_mb)
    number_of_ticks, number_of_bars = kept(store)
    assert number_of_ticks < TICKS_WANTED
    assert all(number <= wanted for number, wanted in zip(number_of_bars, BARS_WANTED, strict=True))
    assert "shrunk to the memory allowed" in store.retention
    needed = len(store.catalogue) * (number_of_ticks * 6 * 8 * 2 + sum(number_of_bars) * 11 * 8 * 2)
    assert budget_mb * 0.8e6 < needed <= budget_mb * 1e6


def test_as_much_is_kept_as_the_sentence_says() -> None:
    store = store_of("AAPL,MSFT", budget_mb=1)
    number_of_ticks, number_of_bars = kept(store)
    give(store, *((0, at * 1_000, 5.0) for at in range(number_of_ticks + 100)))
    assert len(store.ticks(0).rows) == number_of_ticks
    assert len(store.bars(0, SECOND).rows) == number_of_bars[SECOND]
