"""Load on a running product from processes of their own: listeners that measure delays, readers that are in their way.

`python -m tests.benchmarks.load ROLE PORT COOKIE` with the role `listen` or `beside`; orders come on standard input,
a line each, and are answered with a line of JSON. Neither parses JSON of the product nor keeps what it reads.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from typing import Any, ClassVar, cast

import uvloop
from websockets.frames import Frame, Opcode

from tests.conftest import ROOT, Product

CLIENTS, EXPORTS, CALLBACKS_PER_S, BARS = 500, 2, 20, 5_000
WISH = Frame(Opcode.TEXT, b'{"op":"subscribe","channel":"ticker","symbols":"*"}').serialize(mask=True)
_RECEIVED = b'"received":'


class Load:
    """A process of this module, as the benchmark sees it: `ask` gives the answer to an order."""

    def __init__(self, role: str, product: Product) -> None:
        client = product.client()
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        client.close()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load", role, str(product.port), cookie],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ask("hello")

    def ask(self, *order: object) -> Any:
        """Give an order and wait until it is done."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(*order, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, f"the load ended at {order[0]!r}"
        return json.loads(line)

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait()


class Listener(asyncio.Protocol):
    """A WebSocket of which only the delays of ticker frames are kept: arrival less `received`, ms, same clock."""

    delays: ClassVar[list[float]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        now = time.time() * 1000
        at = data.find(_RECEIVED)
        if at >= 0:
            end = data.find(b",", at)
            Listener.delays.append(now - float(data[at + len(_RECEIVED) : end]))
        at = data.find(b"\x89\x04")
        if at >= 0:
            self.transport.write(Frame(Opcode.PONG, data[at + 2 : at + 6]).serialize(mask=True))


async def listen(port: int, cookie: str) -> list[Listener]:
    """`CLIENTS` subscribed connections."""
    loop = asyncio.get_running_loop()
    handshake = (
        f"GET /ws/market HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    made = []
    for _ in range(CLIENTS):
        transport, protocol = await loop.create_connection(Listener, "127.0.0.1", port)
        transport.write(handshake)
        made.append(protocol)
        await asyncio.sleep(0.004)
    await asyncio.sleep(1.5)
    for protocol in made:
        protocol.transport.write(WISH)
    await asyncio.sleep(1.5)
    return made


class Beside:
    """Two full exports in a loop and chart callbacks at a steady rate, while `on`."""

    def __init__(self, port: int, cookie: str, loop: asyncio.AbstractEventLoop) -> None:
        self.port, self.cookie, self.loop = port, cookie, loop
        self.on = asyncio.Event()
        self.count = {"exports": 0, "export_mb": 0.0, "callbacks": 0, "failed": 0}
        self.callback_ms: list[float] = []
        self.asked: set[asyncio.Task[None]] = set()

    async def ask(self, head: str, body: bytes = b"") -> tuple[int, int]:
        """(status, bytes) of an answer, on a connection of its own; its body is thrown away."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        writer.write(
            (
                f"{head} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nOrigin: http://127.0.0.1:{self.port}\r\n"
                f"Cookie: {self.cookie}\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            + body
        )
        status = int((await reader.readline()).split()[1])
        size = 0
        while piece := await reader.read(1 << 20):
            size += len(piece)
        writer.close()
        return status, size

    async def exports(self, path: str) -> None:
        while True:
            await self.on.wait()
            status, size = await self.ask(f"GET {path}")
            self.count["failed"] += status != 200
            self.count["exports"] += 1
            self.count["export_mb"] += size / 1e6

    async def callbacks(self) -> None:
        at = self.loop.time()
        while True:
            await self.on.wait()
            at = max(at + 1 / CALLBACKS_PER_S, self.loop.time() - 0.5)
            await asyncio.sleep(max(0.0, at - self.loop.time()))
            asked = self.loop.create_task(self.callback())
            self.asked.add(asked)
            asked.add_done_callback(self.asked.discard)

    async def callback(self) -> None:
        began = self.loop.time()
        status, _size = await self.ask("POST /_dash-update-component", callback_body("AAPL", BARS))
        self.count["failed"] += status != 200
        self.count["callbacks"] += 1
        self.callback_ms.append((self.loop.time() - began) * 1000)

    def done(self) -> dict[str, Any]:
        """What was done since the last call."""
        times = sorted(self.callback_ms) or [0.0]
        found = {**self.count, "callback_p50_ms": times[len(times) // 2], "callback_p99_ms": times[-len(times) // 100]}
        self.count = dict.fromkeys(self.count, 0)
        self.callback_ms = []
        return found


def callback_body(symbol: str, bars: object) -> bytes:
    """The chart's request as the page sends it; for another number of bars than the page's where it is not None."""
    asked: dict[str, object] = {"symbol": symbol, "timeframe": "1m", "type": "candles", "number": 1, "epoch": None}
    if bars is not None:
        asked["bars"] = bars
    return json.dumps(
        {
            "output": "figure.data",
            "outputs": {"id": "figure", "property": "data"},
            "inputs": [{"id": "figure-request", "property": "data", "value": asked}],
            "changedPropIds": ["figure-request.data"],
            "parsedChangedPropsIds": ["figure-request"],
        }
    ).encode()


async def obey(role: str, port: int, cookie: str) -> None:
    """Carry out orders until there are no more."""
    loop = asyncio.get_running_loop()
    orders: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(orders.put_nowait, line)
        loop.call_soon_threadsafe(orders.put_nowait, "end")

    threading.Thread(target=read, daemon=True).start()
    listeners = await listen(port, cookie) if role == "listen" else []
    beside = Beside(port, cookie, loop)
    if role == "beside":
        running = [beside.exports("/api/v1/export/AAPL.csv?timeframe=tick") for _ in range(EXPORTS)]
        _tasks = [loop.create_task(each) for each in (*running, beside.callbacks())]
    while (order := (await orders.get()).split())[0] != "end":
        answer: Any = {}
        if order[0] == "on":
            beside.on.set()
        elif order[0] == "off":
            beside.on.clear()
            answer = beside.done()
        elif order[0] == "measure":
            Listener.delays.clear()
            await asyncio.sleep(float(order[1]))
            found = sorted(Listener.delays)
            answer = {
                "clients": sum(not one.transport.is_closing() for one in listeners),
                "messages": len(found),
                "p50": found[len(found) // 2],
                "p99": found[len(found) * 99 // 100],
                "most": found[-1],
            }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(obey(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
