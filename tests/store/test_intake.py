"""The way in: what a feed reports is checked, counted by reason, appended; its signs of life are kept."""

from __future__ import annotations

import pytest

from dashboard.clock import ManualClock
from dashboard.market.quality import REASONS, Checker
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
