"""Many clients in a process of their own, well behaved and not: `Load` starts it and tells it what to do.

The process reads commands and writes answers, one JSON object a line. Its clients parse no more than frames' heads and
the time in `"received":`, so that it is the product that is measured and not its readers.
"""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast

import orjson
from websockets.frames import Opcode

from tests.soak.line import handshake, masked

WISH = {"op": "subscribe", "channel": "ticker", "symbols": "*"}
#: A page's first and longest delay before it comes back, ms (assets/live/socket.mjs).
FIRST_DELAY_MS, LONGEST_DELAY_MS = 400, 12_000
#: Kinds that the server throws out, and that come again at once.
HOSTILE = ("flood", "deaf")


class Load:
    """The process, from outside. `port` and `cookie` are the product's; end it with `close`."""

    def __init__(self, port: int, cookie: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.load", str(port), cookie],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )

    def do(self, command: str, **more: Any) -> dict[str, Any]:
        """Have it do something, and its answer when that is done."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(orjson.dumps({"do": command, **more}) + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the clients' process ended at {command!r}"
        answer: dict[str, Any] = orjson.loads(line)
        assert "error" not in answer, answer
        return answer

    def open(self, kind: str, count: int, wishes: list[dict[str, Any]] | None = None) -> None:
        """So many clients more, all live when it returns (hostile ones: on their way)."""
        self.do("open", kind=kind, count=count, wishes=wishes or [WISH])

    def measured(self, seconds: float) -> dict[str, Any]:
        """p50, p99 and longest delay in ms, and the messages, of the good ones over the next `seconds`."""
        return self.do("measure", seconds=seconds)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Client(asyncio.Protocol):
    """One client of a kind: good, slow, stalled, flood, deaf. It comes back when its line ends, unless it has left."""

    def __init__(self, crowd: Crowd, kind: str, wishes: list[dict[str, Any]]) -> None:
        self.crowd, self.kind = crowd, kind
        self.first = b"".join(masked(Opcode.TEXT, orjson.dumps(wish)) for wish in wishes)
        self.transport: asyncio.Transport | None = None
        self.live = False
        self.left = False
        self.cut_at: float | None = None
        self._tries = 0
        self._buffer = b""
        self._open = False

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        if self.kind in ("slow", "stalled", "flood"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self._buffer, self._open, self.live = b"", False, False
        try:
            await loop.sock_connect(sock, ("127.0.0.1", self.crowd.port))
            await loop.create_connection(lambda: self, sock=sock)
        except OSError:
            sock.close()
            self.come_again()

    def come_again(self, after_s: float = 0.0) -> None:
        """As the page does: with jitter and a delay that grows."""
        if self.left:
            return
        delay = min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2**self._tries) * random.uniform(0.5, 1.0) / 1000
        self._tries += 1
        self.crowd.later(max(delay, after_s), self.connect)

    # -- asyncio -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.crowd.request)

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        if self.kind == "slow":
            self.transport.pause_reading()
            self.crowd.call_later(random.uniform(0.01, 0.4), self._read_on)
        self._buffer += data
        if not self._open:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.crowd.refused[int(head.split(b" ", 2)[1])] += 1
                self.transport.abort()
                return
            self._open, self._buffer = True, rest
            self.transport.write(self.first)
            if self.kind == "flood":
                self._flood()
        self._frames()

    def connection_lost(self, exc: Exception | None) -> None:
        self.live = False
        self._open = False
        self.come_again()

    def _read_on(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _frames(self) -> None:
        buffer, at, end = self._buffer, 0, len(self._buffer)
        while end - at >= 2:
            size, begin = buffer[at + 1], at + 2
            if size == 126:
                size, begin = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            elif size == 127:
                size, begin = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
            if begin + size > end:
                break
            self._take(buffer[at] & 0x0F, buffer[begin : begin + size])
            at = begin + size
        self._buffer = buffer[at:]

    def _take(self, opcode: int, payload: bytes) -> None:
        assert self.transport is not None
        if opcode == Opcode.TEXT:
            where = payload.find(b'"received":', 0, 120)
            if where > 0:
                self._ticker(payload, where)
        elif opcode == Opcode.PING and self.kind != "deaf":
            self.transport.write(masked(Opcode.PONG, payload))
        elif opcode == Opcode.CLOSE:
            self.crowd.closed[self.kind][int.from_bytes(payload[:2])] += 1
            self.transport.write(masked(Opcode.CLOSE, payload))
            self.transport.close()

    def _ticker(self, payload: bytes, where: int) -> None:
        now = time.time() * 1000
        if not self.live:
            self.live = True
            self._tries = 0
            if self.cut_at is not None:
                self.crowd.back.append(time.monotonic() - self.cut_at)
                self.cut_at = None
            if self.kind == "stalled" and self.transport is not None:
                self.transport.pause_reading()
        if self.kind == "good":
            self.crowd.delays.append(now - float(payload[where + 11 : payload.index(b",", where)]))

    def _flood(self) -> None:
        if self._open and self.transport is not None and not self.transport.is_closing():
            self.transport.write(masked(Opcode.TEXT, b'{"op":"ping"}') * 50)
            self.crowd.call_later(0.01, self._flood)


class Crowd:
    """All clients of the process, and what they have seen."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port = port
        self.request = handshake(port, cookie)
        self.clients: list[Client] = []
        self.delays: list[float] = []
        self.back: list[float] = []
        self.refused: Counter[int] = Counter()
        self.closed: dict[str, Counter[int]] = {kind: Counter() for kind in ("good", "slow", "stalled", *HOSTILE)}
        self._tasks: set[asyncio.Task[None]] = set()

    def call_later(self, seconds: float, call: Any) -> None:
        asyncio.get_running_loop().call_later(seconds, call)

    def later(self, seconds: float, work: Any) -> None:
        """Start a coroutine function in `seconds`."""

        def begin() -> None:
            task = asyncio.ensure_future(work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self.call_later(seconds, begin)

    async def open(self, kind: str, count: int, wishes: list[dict[str, Any]]) -> dict[str, Any]:
        made = [Client(self, kind, wishes) for _ in range(count)]
        self.clients += made
        for number, client in enumerate(made):
            await client.connect()
            if number % 5 == 4:
                await asyncio.sleep(0.01)
        if kind not in HOSTILE:
            await self._until(lambda: all(client.live for client in made), 60)
        return {"open": count}

    async def measure(self, seconds: float) -> dict[str, Any]:
        self.delays.clear()
        await asyncio.sleep(seconds)
        found = sorted(self.delays)
        if not found:
            return {"messages": 0, "p50": 0.0, "p99": 0.0, "most": 0.0}
        at = [found[min(len(found) - 1, int(len(found) * share))] for share in (0.5, 0.99)]
        return {"messages": len(found), "p50": at[0], "p99": at[1], "most": found[-1]}

    async def cut(self, seconds: float) -> dict[str, Any]:
        """Every good client's line breaks at once; how long each took to be live again, s."""
        self.back.clear()
        self.refused.clear()
        good = [client for client in self.clients if client.kind == "good"]
        now = time.monotonic()
        for client in good:
            client.cut_at = now
            if client.transport is not None:
                client.transport.abort()
        await self._until(lambda: len(self.back) >= len(good), seconds)
        return {"back": sorted(self.back), "refused": {str(status): n for status, n in self.refused.items()}}

    async def rush(self, seconds: float) -> dict[str, Any]:
        """As `cut`, but everybody comes back at once, without a page's jitter."""
        for client in self.clients:
            client.come_again = lambda after_s=0.0, client=client: self.later(after_s, client.connect)
        try:
            return await self.cut(seconds)
        finally:
            for client in self.clients:
                del client.come_again

    async def state(self) -> dict[str, Any]:
        live: Counter[str] = Counter(client.kind for client in self.clients if client.live)
        closed = {kind: {str(code): n for code, n in codes.items()} for kind, codes in self.closed.items()}
        return {"live": live, "closed": closed}

    async def wait(self, seconds: float) -> dict[str, Any]:
        """Until every good client is live (again)."""
        began = time.monotonic()
        await self._until(lambda: all(client.live for client in self.clients if client.kind == "good"), seconds)
        return {"seconds": time.monotonic() - began}

    async def leave(self, kinds: list[str]) -> dict[str, Any]:
        """Clients of these kinds go for good."""
        gone = [client for client in self.clients if client.kind in kinds]
        self.clients = [client for client in self.clients if client.kind not in kinds]
        for client in gone:
            client.left = True
            if client.transport is not None:
                client.transport.abort()
        return {"left": len(gone)}

    async def churn(self, count: int) -> dict[str, Any]:
        """Some good ones leave, as many others come."""
        good = [client for client in self.clients if client.kind == "good"]
        gone = random.sample(good, min(count, len(good)))
        for client in gone:
            client.left = True
            if client.transport is not None:
                client.transport.abort()
        self.clients = [client for client in self.clients if not client.left]
        return await self.open("good", len(gone), [WISH])

    async def _until(self, true: Any, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not true():
            if time.monotonic() > until:
                raise TimeoutError(f"not in {seconds} s: {await self.state()}")
            await asyncio.sleep(0.01)


async def serve(port: int, cookie: str) -> None:
    """Do what comes on standard input."""
    crowd = Crowd(port, cookie)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        command = orjson.loads(line)
        try:
            answer = await getattr(crowd, command.pop("do"))(**command)
        except Exception as error:
            answer = {"error": repr(error)}
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
