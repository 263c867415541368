"""The hub on a loop with a virtual clock, and clients whose lines are as wide as a test says: same seed, same run."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import orjson
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from dashboard.clock import ManualClock
from dashboard.market.instruments import catalogue
from dashboard.market.ticks import TickBatch
from dashboard.store.change import Change
from dashboard.store.memory import MemoryStore
from dashboard.stream.deflate import BoundedDeflate
from dashboard.stream.hub import Hub
from dashboard.stream.limits import Reservation
from dashboard.stream.turns import Turns
from dashboard.telemetry import Telemetry

SYMBOLS = ("AAPL", "MSFT", "BTC-USD", "GOLD", "OIL")
START_MS = 1_763_868_120_000.0


class VirtualLoop:
    """The part of an event loop that the hub uses; time moves only by `run_for`, and the clock with it."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self._due: list[tuple[float, int, VirtualTimer]] = []
        self._order = itertools.count()
        self.failures: list[dict[str, Any]] = []

    def time(self) -> float:
        return self.clock.monotonic()

    def call_at(self, when: float, call: Callable[..., Any], *arguments: Any) -> VirtualTimer:
        timer = VirtualTimer(call, arguments)
        heapq.heappush(self._due, (when, next(self._order), timer))
        return timer

    def call_later(self, delay: float, call: Callable[..., Any], *arguments: Any) -> VirtualTimer:
        return self.call_at(self.time() + delay, call, *arguments)

    def call_soon(self, call: Callable[..., Any], *arguments: Any) -> VirtualTimer:
        return self.call_at(self.time(), call, *arguments)

    call_soon_threadsafe = call_soon

    def set_exception_handler(self, handler: object) -> None:
        self.handler = handler

    def run_for(self, seconds: float = 0.0) -> None:
        """Let `seconds` pass and do what falls due, in order."""
        end = self.time() + seconds
        while self._due and self._due[0][0] <= end + 1e-9:
            when, _, timer = heapq.heappop(self._due)
            if when > self.time():
                self.clock.advance((when - self.time()) * 1000.0)
            if not timer.cancelled:
                timer.call(*timer.arguments)
        if end > self.time():
            self.clock.advance((end - self.time()) * 1000.0)


