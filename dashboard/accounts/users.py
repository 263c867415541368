"""Users: made, listed, disabled and enabled, given passwords, found by name and password."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from dashboard.accounts import passwords
from dashboard.accounts.models import LoginSession, User
from dashboard.clock import Clock
from dashboard.database.engine import Database
from dashboard.errors import BadParameter, DashboardError

ROLES = ("administrator", "analyst", "viewer")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+-]{0,148}[A-Za-z0-9])?")
DEMONSTRATION_NAME, DEMONSTRATION_PASSWORD = "root", "123456"
LONGEST_NAME = 150


@dataclass(frozen=True, slots=True)
class Person:
    """A user as the rest of the product knows one."""

    id: int
    name: str
    role: str
    disabled: bool
    demonstration: bool


class NameTaken(DashboardError):
    """Another user has the name."""


class Users:
    """The users of a database; every method is a transaction of its own. Raises StorageError besides what it says."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock

    def add(self, name: str, password: str, role: str) -> Person:
        """Make a user. Raises BadParameter, or DashboardError where the name is taken."""
        if not _NAME.fullmatch(name):
            raise BadParameter("name", name, "1 to 150 of letters, digits and . _ @ + - between them")
        if role not in ROLES:
            raise BadParameter("role", role, f"one of {', '.join(ROLES)}")
        passwords.check_new(password)
        return self._make(name, password, role, demonstration=False)

    def every(self) -> list[Person]:
        """All users but the demonstration's, by name."""
        with self.database.reading() as session:
            rows = session.scalars(select(User).where(~User.demonstration).order_by(User.name))
            return [_person(user) for user in rows]

    def disable(self, name: str) -> Person:
        """Let nobody in under `name` any more and end its sessions. Raises DashboardError where there is no such."""
        with self.database.session() as session:
            user = _named(session, name)
            user.disabled = True
            session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
            return _person(user)

    def enable(self, name: str) -> Person:
        """Let a disabled user in again. Raises DashboardError where there is no such."""
        with self.database.session() as session:
            user = _named(session, name)
            user.disabled = False
            return _person(user)

    def set_password(self, name: str, password: str) -> Person:
        """Give a user a new password and end its sessions. Raises BadParameter, DashboardError."""
        passwords.check_new(password)
        made = passwords.hashed(password)
        with self.database.session() as session:
            user = session.scalar(select(User).where(User.name == name, ~User.demonstration))
            if user is None:
                raise DashboardError(f"there is no user {name[:60]!r}")
            user.password_hash = made
            session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
            return _person(user)

    def matching(self, name: str, password: str, *, demonstration: bool) -> Person | None:
        """The user with this name and password, None for every reason there may be; takes as long in each case."""
        user: User | None = None
        if len(name) <= LONGEST_NAME:
            with self.database.reading() as session:
                user = session.scalar(select(User).where(User.name == name))
        usable = user is not None and not user.disabled and (demonstration or not user.demonstration)
        stored = user.password_hash if user is not None and usable else passwords.NOBODY
        fits = passwords.matches(stored, password[: passwords.MOST + 1])
        return _person(user) if user is not None and usable and fits else None

    def has_administrator(self, *, or_disabled: bool = False) -> bool:
        """Whether an administrator that may log in exists, the demonstration's user not counted.

        With `or_disabled` one that may not counts too: disabling the last must not bring back a well-known password.
        """
        wanted = [User.role == "administrator", ~User.demonstration]
        if not or_disabled:
            wanted.append(~User.disabled)
        with self.database.reading() as session:
            return bool(session.scalar(select(func.count()).select_from(User).where(*wanted)))

    def make_demonstration(self) -> None:
        """See to it that the user of the demonstration mode exists."""
        with self.database.reading() as session:
            user = session.scalar(select(User).where(User.name == DEMONSTRATION_NAME))
        if user is None:
            # A process that starts at the same time may be quicker.
            with suppress(NameTaken):
                self._make(DEMONSTRATION_NAME, DEMONSTRATION_PASSWORD, "administrator", demonstration=True)

    def make_first_administrator(self, password: str) -> None:
        """Make `admin` unless an administrator exists, be it a disabled one. Raises BadParameter for a bad password."""
        if not self.has_administrator(or_disabled=True):
            passwords.check_new(password)
            try:
                self._make("admin", password, "administrator", demonstration=False)
            except NameTaken:
                # A process that starts at the same time was quicker, or somebody else is called so.
                if not self.has_administrator(or_disabled=True):
                    raise

    def _make(self, name: str, password: str, role: str, *, demonstration: bool) -> Person:
        made = passwords.hashed(password)
        with self.database.session() as session:
            if session.scalar(select(User).where(User.name == name)) is not None:
                raise NameTaken(f"there is a user {name!r} already")
            user = User(
                name=name,
                password_hash=made,
                role=role,
                disabled=False,
                demonstration=demonstration,
                created=int(self.clock.now_ms()),
            )
            session.add(user)
            session.flush()
            return _person(user)


def _named(session: Session, name: str) -> User:
    user = session.scalar(select(User).where(User.name == name))
    if user is None:
        raise DashboardError(f"there is no user {name[:60]!r}")
    return user


def _person(user: User) -> Person:
    return Person(user.id, user.name, user.role, user.disabled, user.demonstration)
