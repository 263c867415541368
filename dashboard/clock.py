"""Clocks. Whoever needs the time is handed one, so that tests decide what time it is."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now_ms(self) -> float:
        """UTC wall clock, milliseconds since the epoch, with fraction."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow, from an arbitrary start."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> float:
        return time.time_ns() / 1e6

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until `advance` is called; safe to share between threads."""

    def __init__(self, now_ms: float = 1_700_000_000_000.0) -> None:
        self._lock = threading.Lock()
        self._now_ms = now_ms
        self._monotonic = 0.0

    def now_ms(self) -> float:
        with self._lock:
            return self._now_ms

    def monotonic(self) -> float:
        with self._lock:
            return self._monotonic

    def set_wall(self, by_ms: float) -> None:
        """Somebody sets the wall clock, forward or back; elapsed time does not notice."""
        with self._lock:
            self._now_ms += by_ms

    def advance(self, ms: float) -> None:
        """Move both readings forward by `ms` milliseconds (not negative)."""
        if ms < 0:
            raise ValueError(f"a clock does not go back, got {ms} ms")
        with self._lock:
            self._now_ms += ms
            self._monotonic += ms / 1000.0
