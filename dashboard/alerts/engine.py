"""Watches every rule at every tick, in a thread of its own; what fires is recorded first, then told.

A rule fires once per crossing. One that is past its level when it is made, enabled again, or after a restart, waits
for the other side.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dashboard.alerts.book import AlertBook, event_of
from dashboard.alerts.models import Alert, AlertEvent
from dashboard.alerts.rules import KINDS, Rule, evaluate
from dashboard.database.writer import Writer
from dashboard.errors import StorageError
from dashboard.market.ticks import Floats, Ints, Mask
from dashboard.store.change import Change
from dashboard.store.memory import MemoryStore
from dashboard.telemetry import Telemetry, get_logger

_NEVER = np.iinfo(np.int64).min
#: Rules that could not be read at the start are asked for so often, s.
RETRY_S = 1.0
#: Events kept of a user; the oldest go first.
KEPT_EVENTS = 10_000


class Engine:
    """A listener of the store. `publish(user_id, event)` is called once an event is in the database."""

    def __init__(
        self,
        store: MemoryStore,
        book: AlertBook,
        writer: Writer,
        publish: Callable[[int, dict[str, Any]], None],
        telemetry: Telemetry,
    ) -> None:
        self.store, self.book, self.writer, self.publish, self.telemetry = store, book, writer, publish, telemetry
        self.log = get_logger("alerts")
        self._queue: deque[Change | str] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._arrange([], np.zeros(0, dtype=np.bool_))
        self._newest: Ints = np.full(len(store.catalogue), _NEVER, dtype=np.int64)
        self._fired: set[int] = set()
        self._error: str | None = None
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        book.on_rule, book.on_gone, book.state = self.watch, self.forget, self.state

    def start(self) -> None:
        """Read the rules and start the thread, which goes on trying where they can't be read."""
        self._read_rules()
        self._thread.start()

    @property
    def error(self) -> str | None:
        """Why the stored rules are not watched, None where they are."""
        return self._error

    def _read_rules(self) -> None:
        try:
            with self.book.in_order():
                rules = self.book.watched()
                with self._lock:
                    known = {rule.id for rule in self._rules}
                for rule in rules:
                    if rule.id not in known:
                        self.watch(rule)
        except StorageError as error:
            if self._error is None:
                self.log.error("the rules can't be read; trying again", error=str(error))
            self._error = str(error)
        except Exception as error:
            # Whatever it is, the rest of the product goes on.
            if self._error is None:
                self.telemetry.faults.labels("alerts").inc()
                self.log.exception("the rules can't be read; trying again")
            self._error = f"failed: {type(error).__name__}"
        else:
            self._error = None

    def stop(self, timeout: float) -> None:
        """End the thread."""
        self._stopping = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def on_change(self, change: Change) -> None:
        """The store's news; called inside its lock."""
        if change.batch is not None and self._rules:
            self._queue.append(change)
            self._wake.set()

    def on_epoch(self, epoch: str) -> None:
        """The data starts over: as after a restart."""
        self._queue.append(epoch)
        self._wake.set()

    def watch(self, rule: Rule) -> None:
        """Begin to watch a rule, from the side of its level on which the price is now."""
        with self.store.lock:
            last = self.store.last()
            price, seq = float(last.price[rule.instrument]), last.seq
            with self._lock:
                if not self._rules:
                    # Without a rule no tick was looked at: what is late is judged by the store's newest.
                    newest = np.where(np.isnan(last.ts), float(_NEVER), last.ts).astype(np.int64)
                    np.maximum(self._newest, newest, out=self._newest)
                self._drop(rule.id)
                rules = [*self._rules, replace(rule, from_seq=seq)]
                past = KINDS[rule.kind].past(
                    np.array([price]), np.array([rule.level]), np.array([rule.direction == "above"])
                )
                self._arrange(rules, np.append(self._armed, price == price and not past[0]))

    def forget(self, number: int) -> None:
        """Watch a rule no more."""
        with self._lock:
            self._drop(number)

    def state(self, number: int) -> str:
        """`armed`, `waiting` (for the other side of the level), or `fired` (and waiting to be armed again)."""
        with self._lock:
            for at, rule in enumerate(self._rules):
                if rule.id == number:
                    return "armed" if self._armed[at] else "fired" if number in self._fired else "waiting"
        return "waiting"

    # -- inside --------------------------------------------------------------------------------------------------

    def _drop(self, number: int) -> None:
        keep = [at for at, rule in enumerate(self._rules) if rule.id != number]
        self._fired.discard(number)
        self._arrange([self._rules[at] for at in keep], self._armed[keep])

    def _arrange(self, rules: list[Rule], armed: Mask) -> None:
        """Put the rules into arrays, one evaluation a kind."""
        self._rules = rules
        self._armed: Mask = armed
        self._instrument: Ints = np.array([rule.instrument for rule in rules], dtype=np.int64)
        self._level: Floats = np.array([rule.level for rule in rules], dtype=np.float64)
        self._above: Mask = np.array([rule.direction == "above" for rule in rules], dtype=np.bool_)
        self._from: Ints = np.array([rule.from_seq for rule in rules], dtype=np.int64)
        self._kind = np.array([rule.kind for rule in rules], dtype=np.str_)
        self.telemetry.alert_rules.set(len(rules))

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(None if self._error is None else RETRY_S)
            self._wake.clear()
            if self._error is not None:
                self._read_rules()
            while self._queue:
                try:
                    self._take(self._queue.popleft())
                except Exception:
                    self.telemetry.faults.labels("alerts").inc()
                    self.log.exception("a batch could not be looked at")

    def _take(self, change: Change | str) -> None:
        if isinstance(change, str):
            with self._lock:
                self._newest[:] = _NEVER
                self._arrange([replace(rule, from_seq=0) for rule in self._rules], np.zeros_like(self._armed))
            return
        batch = change.batch
        assert batch is not None
        on_time = self._on_time(batch.instrument, batch.ts)
        fired: list[tuple[Rule, float, int, int]] = []
        with self._lock:
            for name, kind in KINDS.items():
                mine = np.flatnonzero(self._kind == name)
                if not len(mine):
                    continue
                firing, armed = evaluate(
                    kind,
                    self._instrument[mine],
                    self._level[mine],
                    self._above[mine],
                    self._armed[mine],
                    self._from[mine],
                    batch.instrument[on_time],
                    batch.price[on_time],
                    batch.seqs()[on_time],
                )
                self._armed[mine] = armed
                prices, stamps, seqs = batch.price[on_time], batch.ts[on_time], batch.seqs()[on_time]
                for rule, tick in zip(firing.rule.tolist(), firing.tick.tolist(), strict=True):
                    fired.append((self._rules[mine[rule]], float(prices[tick]), int(stamps[tick]), int(seqs[tick])))
                    self._fired.add(self._rules[mine[rule]].id)
        for entry in sorted(fired, key=lambda entry: entry[3]):
            self._record(change.epoch, *entry)

    def _on_time(self, instrument: Ints, ts: Ints) -> Mask:
        """Which ticks became the last price: late ones never do."""
        if len(instrument) and np.bincount(instrument).max() == 1:
            good: Mask = ts >= self._newest[instrument]
        else:
            good = np.zeros(len(ts), dtype=np.bool_)
            for who in np.unique(instrument):
                where = np.flatnonzero(instrument == who)
                before = np.append(self._newest[who], ts[where])[:-1]
                good[where] = ts[where] >= np.maximum.accumulate(before)
        np.maximum.at(self._newest, instrument, ts)
        return good

    def _record(self, epoch: str, rule: Rule, price: float, ts: int, seq: int) -> None:
        def work(session: Session) -> dict[str, Any] | None:
            alert = session.get(Alert, rule.id)
            # Deleted or switched off meanwhile.
            if alert is None or not alert.enabled:
                return None
            known = session.scalar(
                select(AlertEvent).where(
                    AlertEvent.alert_id == rule.id, AlertEvent.epoch == epoch, AlertEvent.seq == seq
                )
            )
            if known is not None:
                return event_of(known)
            alert.last_fired = ts
            event = AlertEvent(
                alert_id=rule.id,
                user_id=rule.user_id,
                symbol=rule.symbol,
                kind=rule.kind,
                direction=rule.direction,
                level=rule.level,
                price=price,
                ts=ts,
                epoch=epoch,
                seq=seq,
            )
            session.add(event)
            session.flush()
            if event.id % 100 == 0:
                _forget_oldest(session, rule.user_id)
            return event_of(event)

        def told(done: Future[dict[str, Any] | None]) -> None:
            if done.cancelled() or done.exception() is not None:
                return
            event = done.result()
            if event is not None:
                self.telemetry.alerts_fired.inc()
                self.publish(rule.user_id, event)

        self.writer.submit(work).add_done_callback(told)


def _forget_oldest(session: Session, user_id: int) -> None:
    ids = select(AlertEvent.id).where(AlertEvent.user_id == user_id).order_by(AlertEvent.id.desc())
    oldest_kept = session.scalar(ids.offset(KEPT_EVENTS - 1).limit(1))
    if oldest_kept is not None:
        session.execute(delete(AlertEvent).where(AlertEvent.user_id == user_id, AlertEvent.id < oldest_kept))
