"""The simulated market: the seed decides, the clock only dates; the history ends where the live stream begins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.clock import ManualClock
from dashboard.feeds.base import HistoryBlock
from dashboard.feeds.simulator import WINDOWS, Simulator
from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.market.instruments import SESSIONS, catalogue
from dashboard.market.quality import Checker
from dashboard.store.memory import MemoryStore
from tests.feeds.making import NOW, Notes, Turning
from tests.market.making import BarsByStart, by_start, merged

DAY_MS, HOUR_MS = 86_400_000, 3_600_000


def simulator(seed: int = 7, now: float = NOW, symbols: str = "AAPL,BTC-USD,GOLD", **given: object) -> Simulator:
    """A small market with a clock of its own."""
    return Simulator(catalogue(symbols), **{"seed": seed, "tick_ms": 1000, "clock": ManualClock(now), **given})


def live(feed: Simulator, seconds: float = 60.0) -> Notes:
    """What the market reports in so many seconds of its clock."""
    assert isinstance(feed.clock, ManualClock)
    notes = Notes()
    feed.run(notes, Turning(feed.clock, seconds * 1000))
    return notes


def history(feed: Simulator, instrument: int = 0) -> list[BarsByStart]:
    """The bars of one instrument in each timeframe (flags are 0, for the shape)."""
    found: list[BarsByStart] = [{} for _ in TIMEFRAMES]
    for block in feed.history():
        row = np.flatnonzero(block.instrument == instrument)
        if len(row):
            bars = block.bars[row[0]]
            found[block.timeframe] = by_start(np.column_stack((block.start, bars, np.zeros(len(bars)))))
    return found


# -- the clock -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_ms", [-HOUR_MS, HOUR_MS])
def test_a_wall_clock_that_is_set_neither_stops_the_market_nor_turns_its_time_back(by_ms: int) -> None:
    feed = simulator()
    before = live(feed, 20).batches
    assert isinstance(feed.clock, ManualClock)
    feed.clock.set_wall(by_ms)
    after = live(feed, 20).batches
    assert len(after) >= 10
    assert after[0].ts[0] > before[-1].ts[0]


# -- the seed --------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_steps_whatever_the_clock_and_the_history() -> None:
    first, second = simulator(now=NOW), simulator(now=NOW + 123_456_789.5)
    list(second.history())
    for _ in range(200):
        for one, other in zip(first.step(), second.step(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_same_seed_gives_the_same_live_reports_dated_by_the_clock() -> None:
    later = 10 * DAY_MS
    first, second = live(simulator(now=NOW)), live(simulator(now=NOW + later))
    for name in ("instrument", "price", "size", "bid", "ask"):
        assert first.column(name) == second.column(name)
    assert [ts + later for ts in first.column("ts")] == second.column("ts")


def test_another_seed_gives_another_market() -> None:
    assert live(simulator(seed=1)).column("price") != live(simulator(seed=2)).column("price")


def test_the_same_seed_at_the_same_moment_gives_the_same_history() -> None:
    assert history(simulator()) == history(simulator())


# -- what it reports -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tick_ms", [10, 1_000, 60_000])
def test_steps_come_at_the_set_mean_distance_with_jitter_and_every_instrument_in_one_batch(tick_ms: int) -> None:
    feed = simulator(tick_ms=tick_ms)
    notes = live(feed, tick_ms * 1.0)
    steps = [feed.step()[0] for _ in range(2_000)]
    assert min(steps) >= tick_ms * 0.5
    assert max(steps) <= tick_ms * 1.5
    assert np.mean(steps) == pytest.approx(tick_ms, rel=0.05)
    assert np.std(steps) > 0.1 * tick_ms
    assert all(batch.instrument.tolist() == [0, 1, 2] and len(set(batch.ts.tolist())) == 1 for batch in notes.batches)


def test_everything_it_reports_passes_the_checks_and_lies_on_the_instruments_decimals() -> None:
    feed = simulator(symbols="catalogue:60", tick_ms=250)
    checker = Checker(60, 60_000, 5_000)
    notes = live(feed, 120)
    assert len(notes.batches) > 300
    before = 0
    for batch in notes.batches:
        assert checker.check(batch, batch.received[0]).rejected == {}
        assert batch.ts[0] >= before
        before = batch.ts[0]
        for at, each in enumerate(feed.catalogue):
            for value in (batch.price[at], batch.bid[at], batch.ask[at]):
                assert round(float(value), each.decimals) == value, "the float nearest to its decimals"
        assert (batch.bid <= batch.price).all()
        assert (batch.price <= batch.ask).all()
        assert (batch.size > 0).all()


def test_a_machine_that_slept_goes_on_from_the_present_without_the_steps_in_between() -> None:
    feed = simulator()
    assert isinstance(feed.clock, ManualClock)
    clock = feed.clock
    notes = Notes(on_tick=lambda _batch: clock.advance(600_000) if len(notes.batches) == 5 else None)
    feed.run(notes, Turning(clock, 660_000))
    distances = np.diff([batch.ts[0] for batch in notes.batches])
    assert np.flatnonzero(distances > 590_000).tolist() == [4]
    assert (np.delete(distances, 4) < 3_100).all()
    assert len(notes.batches) < 80


# -- opening hours ---------------------------------------------------------------------------------------------------


def test_with_opening_hours_only_instruments_whose_session_is_open_tick() -> None:
    monday = NOW - NOW % DAY_MS
    feed = simulator(now=monday + 13.5 * HOUR_MS - 60_000, opening_hours=True)
    assert feed.catalogue[0].session == SESSIONS["stock"]
    notes = live(feed, 120)
    for batch in notes.batches:
        open_now = [at for at, each in enumerate(feed.catalogue) if each.session.is_open(batch.received[0])]
        assert batch.instrument.tolist() == open_now
    assert {len(batch) for batch in notes.batches} == {2, 3}


def test_while_everything_is_closed_the_market_says_that_it_is_alive_and_reports_nothing() -> None:
    notes = live(simulator(now=NOW - DAY_MS, symbols="AAPL,GOLD", opening_hours=True), 10)
    assert notes.batches == []
    assert notes.told.count("alive") > 5


def test_opening_hours_change_nothing_of_the_prices() -> None:
    whole = live(simulator(now=NOW - DAY_MS))
    hours = live(simulator(now=NOW - DAY_MS, opening_hours=True))
    assert [batch.price[1] for batch in whole.batches] == hours.column("price")


# -- history ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 400 * DAY_MS), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_longer_bars_of_the_history_are_the_merged_shorter_ones_wherever_both_exist(later: int, seed: int) -> None:
    bars = history(simulator(seed=seed, now=NOW + later), seed % 3)
    for short in range(len(TIMEFRAMES)):
        for long in range(short + 1, len(TIMEFRAMES)):
            ms, first = TIMEFRAMES[long].ms, min(bars[short])
            wanted = {start: bar[:6] for start, bar in bars[long].items() if start >= first}
            found = {start: bar for start, bar in merged(bars[short], ms).items() if start >= first}
            assert found == wanted, (TIMEFRAMES[short].name, TIMEFRAMES[long].name)
            assert max(bars[long]) == max(bars[short]) // ms * ms


@given(st.integers(0, 400 * DAY_MS), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_bars_of_the_history_go_on_from_each_other_and_end_with_the_price_the_live_stream_goes_on_from(
    later: int, seed: int
) -> None:
    feed = simulator(seed=seed, now=NOW + later)
    now = int(feed.clock.now_ms())
    for at, price in enumerate(feed.price.tolist()):
        for timeframe, bars in enumerate(history(simulator(seed=seed, now=NOW + later), at)):
            starts = list(bars)
            length = TIMEFRAMES[timeframe].ms
            assert starts == sorted(starts)
            assert all(start % length == 0 for start in starts)
            assert starts[-1] <= now < starts[-1] + length
            assert bars[starts[-1]][3] == price
            for before, after in pairwise(starts):
                assert after == before + length
                assert bars[after][0] == bars[before][3]
            for open_, high, low, close, volume, trades, _flags in bars.values():
                assert 0 < low <= min(open_, close) <= max(open_, close) <= high
                assert volume > 0
                assert trades > 0


def test_the_history_goes_back_as_far_as_it_should() -> None:
    bars = history(simulator())
    for name, back in WINDOWS:
        assert min(bars[TIMEFRAME_INDEX[name]]) <= NOW - back


def test_a_large_catalogue_gets_a_shorter_history_in_the_same_shape() -> None:
    feed = simulator(symbols="catalogue:700")
    blocks: list[HistoryBlock] = list(feed.history())
    assert sorted({at for block in blocks for at in block.instrument.tolist()}) == list(range(700))
    assert {block.timeframe for block in blocks} == set(range(len(TIMEFRAMES)))
    minute = TIMEFRAME_INDEX["1m"]
    shorter = {len(block.start) for block in blocks if block.timeframe == minute}
    assert 0 < max(shorter) < len(history(simulator())[minute])
    for block in blocks:
        np.testing.assert_array_equal(block.bars[:, -1, 3], feed.price[block.instrument])


def test_live_ticks_over_the_history_keep_the_longer_bars_the_merged_shorter_ones() -> None:
    feed = simulator(now=NOW - NOW % DAY_MS + DAY_MS - 30_000)
    assert isinstance(feed.clock, ManualClock)
    store = MemoryStore(feed.catalogue, clock=feed.clock, budget_mb=64)
    store.load_history(feed.history())
    assert store.last().price.tolist() == feed.price.tolist()
    feed.run(Notes(on_tick=store.append), Turning(feed.clock, 90_000))
    assert store.seq > 200
    for who in range(3):
        bars = [by_start(store.bars(who, timeframe).rows) for timeframe in range(len(TIMEFRAMES))]
        for timeframe, frame in enumerate(TIMEFRAMES[1:], 1):
            first = -(-min(bars[0]) // frame.ms) * frame.ms
            wanted = {start: bar[:6] for start, bar in bars[timeframe].items() if start >= first}
            found = {start: bar for start, bar in merged(bars[0], frame.ms).items() if start >= first}
            assert found.keys() == wanted.keys()
            for start, bar in found.items():
                assert bar == pytest.approx(wanted[start])
        days = list(bars[-1].values())
        assert store.last().previous_close[who] == days[-2][3]
