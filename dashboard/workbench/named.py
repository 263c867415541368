"""A shelf of documents that have a name, as many as a user may have: watchlists, views."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from dashboard.clock import Clock
from dashboard.database.engine import Database
from dashboard.errors import Conflict, DashboardError, NotThere
from dashboard.workbench.models import NamedDocument
from dashboard.workbench.shelf import Kept, Seen, alone, is_seen, kept, refusal, unique


class Named:
    """A change is one UPDATE on the condition of a version, so that of two at once one is told. Every method may raise
    StorageError; those that take a number NotThere, for another user's as for none."""

    def __init__(
        self, database: Database, clock: Clock, table: type[NamedDocument], kind: str, known_format: int, most: int
    ) -> None:
        self.database, self.clock, self.table = database, clock, table
        self.kind, self.known_format, self.most = kind, known_format, most

    def create(self, user_id: int, name: str, content: dict[str, Any]) -> Kept:
        """Keep a new one. Raises Conflict where the name is taken or the user has as many as may be."""
        now = int(self.clock.now_ms())
        with self.database.session() as session, unique(self._taken(name)):
            alone(session, user_id)
            count = session.scalar(select(func.count()).select_from(self.table).where(self.table.user_id == user_id))
            if (count or 0) >= self.most:
                raise Conflict(
                    f"there are {self.most} {self.kind}s already, as many as a user may have; delete one first"
                )
            row = self.table(
                user_id=user_id,
                name=name,
                version=1,
                format=self.known_format,
                body=orjson.dumps(content).decode(),
                created=now,
                changed=now,
            )
            session.add(row)
            session.flush()
            return self._kept(row, is_new=True)

    def every(self, user_id: int) -> list[Kept]:
        """All of a user, oldest first."""
        with self.database.reading() as session:
            rows = session.scalars(select(self.table).where(self.table.user_id == user_id).order_by(self.table.id))
            return [self._kept(row) for row in rows]

    def get(self, user_id: int, number: int) -> Kept:
        """One of a user."""
        with self.database.reading() as session:
            return self._kept(self._own(session, user_id, number))

    def change(self, user_id: int, number: int, seen: Seen, name: str, content: dict[str, Any]) -> Kept:
        """Put another name and content in its place. Raises Outrun where it has none of the versions `seen`, Conflict
        where the name is taken or a newer version of the program has made it."""
        table = self.table
        _check(self.kind, number)
        wanted = table.id == number, table.user_id == user_id, table.format <= self.known_format, *is_seen(table, seen)
        values = {
            "name": name,
            "body": orjson.dumps(content).decode(),
            "format": self.known_format,
            "changed": int(self.clock.now_ms()),
        }
        with self.database.session() as session, unique(self._taken(name)):
            changed = session.execute(
                update(table).where(*wanted).values(version=table.version + 1, **values).returning(table.id)
            ).first()
            row = self._own(session, user_id, number)
            if changed is None:
                raise refusal(self._what(row.name), row, self.known_format)
            return self._kept(row)

    def delete(self, user_id: int, number: int, seen: Seen) -> None:
        """Delete it, of whatever format. Raises Outrun where it has none of the versions `seen`."""
        table = self.table
        _check(self.kind, number)
        wanted = table.id == number, table.user_id == user_id, *is_seen(table, seen)
        with self.database.session() as session:
            if session.execute(delete(table).where(*wanted).returning(table.id)).first() is None:
                row = self._own(session, user_id, number)
                raise refusal(self._what(row.name), row, row.format)

    # -- inside --------------------------------------------------------------------------------------------------

    def _own(self, session: Session, user_id: int, number: int) -> NamedDocument:
        _check(self.kind, number)
        row = session.scalar(select(self.table).where(self.table.id == number, self.table.user_id == user_id))
        if row is None:
            raise _none(self.kind, number)
        return row

    def _taken(self, name: str) -> DashboardError:
        return Conflict(f"there is a {self._what(name)} already; choose another name")

    def _what(self, name: str) -> str:
        return f"{self.kind} {name[:40]!r}"

    def _kept(self, row: NamedDocument, *, is_new: bool = False) -> Kept:
        return kept(self._what(row.name), row, self.known_format, row.name, is_new=is_new)


def _check(kind: str, number: int) -> None:
    # No database holds a number beyond 64 bits, and its driver fails on one.
    if not 0 < number < 2**63:
        raise _none(kind, number)


def _none(kind: str, number: int) -> NotThere:
    return NotThere(f"there is no {kind} {str(number)[:20]}")
