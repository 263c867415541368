"""Shared frames: who is live on which topic, and the flush that tells them. Runs on the hub's loop only.

Changes are queued inside the store's lock. Reading the store and draining the queue under that lock gives a state at
an exact `Mark`: snapshots and resumes end at one mark, live frames begin at it, with neither overlap nor hole.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from websockets.frames import Opcode

from dashboard.clock import Clock
from dashboard.market.ticks import Ints
from dashboard.store.change import Change
from dashboard.store.memory import LastTable, MemoryStore
from dashboard.stream import protocol
from dashboard.stream.connection import Connection, Outgoing, server_frame
from dashboard.stream.news import Mark, News
from dashboard.stream.subscriptions import SETTLED, Part, Subscription, Topic
from dashboard.stream.turns import Turns
from dashboard.telemetry import Telemetry, get_logger

T = TypeVar("T")
_TICKER: Topic = ("ticker", 0)
#: Ticks that may wait for the loop; beyond it the queue is dropped and the store is read instead.
MOST_QUEUED = 200_000
#: Before a flush that failed is tried again, s.
RETRY_S = 0.1


class Group:
    """Subscriptions of one topic with the same instruments since the same marks: they get the same bytes."""

    __slots__ = ("arrays", "fresh", "instruments", "lanes", "members", "parts")

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts
        self.members: dict[Subscription, None] = {}
        self.fresh = len(parts) > 1 or parts[0][1] is not SETTLED
        #: For each part its instruments, in order.
        self.instruments = [sorted(instruments) for instruments, _ in parts]
        self.arrays: list[Ints] = [np.array(each, dtype=np.int64) for each in self.instruments] if self.fresh else []
        #: The members' connections by what they negotiated (`Connection.window_bits`); empty until `make_lanes`.
        self.lanes: dict[int, list[Connection]] = {}

    def add(self, subscription: Subscription) -> None:
        self.members[subscription] = None
        self.lanes = {}

    def remove(self, subscription: Subscription) -> None:
        self.members.pop(subscription, None)
        self.lanes = {}

    def make_lanes(self) -> dict[int, list[Connection]]:
        """Sort the members' connections into `lanes`."""
        for subscription in self.members:
            connection = subscription.client.connection
            self.lanes.setdefault(connection.window_bits, []).append(connection)
        return self.lanes


def write_to_ready(lane: list[Connection], data: bytes, skipped: list[Connection]) -> None:
    """Write the bytes of a frame to every connection that is ready; the others, and one that fails, are `skipped`."""
    rest = iter(lane)
    while True:
        connection = None
        try:
            # The product's hottest loop: a turn of it is a system call and two look-ups.
            for connection in rest:
                if connection.ready:
                    connection.write(data)
                else:
                    skipped.append(connection)
            return
        except Exception as error:
            assert connection is not None
            skipped.append(connection)
            connection.fault(error)


