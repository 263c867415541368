"""Bars of every timeframe against a slow fold that is obviously right: late ticks, batches of any size, full rings."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.market.bars import CHUNK, TIMEFRAMES
from tests.market.making import MIDNIGHT, NAN, Naive, Row, book_of, by_start, fold, kept, merged

INSTRUMENTS = 3
#: Whole numbers add up without rounding, so that bars have to be equal to the last bit.
STEPS = (0, 0, 1, 250, 999, 1_000, 1_001, 4_000, 14_000, 61_000, 299_999, 900_000, 3_600_000, 90_000_000)
LATE = (0, 0, 0, 0, 1, 999, 1_000, 5_000, 30_000, 59_999, 60_000)


@st.composite
def streams(draw: st.DrawFn) -> list[list[Row]]:
    """Batches of ticks: each instrument's time goes on in steps, some ticks lie up to a minute behind it."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, INSTRUMENTS - 1),
                st.sampled_from(STEPS),
                st.sampled_from(LATE),
                st.integers(1, 50),
                st.one_of(st.integers(0, 9), st.none()),
            ),
            min_size=1,
            max_size=60,
        )
    )
    now = dict.fromkeys(range(INSTRUMENTS), MIDNIGHT + draw(st.integers(0, 86_400_000)))
    made: list[Row] = []
    for who, step, late, price, size in rows:
        now[who] += step
        made.append((who, now[who] - late, float(price), NAN if size is None else float(size)))
    cuts = sorted(draw(st.lists(st.integers(0, len(made)), max_size=12)))
    return [made[low:high] for low, high in pairwise([0, *cuts, len(made)]) if high > low]


@given(streams())
@settings(max_examples=150, deadline=None)
def test_every_timeframes_bars_are_those_of_the_naive_fold_whatever_the_batches(batches: list[list[Row]]) -> None:
    book, naive = book_of(INSTRUMENTS), Naive()
    book.begin(int(batches[0][0][1]))
    for number, batch in enumerate(batches):
        fold(book, batch, number + 1)
        naive.fold(batch)
    for timeframe in range(len(TIMEFRAMES)):
        for who in range(INSTRUMENTS):
            assert kept(book, who, timeframe) == naive.of(who, timeframe), TIMEFRAMES[timeframe].name


@given(streams(), st.integers(2, 5))
@settings(max_examples=150, deadline=None)
def test_full_rings_hold_exactly_the_newest_bars_and_nothing_of_those_that_were_overwritten(
    batches: list[list[Row]], capacity: int
) -> None:
    book, naive = book_of(INSTRUMENTS, capacity), Naive()
    book.begin(int(batches[0][0][1]))
    for number, batch in enumerate(batches):
        fold(book, batch, number + 1)
        naive.fold(batch)
        for who in range(INSTRUMENTS):
            for timeframe in range(len(TIMEFRAMES)):
                assert kept(book, who, timeframe) == naive.of(who, timeframe, capacity)


@given(streams())
@settings(max_examples=100, deadline=None)
def test_merging_the_bars_of_a_timeframe_gives_those_of_every_longer_one(batches: list[list[Row]]) -> None:
    book = book_of(INSTRUMENTS)
    for batch in batches:
        fold(book, batch)
    for who in range(INSTRUMENTS):
        for short in range(len(TIMEFRAMES)):
            for long in range(short + 1, len(TIMEFRAMES)):
                wanted = {start: bar[:6] for start, bar in kept(book, who, long).items()}
                assert merged(kept(book, who, short), TIMEFRAMES[long].ms) == wanted


@given(streams(), st.integers(3, 60))
@settings(max_examples=100, deadline=None)
def test_who_applies_every_change_that_is_told_has_the_same_bars_as_who_reads_them(
    batches: list[list[Row]], capacity: int
) -> None:
    book = book_of(INSTRUMENTS, capacity)
    book.begin(int(batches[0][0][1]))
    told: dict[int, dict[int, tuple[float, ...]]] = {}
    for number, batch in enumerate(batches):
        fold(book, batch, number + 1)
        book.close_due(batch[-1][1], 500, number + 1)
        keys, rows = book.take().everything()
        assert len({(int(key), float(row[0])) for key, row in zip(keys, rows, strict=True)}) == len(keys)
        for key in np.unique(keys).tolist():
            told.setdefault(key, {}).update(by_start(rows[keys == key]))
    for who in range(INSTRUMENTS):
        for timeframe in range(len(TIMEFRAMES)):
            mine = told.get(timeframe * INSTRUMENTS + who, {})
            for start, bar in kept(book, who, timeframe).items():
                assert mine[start] == bar


