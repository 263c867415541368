"""Feeds in virtual time: waiting moves the clock, so that an hour of a market passes at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.clock import ManualClock
from dashboard.feeds.replay import Replay
from dashboard.market.quality import Checker
from dashboard.market.ticks import TickBatch
from dashboard.store.intake import Intake
from dashboard.store.memory import MemoryStore
from dashboard.telemetry import Telemetry

#: 2024-07-01T12:00:00.250Z, a Monday.
NOW = 1_719_835_200_250.0


class Turning(threading.Event):
    """An event whose waiting takes no time but the clock's; `until` ms after its making it is set."""

    def __init__(self, clock: ManualClock, until: float = 3_600_000.0) -> None:
        super().__init__()
        self.clock, self.end = clock, clock.now_ms() + until
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        if not self.is_set():
            self.waits.append(timeout)
            self.clock.advance(timeout * 1000)
            if self.clock.now_ms() >= self.end:
                self.set()
        return self.is_set()


@dataclass
class Notes:
    """A sink that writes down what it is told; `on_tick` may look at the moment, or stop the feed."""

    on_tick: Callable[[TickBatch], object] = lambda _batch: None
    batches: list[TickBatch] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    bad: int = 0

    def ticks(self, batch: TickBatch) -> None:
        self.batches.append(batch)
        self.told.append("ticks")
        self.on_tick(batch)

    def alive(self) -> None:
        self.told.append("alive")

    def unreadable(self, count: int) -> None:
        self.bad += count

    def new_pass(self) -> None:
        self.told.append("new pass")

    def restart(self) -> None:
        self.told.append("restart")

    def column(self, name: str) -> list[Any]:
        """All values of a column, over all batches."""
        return [] if not self.batches else np.concatenate([getattr(each, name) for each in self.batches]).tolist()


def replay_of(path: Path, **given: Any) -> Replay:
    """A replay with the settings' defaults, but in original time, at a clock of its own."""
    usual = {"symbol": None, "speed": 1.0, "loop": False, "times": "original", "columns": {}}
    return Replay(str(path), **{**usual, "clock": ManualClock(NOW), **given})


def played(path: Path, **given: Any) -> Notes:
    """Everything that a replay at top speed tells."""
    notes = Notes()
    replay_of(path, **{"speed": "max", **given}).run(notes, threading.Event())
    return notes


@dataclass
class Line:
    """A replay with the real way in and a real store behind it."""

    replay: Replay
    store: MemoryStore
    intake: Intake

    def quarantined(self, reason: str) -> int:
        sample = self.intake.telemetry.registry.get_sample_value
        return int(sample("dashboard_ticks_quarantined_total", {"reason": reason}) or 0)


def line_of(path: Path, **given: Any) -> Line:
    """A replay at top speed and a store for its instruments."""
    replay = replay_of(path, **{"speed": "max", **given})
    assert isinstance(replay.clock, ManualClock)
    store = MemoryStore(replay.catalogue, clock=replay.clock, budget_mb=64)
    checker = Checker(len(replay.catalogue), 60_000, 5_000)
    intake = Intake(store, checker, replay.name, Telemetry(), replay.clock, replay.market_now_ms)
    return Line(replay, store, intake)
