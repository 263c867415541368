"""Places for exports: so many at once, so many of a user, and few who wait for one. An export holds a thread of the
server for as long as its reader takes, and gunicorn has 16: what is left is everybody else's.
"""

from __future__ import annotations

import threading
from collections import Counter

from werkzeug.exceptions import ServiceUnavailable

#: Exports at once, of everybody and of one user, so that one who reads slowly shuts nobody out.
AT_ONCE, OF_A_USER = 12, 3
#: Who comes then may wait for so long, s, unless so many wait already or one of the same user does; others are refused
#: at once and told when to come again, s.
WAITING, WAIT_S, AGAIN_S = 2, 15.0, 2


class Places:
    """Who holds a place, by user, and who waits for one."""

    def __init__(self) -> None:
        self._held: Counter[int] = Counter()
        self._waiting: set[int] = set()
        self._changed = threading.Condition()

    def take(self, user: int) -> None:
        """Hold a place until `give`. Raises ServiceUnavailable where there is none, or none in time."""
        with self._changed:
            if not self._is_free(user) and not self._wait(user):
                whose, most = ("", AT_ONCE) if self._held[user] < OF_A_USER else (" of yours", OF_A_USER)
                raise ServiceUnavailable(
                    f"{most} exports{whose} are under way, that is all there may be", retry_after=AGAIN_S
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
        return self._held.total() < AT_ONCE and self._held[user] < OF_A_USER

    def _wait(self, user: int) -> bool:
        """Whether a place became free within the time that this user may wait."""
        if len(self._waiting) >= WAITING or user in self._waiting:
            return False
        self._waiting.add(user)
        try:
            return self._changed.wait_for(lambda: self._is_free(user), WAIT_S)
        finally:
            self._waiting.discard(user)
