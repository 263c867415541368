"""The way in: what a feed reports is checked, counted and appended, in the feed's own thread."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from dashboard.clock import Clock
from dashboard.market.quality import Checker
from dashboard.market.ticks import TickBatch
from dashboard.store.memory import MemoryStore
from dashboard.telemetry import Telemetry, get_logger

#: A second between two log lines about quarantined ticks; all are counted.
LOG_EVERY_S = 1.0


class Intake:
    """Takes what the feed `feed_name` tells (`feeds.base.Sink`) and gives it to the store."""

    def __init__(
        self,
        store: MemoryStore,
        checker: Checker,
        feed_name: str,
        telemetry: Telemetry,
        clock: Clock,
        market_now: Callable[[], float],
    ) -> None:
        self.store, self.checker, self.clock, self.market_now = store, checker, clock, market_now
        self.telemetry, self.log = telemetry, get_logger("intake")
        self._ticks = telemetry.ticks.labels(feed_name)
        #: Ticks refused since the start by reason, of instruments that there are not and lines that are none too.
        self.refused: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._last_report_ms = 0.0
        self._reported_at: float | None = None
        self._logged = float("-inf")

    @property
    def last_report_ms(self) -> float:
        """UTC ms of the feed's last sign of life, 0 before the first."""
        return self._last_report_ms

    @property
    def silent_s(self) -> float | None:
        """Seconds since the feed's last sign of life, however the wall clock was set; None before the first."""
        return None if self._reported_at is None else self.clock.monotonic() - self._reported_at

    def _reported(self) -> None:
        self._last_report_ms, self._reported_at = self.clock.now_ms(), self.clock.monotonic()

    def ticks(self, batch: TickBatch) -> None:
        """Check the ticks, count and quarantine the bad ones, append the others."""
        began = time.perf_counter()
        self._reported()
        with self._lock:
            checked = self.checker.check(batch, self.market_now())
            self._refused(checked.rejected)
            if checked.outliers:
                self.telemetry.outliers.inc(checked.outliers)
            if len(checked.accepted):
                try:
                    self.store.append(checked.accepted)
                except BaseException:
                    # The store has begun a new epoch.
                    self.checker.reset()
                    raise
                self._ticks.inc(len(checked.accepted))
        self.telemetry.batch_seconds.observe(time.perf_counter() - began)

    def alive(self) -> None:
        """The feed reads, although there is nothing to report."""
        self._reported()

    def unreadable(self, count: int) -> None:
        """`count` lines or messages could not be read."""
        self._refused({"unreadable": count})

    def new_pass(self) -> None:
        """The feed begins its data again, in times that go on: its trade ids may repeat."""
        with self._lock:
            self.checker.new_pass()

    def restart(self) -> None:
        """The data starts over: a new epoch."""
        with self._lock:
            self.checker.reset()
            self.store.reset()

    def _refused(self, rejected: Mapping[str, int]) -> None:
        for reason, count in rejected.items():
            self.telemetry.quarantined.labels(reason).inc(count)
            self.refused[reason] += count
        if rejected and self.clock.monotonic() - self._logged >= LOG_EVERY_S:
            self._logged = self.clock.monotonic()
            self.log.warning("ticks quarantined", **rejected)
