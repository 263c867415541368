"""Shared frames: who is live on which topic, and the flush that tells them. Runs on the hub's loop only.

Changes are queued inside the store's lock. Reading the store and draining the queue under that lock gives a state at
an exact `Mark`: snapshots and resumes end at one mark, live frames begin at it, with neither overlap nor hole.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from dashboard.clock import Clock
from dashboard.market.ticks import Ints
from dashboard.store.change import Change
from dashboard.store.memory import MemoryStore
from dashboard.stream import protocol
from dashboard.stream.connection import Outgoing
from dashboard.stream.news import Mark, News
from dashboard.stream.subscriptions import SETTLED, Part, Subscription, Topic
from dashboard.telemetry import Telemetry, get_logger

T = TypeVar("T")
#: Ticks that may wait for the loop; beyond it the queue is dropped and the store is read instead.
MOST_QUEUED = 200_000


class Group:
    """Subscriptions of one topic with the same instruments since the same marks: they get the same bytes."""

    __slots__ = ("arrays", "fresh", "members", "parts")

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts
        self.members: dict[Subscription, None] = {}
        self.fresh = len(parts) > 1 or parts[0][1] is not SETTLED
        self.arrays: list[Ints] = [np.array(sorted(instruments), dtype=np.int64) for instruments, _ in parts]


class Turns:
    """Catching up, one step of one client a turn of the loop, so that however many ask, live news goes out between."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take turns on `loop`."""
        self._loop = loop

    @property
    def idle(self) -> bool:
        """Whether nobody waits for a turn."""
        return not self._waiting

    def ask(self, turn: Callable[[], None]) -> None:
        """Call `turn` when those before have had theirs."""
        assert self._loop is not None
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        assert self._loop is not None
        turn = self._waiting[0]
        try:
            turn()
        finally:
            self._waiting.popleft()
            if self._waiting:
                self._loop.call_soon(self._next)


