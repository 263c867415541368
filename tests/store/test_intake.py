"""The way in: what a feed reports is checked, counted by reason, appended; its signs of life are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.clock import ManualClock
from dashboard.market.quality import LARGEST, REASONS, Checker
from dashboard.store.freshness import ages, stale_after_ms
from dashboard.store.intake import Intake
from dashboard.store.memory import MemoryStore
from dashboard.telemetry import Telemetry
from tests.market.making import MIDNIGHT, NAN, ticks
from tests.store.making import Diary, give, store_of


def intake_of(store: MemoryStore) -> Intake:
    """An intake over `store` whose market's clock is the store's."""
    assert isinstance(store.clock, ManualClock)
    checker = Checker(len(store.catalogue), 60_000, 5_000)
    return Intake(store, checker, "test", Telemetry(), store.clock, store.clock.now_ms)


def counted(intake: Intake, reason: str) -> float | None:
    """What Prometheus is told of a reason."""
    return intake.telemetry.registry.get_sample_value("dashboard_ticks_quarantined_total", {"reason": reason})


def test_each_reason_of_the_contract_is_counted_in_prometheus_and_nothing_bad_reaches_the_store() -> None:
    store = store_of()
    intake = intake_of(store)
    assert [counted(intake, reason) for reason in REASONS] == [0.0] * len(REASONS)
    now = MIDNIGHT
    bad = {
        "unknown": (-1, now, 5.0),
        "nan": (0, now, NAN),
        "price": (0, now, -5.0),
        "crossed": (0, now, 5.0, 1.0, 6.0, 5.0),
        "future": (0, now + 5_001, 5.0),
        "late": (0, now - 60_001, 5.0),
        "duplicate": (0, now, 5.0),
    }
    intake.ticks(ticks((0, now, 5.0), *bad.values(), ids=[1, 2, 3, 4, 5, 6, 7, 1]))
    intake.unreadable(3)
    assert {reason: counted(intake, reason) for reason in REASONS} == dict.fromkeys(bad, 1.0) | {"unreadable": 3.0}
    sample = intake.telemetry.registry.get_sample_value
    assert sample("dashboard_ticks_total", {"feed": "test"}) == 1.0
    assert store.seq == len(store.ticks(0).rows) == 1


def test_a_batch_without_a_good_tick_is_no_step_of_the_store() -> None:
    store, diary = store_of(), Diary()
    store.add_listener(diary)
    intake_of(store).ticks(ticks((0, MIDNIGHT, NAN)))
    assert (store.seq, diary.told) == (0, [])


def test_outliers_are_counted_and_kept() -> None:
    store = store_of()
    intake = intake_of(store)
    intake.ticks(ticks((0, MIDNIGHT, 5.0), (0, MIDNIGHT, 50.0)))
    assert intake.telemetry.registry.get_sample_value("dashboard_ticks_outliers_total") == 1.0
    assert store.last().price[0] == 50.0


def test_a_restart_begins_an_epoch_in_which_nothing_was_seen_before_and_a_new_pass_only_forgets_ids() -> None:
    store = store_of()
    intake = intake_of(store)
    intake.ticks(ticks((0, MIDNIGHT, 5.0), ids=[1]))
    epoch = store.epoch
    intake.new_pass()
    intake.ticks(ticks((0, MIDNIGHT, 5.0), (0, MIDNIGHT - 60_001, 5.0), ids=[1, 2]))
    assert (store.epoch, store.seq, counted(intake, "late")) == (epoch, 2, 1.0)
    intake.restart()
    assert (store.epoch == epoch, store.seq) == (False, 0)
    intake.ticks(ticks((0, MIDNIGHT - 60_001, 5.0), ids=[1]))
    assert store.seq == 1
    assert counted(intake, "duplicate") == 0.0


def test_ticks_and_signs_of_life_are_reports() -> None:
    store = store_of()
    intake = intake_of(store)
    assert isinstance(store.clock, ManualClock)
    assert intake.last_report_ms == 0.0
    intake.alive()
    assert intake.last_report_ms == MIDNIGHT
    store.clock.advance(500)
    intake.ticks(ticks((0, MIDNIGHT, NAN)))
    assert intake.last_report_ms == MIDNIGHT + 500


# -- freshness -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("interval", "limit"), [(0.0, 2_000.0), (500.0, 2_000.0), (1_000.0, 3_000.0)])
def test_a_price_is_stale_over_the_larger_of_two_seconds_and_three_intervals(interval: float, limit: float) -> None:
    store = store_of()
    give(store, (0, 0, 5.0), received=MIDNIGHT)
    last = store.last()
    assert stale_after_ms(interval) == limit
    for age, stale in ((limit, False), (limit + 1, True)):
        found, old = ages(last, MIDNIGHT + age, interval_ms=interval, silence_is_stale=True, alive_ms=MIDNIGHT + age)
        assert (found[0], old[0]) == (age, stale)
        assert found[1] != found[1]
        assert old[1]


def test_the_age_counts_from_the_receipt_and_in_a_replay_from_its_last_sign_of_life() -> None:
    store = store_of()
    give(store, (0, -90_000, 5.0), received=MIDNIGHT)
    now, alive = MIDNIGHT + 10_000, MIDNIGHT + 9_000
    found, old = ages(store.last(), now, interval_ms=0, silence_is_stale=False, alive_ms=alive)
    assert (found[0], old[0]) == (1_000.0, False)
    assert old[1]
    found, old = ages(store.last(), now, interval_ms=0, silence_is_stale=True, alive_ms=alive)
    assert (found[0], old[0]) == (10_000.0, True)


# -- anything at all -------------------------------------------------------------------------------------------------

#: Before and after all times.
DAY_MS, FOR_EVER = 86_400_000, 2**62
numbers = st.sampled_from(
    [NAN, float("inf"), float("-inf"), 0.0, -0.0, -1.0, 1e308, -1e308, 5e-324, LARGEST, 2 * LARGEST, 5.0]
)
wild = st.tuples(
    st.sampled_from([-(2**40), -1, 0, 1, 2, 3, 2**40]),
    st.sampled_from([-FOR_EVER, -DAY_MS, -60_001, -60_000, 0, 5_000, 5_001, DAY_MS, FOR_EVER]),
    numbers,
    numbers,
    numbers,
    numbers,
)


def is_good(row: tuple[float, ...], newest: float) -> bool:
    """What the contract says of one tick, in plain words; `newest` is its instrument's newest event time."""
    who, ms, price, size, bid, ask = row
    some = [value for value in (size, bid, ask) if value == value]
    return (
        0 <= who < 3
        and all(abs(value) <= LARGEST for value in (price, *some))
        and price > 0
        and not (size < 0 or bid <= 0 or ask <= 0 or bid > ask)
        and abs(ms) < FOR_EVER
        and newest - 60_000 <= ms <= 5_000
    )


