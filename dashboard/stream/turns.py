"""Turns at catching up: steps of many clients, one after the other, with time left for live news."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from dashboard.clock import Clock

#: Seconds of catching up after which there is a pause: a few of the loop's timers' milliseconds.
PAUSE_S = 0.004
#: What a step counts for at most, s: longer, the machine was away, and nobody gains by waiting as long again.
LONGEST_S = 0.05


class Turns:
    """Catching up, one step of one client a turn of the loop, so that however many ask, live news goes out between.

    No more than half of the time goes into it: the feed's thread, which has to have the interpreter's lock before
    there is news at all, gets the rest. A step that takes t lets the others have the next t seconds; once `PAUSE_S`
    are owed to them, nobody has a turn before they are over.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: Up to when the time is the others'; monotonic, s.
        self._others_until = -math.inf
        #: Whether that much is owed that they have it to the end first.
        self._resting = False
        self._waiting: deque[Callable[[], None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take turns on `loop`."""
        self._loop = loop

    def take(self, turn: Callable[[], None]) -> bool:
        """Call `turn` now if nobody waits and the others have had their rest, and say whether it was called."""
        if self._waiting or self._rest() > 0.0:
            return False
        self._do(turn)
        return True

    def ask(self, turn: Callable[[], None]) -> None:
        """Call `turn` when those before have had theirs."""
        assert self._loop is not None
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        if self._rest() > 0.0:
            self._go_on()
            return
        try:
            self._do(self._waiting[0])
        finally:
            self._waiting.popleft()
            if self._waiting:
                self._go_on()

    def _go_on(self) -> None:
        assert self._loop is not None
        if (rest := self._rest()) > 0.0:
            # Whole milliseconds, and not fewer: uvloop's timers round, and count from when the loop last woke up.
            self._loop.call_later(math.ceil(rest * 1000.0) / 1000.0, self._next)
        else:
            self._loop.call_soon(self._next)

    def _do(self, turn: Callable[[], None]) -> None:
        began = self._clock.monotonic()
        try:
            turn()
        finally:
            took = self._clock.monotonic() - began
            # What is owed from before is not paid meanwhile.
            self._others_until = max(self._others_until, began) + took + min(took, LONGEST_S)

    def _rest(self) -> float:
        """Seconds until there may be another turn."""
        owed = self._others_until - self._clock.monotonic()
        self._resting = owed >= PAUSE_S or (self._resting and owed > 0.0)
        return owed if self._resting else 0.0
