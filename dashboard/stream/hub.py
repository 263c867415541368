"""The hub: one thread with one asyncio loop (uvloop where installed) that owns every WebSocket connection.

It listens to the store, joins what changes within a frame's time, and writes each distinct frame once for everybody.
Changes are queued inside the store's lock; reading the store and draining the queue under that lock gives the exact
state at a sequence number, so that snapshots, resumes and live frames neither overlap nor leave a hole.
"""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from websockets.server import ServerProtocol

from dashboard.clock import Clock
from dashboard.market.ticks import Floats
from dashboard.store.change import Change
from dashboard.store.memory import MemoryStore
from dashboard.stream import catchup, protocol
from dashboard.stream.connection import Connection, Outgoing
from dashboard.stream.fanout import Fanout
from dashboard.stream.subscriptions import Client, Job, Subscription, Topic
from dashboard.telemetry import Telemetry, get_logger

T = TypeVar("T")
#: A ping without a pong ends a connection after so long, s; the second while bytes wait for it to read.
PONG_S, SLOW_PONG_S = 8.0, 75.0
#: Malformed messages in a minute that end a connection.
ERRORS_A_MINUTE = 20
#: Bursts of messages: this many seconds' worth at once.
BURST_S = 5.0
#: How long a resume waits for a sequence number that this process has not reached, s.
RESUME_WAIT_S = 1.0
#: How often beats are looked after and sessions are asked about, s.
BEAT_S, SESSIONS_S = 0.25, 0.5
#: Messages of one client's catching up before the others have their turn.
TURN = 8
#: What the kernel may hide of a reader's slowness: without it loopback takes 650 KB before anybody notices.
SEND_BUFFER, NOT_SENT = 65_536, 16_384


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place that a handshake has been given; it is free again when the connection is lost."""

    user_id: int
    session: str
    name: str


class Hub:
    """Start it once, `adopt` sockets from any thread, `stop` it once. `alive` and `missed_alerts` may block: they are
    called off the loop."""

    def __init__(
        self,
        store: MemoryStore,
        telemetry: Telemetry,
        clock: Clock,
        *,
        frame_ms: int,
        connections: int,
        connections_per_user: int,
        symbols: int,
        messages_per_s: float,
        buffer_kb: int,
        alive: Callable[[set[str]], set[str]],
        missed_alerts: Callable[[int, int], list[dict[str, Any]]],
    ) -> None:
        self.store, self.telemetry, self.clock = store, telemetry, clock
        self.frame_s = frame_ms / 1000.0
        self.limit, self.user_limit = connections, connections_per_user
        self.symbols_limit, self.rate, self.buffer = symbols, messages_per_s, buffer_kb * 1024
        self.alive, self.missed_alerts = alive, missed_alerts
        self.log = get_logger("hub")
        self.epoch, self.seq, self.flushed = store.epoch, store.seq, store.seq
        self.clients: dict[Connection, Client] = {}
        self.fanout = Fanout(store.catalogue.symbols, self._send)
        self.everything = frozenset(range(len(store.catalogue)))
        self._queue: deque[Change | str] = deque()
        self._waking = False
        self._last_flush = float("-inf")
        self._flush_timer: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[float, Client, protocol.Request, Subscription, Job, set[int]]] = []
        self._places: Counter[int] = Counter()
        self._places_lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._turned = clock.monotonic()
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._executor: ThreadPoolExecutor | None = None

    # -- from any thread -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread `hub`."""
        self._loop = _new_loop()
        self._executor = ThreadPoolExecutor(2, thread_name_prefix="hub-helper")
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="hub", daemon=True)
        self._thread.start()
        ready.wait(5.0)

    def stop(self, timeout: float = 2.0) -> None:
        """Tell every client (1001), wait for their answers up to `timeout` seconds, cut the others, end the thread."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or self._stopping:
            return
        self._stopping = True
        loop.call_soon_threadsafe(lambda: self._keep(self._shut(timeout)))
        thread.join(timeout + 1.0)
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def on_change(self, change: Change) -> None:
        """The store's news; called inside its lock."""
        self._queue.append(change)
        self._wake()

    def on_epoch(self, epoch: str) -> None:
        """The data starts over; called inside the store's lock."""
        self._queue.append(epoch)
        self._wake()

    def publish_alert(self, user_id: int, event: dict[str, Any]) -> None:
        """Tell every connection of a user that watches alerts."""
        self._soon(self._publish_alert, user_id, event)

    def end_session(self, session: str, code: int = protocol.LOGIN_ENDED) -> None:
        """Close the connections of a session that has ended."""
        self._soon(self._end, lambda client: client.session == session, code)

    def end_user(self, user_id: int, code: int = protocol.LOGIN_ENDED) -> None:
        """Close the connections of a user."""
        self._soon(self._end, lambda client: client.user_id == user_id, code)

    def lag_s(self) -> float:
        """How late the loop is, s."""
        lag = max(0.0, self.clock.monotonic() - self._turned - BEAT_S)
        self.telemetry.hub_lag_seconds.set(lag)
        return lag

    def reserve(self, user_id: int, session: str, name: str) -> Reservation | str:
        """A place for one more connection, or why there is none."""
        with self._places_lock:
            if self._stopping or self._loop is None:
                return "the server is not taking connections"
            if self._places.total() >= self.limit:
                return f"all {self.limit} connections of this process are taken"
            if self._places[user_id] >= self.user_limit:
                return f"{name} has {self.user_limit} connections open, as many as a user may"
            self._places[user_id] += 1
            return Reservation(user_id, session, name)

    def release(self, place: Reservation) -> None:
        """Give a place back."""
        with self._places_lock:
            self._places[place.user_id] -= 1
            if self._places[place.user_id] <= 0:
                del self._places[place.user_id]

    def adopt(
        self, sock: socket.socket, ws: ServerProtocol, handshake: bytes, early: bytes, place: Reservation
    ) -> None:
        """Take over a socket whose handshake has been accepted but not written."""
        loop = self._loop
        assert loop is not None, "adopt before start"
        connection = Connection(self, ws, handshake, early, buffer=self.buffer, name=place)

        async def take() -> None:
            try:
                if self._stopping:
                    raise OSError("the server goes away")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
                if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT)
                await loop.connect_accepted_socket(lambda: connection, sock)
            except OSError as error:
                self.log.info("connection was gone before it began", error=str(error))
                sock.close()
                if connection not in self.clients and not connection.lost:
                    self.release(place)

        if not self._soon(lambda: self._keep(take())):
            sock.close()
            self.release(place)

    # -- connections' events, on the loop ------------------------------------------------------------------------

    def on_open(self, connection: Connection) -> None:
        place = connection.name
        assert isinstance(place, Reservation) and self._loop is not None
        now = self._loop.time()
        beat = protocol.HEARTBEAT_MS / 1000
        self.clients[connection] = Client(
            connection, place.user_id, place.session, self.rate * BURST_S, now, now + beat * random.uniform(0.5, 1.0)
        )
        self.telemetry.connections.set(len(self.clients))
        epoch, seq, oldest = self.read(lambda: (self.store.epoch, self.store.seq, self.store.oldest_seq))
        connection.send(Outgoing(protocol.welcome(epoch, seq, oldest)))

    def on_lost(self, connection: Connection, code: int) -> None:
        client = self.clients.pop(connection, None)
        self.telemetry.connections.set(len(self.clients))
        self.telemetry.closed.labels(str(code)).inc()
        assert isinstance(connection.name, Reservation)
        self.release(connection.name)
        if client is not None:
            for subscription in client.subscriptions.values():
                self.fanout.leave(subscription)
                self.fanout.fresh.pop(subscription, None)
            client.jobs.clear()

    def on_fault(self, connection: Connection, error: Exception) -> None:
        self.telemetry.faults.labels("hub").inc()
        self.log.error("a connection failed", error=repr(error), exc_info=error)

    def on_binary(self, connection: Connection, data: bytes) -> None:
        self._refuse(self.clients[connection], protocol.Refused("binary", "a message must be text, this was binary"))

    def on_text(self, connection: Connection, text: bytes) -> None:
        client = self.clients[connection]
        if not self._allowed(client):
            connection.close(protocol.FLOODED, "too many messages")
            return
        try:
            request = protocol.parse(text, self.symbols_limit)
        except protocol.Refused as refused:
            self._refuse(client, refused)
            return
        if request.op == "ping":
            connection.send(Outgoing(protocol.pong(request.id, self.clock.now_ms())))
        elif request.channel == "alerts":
            self._alerts(client, request)
        elif request.op == "subscribe":
            self._subscribe(client, request)
        else:
            self._unsubscribe(client, request)

    def on_room(self, connection: Connection) -> None:
        """A slow reader has drained: bring it up to date, newest values first."""
        client = self.clients[connection]
        client.slow_since = None
        for subscription in list(client.subscriptions.values()):
            if not subscription.behind:
                continue
            behind, reference, since = subscription.behind, subscription.reference, subscription.since
            subscription.behind, subscription.reference = set(), set()
            self.fanout.leave(subscription, behind)
            job = Job(subscription.topic, set(behind), since)
            job.steps = catchup.drained(self, subscription, job, reference)
            client.jobs.append(job)
        if client.alerts and client.alerts_loading is False and client.alerts_after is not None:
            self._load_alerts(client)
        self._pump(client)

    # -- subscriptions -------------------------------------------------------------------------------------------

    def _subscribe(self, client: Client, request: protocol.Request) -> None:
        instruments, known, unknown = self._resolve(request.symbols)
        topic: Topic = (request.channel, request.timeframe)
        subscription = client.subscriptions.get(topic)
        if subscription is None:
            subscription = client.subscriptions[topic] = Subscription(client, topic)
        self._forget(client, subscription, instruments)
        job = Job(topic, set(instruments), self.seq if request.after_seq is None else request.after_seq)
        client.jobs.append(job)
        answer: tuple[list[str] | str, list[str]] = (known, unknown)
        if request.after_seq is None:
            self._answer(client, request, answer, subscription, job, None)
        elif request.epoch == self.epoch and request.after_seq > self.seq:
            assert self._loop is not None
            until = self._loop.time() + RESUME_WAIT_S
            self._waiting.append((until, client, request, subscription, job, set(instruments)))
            self._loop.call_later(RESUME_WAIT_S + 0.005, self._look_at_waiting)
        else:
            self._answer(client, request, answer, subscription, job, request.epoch == self.epoch)

    def _answer(
        self,
        client: Client,
        request: protocol.Request,
        answer: tuple[list[str] | str, list[str]],
        subscription: Subscription,
        job: Job,
        same_epoch: bool | None,
    ) -> None:
        """Say `subscribed` and begin with the snapshot, the resume, or what can still be had."""
        resumed: bool | None = None
        after = request.after_seq
        if after is not None:
            whole = bool(same_epoch) and after <= self.seq and after >= self.store.oldest_seq - 1
            if whole and request.channel == "bars":
                whole = self.read(lambda: self.store.bars_whole(sorted(job.held), request.timeframe, after))
            resumed = whole
            reason = (
                "resumed"
                if whole
                else "other_epoch"
                if request.epoch != self.epoch
                else "future"
                if after > self.seq
                else "too_old"
            )
            self.telemetry.resumes.labels(reason).inc()
            if not whole and (request.epoch != self.epoch or after > self.seq):
                after = 0
        client.connection.send(Outgoing(protocol.answered(request, answer[0], answer[1], resumed)))
        job.position = min(job.position, self.seq)
        job.steps = catchup.begun(self, subscription, job, after, bool(resumed))
        self._pump(client)

    def _look_at_waiting(self) -> None:
        if not self._waiting:
            return
        assert self._loop is not None
        now, still = self._loop.time(), []
        for entry in self._waiting:
            until, client, request, subscription, job, _instruments = entry
            if client.connection not in self.clients or job not in client.jobs:
                continue
            assert request.after_seq is not None
            if self.seq >= request.after_seq or now >= until:
                _, known, unknown = self._resolve(request.symbols)
                self._answer(client, request, (known, unknown), subscription, job, request.epoch == self.epoch)
            else:
                still.append(entry)
        self._waiting = still

    def _unsubscribe(self, client: Client, request: protocol.Request) -> None:
        instruments, known, _unknown = self._resolve(request.symbols)
        topic = (request.channel, request.timeframe)
        subscription = client.subscriptions.get(topic)
        if subscription is not None:
            self._forget(client, subscription, instruments)
            if not subscription.live and not any(job.topic == topic for job in client.jobs):
                del client.subscriptions[topic]
        client.connection.send(Outgoing(protocol.answered(request, known, None, None)))

    def _forget(self, client: Client, subscription: Subscription, instruments: Iterable[int]) -> None:
        """End what was subscribed or is being caught up for `instruments` on the subscription's topic."""
        gone = frozenset(instruments)
        self.fanout.leave(subscription, gone)
        for job in client.jobs:
            if job.topic == subscription.topic:
                job.held -= gone
        client.jobs = [job for job in client.jobs if job.held]

    def _resolve(self, symbols: tuple[str, ...] | None) -> tuple[frozenset[int], list[str] | str, list[str]]:
        """(instruments, names as answered, unknown names)."""
        if symbols is None:
            return self.everything, "*", []
        found = {symbol: self.store.catalogue.index(symbol) for symbol in symbols}
        known = [symbol for symbol, at in found.items() if at is not None]
        unknown = [symbol[:100] for symbol, at in found.items() if at is None]
        return frozenset(at for at in found.values() if at is not None), known, unknown

    # -- alerts --------------------------------------------------------------------------------------------------

    def _alerts(self, client: Client, request: protocol.Request) -> None:
        client.alerts = request.op == "subscribe"
        client.connection.send(Outgoing(protocol.answered(request, [], None, None)))
        client.alerts_after = request.after_id if client.alerts else None
        if client.alerts_after is not None:
            self._load_alerts(client)

    def _load_alerts(self, client: Client) -> None:
        """Send the events after `alerts_after`, read off the loop; live ones wait meanwhile and are read too."""
        client.alerts_loading = True

        async def load() -> None:
            assert self._loop is not None
            try:
                while client.alerts and client.alerts_after is not None and client.connection.open:
                    after = client.alerts_after
                    events = await self._loop.run_in_executor(self._executor, self.missed_alerts, client.user_id, after)
                    for event in events:
                        if client.connection.slow:
                            return
                        if event["id"] > (client.alerts_after or 0):
                            client.alerts_after = event["id"]
                            self._send_alert(client, event)
                    if client.alerts_after == after:
                        client.alerts_after = None
            except Exception:
                self.telemetry.faults.labels("hub").inc()
                self.log.exception("alerts could not be read")
            finally:
                client.alerts_loading = False

        self._keep(load())

    def _publish_alert(self, user_id: int, event: dict[str, Any]) -> None:
        for client in self.clients.values():
            if client.user_id != user_id or not client.alerts:
                continue
            if client.alerts_after is not None or client.connection.slow:
                # It is being read from the database, or will be when there is room.
                if client.alerts_after is None:
                    client.alerts_after = event["id"] - 1
                elif not client.alerts_loading and not client.connection.slow:
                    self._load_alerts(client)
            else:
                self._send_alert(client, event)

    def _send_alert(self, client: Client, event: dict[str, Any]) -> None:
        client.connection.send(Outgoing(protocol.alert(event)))
        self.telemetry.messages.labels("alerts").inc()

    # -- frames --------------------------------------------------------------------------------------------------

    def read(self, look: Callable[[], T]) -> T:
        """Read the store at exactly the sequence number that the hub is at afterwards."""
        with self.store.lock:
            changes = self._drained()
            result = look()
        for change in changes:
            self._absorb(change)
        return result

    def _wake(self) -> None:
        if not self._waking:
            self._waking = True
            if not self._soon(self._woken):
                self._waking = False

    def _woken(self) -> None:
        self._waking = False
        try:
            for change in self._drained():
                self._absorb(change)
            if self._waiting:
                self._look_at_waiting()
            self._flush_when_due()
        except Exception:
            self.telemetry.faults.labels("hub").inc()
            self.log.exception("a change could not be sent")

    def _drained(self) -> list[Change | str]:
        changes = []
        while self._queue:
            changes.append(self._queue.popleft())
        return changes

    def _absorb(self, change: Change | str) -> None:
        if isinstance(change, str):
            self._begin_epoch(change)
        elif change.epoch == self.epoch:
            self.seq = change.seq
            self.fanout.absorb(change)
            if not self.fanout.pending:
                self.flushed = self.seq

    def _begin_epoch(self, epoch: str) -> None:
        self.epoch, self.seq, self.flushed = epoch, 0, 0
        for client in list(self.clients.values()):
            client.jobs.clear()
            for subscription in client.subscriptions.values():
                self.fanout.leave(subscription)
            client.subscriptions.clear()
            client.connection.close(protocol.GOING_AWAY, "the data starts over")
        self.fanout.reset()

    def _flush_when_due(self) -> None:
        if not self.fanout.pending or self._flush_timer is not None:
            return
        assert self._loop is not None
        now, due = self._loop.time(), self._last_flush + self.frame_s
        if now >= due:
            self._flush()
        else:
            self._flush_timer = self._loop.call_at(due, self._flush)

    def _flush(self) -> None:
        assert self._loop is not None
        self._flush_timer = None
        self._last_flush = self._loop.time()
        received = self.fanout.received
        try:
            self.fanout.flush(self.seq, self.clock.now_ms(), self.flushed, self._day)
        except Exception:
            self.telemetry.faults.labels("hub").inc()
            self.log.exception("a flush failed")
            self.fanout.reset_pending()
        self.flushed = self.seq
        if self.fanout.conflated:
            self.telemetry.conflated.inc(self.fanout.conflated)
            self.fanout.conflated = 0
        if received == received:
            self.telemetry.stream_delay_seconds.observe(max(0.0, self.clock.now_ms() - received) / 1000)

    def _day(self) -> tuple[Floats, Floats]:
        last = self.store.last()
        return last.open, last.previous_close

    def _send(self, subscription: Subscription, message: Outgoing, channel: str) -> None:
        """A shared frame to one subscriber; a failing connection must not stop the others."""
        connection = subscription.client.connection
        try:
            connection.send(message)
        except Exception as error:
            self.on_fault(connection, error)
            connection.abort()
        self.telemetry.messages.labels(channel).inc()

    def _pump(self, client: Client) -> None:
        """Write what a client catches up with while there is room, a few messages at a turn."""
        if client.pumping:
            return
        client.pumping = True
        connection = client.connection
        try:
            for _ in range(TURN):
                job = next((job for job in client.jobs if job.steps is not None), None)
                if job is None or connection.slow or not connection.open:
                    return
                assert job.steps is not None
                message = next(job.steps, None)
                if message is None:
                    client.jobs = [other for other in client.jobs if other is not job]
                else:
                    connection.send(message)
                    self.telemetry.messages.labels(job.topic[0]).inc()
            assert self._loop is not None
            self._loop.call_soon(self._pump, client)
        except Exception as error:
            self.on_fault(connection, error)
            connection.close(protocol.FAULT, "internal error")
        finally:
            client.pumping = False

    # -- limits, beats, sessions ---------------------------------------------------------------------------------

    def _allowed(self, client: Client) -> bool:
        """A token bucket: `rate` messages a second, bursts of five seconds' worth."""
        assert self._loop is not None
        now = self._loop.time()
        client.allowance = min(self.rate * BURST_S, client.allowance + (now - client.allowance_at) * self.rate)
        client.allowance_at = now
        if client.allowance < 1:
            return False
        client.allowance -= 1
        return True

    def _refuse(self, client: Client, refused: protocol.Refused) -> None:
        assert self._loop is not None
        now = self._loop.time()
        client.errors = [at for at in client.errors if at > now - 60.0] + [now]
        self.telemetry.stream_errors.labels(refused.code).inc()
        client.connection.send(Outgoing(protocol.error(refused)))
        if len(client.errors) > ERRORS_A_MINUTE:
            client.connection.close(protocol.FLOODED, "too many malformed messages")

    async def _beat(self) -> None:
        assert self._loop is not None
        while True:
            self._turned = self.clock.monotonic()
            now = self._loop.time()
            for client in list(self.clients.values()):
                try:
                    self._look_after(client, now)
                except Exception as error:
                    self.on_fault(client.connection, error)
                    client.connection.abort()
            await asyncio.sleep(BEAT_S)

    def _look_after(self, client: Client, now: float) -> None:
        connection = client.connection
        if connection.ping_sent is not None:
            limit = SLOW_PONG_S if connection.slow else PONG_S
            if now - connection.ping_sent > limit:
                connection.close(protocol.NO_PONG, "no pong")
                return
        if now < client.next_beat or not connection.open:
            return
        client.next_beat = now + protocol.HEARTBEAT_MS / 1000
        sent = connection.bytes_sent
        self.telemetry.bytes.inc(sent - client.written)
        client.written = sent
        connection.ping(now)
        if not connection.slow:
            connection.send(Outgoing(protocol.heartbeat(self._written_up_to(client), self.clock.now_ms())))

    def _written_up_to(self, client: Client) -> int:
        """The newest seq up to which everything that a client subscribed to has been written to it."""
        seqs = [self.flushed]
        seqs += [each.since for each in client.subscriptions.values() if each.behind]
        seqs += [job.position for job in client.jobs]
        return min(seqs)

    async def _watch_sessions(self) -> None:
        assert self._loop is not None
        while True:
            await asyncio.sleep(SESSIONS_S)
            sessions = {client.session for client in self.clients.values()}
            if not sessions:
                continue
            try:
                alive = await self._loop.run_in_executor(self._executor, self.alive, sessions)
            except Exception:
                self.telemetry.faults.labels("hub").inc()
                self.log.exception("sessions could not be looked up")
                continue
            ended = sessions - alive
            if ended:
                self._end(lambda client, ended=ended: client.session in ended, protocol.LOGIN_ENDED)

    def _end(self, which: Callable[[Client], bool], code: int) -> None:
        for client in list(self.clients.values()):
            if which(client):
                client.connection.close(code, "the login has ended" if code == protocol.LOGIN_ENDED else "")

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self, ready: threading.Event) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        self._keep_on(loop, self._beat())
        self._keep_on(loop, self._watch_sessions())
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            for task in list(self._tasks):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    async def _shut(self, timeout: float) -> None:
        assert self._loop is not None
        for client in list(self.clients.values()):
            client.connection.close(protocol.GOING_AWAY, "the server goes away")
        until = self._loop.time() + timeout
        while self.clients and self._loop.time() < until:
            await asyncio.sleep(0.01)
        for client in list(self.clients.values()):
            client.connection.abort()
        await asyncio.sleep(0.01)
        self._loop.stop()

    def _soon(self, call: Callable[..., object], *arguments: Any) -> bool:
        """Have the loop call something soon; False when it has ended."""
        loop = self._loop
        if loop is None:
            return False
        try:
            loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            return False
        return True

    def _keep(self, work: Any) -> None:
        assert self._loop is not None
        self._keep_on(self._loop, work)

    def _keep_on(self, loop: asyncio.AbstractEventLoop, work: Any) -> None:
        task = loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
