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
from dashboard.stream.loopthread import new_loop
from dashboard.stream.turns import LONGEST_S, PAUSE_S, Turns

T = TypeVar("T")


def on_a_loop(work: Coroutine[Any, Any, T], make: Callable[[], asyncio.AbstractEventLoop] = new_loop) -> T:
    """What `work` gives, on a loop in a thread of its own: a browser's test may have left one running in this one."""

    def run() -> T:
        with asyncio.Runner(loop_factory=make) as runner:
            return runner.run(work)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@pytest.mark.parametrize("step_s", [0.0004, 0.0012, 0.004])
@pytest.mark.parametrize("make", [new_loop, asyncio.new_event_loop])
def test_turns_come_in_order_and_leave_others_half_of_the_time(
    make: Callable[[], asyncio.AbstractEventLoop], step_s: float
) -> None:
    order: list[int] = []
    count, worked = round(0.2 / step_s), 0.0

    def work(number: int) -> None:
        nonlocal worked
        order.append(number)
        began = time.perf_counter()
        while (now := time.perf_counter()) < began + step_s:
            continue
        # What the machine takes in the middle of a step is the step's, up to a bound.
        worked += min(now - began, LONGEST_S)

    async def catching_up() -> float:
        turns = Turns(SystemClock())
        turns.attach(asyncio.get_running_loop())
        began = time.perf_counter()
        for number in range(count):
            turns.ask(partial(work, number))
        while len(order) < count:
            await asyncio.sleep(0.001)
        return time.perf_counter() - began

    took = on_a_loop(catching_up(), make)
    assert order == list(range(count))
    # After the last turns there is no pause.
    assert worked <= 0.55 * took + PAUSE_S


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

    assert on_a_loop(catching_up(), asyncio.new_event_loop) <= 20


class Halted:
    """A clock that a test moves."""

    now = 0.0

    def now_ms(self) -> float:
        return self.now * 1000.0

    def monotonic(self) -> float:
        return self.now


def test_a_machine_that_was_away_within_a_turn_makes_nobody_wait_as_long_again() -> None:
    clock, done = Halted(), []

    def away() -> None:
        clock.now += 60.0

    turns = Turns(clock)
    assert turns.take(away)
    assert not turns.take(lambda: done.append("too soon"))
    clock.now += LONGEST_S
    assert turns.take(lambda: done.append("in time"))
    assert done == ["in time"]


def test_turns_that_are_taken_at_once_count_too() -> None:
    clock, taken = Halted(), 0

    def step() -> None:
        clock.now += PAUSE_S / 8

    turns = Turns(clock)
    while turns.take(step):
        taken += 1
    assert 4 <= taken <= 16
    clock.now += PAUSE_S / 2
    assert not turns.take(step), "a rest is had to its end"
    clock.now += PAUSE_S
    assert turns.take(step)
