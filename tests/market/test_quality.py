"""Checks of ticks: every reason for which one is refused, its count, and the values just on either side of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.market.quality import LARGEST, LATEST_MS, OUTLIER, REASONS, Checked, Checker
from dashboard.market.ticks import SourceBars, TickBatch
from tests.market.making import MIDNIGHT, NAN, Row, ticks

LATE_MS, AHEAD_MS = 60_000, 5_000
INF = float("inf")


def checker(instruments: int = 2) -> Checker:
    """A checker that has seen nothing yet."""
    return Checker(instruments, LATE_MS, AHEAD_MS)


def check(batch: TickBatch, using: Checker | None = None, now: float = MIDNIGHT) -> Checked:
    """Check at market time `now`."""
    return (using or checker()).check(batch, now)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((2, MIDNIGHT, 5.0), "unknown"),
        ((-1, MIDNIGHT, 5.0), "unknown"),
        ((0, MIDNIGHT, NAN), "nan"),
        ((0, MIDNIGHT, INF), "nan"),
        ((0, MIDNIGHT, -INF), "nan"),
        ((0, MIDNIGHT, 5.0, INF), "nan"),
        ((0, MIDNIGHT, 5.0, 1.0, INF, 6.0), "nan"),
        ((0, MIDNIGHT, 5.0, 1.0, 4.0, INF), "nan"),
        ((0, MIDNIGHT, 0.0), "price"),
        ((0, MIDNIGHT, -0.01), "price"),
        ((0, MIDNIGHT, 5.0, -1.0), "price"),
        ((0, MIDNIGHT, 5.0, 1.0, 0.0, 6.0), "price"),
        ((0, MIDNIGHT, 5.0, 1.0, 4.0, -6.0), "price"),
        ((0, MIDNIGHT, 5.0, 1.0, 5.01, 5.0), "crossed"),
        ((0, MIDNIGHT + AHEAD_MS + 1, 5.0), "future"),
        ((0, -1, 5.0), "late"),
    ],
)
def test_a_bad_tick_is_refused_for_its_reason_and_its_good_neighbours_stay(row: Row, reason: str) -> None:
    checked = check(ticks((0, MIDNIGHT, 5.0), row, (1, MIDNIGHT, 7.0)))
    assert checked.rejected == {reason: 1}
    assert checked.accepted.price.tolist() == [5.0, 7.0]


@pytest.mark.parametrize(
    "row",
    [
        (0, MIDNIGHT, 5.0, NAN),
        (0, MIDNIGHT, 5.0, 0.0),
        (0, MIDNIGHT, 5.0, 1.0, 5.0, 5.0),
        (0, MIDNIGHT, 5.0, 1.0, 5.0, NAN),
        (0, MIDNIGHT, 1e-12, 1.0, NAN, 5.0),
        (1, MIDNIGHT + AHEAD_MS, 5.0),
        (0, 0, 5.0),
    ],
)
def test_a_tick_on_the_good_side_of_every_bound_is_accepted(row: Row) -> None:
    checked = check(ticks(row))
    assert checked.rejected == {}
    assert len(checked.accepted) == 1


@pytest.mark.parametrize(("age", "accepted"), [(LATE_MS - 1, True), (LATE_MS, True), (LATE_MS + 1, False)])
@pytest.mark.parametrize("together", [True, False])
def test_a_tick_is_late_when_it_is_more_than_late_ms_older_than_its_instruments_newest(
    age: int, accepted: bool, together: bool
) -> None:
    newest, old = (0, MIDNIGHT, 5.0), (0, MIDNIGHT - age, 5.0)
    using = checker()
    if together:
        checked = check(ticks(newest, old), using)
    else:
        check(ticks(newest), using)
        checked = check(ticks(old), using)
    assert checked.rejected == ({} if accepted else {"late": 1})


def test_lateness_goes_by_each_instruments_own_newest_tick() -> None:
    using = checker()
    check(ticks((0, MIDNIGHT, 5.0)), using)
    assert check(ticks((1, MIDNIGHT - 10 * LATE_MS, 5.0)), using).rejected == {}


def test_a_refused_tick_makes_no_later_one_late() -> None:
    using = checker()
    assert check(ticks((0, MIDNIGHT + 1_000_000, 5.0), (0, MIDNIGHT, 5.0)), using).rejected == {"future": 1}
    check(ticks((0, MIDNIGHT + 1_000, NAN)), using)
    assert check(ticks((0, MIDNIGHT - LATE_MS, 5.0)), using).rejected == {}


def test_no_time_is_too_absurd_to_be_refused() -> None:
    extreme = np.iinfo(np.int64)
    batch = ticks((0, MIDNIGHT, 5.0), (0, MIDNIGHT, 5.0), (0, MIDNIGHT, 5.0))
    batch.ts[:2] = extreme.max, extreme.min
    assert check(batch).rejected == {"future": 1, "late": 1}
    assert check(ticks((0, LATEST_MS + 1, 5.0)), now=float(extreme.max)).rejected == {"future": 1}


def test_a_tick_with_several_faults_counts_once_and_for_the_first_of_the_reasons() -> None:
    worst = (9, MIDNIGHT + 10**6, NAN, -1.0, 5.0, 4.0)
    order = ["unknown", "nan", "price", "crossed", "future"]
    assert [reason for reason in REASONS if reason in order] == order
    rows = [
        worst,
        (0, *worst[1:]),
        (0, worst[1], 5.0, *worst[3:]),
        (0, worst[1], 5.0, 1.0, *worst[4:]),
        (0, worst[1], 5.0),
    ]
    assert check(ticks(*rows)).rejected == dict.fromkeys(order, 1)


def test_counts_are_per_reason_and_cover_every_tick_of_the_batch() -> None:
    checked = check(ticks(*[(0, MIDNIGHT, NAN)] * 3, *[(0, MIDNIGHT, -1.0)] * 2, (0, MIDNIGHT, 5.0)))
    assert checked.rejected == {"nan": 3, "price": 2}
    assert len(checked.accepted) + sum(checked.rejected.values()) == 6


def test_an_empty_batch_and_one_of_only_bad_ticks_are_fine() -> None:
    assert check(ticks()).rejected == {}
    checked = check(ticks((7, MIDNIGHT, 5.0), ids=[1]))
    assert (len(checked.accepted), checked.rejected) == (0, {"unknown": 1})


@pytest.mark.parametrize("column", range(6), ids=["open", "high", "low", "close", "volume", "trades"])
def test_a_bar_that_a_feed_reports_is_held_to_the_largest_number_like_a_tick(column: int) -> None:
    for value, refused in ((LARGEST, {}), (1.1 * LARGEST, {"price": 1})):
        columns = [np.full(1, 5.0) for _ in range(6)]
        columns[column][:] = value
        if column < 4:
            columns[1][:] = max(value, 5.0)
        if column == 2:
            columns[0][:] = columns[3][:] = value
        bars = SourceBars(3, np.full(1, int(MIDNIGHT) - 60_000), *columns)
        batch = replace(ticks((0, MIDNIGHT, 5.0, 1.0)), bars=bars)
        assert check(batch).rejected == refused


# -- duplicates ------------------------------------------------------------------------------------------------------


def trades(*ids: int, instrument: int = 0) -> TickBatch:
    """Trades with these ids, all at one time."""
    return ticks(*[(instrument, MIDNIGHT, 5.0)] * len(ids), ids=ids)


@pytest.mark.parametrize(
    ("batches", "refused"),
    [
        ([[1, 2, 3]], 0),
        ([[1, 2, 2, 3]], 1),
        ([[1, 2], [2, 3]], 1),
        ([[1, 2, 3], [1, 2, 3]], 3),
        ([[3, 1, 2]], 0),
        ([[5], [3], [3], [5]], 2),
        ([[10], [8, 9, 10, 11], [9, 12]], 2),
    ],
)
def test_the_same_trade_id_again_is_a_duplicate_and_ids_out_of_order_are_not(
    batches: list[list[int]], refused: int
) -> None:
    using = checker()
    assert sum(check(trades(*ids), using).rejected.get("duplicate", 0) for ids in batches) == refused


def test_trade_ids_belong_to_their_instrument() -> None:
    using = checker()
    check(trades(1, 2), using)
    assert check(trades(1, 2, instrument=1), using).rejected == {}


def test_a_busy_feeds_trade_is_a_duplicate_as_long_as_it_is_not_late() -> None:
    count = 50_000
    ts = MIDNIGHT - LATE_MS + np.arange(count, dtype=np.int64) * LATE_MS // count
    none, price = np.full(count, NAN), np.full(count, 5.0)
    who = np.zeros(count, dtype=np.int64)
    batch = TickBatch(who, ts, ts.astype(np.float64), price, price, none, none, np.arange(count, dtype=np.int64))
    using = checker()
    assert check(batch, using).rejected == {}
    assert check(batch, using).rejected == {"duplicate": count}


def test_a_feed_without_trade_ids_has_no_duplicates() -> None:
    assert check(ticks(*[(0, MIDNIGHT, 5.0)] * 3)).rejected == {}


def test_the_id_of_a_refused_tick_is_not_seen_so_a_good_one_with_it_is_accepted() -> None:
    using = checker()
    check(ticks((0, MIDNIGHT, NAN), ids=[1]), using)
    assert check(trades(1), using).rejected == {}


def test_in_a_new_pass_trade_ids_may_come_again_and_lateness_goes_on() -> None:
    using = checker()
    check(trades(1, 2), using)
    using.new_pass()
    assert check(trades(1, 2), using).rejected == {}
    assert check(ticks((0, MIDNIGHT - LATE_MS - 1, 5.0), ids=[3]), using).rejected == {"late": 1}


def test_after_a_reset_nothing_was_seen_before() -> None:
    using = checker()
    check(trades(1), using)
    using.reset()
    checked = check(ticks((0, MIDNIGHT - 10 * LATE_MS, 50.0), ids=[1]), using)
    assert (checked.rejected, checked.outliers) == ({}, 0)


# -- outliers and batches --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prices", "outliers"), [([100.0, 120.0], 0), ([100.0, 120.1], 1), ([100.0, 79.9], 1), ([100.0, 500.0, 100.0], 2)]
)
@pytest.mark.parametrize("together", [True, False])
def test_a_jump_by_more_than_a_fifth_is_counted_and_kept(prices: list[float], outliers: int, together: bool) -> None:
    assert OUTLIER == 0.2
    using = checker()
    rows = [(0, MIDNIGHT, price) for price in prices]
    found = [check(ticks(*part), using) for part in ([rows] if together else [[row] for row in rows])]
    assert sum(checked.outliers for checked in found) == outliers
    assert sum(len(checked.accepted) for checked in found) == len(prices)


rows = st.tuples(
    st.integers(-1, 2),
    st.sampled_from([-200_000, -60_001, -60_000, -1, 0, 1, 4_999, 5_000, 5_001, 200_000]),
    st.sampled_from([NAN, INF, -1.0, 0.0, 5.0, 5.5, 9.0]),
    st.sampled_from([NAN, -1.0, 0.0, 1.0, INF]),
    st.sampled_from([NAN, 4.0, 5.0]),
    st.sampled_from([NAN, 4.0, 5.0, -1.0]),
    st.integers(1, 8),
)


@given(st.lists(rows, max_size=40))
@settings(max_examples=300, deadline=None)
def test_a_batch_is_split_as_its_ticks_would_be_one_by_one(drawn: list[tuple[float, ...]]) -> None:
    # The same id means the same trade, and so the same time.
    stamps = {(row[0], row[6]): MIDNIGHT + row[1] for row in reversed(drawn)}
    made = [(row[0], stamps[row[0], row[6]], *row[2:6]) for row in drawn]
    ids = [int(row[6]) for row in drawn]
    whole = check(ticks(*made, ids=ids))
    single, refused, kept = checker(), Counter[str](), []
    for row, number in zip(made, ids, strict=True):
        checked = check(ticks(row, ids=[number]), single)
        refused.update(checked.rejected)
        kept += checked.accepted.ts.tolist()
    assert whole.rejected == dict(refused)
    assert whole.accepted.ts.tolist() == kept
    assert len(kept) + sum(refused.values()) == len(drawn)
