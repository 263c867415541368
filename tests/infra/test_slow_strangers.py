"""Strangers who are silent or slow hold nobody up: they are gone within ten seconds, others are served meanwhile."""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from dashboard.accounts.login import FORM_BYTES
from tests.conftest import Scale
from tests.infra.test_servers import stream

#: Seconds within which they are gone: what is promised, and what a busy machine may add.
GONE_S, BUSY_S = 10.0, 5.0


class Visit:
    """What clients see for some seconds: delays of frames, times of answers, and how long each stranger stayed."""

    def __init__(self, running: Any, wire: Any, client: httpx.Client, arguments: list[str] | None) -> None:
        self.frames: list[float] = []
        self.served: list[float] = []
        seconds = int(GONE_S + BUSY_S)
        until, ended = time.monotonic() + GONE_S, threading.Event()
        # The product and who measures it go first: playing two thousand takes a good part of two cores.
        order = ["nice", "-n", "19", sys.executable, "-m", "tests.infra.strangers", *(arguments or [])]
        generator = (
            subprocess.Popen([*order, str(seconds)], stdout=subprocess.PIPE, text=True)
            if arguments is not None
            else None
        )
        watching = threading.Thread(target=note_delays, args=(wire, self.frames, ended))
        watching.start()
        fresh = httpx.Client(base_url=running.url, trust_env=False, timeout=30, cookies=client.cookies)
        while time.monotonic() < until or (generator is not None and generator.poll() is None):
            # A connection that is kept and a new one.
            for browser, headers in ((client, {}), (fresh, {"Connection": "close"})):
                began = time.perf_counter()
                assert browser.get("/api/v1/tickers", headers=headers).status_code == 200
                self.served.append((time.perf_counter() - began) * 1_000)
            time.sleep(0.02)
        ended.set()
        watching.join()
        said = "" if generator is None else generator.communicate(timeout=30)[0]
        self.gone: dict[str, list[float | None]] = json.loads(said.splitlines()[-1]) if said else {}


@contextlib.contextmanager
def sink() -> Iterator[str]:
    """The port of a process that reads what strangers say and ends nobody."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.infra.strangers", "sink"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.mark.soak
@pytest.mark.parametrize("server", ["gunicorn", "app"])
def test_slow_strangers_are_gone_in_ten_seconds_and_hold_nobody_up(product: Any, scale: Scale, server: str) -> None:
    """The ratio is to the same strangers at a process beside the product: what two thousand of them, and who plays
    them, take of the machine is not the product's; what they do inside it is."""
    running = product(server=server, TICK_MS="50" if scale.full else "100")
    client = running.client()
    count = scale.of(60, 2_000 if server == "gunicorn" else 800)
    with stream(running, client) as wire:
        wire.send('{"op":"subscribe","channel":"ticker","symbols":"*"}')
        idle = beside = None
        if scale.full:
            Visit(running, wire, client, None)
            idle = Visit(running, wire, client, None)
            with sink() as port:
                beside = Visit(running, wire, client, [port, str(count), "20"])
        visit = Visit(running, wire, client, [str(running.port), str(count), "20"])
    left = {kind: stays.count(None) for kind, stays in visit.gone.items() if None in stays}
    assert not left, left
    assert sum(map(len, visit.gone.values())) == count + 120
    assert len(visit.frames) > 10, "the socket stood still"
    assert len(visit.served) > 20
    assert "Traceback" not in running.log, running.log[-3_000:]
    worst = max(stay for stays in visit.gone.values() for stay in stays if stay is not None)
    slowest = tail(visit.served)
    print(f"{server}: gone in {worst:.1f} s, HTTP p99 {slowest:.0f} ms of {len(visit.served)}")
    if idle is not None and beside is not None:
        assert all(stay is None for stays in beside.gone.values() for stay in stays), "the sink ended somebody"
        figures = [tail(each.frames) for each in (idle, beside, visit)]
        print(
            "{}: frames p99 {:.1f} ms idle, {:.1f} beside strangers elsewhere, {:.1f} with them".format(
                server, *figures
            )
        )
        assert worst <= GONE_S, f"the last was gone after {worst:.1f} s"
        if server == "gunicorn":
            # Werkzeug's server has a thread for each of them; it is for one machine.
            assert slowest <= 500, f"HTTP p99 {slowest:.0f} ms"
            assert figures[2] <= 1.2 * figures[1], figures


def test_whoever_takes_no_answer_holds_no_thread_for_long(product: Any) -> None:
    running = product(server="gunicorn")
    cookie = "; ".join(f"{name}={value}" for name, value in running.client().cookies.items())
    host = f"Host: 127.0.0.1:{running.port}\r\nCookie: {cookie}\r\n"
    asked = f"GET /api/v1/tickers/AAPL/bars?limit=50000 HTTP/1.1\r\n{host}\r\n"
    lines = []
    for _ in range(20):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.connect(("127.0.0.1", running.port))
        line.sendall(asked.encode() * 100)
        lines.append(line)
    time.sleep(2)
    assert httpx.get(f"{running.url}/health/live", timeout=25, trust_env=False).status_code == 200
    time.sleep(22)
    for line in lines:
        line.close()
    # Anybody may do it as often as he likes: no traceback each time.
    assert "Traceback" not in running.log, running.log[-3_000:]


