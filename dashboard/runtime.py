"""Starts and stops everything that has a thread; the only file that does.

`Runtime(settings)` builds the parts and hands one to the other where siblings must meet; nothing runs until
`start()`. Under gunicorn that is `post_worker_init`, with a plain `gunicorn app:server` the first request; `stop()`
comes from `worker_exit`, the signal handler of `app.py`, or `atexit`.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dashboard.alerts.book import AlertBook
from dashboard.alerts.engine import Engine
from dashboard.clock import Clock, SystemClock
from dashboard.config import Settings
from dashboard.database.engine import Database
from dashboard.database.writer import Writer
from dashboard.errors import StartRefused
from dashboard.feeds.registry import make_feed
from dashboard.feeds.supervisor import Supervisor
from dashboard.market.quality import Checker
from dashboard.store import text
from dashboard.store.condition import condition
from dashboard.store.freshness import ages
from dashboard.store.intake import Intake
from dashboard.store.memory import LastTable, MemoryStore
from dashboard.stream.hub import Hub
from dashboard.telemetry import Telemetry, get_logger

#: Python's default of 5 ms lets two busy threads hold the hub up for tens of milliseconds (README, Design).
SWITCH_INTERVAL_S = 0.0002
#: A reloading gunicorn starts the new worker before it ends the old one; so long the new one waits for the market.
WORKER_WAIT_S = 10.0
#: How long a start waits for the process that serves its database to end: a restart may overlap by so much.
SERVED_WAIT_S = 5.0
#: How long after the order to stop a streamed answer may go on.
STREAMED_ANSWER_S = 3.0


class Runtime:
    """Every part of the product, wired; `start` and `stop` may be called from any thread and any number of times."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.telemetry = Telemetry()
        self.log = get_logger("runtime")
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._frozen = False
        self._started = False
        self._claim: IO[str] | None = None
        self._failed: str | None = None
        self.database = Database(settings.database_url)
        self.writer = Writer(self.database, self.telemetry, self.clock)
        self.feed = make_feed(settings, self.clock)
        self.store = MemoryStore(
            self.feed.catalogue,
            clock=self.clock,
            budget_mb=settings.store_mb,
            late_ms=settings.late_ms,
            grace_ms=settings.bar_grace_ms,
        )
        self.intake = Intake(
            self.store,
            Checker(len(self.feed.catalogue), settings.late_ms, settings.ahead_ms),
            self.feed.name,
            self.telemetry,
            self.clock,
            self.feed.market_now_ms,
        )
        self.sessions_alive: Callable[[Iterable[str]], set[str]] = set
        #: How long ago the loop of the HTTP server turned, s; whoever runs the server sets it.
        self.server_lag_s: Callable[[], float] = lambda: 0.0
        self._stopped_at = float("inf")
        self.alert_book = AlertBook(self.database, self.store.catalogue, self.clock)
        self.hub = Hub(
            self.store,
            self.telemetry,
            self.clock,
            frame_ms=settings.stream_frame_ms,
            connections=settings.stream_connections,
            connections_per_user=settings.stream_connections_per_user,
            symbols=settings.stream_symbols,
            messages_per_s=settings.stream_messages_per_s,
            buffer_kb=settings.stream_buffer_kb,
            alive=lambda refs: self.sessions_alive(refs),  # noqa: PLW0108  # set once there are accounts
            missed_alerts=self.alert_book.missed,
        )
        self.engine = Engine(self.store, self.alert_book, self.writer, self.hub.publish_alert, self.telemetry)
        self.supervisor = Supervisor(
            self.feed,
            self.intake,
            clock=self.clock,
            telemetry=self.telemetry,
            on_connected=self.store.connected,
            on_disconnected=self.store.disconnected,
            on_clock=self.store.close_due,
        )
        self.store.add_listener(self.hub)
        self.store.add_listener(self.engine)

    @property
    def started(self) -> bool:
        """Whether the threads run."""
        return self._started

    def start(self) -> None:
        """Start every thread, once: where that fails those that run are ended, and it is not tried again.

        Raises StartRefused where the market already runs in a sibling process or has failed to start before.
        """
        with self._lock:
            if self._started or self.stopping.is_set():
                return
            if self._failed is not None:
                raise StartRefused(self._failed)
            self._claim = claim_market()
            try:
                self._start()
            except BaseException as error:
                self._failed = (
                    f"the market could not be started: {' '.join(str(error).split()) or type(error).__name__}"
                )
                self._end()
                raise
            self._started = True
        atexit.register(self.stop)

    def stop(self) -> None:
        """Tell every client (1001), end every thread, write what waits; takes less than 5 s."""
        if not self.stopping.is_set():
            self._stopped_at = time.monotonic()
            self.stopping.set()
        with self._lock:
            if not self._started:
                return
            self._started = False
            self._end()
        atexit.unregister(self.stop)
        self.log.info("stopped")

    def _start(self) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        raise_descriptor_limit()
        self.database.claim(SERVED_WAIT_S)
        text.begin()
        if (warning := self.database.warning()) is not None:
            self.log.warning(warning)
        self.writer.start()
        self.hub.start()
        began = time.perf_counter()
        self.store.load_history(self.feed.history())
        self.log.info(
            "store ready",
            instruments=len(self.store.catalogue),
            retention=self.store.retention,
            history_s=round(time.perf_counter() - began, 2),
        )
        self.engine.start()
        self.supervisor.start()
        # What is there by now stays: looked through for garbage each time, it would stop every thread for 0.1 s.
        gc.freeze()
        self._frozen = True

    def _end(self) -> None:
        """End what runs, all of it or as much as had been started, and give the market free."""
        parts: tuple[Callable[[], None], ...] = (
            lambda: self.hub.stop(timeout=1.5),
            lambda: self.supervisor.stop(timeout=1.0),
            lambda: self.engine.stop(timeout=0.5),
            lambda: self.writer.stop(timeout=1.0),
            self.database.close,
        )
        for end in parts:
            try:
                end()
            except Exception:
                self.log.exception("a part could not be ended")
        if self._frozen:
            self._frozen = False
            gc.unfreeze()
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def cut(self) -> bool:
        """Whether a streamed answer has to break off now: the product stops and the time to finish is over."""
        return time.monotonic() - self._stopped_at > STREAMED_ANSWER_S

    def freshness(self, last: LastTable) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(age in ms float64[n], stale bool[n]) of every instrument, by the feed's own rule."""
        return ages(
            last,
            self.clock.now_ms(),
            interval_ms=self.feed.interval_ms,
            silence_is_stale=self.feed.silence_is_stale,
            alive_ms=self.intake.last_report_ms,
        )

    def condition(self, instrument: int) -> dict[str, Any]:
        """How good an instrument's data is, and how the feed does; ready for JSON."""
        state, (healthy, words) = self.supervisor.state, self.feed_health()
        feed = {
            "kind": self.feed.kind,
            "healthy": healthy,
            "words": words,
            "status": state.status,
            "since": int(state.since_ms),
            "breaks": state.retries,
            "error": state.error,
        }
        return condition(self.store, self.intake, self.freshness, instrument) | {"feed": feed}

    def feed_health(self) -> tuple[bool, str]:
        """(whether the feed does what it should, the words for the readiness page)."""
        state = self.supervisor.state
        if state.status == "ended":
            return True, "ended"
        if state.status in ("retrying", "stopped"):
            return False, f"{state.status}: {state.error}" if state.error else state.status
        silent = self.intake.silent_s
        if silent is None:
            return False, "starting"
        if self.feed.silence_is_stale and silent > self.settings.silence_fails_after_s:
            return False, f"silent for {silent:.1f} s"
        return True, f"ok {silent:.1f} s"

    def store_health(self) -> tuple[bool, str]:
        """(whether the store takes ticks, the words for the readiness page)."""
        return (True, "ok") if self._started else (False, "not started")

    def database_health(self) -> tuple[bool, str]:
        """(whether the database answers and the writer keeps up, the words); may block while it is locked."""
        self.database.check()
        if self.writer.error:
            return False, f"refuses writes: {self.writer.error}"
        return (False, f"alert rules can't be read: {self.engine.error}") if self.engine.error else (True, "ok")


