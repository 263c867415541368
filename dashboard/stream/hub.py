"""The hub: one thread with one asyncio loop (uvloop where installed) that owns every WebSocket connection.

It listens to the store, takes over sockets from the handshake's threads, looks after heartbeats, pongs and sessions,
and tells everybody when the server goes away.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import socket
from collections.abc import Callable, Iterable
from functools import partial

from websockets.server import ServerProtocol

from dashboard.clock import Clock
from dashboard.store.change import Change
from dashboard.store.memory import MemoryStore
from dashboard.stream import protocol
from dashboard.stream.alertfeed import Event, Loaded
from dashboard.stream.client import Client, Limits
from dashboard.stream.connection import Connection, Outgoing, Ping
from dashboard.stream.fanout import Fanout
from dashboard.stream.limits import Places, Reservation
from dashboard.stream.loopthread import LoopThread, new_loop
from dashboard.stream.offloop import OffLoop
from dashboard.telemetry import Telemetry, get_logger

#: A ping without a pong ends a connection after so long, s; the second while bytes wait for it to read.
PONG_S, SLOW_PONG_S = 8.0, 75.0
#: How often beats are looked after and sessions are asked about, s.
BEAT_S, SESSIONS_S = 0.25, 0.5
#: A question about sessions that has no answer for so long counts as failed, s.
SESSIONS_LATE_S = 3.0
#: Frames that a client may send for each message it may: pongs, pings and pieces of messages.
FRAMES_A_MESSAGE = 10


class Hub:
    """Start it once, `adopt` sockets from any thread, `stop` it once. `alive` and `missed_alerts` may block: they are
    called off the loop."""

    def __init__(
        self,
        store: MemoryStore,
        telemetry: Telemetry,
        clock: Clock,
        *,
        frame_ms: float,
        connections: int,
        connections_per_user: int,
        symbols: int,
        messages_per_s: float,
        buffer_kb: int,
        alive: Callable[[Iterable[str]], set[str]],
        missed_alerts: Callable[[int, int], list[Event]] | None = None,
    ) -> None:
        self.store, self.telemetry, self.clock = store, telemetry, clock
        self.buffer = buffer_kb * 1024
        self.limits = Limits(symbols, messages_per_s)
        self.places = Places(connections, connections_per_user)
        self.alive = alive
        self.missed_alerts = missed_alerts or (lambda _user_id, _after_id: [])
        self.log = get_logger("hub")
        self.clients: dict[Connection, Client] = {}
        self.fanout = Fanout(
            store,
            telemetry,
            clock,
            frame_s=frame_ms / 1000.0,
            on_epoch=self._epoch_began,
            on_progress=self._progress,
        )
        self._thread = LoopThread("hub", self._fault)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sessions: OffLoop | None = None
        self._database: OffLoop | None = None
        self._turned: float | None = None
        #: When each connection's next heartbeat is due (a heap; the count keeps equal times apart).
        self._beats: list[tuple[float, int, Connection]] = []
        self._opened = itertools.count()
        self._unanswered: dict[Connection, None] = {}
        #: When the question about sessions that is under way was asked, on the loop's clock.
        self._asked: float | None = None
        self._sessions_unknown = False

    # -- from any thread -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread `hub`."""
        loop = new_loop()
        self.attach(loop)
        self._sessions, self._database = OffLoop("hub-sessions", loop), OffLoop("hub-alerts", loop)
        self._sessions.start()
        self._database.start()
        loop.call_later(SESSIONS_S, self._ask_sessions)
        self._thread.run()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use `loop`, which somebody else runs, and take connections."""
        self._loop = loop
        self.fanout.start(loop)
        loop.call_soon(self._beat)
        self._thread.attach(loop)

    def stop(self, timeout: float = 2.0) -> None:
        """Tell every client (1001), wait for their answers up to `timeout` seconds, cut the others, end the thread."""
        if not self._thread.stop(lambda: self.clients, timeout):
            return
        for off_loop in (self._sessions, self._database):
            if off_loop is not None:
                off_loop.stop(0.1)
        self._turned = None

    def on_change(self, change: Change) -> None:
        """The store's news; called inside its lock."""
        self.fanout.on_change(change)

    def on_epoch(self, epoch: str) -> None:
        """The data starts over; called inside the store's lock."""
        self.fanout.epoch_began(epoch)

    def publish_alert(self, user_id: int, event: Event) -> None:
        """Tell every connection of a user that watches alerts of an event that has been recorded."""
        self._thread.soon(self._publish_alert, user_id, event)

    def end_session(self, session: str, code: int = protocol.LOGIN_ENDED) -> None:
        """Close the connections of a session that has ended."""
        self._thread.soon(self._end, lambda place: place.session == session, code)

    def end_user(self, user_id: int, code: int = protocol.LOGIN_ENDED) -> None:
        """Close the connections of a user."""
        self._thread.soon(self._end, lambda place: place.user_id == user_id, code)

    def lag_s(self) -> float:
        """How late the loop is just now, s; 0 while it is not meant to run."""
        turned = self._turned
        lag = 0.0 if turned is None else max(0.0, self.clock.monotonic() - turned - BEAT_S)
        self.telemetry.hub_lag_seconds.set(lag)
        return lag

    def reserve(self, user_id: int, session: str, name: str) -> Reservation | str:
        """A place for one more connection, or one sentence why there is none."""
        if not self._thread.open:
            return "the server is not taking connections just now"
        return self.places.take(user_id, session, name)

    def release(self, place: Reservation) -> None:
        """Give a place back that was not used."""
        self.places.give_back(place)

    def adopt(
        self, sock: socket.socket, ws: ServerProtocol, handshake: bytes, early: bytes, place: Reservation
    ) -> None:
        """Take over a socket whose handshake has been accepted but not written; closes it when the hub has stopped."""
        made: list[Connection] = []

        def make() -> Connection:
            made.append(self.make_connection(ws, handshake, early, place, sock))
            return made[0]

        def gone() -> None:
            if not made or (made[0] not in self.clients and not made[0].lost):
                self.release(place)

        self._thread.adopt(sock, make, gone)

    def make_connection(
        self,
        ws: ServerProtocol,
        handshake: bytes,
        early: bytes,
        place: Reservation,
        sock: socket.socket | None = None,
    ) -> Connection:
        """The protocol object for one connection, on the hub's loop."""
        assert self._loop is not None, "start or attach first"
        return Connection(
            self,
            ws,
            handshake,
            early,
            loop=self._loop,
            buffer=self.buffer,
            frames_per_s=max(200.0, FRAMES_A_MESSAGE * self.limits.messages_per_s),
            sock=sock,
            name=place,
        )

    # -- what connections tell, on the loop ----------------------------------------------------------------------

    def on_open(self, connection: Connection) -> None:
        assert self._loop is not None
        assert isinstance(connection.name, Reservation)
        place = connection.name
        client = Client(
            connection,
            place,
            self.fanout,
            self._loop,
            self.telemetry,
            self.limits,
            lambda after_id, loaded: self._load_alerts(place.user_id, after_id, loaded),
        )
        self.clients[connection] = client
        # The first beat comes early and at random, so that a thousand that came together do not beat together.
        due = self._loop.time() + protocol.HEARTBEAT_MS / 1000 * random.uniform(0.5, 1.0)
        heapq.heappush(self._beats, (due, next(self._opened), connection))
        self.telemetry.connections.set(len(self.clients))
        client.opened()

    def on_text(self, connection: Connection, text: bytes) -> None:
        self.clients[connection].text(text)

    def on_binary(self, connection: Connection, data: bytes) -> None:
        self.clients[connection].binary()

    def on_room(self, connection: Connection) -> None:
        self.clients[connection].room()

    def on_lost(self, connection: Connection, code: int) -> None:
        self._unanswered.pop(connection, None)
        client = self.clients.pop(connection, None)
        self.telemetry.connections.set(len(self.clients))
        self.telemetry.closed.labels(str(code) if code in protocol.COUNTED else "other").inc()
        assert isinstance(connection.name, Reservation)
        self.release(connection.name)
        if client is not None:
            client.lost()

    def on_fault(self, connection: Connection, error: Exception) -> None:
        self._fault("a connection failed", error)

    # -- on the loop ---------------------------------------------------------------------------------------------

    def _publish_alert(self, user_id: int, event: Event) -> None:
        for client in list(self.clients.values()):
            if client.place.user_id == user_id:
                self._tell(client.connection, partial(client.publish_alert, event))

    def _load_alerts(self, user_id: int, after_id: int, loaded: Loaded) -> None:
        def then(events: list[Event] | None, error: Exception | None) -> None:
            if error is not None:
                self._fault("missed alerts could not be read", error)
            loaded(events)

        if self._database is None:
            loaded(self.missed_alerts(user_id, after_id))
        else:
            self._database.call(lambda: self.missed_alerts(user_id, after_id), then)

    def _epoch_began(self) -> None:
        for client in list(self.clients.values()):
            for subscription in client.subscriptions.values():
                subscription.end()
            self._tell(client.connection, partial(client.connection.close, protocol.GOING_AWAY, "the data starts over"))

    def _progress(self) -> None:
        if not self.fanout.resumes_waiting:
            return
        for client in list(self.clients.values()):
            if client.waiting:
                try:
                    client.progress()
                except Exception as error:
                    client.connection.fault(error)

    def _beat(self) -> None:
        assert self._loop is not None
        self._turned = self.clock.monotonic()
        self._loop.call_later(BEAT_S, self._beat)
        now, sent, ping = self._loop.time(), self.clock.now_ms(), Ping()
        heartbeats: dict[int, Outgoing] = {}
        while self._beats and self._beats[0][0] <= now:
            _, order, connection = heapq.heappop(self._beats)
            client = self.clients.get(connection)
            if client is None:
                continue
            due = now + protocol.HEARTBEAT_MS / 1000 - BEAT_S / 2
            heapq.heappush(self._beats, (due, order, connection))
            try:
                written = client.written()
                if written not in heartbeats:
                    heartbeats[written] = Outgoing(protocol.heartbeat(written, sent))
                self.telemetry.bytes.inc(connection.beat(heartbeats[written], ping))
                self._unanswered[connection] = None
            except Exception as error:
                connection.fault(error)
        for connection in list(self._unanswered):
            try:
                if not connection.unanswered:
                    del self._unanswered[connection]
                elif connection.open and connection.silent(PONG_S, SLOW_PONG_S):
                    connection.close(protocol.NO_PONG, "no pong", wait_s=0.5)
            except Exception as error:
                connection.fault(error)

    def _ask_sessions(self) -> None:
        """Ask which of the sessions still live; never two questions at once, never on the loop."""
        assert self._loop is not None
        assert self._sessions is not None
        self._loop.call_later(SESSIONS_S, self._ask_sessions)
        sessions = {client.place.session for client in self.clients.values()}
        if self._asked is not None:
            if not self._sessions_unknown and self._loop.time() - self._asked >= SESSIONS_LATE_S:
                self._sessions_failed(f"no answer for {SESSIONS_LATE_S:g} s")
            return
        if not sessions:
            return
        self._asked = self._loop.time()

        def answered(alive: set[str] | None, error: Exception | None) -> None:
            self._asked = None
            if error is not None or alive is None:
                self._sessions_failed(str(error))
                return
            if self._sessions_unknown:
                self._sessions_unknown = False
                self.log.info("sessions can be looked up again")
            ended = sessions - alive
            if ended:
                self._end(lambda place: place.session in ended, protocol.LOGIN_ENDED)

        self._sessions.call(lambda: self.alive(sessions), answered)

    def _sessions_failed(self, why: str) -> None:
        """Count it, and say it once."""
        self.telemetry.faults.labels("hub").inc()
        if not self._sessions_unknown:
            self.log.error("sessions can't be looked up; their connections stay until they can", error=why)
        self._sessions_unknown = True

    def _end(self, which: Callable[[Reservation], bool], code: int) -> None:
        reason = "the login has ended" if code == protocol.LOGIN_ENDED else ""
        for client in list(self.clients.values()):
            if which(client.place):
                self._tell(client.connection, partial(client.connection.close, code, reason))

    def _tell(self, connection: Connection, call: Callable[[], None]) -> None:
        """One connection that can't be told something is cut, and keeps no other from hearing of it."""
        try:
            call()
        except Exception as error:
            self.on_fault(connection, error)
            connection.abort()

    def _fault(self, event: str, error: Exception | None) -> None:
        self.telemetry.faults.labels("hub").inc()
        self.log.error(event, exc_info=error)
