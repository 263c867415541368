"""What a delivered message costs the server: 500 clients of the real product at 10 Hz against a bare uvloop loop."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import httpx
from websockets.frames import Frame, Opcode

from tests.benchmarks.table import Line
from tests.conftest import Product, take_port

CLIENTS, HZ, MEASURED_S, ROUNDS = 500, 10, 8.0, 3
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

#: The floor in Python: accept, then write one prebuilt frame to everybody ten times a second.
BARE = """
import asyncio, sys, uvloop
frame, clients = bytes.fromhex(sys.argv[2]), set()
class Client(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        clients.add(self)
    def connection_lost(self, _error):
        clients.discard(self)
async def main():
    loop = asyncio.get_running_loop()
    await loop.create_server(Client, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    while True:
        await asyncio.sleep(0.1)
        for client in clients:
            client.transport.write(frame)
uvloop.run(main())
"""


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def metric(client: httpx.Client, name: str) -> float:
    """A counter of the product."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


class Drain(asyncio.Protocol):
    """Reads and counts bytes, and answers pings as a browser does (their first byte is in no text of ours)."""

    received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        Drain.received += len(data)
        at = data.find(b"\x89\x04")
        if at >= 0:
            self.transport.write(Frame(Opcode.PONG, data[at + 2 : at + 6]).serialize(mask=True))


async def connect_many(port: int, first: bytes, then: bytes) -> list[asyncio.Transport]:
    """`CLIENTS` connections that have said `first` and, once answered, `then`."""
    loop = asyncio.get_running_loop()
    made: list[asyncio.Transport] = []
    for _ in range(CLIENTS):
        transport, _protocol = await loop.create_connection(Drain, "127.0.0.1", port)
        transport.write(first)
        made.append(transport)
        await asyncio.sleep(0.004)
    await asyncio.sleep(1.5)
    for transport in made:
        transport.write(then)
    await asyncio.sleep(1.5)
    return made


async def product_us(running: Product) -> tuple[float, float]:
    """(CPU µs a message net of the idle product, bytes a message)."""
    assert running.process is not None
    pid = running.process.pid
    with closing(running.client()) as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        name = 'dashboard_stream_messages_total{channel="ticker"}'
        began = cpu_s(pid)
        await asyncio.sleep(MEASURED_S)
        idle = cpu_s(pid) - began
        handshake = (
            f"GET /ws/market HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n"
            f"Origin: {running.url}\r\nCookie: {cookie}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
        wish = Frame(Opcode.TEXT, b'{"op":"subscribe","channel":"ticker","symbols":"*"}').serialize(mask=True)
        clients = await connect_many(running.port, handshake, wish)
        messages, read, began = metric(client, name), Drain.received, cpu_s(pid)
        await asyncio.sleep(MEASURED_S)
        taken = cpu_s(pid) - began
        delivered = metric(client, name) - messages
        size = (Drain.received - read) / max(delivered, 1)
        for transport in clients:
            transport.abort()
        await asyncio.sleep(1.0)
    assert delivered > 0.8 * CLIENTS * HZ * MEASURED_S, f"only {delivered} messages came"
    return (taken - idle) / delivered * 1e6, size


async def bare_us(frame: bytes) -> float:
    """CPU µs a message of the bare loop."""
    port = take_port()
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port), frame.hex()])
    try:
        await asyncio.sleep(1.5)
        clients = await connect_many(port, b"x", b"x")
        read, began = Drain.received, cpu_s(process.pid)
        await asyncio.sleep(MEASURED_S)
        taken = cpu_s(process.pid) - began
        delivered = (Drain.received - read) / len(frame)
        for transport in clients:
            transport.abort()
    finally:
        process.terminate()
        process.wait()
    return taken / delivered * 1e6


def lines() -> Iterator[Line]:
    """The line of the hub."""
    settings: dict[str, Any] = {"TICK_MS": str(1000 // HZ), "STREAM_CONNECTIONS_PER_USER": "2000", "SEED": "1"}
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        running = Product(Path(folder), "app", settings).start()
        try:
            for _ in range(ROUNDS):
                taken, size = asyncio.run(product_us(running))
                ours.append(taken)
                bare.append(asyncio.run(bare_us(b"\x81\x7e" + b"x" * (round(size) - 2))))
        finally:
            running.stop()
    middle = ROUNDS // 2
    what = f"hub: CPU a message, {CLIENTS} clients, {HZ} Hz, {size:.0f} bytes"
    yield Line(what, sorted(ours)[middle], "µs", "bare uvloop, one prebuilt frame", sorted(bare)[middle])
