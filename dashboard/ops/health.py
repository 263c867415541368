"""`/health/live` and `/health/ready`: whether the loops turn, and whether every component does what it should."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from flask import Blueprint, Response

from dashboard.errors import DashboardError

#: A check that takes longer fails the component; the check itself goes on and its result is used later.
PATIENCE_S = 1.0
#: A result is believed for so long.
BELIEVED_S = 0.5

Check = Callable[[], tuple[bool, str]]


class Patient:
    """A check that may block, asked in a thread of its own, one at a time: readiness answers all the same."""

    def __init__(self, name: str, check: Check) -> None:
        self.name, self.check = name, check
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._begun: float | None = None
        self._result: tuple[bool, str] = (False, "not checked yet")
        self._at = float("-inf")

    def result(self) -> tuple[bool, str]:
        """(whether it is well, in words), after PATIENCE_S at most; at once while a check is stuck for longer."""
        with self._lock:
            now = time.monotonic()
            if now - self._at < BELIEVED_S:
                return self._result
            if self._begun is None:
                self._begun = now
                self._done.clear()
                threading.Thread(target=self._run, name=f"health-{self.name}", daemon=True).start()
            left = self._begun + PATIENCE_S - now
        if not self._done.wait(max(left, 0.0)):
            return False, f"no answer for {PATIENCE_S:g} s"
        return self._result

    def _run(self) -> None:
        try:
            result = self.check()
        except DashboardError as error:
            result = (False, str(error))
        except Exception as error:
            result = (False, f"failed: {type(error).__name__}")
        with self._lock:
            self._result, self._at, self._begun = result, time.monotonic(), None
            self._done.set()


def blueprint(*, live: Mapping[str, Callable[[], float]], limit_s: float, ready: Mapping[str, Check]) -> Blueprint:
    """`live` gives how late each loop is, s, over `limit_s` being dead; `ready` the checks by component."""
    routes = Blueprint("health", __name__, url_prefix="/health")
    patient = [Patient(name, check) for name, check in ready.items()]

    @routes.get("/live")
    def is_live() -> Response:
        lags = {name: lag() for name, lag in live.items()}
        lines = [f"{name} {'ok' if lag <= limit_s else f'stuck for {lag:.1f} s'}" for name, lag in lags.items()]
        return _text(lines, all(lag <= limit_s for lag in lags.values()))

    @routes.get("/ready")
    def is_ready() -> Response:
        results = [(check.name, *check.result()) for check in patient]
        return _text(
            [f"{name} {words}" for name, _fine, words in results], all(fine for _name, fine, _words in results)
        )

    return routes


def _text(lines: list[str], fine: bool) -> Response:
    return Response("\n".join(lines) + "\n", 200 if fine else 503, mimetype="text/plain")
