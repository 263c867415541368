"""From the command to the first live price, against what importing Dash and pandas takes alone."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx

from tests.benchmarks.table import Line
from tests.conftest import Product

ROUNDS = 3


def first_price_s(folder: Path) -> float:
    """Seconds until the API shows a live tick."""
    began = time.perf_counter()
    running = Product(folder, "app", {"TICK_MS": "100"}).start()
    try:
        with closing(running.client()) as client:
            while True:
                try:
                    found = client.get("/api/v1/tickers/AAPL/ticks").json()["data"]
                except httpx.HTTPError:
                    found = []
                if found:
                    return time.perf_counter() - began
                time.sleep(0.02)
    finally:
        running.stop()


def imports_s() -> float:
    """Seconds that a bare interpreter takes to import the two libraries the product is built on."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import dash, pandas"], check=True)
    return time.perf_counter() - began


def lines() -> Iterator[Line]:
    """The line of the start; the login in between counts too."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(first_price_s(Path(folder)))
        bare.append(imports_s())
    yield Line(
        "start to the first live price, 15 instruments",
        statistics.median(ours),
        "s",
        "python -c 'import dash, pandas'",
        statistics.median(bare),
    )
