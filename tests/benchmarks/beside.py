"""Tick to client while the same process serves exports and chart callbacks, against its own value when left alone.

500 WebSocket clients at 10 Hz in one process, two CSV exports of 200,000 ticks in a loop and 20 chart callbacks a
second of 5,000 bars in another; the real product under gunicorn. On two cores three processes are busy then, so the
listeners wait for a core too: what they measure is an upper bound of the product's own delay.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.filled import FilledProduct
from tests.benchmarks.load import BARS, CALLBACKS_PER_S, CLIENTS, EXPORTS, Load
from tests.benchmarks.table import Line

ROUNDS, MEASURED_S, TICKS, RATIO = 5, 6, 200_000, 3.0


def measure(rounds: int = ROUNDS) -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """(alone, beside, what was served meanwhile) of each round."""
    with tempfile.TemporaryDirectory() as folder:
        running = FilledProduct(Path(folder), TICKS, {"TICK_MS": "100", "SEED": "1"}).start()
        loads = []
        try:
            loads = [Load("listen", running), Load("beside", running)]
            listeners, others = loads
            found = []
            for _ in range(rounds):
                alone = listeners.ask("measure", MEASURED_S)
                others.ask("on")
                time.sleep(1.0)
                beside = listeners.ask("measure", MEASURED_S)
                served = others.ask("off")
                time.sleep(1.0)
                found.append((alone, beside, served))
            return found
        finally:
            for load in loads:
                load.stop()
            running.stop()


def lines() -> Iterator[Line]:
    """Median and tail."""
    found = measure()
    for alone, beside, served in found:
        assert alone["clients"] == beside["clients"] == CLIENTS
        assert served["failed"] == 0 and served["exports"] > 0, served
    for part, ratio in (("p50", None), ("p99", RATIO)):
        alone, beside = (statistics.median(one[side][part] for one in found) for side in (0, 1))
        rate = statistics.median(served["callbacks"] for *_, served in found) / (MEASURED_S + 1)
        speed = statistics.median(served["export_mb"] for *_, served in found) / (MEASURED_S + 1)
        yield Line(
            f"tick to client {part}, {CLIENTS} clients at 10 Hz, beside {EXPORTS} exports and {CALLBACKS_PER_S} charts "
            f"of {BARS:,} bars a second",
            beside,
            "ms",
            "the same, left alone",
            alone,
            ratio=ratio,
            note=f"{rate:.0f} callbacks a second and {speed:.0f} MB/s of CSV were served; the listeners and the "
            "readers are processes on the same two cores",
        )


if __name__ == "__main__":
    for round_ in measure(3):
        print(*round_, sep="\n   ")
