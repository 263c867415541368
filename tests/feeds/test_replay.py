"""The pace and the times of a replay: its own market clock, shifted and original times, loops, and breaks."""

from __future__ import annotations

import gzip
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from dashboard.clock import ManualClock
from dashboard.errors import FeedError
from dashboard.feeds.replay import Replay
from dashboard.market.ticks import TickBatch
from tests.feeds.making import NOW, Notes, Turning, line_of, played, replay_of
from tests.market.making import by_start

START = 1_610_064_000_000
MINUTE_MS = 60_000


def trades(folder: Path, *seconds: float, name: str = "btcusdt.csv", header: str = "time,id,price,size") -> Path:
    """A file of trades at these seconds after START, numbered from 1, each with its number as price and size 1."""
    lines = [f"{START / 1000 + at:.3f},{number},{number},1" for number, at in enumerate(seconds, 1)]
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def virtual(replay: Replay, notes: Notes, until: float = 3_600_000.0) -> Turning:
    """Run a replay to its end in virtual time."""
    assert isinstance(replay.clock, ManualClock)
    stop = Turning(replay.clock, until)
    replay.run(notes, stop)
    return stop


# -- pace ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [0.5, 1.0, 10.0])
def test_rows_come_as_far_apart_as_in_the_file_divided_by_the_speed(tmp_path: Path, speed: float) -> None:
    seconds = [0.0, 0.25, 1.0, 1.0, 100.0]
    replay = replay_of(trades(tmp_path, *seconds), speed=speed)
    notes = Notes()
    virtual(replay, notes)
    received = [(at - NOW) / 1000 * speed for at in notes.column("received")]
    assert received == pytest.approx(seconds, abs=0.01 * speed)
    assert [len(batch) for batch in notes.batches] == [1, 1, 2, 1]


def test_its_market_clock_runs_with_the_rows_stops_at_its_end_and_never_goes_back(tmp_path: Path) -> None:
    replay, times = replay_of(trades(tmp_path, 0, 10, 5, 20)), list[float]()
    notes = Notes(on_tick=lambda _batch: times.append(replay.market_now_ms()))
    assert replay.market_now_ms() == START
    virtual(replay, notes)
    assert times == pytest.approx([START, START + 10_000, START + 20_000], abs=10)
    assert [len(batch) for batch in notes.batches] == [1, 2, 1]
    assert isinstance(replay.clock, ManualClock)
    replay.clock.advance(MINUTE_MS)
    assert replay.market_now_ms() == START + 20_000


def test_it_says_that_it_is_alive_at_least_once_a_second_through_a_hole_in_the_file(tmp_path: Path) -> None:
    replay, notes = replay_of(trades(tmp_path, 0, 60)), Notes()
    stop = virtual(replay, notes)
    assert notes.told.count("alive") >= 60
    assert max(stop.waits) <= 1.0


def test_a_lone_time_far_ahead_does_not_hold_the_replay_up_and_is_left_to_the_checks(tmp_path: Path) -> None:
    replay, notes = replay_of(trades(tmp_path, 0, 1, 90_000, 2, 3)), Notes()
    virtual(replay, notes)
    assert notes.column("received")[-1] - NOW == pytest.approx(3_000, abs=10)
    line = line_of(trades(tmp_path, 0, 1, 90_000, 2, 3))
    line.replay.run(line.intake, threading.Event())
    assert (line.store.seq, line.quarantined("future")) == (4, 1)


