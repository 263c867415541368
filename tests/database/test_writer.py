"""The writer thread: a locked, full or refusing database is waited for, counted and logged; the market goes on."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from dashboard.clock import SystemClock
from dashboard.database.engine import Database
from dashboard.database.writer import Writer
from dashboard.errors import StorageError
from dashboard.telemetry import Telemetry
from tests.house import PASSWORD, House, is_in, open_house


class Desk:
    """A writer on a database with one table, and what it counts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.telemetry = folder, Telemetry()
        self.database = Database(f"sqlite:///{folder}/test.db")
        with self.database.session() as session:
            session.execute(text("CREATE TABLE notes (number INTEGER UNIQUE, body TEXT)"))
        self.writer = Writer(self.database, self.telemetry, SystemClock())

    def note(self, number: int, body: str = "") -> Future[Any]:
        def work(session: Session) -> int:
            session.execute(text("INSERT INTO notes VALUES (:number, :body)"), {"number": number, "body": body})
            return number

        return self.writer.submit(work)

    def numbers(self) -> list[int]:
        with self.database.reading() as session:
            return list(session.scalars(text("SELECT number FROM notes ORDER BY rowid")))

    def counted(self, name: str) -> float:
        return self.telemetry.registry.get_sample_value(f"dashboard_{name}") or 0.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.writer.stop(1.0)
    made.database.close()


