"""The real product for gunicorn with a store that holds `FILLED_TICKS` ticks of its first instrument from the start.

`gunicorn -c infra/gunicorn.conf.py tests.benchmarks.filled:server`; everything else is as `app.py` builds it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.config import load_settings
from dashboard.market.ticks import TickBatch
from dashboard.runtime import Runtime
from dashboard.store import memory
from dashboard.telemetry import configure_logging
from dashboard.web import create_server
from tests.conftest import Product

#: Ticks that are put in at a time, and how many more there is room for: what is put in is not overwritten.
STEP, ROOM = 20_000, 100_000


class FilledProduct(Product):
    """A running product of this kind under gunicorn."""

    def __init__(self, folder: Path, ticks: int, settings: dict[str, str]) -> None:
        super().__init__(folder, "gunicorn", {"STORE_MB": "4000", "STREAM_CONNECTIONS_PER_USER": "2000", **settings})
        self.ticks = ticks

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"FILLED_TICKS": str(self.ticks)}

    @property
    def command(self) -> list[str]:
        return [*super().command[:-1], "tests.benchmarks.filled:server"]


def fill(store: memory.MemoryStore, count: int, last_ms: float) -> None:
    """Ticks of the first instrument, a millisecond apart, with prices of two decimals as a venue has them."""
    random = np.random.default_rng(5)
    price = np.round(150 + np.cumsum(random.standard_normal(count)) * 0.01, 2)
    size = random.integers(1, 500, count).astype(np.float64)
    ts = np.arange(count, dtype=np.int64) + int(last_ms) - count
    for at in range(0, count, STEP):
        part = slice(at, min(at + STEP, count))
        cents = np.full(part.stop - at, 0.01)
        who = np.zeros(part.stop - at, dtype=np.int64)
        store.append(
            TickBatch(
                who,
                ts[part],
                ts[part].astype(np.float64),
                price[part],
                size[part],
                np.round(price[part] - cents, 2),
                np.round(price[part] + cents, 2),
            )
        )


def create(count: int) -> Any:
    """The product whose history is followed by `count` ticks."""
    memory.TICKS_WANTED = count + ROOM
    settings = load_settings()
    configure_logging(settings.log_format)
    runtime = Runtime(settings)
    load = runtime.store.load_history

    def load_and_fill(blocks: Iterable[Any]) -> None:
        load(blocks)
        fill(runtime.store, count, runtime.clock.now_ms())

    runtime.store.load_history = load_and_fill
    return create_server(runtime)


server = create(int(os.environ["FILLED_TICKS"])) if "FILLED_TICKS" in os.environ else None