class VirtualTimer:
    def __init__(self, call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.call, self.arguments, self.cancelled = call, arguments, False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualLine(asyncio.Transport):
    """The server's end of a line. What is written arrives at once, or waits while `open_for` has run out."""

    def __init__(self, receive: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        super().__init__()
        self.receive, self.lost = receive, lost
        self.budget = float("inf")
        self.waiting = bytearray()
        self.paused = self.closed = False
        self.reading = True
        self.high, self.low = 65_536, 16_384
        self.protocol: Any = None

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high is not None and low is not None
        self.high, self.low = high, low

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed, "written to a closed line"
        self.waiting += data
        self._move()
        if len(self.waiting) > self.high and not self.paused:
            self.paused = True
            self.protocol.pause_writing()

    def read(self, count: float) -> None:
        """The client reads up to `count` bytes from now on."""
        self.budget = count
        self._move()

    def _move(self) -> None:
        count = int(min(self.budget, len(self.waiting)))
        if count:
            data, self.waiting = bytes(self.waiting[:count]), self.waiting[count:]
            self.budget -= count
            self.receive(data)
        if self.paused and len(self.waiting) <= self.low and not self.closed:
            self.paused = False
            self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.eof = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        if not self.closed:
            self.closed = True
            self.lost()
            self.protocol.connection_lost(None)

    close = abort


class VirtualClient:
    """A WebSocket client; `texts` are all messages that have come, `messages` the same parsed, `close_code` the
    server's last word."""

    def __init__(self, world: World, user_id: int = 1, session: str = "s", *, bits: int = 0) -> None:
        server = ServerProtocol(state=OPEN, max_size=16_384)
        self.ws = ClientProtocol(parse_uri("ws://localhost/"), state=OPEN, max_size=None)
        if bits:
            server.extensions = [BoundedDeflate(True, True, 15, bits)]
            self.ws.extensions = [PerMessageDeflate(True, True, bits, 15)]
        self.messages: list[dict[str, Any]] = []
        self.texts: list[bytes] = []
        self.taken = 0
        self.pongs = True
        self.pings = 0
        self.close_code: int | None = None
        self.gone = False
        place = world.hub.reserve(user_id, session, "ann")
        assert isinstance(place, Reservation), place
        self.connection = world.hub.make_connection(server, b"", b"", place)
        self.line = VirtualLine(self._receive, self._lost)
        self.line.protocol = self.connection
        self.connection.connection_made(self.line)

    def _receive(self, data: bytes) -> None:
        self.ws.receive_data(data)
        for event in self.ws.events_received():
            assert isinstance(event, Frame)
            if event.opcode is Opcode.TEXT:
                self.texts.append(bytes(event.data))
                self.messages.append(orjson.loads(self.texts[-1]))
            elif event.opcode is Opcode.PING:
                self.pings += 1
            elif event.opcode is Opcode.CLOSE:
                assert self.ws.close_rcvd is not None
                self.close_code = int(self.ws.close_rcvd.code)
        out = self.ws.data_to_send()
        if self.pongs and not self.gone:
            for piece in out:
                if piece:
                    self.connection.data_received(piece)

    def _lost(self) -> None:
        self.gone = True

    def send(self, message: dict[str, Any] | bytes | str, *, binary: bool = False) -> None:
        data = orjson.dumps(message) if isinstance(message, dict) else message
        raw = data.encode() if isinstance(data, str) else data
        (self.ws.send_binary if binary else self.ws.send_text)(raw)
        for piece in self.ws.data_to_send():
            self.connection.data_received(piece)

    def subscribe(self, channel: str, symbols: list[str] | str, **more: Any) -> None:
        self.send({"op": "subscribe", "channel": channel, "symbols": symbols, **more})

    def new(self, *types: str) -> list[dict[str, Any]]:
        """The messages since this was last asked, of these types."""
        fresh, self.taken = self.messages[self.taken :], len(self.messages)
        return [message for message in fresh if not types or message["type"] in types]

    def ticks(self, symbol: str) -> list[int]:
        """The seqs of a symbol's ticks so far."""
        return [row[0] for m in self.messages if m["type"] == "ticks" for row in m["data"].get(symbol, [])]

    def drop(self) -> None:
        """The line breaks."""
        self.line.abort()


class Working:
    """A clock in which whoever reads it has worked meanwhile, up to `longest_s`: turns at catching up are followed by
    pauses, as on a real machine."""

    def __init__(self, clock: ManualClock, chance: random.Random, longest_s: float = 0.006) -> None:
        self._clock, self._chance, self._longest_s = clock, chance, longest_s
        self._worked_s = 0.0

    def now_ms(self) -> float:
        return self._clock.now_ms()

    def monotonic(self) -> float:
        self._worked_s += self._chance.uniform(0.0, self._longest_s)
        return self._clock.monotonic() + self._worked_s


class World:
    """A store, a hub on a virtual loop, and a writer. With `working` steps of catching up take time, drawn from it."""

    def __init__(
        self,
        symbols: str = ",".join(SYMBOLS),
        *,
        frame_ms: float = 20,
        budget_mb: int = 16,
        working: random.Random | None = None,
        **limits: Any,
    ):
        self.clock = ManualClock(START_MS)
        self.loop = VirtualLoop(self.clock)
        self.store = MemoryStore(catalogue(symbols), clock=self.clock, budget_mb=budget_mb)
        self.telemetry = Telemetry()
        self.sessions = {"s"}
        settings: dict[str, Any] = {
            "connections": 100,
            "connections_per_user": 100,
            "symbols": 1000,
            "messages_per_s": 20,
            "buffer_kb": 256,
            "alive": lambda refs: {ref for ref in refs if ref in self.sessions},
        }
        self.hub = Hub(self.store, self.telemetry, self.clock, frame_ms=frame_ms, **(settings | limits))
        if working is not None:
            self.hub.fanout.turns = Turns(Working(self.clock, working))
        self.store.add_listener(self.hub)
        self.hub.attach(cast(asyncio.AbstractEventLoop, self.loop))
        self.price = 100.0

    def client(self, **more: Any) -> VirtualClient:
        return VirtualClient(self, **more)

    def tick(self, *symbols: str, count: int = 1, ts: float | None = None) -> Change:
        """One batch with `count` ticks of each symbol (of all by default)."""
        names = symbols or self.store.catalogue.symbols
        who = np.array([self.store.catalogue.index(name) for name in names] * count, dtype=np.int64)
        self.price += 0.1
        return self.store.append(ticks(who, self.clock.now_ms() if ts is None else ts, self.price))

    def run(self, seconds: float = 0.1) -> None:
        self.loop.run_for(seconds)

    def metric(self, name: str, **labels: str) -> float:
        return self.telemetry.registry.get_sample_value(f"dashboard_{name}", labels) or 0.0


def ticks(who: np.typing.NDArray[np.int64], ts: float, price: float) -> TickBatch:
    """A batch of quotes-with-trades at `ts`; each price differs."""
    count = len(who)
    prices = price + np.arange(count) / 7.0
    return TickBatch(
        who,
        np.full(count, int(ts), dtype=np.int64),
        np.full(count, float(ts)),
        prices,
        np.full(count, 3.0),
        prices - 0.01,
        prices + 0.01,
    )
