"""Exports of the real product under gunicorn: many at once, readers who go away, memory, and what a place is."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import orjson
import psutil
import pyarrow.parquet
import pytest

from dashboard.api import export
from tests.benchmarks.filled import FilledProduct
from tests.conftest import Scale
from tests.house import House

TICKS = 100_000
THREADS = 16
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


def test_many_at_once_are_all_whole(filled: FilledProduct, reader: httpx.Client, scale: Scale) -> None:
    forms = ["csv", "json", "parquet"] * scale.of(8, 80)

    def one(form: str) -> int:
        answer = reader.get(path(form), timeout=60)
        assert answer.status_code == 200, answer.text[:200]
        return count(form, answer.content)

    with ThreadPoolExecutor(len(forms[:24])) as pool:
        assert all(TICKS <= found < TICKS + 1000 for found in pool.map(one, forms)), "and some live ones"


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


def test_readers_that_stand_still_leave_threads_to_others(filled: FilledProduct, reader: httpx.Client) -> None:
    still = [open_raw(filled, reader, "csv") for _ in range(export.AT_ONCE)]
    try:
        assert all(one.recv(1) for one in still)
        assert reader.get("/api/v1/tickers").status_code == 200
        assert reader.head(path("csv")).status_code == 200, "who wants no body takes no place"
    finally:
        for one in still:
            one.close()
    assert count("csv", reader.get(path("csv")).content) >= TICKS, "a place was waited for"


def test_a_place_is_given_back_once_however_an_answer_ends(market: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(export, "WAIT_S", 0.01)
    client = market.enter("ada")

    def ask(**options: Any) -> Any:
        return client.get("/api/v1/export/AAPL.csv", **options)

    held = ask(buffered=False)
    refused = ask()
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "5"
    assert "exports are under way" in refused.json["detail"]
    assert client.head("/api/v1/export/AAPL.csv").status_code == 200
    assert client.get("/api/v1/export/AAPL.csv?limit=1").status_code == 422
    held.close()
    held.close()
    assert ask().status_code == 200, "read to the end, then closed by the server"
    begun = ask(buffered=False)
    assert next(iter(begun.response))
    begun.close()
    assert ask().status_code == 200


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
