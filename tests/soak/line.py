"""A WebSocket connection to the product as a checker has it: every frame parsed, pings answered, cut as it is told."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import Callable
from typing import Any, cast

import orjson
from websockets.frames import Frame, Opcode

DEFLATE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def handshake(port: int, cookie: str, *, deflate: bool = False) -> bytes:
    """The request of a logged-in client of the same site."""
    lines = [
        "GET /ws/market HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        f"Cookie: {cookie}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    if deflate:
        lines.append(f"Sec-WebSocket-Extensions: {DEFLATE}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def masked(opcode: Opcode, payload: bytes) -> bytes:
    """A client's frame."""
    return Frame(opcode, payload).serialize(mask=True)


class Wire(asyncio.Protocol):
    """`told(message, size)` gets every message; `lost` is set at the end, `close_code` then says how.

    1006 is a line that ended without a close frame.
    """

    def __init__(self, request: bytes, told: Callable[[dict[str, Any], int], None]) -> None:
        self.request, self.told = request, told
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.lost = asyncio.Event()
        self.close_code = 1006
        self.said_goodbye = False
        self._data = bytearray()
        self._open = False

    # -- asyncio -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._open and not self._opened():
            return
        while (frame := self._frame()) is not None:
            self._take(*frame)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.status.done():
            self.status.set_result(0)
        self.lost.set()

    # -- what it does --------------------------------------------------------------------------------------------

    def say(self, message: dict[str, Any]) -> None:
        if not self.transport.is_closing():
            self.transport.write(masked(Opcode.TEXT, orjson.dumps(message)))

    def goodbye(self) -> None:
        """Close as RFC 6455 says."""
        self.said_goodbye = True
        if not self.transport.is_closing():
            self.transport.write(masked(Opcode.CLOSE, struct.pack("!H", 1000)))

    def reset(self) -> None:
        """Cut the line by RST."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None and not self.transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    # -- inside --------------------------------------------------------------------------------------------------

    def _opened(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = int(self._data.split(b" ", 2)[1])
        del self._data[: end + 4]
        self._open = status == 101
        if not self.status.done():
            self.status.set_result(status)
        if not self._open:
            self.transport.abort()
        return self._open

    def _frame(self) -> tuple[int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        size, at = data[1], 2
        if size == 126:
            size, at = int.from_bytes(data[2:4]), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10]), 10
        if len(data) < at + size:
            return None
        frame = data[0], bytes(data[at : at + size])
        del data[: at + size]
        return frame

    def _take(self, head: int, payload: bytes) -> None:
        assert head & 0x80 and head & 0x30 == 0, f"a frame with head {head:#x}"
        opcode = head & 0x0F
        if head & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
        if opcode == Opcode.TEXT:
            self.told(orjson.loads(payload), len(payload))
        elif opcode == Opcode.PING:
            self.transport.write(masked(Opcode.PONG, payload))
        elif opcode == Opcode.CLOSE:
            self.close_code = int.from_bytes(payload[:2]) if payload else 1005
            if not self.said_goodbye and not self.transport.is_closing():
                self.transport.write(masked(Opcode.CLOSE, payload))
        else:
            raise AssertionError(f"opcode {opcode} from a server")


async def dial(port: int, wire: Callable[[], Wire], *, narrow: bool = False) -> Wire | None:
    """An open connection, or None where it was refused; a `narrow` one's kernel takes little while nobody reads."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    if narrow:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    try:
        await asyncio.wait_for(loop.sock_connect(sock, ("127.0.0.1", port)), 5)
        _, made = await loop.create_connection(wire, sock=sock)
    except OSError:  # a time-out is one too
        sock.close()
        return None
    try:
        status = await asyncio.wait_for(made.status, 15)
    except TimeoutError:
        made.transport.abort()
        return None
    return made if status == 101 else None
