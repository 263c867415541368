"""What a delivered message costs and how late it comes: 500 clients of the real product at 10 Hz, against bare loops.

Cost is CPU of the whole server process a message, less what it takes with nobody connected.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.benchmarks import servers
from tests.benchmarks.servers import Running
from tests.benchmarks.table import Line

CLIENTS, HZ, MEASURED_S, ROUNDS = 500, 10, 6.0, 5
ALL = '{"op":"subscribe","channel":"ticker","symbols":"*"}'


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU µs a message, bytes a message, age of a message at the client at p50 and p99, ms."""

    us: float
    size: float
    p50: float
    p99: float


def idle_s(server: Running) -> float:
    """CPU seconds a second with nobody connected."""
    began, before = time.monotonic(), server.cpu_s()
    time.sleep(MEASURED_S)
    return (server.cpu_s() - before) / (time.monotonic() - began)


def cost(server: Running, wishes: list[str], *, idle: float, deflate: bool = False, settle_s: float = 1.5) -> Cost:
    """What the server takes for clients with these wishes."""
    with server.crowd(deflate) as crowd:
        joined = crowd.connect(wishes)
        assert not joined["refused"], joined
        time.sleep(settle_s)
        crowd.begin(MEASURED_S)
        began, before = time.monotonic(), server.cpu_s()
        time.sleep(MEASURED_S)
        taken, lasted = server.cpu_s() - before, time.monotonic() - began
        heard = crowd.end()
    assert heard["messages"] > 0.5 * len(wishes) * MEASURED_S, heard
    # Both ends count for the same time but for a few milliseconds.
    messages = heard["messages"] * lasted / MEASURED_S
    return Cost(
        (taken - idle * lasted) / messages * 1e6,
        heard["bytes"] / heard["messages"],
        heard["p50"] or 0.0,
        heard["p99"] or 0.0,
    )


def once(made: AbstractContextManager[Running], wish: str = "") -> Cost:
    """A server that starts, serves `CLIENTS` and ends."""
    with made as server:
        return cost(server, [wish] * CLIENTS, idle=0.0)


def lines() -> Iterator[Line]:
    """Cost against a bare uvloop, C on epoll and Socket.IO; the tail; the price of compression."""
    found: dict[str, list[Cost]] = defaultdict(list)
    with servers.market(TICK_MS=str(1000 // HZ)) as ours:
        idle = idle_s(ours)
        for _ in range(ROUNDS):
            found["ours"].append(cost(ours, [ALL] * CLIENTS, idle=idle))
            size = round(found["ours"][-1].size)
            found["bare"].append(once(servers.bare(size, HZ)))
            if servers.compiler():
                found["floor"].append(once(servers.floor(size, HZ)))
            found["socket.io"].append(once(servers.socket_io(size, HZ), "40"))
            found["deflating"].append(cost(ours, [ALL] * CLIENTS, idle=idle, deflate=True))
    us = {name: statistics.median(each.us for each in costs) for name, costs in found.items()}
    p99 = {name: statistics.median(each.p99 for each in costs) for name, costs in found.items()}
    size = round(statistics.median(each.size for each in found["ours"]))
    what = f"push: CPU a message, {CLIENTS} clients, {HZ} Hz, {size} bytes"
    yield Line(what, us["ours"], "µs", "bare uvloop, one prebuilt frame", us["bare"], ratio=1.25)
    if "floor" in us:
        yield Line(what, us["ours"], "µs", "C, epoll, one prebuilt frame", us["floor"], ratio=1.5)
    yield Line(what, us["ours"], "µs", "Socket.IO 4 in Node, io.emit", us["socket.io"], ratio=1 / 3)
    shrunk = statistics.median(each.size for each in found["deflating"]) / size
    yield Line(
        f"push: the same with permessage-deflate ({shrunk:.0%} of the bytes)",
        us["deflating"],
        "µs",
        "ours without",
        us["ours"],
        ratio=1.5,
    )
    yield Line(
        f"push: tick to client, p99, {CLIENTS} clients at {HZ} Hz",
        p99["ours"],
        "ms",
        "bare uvloop, round to client",
        p99["bare"],
        ratio=2,
    )
