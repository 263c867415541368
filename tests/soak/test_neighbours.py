"""Clients that stall, read slowly, flood, never answer, or come back for minutes of ticks: no other notices, and they
get what the protocol says."""

from __future__ import annotations

import asyncio
import os
import statistics
import threading
import time
from contextlib import closing
from typing import Any

import orjson
import pytest

from tests.conftest import Product, Scale
from tests.soak.checker import Swarm
from tests.soak.load import HOSTILE, Load
from tests.soak.product import loaded, resident, worker
from tests.soak.test_nothing_lost import run
from tests.soak.truth import Truth

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
#: A hundredth of the others' messages may come so many times later than without the fault.
TIMES_LATER = 1.2
KIB_EACH = 256


@pytest.fixture
def running(product: Any) -> Product:
    made: Product = product(server="gunicorn", TICK_MS="100", STREAM_CONNECTIONS_PER_USER="5000", SEED="1")
    return made


def all_together(running: Product, size: int, work: Any) -> Swarm:
    """`work(swarm)`, in a thread, beside `size` checkers that stay connected; then they hold what the store has.

    Their lines hold little: a reader whose buffers take a minute's messages can't be told from a dead one, and is
    taken for one (4408, eight seconds after a ping).
    """
    with closing(running.client()) as client:
        swarm = Swarm(client, running.port, running.folder / "test.db", size, 5, life_s=1e9)
        for checker in swarm.checkers:
            checker.narrow = True

        async def doing() -> None:
            swarm.holding = True
            swarm.loop = asyncio.get_running_loop()
            await asyncio.to_thread(work, swarm)

        run(swarm.run(0, [doing], limit_s=900))
    return swarm


def test_one_that_stalls_many_slow_ones_a_flood_and_a_deaf_one_hurt_nobody(running: Product, scale: Scale) -> None:
    good, slow = scale.of(20, 200), scale.of(20, 200)
    ratios, grown = [], []

    def work(_swarm: Swarm) -> None:
        with loaded(running) as others, loaded(running) as bad:
            others.open("good", good)
            for _ in range(scale.of(1, 3)):
                calm = others.measured(scale.of(2, 20))
                before = resident(worker(running))
                for kind, count in (("stalled", 1), ("slow", slow), ("flood", 1), ("deaf", 1)):
                    bad.open(kind, count)
                hurt = others.measured(scale.of(4, 30))
                grown.append(resident(worker(running)) - before)
                ratios.append(hurt["p99"] / calm["p99"])
                state = thrown_out(bad)
                bad.do("leave", kinds=["stalled", "slow", "flood", "deaf"])
                assert set(state["closed"]["flood"]) == {"4429"}, state
                assert set(state["closed"]["deaf"]) == {"4408"}, state
                # Slowness is no fault.
                assert state["closed"]["slow"] == state["closed"]["stalled"] == {}, state
                assert state["live"]["slow"] == slow, state
            state = others.do("state")
            assert state["live"] == {"good": good} and state["closed"]["good"] == {}, state

    swarm = all_together(running, scale.of(3, 6), work)
    assert sum(checker.ends.total() for checker in swarm.checkers) == len(swarm.checkers), swarm.ends
    said = f"p99 of the others {ratios} times, {max(grown) / 1024 / (slow + 1):.0f} KiB for each that is slow"
    print(said)
    if scale.full:
        assert statistics.median(ratios) <= TIMES_LATER, said
        assert max(grown) <= (slow + 1) * KIB_EACH * 1024, said


def thrown_out(bad: Load) -> dict[str, Any]:
    """What the clients have seen, once the flood and the deaf one have been told why they go."""
    until = time.monotonic() + 60
    while not all((state := bad.do("state"))["closed"][kind] for kind in HOSTILE):
        assert time.monotonic() < until, state
        time.sleep(0.2)
    return state