def claim_market(wait_s: float = WORKER_WAIT_S) -> IO[str] | None:
    """Make sure that one worker of a gunicorn master runs the market; the returned file holds the claim.

    Two workers without a bus would be two different markets. The claim is a file lock named after the master; a
    second worker waits as long as a reload may need to end the first, then is refused.
    """
    if "gunicorn.arbiter" not in sys.modules:
        return None
    path = Path(tempfile.gettempdir()) / f"tickboard-{os.getuid()}-{os.getppid()}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    claim = os.fdopen(descriptor, "r+")
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return claim
        except BlockingIOError:
            if time.monotonic() >= until:
                claim.close()
                raise StartRefused(TWO_WORKERS) from None
            time.sleep(0.05)


def refuse_two_workers() -> None:
    """Raise StartRefused where gunicorn is told to run several workers, as gunicorn itself reads its options.

    `claim_market` would notice too, but only when the second worker starts the market.
    """
    if "gunicorn.arbiter" in sys.modules:
        from gunicorn.app.wsgiapp import WSGIApplication

        if WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").cfg.workers > 1:
            # gunicorn's master stumbles over two workers that refuse: one speaks and says so in the claim's file, the
            # others, who may come when it has gone, wait for the signal that ends them.
            try:
                claim = claim_market(wait_s=0.0)
            except StartRefused:
                _wait_for_the_end()
                raise
            if claim is not None:
                atexit.register(claim.close)
                master = _master()
                if claim.read() == master:
                    _wait_for_the_end()
                claim.seek(0)
                claim.truncate()
                claim.write(master)
                claim.flush()
            raise StartRefused(TWO_WORKERS)


def _master() -> str:
    """Which process the parent is, also where its number is given again: with its start, clock ticks since boot (field
    22 of proc(5)'s stat), where the system says that."""
    try:
        started = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = ""
    return f"{os.getppid()} {started}"


def _wait_for_the_end() -> None:
    # gunicorn's own handler only takes a note, which a worker that never serves does not read.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(WORKER_WAIT_S)


#: What a start with two web workers is told.
TWO_WORKERS = (
    "more than one worker would be as many different markets: without a bus gunicorn's workers must be 1; "
    "raise its threads instead"
)


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open descriptors to the hard one: each connection takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 1_048_576)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError) as error:
            get_logger("runtime").warning("descriptor limit stays", soft=soft, error=str(error))
