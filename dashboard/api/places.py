"""Places for work that holds a thread of the server for long: so many at once, so many of a user, and few who wait for
one. gunicorn has 16 threads: what is left is everybody else's.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from werkzeug.exceptions import ServiceUnavailable


@dataclass(frozen=True, slots=True)
class Rules:
    """How many of `what` there may be at once, of everybody and of one user, so that one who is slow shuts nobody out.

    Who comes then may wait for `wait_s`, unless `waiting` do already, `waiting_of_a_user` of the same user; others are
    refused at once and told when to come again, s.
    """

    what: str
    at_once: int
    of_a_user: int
    waiting: int
    waiting_of_a_user: int
    wait_s: float
    again_s: int


#: An export takes its thread for as long as its reader takes.
EXPORTS = Rules("exports", 12, 3, 2, 1, 15.0, 2)
#: Ten indicators over all that is kept take 0.4 s of a core. A browser asks for six at a time at most.
STUDIES = Rules("calculations of indicators", 2, 1, 8, 5, 10.0, 1)


class Places:
    """Who holds a place, by user, and who waits for one."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._held: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def held(self, user: int) -> Iterator[None]:
        """Hold a place within the `with`. Raises ServiceUnavailable as `take` does."""
        self.take(user)
        try:
            yield
        finally:
            self.give(user)

    def take(self, user: int) -> None:
        """Hold a place until `give`. Raises ServiceUnavailable where there is none, or none in time."""
        rules = self._rules
        with self._changed:
            if not self._is_free(user) and not self._wait(user):
                mine = self._held[user] >= rules.of_a_user
                whose, most = (" of yours", rules.of_a_user) if mine else ("", rules.at_once)
                raise ServiceUnavailable(
                    f"{most} {rules.what}{whose} are under way, that is all there may be", retry_after=rules.again_s
                )
            self._held[user] += 1

    def give(self, user: int) -> None:
        """Give a place back."""
        with self._changed:
            self._held[user] -= 1
            if not self._held[user]:
                del self._held[user]
            self._changed.notify_all()

    def _is_free(self, user: int) -> bool:
        return self._held.total() < self._rules.at_once and self._held[user] < self._rules.of_a_user

    def _wait(self, user: int) -> bool:
        """Whether a place became free within the time that this user may wait."""
        rules = self._rules
        if self._waiting.total() >= rules.waiting or self._waiting[user] >= rules.waiting_of_a_user:
            return False
        self._waiting[user] += 1
        try:
            return self._changed.wait_for(lambda: self._is_free(user), rules.wait_s)
        finally:
            self._waiting[user] -= 1
            if not self._waiting[user]:
                del self._waiting[user]