def test_whoever_stops_reading_holds_nobody_up_and_has_the_newest_when_it_reads_again(
    running: Product, scale: Scale
) -> None:
    stopped, seconds = scale.of(5, 20), scale.of(8, 60)
    took: list[float] = []
    said: dict[str, float] = {}

    def work(swarm: Swarm) -> None:
        with loaded(running) as others:
            others.open("good", scale.of(20, 180))
            calm = usual_p99(others, scale.of(2, 30))
            before = resident(worker(running))
            on_the_loop(swarm, "pause_reading")
            hurt = usual_p99(others, seconds)
            said["KiB"] = (resident(worker(running)) - before) / 1024 / stopped
            said["times"] = hurt / calm
            truth = Truth(swarm.client, swarm.symbols)
            truth.update(set(swarm.symbols), set())
            began = time.monotonic()
            on_the_loop(swarm, "resume_reading")
            for checker in swarm.checkers:
                while not checker.is_at(truth):
                    assert time.monotonic() - began < 30 and swarm.fault is None, swarm.fault
                    time.sleep(0.005)
                took.append(time.monotonic() - began)

    swarm = all_together(running, stopped, work)
    assert all(checker.ends.total() == 1 for checker in swarm.checkers), f"cut although only slow: {swarm.ends}"
    print(f"{said}, the newest values after {max(took):.2f} s")
    if scale.full:
        assert said["times"] <= TIMES_LATER, said
        assert said["KiB"] <= KIB_EACH, said
        assert max(took) <= 1.0, f"the newest values only after {max(took):.2f} s"


def test_a_backlog_is_answered_at_once_and_delays_nobody(running: Product, scale: Scale) -> None:
    from tests.infra.test_servers import stream

    absence = scale.of(3, 120)
    took: list[float] = []
    with loaded(running) as others, closing(running.client()) as client:
        others.open("good", scale.of(10, 200))
        time.sleep(absence)
        calm = usual_p99(others, scale.of(2, 30))
        ended = threading.Event()

        def come_back() -> None:
            # Reading a backlog takes as much of the machine as writing it: those who are measured go first.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
            while not ended.is_set():
                with stream(running, client) as wire:
                    took.append(resume(wire, absence * 150))
                time.sleep(0.1)

        returning = threading.Thread(target=come_back)
        returning.start()
        try:
            hurt = usual_p99(others, scale.of(2, 30))
        finally:
            ended.set()
            returning.join()
    took.sort()
    p99, times = took[int(len(took) * 0.99)], hurt / calm
    said = f"{len(took)} backlogs of {absence} s: p99 {p99 * 1000:.0f} ms, the others {times:.2f} times"
    print(said)
    if scale.full:
        assert p99 < 0.2, said
        assert times <= TIMES_LATER, said


def on_the_loop(swarm: Swarm, what: str) -> None:
    """Have every checker's transport do something, on its own loop: uvloop's are not for other threads."""

    async def do() -> None:
        for checker in swarm.checkers:
            assert checker.wire is not None
            getattr(checker.wire.transport, what)()

    assert swarm.loop is not None
    asyncio.run_coroutine_threadsafe(do(), swarm.loop).result(30)


def usual_p99(others: Load, seconds: float) -> float:
    """The 99th percentile of their delays over `seconds`, ms: the median of three measurements, for within ten seconds
    it is as much as one frame that came at a bad moment. None may be far from it: a spell as bad as that is a fault."""
    measured = sorted(others.measured(seconds / 3)["p99"] for _ in range(3))
    if seconds >= 30:  # in full, alone on the machine
        assert measured[2] <= 3.0 * measured[1] + 5.0, f"a bad spell: p99 of {measured} ms"
    return measured[1]


def resume(wire: Any, back: int) -> float:
    """Ask for the last `back` ticks of everything; all of them come, in order; the seconds that it took."""
    welcome = orjson.loads(wire.recv(timeout=10))
    after = max(0, welcome["seq"] - back)
    ask = {"op": "subscribe", "channel": "ticks", "symbols": "*", "epoch": welcome["epoch"], "after_seq": after}
    began = time.monotonic()
    wire.send(orjson.dumps(ask).decode())
    got: list[int] = []
    while not got or got[-1] < welcome["seq"]:
        message = orjson.loads(wire.recv(timeout=10))
        assert message["type"] in ("subscribed", "ticks"), message
        if message["type"] == "subscribed":
            assert message["resumed"] is True
            continue
        got += sorted(row[0] for rows in message["data"].values() for row in rows)
    took = time.monotonic() - began
    assert got == list(range(after + 1, after + 1 + len(got)))
    return took
