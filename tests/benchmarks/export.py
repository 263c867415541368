"""A million ticks as CSV, JSON and Parquet through the real HTTP, against what pandas takes for the file alone.

The product is under gunicorn with a store that holds as many; `pandas` has the rows as a DataFrame already and writes
into memory. Ours counts login, store, formatting, HTTP and a reader that throws away what it reads.
"""

from __future__ import annotations

import io
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from tests.benchmarks.filled import FilledProduct
from tests.benchmarks.table import Line

ROWS, ROUNDS = 1_000_000, 5
FIRST_BYTE_MS, EXTRA_MB, RATIO = 50.0, 64.0, 1 / 5
NOTES = {
    "csv": "times as ISO 8601, pandas writes them as whole numbers, which it is quicker at",
    "json": "pandas at the fastest of its exact forms, orient='values' and double_precision=15",
    "parquet": "both use the same C++ encoder, which alone takes a quarter of to_parquet's time for plain uncompressed "
    "columns (48 MB) and half of it for ours (4 MB, pandas' 14): five times less can't be had from it",
}


def frame() -> pd.DataFrame:
    """Rows as the product has them."""
    random = np.random.default_rng(5)
    price = np.round(150 + np.cumsum(random.standard_normal(ROWS)) * 0.01, 2)
    return pd.DataFrame(
        {
            "time": np.arange(ROWS, dtype=np.int64) + 1_795_428_000_000,
            "seq": np.arange(1, ROWS + 1, dtype=np.int64),
            "price": price,
            "size": random.integers(1, 500, ROWS).astype(np.float64),
            "bid": np.round(price - 0.01, 2),
            "ask": np.round(price + 0.01, 2),
        }
    )


class Exports:
    """Reads exports of a running product and watches its memory."""

    def __init__(self, running: FilledProduct) -> None:
        self.port = running.port
        with closing(running.client()) as client:
            self.cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        assert running.process is not None
        (self.worker,) = psutil.Process(running.process.pid).children()
        before = 0
        while abs(self.worker.memory_info().rss - before) > 1_000_000:  # until the start is over
            before = self.worker.memory_info().rss
            time.sleep(1.0)

    def read(self, form: str) -> tuple[float, float, int]:
        """(seconds to the end, seconds to the first byte of the body, bytes) of a whole export."""
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.settimeout(60)
            began = time.perf_counter()
            line.sendall(
                f"GET /api/v1/export/AAPL.{form}?timeframe=tick HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                f"Cookie: {self.cookie}\r\nConnection: close\r\n\r\n".encode()
            )
            first = line.recv(1 << 20)
            assert first.startswith(b"HTTP/1.1 200"), first[:500]
            while len(first.partition(b"\r\n\r\n")[2]) == 0:
                first += line.recv(1 << 20)
            until_first = time.perf_counter() - began
            size, tail, room = len(first), b"", bytearray(1 << 20)
            while count := line.recv_into(room):
                size += count
                tail = bytes(room[max(0, count - 5) : count])
            assert tail.endswith(b"0\r\n\r\n"), "an export broke off"
            return time.perf_counter() - began, until_first, size

    def extra_mb(self, form: str) -> float:
        """Megabytes that the process grows by while it exports, sampled 500 times a second."""
        ended = threading.Event()
        before = most = self.worker.memory_info().rss

        def watch() -> None:
            nonlocal most
            while not ended.wait(0.002):
                most = max(most, self.worker.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.read(form)
        ended.set()
        watcher.join()
        return (most - before) / 1e6


def lines() -> Iterator[Line]:
    """Time, first byte and memory of each kind of file."""
    rows = frame()

    def to_parquet() -> None:
        rows.assign(time=pd.to_datetime(rows["time"], unit="ms", utc=True)).to_parquet(io.BytesIO(), index=False)

    theirs: dict[str, tuple[str, Callable[[], object]]] = {
        "csv": ("DataFrame.to_csv", lambda: rows.to_csv(io.BytesIO(), index=False)),
        "json": ("DataFrame.to_json", lambda: rows.to_json(io.BytesIO(), orient="values", double_precision=15)),
        "parquet": ("DataFrame.to_parquet", to_parquet),
    }
    with tempfile.TemporaryDirectory() as folder:
        running = FilledProduct(Path(folder), ROWS, {"SEED": "1"}).start()
        try:
            exports = Exports(running)
            for form, (name, write) in theirs.items():
                # Before anything has been exported: what is loaded for it counts.
                extra = exports.extra_mb(form)
                ours, first, pandas = [], [], []
                for _ in range(ROUNDS):
                    whole, until_first, size = exports.read(form)
                    ours.append(whole)
                    first.append(until_first * 1000)
                    began = time.perf_counter()
                    write()
                    pandas.append(time.perf_counter() - began)
                what = f"{form}: {ROWS:,} ticks, {size / 1e6:.0f} MB, through HTTP"
                yield Line(
                    what, statistics.median(ours), "s", name, statistics.median(pandas), ratio=RATIO, note=NOTES[form]
                )
                yield Line(f"{form}: to the first byte", statistics.median(first), "ms", limit=FIRST_BYTE_MS)
                yield Line(f"{form}: memory of the process while it streams", extra, "MB", limit=EXTRA_MB)
        finally:
            running.stop()


if __name__ == "__main__":
    for each in lines():
        print(each)
