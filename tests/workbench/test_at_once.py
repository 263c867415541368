"""Many that change what a user keeps at once: one is first, all others are told, and no limit is passed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dashboard.errors import Conflict, Outrun
from dashboard.workbench import Workbench
from tests.workbench.interleaved import ADA, WHAT, seen


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(number)` gives or raises in as many threads that begin together."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        except (Outrun, Conflict) as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.parametrize("turn", range(5))
def test_of_many_that_save_the_same_version_at_once_one_is_first_and_all_others_are_told(
    bench: Workbench, turn: int
) -> None:
    made = bench.views.create(ADA, "x", {})
    answers = at_once(8, lambda number: bench.views.change(ADA, made.id, seen(1), "x", {"by": number}))
    (first,) = [each for each in answers if not isinstance(each, Outrun)]
    assert [each.current for each in answers if isinstance(each, Outrun)] == [2] * 7
    assert bench.views.get(ADA, made.id) == first


@pytest.mark.parametrize("turn", range(5))
def test_of_many_that_draw_the_first_line_at_once_one_is_first(bench: Workbench, turn: int) -> None:
    def draw(number: int) -> Any:
        return bench.drawings.put(WHAT, seen(0), {"drawings": [number]}, {"count": 1}, ADA, symbol="AAPL")

    answers = at_once(8, draw)
    (first,) = [each for each in answers if not isinstance(each, Outrun)]
    assert {each.current for each in answers if isinstance(each, Outrun)} == {1}
    assert bench.drawings.get(WHAT, ADA, symbol="AAPL") == first


def test_of_many_that_take_a_name_at_once_one_gets_it(bench: Workbench) -> None:
    answers = at_once(8, lambda _number: bench.watchlists.create(ADA, "Tech", {}))
    assert sum(isinstance(each, Conflict) for each in answers) == 7
    assert len(bench.watchlists.every(ADA)) == 1


def test_every_change_of_many_who_read_before_is_kept_none_is_lost(bench: Workbench) -> None:
    made = bench.views.create(ADA, "x", {"count": 0})

    def add(_number: int) -> None:
        while True:
            kept = bench.views.get(ADA, made.id)
            try:
                bench.views.change(ADA, made.id, seen(kept.version), "x", {"count": kept.content()["count"] + 1})
            except Outrun:
                continue
            return

    at_once(6, lambda number: [add(number) for _ in range(5)])
    kept = bench.views.get(ADA, made.id)
    assert (kept.content()["count"], kept.version) == (30, 31)
