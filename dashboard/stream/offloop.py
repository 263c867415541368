"""Calls that may block (a database), made on a daemon thread and answered on the loop: the loop never waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from dashboard.telemetry import get_logger

Work = tuple[Callable[[], Any], Callable[[Any, Exception | None], None]]


class OffLoop:
    """One thread, one call after the other. A daemon: a database that hangs must not keep the process alive."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Take no more work and wait up to `timeout` seconds for the call under way."""
        self._queue.put(None)
        self._thread.join(timeout)

    def call(self, work: Callable[[], Any], then: Callable[[Any, Exception | None], None]) -> None:
        """Have `work` done; `then(result, None)` or `then(None, error)` is called on the loop."""
        self._queue.put((work, then))

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            work, then = item
            result, failure = None, None
            try:
                result = work()
            except Exception as error:
                failure = error
            try:
                self._loop.call_soon_threadsafe(then, result, failure)
            except RuntimeError:
                get_logger("hub").info("the loop has ended before an answer came")
                return
