"""A shelf with one place a key: the drawings of a user on an instrument, the preferences of a user.

A place where nothing lies has version 0. One that was emptied keeps its row, so that its version says what has been
there: two tabs must not take a second beginning for the first. Where one has to make room, what comes in its place
begins above every version that the user's places have had, so the next beginning there does too.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from dashboard.clock import Clock
from dashboard.database.engine import Database
from dashboard.errors import Conflict, Outrun
from dashboard.workbench.models import Document
from dashboard.workbench.shelf import Kept, Seen, alone, is_seen, kept, refusal


class Keyed:
    """`what` names a place in words, `key` holds its columns besides the user's. `none` is the content of an empty
    place; a user may have `most` that are not. Every method may raise StorageError."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        table: type[Document],
        known_format: int,
        none: dict[str, Any],
        most: int,
    ) -> None:
        self.database, self.clock, self.table = database, clock, table
        self.known_format, self.most = known_format, most
        self.none = orjson.dumps(none).decode()

    def get(self, what: str, user_id: int, **key: str) -> Kept:
        """What lies at a place."""
        with self.database.reading() as session:
            row = self._row(session, user_id, key)
        return (
            Kept(what, 0, "", 0, 0, self.known_format, self.none, None, None) if row is None else self._kept(what, row)
        )

    def put(
        self, what: str, seen: Seen, content: dict[str, Any], columns: dict[str, Any], user_id: int, **key: str
    ) -> Kept:
        """Put a content and what `columns` say of it in the place of what lies there. Raises Outrun where that has none
        of the versions `seen`, Conflict where a newer version of the program has made it or the user has too many."""
        body = orjson.dumps(content).decode()
        with self.database.session() as session:
            alone(session, user_id)
            row = self._update(session, what, seen, {**columns, "body": body}, user_id, key)
            if row is not None:
                return self._kept(what, row)
            row = self._insert(session, what, {**columns, "body": body}, user_id, key)
            return self._kept(what, row, is_new=True)

    def clear(self, what: str, seen: Seen, columns: dict[str, Any], user_id: int, **key: str) -> None:
        """Empty a place, of whatever format; an empty one stays so. Raises Outrun."""
        with self.database.session() as session:
            alone(session, user_id)
            self._update(session, what, seen, {**columns, "body": self.none}, user_id, key, any_format=True)

    # -- inside --------------------------------------------------------------------------------------------------

    def _row(self, session: Session, user_id: int, key: dict[str, str]) -> Document | None:
        return session.scalar(select(self.table).filter_by(user_id=user_id, **key))

    def _update(
        self,
        session: Session,
        what: str,
        seen: Seen,
        values: dict[str, Any],
        user_id: int,
        key: dict[str, str],
        *,
        any_format: bool = False,
    ) -> Document | None:
        """The changed row; None where there is none, and none was seen. Raises Outrun, Conflict."""
        table = self.table
        wanted = is_seen(table, seen)
        if not any_format:
            wanted.append(table.format <= self.known_format)
        values = {**values, "format": self.known_format, "changed": int(self.clock.now_ms())}
        changed = session.execute(
            update(table)
            .where(table.user_id == user_id, *(getattr(table, name) == value for name, value in key.items()), *wanted)
            .values(version=table.version + 1, **values)
            .returning(table.id)
        ).first()
        row = self._row(session, user_id, key)
        if row is None and seen is not None and 0 not in seen:
            raise Outrun(what, 0)
        if row is not None and changed is None:
            raise refusal(what, row, row.format if any_format else self.known_format)
        return row

    def _insert(
        self, session: Session, what: str, values: dict[str, Any], user_id: int, key: dict[str, str]
    ) -> Document:
        table = self.table
        own = table.user_id == user_id
        count, highest = session.execute(select(func.count(), func.max(table.version)).where(own)).one()
        version = 1
        if count >= self.most:
            # The place that was emptied longest ago is given up. As long as there was room none was.
            empty = select(table.id).where(own, table.body == self.none).order_by(table.changed, table.id).limit(1)
            given_up = delete(table).where(table.id == empty.scalar_subquery()).returning(table.id)
            if session.execute(given_up).first() is None:
                raise Conflict(f"there is no room for {what}: a user may have {self.most} of such; delete one first")
            version = highest + 1
        now = int(self.clock.now_ms())
        row = table(
            user_id=user_id, version=version, format=self.known_format, created=now, changed=now, **values, **key
        )
        session.add(row)
        session.flush()
        return row

    def _kept(self, what: str, row: Document, *, is_new: bool = False) -> Kept:
        return kept(what, row, self.known_format, is_new=is_new)
