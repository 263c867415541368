"""A feed is kept running: breaks are logged, counted, tried again with growing delay, and marked in the bars."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from dashboard.clock import ManualClock
from dashboard.config import Settings, load_settings
from dashboard.errors import ConfigurationError, FeedError
from dashboard.feeds.base import HistoryBlock, Sink
from dashboard.feeds.registry import make_feed
from dashboard.feeds.supervisor import FIRST_DELAY_S, HEALTHY_S, LONGEST_DELAY_S, Supervisor
from dashboard.market.bars import Flag
from dashboard.market.book import BarBook
from dashboard.market.instruments import catalogue
from dashboard.market.quality import Checker
from dashboard.store.intake import Intake
from dashboard.store.memory import MemoryStore
from dashboard.telemetry import Telemetry
from tests.feeds.making import Turning
from tests.market.making import MIDNIGHT, by_start, ticks

Act = Callable[[Sink, threading.Event], None]


class Scripted:
    """A feed that does the next of its acts at each run, and then ends."""

    name = kind = "scripted"
    silence_is_stale = True
    pace = 1.0
    interval_ms = 0.0

    def __init__(self, clock: ManualClock, acts: Sequence[Act]) -> None:
        self.clock, self.acts, self.began = clock, list(acts), list[float]()
        self.catalogue = catalogue("AAPL")

    def market_now_ms(self) -> float:
        return self.clock.now_ms()

    def history(self) -> Iterator[HistoryBlock]:
        return iter(())

    def run(self, sink: Sink, stop: threading.Event) -> None:
        self.began.append(self.clock.monotonic())
        if self.acts:
            self.acts.pop(0)(sink, stop)


class FeedsWaiting(Turning):
    """The waiting of the thread `feed` takes no time but the clock's; that of others is as usual."""

    def wait(self, timeout: float | None = None) -> bool:
        if threading.current_thread().name == "feed":
            return super().wait(timeout)
        return threading.Event.wait(self, timeout)


class Stage:
    """A scripted feed under a supervisor before a real store."""

    def __init__(self, *acts: Act) -> None:
        self.clock = ManualClock(MIDNIGHT)
        self.feed = Scripted(self.clock, acts)
        self.store = MemoryStore(self.feed.catalogue, clock=self.clock, budget_mb=16)
        self.telemetry = Telemetry()
        checker = Checker(1, 60_000, 5_000)
        self.intake = Intake(self.store, checker, "scripted", self.telemetry, self.clock, self.feed.market_now_ms)
        self.calls: list[tuple[str, float]] = []
        self.supervisor = Supervisor(
            self.feed,
            self.intake,
            clock=self.clock,
            telemetry=self.telemetry,
            on_connected=self._told("connected", self.store.connected),
            on_disconnected=self._told("disconnected", self.store.disconnected),
            on_clock=self.store.close_due,
        )
        self.stop = self.supervisor._stop = FeedsWaiting(self.clock)

    def _told(self, name: str, then: Callable[[float], object]) -> Callable[[float], object]:
        def told(at_ms: float) -> None:
            self.calls.append((name, at_ms - MIDNIGHT))
            then(at_ms)

        return told

    def play(self) -> Stage:
        """Run the feed to its end."""
        self.supervisor.start()
        until(lambda: self.supervisor.state.status == "ended")
        self.supervisor.stop(8)
        return self


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + 8
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.002)


def breaks(error: Exception | None = None, after_s: float = 0.0) -> Act:
    """The act of breaking off after so long."""

    def act(sink: Sink, stop: threading.Event) -> None:
        if after_s:
            stop.wait(after_s)
        raise error or FeedError("the venue hung up")

    return act


def trade(price: float) -> Act:
    """The act of reporting one trade now, and ending."""

    def act(sink: Sink, stop: threading.Event) -> None:
        assert isinstance(stop, Turning)
        sink.ticks(ticks((0, stop.clock.now_ms(), price, 1.0)))

    return act


def then(*acts: Act) -> Act:
    """Several acts in one run."""

    def act(sink: Sink, stop: threading.Event) -> None:
        for each in acts:
            each(sink, stop)

    return act


