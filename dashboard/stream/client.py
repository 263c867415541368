"""One connected client: answers its messages, keeps its subscriptions, and has its catching up done in turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from dashboard.stream import protocol
from dashboard.stream.alertfeed import AlertFeed, Event, Loaded
from dashboard.stream.catchup import ChangedBars, Job, MissedTicks, TickerSnapshot, missed
from dashboard.stream.connection import Connection, Outgoing
from dashboard.stream.fanout import Fanout
from dashboard.stream.limits import ErrorCount, MessageRate, Reservation
from dashboard.stream.news import Mark
from dashboard.stream.protocol import Refused, Request
from dashboard.stream.subscriptions import Subscription, Topic
from dashboard.telemetry import Telemetry

#: How long a resume waits for a sequence number that this process has not reached, s.
RESUME_WAIT_S = 1.0
#: Before a database that failed is asked again for missed alerts, s.
RETRY_S = 1.0
#: Bars of each symbol in a first snapshot.
FIRST_BARS = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may: names in a subscription, and messages a second."""

    symbols: int
    messages_per_s: float


class WaitingResume(Job):
    """A resume from a sequence number that the process has not reached; `answer` decides when it has, or in 1 s.

    `since` is what it goes on from. Of bars that is what had been written before (`before`, None for nothing), where
    that is less: a page has several readers of a series on its one connection, and one that knows more, or that can't
    be resumed, must not cost another what it waits for.
    """

    def __init__(
        self, subscription: Subscription, instruments: set[int], request: Request, written: int | None
    ) -> None:
        after = request.after_seq or 0
        self.before = written if request.channel == "bars" else None
        self.since = after if self.before is None else min(after, self.before)
        super().__init__(subscription, instruments, min(self.since, subscription.client.fanout.base.seq))
        self.request = request


