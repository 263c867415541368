"""Tables of what users keep: one row a document, its content as JSON in `body`.

`version` grows by one with each change; `format` says which shape `body` has, so that a row which a later version of
the program has written is known for what it is without being read.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.database.base import Base


class Document(Base):
    """What every document has; `created` and `changed` are UTC ms. Ids are never given away again."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    version: Mapped[int]
    format: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created: Mapped[int] = mapped_column(BigInteger)
    changed: Mapped[int] = mapped_column(BigInteger)


class NamedDocument(Document):
    """A document that a user has given a name."""

    __abstract__ = True

    name: Mapped[str] = mapped_column(String(80))


class Watchlist(NamedDocument):
    """A list of instruments and how it is shown."""

    __tablename__ = "watchlists"
    __table_args__ = (UniqueConstraint("user_id", "name"), {"sqlite_autoincrement": True})


class SavedView(NamedDocument):
    """A view of the chart."""

    __tablename__ = "views"
    __table_args__ = (UniqueConstraint("user_id", "name"), {"sqlite_autoincrement": True})


class SymbolDrawings(Document):
    """All that a user has drawn on one instrument; an emptied row stays, so that its versions go on."""

    __tablename__ = "drawings"
    __table_args__ = (UniqueConstraint("user_id", "symbol"), {"sqlite_autoincrement": True})

    symbol: Mapped[str] = mapped_column(String(24))
    count: Mapped[int]


class Preferences(Document):
    """A user's settings of the page; a row that says the defaults stays, so that its versions go on."""

    __tablename__ = "preferences"
    __table_args__ = (UniqueConstraint("user_id"), {"sqlite_autoincrement": True})
