"""Cost as work grows: clients, instruments, different subscriptions. Also draws docs/scaling.svg for the README."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import servers
from tests.benchmarks.hub import ALL, CLIENTS, HZ, cost, idle_s, once
from tests.benchmarks.plot import Curve, chart
from tests.benchmarks.servers import Market
from tests.benchmarks.table import Line

CROWDS = (100, 500, 1_000, 2_500, 5_000)
CATALOGUES = (15, 100, 500)
ROUNDS = 3
DRAWN = Path(__file__).parents[2] / "docs" / "scaling.svg"


def wish(symbols: list[str]) -> str:
    """A subscription to these symbols' prices."""
    return json.dumps({"op": "subscribe", "channel": "ticker", "symbols": symbols})


def symbols_of(market: Market) -> list[str]:
    """Every symbol of a running product."""
    return [each["symbol"] for each in market.client.get("/api/v1/tickers").json()["data"]]


def lines() -> Iterator[Line]:
    """Different subscriptions, then the growth of clients and of instruments."""
    yield from different()
    clients = yield from by_clients()
    instruments = yield from by_instruments()
    DRAWN.write_text(
        chart(
            "CPU of the server a delivered message, µs",
            [
                Curve("by clients (15 instruments, 1 Hz)", clients, "clients"),
                Curve("by instruments (500 clients of 15, 10 Hz)", instruments, "instruments"),
            ],
        ),
        "utf-8",
    )


def different() -> Iterator[Line]:
    """500 clients, each with another three of 500 instruments, against one frame of the same size shared by all."""
    found: dict[str, list[float]] = defaultdict(list)
    with servers.market(SYMBOLS="catalogue:500", TICK_MS=str(1000 // HZ)) as ours:
        symbols, chance = symbols_of(ours), random.Random(1)
        wishes = [wish(chance.sample(symbols, 3)) for _ in range(CLIENTS)]
        idle = idle_s(ours)
        for _ in range(ROUNDS):
            taken = cost(ours, wishes, idle=idle)
            found["ours"].append(taken.us)
            found["bare"].append(once(servers.bare(round(taken.size), HZ)).us)
    yield Line(
        f"push: CPU a message, {CLIENTS} different subscriptions, {taken.size:.0f} bytes",
        statistics.median(found["ours"]),
        "µs",
        "bare uvloop, one prebuilt frame shared",
        statistics.median(found["bare"]),
        ratio=2.5,
    )


def by_clients() -> Iterator[Line]:
    """From 100 to 5,000 clients at 1 Hz; gives the points of the curve."""
    points: list[tuple[float, float]] = []
    with servers.market(TICK_MS="1000") as ours:
        idle = idle_s(ours)
        for count in CROWDS:
            taken = [cost(ours, [ALL] * count, idle=idle, settle_s=3.0).us for _ in range(ROUNDS)]
            points.append((count, statistics.median(taken)))
    yield Line(
        f"push: CPU a message, {CROWDS[-1]:,} clients at 1 Hz",
        points[-1][1],
        "µs",
        f"the same with {CROWDS[1]:,} clients",
        points[1][1],
        ratio=1.2,
        note=", ".join(f"{count:,}: {us:.1f}" for count, us in points),
    )
    return points


def by_instruments() -> Iterator[Line]:
    """A client of 15 instruments, of 15 to 500 that tick; gives the points of the curve."""
    points: list[tuple[float, float]] = []
    for count in CATALOGUES:
        with servers.market(SYMBOLS=f"catalogue:{count}", TICK_MS=str(1000 // HZ)) as ours:
            wishes = [wish(symbols_of(ours)[:15])] * CLIENTS
            idle = idle_s(ours)
            taken = [cost(ours, wishes, idle=idle).us for _ in range(ROUNDS)]
            points.append((count, statistics.median(taken)))
            time.sleep(1)
    yield Line(
        f"push: CPU a message, {CLIENTS} clients of 15 of {CATALOGUES[-1]} instruments",
        points[-1][1],
        "µs",
        f"of {CATALOGUES[0]} of {CATALOGUES[0]}",
        points[0][1],
        ratio=1.2,
        note=", ".join(f"{count}: {us:.1f}" for count, us in points),
    )
    return points