@given(st.lists(st.lists(wild, min_size=1, max_size=6), min_size=1, max_size=6))
@settings(max_examples=80, deadline=None)
def test_bad_ticks_of_any_kind_are_all_counted_raise_nothing_and_each_next_good_one_passes(
    batches: list[list[tuple[float, ...]]],
) -> None:
    store, diary = store_of(), Diary()
    store.add_listener(diary)
    intake = intake_of(store)
    newest = dict.fromkeys(range(3), -np.inf)
    wanted: list[tuple[float, ...]] = []
    refused = sent = 0
    for batch in batches:
        # A good tick of every instrument follows the wild ones.
        rows = [*batch, *((who, 0, 7.0, 1.0, 6.0, 8.0) for who in range(3))]
        sent += len(rows)
        made = ticks(*((0, MIDNIGHT, *row[2:]) for row in rows))
        made.instrument[:] = [int(row[0]) for row in rows]
        made.ts[:] = [int(row[1]) if abs(row[1]) == FOR_EVER else MIDNIGHT + int(row[1]) for row in rows]
        intake.ticks(made)
        for row in rows:
            if is_good(row, newest.get(int(row[0]), -np.inf)):
                newest[int(row[0])] = max(newest[int(row[0])], row[1])
                wanted.append((row[0], row[2]))
            else:
                refused += 1
        assert (store.last().price == 7.0).all() or max(newest.values()) > 0
    found = [
        (int(who), price)
        for change in diary.changes
        if change.batch is not None
        for who, price in zip(change.batch.instrument.tolist(), change.batch.price.tolist(), strict=True)
    ]
    assert found == wanted
    assert sum(counted(intake, reason) or 0 for reason in REASONS) == refused
    sample = intake.telemetry.registry.get_sample_value("dashboard_ticks_total", {"feed": "test"})
    assert sample == len(wanted) == store.seq == sent - refused
    for who in range(3):
        for timeframe in range(8):
            rows_of = store.bars(who, timeframe).rows
            assert np.isfinite(rows_of).all()
            assert ((rows_of[:, 3] <= rows_of[:, 1]) & (rows_of[:, 4] <= rows_of[:, 2])).all()


@given(wild)
@settings(max_examples=120, deadline=None)
def test_a_batch_of_one_bad_tick_is_judged_as_the_contract_says(row: tuple[float, ...]) -> None:
    store = store_of()
    intake = intake_of(store)
    made = ticks((0, MIDNIGHT, *row[2:]))
    made.instrument[0] = int(row[0])
    made.ts[0] = int(row[1]) if abs(row[1]) == FOR_EVER else MIDNIGHT + int(row[1])
    intake.ticks(made)
    assert (store.seq == 1) == is_good(row, -np.inf)
