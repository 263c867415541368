"""What a thread has answered and its client has not yet taken: threads do not wait for slow readers.

An answer goes out as far as the kernel takes it; the rest is kept, and whoever owns the connection sends it when there
is room. Only of an answer that is made in pieces does the thread wait for the ones before.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from typing import IO

#: Bytes that may be kept before the next piece is waited for; one piece of any size is taken.
KEPT = 262_144
#: The least that a reader takes: so many bytes a second, counted over so many seconds. A slow phone line takes ten
#: times as much; one that takes a byte now and then only holds a place.
LEAST_RATE, COUNTED_S = 8_192, 15.0


class Outbox:
    """Stands in for a connection's socket while it is answered; a thread calls `sendall` and `sendfile`, and when it
    has ended somebody else `drain` until `size`, the bytes that are kept, is 0."""

    __slots__ = ("_parts", "_since", "_taken", "size", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.size = 0
        self._parts: deque[memoryview] = deque()
        self._since, self._taken = time.monotonic(), 0

    def sendall(self, data: bytes) -> None:
        """Send or keep `data`. Raises OSError when the line is broken or its reader takes too little."""
        view = memoryview(data)
        if not self.size:
            sent = self._send(view)
            if sent == len(view):
                return
            view = view[sent:]
            self._since, self._taken = time.monotonic(), 0
        self._parts.append(view)
        self.size += len(view)
        if self.size <= KEPT or len(self._parts) == 1:
            return
        room = select.poll()
        room.register(self.sock, select.POLLOUT)
        while self.size > KEPT:
            room.poll(1_000)
            self.drain()
            if self.too_slow():
                raise ConnectionResetError("the reader takes too little")

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Send or keep `count` bytes of `file` from `offset` on, to its end without a count; how many there were."""
        file.seek(offset)
        left, done = count, 0
        while (left is None or left > 0) and (piece := file.read(KEPT if left is None else min(KEPT, left))):
            self.sendall(piece)
            done += len(piece)
            left = None if left is None else left - len(piece)
        return done

    def drain(self) -> None:
        """Send what the kernel takes now. Raises OSError when the line is broken."""
        while self._parts:
            part = self._parts[0]
            sent = self._send(part)
            self.size -= sent
            self._taken += sent
            if sent < len(part):
                self._parts[0] = part[sent:]
                return
            self._parts.popleft()

    def too_slow(self) -> bool:
        """Whether the reader has taken less than it has to; asked again and again while something is kept."""
        now = time.monotonic()
        if now - self._since < COUNTED_S:
            return False
        slow = self._taken < LEAST_RATE * (now - self._since)
        self._since, self._taken = now, 0
        return slow

    def _send(self, view: memoryview) -> int:
        try:
            return self.sock.send(view, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return 0
