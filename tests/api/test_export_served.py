"""Exports of the real product under gunicorn: many at once, readers who go away, memory, and what a place is."""

from __future__ import annotations

import io
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx
import orjson
import psutil
import pyarrow.parquet
import pytest

from dashboard.accounts.users import Users
from dashboard.api import export, places
from dashboard.clock import SystemClock
from dashboard.database.engine import Database
from tests.benchmarks.filled import FilledProduct
from tests.conftest import Scale
from tests.house import PASSWORD, House

TICKS = 100_000
THREADS = 16
USERS = 8
#: Less than an export waits for a place: an answer within it has not waited.
AT_ONCE_S = places.EXPORTS.wait_s - 5
MB = 1_000_000


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledProduct]:
    """A product with so many ticks of AAPL that no export fits into the buffers of a socket."""
    settings = {"SYMBOLS": "AAPL,MSFT"}
    running = FilledProduct(tmp_path_factory.mktemp("filled"), TICKS, settings).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def reader(filled: FilledProduct) -> Iterator[httpx.Client]:
    with closing(filled.client()) as client:
        yield client


@pytest.fixture(scope="module")
def people(filled: FilledProduct, reader: httpx.Client) -> Iterator[list[httpx.Client]]:
    """A client of each of several users."""
    database = Database(filled.settings["DATABASE_URL"])
    users = Users(database, SystemClock())
    names = [f"reader{number}" for number in range(USERS)]
    for name in names:
        users.add(name, PASSWORD, "viewer")
    database.close()
    clients = [filled.client(name, PASSWORD) for name in names]
    yield clients
    for client in clients:
        client.close()


def path(form: str) -> str:
    return f"/api/v1/export/AAPL.{form}?timeframe=tick"


def count(form: str, body: bytes) -> int:
    """Rows of an export, each looked at."""
    if form == "csv":
        return body.count(b"\n") - 1
    if form == "json":
        return len(orjson.loads(body)["data"])
    return int(pyarrow.parquet.read_table(io.BytesIO(body)).num_rows)


def open_raw(running: FilledProduct, client: httpx.Client, form: str) -> socket.socket:
    """A connection that has asked for an export and reads nothing."""
    made = socket.create_connection(("127.0.0.1", running.port), timeout=20)
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    made.sendall(f"GET {path(form)} HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nCookie: {cookie}\r\n\r\n".encode())
    return made


