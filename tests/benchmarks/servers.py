"""What is measured against each other: the product under gunicorn, bare loops in Python and C, a Socket.IO server.

Each has `pid` (the process whose CPU counts) and makes a `Crowd` of its clients.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from tests.benchmarks import node
from tests.benchmarks.crowd import Crowd
from tests.conftest import Product, take_port

HERE = Path(__file__).parent
#: Where the time of the round stands in a bare server's frame, and how long it is.
STAMP = b'"sent":1763868123555.123,'

#: The floor in Python: accept, then write one prebuilt frame to everybody so many times a second.
BARE = """
import asyncio, sys, time, uvloop
port, hz, at = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[4])
frame, clients = open(sys.argv[3], "rb").read(), set()
class Client(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        clients.add(self)
    def connection_lost(self, _error):
        clients.discard(self)
async def main():
    loop = asyncio.get_running_loop()
    await loop.create_server(Client, "127.0.0.1", port, backlog=2048)
    while True:
        await asyncio.sleep(1 / hz)
        made = frame[:at] + b"%17.3f" % (time.time() * 1000) + frame[at + 17:]
        for client in clients:
            client.transport.write(made)
uvloop.run(main())
"""


class Running:
    """A running server: `crowd` makes its clients, `cpu_s` is what its process has taken."""

    def __init__(self, pid: int, port: int, hello: str, stamp: str, *, socket_io: bool = False) -> None:
        self.pid, self.port, self.hello, self.stamp, self.socket_io = pid, port, hello, stamp, socket_io

    def crowd(self, deflate: bool = False) -> Crowd:
        """Its clients; where `deflate` is, they offer permessage-deflate, which only the product takes."""
        assert not deflate
        return Crowd(self.port, self.hello, stamp=self.stamp, socket_io=self.socket_io)

    def cpu_s(self) -> float:
        """Seconds of CPU of all its threads, by the scheduler's count of nanoseconds."""
        return (
            sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{self.pid}/task").iterdir())
            / 1e9
        )

    def memory_kb(self) -> int:
        """Memory of its own, kB."""
        return _field(Path(f"/proc/{self.pid}/smaps_rollup").read_text(), "Anonymous")

    def kernel_kb(self) -> int:
        """Memory of the machine's TCP sockets, both ends of loopback, kB; their buffers, not their structures."""
        text = Path("/proc/net/sockstat").read_text()
        found = re.search(r"^TCP:.*\bmem (\d+)", text, re.MULTILINE)
        return int(found.group(1)) * os.sysconf("SC_PAGE_SIZE") // 1024 if found else 0


class Market(Running):
    """The product."""

    def __init__(self, product: Product, client: httpx.Client) -> None:
        assert product.process is not None
        pid = product.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        own = f"Origin: {product.url}\r\nCookie: {cookie}\r\n"
        self.hellos = [_upgrade("/ws/market", product.port, own, deflate=deflate) for deflate in (False, True)]
        super().__init__(int(children[0]) if children else pid, product.port, self.hellos[0], '"received":')
        self.client = client

    def crowd(self, deflate: bool = False) -> Crowd:
        return Crowd(self.port, self.hellos[deflate], stamp=self.stamp)

    def metric(self, name: str) -> float:
        """A counter or gauge of the product."""
        found = re.search(rf"^dashboard_{re.escape(name)} (\S+)$", self.client.get("/metrics").text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0


@contextmanager
def market(**settings: str) -> Iterator[Market]:
    """The product under gunicorn with its file, logged in; as many connections as one likes."""
    usual = {"SEED": "1", "STREAM_CONNECTIONS": "20000", "STREAM_CONNECTIONS_PER_USER": "20000"}
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder), "gunicorn", usual | settings).start()
        try:
            with closing(product.client()) as client:
                yield Market(product, client)
        finally:
            product.stop()


def frame_of(size: int) -> tuple[bytes, int]:
    """(a WebSocket text frame whose payload has `size` bytes, where its stamp is)."""
    head = b'{"type":"ticker","seq":8136,' + STAMP + b'"data":"'
    payload = head + b"x" * max(0, size - len(head) - 2) + b'"}'
    start = b"\x81" + (bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big"))
    return start + payload, len(start) + payload.index(b"17638")


@contextmanager
def bare(size: int, hz: float) -> Iterator[Running]:
    """A bare uvloop that writes one prebuilt frame to everybody."""
    with _frame(size) as (path, at):
        port = take_port()
        with _started([sys.executable, "-c", BARE, str(port), str(hz), path, str(at)], port) as pid:
            yield Running(pid, port, "", '"sent":')


def compiler() -> str | None:
    """The C compiler, where there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@contextmanager
def floor(size: int, hz: float) -> Iterator[Running]:
    """The same in C on epoll."""
    found = compiler()
    assert found, "a C compiler is needed for this baseline"
    with _frame(size) as (path, at), tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "floor")
        subprocess.run([found, "-O2", "-o", program, str(HERE / "floor.c")], check=True)
        port = take_port()
        with _started([program, str(port), str(hz), path, str(at)], port) as pid:
            yield Running(pid, port, "", '"sent":')


@contextmanager
def socket_io(size: int, hz: float) -> Iterator[Running]:
    """A Socket.IO server in Node that emits the same to everybody."""
    modules = node.packages()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "payload.json"
        frame, _ = frame_of(size)
        path.write_bytes(frame[frame.index(b"{") :])
        port = take_port()
        environment = os.environ | {"NODE_PATH": str(modules)}
        command = [node.node(), str(HERE / "socketio.cjs"), str(port), str(hz), str(path)]
        with _started(command, port, environment) as pid:
            hello = _upgrade("/socket.io/?EIO=4&transport=websocket", port, "", deflate=False)
            yield Running(pid, port, hello, '"sent":', socket_io=True)


def _upgrade(path: str, port: int, more: str, *, deflate: bool) -> str:
    extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{more}{extension}"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )


@contextmanager
def _frame(size: int) -> Iterator[tuple[str, int]]:
    frame, at = frame_of(size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame"
        path.write_bytes(frame)
        yield str(path), at


@contextmanager
def _started(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[int]:
    process = subprocess.Popen(command, env=environment)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, f"{command[0]} ended"
            time.sleep(0.05)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _field(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    assert found, f"no {name}"
    return int(found.group(1))
