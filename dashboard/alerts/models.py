"""Tables of rules and their events."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dashboard.database.base import Base


class Alert(Base):
    """A user's rule; `last_fired` is the event time of the tick that fired it last, UTC ms."""

    __tablename__ = "alerts"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # as SQLAlchemy wants it

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    symbol: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(20))
    direction: Mapped[str] = mapped_column(String(10))
    level: Mapped[float] = mapped_column(Double)
    enabled: Mapped[bool] = mapped_column(default=True)
    created: Mapped[int] = mapped_column(BigInteger)
    last_fired: Mapped[int | None] = mapped_column(BigInteger, default=None)


class AlertEvent(Base):
    """A rule fired, at a tick; kept when the rule is deleted. Ids only grow, over epochs and deletions."""

    __tablename__ = "alert_events"
    __table_args__ = (UniqueConstraint("alert_id", "epoch", "seq"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    alert_id: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    symbol: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(20))
    direction: Mapped[str] = mapped_column(String(10))
    level: Mapped[float] = mapped_column(Double)
    price: Mapped[float] = mapped_column(Double)
    ts: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[str] = mapped_column(String(20))
    seq: Mapped[int] = mapped_column(BigInteger)