def test_one_huge_batch_that_is_folded_in_several_runs_gives_the_naive_bars() -> None:
    random = np.random.default_rng(7)
    count = CHUNK + 5_000
    when = MIDNIGHT + np.arange(count) * 7 - random.integers(0, 5_000, count)
    rows: list[Row] = [
        (float(who), float(ts), float(price), float(size))
        for who, ts, price, size in zip(
            random.integers(0, 2, count), when, random.integers(1, 99, count), random.integers(0, 5, count), strict=True
        )
    ]
    book, naive = book_of(2), Naive()
    book.begin(int(rows[0][1]))
    fold(book, rows)
    naive.fold(rows)
    for who in range(2):
        for timeframe in range(len(TIMEFRAMES)):
            assert kept(book, who, timeframe) == naive.of(who, timeframe)


def test_ticks_of_one_millisecond_count_in_the_order_of_arrival() -> None:
    book = book_of(1)
    fold(book, [(0, MIDNIGHT, 5.0, 1.0), (0, MIDNIGHT, 7.0, 1.0)])
    fold(book, [(0, MIDNIGHT, 6.0, 1.0)])
    assert kept(book, 0, 0) == {MIDNIGHT: (5.0, 7.0, 5.0, 6.0, 3.0, 3.0, 0.0)}


def test_a_late_tick_that_is_the_earliest_becomes_the_open_and_never_the_close() -> None:
    book = book_of(1)
    fold(book, [(0, MIDNIGHT + 500, 5.0, 1.0)])
    fold(book, [(0, MIDNIGHT + 100, 9.0, 2.0)])
    assert kept(book, 0, 0)[MIDNIGHT][:6] == (9.0, 9.0, 5.0, 5.0, 3.0, 2.0)


def test_an_interval_without_a_tick_has_no_bar() -> None:
    book = book_of(1)
    fold(book, [(0, MIDNIGHT, 5.0, 1.0), (0, MIDNIGHT + 10_000, 6.0, 1.0)])
    assert list(kept(book, 0, 0)) == [MIDNIGHT, MIDNIGHT + 10_000]
    assert list(kept(book, 0, 1)) == [MIDNIGHT, MIDNIGHT + 10_000]
    assert list(kept(book, 0, 2)) == [MIDNIGHT]


def test_a_quote_moves_the_price_and_adds_neither_volume_nor_a_trade() -> None:
    book = book_of(1)
    fold(book, [(0, MIDNIGHT, 5.0, NAN), (0, MIDNIGHT + 1, 6.0, NAN)])
    assert kept(book, 0, 0)[MIDNIGHT][:6] == (5.0, 6.0, 5.0, 6.0, 0.0, 0.0)


def test_a_late_tick_older_than_all_kept_bars_changes_nothing_and_is_remembered_as_lost() -> None:
    book = book_of(1, capacity=2)
    for second in range(5):
        fold(book, [(0, MIDNIGHT + second * 1_000, 5.0, 1.0)], second + 1)
    before = kept(book, 0, 0)
    fold(book, [(0, MIDNIGHT, 99.0, 1.0)], 6)
    assert kept(book, 0, 0) == before
    assert book.lost[0] == 6


@pytest.mark.parametrize("start", [MIDNIGHT, MIDNIGHT + 3_000, MIDNIGHT + 4_000, MIDNIGHT + 9_000])
def test_a_range_of_bars_begins_with_its_start_and_ends_before_its_end(start: int) -> None:
    book = book_of(1, capacity=4)
    fold(book, [(0, MIDNIGHT + second * 1_000, 1.0 + second, 1.0) for second in range(7)])
    low, high = book.between(0, start, start + 2_000)
    have = {MIDNIGHT + second * 1_000 for second in (3, 4, 5, 6)}
    assert {int(at) for at in book.block[0, low:high]} == have & {start, start + 1_000}
