"""A WebSocket client over a plain socket: the test decides which bytes leave in which piece."""

from __future__ import annotations

import base64
import os
import socket
import struct
from typing import Any

import orjson
from websockets.frames import Frame, Opcode
from websockets.utils import apply_mask

KEY = base64.b64encode(b"0123456789abcdef").decode()


def handshake_bytes(port: int, user: str | None = "ann", extra: str = "", **override: str | None) -> bytes:
    """The request; `override` replaces headers (underscores for dashes), None leaves one out."""
    headers: dict[str, str | None] = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "Origin": f"http://127.0.0.1:{port}",
        "X-User": user,
    }
    headers |= {name.replace("_", "-"): value for name, value in override.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return ("GET /ws/market HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n" + extra + "\r\n").encode()


def text(payload: bytes | str | dict[str, Any]) -> bytes:
    """A masked text frame."""
    if isinstance(payload, dict):
        payload = orjson.dumps(payload)
    return frame(Opcode.TEXT, payload.encode() if isinstance(payload, str) else payload)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bool = True) -> bytes:
    """Any frame, also one that RFC 6455 forbids."""
    head = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload)
    bit = 0x80 if mask else 0
    if size < 126:
        start = struct.pack("!BB", head, bit | size)
    elif size < 65536:
        start = struct.pack("!BBH", head, bit | 126, size)
    else:
        start = struct.pack("!BBQ", head, bit | 127, size)
    if not mask:
        return start + payload
    key = os.urandom(4)
    return start + key + apply_mask(payload, key)


class Wire:
    """An open connection; reads frames one by one."""

    def __init__(self, port: int, *, first: bytes = b"", receive_buffer: int = 0, **options: Any) -> None:
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(20)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.sock.sendall(handshake_bytes(port, **options) + first)
        self.head = self._until(b"\r\n\r\n").decode()
        self.status = int(self.head.split()[1])
        self.body = b""
        if self.status != 101:
            length = next(line for line in self.head.lower().splitlines() if line.startswith("content-length"))
            self.body = self._exactly(int(length.partition(":")[2]))

    def send(self, data: bytes | dict[str, Any]) -> None:
        self.sock.sendall(text(data) if isinstance(data, dict) else data)

    def frame(self) -> tuple[int, bytes]:
        """(opcode, payload) of the next frame, which must be whole and unmasked."""
        first, second = self._exactly(2)
        assert first & 0x80 and not second & 0x80, "a server's frame is whole and not masked"
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        return first & 0x0F, self._exactly(size)

    def message(self, *types: str) -> dict[str, Any]:
        """The next message (of these types), pings answered meanwhile."""
        while True:
            opcode, payload = self.frame()
            if opcode == Opcode.PING:
                self.sock.sendall(frame(Opcode.PONG, payload))
            elif opcode == Opcode.TEXT:
                message: dict[str, Any] = orjson.loads(payload)
                if not types or message["type"] in types:
                    return message
            else:
                raise AssertionError(f"closed: {payload!r}")

    def close_code(self) -> int:
        """Read up to the server's close and give its code; 1006 where the line ends without one."""
        try:
            while True:
                opcode, payload = self.frame()
                if opcode == Opcode.CLOSE:
                    code = int.from_bytes(payload[:2], "big") if payload else 1005
                    self.sock.sendall(Frame(Opcode.CLOSE, payload).serialize(mask=True))
                    return code
        except (EOFError, OSError):
            return 1006

    def ended(self) -> bool:
        """Whether the server has ended the line by now, or does within the time-out."""
        try:
            while self.sock.recv(65536):
                continue
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self.sock.close()

    def _until(self, end: bytes) -> bytes:
        while end not in self.data:
            self._more()
        found, _, self.data = self.data.partition(end)
        return found + end

    def _exactly(self, count: int) -> bytes:
        while len(self.data) < count:
            self._more()
        found, self.data = self.data[:count], self.data[count:]
        return found

    def _more(self) -> None:
        piece = self.sock.recv(65536)
        if not piece:
            raise EOFError
        self.data += piece
