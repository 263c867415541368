"""Many that read and then write at once, with checkpoints all the time: nobody is told "locked", nothing is lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import event, text
from structlog.testing import capture_logs

from dashboard.database.engine import Database, has_wal_reset_race
from tests.conftest import Scale
from tests.house import command, open_house

THREADS = 8
#: What a commit may take, s; judged in full.
SLOWEST_P99 = 0.25


@pytest.mark.soak
def test_eight_that_read_and_then_write_are_never_told_locked_and_lose_nothing(scale: Scale, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/test.db")
    # A checkpoint at the end of every commit, as far as readers let it.
    event.listen(database.engine, "connect", lambda made, _record: made.execute("PRAGMA wal_autocheckpoint=1"))
    with database.session() as session:
        session.execute(text("CREATE TABLE counters (who INTEGER PRIMARY KEY, count INTEGER, body TEXT)"))
        for who in range(THREADS + 1):
            session.execute(text("INSERT INTO counters VALUES (:who, 0, '')"), {"who": who})
    until = time.monotonic() + scale.of(3, 60)
    took: list[float] = []
    counts = [0] * THREADS
    errors: list[BaseException] = []

    def write(own: int) -> None:
        try:
            while time.monotonic() < until:
                began = time.perf_counter()
                with database.session() as session:
                    for who in (own, THREADS):  # one of one's own, and one that all share
                        count = session.scalar(text("SELECT count FROM counters WHERE who = :who"), {"who": who})
                        session.execute(
                            text("UPDATE counters SET count = :count, body = :body WHERE who = :who"),
                            {"who": who, "count": count + 1, "body": "x" * 2_000},
                        )
                took.append(time.perf_counter() - began)
                counts[own] += 1
        except BaseException as error:
            errors.append(error)

    def read() -> None:
        """Readers that hold their view open, in the way of the checkpoints."""
        try:
            while time.monotonic() < until:
                with database.reading() as session:
                    before = session.scalar(text("SELECT sum(count) FROM counters"))
                    time.sleep(0.005)
                    assert session.scalar(text("SELECT sum(count) FROM counters")) == before
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(own,)) for own in range(THREADS)]
    threads.append(threading.Thread(target=read))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.reading() as session:
        stored = list(session.scalars(text("SELECT count FROM counters ORDER BY who")))
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
    database.close()
    assert stored == [*counts, sum(counts)], "an update was lost"
    took.sort()
    p99 = took[int(len(took) * 0.99)]
    print(
        f"{len(took)} commits, p50 {took[len(took) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, most {took[-1]:.2f} s"
    )
    if scale.full:
        assert p99 < SLOWEST_P99, f"p99 of a commit was {p99 * 1000:.0f} ms"


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_the_releases_with_the_wal_reset_race_are_known(version: tuple[int, ...], has: bool) -> None:
    assert has_wal_reset_race(version) == has


def test_a_start_and_the_check_warn_of_a_library_with_the_race(tmp_path: Path) -> None:
    with capture_logs() as lines, open_house(tmp_path, {"ada": "administrator"}):
        pass
    warned = [line["event"] for line in lines if "WAL-reset race" in line["event"]]
    expected = has_wal_reset_race(sqlite3.sqlite_version_info)
    assert len(warned) == expected
    assert ("WAL-reset race" in command(tmp_path, "check").stdout) == expected


def test_one_connection_writes_at_a_time(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/test.db")
    inside, most = [0], [0]
    lock = threading.Lock()

    def write() -> None:
        for _ in range(20):
            with database.session() as session:
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                session.execute(text("SELECT 1"))
                with lock:
                    inside[0] -= 1

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert most == [1]
