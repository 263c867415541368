"""The book of alerts: every user's rules and events, made, changed and listed; nobody sees another's."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.alerts.models import Alert, AlertEvent
from dashboard.alerts.rules import DIRECTIONS, KINDS, Rule
from dashboard.clock import Clock
from dashboard.database.engine import BUSY_S, Database
from dashboard.errors import BadParameter, DashboardError, StorageError
from dashboard.market.instruments import Catalogue
from dashboard.telemetry import get_logger

#: Rules that a user may have.
MOST = 200
_THOUSANDS = re.compile(r"\+?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_NUMBER = re.compile(r"\+?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,4})?")
#: Events sent at once to somebody who asks for those missed.
MISSED = 500


class AlertBook:
    """`on_rule(rule)` and `on_gone(id)` tell the engine; `state(id)` asks it. Every method may raise StorageError."""

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock) -> None:
        self.database, self.catalogue, self.clock = database, catalogue, clock
        self.on_rule: Callable[[Rule], None] = lambda _rule: None
        self.on_gone: Callable[[int], None] = lambda _number: None
        self.state: Callable[[int], str] = lambda _number: "waiting"
        self.log = get_logger("alerts")
        self._lock = threading.Lock()
        self._odd: set[int] = set()

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """One at a time changes a rule, or reads them all, and tells the engine: so that what it hears last is what is
        in the database. Raises StorageError where another takes as long as a locked database may."""
        if not self._lock.acquire(timeout=BUSY_S):
            raise StorageError("the database refuses: database is locked")
        try:
            yield
        finally:
            self._lock.release()

    def create(self, user_id: int, symbol: str, direction: str, level: object) -> dict[str, Any]:
        """Make a rule on a price level. Raises UnknownSymbol, BadParameter, or DashboardError where a user has many."""
        instrument = self.catalogue.require(symbol)
        if direction not in DIRECTIONS:
            raise BadParameter("direction", direction, "above or below")
        value = _level(level)
        with self.in_order():
            alert = self._create(user_id, symbol, direction, value)
            self.on_rule(_rule(alert, instrument))
        return self._shown(alert)

    def _create(self, user_id: int, symbol: str, direction: str, level: float) -> Alert:
        with self.database.session() as session:
            count = session.scalar(select(func.count()).select_from(Alert).where(Alert.user_id == user_id))
            if (count or 0) >= MOST:
                raise DashboardError(f"there are {MOST} alerts already, as many as a user may have; delete one first")
            alert = Alert(
                user_id=user_id,
                symbol=symbol,
                kind="price",
                direction=direction,
                level=level,
                enabled=True,
                created=int(self.clock.now_ms()),
            )
            session.add(alert)
            session.flush()
            return alert

    def list_for(self, user_id: int) -> list[dict[str, Any]]:
        """A user's rules, newest first: id symbol kind direction level enabled state created last_fired."""
        with self.database.reading() as session:
            rows = session.scalars(select(Alert).where(Alert.user_id == user_id).order_by(Alert.id.desc())).all()
        return [self._shown(alert) for alert in rows]

    def set_enabled(self, user_id: int, number: int, enabled: bool) -> None:
        """Switch a rule on or off; on, it begins anew from the present side. Raises DashboardError for none such, and
        where one of a later version's kind is switched on."""
        with self.in_order():
            with self.database.session() as session:
                alert = self._own(session, user_id, number)
                if enabled and not _is_known(alert):
                    kind = f"{alert.kind[:20]!r} {alert.direction[:20]!r}"
                    raise DashboardError(f"this version can't watch alert {number}: it knows no {kind}")
                alert.enabled = enabled
                instrument = self.catalogue.index(alert.symbol)
                rule = _rule(alert, instrument) if instrument is not None else None
            self.on_gone(number)
            if enabled and rule is not None:
                self.on_rule(rule)

    def delete(self, user_id: int, number: int) -> None:
        """Delete a rule; its events stay. Raises DashboardError for none such."""
        with self.in_order():
            with self.database.session() as session:
                session.delete(self._own(session, user_id, number))
            self.on_gone(number)

    def watched(self) -> list[Rule]:
        """Every enabled rule that this version knows on an instrument of this product, for the engine, which holds
        `in_order` until it has them all."""
        with self.database.reading() as session:
            alerts = session.scalars(select(Alert).where(Alert.enabled)).all()
        for alert in alerts:
            if not _is_known(alert) and alert.id not in self._odd:
                self._odd.add(alert.id)
                self.log.error(
                    "this version can't watch an alert", alert=alert.id, kind=alert.kind, direction=alert.direction
                )
        found = ((alert, self.catalogue.index(alert.symbol)) for alert in alerts if _is_known(alert))
        return [_rule(alert, instrument) for alert, instrument in found if instrument is not None]

    def missed(self, user_id: int, after_id: int) -> list[dict[str, Any]]:
        """The first MISSED events of a user after `after_id`, by id, in the contract's shape; none: no more."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(AlertEvent)
                .where(AlertEvent.user_id == user_id, AlertEvent.id > min(after_id, 2**62))
                .order_by(AlertEvent.id)
                .limit(MISSED)
            ).all()
        return [event_of(row) for row in rows]

    def history(self, user_id: int, limit: int = 50) -> list[dict[str, Any]]:
        """The newest events of a user, newest first."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(AlertEvent).where(AlertEvent.user_id == user_id).order_by(AlertEvent.id.desc()).limit(limit)
            ).all()
        return [event_of(row) for row in rows]

    def _own(self, session: Session, user_id: int, number: int) -> Alert:
        # No database holds a number beyond 64 bits, and its driver fails on one.
        alert = session.get(Alert, number) if 0 < number < 2**63 else None
        if alert is None or alert.user_id != user_id:
            raise DashboardError(f"there is no alert {str(number)[:20]}")
        return alert

    def _shown(self, alert: Alert) -> dict[str, Any]:
        # What nobody watches is shown as off, whatever a later version has made of it.
        enabled = alert.enabled and _is_known(alert)
        return {
            "id": alert.id,
            "symbol": alert.symbol,
            "kind": alert.kind,
            "direction": alert.direction,
            "level": alert.level,
            "enabled": enabled,
            "state": self.state(alert.id) if enabled else "off",
            "created": alert.created,
            "last_fired": alert.last_fired,
        }


def event_of(row: AlertEvent) -> dict[str, Any]:
    """An event in the contract's shape."""
    names = ("id", "alert_id", "symbol", "kind", "direction", "level", "price", "ts", "seq")
    return {name: getattr(row, name) for name in names}


def _is_known(alert: Alert) -> bool:
    return alert.kind in KINDS and alert.direction in DIRECTIONS


def _rule(alert: Alert, instrument: int) -> Rule:
    return Rule(alert.id, alert.user_id, alert.symbol, instrument, alert.kind, alert.direction, alert.level)


def _level(level: object) -> float:
    text = str(level).strip()
    # A comma may stand between thousands only: who writes 1,5 must not get an alert at 15.
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not 0 < value < 1e15:
        raise BadParameter("level", "" if level is None else level, "a price over 0 and under 1e15, as 1234.5")
    return value