def test_a_feed_that_raises_is_logged_counted_and_tried_again_until_it_goes() -> None:
    with capture_logs() as logs:
        stage = Stage(breaks(), breaks(OSError("no route")), breaks(ZeroDivisionError())).play()
    assert len(stage.feed.began) == 4
    told = [entry["error"] for entry in logs if entry["event"] == "feed broke off"]
    assert told == ["the venue hung up", "no route", "ZeroDivisionError"]
    assert stage.telemetry.registry.get_sample_value("dashboard_feed_restarts_total") == 3.0
    state = stage.supervisor.state
    assert (state.status, state.error, state.retries) == ("ended", None, 3)


def test_the_delay_doubles_with_jitter_up_to_its_limit() -> None:
    stage = Stage(*[breaks()] * 12).play()
    waits = stage.stop.waits
    assert len(waits) == 12
    for number, wait in enumerate(waits):
        most = min(FIRST_DELAY_S * 2**number, LONGEST_DELAY_S)
        assert most / 2 <= wait <= most
    assert len({round(wait / LONGEST_DELAY_S, 6) for wait in waits[7:]}) > 1


def test_a_feed_that_was_healthy_for_long_begins_with_the_first_delay_again() -> None:
    stage = Stage(*[breaks()] * 6, breaks(after_s=HEALTHY_S + 1), breaks()).play()
    assert stage.stop.waits[5] > FIRST_DELAY_S * 8
    assert stage.stop.waits[6] == HEALTHY_S + 1
    assert stage.stop.waits[7] <= FIRST_DELAY_S


def test_the_state_says_what_is_wrong_in_one_short_sentence_while_it_waits() -> None:
    stage = Stage(breaks(FeedError("line one\n  line two " + "x" * 500)))
    seen: list[object] = []
    wait = stage.stop.wait

    def looking(timeout: float | None = None) -> bool:
        if threading.current_thread().name == "feed":
            seen.append(stage.supervisor.state)
        return wait(timeout)

    stage.stop.wait = looking
    stage.play()
    (state,) = seen
    assert state.status == "retrying"
    assert state.error.startswith("line one line two x")
    assert len(state.error) == 200


def test_the_store_is_told_of_the_break_and_of_the_return_so_that_bars_have_the_gap() -> None:
    def pause(_sink: Sink, stop: threading.Event) -> None:
        stop.wait(10.0)

    stage = Stage(then(trade(5.0), pause, trade(6.0), breaks()), then(trade(7.0), pause, trade(8.0))).play()
    (gone, gone_at), (back, back_at) = stage.calls
    assert (gone, back) == ("disconnected", "connected")
    assert gone_at == 10_000
    assert 10_250 <= back_at <= 10_500
    found = by_start(stage.store.bars(0, 0).rows)
    gaps = {start - MIDNIGHT: bool(int(bar[-1]) & Flag.GAP) for start, bar in found.items()}
    assert gaps == {0: False, 10_000: True, 20_000: False}
    assert stage.store.last().price[0] == 8.0


def test_a_feed_that_breaks_again_at_once_has_a_gap_for_each_break() -> None:
    stage = Stage(breaks(), breaks(), trade(5.0)).play()
    assert [name for name, _at in stage.calls] == ["disconnected", "connected"] * 2
    times = [at for _name, at in stage.calls]
    assert times == sorted(times)


def test_a_batch_that_the_store_could_not_take_breaks_the_feed_off_and_it_goes_on_in_a_new_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold, failures = BarBook.fold, iter([MemoryError("no room")])

    def once(book: BarBook, *arguments: Any) -> bool:
        if (failure := next(failures, None)) is not None:
            raise failure
        return fold(book, *arguments)

    monkeypatch.setattr(BarBook, "fold", once)

    def earlier(sink: Sink, _stop: threading.Event) -> None:
        sink.ticks(ticks((0, MIDNIGHT - 70_000, 7.0, 1.0), ids=[1]))

    stage = Stage(then(trade(6.0)), earlier)
    epoch = stage.store.epoch
    stage.play()
    assert stage.supervisor.state.retries == 1
    assert stage.store.epoch != epoch
    # Nothing was seen before in the new epoch: what goes back behind the batch that failed is not late.
    assert stage.store.ticks(0).rows[:, 0].tolist() == [1.0]