class Fanout:
    """Groups of live subscriptions. `on_epoch` is called on the loop when the data has started over, `on_progress`
    after the state has moved on."""

    def __init__(
        self,
        store: MemoryStore,
        telemetry: Telemetry,
        clock: Clock,
        *,
        frame_s: float,
        on_epoch: Callable[[], None],
        on_progress: Callable[[], None],
    ) -> None:
        self.store, self.telemetry, self.clock, self.frame_s = store, telemetry, clock, frame_s
        self.on_epoch, self.on_progress = on_epoch, on_progress
        self.log = get_logger("hub")
        self.everything = frozenset(range(len(store.catalogue)))
        self.news = News(store.catalogue.symbols)
        self.epoch, self.oldest_seq = store.epoch, store.oldest_seq
        #: The state that has been read, and the one at the last flush: so far everybody live has been told.
        self.mark = self.base = Mark(store.seq, 0)
        self.groups: dict[Topic, dict[tuple[Part, ...], Group]] = {}
        self.most_queued = MOST_QUEUED
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: deque[Change | str] = deque()
        self._queued = 0
        self._dropped = False
        self._waking = False
        self._timer: asyncio.TimerHandle | None = None
        self.turns = Turns()
        #: Resumes, over all clients, that wait for a sequence number which has not come yet.
        self.resumes_waiting = 0
        self._last_flush = float("-inf")

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Follow the store from its present state on."""
        self.turns.attach(loop)
        with self.store.lock:
            self.news = News(self.store.catalogue.symbols)
            self.epoch, self.oldest_seq = self.store.epoch, self.store.oldest_seq
            self.mark = self.base = Mark(self.store.seq, 0)
            self._queue.clear()
            self._queued, self._dropped, self._waking = 0, False, False
            self._loop = loop

    # -- the store's news, called inside its lock from the writer's thread ---------------------------------------

    def on_change(self, change: Change) -> None:
        """Queue it and wake the loop, once a flush."""
        if self._loop is None:
            return
        if change.batch is not None:
            self._queued += len(change.batch)
        if self._queued > self.most_queued:
            self._queue.clear()
            self._queued, self._dropped = 0, True
        self._queue.append(change)
        self._wake()

    def epoch_began(self, epoch: str) -> None:
        """The data starts over."""
        if self._loop is None:
            return
        self._queue.clear()
        self._queued, self._dropped = 0, False
        self._queue.append(epoch)
        self._wake()

    def _wake(self) -> None:
        if self._waking or self._loop is None:
            return
        self._waking = True
        try:
            self._loop.call_soon_threadsafe(self.request_flush)
        except RuntimeError:
            self._loop = None  # it has ended

    # -- reading -------------------------------------------------------------------------------------------------

    def read(self, look: Callable[[], T]) -> T:
        """`look()`, at exactly the state that `mark` tells afterwards."""
        with self.store.lock:
            changes, dropped = list(self._queue), self._dropped
            self._queue.clear()
            self._queued, self._dropped = 0, False
            referenced = dropped or any(isinstance(change, Change) and len(change.reference) for change in changes)
            last = self.store.last() if referenced else None
            self.oldest_seq = self.store.oldest_seq
            result = look()
        for change in changes:
            if isinstance(change, str):
                self._begin_epoch(change)
                continue
            self.mark = Mark(change.seq, self.mark.step + 1)
            if not dropped:
                self.news.absorb(self.mark.step, change)
        if last is not None:
            if dropped:
                self.news.everything_changed(self.mark.step, last, self.base.seq)
            self.news.set_day(last)
        return result

    def _begin_epoch(self, epoch: str) -> None:
        self.news = News(self.store.catalogue.symbols)
        self.epoch = epoch
        self.mark = self.base = Mark(0, self.mark.step + 1)
        self.on_epoch()

    # -- groups --------------------------------------------------------------------------------------------------

    def place(self, subscription: Subscription, parts: tuple[Part, ...]) -> None:
        """Make `parts` the live ones of a subscription."""
        topic = subscription.topic
        groups = self.groups.setdefault(topic, {})
        group = groups.get(subscription.parts)
        if group is not None:
            group.members.pop(subscription, None)
            if not group.members:
                del groups[subscription.parts]
        subscription.parts = parts
        if parts:
            group = groups.get(parts)
            if group is None:
                group = groups[parts] = Group(parts)
            group.members[subscription] = None
            if any(mark is not SETTLED and mark.step < self.base.step for _, mark in parts):
                self.request_flush()
        if not groups:
            del self.groups[topic]

    # -- flushing ------------------------------------------------------------------------------------------------

    def request_flush(self) -> None:
        """Flush at once when the last one is a frame's time ago, else when it is."""
        if self._timer is not None or self._loop is None:
            return
        due = self._last_flush + self.frame_s
        if self._loop.time() >= due:
            self.flush()
        else:
            self._timer = self._loop.call_at(due, self.flush)

    def flush(self) -> None:
        """Tell everybody what has changed. Never raises: a group that can't be told is closed (1011)."""
        assert self._loop is not None
        self._timer = None
        self._last_flush = self._loop.time()
        self._waking = False
        try:
            self.read(lambda: None)
            if self.mark.step != self.base.step or self._has_old_parts():
                self._tell_everybody()
            self.on_progress()
        except Exception as error:
            self._fault(error)

    def _has_old_parts(self) -> bool:
        return any(group.fresh for groups in self.groups.values() for group in groups.values())

    def _tell_everybody(self) -> None:
        base = self.base
        changed = np.flatnonzero(self.news.step > base.step).tolist()
        for topic in list(self.groups):
            for group in list(self.groups.get(topic, {}).values()):
                try:
                    if self.news.overflowed and topic[0] in ("bars", "ticks"):
                        for subscription in list(group.members):
                            subscription.fall_behind(base)
                        continue
                    self._deliver(topic, group, self._messages(topic, group, base, changed), base)
                except Exception as error:
                    self._fault(error)
                    for subscription in list(group.members):
                        subscription.fail()
        self.base = self.mark
        self.news.clear()
        for groups in list(self.groups.values()):
            for group in [group for group in groups.values() if group.fresh]:
                settled = ((frozenset().union(*(instruments for instruments, _ in group.parts)), SETTLED),)
                for subscription in list(group.members):
                    self.place(subscription, settled)

    def _messages(self, topic: Topic, group: Group, base: Mark, changed: list[int]) -> list[Outgoing]:
        channel, timeframe = topic
        if channel == "ticker":
            return self._ticker_messages(group, base, changed)
        rows = self.news.ticks() if channel == "ticks" else self.news.bars(timeframe)
        fragments: list[bytes] = []
        for instruments, mark in group.parts:
            after = -1 if mark is SETTLED else mark.seq if channel == "ticks" else mark.step
            wanted = (rows.fragment(who, after) for who in rows.instruments if who in instruments)
            fragments.extend(made for made in wanted if made is not None)
        if not fragments:
            return []
        sent = self.clock.now_ms()
        frame = protocol.frame(
            channel, fragments, self.mark.seq, sent, timeframe=timeframe if channel == "bars" else None
        )
        return [Outgoing(frame)]

    def _ticker_messages(self, group: Group, base: Mark, changed: list[int]) -> list[Outgoing]:
        news = self.news
        who: list[int] = []
        days: list[int] = []
        for array, (instruments, mark) in zip(group.arrays, group.parts, strict=True):
            if mark is SETTLED:
                mine, since = [each for each in changed if each in instruments], base.step
            else:
                mine, since = array[news.step[array] > mark.step].tolist(), mark.step
            who += mine
            days += [each for each in mine if news.reference[each] > since]
        if not who:
            return []
        sent = self.clock.now_ms()
        messages = protocol.chunked(
            "snapshot", [news.snapshot(each) for each in days], self.mark.seq, sent, channel="ticker"
        )
        received = float(np.fmax.reduce(news.received[who]))
        messages.append(
            protocol.frame("ticker", [news.ticker(each) for each in who], self.mark.seq, sent, received=received)
        )
        if not math.isnan(received):
            self.telemetry.stream_delay_seconds.observe(max(0.0, sent - received) / 1000.0)
        return [Outgoing(message) for message in messages]

    def _deliver(self, topic: Topic, group: Group, messages: list[Outgoing], base: Mark) -> None:
        if not messages:
            return
        written = told = 0
        for subscription in list(group.members):
            connection = subscription.client.connection
            if connection.slow:
                subscription.fall_behind(base)
                continue
            for message in messages:
                written += connection.send(message)
            told += 1
        self.telemetry.messages.labels(topic[0]).inc(told * len(messages))
        self.telemetry.bytes.inc(written)

    def _fault(self, error: Exception) -> None:
        self.telemetry.faults.labels("hub").inc()
        self.log.error("a flush failed", exc_info=error)