class Tally:
    """What a flush has written: messages by channel, and bytes.

    Counted once a flush: with a frame for each of many clients the counters would cost as much as the frames.
    """

    def __init__(self) -> None:
        self.messages = dict.fromkeys(protocol.CHANNELS, 0)
        self.clear()

    def clear(self) -> None:
        for channel in self.messages:
            self.messages[channel] = 0
        self.bytes = 0

    def count(self, telemetry: Telemetry, news: News, now_ms: float) -> None:
        """Add it to the metrics. The delay is the longest: from the oldest receipt in `news` to the last frame."""
        for channel, told in self.messages.items():
            if told:
                telemetry.messages.labels(channel).inc(told)
        if not self.bytes:
            return
        telemetry.bytes.inc(self.bytes)
        if (received := news.oldest_receipt()) is not None:
            telemetry.stream_delay_seconds.observe(max(0.0, now_ms - received) / 1000.0)


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
        self._queue: deque[Change] = deque()
        self._queued = 0
        self._dropped = False
        #: An epoch that has begun before what is queued. Not in the queue, which may be dropped.
        self._begun: str | None = None
        self._waking = False
        self._timer: asyncio.TimerHandle | None = None
        self.turns = Turns(clock)
        #: Resumes, over all clients, that wait for a sequence number which has not come yet.
        self.resumes_waiting = 0
        self._last_flush = float("-inf")
        self._tally = Tally()
        #: Every instrument that somebody's `ticker` wants; None when it has to be found anew.
        self._wanted: frozenset[int] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Follow the store from its present state on."""
        self.turns.attach(loop)
        with self.store.lock:
            self.news = News(self.store.catalogue.symbols)
            self.epoch, self.oldest_seq = self.store.epoch, self.store.oldest_seq
            self.mark = self.base = Mark(self.store.seq, 0)
            self._queue.clear()
            self._queued, self._dropped, self._begun, self._waking = 0, False, None, False
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
        self._queued, self._dropped, self._begun = 0, False, epoch
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
        """`look()`, at exactly the state that `mark` tells afterwards. Where it raises, nothing has been taken note of;
        where taking note fails, the next read makes up for it from the store."""
        with self.store.lock:
            # What may fail comes before the queue is emptied: others wait for what is in it.
            result = look()
            epoch, changes, dropped = self._begun, list(self._queue), self._dropped
            last = self.store.last() if dropped or any(len(change.reference) for change in changes) else None
            self.oldest_seq = self.store.oldest_seq
            self._queue.clear()
            self._queued, self._dropped, self._begun = 0, False, None
        try:
            if epoch is not None:
                self._begin_epoch(epoch)
                epoch = None
            self._take_note(changes, last, dropped=dropped)
        except BaseException:
            with self.store.lock:
                self._dropped, self._begun = True, self._begun or epoch
            raise
        return result

    def _take_note(self, changes: list[Change], last: LastTable | None, *, dropped: bool) -> None:
        if dropped:
            assert last is not None
            self.mark = Mark(last.seq, self.mark.step + 1)
            self.news.everything_changed(self.mark.step, last, self.base.seq)
            return
        for change in changes:
            self.mark = Mark(change.seq, self.mark.step + 1)
            self.news.absorb(self.mark.step, change)
        if last is not None:
            self.news.set_day(last)

    def _begin_epoch(self, epoch: str) -> None:
        self.news = News(self.store.catalogue.symbols)
        self.epoch = epoch
        self.mark = self.base = Mark(0, self.mark.step + 1)
        self.on_epoch()

    # -- groups --------------------------------------------------------------------------------------------------

    def place(self, subscription: Subscription, parts: tuple[Part, ...]) -> None:
        """Make `parts` the live ones of a subscription."""
        topic = subscription.topic
        if topic == _TICKER:
            self._wanted = None
        groups = self.groups.setdefault(topic, {})
        group = groups.get(subscription.parts)
        if group is not None:
            group.remove(subscription)
            if not group.members:
                del groups[subscription.parts]
        subscription.parts = parts
        if parts:
            group = groups.get(parts)
            if group is None:
                group = groups[parts] = Group(parts)
            group.add(subscription)
            if any(mark is not SETTLED and mark.step < self.base.step for _, mark in parts):
                # Not at once: a flush may be what this is called from.
                self._wake()
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
            self._timer = self._loop.call_at(self._last_flush + max(self.frame_s, RETRY_S), self.flush)

    def _has_old_parts(self) -> bool:
        return any(group.fresh for groups in self.groups.values() for group in groups.values())

    def _tell_everybody(self) -> None:
        base = self.base
        self._tally.clear()
        self._fill_tickers()
        for topic in list(self.groups):
            for group in list(self.groups.get(topic, {}).values()):
                try:
                    if topic == _TICKER and not group.fresh and not self.news.referenced:
                        self._tell_prices(group, base)
                        continue
                    if self.news.overflowed and topic[0] in ("bars", "ticks"):
                        for subscription in list(group.members):
                            subscription.fall_behind(base)
                        continue
                    self._deliver(topic, group, self._messages(topic, group), base)
                except Exception as error:
                    self._fault(error)
                    for subscription in list(group.members):
                        subscription.fail()
        self.base = self.mark
        self._tally.count(self.telemetry, self.news, self.clock.now_ms())
        self.news.clear()
        for groups in list(self.groups.values()):
            for group in [group for group in groups.values() if group.fresh]:
                settled = ((frozenset().union(*(instruments for instruments, _ in group.parts)), SETTLED),)
                for subscription in list(group.members):
                    self.place(subscription, settled)

    def _fill_tickers(self) -> None:
        """Encode in one go the rows that anybody is to be told."""
        groups = self.groups.get(_TICKER)
        if not groups:
            return
        if self._wanted is None:
            self._wanted = frozenset().union(*(instruments for parts in groups for instruments, _ in parts))
        self.news.tickers(sorted(self.news.changed & self._wanted))

    def _tell_prices(self, group: Group, base: Mark) -> None:
        """The usual news, as lean as can be: with a frame for each of many clients this is what a frame costs."""
        news = self.news
        if not (who := news.changed_among(group.instruments[0], group.parts[0][0])):
            return
        received = news.newest_receipt(who)
        payload = protocol.ticker_frame(news.tickers(who), self.mark.seq, self.clock.now_ms(), received)
        lanes = group.lanes or group.make_lanes()
        skipped: list[Connection] = []
        if len(lanes) == 1 and (plain := lanes.get(0)) is not None:
            self._write("ticker", plain, server_frame(Opcode.TEXT, payload), skipped)
            if skipped:
                self._leave_behind(group, skipped, base)
        else:
            self._deliver(_TICKER, group, [Outgoing(payload)], base)

    def _messages(self, topic: Topic, group: Group) -> list[Outgoing]:
        channel, timeframe = topic
        if channel == "ticker":
            return self._ticker_messages(group)
        rows = self.news.ticks() if channel == "ticks" else self.news.bars(timeframe)
        fragments: list[bytes] = []
        for listed, (instruments, mark) in zip(group.instruments, group.parts, strict=True):
            after = -1 if mark is SETTLED else mark.seq if channel == "ticks" else mark.step
            fragments += rows.fragments(listed, instruments, after)
        if not fragments:
            return []
        sent = self.clock.now_ms()
        frame = protocol.frame(
            channel, fragments, self.mark.seq, sent, timeframe=timeframe if channel == "bars" else None
        )
        return [Outgoing(frame)]

    def _ticker_messages(self, group: Group) -> list[Outgoing]:
        news = self.news
        if group.fresh:
            who: list[int] = []
            days: list[int] = []
            for at, (instruments, mark) in enumerate(group.parts):
                if mark is SETTLED:
                    mine = news.changed_among(group.instruments[at], instruments)
                    days += [each for each in mine if each in news.referenced]
                else:
                    array = group.arrays[at]
                    mine = array[news.step[array] > mark.step].tolist()
                    days += [each for each in mine if news.reference[each] > mark.step]
                who += mine
        else:
            who = news.changed_among(group.instruments[0], group.parts[0][0])
            days = [each for each in who if each in news.referenced] if news.referenced else []
        if not who:
            return []
        sent, seq = self.clock.now_ms(), self.mark.seq
        received = news.newest_receipt(who)
        frame = protocol.ticker_frame(news.tickers(who), seq, sent, received)
        if not days:
            return [Outgoing(frame)]
        snapshots = protocol.chunked("snapshot", [news.snapshot(each) for each in days], seq, sent, channel="ticker")
        return [Outgoing(message) for message in (*snapshots, frame)]

    def _deliver(self, topic: Topic, group: Group, messages: list[Outgoing], base: Mark) -> None:
        skipped: list[Connection] = []
        if messages:
            for window_bits, lane in (group.lanes or group.make_lanes()).items():
                for message in messages:
                    self._write(topic[0], lane, message.bytes_for(window_bits), skipped)
        if skipped:
            self._leave_behind(group, skipped, base)

    def _write(self, channel: str, lane: list[Connection], data: bytes, skipped: list[Connection]) -> None:
        before = len(skipped)
        write_to_ready(lane, data, skipped)
        told = len(lane) + before - len(skipped)
        self._tally.messages[channel] += told
        self._tally.bytes += told * len(data)

    @staticmethod
    def _leave_behind(group: Group, skipped: list[Connection], base: Mark) -> None:
        """Who was slow gets what it missed when it reads again."""
        behind = {connection for connection in skipped if connection.slow}
        for subscription in [each for each in group.members if each.client.connection in behind]:
            subscription.fall_behind(base)

    def _fault(self, error: Exception) -> None:
        self.telemetry.faults.labels("hub").inc()
        self.log.error("a flush failed", exc_info=error)
