"""Many WebSocket clients in a process of their own, as light as Python allows, driven over standard input.

A line of JSON asks (`connect`, `measure`), a line of JSON answers. `Crowd` is the side that asks.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any, ClassVar, Self, cast

import uvloop
from websockets.frames import Frame, Opcode

#: At most so many handshakes under way at once: they are not what is measured.
AT_ONCE = 40
PATIENCE_S = 120.0


class Client(asyncio.Protocol):
    """Counts messages, answers pings, and takes the age of each message from the stamp in it."""

    counting = False
    stamp = b'"received":'
    messages = size = 0
    ages: ClassVar[list[float]] = []

    def __init__(self, hello: bytes, wish: bytes, socket_io: bool) -> None:
        self.hello, self.wish, self.socket_io = hello, wish, socket_io
        self.rest = b""
        self.answered = False
        self.count = 0
        self.lost = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.hello)
        if not self.wish:
            self._ready()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.done.done():
            self.done.set_exception(ConnectionError("refused"))

    def data_received(self, data: bytes) -> None:
        now = time.time() * 1000
        if self.rest:
            data, self.rest = self.rest + data, b""
        at, end = 0, len(data)
        if not self.answered:
            head = data.find(b"\r\n\r\n")
            if head < 0:
                self.rest = data
                return
            if b" 101 " not in data[:40]:
                self.transport.abort()
                return
            self._ready()
            at = head + 4
            if self.wish:
                self.transport.write(self.wish)
        while at + 2 <= end:
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if start + size > end:
                break
            kind = data[at] & 15
            if kind == 9:
                self.transport.write(Frame(Opcode.PONG, data[start : start + size]).serialize(mask=True))
            elif self.socket_io and size == 1 and data[start] == 0x32:
                self.transport.write(Frame(Opcode.TEXT, b"3").serialize(mask=True))
            elif Client.counting:
                self._count(data, start, size, now)
            at = start + size
        self.rest = data[at:]

    def _count(self, data: bytes, start: int, size: int, now: float) -> None:
        if data[start - 4 if size > 125 else start - 2] & 0x40:
            Client.messages += 1  # deflated: its stamp can't be seen
            Client.size += size
            self.count += 1
            return
        found = data.find(Client.stamp, start, start + min(size, 150))
        if found < 0:
            return
        begin = found + len(Client.stamp)
        Client.ages.append(now - float(data[begin : data.index(b",", begin)]))
        Client.messages += 1
        Client.size += size
        self.count += 1

    def _ready(self) -> None:
        self.answered = True
        if not self.done.done():
            self.done.set_result(None)


async def serve() -> None:
    """Do what standard input asks."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    clients: list[Client] = []
    while line := await reader.readline():
        order = json.loads(line)
        answer: dict[str, Any] = {}
        if order["op"] == "connect":
            began = time.monotonic()
            refused = await connect(order, clients)
            answer = {"connected": len(clients), "refused": refused, "seconds": time.monotonic() - began}
        else:
            Client.stamp = order["stamp"].encode()
            Client.messages = Client.size = 0
            Client.ages = []
            for client in clients:
                client.count = 0
            Client.counting = True
            await asyncio.sleep(order["seconds"])
            Client.counting = False
            ages = sorted(Client.ages)
            counts = [client.count for client in clients]
            answer = {
                "messages": Client.messages,
                "bytes": Client.size,
                "fewest": min(counts),
                "most": max(counts),
                "lost": sum(client.lost for client in clients),
                "p50": ages[len(ages) // 2] if ages else None,
                "p99": ages[int(len(ages) * 0.99)] if ages else None,
            }
        print(json.dumps(answer), flush=True)


async def connect(order: dict[str, Any], clients: list[Client]) -> int:
    """Connect as many clients as there are wishes; gives how many were refused."""
    loop = asyncio.get_running_loop()
    places = asyncio.Semaphore(order.get("at_once", AT_ONCE))
    hello, socket_io = order["hello"].encode(), order.get("socket_io", False)
    refused = 0

    async def one(wish: str) -> None:
        nonlocal refused
        async with places:
            framed = Frame(Opcode.TEXT, wish.encode()).serialize(mask=True) if wish else b""
            try:
                _, client = await loop.create_connection(
                    lambda: Client(hello, framed, socket_io), "127.0.0.1", order["port"]
                )
                await asyncio.wait_for(client.done, PATIENCE_S)
                clients.append(client)
            except OSError:
                refused += 1

    await asyncio.gather(*(one(wish) for wish in order["wishes"]))
    return refused


class Crowd:
    """The clients of one server, from a `with`."""

    def __init__(self, port: int, hello: str, *, stamp: str = '"received":', socket_io: bool = False) -> None:
        self.port, self.hello, self.stamp, self.socket_io = port, hello, stamp, socket_io
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.crowd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def connect(self, wishes: list[str], **more: Any) -> dict[str, Any]:
        """One more client for each wish (the text it sends once it is connected; empty: it sends nothing)."""
        return self._ask(
            {
                "op": "connect",
                "port": self.port,
                "hello": self.hello,
                "wishes": wishes,
                "socket_io": self.socket_io,
                **more,
            }
        )

    def measure(self, seconds: float) -> dict[str, Any]:
        """What comes in so many seconds: messages, bytes, and their ages by the stamp in them, ms."""
        return self._ask({"op": "measure", "seconds": seconds, "stamp": self.stamp})

    def begin(self, seconds: float) -> None:
        """Begin to measure; `end` gives the answer."""
        self._say({"op": "measure", "seconds": seconds, "stamp": self.stamp})

    def end(self) -> dict[str, Any]:
        """The answer to what `begin` began."""
        return self._hear()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        self._say(order)
        return self._hear()

    def _say(self, order: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the crowd has died"
        answer: dict[str, Any] = json.loads(line)
        return answer


if __name__ == "__main__":
    uvloop.run(serve())
