"""The book of alerts: every user's rules and events, made, changed and listed; nobody sees another's."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.alerts.models import Alert, AlertEvent
from dashboard.alerts.rules import DIRECTIONS, Rule
from dashboard.clock import Clock
from dashboard.database.engine import Database
from dashboard.errors import BadParameter, DashboardError
from dashboard.market.instruments import Catalogue

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

    def create(self, user_id: int, symbol: str, direction: str, level: object) -> dict[str, Any]:
        """Make a rule on a price level. Raises UnknownSymbol, BadParameter, or DashboardError where a user has many."""
        instrument = self.catalogue.require(symbol)
        if direction not in DIRECTIONS:
            raise BadParameter("direction", direction, "above or below")
        value = _level(level)
        with self.database.session() as session:
            count = session.scalar(select(func.count()).select_from(Alert).where(Alert.user_id == user_id))
            if (count or 0) >= MOST:
                raise DashboardError(f"there are {MOST} alerts already, as many as a user may have; delete one first")
            alert = Alert(
                user_id=user_id,
                symbol=symbol,
                kind="price",
                direction=direction,
                level=value,
                enabled=True,
                created=int(self.clock.now_ms()),
            )
            session.add(alert)
            session.flush()
            made = _rule(alert, instrument)
        self.on_rule(made)
        return self._shown(alert)

    def list_for(self, user_id: int) -> list[dict[str, Any]]:
        """A user's rules, newest first: id symbol kind direction level enabled state created last_fired."""
        with self.database.reading() as session:
            rows = session.scalars(select(Alert).where(Alert.user_id == user_id).order_by(Alert.id.desc())).all()
        return [self._shown(alert) for alert in rows]

    def set_enabled(self, user_id: int, number: int, enabled: bool) -> None:
        """Switch a rule on or off; on, it begins anew from the present side. Raises DashboardError for none such."""
        with self.database.session() as session:
            alert = self._own(session, user_id, number)
            alert.enabled = enabled
            instrument = self.catalogue.index(alert.symbol)
            rule = _rule(alert, instrument) if instrument is not None else None
        self.on_gone(number)
        if enabled and rule is not None:
            self.on_rule(rule)

    def delete(self, user_id: int, number: int) -> None:
        """Delete a rule; its events stay. Raises DashboardError for none such."""
        with self.database.session() as session:
            session.delete(self._own(session, user_id, number))
        self.on_gone(number)

    def watched(self) -> list[Rule]:
        """Every enabled rule on an instrument of this product, for the engine."""
        with self.database.reading() as session:
            alerts = session.scalars(select(Alert).where(Alert.enabled)).all()
        found = ((alert, self.catalogue.index(alert.symbol)) for alert in alerts)
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
        return {
            "id": alert.id,
            "symbol": alert.symbol,
            "kind": alert.kind,
            "direction": alert.direction,
            "level": alert.level,
            "enabled": alert.enabled,
            "state": self.state(alert.id) if alert.enabled else "off",
            "created": alert.created,
            "last_fired": alert.last_fired,
        }


def event_of(row: AlertEvent) -> dict[str, Any]:
    """An event in the contract's shape."""
    names = ("id", "alert_id", "symbol", "kind", "direction", "level", "price", "ts", "seq")
    return {name: getattr(row, name) for name in names}


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
