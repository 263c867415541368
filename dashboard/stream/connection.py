"""One WebSocket connection on the hub's loop: RFC 6455 and RFC 7692, backpressure and limits; it knows no markets.

Incoming bytes go through the Sans-I/O protocol of the `websockets` library. What is said and answered is up to the
`Handler`.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import fcntl
import secrets
import socket
import sys
from collections.abc import Callable
from typing import Protocol, cast

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.utils import apply_mask

from dashboard.stream.framecuts import FrameCuts
from dashboard.stream.limits import MessageRate

#: What a client may send in one message, counted after inflating.
MAX_MESSAGE = 16_384
#: Too many messages or frames: whoever sends so is not listened to any more.
FLOODED = 4429
#: Seconds for the other side to answer a close; then the line is cut.
CLOSE_S = 2.0
#: Server frames below this are not worth deflating.
DEFLATE_FROM = 200
#: A pong with the token of one of our pings (`Ping`): header, mask, token (RFC 6455 section 5.2).
PONG_HEAD, PONG_SIZE = b"\x8a\x84", 10
#: Pings without an answer that are remembered.
MOST_PINGS = 32
#: What a line that is cut may have unread, bytes, and how much is read away at a time.
MOST_PASSED_OVER, PASSED_OVER = 8_388_608, 262_144
#: Linux, linux/sockios.h: bytes of a TCP socket that have not been sent.
SIOCOUTQNSD = 0x894B


def _nowhere(_data: bytes) -> None:
    """Where a connection writes that has no line, or none any more."""


def server_frame(opcode: int, payload: bytes) -> bytes:
    """A frame as a server sends it: whole, not masked (RFC 6455 section 5.2).

    A fifth of `Frame.serialize`'s time, which would be the most that a frame for one client alone costs.
    """
    size, head = len(payload), 0x80 | opcode
    if size < 126:
        return b"%c%c%b" % (head, size, payload)
    if size < 65_536:
        return b"%c\x7e%b%b" % (head, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%b%b" % (head, size.to_bytes(8, "big"), payload)


class Outgoing:
    """A message and its frames, each made once: plain, and deflated for every window size asked for."""

    __slots__ = ("_deflated", "_plain", "opcode", "payload")

    def __init__(self, payload: bytes, opcode: Opcode = Opcode.TEXT) -> None:
        self.payload, self.opcode = payload, opcode
        self._plain: bytes | None = None
        self._deflated: dict[int, bytes] | None = None

    def bytes_for(self, window_bits: int) -> bytes:
        """The frame for a connection that negotiated `window_bits`, 0 for none (RFC 7692 section 7.2.1)."""
        if not window_bits or len(self.payload) < DEFLATE_FROM:
            if self._plain is None:
                self._plain = server_frame(self.opcode, self.payload)
            return self._plain
        if self._deflated is None:
            self._deflated = {}
        made = self._deflated.get(window_bits)
        if made is None:
            deflate = PerMessageDeflate(True, True, 15, window_bits, {"level": 3, "memLevel": 5})
            made = Frame(self.opcode, self.payload).serialize(mask=False, extensions=[deflate])
            self._deflated[window_bits] = made
        return made


class Ping:
    """A ping that any number of connections may send: its token and its frame."""

    __slots__ = ("frame", "token")

    def __init__(self) -> None:
        self.token = secrets.token_bytes(4)
        self.frame = server_frame(Opcode.PING, self.token)


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

    `buffer` bytes may wait for the client to read; `slow` is set from half of that on, and the owner then sends
    answers only. `frames_per_s` bounds what a client may send in frames of any kind. Whoever has one frame for many
    passes over those that are not `ready` and gives the frame's bytes (`Outgoing.bytes_for(window_bits)`) to `write`.
    """

    # Thousands of them are open at once: no dictionary each.
    __slots__ = (
        "_buffer",
        "_closing",
        "_cuts",
        "_deaf",
        "_decoder",
        "_first",
        "_frames",
        "_opcode",
        "_parts",
        "_pings",
        "_plain_text",
        "_reading",
        "_sock",
        "_waited",
        "handler",
        "loop",
        "lost",
        "name",
        "ready",
        "slow",
        "transport",
        "window_bits",
        "write",
        "ws",
    )

    def __init__(
        self,
        handler: Handler,
        ws: ServerProtocol,
        handshake: bytes,
        early: bytes,
        *,
        loop: asyncio.AbstractEventLoop,
        buffer: int,
        frames_per_s: float,
        sock: socket.socket | None = None,
        name: object = None,
    ) -> None:
        self.handler, self.ws, self.name, self.loop = handler, ws, name, loop
        self.slow = False
        self.lost = False
        #: Whether a frame may be written now: open, and not slow.
        self.ready = False
        self.write: Callable[[bytes], None] = _nowhere
        self._first = handshake, early
        self._buffer = buffer
        self._sock = sock
        self._frames = MessageRate(frames_per_s, loop.time())
        self._cuts = FrameCuts()
        self._parts: list[bytes] = []
        self._opcode = Opcode.TEXT
        self._plain_text = False
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._pings: list[tuple[bytes, float]] = []
        self._waited = float("-inf")
        self._reading = True
        self._deaf = False
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
        self.transport = cast(asyncio.Transport, transport)
        self.write = self.transport.write
        self.ready = self.ws.state is OPEN
        self.transport.set_write_buffer_limits(high=self._buffer // 2, low=self._buffer // 8)
        handshake, early = self._first
        self._first = (b"", b"")
        # Here and not later: the loop reads only after this call, so what was read ahead stays in front.
        self.write(handshake)
        self._guarded(self.handler.on_open, self)
        if early:
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        pong = len(data) == PONG_SIZE and data[:2] == PONG_HEAD and self.open and self._cuts.between
        if pong and self._frames.take(self.loop.time()):
            # The answer to our ping alone, which is nearly all that most clients ever send: in a fifth of the time.
            self._pong(apply_mask(data[6:], data[2:6]))
            return
        # Frame by frame, so that a flood of small ones is noticed before all of it has been parsed and answered.
        for piece in self._cuts.pieces(data):
            # After a failure or a close nothing counts but the end of the line.
            if self.lost or self._deaf or self.ws.eof_sent:
                return
            self._guarded(self._received, piece)

    def eof_received(self) -> bool:
        self.ready = False
        self.ws.receive_eof()
        self._flush()
        # The transport ends once it has written what waits: for ever, where nobody reads that.
        self._cut_later(CLOSE_S)
        return False

    def pause_writing(self) -> None:
        self.slow, self.ready = True, False

    def resume_writing(self) -> None:
        self.slow, self.ready = False, self.open
        if not self._reading and not self._deaf and not self.lost:
            self._reading = True
            self.transport.resume_reading()
        # Not from inside the transport's own writing.
        self.loop.call_soon(self._room)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost, self.ready = True, False
        self.write = _nowhere
        if self._closing is not None:
            self._closing.cancel()
        ended = self.ws.close_sent or self.ws.close_rcvd
        self.handler.on_lost(self, int(ended.code) if ended else 1006)

    # -- sending -------------------------------------------------------------------------------------------------

    def send(self, message: Outgoing) -> int:
        """Write a message and say how many bytes that were; what the kernel does not take at once waits."""
        if not self.open:
            return 0
        data = message.bytes_for(self.window_bits)
        self.transport.write(data)
        if self.slow:
            self._hear_no_more()
        return len(data)

    def beat(self, message: Outgoing, ping: Ping) -> int:
        """Write a message and ask for a sign of life, in one piece; says how many bytes that were."""
        if not self.open:
            return 0
        self._pings.append((ping.token, self.loop.time()))
        del self._pings[:-MOST_PINGS]
        data = message.bytes_for(self.window_bits) + ping.frame
        self.write(data)
        return len(data)

    @property
    def unanswered(self) -> bool:
        """Whether a ping has had no pong so far."""
        return bool(self._pings)

    def silent(self, limit_s: float, slow_limit_s: float) -> bool:
        """Whether a ping has had no pong for `limit_s` seconds, `slow_limit_s` while bytes wait to be read."""
        if not self._pings:
            return False
        now, asked = self.loop.time(), self._pings[0][1]
        if now - asked < limit_s / 2:
            return False
        if now - asked >= slow_limit_s:
            return True
        if self.slow or self.transport.get_write_buffer_size() or waits_for_reader(self._sock):
            self._waited = now
        return now - max(asked, self._waited) >= limit_s

    def close(self, code: int, reason: str = "", *, wait_s: float = CLOSE_S) -> None:
        """Say goodbye with a code and a reason (under 124 bytes); the line is cut `wait_s` later at the latest."""
        if self.lost:
            return
        self.ready = False
        if self.ws.state is OPEN:
            self.ws.send_close(code, reason)
            self._flush(wait_s)
            if code == FLOODED:
                # Its answer would be behind the flood: it hears at once that the line has ended (FIN).
                self._stop_listening()
                if self.transport.can_write_eof():
                    self.transport.write_eof()
        self._cut_later(wait_s)

    def fault(self, error: Exception) -> None:
        """Something went wrong in handling it: log it and end this connection, no other."""
        self.handler.on_fault(self, error)
        try:
            self.close(1011, "internal error")
        except Exception:  # the line itself fails: nobody can be told
            self.abort()

    def abort(self) -> None:
        """Cut the line."""
        self.ready = False
        if not self.lost:
            self.transport.abort()

    # -- inside --------------------------------------------------------------------------------------------------

    def _guarded(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            call(*arguments)
        except Exception as error:
            self.fault(error)

    def _room(self) -> None:
        if self.open and not self.slow:
            self._guarded(self.handler.on_room, self)

    def _received(self, data: bytes) -> None:
        """A frame, or a part of one."""
        if self._cuts.opcode == Opcode.CLOSE:
            # It may come between the pieces of a message (RFC 6455 section 5.4), and is answered like any other.
            self.ws.current_size = None
        self.ws.receive_data(data)
        for event in self.ws.events_received():
            assert isinstance(event, Frame), "a connection begins behind its handshake"
            if not self._frames.take(self.loop.time()):
                if self.ws.state is OPEN:
                    self.close(FLOODED, "too many frames")
                else:
                    # Its close was one frame too many: it is answered all the same.
                    self._stop_listening()
                break
            if self.ws.state is not OPEN:
                continue
            if event.opcode is Opcode.PONG:
                self._pong(bytes(event.data))
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._part(event)
        if self._cuts.left and self.ws.state is OPEN:
            self._look_ahead()
        if self.ws.state is not OPEN:
            self.ready = False
        self._flush()
        if self.ws.eof_sent:
            # What a bomb began to inflate to, and the traceback that holds it, need not wait for the end of the line.
            self.ws.extensions, self.ws.parser_exc = [], None
            self._parts.clear()

    def _look_ahead(self) -> None:
        """Fail a text at its first bad byte and not when its frame is whole (RFC 6455 section 8.1)."""
        begun = self.ws.current_size is not None
        if self._cuts.plain_text and not begun:
            if not self._cuts.checked:
                self._decoder.reset()
        elif not (begun and self._plain_text and self._cuts.continuation):
            return
        self._decode(self._cuts.unchecked(self.ws.reader.buffer), final=False)

    def _decode(self, data: bytes, *, final: bool) -> bool:
        try:
            self._decoder.decode(data, final)
        except UnicodeDecodeError:
            self.ws.fail(1007, "text is not UTF-8")
            return False
        return True

    def _part(self, frame: Frame) -> None:
        """A message or a piece of one; the protocol has checked their order and size."""
        looked_at = self._cuts.checked
        if frame.opcode is not Opcode.CONT:
            self._opcode = frame.opcode
            self._plain_text = self._cuts.plain_text
            if not looked_at:
                self._decoder.reset()
        data = bytes(frame.data)
        if self._opcode is Opcode.TEXT and not self._decode(data[looked_at:], final=frame.fin):
            return
        self._parts.append(data)
        if not frame.fin:
            return
        message = b"".join(self._parts)
        self._parts.clear()
        if self._opcode is Opcode.TEXT:
            self.handler.on_text(self, message)
        else:
            self.handler.on_binary(self, message)

    def _pong(self, token: bytes) -> None:
        """A pong answers its ping and those before it (RFC 6455 section 5.5.3); others mean nothing."""
        if any(known == token for known, _ in self._pings):
            while self._pings.pop(0)[0] != token:
                continue

    def _flush(self, wait_s: float = CLOSE_S) -> None:
        for data in self.ws.data_to_send():
            if self.lost or self.transport.is_closing():
                return
            if data:
                self.transport.write(data)
            elif self.transport.can_write_eof():
                self.transport.write_eof()
        if self.slow:
            self._hear_no_more()
        if self.ws.close_expected():
            self._cut_later(wait_s)

    def _hear_no_more(self) -> None:
        """Somebody asks on and on and reads no answer: nothing more is heard of it until it has read."""
        if self._reading and self.transport.get_write_buffer_size() > 2 * self._buffer:
            self._reading = False
            self.transport.pause_reading()

    def _stop_listening(self) -> None:
        self._deaf = True
        self.transport.pause_reading()

    def _cut_later(self, wait_s: float) -> None:
        if self._closing is None and not self.lost:
            self._closing = self.loop.call_later(wait_s, self._cut)

    def _cut(self) -> None:
        if self._deaf:
            pass_over(self._sock)
        self.abort()


def pass_over(sock: socket.socket | None) -> None:
    """Read away what waits in a socket: closed with bytes unread it would be reset, and what was said last be lost."""
    if sock is None or sock.fileno() < 0:
        return
    with contextlib.suppress(OSError):
        for _ in range(MOST_PASSED_OVER // PASSED_OVER):
            if not sock.recv(PASSED_OVER):
                return


def waits_for_reader(sock: socket.socket | None) -> bool:
    """Whether the kernel holds bytes that the other side has no room for: it is there, it only does not read.

    Bytes not sent yet while nothing is being retransmitted (Linux: SIOCOUTQNSD, and the third byte of struct
    tcp_info); a line that is cut retransmits.
    """
    if sock is None or sock.fileno() < 0 or not hasattr(socket, "TCP_INFO"):
        return False
    try:
        waiting = fcntl.ioctl(sock.fileno(), SIOCOUTQNSD, bytes(4))
        retransmits = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 3)[2]
    except OSError:
        return False
    return int.from_bytes(waiting, sys.byteorder) > 0 and retransmits == 0
