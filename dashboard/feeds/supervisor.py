"""Runs a feed and keeps it running: a break is logged, counted and tried again with growing, jittered delay."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dashboard.clock import Clock
from dashboard.feeds.base import Feed, Sink
from dashboard.telemetry import Telemetry, get_logger

#: First and longest delay before a broken feed is tried again, s.
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0
#: A feed that ran for so long is healthy again: the next break starts with the first delay.
HEALTHY_S = 60.0
#: How often the market's clock is looked at to close bars, s.
CLOCK_S = 0.1


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the feed is doing, since when (UTC ms), the last error as a sentence, and how often it broke."""

    status: Literal["starting", "running", "retrying", "ended", "stopped"]
    since_ms: float
    error: str | None = None
    retries: int = 0


class Supervisor:
    """Owns the threads `feed` and `market-clock`."""

    def __init__(
        self,
        feed: Feed,
        sink: Sink,
        *,
        clock: Clock,
        telemetry: Telemetry,
        on_connected: Callable[[float], object],
        on_disconnected: Callable[[float], object],
        on_clock: Callable[[float], object],
    ) -> None:
        self.feed, self.sink, self.clock, self.telemetry = feed, sink, clock, telemetry
        self.on_connected, self.on_disconnected, self.on_clock = on_connected, on_disconnected, on_clock
        self.log = get_logger("feed")
        self._stop = threading.Event()
        self._state = FeedState("starting", clock.now_ms())
        self._threads = [
            threading.Thread(target=self._run, name="feed", daemon=True),
            threading.Thread(target=self._watch_clock, name="market-clock", daemon=True),
        ]

    @property
    def state(self) -> FeedState:
        """What the feed is doing now; any thread may ask."""
        return self._state

    def start(self) -> None:
        """Start both threads, once."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> None:
        """End both threads; one that does not end within `timeout` seconds is logged and left."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout)
                if thread.is_alive():
                    self.log.warning("thread did not end in time", thread=thread.name)

    def _run(self) -> None:
        delay, retries, broken = FIRST_DELAY_S, 0, False
        while not self._stop.is_set():
            began = self.clock.monotonic()
            try:
                if broken:
                    self.on_connected(self.feed.market_now_ms())
                    broken = False
                self._state = FeedState("running", self.clock.now_ms(), None, retries)
                self.feed.run(self.sink, self._stop)
            except Exception as error:
                retries += 1
                broken = True
                self.telemetry.feed_restarts.inc()
                if self.clock.monotonic() - began > HEALTHY_S:
                    delay = FIRST_DELAY_S
                wait = delay * random.uniform(0.5, 1.0)
                delay = min(delay * 2, LONGEST_DELAY_S)
                self._state = FeedState("retrying", self.clock.now_ms(), _sentence(error), retries)
                self.log.error("feed broke off", error=_sentence(error), again_in_s=round(wait, 1), exc_info=True)
                self._mark_break()
                self._stop.wait(wait)
            else:
                status: Literal["stopped", "ended"] = "stopped" if self._stop.is_set() else "ended"
                self._state = FeedState(status, self.clock.now_ms(), None, retries)
                self.log.info("feed ended", status=status)
                return

    def _mark_break(self) -> None:
        try:
            self.on_disconnected(self.feed.market_now_ms())
        except Exception:
            # The feed is tried again all the same: without its thread the market would stand still for ever.
            self.telemetry.faults.labels("feed").inc()
            self.log.exception("marking the break failed")

    def _watch_clock(self) -> None:
        while not self._stop.wait(CLOCK_S):
            try:
                self.on_clock(self.feed.market_now_ms())
            except Exception:
                self.telemetry.faults.labels("market-clock").inc()
                self.log.exception("closing bars failed")


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"
