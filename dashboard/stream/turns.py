"""Turns at catching up: steps of many clients, one after the other, with time left for live news."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from dashboard.clock import Clock

#: Seconds of catching up after which there is a pause; the loop's timers count in milliseconds.
PAUSE_S = 0.001


class Turns:
    """Catching up, one step of one client a turn of the loop, so that however many ask, live news goes out between.

    No more than half of the time goes into it: the feed's thread, which has to have the interpreter's lock before
    there is news at all, gets the rest.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: Seconds that turns have taken since the last pause.
        self._took = 0.0
        self._waiting: deque[Callable[[], None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take turns on `loop`."""
        self._loop = loop

    @property
    def idle(self) -> bool:
        """Whether nobody waits for a turn."""
        return not self._waiting

    def ask(self, turn: Callable[[], None]) -> None:
        """Call `turn` when those before have had theirs."""
        assert self._loop is not None
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        assert self._loop is not None
        turn, began = self._waiting[0], self._clock.monotonic()
        try:
            turn()
        finally:
            self._waiting.popleft()
            self._took += self._clock.monotonic() - began
            if self._waiting:
                self._go_on()
            else:
                self._took = 0.0

    def _go_on(self) -> None:
        """The next turn at once, or after a pause as long as the turns since the last one."""
        assert self._loop is not None
        if self._took < PAUSE_S:
            self._loop.call_soon(self._next)
            return
        self._loop.call_later(self._took, self._next)
        self._took = 0.0