class Client:
    """The hub's side of a connection. `load_alerts(after_id, then)` reads missed alerts off the loop."""

    # Thousands of them are open at once: no dictionary each, and queues are lists, which are short here.
    __slots__ = (
        "_alerts",
        "_errors",
        "_load_alerts",
        "_rate",
        "_scheduled",
        "_work",
        "connection",
        "fanout",
        "limits",
        "loop",
        "place",
        "subscriptions",
        "telemetry",
        "waiting",
    )

    def __init__(
        self,
        connection: Connection,
        place: Reservation,
        fanout: Fanout,
        loop: asyncio.AbstractEventLoop,
        telemetry: Telemetry,
        limits: Limits,
        load_alerts: Callable[[int, Loaded], None],
    ) -> None:
        self.connection, self.place, self.fanout, self.loop = connection, place, fanout, loop
        self.telemetry, self.limits = telemetry, limits
        self.subscriptions: dict[Topic, Subscription] = {}
        self.waiting: list[WaitingResume] = []
        self._load_alerts = load_alerts
        self._alerts: AlertFeed | None = None
        self._work: list[Job] = []
        self._scheduled = False
        self._rate = MessageRate(limits.messages_per_s, loop.time())
        self._errors: ErrorCount | None = None

    @property
    def alerts(self) -> AlertFeed:
        """Its part in the channel `alerts`."""
        if self._alerts is None:
            self._alerts = AlertFeed(self._read_alerts, self._write_alert)
        return self._alerts

    # -- what the connection tells -------------------------------------------------------------------------------

    def opened(self) -> None:
        """Say welcome."""
        fanout = self.fanout
        epoch, seq, oldest = fanout.read(lambda: (fanout.store.epoch, fanout.store.seq, fanout.store.oldest_seq))
        self.send(protocol.welcome(epoch, seq, oldest))

    def text(self, text: bytes) -> None:
        """Answer a message."""
        if not self._rate.take(self.loop.time()):
            self.connection.close(protocol.FLOODED, "too many messages")
            return
        try:
            self._answer(protocol.parse(text, self.limits.symbols))
        except Refused as refused:
            self._refuse(refused)

    def binary(self) -> None:
        """Refuse a binary message."""
        if not self._rate.take(self.loop.time()):
            self.connection.close(protocol.FLOODED, "too many messages")
            return
        self._refuse(Refused("binary", "a message must be text, this one was binary"))

    def room(self) -> None:
        """It was slow and has read: go on."""
        if self._alerts is not None:
            self._alerts.room()
        self._schedule()

    def lost(self) -> None:
        """The connection has ended."""
        for subscription in self.subscriptions.values():
            subscription.end()
        self.subscriptions.clear()
        self._work.clear()
        self.fanout.resumes_waiting -= len(self.waiting)
        self.waiting.clear()
        if self._alerts is not None:
            self._alerts.unsubscribe()

    # -- sending -------------------------------------------------------------------------------------------------

    def send(self, payload: bytes) -> None:
        """Write an answer."""
        self.telemetry.bytes.inc(self.connection.send(Outgoing(payload)))

    def publish_alert(self, event: Event) -> None:
        """An alert of the user has fired."""
        if self._alerts is not None:
            self._alerts.publish(event)

    def written(self) -> int:
        """The newest seq up to which everything subscribed to has been written."""
        base = self.fanout.base.seq
        seqs = [seq for each in self.subscriptions.values() if (seq := each.written()) is not None]
        return min([base, *seqs])

    def fail(self) -> None:
        """Something went wrong that it might have missed: it has to come back and resume."""
        self.connection.close(protocol.FAULT, "internal error")

    # -- answering -----------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> None:
        if request.op == "ping":
            self.send(protocol.pong(request.id, self.fanout.clock.now_ms()))
        elif request.channel == "alerts":
            self.send(protocol.answered(request, [], None, None))
            if request.op == "subscribe":
                self.alerts.subscribe(request.after_id)
            else:
                self.alerts.unsubscribe()
        elif request.op == "subscribe":
            self._subscribe(request)
        else:
            self._unsubscribe(request)

    def _refuse(self, refused: Refused) -> None:
        self.telemetry.stream_errors.labels(refused.code).inc()
        self.send(protocol.error(refused))
        self._errors = self._errors or ErrorCount()
        if not self._errors.add(self.loop.time()):
            self.connection.close(protocol.FLOODED, "too many malformed messages")

    def _subscribe(self, request: Request) -> None:
        topic = (request.channel, request.timeframe)
        subscription = self.subscriptions.get(topic) or Subscription(self, topic)
        instruments, known, _ = self._resolve(request)
        named = set() if subscription.everything or known == "*" else subscription.named.union(known)
        if len(named) > self.limits.symbols:
            raise Refused.too_many(self.limits.symbols, len(named), request.id)
        self.subscriptions[topic] = subscription
        subscription.named = named
        subscription.everything |= known == "*"
        if request.after_seq is not None:
            self._resume(subscription, instruments, request)
        elif request.channel == "ticks":
            # What is live or being answered goes on: it is complete already, and nothing is to come twice.
            added = instruments - subscription.live() - subscription.held()
            self.fanout.read(lambda: None)
            self._say_subscribed(request, None)
            if added:
                subscription.go_live([(added, self.fanout.mark)])
        else:
            written = subscription.take_out(instruments)
            now = self.fanout.base.seq
            self._say_subscribed(request, None)
            if request.channel == "ticker":
                self.enqueue(TickerSnapshot(subscription, set(instruments), now))
            else:
                # What a slow reader still misses stays missed if it asks a third time before it has read.
                reached = now if written is None else written
                self.enqueue(ChangedBars(subscription, set(instruments), reached, since=written, newest=FIRST_BARS))

    def _unsubscribe(self, request: Request) -> None:
        subscription = self.subscriptions.get((request.channel, request.timeframe))
        if subscription is not None:
            instruments, _, _ = self._resolve(request)
            subscription.take_out(instruments)
            if request.symbols is None:
                subscription.everything = False
                subscription.named.clear()
            else:
                subscription.named.difference_update(request.symbols)
            if subscription.empty:
                del self.subscriptions[subscription.topic]
        self.send(protocol.answered(request, "*" if request.symbols is None else list(request.symbols), None, None))

    def _say_subscribed(self, request: Request, resumed: bool | None) -> None:
        _, known, unknown = self._resolve(request)
        self.send(protocol.answered(request, known, unknown, resumed))

    def _resolve(self, request: Request) -> tuple[frozenset[int], list[str] | str, list[str]]:
        """(instruments, names as answered, unknown names)."""
        if request.symbols is None:
            return self.fanout.everything, "*", []
        index = self.fanout.store.catalogue.index
        found = {symbol: index(symbol) for symbol in request.symbols}
        known = [symbol for symbol, at in found.items() if at is not None]
        unknown = [symbol for symbol, at in found.items() if at is None]
        return frozenset(at for at in found.values() if at is not None), known, unknown

    # -- resuming ------------------------------------------------------------------------------------------------

    def _resume(self, subscription: Subscription, instruments: frozenset[int], request: Request) -> None:
        written = subscription.take_out(instruments)
        self.fanout.read(lambda: None)
        assert request.after_seq is not None
        waiting = WaitingResume(subscription, set(instruments), request, written)
        subscription.jobs.append(waiting)
        if request.epoch != self.fanout.epoch or request.after_seq <= self.fanout.mark.seq:
            self._decide(waiting)
            return
        self.waiting.append(waiting)
        self.fanout.resumes_waiting += 1
        self.loop.call_later(RESUME_WAIT_S, self._time_is_up, waiting)

    def progress(self) -> None:
        """The state has moved on: answer the resumes that waited for it."""
        for waiting in [each for each in self.waiting if (each.request.after_seq or 0) <= self.fanout.mark.seq]:
            self._wait_no_more(waiting)
            self._decide(waiting)

    def _wait_no_more(self, waiting: WaitingResume) -> None:
        self.waiting.remove(waiting)
        self.fanout.resumes_waiting -= 1

    def _time_is_up(self, waiting: WaitingResume) -> None:
        if waiting in self.waiting and self.connection.open:
            self._wait_no_more(waiting)
            self._decide(waiting)

    def _decide(self, waiting: WaitingResume) -> None:
        """Say `subscribed`, resumed or not, and begin with what was missed or with what can still be had."""
        request, subscription, fanout = waiting.request, waiting.subscription, self.fanout
        after = request.after_seq
        assert after is not None
        store, bars = fanout.store, request.channel == "bars"
        same = request.epoch == fanout.epoch

        def look() -> tuple[int, bool]:
            reached = same and after <= store.seq
            whole = reached and bars and store.bars_whole(sorted(waiting.instruments), request.timeframe, waiting.since)
            return store.oldest_seq, whole or not bars

        oldest, whole = fanout.read(look)
        if not self.connection.open:
            return
        future = after > fanout.mark.seq
        outcome = "other_epoch" if not same else "future" if future else "resumed"
        if outcome == "resumed" and (after < oldest - 1 or not whole):
            outcome = "too_old"
        resumed = outcome == "resumed"
        self.telemetry.resumes.labels(outcome).inc()
        subscription.jobs.remove(waiting)
        self._say_subscribed(request, resumed)
        instruments, now = waiting.instruments, fanout.base.seq
        if not instruments:
            return
        if request.channel == "ticks":
            self.enqueue(MissedTicks(subscription, instruments, after if outcome in ("resumed", "too_old") else 0))
        elif request.channel == "ticker":
            self.enqueue(TickerSnapshot(subscription, instruments, min(after, now) if resumed else now))
        elif resumed:
            self.enqueue(ChangedBars(subscription, instruments, min(waiting.since, now), since=waiting.since))
        else:
            before = waiting.before
            reached = now if before is None else min(before, now)
            self.enqueue(ChangedBars(subscription, instruments, reached, since=before, newest=FIRST_BARS))

    # -- catching up ---------------------------------------------------------------------------------------------

    def catch_up(self, subscription: Subscription, instruments: set[int], since: Mark) -> None:
        """A slow reader missed what came after `since`: it gets it when it reads again."""
        job = missed(subscription, instruments, since)
        subscription.jobs.append(job)
        self._work.append(job)
        if not self.connection.slow:
            self._schedule()

    def enqueue(self, job: Job) -> None:
        """Begin with a job, at once where there is room."""
        job.subscription.jobs.append(job)
        self._work.append(job)
        if self._scheduled or not self.fanout.turns.take(self._step):
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and self._work:
            self._scheduled = True
            self.fanout.turns.ask(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self._step()

    def _step(self) -> None:
        """One message of the job whose turn it is; the next when the loop has looked after the others."""
        if self.connection.slow or not self.connection.open or not self._work:
            return
        try:
            job = self._work.pop(0)
            if job.instruments:
                step = job.step()
                if not self.connection.open:
                    return
                channel = job.subscription.topic[0]
                for message in step.messages:
                    self.telemetry.bytes.inc(self.connection.send(message))
                self.telemetry.messages.labels(channel).inc(len(step.messages))
                if not step.done:
                    self._work.append(job)
                else:
                    job.subscription.jobs.remove(job)
                    job.subscription.go_live(job.finished())
            else:
                self._drop(job)
        except Exception as error:
            self.connection.fault(error)
            return
        self._schedule()

    def _drop(self, job: Job) -> None:
        subscription = job.subscription
        subscription.jobs.remove(job)
        if subscription.empty and self.subscriptions.get(subscription.topic) is subscription:
            del self.subscriptions[subscription.topic]

    # -- alerts --------------------------------------------------------------------------------------------------

    def _write_alert(self, event: Event) -> bool:
        if self.connection.slow or not self.connection.open:
            return False
        self.send(protocol.alert(event))
        self.telemetry.messages.labels("alerts").inc()
        return True

    def _read_alerts(self, after_id: int, loaded: Loaded) -> None:
        def then(events: list[Event] | None) -> None:
            if not self.connection.open:
                return
            loaded(events)
            if events is None:
                self.loop.call_later(RETRY_S, self.alerts.room)

        self._load_alerts(after_id, then)
