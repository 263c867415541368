"""Sessions on the server under random ids: a copied cookie dies at logout, a restart ends nobody's login."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import delete, select

from dashboard.accounts.models import LoginSession, User
from dashboard.accounts.users import Person
from dashboard.clock import Clock
from dashboard.database.engine import Database

COOKIE = "tickboard_session"
DAY_MS = 86_400_000
LASTS_MS, REMEMBERED_MS = DAY_MS, 30 * DAY_MS
#: A looked-up session is believed for so long: less than the second within which an end must be noticed.
BELIEVED_S = 0.4
_KEPT = 10_000
_COOKIE = re.compile(r"[A-Za-z0-9_.-]{1,200}")


@dataclass(frozen=True, slots=True)
class Login:
    """A valid session and whose it is; `ref` is what the stream knows it by."""

    ref: str
    person: Person
    expires: int
    remembered: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """What `Sessions.alive` last said, and at which version of the database; `expires` is when the first one ends."""

    version: int | None
    asked: frozenset[str]
    alive: frozenset[str]
    expires: float


class Sessions:
    """Issues, finds and ends sessions. `demonstrates()` says whether the demonstration's user may be logged in."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        secret_key: str,
        demonstrates: Callable[[], bool],
        on_end: Callable[[str], None],
        on_user_end: Callable[[int], None],
    ) -> None:
        self.database, self.clock, self.demonstrates = database, clock, demonstrates
        self.on_end, self.on_user_end = on_end, on_user_end
        self._signer = URLSafeSerializer(secret_key, salt="session")
        self._believed: dict[str, tuple[float, Login | None]] = {}
        self._answered: Answered | None = None
        self._lock = threading.Lock()

    def issue(self, person: Person, *, remembered: bool) -> tuple[str, Login]:
        """(the cookie's value, the new session). Raises StorageError."""
        token = secrets.token_urlsafe(24)
        now = int(self.clock.now_ms())
        row = LoginSession(
            token_hash=_hash(token),
            user_id=person.id,
            created=now,
            expires=now + (REMEMBERED_MS if remembered else LASTS_MS),
            remembered=remembered,
        )
        with self.database.session() as session:
            session.execute(delete(LoginSession).where(LoginSession.expires < now))
            session.add(row)
            session.flush()
            login = Login(str(row.id), person, row.expires, remembered)
        value = self._signer.dumps(token)
        assert isinstance(value, str)
        return value, login

    def find(self, cookie: str | None) -> Login | None:
        """The session of a cookie, None where it is none of ours or has ended. Raises StorageError."""
        token = self._token(cookie)
        if token is None:
            return None
        digest, now = _hash(token), self.clock.monotonic()
        with self._lock:
            known = self._believed.get(digest)
        if known is not None and now - known[0] < BELIEVED_S:
            return known[1]
        with self.database.reading() as session:
            found = session.execute(
                select(LoginSession, User)
                .join(User, User.id == LoginSession.user_id)
                .where(LoginSession.token_hash == digest)
            ).first()
        login = None
        if found is not None:
            row, user = found
            if row.expires > self.clock.now_ms() and not user.disabled:
                person = Person(user.id, user.name, user.role, user.disabled, user.demonstration)
                login = Login(str(row.id), person, row.expires, row.remembered)
        if login is not None and login.person.demonstration and not self.demonstrates():
            login = None
        with self._lock:
            if len(self._believed) > _KEPT:
                self._believed.clear()
            self._believed[digest] = (now, login)
        return login

    def end(self, cookie: str | None) -> None:
        """End a cookie's session, here at once, elsewhere within a second. Raises StorageError."""
        token = self._token(cookie)
        if token is None:
            return
        with self.database.session() as session:
            row = session.scalar(select(LoginSession).where(LoginSession.token_hash == _hash(token)))
            ref = None if row is None else str(row.id)
            if row is not None:
                session.delete(row)
        with self._lock:
            self._believed.pop(_hash(token), None)
        if ref is not None:
            self.on_end(ref)

    def forget(self) -> None:
        """Believe nothing any more: something about users has changed in this process."""
        with self._lock:
            self._believed.clear()

    def alive(self, refs: Iterable[str]) -> set[str]:
        """Those of `refs` whose session is still valid. Raises StorageError.

        The hub asks twice a second for everybody who is connected: where nothing was committed since it asked for the
        same ones, and none has expired, the answer stands.
        """
        asked = frozenset(refs)
        version = self.database.version()
        known, now = self._answered, self.clock.now_ms()
        same = known is not None and version is not None and (known.version, known.asked) == (version, asked)
        if known is not None and same and now < known.expires:
            return set(known.alive)
        numbers = [int(ref) for ref in asked]
        alive: set[str] = set()
        expires = float("inf")
        with self.database.reading() as session:
            for at in range(0, len(numbers), 500):
                rows = session.execute(
                    select(LoginSession.id, User.demonstration, LoginSession.expires)
                    .join(User, User.id == LoginSession.user_id)
                    .where(LoginSession.id.in_(numbers[at : at + 500]), LoginSession.expires > int(now), ~User.disabled)
                )
                for number, demonstration, until in rows:
                    if not demonstration or self.demonstrates():
                        alive.add(str(number))
                        expires = min(expires, until)
        self._answered = Answered(version, asked, frozenset(alive), expires)
        return alive

    def _token(self, cookie: str | None) -> str | None:
        # Base64 passes over what is not of its alphabet: one session, one cookie.
        if not cookie or not _COOKIE.fullmatch(cookie):
            return None
        try:
            token = self._signer.loads(cookie)
        except BadSignature:
            return None
        return token if isinstance(token, str) else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
