"""The one thread that writes to the database from the hot path: a locked database never stops the market."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from dashboard.clock import Clock
from dashboard.database.engine import Database
from dashboard.errors import StorageError
from dashboard.telemetry import Telemetry, get_logger

T = TypeVar("T")
#: Writes that wait at most; beyond it the oldest is given up, counted and logged.
WAITING = 100_000
FIRST_DELAY_S, LONGEST_DELAY_S = 0.05, 2.0


class Writer:
    """Runs submitted work in order, one transaction each, again and again until the database takes it."""

    def __init__(self, database: Database, telemetry: Telemetry, clock: Clock) -> None:
        self.database, self.telemetry, self.clock = database, telemetry, clock
        self.log = get_logger("writer")
        self._queue: deque[tuple[Callable[[Session], Any], Future[Any]]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._error: str | None = None
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)

    @property
    def backlog(self) -> int:
        """Writes that wait."""
        return len(self._queue)

    @property
    def error(self) -> str | None:
        """Why the database refuses just now, None when it does not."""
        return self._error

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Write what waits for up to `timeout` seconds, then give up the rest, counted and logged."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        with self._changed:
            left = len(self._queue)
            while self._queue:
                self._queue.popleft()[1].cancel()
        if left:
            self.telemetry.writer_lost.inc(left)
            self.log.error("writes were given up at the end", writes=left, reason=self._error)

    def submit(self, work: Callable[[Session], T]) -> Future[T]:
        """Queue `work(session)`; its result, or the error that is not the database's, comes through the future."""
        future: Future[T] = Future()
        with self._changed:
            if len(self._queue) >= WAITING:
                self._queue.popleft()[1].cancel()
                self.telemetry.writer_lost.inc()
                self.log.error("a write was given up: too many wait", waiting=WAITING)
            self._queue.append((work, future))
            self.telemetry.writer_queue.set(len(self._queue))
            self._changed.notify_all()
        return future

    def _run(self) -> None:
        delay = FIRST_DELAY_S
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._queue) or self._stopping)
                if not self._queue:
                    return
                work, future = self._queue[0]
            try:
                with self.database.session() as session:
                    result = work(session)
            except StorageError as error:
                if isinstance(error.__cause__, (IntegrityError, DataError)):
                    # Trying again would be in vain, and everything behind it would wait for ever.
                    self.telemetry.writer_lost.inc()
                    self.log.error("a write was given up: the database will never take it", error=str(error))
                    self._error, delay = None, FIRST_DELAY_S
                    self._done(future, error=error)
                    continue
                self._error = str(error)
                self.telemetry.writer_retries.inc()
                self.log.warning("the database refuses a write; trying again", error=str(error), in_s=delay)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, timeout=delay)
                    if self._stopping and delay >= FIRST_DELAY_S * 8:
                        return
                delay = min(delay * 2, LONGEST_DELAY_S)
                continue
            except Exception as error:
                self.telemetry.faults.labels("database-writer").inc()
                self.log.exception("a write failed for good")
                self._error, delay = None, FIRST_DELAY_S
                self._done(future, error=error)
                continue
            self._error, delay = None, FIRST_DELAY_S
            self._done(future, result)

    def _done(self, future: Future[Any], result: object = None, error: Exception | None = None) -> None:
        """Take a write out of the queue and tell how it went, unless nobody wants to know any more."""
        with self._changed:
            if self._queue and self._queue[0][1] is future:
                self._queue.popleft()
            self.telemetry.writer_queue.set(len(self._queue))
        with suppress(InvalidStateError):
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
