"""One WebSocket connection on the hub's loop: RFC 6455 and RFC 7692, backpressure and limits; it knows no markets.

Incoming bytes go through the Sans-I/O protocol of the `websockets` library. What is said and answered is up to the
`Handler`.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import OrderedDict
from typing import Protocol

from websockets.exceptions import InvalidState
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

#: What a client may send in one message, counted after inflating.
MAX_MESSAGE = 16_384
#: Seconds for the other side to answer a close; then the line is cut.
CLOSE_S = 2.0
#: Server frames below this are not worth deflating.
DEFLATE_FROM = 200
#: Memory for a connection's window: 2**12 bytes finds what repeats in a frame of rows.
WINDOW_BITS = 12


def deflate_extension() -> ServerPerMessageDeflateFactory:
    """permessage-deflate without context takeover: a frame is compressed once for everybody."""
    return ServerPerMessageDeflateFactory(
        server_no_context_takeover=True, client_no_context_takeover=True, server_max_window_bits=WINDOW_BITS
    )


class Outgoing:
    """A text message and its frames, each made once: plain, and deflated for every window size asked for."""

    __slots__ = ("_deflated", "_plain", "payload")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self._plain: bytes | None = None
        self._deflated: dict[int, bytes] = {}

    def bytes_for(self, window_bits: int) -> bytes:
        """The frame for a connection that negotiated `window_bits`, 0 for none (RFC 7692 section 7.2.1)."""
        if not window_bits or len(self.payload) < DEFLATE_FROM:
            if self._plain is None:
                self._plain = Frame(Opcode.TEXT, self.payload).serialize(mask=False)
            return self._plain
        made = self._deflated.get(window_bits)
        if made is None:
            engine = zlib.compressobj(wbits=-window_bits, level=3)
            data = engine.compress(self.payload) + engine.flush(zlib.Z_SYNC_FLUSH)
            made = Frame(Opcode.TEXT, data[:-4], rsv1=True).serialize(mask=False)
            self._deflated[window_bits] = made
        return made


class Handler(Protocol):
    """Who owns connections. Every call comes from the loop's thread."""

    def on_open(self, connection: Connection) -> None: ...
    def on_text(self, connection: Connection, text: bytes) -> None: ...
    def on_binary(self, connection: Connection, data: bytes) -> None: ...
    def on_room(self, connection: Connection) -> None:
        """The connection was slow and has drained."""
        ...

    def on_lost(self, connection: Connection, code: int) -> None: ...
    def on_fault(self, connection: Connection, error: Exception) -> None: ...


class Connection(asyncio.Protocol):
    """Expects a socket whose handshake is about to be written; `early` are bytes that the server read ahead.

    `slow` is set while more than the buffer waits for the client to read: only control frames may be sent then.
    """

    def __init__(
        self, handler: Handler, ws: ServerProtocol, handshake: bytes, early: bytes, *, buffer: int, name: object = None
    ) -> None:
        self.handler, self.ws, self.name = handler, ws, name
        self.slow = False
        self.lost = False
        self.bytes_sent = 0
        self.ping_sent: float | None = None
        self.waiting = b""
        self._first = handshake, early
        self._buffer = buffer
        self._parts: list[bytes] = []
        self._opcode = Opcode.TEXT
        self._pings: OrderedDict[bytes, None] = OrderedDict()
        self._closing: asyncio.TimerHandle | None = None
        self.window_bits = 0
        for extension in ws.extensions:
            if isinstance(extension, PerMessageDeflate):
                self.window_bits = extension.local_max_window_bits

    @property
    def open(self) -> bool:
        """Whether messages may still be sent."""
        return not self.lost and self.ws.state is OPEN

    # -- asyncio -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=self._buffer // 2, low=self._buffer // 8)
        handshake, early = self._first
        self._first = (b"", b"")
        # Here and not later: the loop reads only after this call, so what was read ahead stays in front.
        transport.write(handshake)
        self._guarded(self.handler.on_open)
        if early:
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        if self.lost:
            return
        self.ws.receive_data(data)
        self._events()

    def eof_received(self) -> bool:
        self.ws.receive_eof()
        self._events()
        return False

    def pause_writing(self) -> None:
        self.slow = True

    def resume_writing(self) -> None:
        self.slow = False
        if self.open:
            self._guarded(self.handler.on_room)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self._closing is not None:
            self._closing.cancel()
        code = (
            self.ws.close_sent.code if self.ws.close_sent else self.ws.close_rcvd.code if self.ws.close_rcvd else 1006
        )
        self.handler.on_lost(self, int(code))

    # -- sending -------------------------------------------------------------------------------------------------

    def send(self, message: Outgoing) -> None:
        """Write a message; what the kernel does not take at once waits, and sets `slow` when it is too much."""
        if self.open:
            data = message.bytes_for(self.window_bits)
            self.bytes_sent += len(data)
            self.transport.write(data)

    def ping(self, now: float) -> None:
        """Ask for a sign of life; `now` is the loop's time."""
        if not self.open:
            return
        token = b"%d" % (int(now * 1000) & 0xFFFFFFFF)
        self._pings[token] = None
        if len(self._pings) > 32:
            self._pings.popitem(last=False)
        if self.ping_sent is None:
            self.ping_sent = now
        self.ws.send_ping(token)
        self._flush()

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with a code and a reason (under 124 bytes); the line is cut when no answer comes."""
        if self.lost:
            return
        if self.ws.state is OPEN:
            self.ws.send_close(code, reason)
            self._flush()
        self._cut_later()

    def abort(self) -> None:
        """Cut the line."""
        if not self.lost:
            self.transport.abort()

    # -- inside --------------------------------------------------------------------------------------------------

    def _guarded(self, call: object, *arguments: object) -> None:
        try:
            call(self, *arguments)  # type: ignore[operator]
        except Exception as error:
            self.handler.on_fault(self, error)
            self.close(1011, "internal error")

    def _events(self) -> None:
        for event in self.ws.events_received():
            if not isinstance(event, Frame):
                continue
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                if event.opcode is not Opcode.CONT:
                    self._opcode = event.opcode
                self._parts.append(bytes(event.data))
                if event.fin and self.ws.state is OPEN:
                    message = b"".join(self._parts)
                    self._parts.clear()
                    self._message(message)
            elif event.opcode is Opcode.PONG:
                self._pong(bytes(event.data))
        self._flush()

    def _message(self, message: bytes) -> None:
        if self._opcode is Opcode.BINARY:
            self._guarded(self.handler.on_binary, message)
            return
        try:
            message.decode()
        except UnicodeDecodeError:
            self.ws.fail(1007, "text is not UTF-8")
            return
        self._guarded(self.handler.on_text, message)

    def _pong(self, token: bytes) -> None:
        """A pong answers its ping and those before it (RFC 6455 section 5.5.3)."""
        if token in self._pings:
            while self._pings:
                known, _ = self._pings.popitem(last=False)
                if known == token:
                    break
            self.ping_sent = None

    def _flush(self) -> None:
        try:
            pieces = self.ws.data_to_send()
        except InvalidState:
            pieces = []
        for data in pieces:
            if self.lost:
                return
            if data:
                self.transport.write(data)
            elif self.transport.can_write_eof():
                self.transport.write_eof()
        if self.ws.close_expected():
            self._cut_later()

    def _cut_later(self) -> None:
        if self._closing is None and not self.lost:
            self._closing = asyncio.get_running_loop().call_later(CLOSE_S, self.abort)