def test_readers_who_take_a_little_now_and_then_hold_no_thread(product: Any) -> None:
    """Forty that ask for many things ahead and read 2 KB a second: everybody else is answered meanwhile."""
    running = product(server="gunicorn")
    cookie = "; ".join(f"{name}={value}" for name, value in running.client().cookies.items())
    host = f"Host: 127.0.0.1:{running.port}\r\nCookie: {cookie}\r\n"
    bars = "/api/v1/tickers/AAPL/bars?limit=50000&timeframe=1m"
    paths = (bars, "/static/x/vendor/plotly.min.js", "/assets/00-tokens.css")
    lines = []
    for number in range(40):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.connect(("127.0.0.1", running.port))
        line.sendall(f"GET {paths[number % 3]} HTTP/1.1\r\n{host}\r\n".encode() * 40)
        line.setblocking(False)
        lines.append(line)
    until, answers = time.monotonic() + 12, 0
    while time.monotonic() < until:
        assert httpx.get(f"{running.url}/health/live", timeout=25, trust_env=False).status_code == 200
        answers += 1
        for line in lines:
            with contextlib.suppress(OSError):
                line.recv(1_000)
        time.sleep(0.5)
    assert answers >= 5
    for line in lines:
        line.close()
    assert "Traceback" not in running.log, running.log[-3_000:]


def note_delays(wire: Any, found: list[float], ended: threading.Event) -> None:
    """Note how long ticker frames are under way, ms; who stops reading would measure its own absence."""
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            message = orjson.loads(wire.recv(timeout=0.2))
            if message["type"] == "ticker":
                found.append(time.time() * 1_000 - message["received"])


def tail(values: list[float]) -> float:
    """Their 99th percentile."""
    return statistics.quantiles(values, n=100)[-1]


@pytest.mark.parametrize("server", ["gunicorn", "app"])
def test_requests_in_pieces_in_a_row_and_with_bodies_of_every_kind_are_answered(product: Any, server: str) -> None:
    running = product(server=server)
    host = f"Host: 127.0.0.1:{running.port}\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    body = "username=root&password=123456"
    live = f"GET /health/live HTTP/1.1\r\n{host}\r\n"
    login = f"POST /login HTTP/1.1\r\n{host}{form}Content-Length: {len(body)}\r\n\r\n{body}"
    chunked = (
        f"POST /login HTTP/1.1\r\n{host}{form}Transfer-Encoding: chunked\r\n\r\n"
        f"{len(body[:9]):x}\r\n{body[:9]}\r\n{len(body[9:]):x}\r\n{body[9:]}\r\n0\r\n\r\n"
    )
    large_login, oversized = (
        f"POST /login HTTP/1.1\r\n{host}{form}Content-Length: {len(body) + 3 + size}\r\n\r\n{body}&b={'a' * size}"
        for size in (FORM_BYTES - 100, 300_000)
    )
    asked = [(live, 7, [200]), (login, 11, [302]), (chunked, 13, [302]), (large_login, 65_536, [302])]
    asked += [(oversized, 65_536, [413])]
    if server == "gunicorn":
        # Werkzeug passes over what was sent ahead.
        asked += [
            (live * 3, 10_000, [200, 200, 200]),
            (live + live[:20], 10_000, [200]),
            (login + live, 10_000, [302, 200]),
            (large_login + live, 65_536, [302, 200]),
            (chunked + live, 10_000, [302, 200]),
        ]
    for said, cut, expected in asked:
        with socket.create_connection(("127.0.0.1", running.port), 10) as line:
            data = said.encode()
            # Who is refused by the length he names may be cut off before he has sent it all.
            with contextlib.suppress(OSError) if said == oversized else contextlib.nullcontext():
                for at in range(0, len(data), cut):
                    line.sendall(data[at : at + cut])
            assert statuses(line, len(expected)) == expected, said[:200]


def statuses(line: socket.socket, count: int) -> list[int]:
    """The statuses of so many answers in a row."""
    found = []
    reader = line.makefile("rb")
    for _ in range(count):
        first = reader.readline()
        if not first:
            break
        found.append(int(first.split()[1]))
        length = 0
        while (header := reader.readline().strip()) != b"":
            name, _, value = header.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
        reader.read(length)
    return found


def test_slow_readers_of_an_export_do_not_hold_up_the_end(product: Any) -> None:
    running = product(server="gunicorn")
    cookie = "; ".join(f"{name}={value}" for name, value in running.client().cookies.items())
    lines = []
    for _ in range(3):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.connect(("127.0.0.1", running.port))
        asked = (
            f"GET /api/v1/export/AAPL.csv?timeframe=1m HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nCookie: {cookie}"
        )
        # More than what is kept for a reader.
        line.sendall(f"{asked}\r\n\r\n".encode() * 20)
        lines.append(line)
    time.sleep(2)
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 10
    for line in lines:
        line.close()