def test_a_store_that_cannot_mark_the_break_does_not_end_the_feed() -> None:
    seen: list[str] = []

    def unable(_at_ms: float) -> None:
        seen.append(stage.supervisor.state.status)
        raise RuntimeError("the bars can't be marked")

    stage = Stage(breaks(), trade(5.0))
    stage.supervisor.on_disconnected = unable
    with capture_logs() as logs:
        stage.play()
    assert seen == ["retrying"]
    assert stage.store.last().price[0] == 5.0
    assert stage.telemetry.registry.get_sample_value("dashboard_faults_total", {"thread": "feed"}) == 1.0
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == [
        "feed broke off",
        "marking the break failed",
    ]


def test_a_feed_that_ends_by_itself_is_not_tried_again() -> None:
    with capture_logs() as logs:
        stage = Stage(trade(5.0)).play()
    assert len(stage.feed.began) == 1
    assert stage.calls == []
    assert [entry["status"] for entry in logs if entry["event"] == "feed ended"] == ["ended"]


def test_stopping_ends_both_threads_also_while_the_feed_waits_to_be_tried_again() -> None:
    waiting, stage = threading.Event(), Stage(breaks())
    stage.supervisor._stop = stopping = _Telling(waiting)
    stage.supervisor.start()
    assert waiting.wait(8)
    stage.supervisor.stop(8)
    assert stopping.is_set()
    assert not any(thread.is_alive() for thread in stage.supervisor._threads)
    assert len(stage.feed.began) == 1


class _Telling(threading.Event):
    """An event on which the feed waits for as long as it takes, and says so."""

    def __init__(self, told: threading.Event) -> None:
        super().__init__()
        self.told = told

    def wait(self, timeout: float | None = None) -> bool:
        if threading.current_thread().name == "feed":
            self.told.set()
            return super().wait(None)
        return super().wait(timeout)


def test_the_markets_clock_closes_bars_without_another_tick_and_survives_a_failure() -> None:
    failed, release = threading.Event(), threading.Event()

    def hold(_sink: Sink, stop: threading.Event) -> None:
        assert release.wait(8)

    stage = Stage(then(trade(5.0), hold))
    close = stage.supervisor.on_clock

    def failing(at_ms: float) -> object:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("once")
        return close(at_ms)

    stage.supervisor.on_clock = failing
    stage.supervisor.start()
    assert failed.wait(8)
    until(lambda: stage.store.seq == 1)
    stage.clock.advance(1_500)
    until(lambda: bool(int(stage.store.bars(0, 0).rows[0, -1]) & Flag.CLOSED))
    release.set()
    stage.supervisor.stop(8)
    faults = stage.telemetry.registry.get_sample_value("dashboard_faults_total", {"thread": "market-clock"})
    assert faults == 1.0


# -- the registry ----------------------------------------------------------------------------------------------------


def test_the_setting_makes_the_feed_with_its_own_settings(tmp_path: Path) -> None:
    clock = ManualClock(MIDNIGHT)
    path = tmp_path / "gold.csv"
    path.write_text("when,price\n1610064000,5\n")
    feed = make_feed(settings(SYMBOLS="AAPL,V", TICK_MS="250", SEED="3"), clock)
    assert (feed.name, feed.kind, feed.catalogue.symbols) == ("simulator", "SIMULATED", ("AAPL", "V"))
    assert (feed.interval_ms, feed.silence_is_stale) == (250.0, True)
    feed = make_feed(settings(FEED=f"replay:{path}", REPLAY_COLUMNS="time=when", REPLAY_TIMES="original"), clock)
    assert (feed.name, feed.kind, feed.catalogue.symbols) == ("replay", "REPLAY", ("GOLD",))
    assert (feed.market_now_ms(), feed.silence_is_stale) == (1_610_064_000_000, False)


def test_a_feed_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match="simulator, replay:FILE"):
        make_feed(settings(FEED="nowhere"), ManualClock(MIDNIGHT))


def settings(**given: str) -> Settings:
    """Settings as from the environment, without their prefix."""
    return load_settings({f"DASHBOARD_{name}": value for name, value in given.items()}, env_file=None)
