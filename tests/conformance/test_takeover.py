"""The hand-off under load: a thousand sockets beside HTTP, and connections that come and go in every way."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import psutil
import pytest

from tests.conformance.cases import PING, PONG, close
from tests.conformance.running import EchoServer, echoing
from tests.conftest import Scale
from tests.stream.wire import frame, handshake_bytes, text

#: What the loop of the HTTP server may pause beside the hand-offs, ms; the wrong hand-off pauses it for 2,003.
PAUSE_MS = 50.0
#: What 100,000 connections may leave in memory when all have gone, bytes: 40 each, less than an object that is kept
#: and what keeps it. The first ones are not counted, while the allocator gets what it needs: 20,000 left 2.8 MB, each
#: 20,000 after them 0.2 to 0.8, ever less.
LEFT = 4_000_000


def settles(what: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


Opened = TypeVar("Opened")


def longest_pause(server: EchoServer, connect: Callable[[], Opened], count: int) -> tuple[list[Opened], float]:
    """Connect so many times while a browser asks all the time, so that the server's loop never has to wait for
    somebody; (what was opened, the longest that it did not turn, ms)."""
    pauses: list[float] = []
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as browser:
            while not ended.is_set():
                pauses.append(browser.get("/state").json()["paused_ms"])

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        assert settles(lambda: len(pauses) > 1)
        opened = [connect() for _ in range(count)]
        enough = len(pauses) + 2
        assert settles(lambda: len(pauses) >= enough)
    finally:
        ended.set()
        asking.join()
    # The first is from before somebody asked.
    return opened, max(pauses[1:])


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_http_goes_on_beside_a_thousand_sockets_and_they_stay_open(scale: Scale) -> None:
    count = scale.of(100, 1_000)
    with echoing("gthread", ECHO_WATCH_LOOP="1") as server:
        _, usual = longest_pause(server, lambda: httpx.get(f"{server.url}/", trust_env=False).status_code, count)
        peers, pause = longest_pause(server, server.connect, count)
        print(f"{count} hand-offs: the HTTP server's loop paused {pause:.1f} ms, {usual:.1f} ms beside plain requests")
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as browser:
            until = time.monotonic() + scale.of(2, 60)
            asked = 0
            while time.monotonic() < until or asked < 50:
                assert browser.get("/state").status_code == 200
                asked += 1
                time.sleep(0.01)
        for at, peer in enumerate(peers):
            peer.send(frame(PING, b"%d" % at))
        for at, peer in enumerate(peers):
            assert peer.listen(1).events == [(PONG, b"%d" % at)], "a socket died beside the requests"
        for peer in peers:
            peer.send(close())
        assert all(peer.end().clean for peer in peers)
        assert settles(lambda: server.state()["connections"] == 0)
        if scale.full:
            # A busy machine pauses everything.
            assert pause < max(PAUSE_MS, 1.5 * usual), f"{pause:.1f} ms, {usual:.1f} ms beside as many plain requests"


@pytest.mark.soak
def test_the_measuring_sees_a_wrong_hand_off(scale: Scale) -> None:
    """A hand-off that leaves the server its living descriptor holds gunicorn's own loop up, or loses the sockets."""
    with echoing("stock", ECHO_WRONG_HAND_OFF="1", ECHO_WATCH_LOOP="1") as server:
        peers, pause = longest_pause(server, server.connect, 3)
        for peer in peers:
            peer.send(frame(PING, b"x"))
        alive = [peer.listen(1).events == [(PONG, b"x")] for peer in peers]
        for peer in peers:
            peer.sock.close()
        print(f"a wrong hand-off: paused {pause:.0f} ms, {sum(alive)} of 3 sockets alive")
        assert not all(alive) or pause > 1_000


def come_and_go(chance: random.Random, port: int, head: bytes) -> str:
    """One connection that ends in some way at some moment; gives which."""
    way = chance.choice(("before", "within", "behind", "early", "open", "frame", "closed", "refused", "silent"))
    line = socket.create_connection(("127.0.0.1", port), 20)
    with contextlib.suppress(OSError):
        if way == "within":
            line.sendall(head[: chance.randrange(1, len(head))])
        elif way == "refused":
            line.sendall(head.replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 7"))
            line.recv(65_536)
        elif way in ("behind", "early"):
            line.sendall(head + (text("x") * 3 if way == "early" else b""))
        elif way in ("open", "frame", "closed"):
            line.sendall(head)
            while b"\r\n\r\n" not in line.recv(65_536):
                continue
            if way == "frame":
                line.sendall(text("a" * 1_000)[: chance.randrange(1, 1_000)])
            elif way == "closed":
                line.sendall(close())
                while line.recv(65_536):
                    continue
    if chance.random() < 0.4:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        way += ", reset"
    line.close()
    return way


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_connections_of_every_kind_leave_nothing_behind(product: Any, scale: Scale) -> None:
    seed = random.randrange(1 << 30)
    print("seed", seed)
    running = product(server="gunicorn", STREAM_CONNECTIONS_PER_USER="500")
    client = running.client()
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    head = handshake_bytes(running.port, None, f"Cookie: {cookies}\r\n")
    assert running.process is not None
    (worker,) = psutil.Process(running.process.pid).children()

    def connections() -> float:
        lines = client.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith("dashboard_stream_connections ")).split()[1])

    def held() -> tuple[int, int]:
        """Descriptors of the database's files, and all others."""
        files = sum("test.db" in file.path for file in worker.open_files())
        return files, worker.num_fds() - files

    def churn(count: int) -> None:
        def some(own: int) -> None:
            chance = random.Random(own)
            for _ in range(count // 4):
                seen.add(come_and_go(chance, running.port, head))

        threads = [threading.Thread(target=some, args=(seed + count + at,)) for at in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert settles(lambda: connections() == 0)

    seen: set[str] = set()
    # What is made once, however many come.
    churn(scale.of(200, 20_000))
    (_, others), threads, memory = held(), worker.num_threads(), worker.memory_info().rss
    churn(scale.of(600, 100_000))
    assert len(seen) == 18, seen
    assert settles(lambda: held()[1] <= others + 4), (others, held())
    # The pool makes connections as they are needed at once, 15 at most, each with the database and its log.
    assert held()[0] <= 2 * 15 + 3, held()
    # The server's own threads come as they are needed: 16, and 4 for streamed requests.
    assert worker.num_threads() <= threads + 20, (threads, worker.num_threads())
    grown = worker.memory_info().rss - memory
    print(f"memory {grown / 1e6:+.1f} MB")
    assert client.get("/health/live").status_code == 200
    assert "Traceback" not in running.log, running.log[-3_000:]
    (same,) = psutil.Process(running.process.pid).children()
    assert same.pid == worker.pid
    if scale.full:
        assert grown <= LEFT, f"{grown / 1e6:.1f} MB"