def test_a_reader_that_was_held_up_goes_on_from_there_at_the_same_pace(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    replay = replay_of(trades(tmp_path, *range(10)), clock=clock)
    notes = Notes(on_tick=lambda _batch: clock.advance(60_000) if len(notes.batches) == 3 else None)
    virtual(replay, notes)
    gaps = np.diff([batch.received[0] for batch in notes.batches])
    assert gaps[2] >= 60_000
    assert np.delete(gaps, 2) == pytest.approx(1_000, abs=20)


def test_it_stops_when_it_is_told_to_without_another_row(tmp_path: Path) -> None:
    stop = threading.Event()
    notes = Notes(on_tick=lambda _batch: stop.set())
    replay_of(trades(tmp_path, 0, 1, 2), loop=True, speed=1000).run(notes, stop)
    assert len(notes.batches) == 1


# -- times -----------------------------------------------------------------------------------------------------------


def test_original_times_stay_and_shifted_ones_begin_less_than_a_minute_before_now(tmp_path: Path) -> None:
    path = trades(tmp_path, 0.123, 1, 70)
    original, shifted = played(path).column("ts"), played(path, times="shifted").column("ts")
    assert original == [START + 123, START + 1_000, START + 70_000]
    distance = shifted[0] - original[0]
    assert distance % MINUTE_MS == 0
    assert NOW - MINUTE_MS < shifted[0] <= NOW
    assert [ts - distance for ts in shifted] == original


def test_bars_are_shifted_by_whole_lengths_of_theirs(tmp_path: Path) -> None:
    path = tmp_path / "hours.csv"
    rows = [f"2022-01-01T{hour:02}:00:00Z,1,1,1,1,1" for hour in range(5)]
    path.write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    source = played(path, times="shifted").batches[0].bars
    assert source is not None
    assert source.start[0] % 3_600_000 == 0
    assert NOW - 3_600_000 < source.start[0] <= NOW


def test_a_loop_in_shifted_time_goes_on_in_time_and_its_ids_may_come_again(tmp_path: Path) -> None:
    path = trades(tmp_path, 0.5, 61)
    stop = threading.Event()
    notes = Notes(on_tick=lambda _batch: stop.set() if len(notes.batches) == 3 else None)
    replay_of(path, loop=True, times="shifted", speed="max").run(notes, stop)
    told = [each for each in notes.told if each != "alive"]
    assert told == ["ticks", "new pass", "ticks", "new pass", "ticks"]
    ts = notes.column("ts")
    assert ts == sorted(ts)
    assert np.diff(ts).tolist() == [60_500, 59_500, 60_500, 59_500, 60_500]

    stop.clear()
    line = line_of(path, loop=True, times="shifted")
    line.store.add_listener(_StopAfter(6, stop))
    line.replay.run(line.intake, stop)
    assert (line.store.seq, line.quarantined("duplicate"), line.quarantined("late")) == (6, 0, 0)


def test_a_loop_in_original_time_begins_a_new_epoch_with_the_same_times(tmp_path: Path) -> None:
    stop = threading.Event()
    line = line_of(trades(tmp_path, 0, 10), loop=True)
    follower = _StopAfter(2, stop, epochs=3)
    line.store.add_listener(follower)
    line.replay.run(line.intake, stop)
    assert len(set(follower.epochs)) == len(follower.epochs) == 3
    assert line.store.seq == 2
    assert line.store.ticks(0).rows[:, 5].tolist() == [START, START + 10_000]


class _StopAfter:
    """Stops a replay at a sequence number, of the epoch with the number `epochs`."""

    def __init__(self, seq: int, stop: threading.Event, epochs: int = 1) -> None:
        self.seq, self.stop, self.wanted = seq, stop, epochs
        self.epochs: list[str] = []

    def on_change(self, change: object) -> None:
        self.epochs = list(dict.fromkeys([*self.epochs, change.epoch]))
        if change.seq >= self.seq and len(self.epochs) == self.wanted:
            self.stop.set()

    def on_epoch(self, epoch: str) -> None:
        """A change says it too."""


def test_without_a_loop_it_ends_with_the_file(tmp_path: Path) -> None:
    line = line_of(trades(tmp_path, 0, 10))
    stop = threading.Event()
    line.replay.run(line.intake, stop)
    assert (line.store.seq, stop.is_set()) == (2, False)
    assert line.replay.market_now_ms() == START + 10_000
    assert list(line.replay.history()) == []


# -- breaks ----------------------------------------------------------------------------------------------------------


def test_a_run_after_a_break_goes_on_behind_the_rows_that_were_reported(tmp_path: Path) -> None:
    path = trades(tmp_path, *range(8))
    second = f"{START // 1000 + 1}.000,"
    path.write_text(path.read_text().replace(second, f"rubbish\n{second}"))

    replay, notes = replay_of(path), Notes()
    seen, broken = list[float](), list[float]()

    def once(batch: TickBatch) -> None:
        if batch.price[0] in (3.0, 6.0) and batch.price[0] not in broken:
            broken.append(float(batch.price[0]))
            raise FeedError("the line is cut")
        seen.extend(batch.price.tolist())

    notes.on_tick = once
    for _ in range(2):
        with pytest.raises(FeedError):
            virtual(replay, notes)
    virtual(replay, notes)
    assert seen == [float(number) for number in range(1, 9)]
    assert notes.bad == 1


def test_a_truncated_file_that_is_tried_again_and_again_reports_no_trade_twice(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    lines = [f"{START // 1000 + at // 50},5,0.{random.integers(10**8, 10**9)}" for at in range(2_000)]
    packed = gzip.compress(("time,price,size\n" + "\n".join(lines)).encode())
    path = tmp_path / "kraken.csv.gz"
    path.write_bytes(packed[: len(packed) // 2])
    line = line_of(path)
    reported: list[int] = []
    for _ in range(3):
        with pytest.raises(FeedError):
            line.replay.run(line.intake, threading.Event())
        reported.append(line.store.seq)
    assert reported[0] > 500
    assert reported == [reported[0]] * 3


def test_rows_of_a_pipe_come_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    got = threading.Semaphore(0)
    notes = Notes(on_tick=lambda _batch: got.release())

    def reading() -> None:
        replay_of(path, speed="max").run(notes, threading.Event())

    reader = threading.Thread(target=reading, daemon=True)
    reader.start()
    with path.open("w") as pipe:
        pipe.write("time,price\n1610064000,5\n")
        pipe.flush()
        assert got.acquire(timeout=8)
        for blank in ("\n", "\r\n\n"):  # the end of what was written, not of the table
            pipe.write(blank)
            pipe.flush()
            time.sleep(0.05)
        pipe.write("1610064001,6\n")
        pipe.flush()
        assert got.acquire(timeout=8)
    reader.join(8)
    assert not reader.is_alive()
    assert notes.column("price") == [5.0, 6.0]


# -- into the store --------------------------------------------------------------------------------------------------


def test_quotes_have_neither_volume_nor_trades_in_their_bars(tmp_path: Path) -> None:
    path = tmp_path / "usdjpy.csv"
    path.write_text("time,bid,ask\n1610064000,1,3\n1610064000.5,3,3\n1610064001,4,3\n")
    line = line_of(path)
    line.replay.run(line.intake, threading.Event())
    assert line.quarantined("crossed") == 1
    (bar,) = by_start(line.store.bars(0, 0).rows).values()
    assert bar[:6] == (2.0, 3.0, 2.0, 3.0, 0.0, 0.0)


def test_unreadable_lines_are_counted_in_prometheus(tmp_path: Path) -> None:
    path = trades(tmp_path, 0, 1)
    path.write_text(path.read_text() + "rubbish\nmore,of,it\n")
    line = line_of(path)
    line.replay.run(line.intake, threading.Event())
    assert (line.quarantined("unreadable"), line.store.seq) == (2, 2)
