"""The other end of a conformance case: sends bytes as a case cuts them, and writes down what comes until the end."""

from __future__ import annotations

import select
import socket
import time
import zlib
from dataclasses import dataclass, field

from websockets.frames import Opcode

from tests.stream.wire import KEY

#: Seconds for the other side to finish a case.
TIMEOUT_S = 20.0
TAIL = b"\x00\x00\xff\xff"


@dataclass
class Heard:
    """What came: events in order (opcode, payload) up to the close frame, its code, and how the line ended."""

    events: list[tuple[int, bytes]] = field(default_factory=list)
    #: The close frame's code: 1005 for an empty one, None where none came.
    code: int | None = None
    #: "fin", "reset", "time-out" or "rubbish".
    ended: str = "time-out"
    #: Data frames that came compressed.
    deflated: int = 0

    @property
    def clean(self) -> bool:
        """Whether a close frame came, and after it the end of the stream rather than a reset."""
        return self.code is not None and self.ended == "fin"


class Peer:
    """An open connection. `offer` is the Sec-WebSocket-Extensions header; `extra` are more header lines."""

    def __init__(self, port: int, path: str = "/", offer: str | None = None, extra: str = "") -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if offer is not None:
            extra += f"Sec-WebSocket-Extensions: {offer}\r\n"
        self.sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n"
            f"{extra}\r\n".encode()
        )
        self.data = bytearray()
        while b"\r\n\r\n" not in self.data:
            piece = self.sock.recv(4096)
            assert piece, bytes(self.data)
            self.data += piece
        head, _, rest = bytes(self.data).partition(b"\r\n\r\n")
        self.data = bytearray(rest)
        self.status = int(head.split()[1])
        lines = head.decode().lower().split("\r\n")
        found = [line.partition(":")[2].strip() for line in lines if line.startswith("sec-websocket-extensions:")]
        #: The negotiated extension and its parameters, as answered; None without one.
        self.extension = found[0] if found else None
        self.inflate_bits = self.parameter("server_max_window_bits") or 15
        self.deflate_bits = self.parameter("client_max_window_bits") or 15
        self.heard = Heard()

    def parameter(self, name: str) -> int | None:
        """The value of a negotiated parameter."""
        for part in (self.extension or "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name and value:
                return int(value.strip('"'))
        return None

    def deflate(self, payload: bytes) -> bytes:
        """A message compressed as was negotiated: without context takeover (RFC 7692 section 7.2.1)."""
        made = zlib.compressobj(wbits=-max(self.deflate_bits, 9))
        return (made.compress(payload) + made.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)

    def send(self, data: bytes, chop: int = 0) -> None:
        """Send while listening, `chop` bytes a write; stops where the other side has ended the line."""
        view = memoryview(data)
        step = chop or 1 << 18
        until = time.monotonic() + TIMEOUT_S
        at = 0
        while at < len(data) and self.heard.ended == "time-out":
            readable, writable, _ = select.select([self.sock], [self.sock], [], TIMEOUT_S)
            if readable:
                self._receive()
            if writable:
                try:
                    at += self.sock.send(view[at : at + step], socket.MSG_DONTWAIT)
                except BlockingIOError:
                    pass
                except OSError:
                    return
            if time.monotonic() > until:
                return

    def listen(self, count: int) -> Heard:
        """Listen until there are `count` events, or the line has ended."""
        until = time.monotonic() + TIMEOUT_S
        while len(self.heard.events) < count and self.heard.ended == "time-out" and self.heard.code is None:
            if not self._wait(until):
                break
        return self.heard

    def end(self) -> Heard:
        """Listen until the line has ended, and close it."""
        until = time.monotonic() + TIMEOUT_S
        while self.heard.ended == "time-out" and self._wait(until):
            pass
        self.sock.close()
        return self.heard

    def reset(self) -> None:
        """Close with a reset (SO_LINGER 0)."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.sock.close()

    def _wait(self, until: float) -> bool:
        self._frames()
        if self.heard.ended != "time-out":
            return True
        left = until - time.monotonic()
        if left <= 0 or not select.select([self.sock], [], [], left)[0]:
            return False
        self._receive()
        return True

    def _receive(self) -> None:
        try:
            piece = self.sock.recv(1 << 18)
        except ConnectionError:
            self.heard.ended = "reset"
            return
        self.data += piece
        self._frames()
        if not piece:
            self.heard.ended = "rubbish" if self.data else "fin"

    def _frames(self) -> None:
        data = self.data
        while len(data) >= 2 and self.heard.ended == "time-out":
            first, second = data[0], data[1]
            size, at = second & 0x7F, 2
            if size > 125:
                at = 4 if size == 126 else 10
                if len(data) < at:
                    return
                size = int.from_bytes(data[2:at], "big")
            if len(data) < at + size:
                return
            payload = bytes(data[at : at + size])
            del data[: at + size]
            if not self._frame(first, bool(second & 0x80), payload):
                self.heard.ended = "rubbish"

    def _frame(self, first: int, masked: bool, payload: bytes) -> bool:
        """Note a frame; False where a server may not send it."""
        opcode, compressed = first & 0x0F, bool(first & 0x40)
        if masked or not first & 0x80 or first & 0x30 or self.heard.code is not None:
            return False
        if compressed:
            if self.extension is None or opcode not in (Opcode.TEXT, Opcode.BINARY):
                return False
            # A window of exactly what was negotiated: a reference further back is an error here.
            payload = zlib.decompressobj(wbits=-self.inflate_bits).decompress(payload + TAIL)
            self.heard.deflated += 1
        if opcode == Opcode.CLOSE:
            self.heard.code = int.from_bytes(payload[:2], "big") if payload else 1005
            payload[2:].decode()
            return len(payload) != 1
        if opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG):
            return False
        if opcode == Opcode.TEXT:
            payload.decode()
        self.heard.events.append((opcode, payload))
        return True