def until(true: Callable[[], bool], seconds: float = 8.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not come"
        time.sleep(0.01)


def locked(folder: Path) -> sqlite3.Connection:
    """Another program that holds the database."""
    lock = sqlite3.connect(folder / "test.db", isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN EXCLUSIVE")
    return lock


def full(database: Database) -> Callable[[], None]:
    """Let the database grow no more; gives what ends it."""
    database.close()

    def limit(connection: Any, _record: Any) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(database.engine, "connect", limit)

    def again() -> None:
        event.remove(database.engine, "connect", limit)
        database.close()

    return again


def test_writes_are_made_in_the_order_in_which_they_came_and_give_their_results(desk: Desk) -> None:
    futures = [desk.note(number) for number in range(50)]
    assert desk.writer.backlog == 50
    desk.writer.start()
    assert [future.result(5) for future in futures] == list(range(50))
    assert desk.numbers() == list(range(50))
    assert desk.writer.backlog == 0
    assert desk.counted("writer_queue") == 0


def test_a_locked_database_is_tried_again_and_counted_until_it_takes_the_write(desk: Desk) -> None:
    lock = locked(desk.folder)
    desk.writer.start()
    began = time.monotonic()
    futures = [desk.note(number) for number in range(3)]
    assert time.monotonic() - began < 0.1, "who submits never waits"
    until(lambda: desk.writer.error is not None)
    assert desk.writer.error == "the database refuses: database is locked"
    assert desk.writer.backlog == 3
    assert desk.counted("writer_retries_total") >= 1
    lock.rollback()
    lock.close()
    assert [future.result(6) for future in futures] == [0, 1, 2]
    assert desk.numbers() == [0, 1, 2]
    assert desk.writer.error is None
    assert desk.counted("writer_lost_total") == 0


def test_a_full_disk_is_waited_for_and_nothing_is_lost_or_doubled(desk: Desk) -> None:
    again = full(desk.database)
    desk.writer.start()
    futures = [desk.note(number, "x" * 20_000) for number in range(5)]
    until(lambda: desk.counted("writer_retries_total") >= 2)
    assert desk.writer.error == "the database refuses: database or disk is full"
    again()
    assert [future.result(6) for future in futures] == list(range(5))
    assert desk.numbers() == list(range(5))


def test_work_that_fails_by_itself_tells_its_owner_and_holds_nobody_up(desk: Desk) -> None:
    def wrong(session: Session) -> None:
        session.execute(text("INSERT INTO notes VALUES (99, '')"))
        raise KeyError("mine")

    desk.writer.start()
    failed, good = desk.writer.submit(wrong), desk.note(1)
    assert good.result(5) == 1
    assert isinstance(failed.exception(5), KeyError)
    assert desk.numbers() == [1], "half a transaction must not stay"


def test_what_the_database_will_never_take_is_given_up_and_counted_and_the_rest_goes_on(desk: Desk) -> None:
    desk.writer.start()
    first, twice, after = desk.note(1), desk.note(1), desk.note(2)
    assert first.result(5) == 1
    assert after.result(5) == 2
    assert isinstance(twice.exception(5), StorageError)
    assert desk.counted("writer_lost_total") == 1
    assert desk.writer.error is None


def test_a_write_that_was_cancelled_while_it_ran_does_not_end_the_thread(desk: Desk) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(_session: Session) -> None:
        began.set()
        go_on.wait(5)
        raise KeyError("nobody listens")

    desk.writer.start()
    future = desk.writer.submit(slow)
    assert began.wait(5)
    future.cancel()
    go_on.set()
    assert desk.note(7).result(5) == 7


def test_an_overflowing_queue_gives_up_the_oldest_and_counts_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.database.writer.WAITING", 10)
    futures = [desk.note(number) for number in range(14)]
    assert [future.cancelled() for future in futures] == [True] * 4 + [False] * 10
    assert desk.counted("writer_lost_total") == 4
    desk.writer.start()
    assert futures[-1].result(5) == 13
    assert desk.numbers() == list(range(4, 14))


def test_stop_writes_what_waits(desk: Desk) -> None:
    for number in range(200):
        desk.note(number)
    desk.writer.start()
    desk.writer.stop(5)
    assert desk.numbers() == list(range(200))


def test_stop_on_a_locked_database_ends_in_time_and_counts_what_it_gave_up(desk: Desk) -> None:
    lock = locked(desk.folder)
    desk.writer.start()
    futures = [desk.note(number) for number in range(3)]
    began = time.monotonic()
    desk.writer.stop(0.5)
    assert time.monotonic() - began < 1.0
    assert all(future.cancelled() for future in futures)
    assert desk.counted("writer_lost_total") == 3
    lock.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, {"ada": "administrator"}) as opened:
        yield opened


def test_while_the_database_is_locked_login_is_a_clear_503_and_the_market_goes_on(house: House) -> None:
    client = house.enter("ada")
    lock = locked(house.folder)
    house.tick(("AAPL", 201.5))
    refused = house.stranger().post("/login", data={"username": "ada", "password": PASSWORD})
    assert refused.status_code == 503
    assert "the database refuses: database is locked" in refused.text
    assert "Set-Cookie" not in refused.headers
    house.tick(("AAPL", 202.5))
    answer = client.get("/api/v1/tickers/AAPL")
    assert answer.json["data"]["price"] == 202.5
    assert answer.json["seq"] == 2
    lock.close()
    assert is_in(house.enter("ada"))


def test_a_write_that_waits_shows_in_readiness_and_the_market_goes_on(house: House) -> None:
    lock = locked(house.folder)
    future = house.runtime.writer.submit(lambda session: session.scalar(text("SELECT 1")))
    until(lambda: house.runtime.writer.error is not None)
    answer = house.stranger().get("/health/ready")
    assert answer.status_code == 503
    assert "database refuses writes: the database refuses: database is locked" in answer.text.splitlines()
    house.tick(("AAPL", 202.5))
    assert house.runtime.store.seq == 1
    lock.close()
    assert future.result(6) == 1


def test_on_a_full_disk_login_is_a_clear_503_and_sessions_go_on(house: House) -> None:
    client = house.enter("ada")
    again = full(house.runtime.database)
    with pytest.raises(StorageError, match="full"):
        for number in range(5_000):
            house.runtime.database.check()
            with house.runtime.database.session() as session:
                session.execute(
                    text(
                        "INSERT INTO login_sessions (token_hash, user_id, created, expires, remembered) "
                        f"SELECT '{number}' || hex(randomblob(30)), 1, 1, 9e15, 0 FROM sqlite_master"
                    )
                )
    answers = [
        house.stranger().post("/login", data={"username": "ada", "password": PASSWORD}).status_code for _ in range(12)
    ]
    assert set(answers) <= {302, 503}
    assert answers[-1] == 503
    assert is_in(client)
    again()
    assert is_in(house.enter("ada"))
