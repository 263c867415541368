"""Bars that a feed reports: into their timeframe and the longer ones as they are, the last report of one counts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES, Flag
from dashboard.market.book import BarBook
from dashboard.market.ticks import SourceBars
from tests.market.making import MIDNIGHT, BarsByStart, book_of, flags, kept, merged

MINUTE, FIVE = TIMEFRAME_INDEX["1m"], TIMEFRAME_INDEX["5m"]
#: minute, open, high, low, close, volume
Line = tuple[int, float, float, float, float, float]


def report(book: BarBook, lines: list[Line], instrument: int = 0) -> None:
    """Give a book one-minute bars as one batch."""
    table = np.array(lines, dtype=np.float64)
    source = SourceBars(
        MINUTE,
        (MIDNIGHT + table[:, 0] * 60_000).astype(np.int64),
        *(table[:, column].copy() for column in range(1, 6)),
        np.ones(len(table)),
    )
    book.fold_bars(np.full(len(table), instrument, dtype=np.int64), source, 1)


def values(book: BarBook, timeframe: int) -> BarsByStart:
    """A reader's bars without their flags."""
    return {start: bar[:6] for start, bar in kept(book, 0, timeframe).items()}


lines = st.builds(
    lambda minute, a, b, c, d, volume: (minute, *sorted((a, b, c, d)), volume),
    st.integers(0, 40),
    *[st.integers(1, 99).map(float)] * 4,
    st.integers(0, 9).map(float),
).map(lambda row: (row[0], row[2], row[4], row[1], row[3], row[5]))


@given(st.lists(st.lists(lines, min_size=1, max_size=12), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_reported_bars_stand_as_they_came_last_and_longer_ones_are_made_of_them(batches: list[list[Line]]) -> None:
    book = book_of(1)
    newest: BarsByStart = {}
    for batch in batches:
        report(book, batch)
        newest |= {MIDNIGHT + minute * 60_000: (*rest, 1.0) for minute, *rest in batch}
    for timeframe in range(MINUTE, len(TIMEFRAMES)):
        assert values(book, timeframe) == merged(newest, TIMEFRAMES[timeframe].ms), TIMEFRAMES[timeframe].name


def test_timeframes_shorter_than_the_reported_one_have_no_bars() -> None:
    book = book_of(1)
    report(book, [(0, 1, 2, 1, 2, 5)])
    assert [len(kept(book, 0, timeframe)) for timeframe in range(len(TIMEFRAMES))] == [0, 0, 0, 1, 1, 1, 1, 1]


def test_a_reported_bar_closes_the_one_before_and_stays_open_until_the_next_or_the_clock() -> None:
    book = book_of(1)
    report(book, [(0, 1, 2, 1, 2, 5), (1, 2, 3, 2, 3, 5)])
    assert flags(book, "1m") == {0: Flag.CLOSED, 60_000: Flag(0)}
    book.close_due(MIDNIGHT + 120_500, 500, 1)
    assert flags(book, "1m") == {0: Flag.CLOSED, 60_000: Flag.CLOSED}


def test_a_bar_that_is_reported_again_after_it_closed_is_corrected_on_closed_timeframes_only() -> None:
    book = book_of(1)
    report(book, [(0, 1, 2, 1, 2, 5), (1, 2, 3, 2, 3, 5)])
    report(book, [(0, 1, 9, 1, 2, 5)])
    assert flags(book, "1m") == {0: Flag.CLOSED | Flag.CORRECTED, 60_000: Flag(0)}
    assert flags(book, "5m") == {0: Flag(0)}
    assert values(book, FIVE) == {MIDNIGHT: (1, 9, 1, 3, 10, 2)}


def test_a_bar_that_is_reported_again_with_the_same_values_is_not_corrected() -> None:
    book = book_of(1)
    report(book, [(0, 1, 2, 1, 2, 5), (1, 2, 3, 2, 3, 5)])
    book.take().everything()
    report(book, [(0, 1, 2, 1, 2, 5)])
    assert flags(book, "1m") == {0: Flag.CLOSED, 60_000: Flag(0)}
    assert not len(book.take().everything()[0])


def test_a_missing_bar_that_comes_late_is_put_in_its_place_and_marked() -> None:
    book = book_of(1)
    report(book, [(0, 1, 2, 1, 2, 5), (6, 4, 4, 4, 4, 5)])
    report(book, [(3, 7, 7, 7, 7, 1)])
    assert list(kept(book, 0, MINUTE)) == [MIDNIGHT + minute * 60_000 for minute in (0, 3, 6)]
    assert flags(book, "1m")[180_000] == Flag.CLOSED | Flag.CORRECTED
    assert flags(book, "5m") == {0: Flag.CLOSED | Flag.CORRECTED, 300_000: Flag(0)}
    assert values(book, FIVE)[MIDNIGHT] == (1, 7, 1, 7, 6, 2)
