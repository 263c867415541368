"""Answers of the database that every request needs, believed for a moment: a request then costs no query."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from dashboard.clock import Clock

T = TypeVar("T")
#: How long an answer is believed, s: what another process has changed is noticed within a second.
BELIEVED_S = 0.4


class Believed(Generic[T]):
    """`ask()`, at most once in BELIEVED_S; what it raises is not remembered."""

    def __init__(self, ask: Callable[[], T], clock: Clock) -> None:
        self._ask, self._clock = ask, clock
        self._known: tuple[float, T] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> T:
        now = self._clock.monotonic()
        with self._lock:
            if self._known is not None and now - self._known[0] < BELIEVED_S:
                return self._known[1]
        answer = self._ask()
        with self._lock:
            self._known = (now, answer)
        return answer