def test_many_at_once_are_all_whole(filled: FilledProduct, people: list[httpx.Client], scale: Scale) -> None:
    """More than there are places, and as many of each user as one may have: whoever is refused is told when to come
    again and gets the whole then; nothing is broken off. That they all wait is no way: each that waits holds a thread,
    and 24 would hold every one that gunicorn has."""
    each = places.EXPORTS.of_a_user
    asked = [
        (people[number // each % USERS], ["csv", "json", "parquet"][number % 3])
        for number in range(scale.of(USERS * each, 10 * USERS * each))
    ]

    def one(client: httpx.Client, form: str) -> int:
        until = time.monotonic() + 60
        while (answer := client.get(path(form), timeout=60)).status_code == 503:
            assert time.monotonic() < until, "refused for a minute"
            time.sleep(int(answer.headers["Retry-After"]))
        assert answer.status_code == 200, answer.text[:200]
        return count(form, answer.content)

    with ThreadPoolExecutor(USERS * each) as pool:
        assert all(TICKS <= found < TICKS + 1000 for found in pool.map(one, *zip(*asked, strict=True)))


def test_memory_does_not_grow_with_the_export(filled: FilledProduct, reader: httpx.Client) -> None:
    assert filled.process is not None
    (worker,) = psutil.Process(filled.process.pid).children()
    for form in ("csv", "json", "parquet"):  # what is loaded once
        reader.get(path(form))
    before = most = worker.memory_info().rss
    ended = threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.002):
            most = max(most, worker.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for form in ("csv", "json", "parquet") * 2:
        with reader.stream("GET", path(form)) as answer:
            for _piece in answer.iter_raw():
                pass
    ended.set()
    watcher.join()
    assert most - before < 64 * MB, f"{(most - before) / MB:.0f} MB more while it was read"


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_readers_that_go_away_free_their_workers(filled: FilledProduct, reader: httpx.Client, form: str) -> None:
    for _ in range(2 * THREADS):
        gone = open_raw(filled, reader, form)
        assert gone.recv(1)
        gone.close()
    answer = reader.get(path(form))
    assert count(form, answer.content) >= TICKS


def answered(lines: list[socket.socket], wanted: int) -> Counter[int]:
    """How many of these have been answered with which status, once so many have."""
    found: dict[socket.socket, int] = {}
    while len(found) < wanted:
        ready = select.select([line for line in lines if line not in found], [], [], AT_ONCE_S)[0]
        assert ready, f"{len(found)} were answered"
        found |= {line: int(line.recv(12).split()[1]) for line in ready}
    return Counter(found.values())


def test_one_user_whose_readers_stand_still_shuts_nobody_out(
    filled: FilledProduct, reader: httpx.Client, people: list[httpx.Client]
) -> None:
    still = [open_raw(filled, people[0], "csv") for _ in range(2 * THREADS)]
    try:
        # One waits, the others are answered.
        assert answered(still, 2 * THREADS - 1) == {
            200: places.EXPORTS.of_a_user,
            503: 2 * THREADS - 1 - places.EXPORTS.of_a_user,
        }
        assert reader.get("/health/live", timeout=AT_ONCE_S).status_code == 200
        for form in ("csv", "json", "parquet"):
            assert count(form, reader.get(path(form), timeout=AT_ONCE_S).content) >= TICKS
    finally:
        for one in still:
            one.close()


def test_readers_that_stand_still_leave_threads_to_others(
    filled: FilledProduct, reader: httpx.Client, people: list[httpx.Client]
) -> None:
    full = people[: places.EXPORTS.at_once // places.EXPORTS.of_a_user]
    still = [open_raw(filled, client, "csv") for client in full for _ in range(places.EXPORTS.of_a_user)]
    late = []
    try:
        assert all(one.recv(1) for one in still)
        late = [open_raw(filled, client, "csv") for client in people[-1 - places.EXPORTS.waiting :]]
        assert answered(late, 1) == {503: 1}, "the others wait"
        for _ in range(3):
            assert reader.get("/health/live", timeout=AT_ONCE_S).status_code == 200
            assert reader.get("/api/v1/tickers", timeout=AT_ONCE_S).status_code == 200
        assert reader.get(path("csv"), timeout=AT_ONCE_S).status_code == 503
        assert reader.head(path("csv"), timeout=AT_ONCE_S).status_code == 200, "who wants no body takes no place"
        for one in still[: places.EXPORTS.of_a_user]:
            one.close()
        # What is left of the refusal is there to be read, too.
        assert all(one.recv(1) for one in late), "a place was waited for"
    finally:
        for one in still + late:
            one.close()
    assert count("csv", reader.get(path("csv")).content) >= TICKS


def test_a_place_is_given_back_once_however_an_answer_ends(market: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_places", places.Places(replace(places.EXPORTS, of_a_user=1, wait_s=0.01)))
    client = market.enter("ada")

    def ask(**options: Any) -> Any:
        return client.get("/api/v1/export/AAPL.csv", **options)

    held = ask(buffered=False)
    refused = ask()
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "2"
    assert "exports of yours are under way" in refused.json["detail"]
    assert client.head("/api/v1/export/AAPL.csv").status_code == 200
    assert client.get("/api/v1/export/AAPL.csv?limit=1").status_code == 422
    assert market.enter("ben").get("/api/v1/export/AAPL.csv").status_code == 200, "another user has places too"
    held.close()
    held.close()
    assert ask().status_code == 200, "read to the end, then closed by the server"
    begun = ask(buffered=False)
    assert next(iter(begun.response))
    begun.close()
    assert ask().status_code == 200
    with monkeypatch.context() as broken:
        broken.setattr(market.runtime.store, "bars", None)
        assert ask().status_code == 500
    assert ask().status_code == 200, "what fails before it is sent holds no place"


def test_a_reader_that_takes_nothing_is_given_up(market: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under gunicorn, whose threads would wait for ever; its socket is blocking while a request is answered."""
    monkeypatch.setattr(export, "STALLED_S", 1)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as ours,
    ):
        market.enter("ada").get("/api/v1/export/AAPL.csv", environ_overrides={"gunicorn.socket": ours})
        until = struct.unpack("ll", ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16))
        assert until[0] == 1
