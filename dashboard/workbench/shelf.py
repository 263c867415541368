"""What every shelf has in common: a document as it is kept, what its changer has seen, and why a change is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import ColumnElement, column, select, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.errors import Conflict, DashboardError, Outrun, StorageError
from dashboard.workbench.models import Document

#: The versions that whoever changes something has seen, one of which it must have still; None: whichever it has.
Seen = frozenset[int] | None

#: The SQLSTATE of a second row with the same key (PostgreSQL's manual, appendix A).
UNIQUE_VIOLATION = "23505"
_users = table("users", column("id"))


@dataclass(frozen=True, slots=True)
class Kept:
    """A document on a shelf: `what` it is in words, its content as JSON in `body`; 0 is the version of none. `is_new`
    is said by the change that has put it where none was."""

    what: str
    id: int
    name: str
    version: int
    format: int
    known_format: int
    body: str
    created: int | None
    changed: int | None
    is_new: bool = field(default=False, compare=False)

    def content(self) -> dict[str, Any]:
        """The content. Raises Conflict where a newer version of the program has made it, StorageError where the
        database gives something else than it was given."""
        if self.format > self.known_format:
            raise newer(self.what, self.format, self.known_format)
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise StorageError(f"{self.what} is damaged in the database: {error}") from error
        if not isinstance(found, dict):
            raise StorageError(f"{self.what} is damaged in the database: it is no object")
        return found


def kept(what: str, row: Document, known_format: int, name: str = "", *, is_new: bool = False) -> Kept:
    """A row as what it holds."""
    return Kept(
        what=what,
        id=row.id,
        name=name,
        version=row.version,
        format=row.format,
        known_format=known_format,
        body=row.body,
        created=row.created,
        changed=row.changed,
        is_new=is_new,
    )


def alone(session: Session, user_id: int) -> None:
    """Until the transaction ends no other one that says so changes what the user keeps: what is counted stays true.

    SQLite has one writer anyway. PostgreSQL locks the user's row, in the mode that leaves foreign keys' checks alone.
    """
    session.execute(select(_users.c.id).where(_users.c.id == user_id).with_for_update(key_share=True))


def newer(what: str, given: int, known: int) -> Conflict:
    """The refusal of a document of a format that is yet to come."""
    return Conflict(
        f"{what} is of format {given}, which a newer version of this program has made; this one knows format {known} "
        "at most, and leaves it as it is"
    )


def is_seen(table: type[Document], seen: Seen) -> list[ColumnElement[bool]]:
    """The condition of a change: the row still has a version that was seen."""
    return [] if seen is None else [table.version.in_(seen)]


def refusal(what: str, row: Document, known_format: int) -> DashboardError:
    """Why a change has found no row to change, where there is `row`."""
    return newer(what, row.format, known_format) if row.format > known_format else Outrun(what, row.version)


@contextmanager
def unique(error: DashboardError) -> Iterator[None]:
    """Raises `error` where the database refuses a second row with the same key."""
    try:
        yield
    except IntegrityError as refused:
        if not _is_second(refused.orig):
            raise
        raise error from None


def _is_second(reason: object) -> bool:
    """Whether a driver's error is about a unique key: by its code, its words are in the language of the server."""
    if getattr(reason, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
        return True
    # psycopg calls it sqlstate, psycopg2 pgcode.
    return UNIQUE_VIOLATION in (getattr(reason, "sqlstate", None), getattr(reason, "pgcode", None))
