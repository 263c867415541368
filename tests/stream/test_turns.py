"""Catching up in turns: one step at a time, and no more than half of the loop's time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import pytest

from dashboard.clock import SystemClock
from dashboard.stream.turns import PAUSE_S, Turns

STEP_S = 4 * PAUSE_S
T = TypeVar("T")


def on_a_loop(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, on a loop in a thread of its own: a browser's test may have left one running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def test_turns_come_in_order_and_leave_others_half_of_the_time() -> None:
    order: list[int] = []

    def work(number: int) -> None:
        order.append(number)
        until = time.perf_counter() + STEP_S
        while time.perf_counter() < until:
            continue

    async def catching_up() -> float:
        turns = Turns(SystemClock())
        turns.attach(asyncio.get_running_loop())
        began = time.perf_counter()
        for number in range(20):
            turns.ask(partial(work, number))
        while len(order) < 20:
            await asyncio.sleep(0.001)
        assert turns.idle
        return time.perf_counter() - began

    took = on_a_loop(catching_up())
    assert order == list(range(20))
    # The last step is followed by nothing.
    assert took >= 20 * STEP_S + 19 * STEP_S * 0.9


def test_short_turns_follow_each_other_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's timers count in milliseconds: a pause after each would make two hundred snapshots wait for it."""
    done: list[int] = []

    async def catching_up() -> int:
        loop = asyncio.get_running_loop()
        pauses: list[float] = []
        later = loop.call_later

        def noted(delay: float, call: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
            pauses.append(delay)
            return later(delay, call, *arguments)

        monkeypatch.setattr(loop, "call_later", noted)
        turns = Turns(SystemClock())
        turns.attach(loop)
        for number in range(200):
            turns.ask(partial(done.append, number))
        while len(done) < 200:
            await asyncio.sleep(0)
        return len(pauses)

    assert on_a_loop(catching_up()) <= 20
