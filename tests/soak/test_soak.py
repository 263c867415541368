"""Half an hour of the real product under clients that come and go, exports and calls, with a replay beside it: memory,
descriptors, threads and delay stay where they are."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import Product, Scale
from tests.soak.load import Load
from tests.soak.product import loaded, metric, resident, threads_of, worker

CLIENTS = 100
#: Bytes of memory, the last third against the second; delay in shares, against a process that has just been started:
#: over half an hour a machine with other guests is slower and quicker by more than that.
GROWTH, DRIFT = 4_000_000, 0.10
#: Descriptors that the pool of database connections may have more than before: five are kept, of three each (the
#: database, its WAL, its index), and how many were needed at once is chance.
SPARE = 15


@dataclass(frozen=True, slots=True)
class Sample:
    """What a worker holds at a moment, and the delay of its clients around it."""

    memory: int
    descriptors: int
    threads: int
    p99: float

    @classmethod
    def of(cls, process: psutil.Process, p99: float) -> Sample:
        return cls(resident(process), process.num_fds(), process.num_threads(), p99)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nothing_grows(product: Any, scale: Scale, tmp_path: Path) -> None:
    seconds, size = scale.of(10, 1_800), scale.of(40, CLIENTS)
    # Rings that are full after ten minutes: what grows later is a leak.
    common = {"STORE_MB": "16", "STREAM_CONNECTIONS_PER_USER": "5000", "server": "gunicorn"}
    market: Product = product(TICK_MS="100", **common)
    replayed: Product = product(FEED=f"replay:{recording(tmp_path, seconds)}", REPLAY_LOOP="true", **common)
    both = (market, replayed)
    with loaded(market) as clients, loaded(replayed) as others:
        # Once through everything, so that what is loaded and made on first use is there.
        for running, load in zip(both, (clients, others), strict=True):
            load.open("good", 5)
            bustle(running, load, 5)
            load.do("leave", kinds=["good"])
        settle(both)
        start = [Sample.of(worker(each), 0.0) for each in both]
        clients.open("good", size)
        others.open("good", size // 5)
        samples: list[list[Sample]] = [[], []]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            bustle(market, clients, size // 10)
            bustle(replayed, others, size // 20)
            p99 = [load.measured(scale.of(1, 5))["p99"] for load in (clients, others)]
            for kept, running, late in zip(samples, both, p99, strict=True):
                kept.append(Sample.of(worker(running), late))
        aged(market, clients, product(TICK_MS="100", **common), size, scale)
        for load in (clients, others):
            assert load.do("state")["closed"]["good"] == {}
            load.do("leave", kinds=["good"])
        settle(both)
        end = [Sample.of(worker(each), 0.0) for each in both]
    for name, before, after, kept, running in zip(("market", "replay"), start, end, samples, both, strict=True):
        said = f"{name}: from {before} to {after}, {threads_of(worker(running))}"
        assert after.descriptors <= before.descriptors + SPARE and after.threads <= before.threads, said
        assert "Traceback" not in running.log, name
        judge(name, kept, scale)


def aged(old: Product, clients: Load, fresh: Product, size: int, scale: Scale) -> None:
    """Clients of a product that has run for long hear no later than those of one that was started a moment ago, in
    turn, with as many clients and doings."""
    late: tuple[list[float], list[float]] = ([], [])
    with loaded(fresh) as others:
        others.open("good", size)
        for _ in range(scale.of(2, 20)):
            for running, load, found in zip((old, fresh), (clients, others), late, strict=True):
                bustle(running, load, size // 10)
                found.append(load.measured(scale.of(1, 5))["p99"])
    times = statistics.median(late[0]) / statistics.median(late[1])
    said = (
        f"p99 {statistics.median(late[0]):.2f} ms, {statistics.median(late[1]):.2f} of a fresh one: {times:.2f} times"
    )
    print(said)
    if scale.full:
        assert times <= 1 + DRIFT, said


def judge(name: str, samples: list[Sample], scale: Scale) -> None:
    """The last third is no larger than the one before it."""
    third = len(samples) // 3
    thirds = [samples[at * third : (at + 1) * third] for at in range(3)]
    memory = [statistics.median(one.memory for one in part) for part in thirds]
    p99 = [statistics.median(one.p99 for one in part) for part in thirds]
    held = [(max(one.descriptors for one in part), max(one.threads for one in part)) for part in thirds]
    said = f"{name}: memory {[round(each / 1e6, 1) for each in memory]} MB, p99 {p99} ms, fds and threads {held}"
    print(said)
    if scale.full:
        assert memory[2] - memory[1] <= GROWTH, said
        assert held[2] <= held[1], said


def bustle(running: Product, clients: Load, coming: int) -> None:
    """Some clients leave and others come; somebody looks at a page, asks the API, exports."""
    clients.do("churn", count=coming)
    with closing(running.client()) as client:
        symbol = client.get("/api/v1/tickers").json()["data"][0]["symbol"]
        for path in ("/", f"/api/v1/tickers/{symbol}/bars", f"/api/v1/tickers/{symbol}/ticks?limit=5000"):
            assert client.get(path).status_code == 200
        assert len(client.get(f"/api/v1/export/{symbol}.csv?timeframe=1s").content) > 100


def settle(products: tuple[Product, ...]) -> None:
    """Until the clients that have left are forgotten, and threads of requests are idle."""
    for running in products:
        until = time.monotonic() + 30
        while metric(running, "dashboard_stream_connections") > 0:
            assert time.monotonic() < until, "connections are held whose clients have left"
            time.sleep(0.1)
        saturate(running)
        process = worker(running)
        before = -1
        while (now := process.num_fds()) != before and time.monotonic() < until:
            before = now
            time.sleep(1.0)


def saturate(running: Product) -> None:
    """Have every thread of the server and every connection of its pool at work, so that all there may be are there."""
    with closing(running.client()) as client:

        def ask(_number: int) -> int:
            return int(client.get("/").status_code)

        with ThreadPoolExecutor(32) as pool:
            assert set(pool.map(ask, range(96))) == {200}


def recording(folder: Path, seconds: int) -> Path:
    """A file of trades, ten a second, that begins again when it has ended."""
    file = folder / "BTCUSDT.csv"
    began = int(time.time() * 1000) - 1_000 * max(seconds, 600)
    rows = (f"{began + at * 100},{60_000 + at % 977 / 10:.1f},{1 + at % 7}" for at in range(6_000))
    file.write_text("timestamp,price,quantity\n" + "\n".join(rows) + "\n")
    return file
