"""The flags of bars: closed by a tick or by the clock, partial, with a gap, corrected after they had closed."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.market.bars import TIMEFRAMES, Flag
from dashboard.market.book import BarBook
from tests.market.making import MIDNIGHT, book_of, flags, fold, kept

NONE = Flag(0)
GRACE = 500


def at(ms: float, price: float = 5.0, size: float = 1.0) -> list[tuple[float, ...]]:
    """One tick of instrument 0, `ms` after midnight."""
    return [(0, MIDNIGHT + ms, price, size)]


def book_with(*seconds: float) -> BarBook:
    """A book with one tick at each of these times (ms after midnight), one batch each."""
    book = book_of(1)
    for seq, ms in enumerate(seconds, 1):
        fold(book, at(ms), seq)
    return book


def test_a_bar_closes_with_its_instruments_tick_at_its_end_and_not_a_millisecond_before() -> None:
    book = book_with(0, 999)
    assert flags(book, "1s") == {0: NONE}
    fold(book, at(1_000))
    assert flags(book, "1s") == {0: Flag.CLOSED, 1_000: NONE}
    assert flags(book, "5s") == {0: NONE}


def test_a_tick_of_another_instrument_closes_nothing() -> None:
    book = book_of(2)
    fold(book, at(0))
    fold(book, [(1, MIDNIGHT + 60_000, 5.0, 1.0)])
    assert flags(book, "1s") == {0: NONE}


def test_the_clock_closes_a_bar_when_it_is_the_grace_past_its_end_and_not_before() -> None:
    book = book_with(0)
    book.take().everything()
    assert not book.close_due(MIDNIGHT + 1_000 + GRACE - 1, GRACE, 1)
    assert flags(book, "1s") == {0: NONE}
    assert book.close_due(MIDNIGHT + 1_000 + GRACE, GRACE, 1)
    assert flags(book, "1s") == {0: Flag.CLOSED}
    keys, rows = book.take().everything()
    assert keys.tolist() == [0]
    assert rows[0, -1] == Flag.CLOSED
    assert not book.close_due(MIDNIGHT + 1_000 + GRACE, GRACE, 1)


def test_the_clock_closes_each_timeframe_in_its_time() -> None:
    book = book_with(0)
    for frame in TIMEFRAMES:
        assert flags(book, frame.name) == {0: NONE}
        book.close_due(MIDNIGHT + frame.ms + GRACE, GRACE, 1)
        assert flags(book, frame.name) == {0: Flag.CLOSED}


def test_a_bar_that_the_clock_closed_is_not_corrected_by_the_tick_that_follows_it() -> None:
    book = book_with(0)
    book.close_due(MIDNIGHT + 1_500, GRACE, 1)
    fold(book, at(1_600))
    assert flags(book, "1s") == {0: Flag.CLOSED, 1_000: NONE}


def test_a_tick_into_a_bar_that_the_clock_closed_corrects_it_and_leaves_open_ones_alone() -> None:
    book = book_with(0)
    book.close_due(MIDNIGHT + 1_500, GRACE, 1)
    fold(book, at(900, price=9.0))
    assert flags(book, "1s") == {0: Flag.CLOSED | Flag.CORRECTED}
    assert kept(book, 0, 0)[MIDNIGHT][3] == 9.0
    assert flags(book, "5s") == {0: NONE}


def test_a_late_tick_corrects_its_bar_on_every_timeframe_whose_bar_had_closed_and_on_no_other() -> None:
    book = book_with(500, 16_000)
    fold(book, at(600))
    for name in ("1s", "5s", "15s"):
        assert flags(book, name)[0] == Flag.CLOSED | Flag.CORRECTED, name
    for name in ("1m", "5m", "15m", "1h", "1d"):
        assert flags(book, name) == {0: NONE}, name


def test_a_correction_stays_set_when_more_ticks_come() -> None:
    book = book_with(500, 2_000, 600, 3_000, 3_500)
    assert flags(book, "1s")[0] == Flag.CLOSED | Flag.CORRECTED
    assert flags(book, "1s")[2_000] == Flag.CLOSED


def test_a_late_tick_into_an_interval_without_a_bar_makes_one_that_is_closed_and_corrected() -> None:
    book = book_with(0, 5_000, 2_500)
    assert flags(book, "1s") == {0: Flag.CLOSED, 2_000: Flag.CLOSED | Flag.CORRECTED, 5_000: NONE}


@pytest.mark.parametrize("together", [True, False])
def test_a_late_tick_that_is_late_within_its_batch_corrects_as_in_a_batch_of_its_own(together: bool) -> None:
    book = book_of(1)
    for batch in [[*at(0), *at(1_200), *at(700)]] if together else [at(0), at(1_200), at(700)]:
        fold(book, batch)
    assert flags(book, "1s") == {0: Flag.CLOSED | Flag.CORRECTED, 1_000: NONE}


def test_bars_that_began_before_the_data_are_partial_and_those_that_begin_with_it_are_not() -> None:
    book = book_of(1)
    book.begin(MIDNIGHT + 61_000)
    fold(book, at(61_000))
    fold(book, at(125_000))
    assert flags(book, "1s") == {61_000: Flag.CLOSED, 125_000: NONE}
    assert flags(book, "5s")[60_000] == Flag.PARTIAL | Flag.CLOSED
    assert flags(book, "1m") == {60_000: Flag.PARTIAL | Flag.CLOSED, 120_000: NONE}
    assert flags(book, "1d") == {0: Flag.PARTIAL}


def test_history_says_where_the_data_begins_so_its_bars_are_whole() -> None:
    book = book_of(1)
    start = MIDNIGHT + np.array([0, 60_000], dtype=np.int64)
    bars = np.array([[[1.0, 2.0, 0.5, 1.5, 10.0, 3.0], [1.5, 1.5, 1.5, 1.5, 1.0, 1.0]]])
    book.load(3, np.array([0]), start, bars)
    book.begin(MIDNIGHT + 70_000)
    fold(book, at(70_000, price=4.0))
    assert flags(book, "1m") == {0: Flag.CLOSED, 60_000: NONE}
    assert kept(book, 0, 3)[MIDNIGHT + 60_000][:6] == (1.5, 4.0, 1.5, 4.0, 2.0, 2.0)
    assert flags(book, "1s") == {70_000: NONE}
    assert flags(book, "5m") == {0: Flag.PARTIAL}


def test_a_break_marks_the_bars_with_a_moment_of_it_inside_and_no_others() -> None:
    book = book_with(0, 1_000)
    assert book.disconnected(MIDNIGHT + 1_700, 2)
    assert book.connected(MIDNIGHT + 3_200, 2) is False
    for ms in (3_500, 4_100, 5_000):
        fold(book, at(ms))
    wanted = {0: NONE, 1_000: Flag.GAP, 3_000: Flag.GAP, 4_000: NONE}
    assert {start: flag & Flag.GAP for start, flag in flags(book, "1s").items() if start < 5_000} == wanted
    assert flags(book, "5s") == {0: Flag.CLOSED | Flag.GAP, 5_000: NONE}
    assert flags(book, "1d") == {0: Flag.GAP}


def test_a_break_that_begins_at_a_bars_end_is_not_inside_it() -> None:
    book = book_with(0, 5_000)
    book.disconnected(MIDNIGHT + 10_000, 2)
    assert flags(book, "5s") == {0: Flag.CLOSED, 5_000: NONE}
    book.connected(MIDNIGHT + 15_000, 2)
    fold(book, at(15_000))
    assert flags(book, "5s")[15_000] == NONE
    assert flags(book, "15s") == {0: Flag.CLOSED | Flag.GAP, 15_000: NONE}


def test_a_break_that_ends_in_the_moment_it_began_marks_the_bar_of_that_moment() -> None:
    book = book_with(0)
    book.disconnected(MIDNIGHT + 300, 1)
    book.connected(MIDNIGHT + 300, 1)
    assert flags(book, "1s") == {0: Flag.GAP}


def test_bars_that_the_clock_closes_while_the_feed_is_gone_have_the_gap() -> None:
    book = book_with(0)
    book.disconnected(MIDNIGHT + 2_000, 1)
    book.close_due(MIDNIGHT + 5_500, GRACE, 1)
    assert flags(book, "1s") == {0: Flag.CLOSED}
    assert flags(book, "5s") == {0: Flag.CLOSED | Flag.GAP}


def test_a_break_that_is_told_late_marks_older_bars_too() -> None:
    book = book_with(0, 1_000, 2_000, 3_000)
    book.take().everything()
    book.disconnected(MIDNIGHT + 1_500, 4)
    found = {start for start, flag in flags(book, "1s").items() if flag & Flag.GAP}
    assert found == {1_000}
    book.connected(MIDNIGHT + 2_500, 4)
    assert {start for start, flag in flags(book, "1s").items() if flag & Flag.GAP} == {1_000, 2_000}
    keys, rows = book.take().everything()
    assert {int(row[0]) - MIDNIGHT for key, row in zip(keys, rows, strict=True) if key == 0} == {1_000, 2_000}


def test_being_told_twice_that_the_feed_is_gone_or_back_changes_nothing_more() -> None:
    book = book_with(0)
    assert book.disconnected(MIDNIGHT + 100, 1)
    assert not book.disconnected(MIDNIGHT + 200, 1)
    book.connected(MIDNIGHT + 300, 1)
    assert not book.connected(MIDNIGHT + 400, 1)
