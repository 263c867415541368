"""How long a thousand clients that come back at the same moment take until the last of them is served again."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.table import Line
from tests.conftest import Product
from tests.soak.product import loaded

CLIENTS, ROUNDS = 1_000, 3


def lines() -> Iterator[Line]:
    """The line of the storm: cut all at once, no jitter, until each has its first live row of the ticker."""
    settings = {"TICK_MS": "100", "STREAM_CONNECTIONS_PER_USER": "5000", "SEED": "1"}
    with tempfile.TemporaryDirectory() as folder:
        running = Product(Path(folder), "gunicorn", settings).start()
        try:
            with loaded(running) as clients:
                clients.open("good", CLIENTS)
                rushes = [clients.do("rush", seconds=60)["back"] for _ in range(ROUNDS)]
        finally:
            running.stop()
    last = statistics.median(back[-1] for back in rushes)
    middle = statistics.median(back[len(back) // 2] for back in rushes)
    what = f"storm: {CLIENTS:,} clients reconnecting at once, the last one served after"
    note = f"half of them after {middle:.1f} s; login, handshake, snapshot and a live row through gunicorn"
    yield Line(what, last, "s", limit=5.0, note=note)
