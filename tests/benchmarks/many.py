"""How many clients one process holds: 5,000 at 1 Hz without loss and what each takes, 10,000 let in."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

from tests.benchmarks import servers
from tests.benchmarks.hub import ALL
from tests.benchmarks.servers import Market
from tests.benchmarks.table import Line

CLIENTS, MOST = 5_000, 10_000
MEASURED_S = 20.0


def lines() -> Iterator[Line]:
    """Memory a connection, messages lost, connections refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with servers.market(TICK_MS="1000") as ours:
        yield from held(ours)
    if hard < MOST + 500:
        return
    with servers.market(TICK_MS="1000") as ours, ours.crowd() as crowd:
        joined = crowd.connect([ALL] * MOST)
        heard = crowd.measure(10.0)
        missing = MOST - joined["connected"] + heard["lost"]
        yield Line(
            f"{MOST:,} connections in one process: refused or lost",
            missing,
            "clients",
            limit=0,
            note=f"accepted in {joined['seconds']:.0f} s; {ours.metric('stream_connections'):,.0f} open",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def held(ours: Market) -> Iterator[Line]:
    """What 5,000 clients that get everything take, and whether each gets it."""
    with ours.crowd() as first, ours.crowd() as crowd:
        # The first hundreds also pay for what is made once: buffers, pools, caches.
        first.connect([ALL] * 300)
        time.sleep(3)
        own, kernel = ours.memory_kb(), ours.kernel_kb()
        crowd.connect([ALL] * CLIENTS)
        time.sleep(12)
        each = (ours.memory_kb() - own) / CLIENTS
        kernels = (ours.kernel_kb() - kernel) / CLIENTS
        yield Line(
            f"memory a connection, {CLIENTS:,} clients of 15 instruments",
            each,
            "KB",
            limit=20,
            note=f"buffers of the kernel's sockets beside it, both ends: {kernels:.1f} KB",
        )
        heard = crowd.measure(MEASURED_S)
        yield Line(
            f"{CLIENTS:,} clients at 1 Hz: messages by which two of them differ",
            max(0, heard["most"] - heard["fewest"] - 1) + heard["lost"] + ours.metric("stream_conflated_total"),
            "messages",
            limit=0,
            note=f"{heard['messages']:,} delivered in {MEASURED_S:.0f} s, p99 {heard['p99']:.0f} ms after the tick",
        )
