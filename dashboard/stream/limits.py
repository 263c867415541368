"""What one process, one user and one connection may have: places for connections, messages a second, errors."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

#: Bursts of messages: this many seconds' worth at once.
BURST_S = 5.0
#: Malformed messages in a minute that a connection survives.
ERRORS_A_MINUTE = 20


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place that a handshake has been given; it is free again when the connection is lost."""

    user_id: int
    session: str
    name: str


class Places:
    """Counts connections from the handshake on, hand-offs in flight included; safe to use from any thread."""

    def __init__(self, of_process: int, of_user: int) -> None:
        self.of_process, self.of_user = of_process, of_user
        self._taken: Counter[int] = Counter()
        self._total = 0
        self._lock = threading.Lock()

    def take(self, user_id: int, session: str, name: str) -> Reservation | str:
        """A place, or one sentence why there is none."""
        with self._lock:
            if self._total >= self.of_process:
                return f"all {self.of_process} connections of this process are taken"
            if self._taken[user_id] >= self.of_user:
                return f"{name} has {self.of_user} connections open, as many as a user may"
            self._taken[user_id] += 1
            self._total += 1
            return Reservation(user_id, session, name)

    def give_back(self, place: Reservation) -> None:
        """Free a place; once for each one taken."""
        with self._lock:
            self._total -= 1
            self._taken[place.user_id] -= 1
            if self._taken[place.user_id] <= 0:
                del self._taken[place.user_id]


class MessageRate:
    """A token bucket: `rate` messages a second, bursts of `BURST_S` seconds' worth, at least one."""

    __slots__ = ("_at", "_left", "most", "rate")

    def __init__(self, rate: float, now: float) -> None:
        self.rate, self.most = rate, max(1.0, rate * BURST_S)
        self._left, self._at = self.most, now

    def take(self, now: float) -> bool:
        """Whether one more is allowed at `now`, seconds."""
        self._left = min(self.most, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class ErrorCount:
    """The malformed messages of the last minute."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: list[float] = []

    def add(self, now: float) -> bool:
        """Count one at `now`, seconds; False when it is one too many."""
        self._times.append(now)
        del self._times[: -ERRORS_A_MINUTE - 1]
        return len(self._times) <= ERRORS_A_MINUTE or now - self._times[0] >= 60.0
