"""Many that change what a user keeps at once: one is first, all others are told, and no limit is passed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from dashboard.clock import ManualClock
from dashboard.database.engine import Database
from dashboard.errors import Conflict, Outrun
from dashboard.workbench import DRAWN_SYMBOLS, VIEWS, WATCHLISTS, Workbench
from tests.workbench.interleaved import ADA, WHAT, elsewhere, just_before_a_write, seen


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


def drawn(bench: Workbench, symbol: str, number: int) -> Any:
    """The first line on an instrument."""
    return bench.drawings.put(WHAT, seen(0), {"drawings": [number]}, {"count": 1}, ADA, symbol=symbol)


QUICKER = 'SET version = version + 1, body = \'{"by":"another"}\' WHERE user_id = 1'


@pytest.mark.parametrize("table", ["watchlists", "views"])
@pytest.mark.parametrize("does", ["change", "delete"])
def test_who_was_not_quick_enough_is_told_though_what_was_read_was_still_the_old(
    bench: Workbench, database: Database, table: str, does: str
) -> None:
    shelf = getattr(bench, table)
    made = shelf.create(ADA, "x", {})

    def act() -> None:
        if does == "change":
            shelf.change(ADA, made.id, seen(1), "x", {"by": "me"})
        else:
            shelf.delete(ADA, made.id, seen(1))

    with (
        just_before_a_write(database, elsewhere(database, f"UPDATE {table} {QUICKER}")),
        pytest.raises(Outrun) as caught,
    ):
        act()
    assert caught.value.current == 2
    assert shelf.get(ADA, made.id).content() == {"by": "another"}


@pytest.mark.parametrize("does", ["put", "clear"])
def test_of_two_who_draw_the_slower_is_told_though_what_was_read_was_still_the_old(
    bench: Workbench, database: Database, does: str
) -> None:
    drawn(bench, "AAPL", 1)

    def act() -> None:
        if does == "put":
            bench.drawings.put(WHAT, seen(1), {"drawings": []}, {"count": 0}, ADA, symbol="AAPL")
        else:
            bench.drawings.clear(WHAT, seen(1), {"count": 0}, ADA, symbol="AAPL")

    with (
        just_before_a_write(database, elsewhere(database, f"UPDATE drawings {QUICKER}")),
        pytest.raises(Outrun) as caught,
    ):
        act()
    assert caught.value.current == 2
    assert bench.drawings.get(WHAT, ADA, symbol="AAPL").content() == {"by": "another"}


def beside(database: Database, act: Callable[[Workbench], object]) -> Callable[[], threading.Thread]:
    """To let another process do `act` until it is done or waits for a lock of this one; a refusal is `error`."""

    def work(thread_bench: Workbench) -> None:
        try:
            act(thread_bench)
        except (Conflict, Outrun) as error:
            threading.current_thread().error = error  # type: ignore[attr-defined]
        finally:
            thread_bench.database.close()

    def run() -> threading.Thread:
        thread = threading.Thread(target=work, args=[Workbench(Database(database.url), ManualClock())])
        thread.start()
        until = time.monotonic() + 30
        while thread.is_alive() and not _somebody_waits(database) and time.monotonic() < until:
            time.sleep(0.02)
        return thread

    return run


def _somebody_waits(database: Database) -> bool:
    if database.embedded:
        return False
    with database.reading() as session:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(session.scalar(text(waiting)))


LAST: dict[str, tuple[int, Callable[[Workbench, int], object]]] = {
    "watchlists": (WATCHLISTS, lambda bench, number: bench.watchlists.create(ADA, f"new {number}", {})),
    "views": (VIEWS, lambda bench, number: bench.views.create(ADA, f"new {number}", {})),
    "drawings": (DRAWN_SYMBOLS, lambda bench, number: drawn(bench, f"NEW{number}", number)),
}


@pytest.mark.parametrize("table", LAST)
def test_two_who_take_the_last_place_at_once_get_one(bench: Workbench, database: Database, table: str) -> None:
    most, take = LAST[table]
    columns, values = ("symbol, count", "'S' || :at, 1") if table == "drawings" else ("name", "'S' || :at")
    with database.session() as session:
        session.execute(
            text(
                f"INSERT INTO {table} (user_id, version, format, body, created, changed, {columns}) "
                f"VALUES (1, 1, 1, '[1]', 0, 0, {values})"
            ),
            [{"at": str(at)} for at in range(most - 1)],
        )
    refused = []
    with just_before_a_write(database, beside(database, lambda other: take(other, 1))) as threads:
        try:
            take(bench, 2)
        except Conflict as error:
            refused.append(error)
    (other,) = threads
    assert isinstance(other, threading.Thread)
    other.join(30)
    refused += [error for error in [getattr(other, "error", None)] if error]
    with database.reading() as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == most
    assert [type(error) for error in refused] == [Conflict]


def test_of_two_who_draw_the_first_line_at_once_the_slower_is_told_the_version(
    bench: Workbench, database: Database
) -> None:
    told = []
    with just_before_a_write(database, beside(database, lambda other: drawn(other, "AAPL", 1))) as threads:
        try:
            drawn(bench, "AAPL", 2)
        except Outrun as error:
            told.append(error)
    (other,) = threads
    assert isinstance(other, threading.Thread)
    other.join(30)
    told += [error for error in [getattr(other, "error", None)] if error]
    assert [error.current for error in told] == [1]
    assert bench.drawings.get(WHAT, ADA, symbol="AAPL").version == 1
