"""A database file or its WAL cut short or with one bit flipped: a start reads it or refuses in one sentence.

SQLite knows damage to its own structure and, in the WAL, to anything; a bit flipped inside of a stored value of the
main file is beyond it: those are counted and said.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dashboard import accounts
from dashboard.accounts.models import User
from dashboard.alerts.book import AlertBook
from dashboard.alerts.models import AlertEvent
from dashboard.clock import SystemClock
from dashboard.config import load_settings
from dashboard.database.engine import Database
from dashboard.errors import DashboardError
from dashboard.market.instruments import catalogue
from tests.conftest import Scale
from tests.fuzz import measure
from tests.fuzz.mutation import Mutator


def contents(folder: Path) -> list[Any]:
    """What a start reads of the database in a folder, and the events of its alerts. Raises DashboardError."""
    settings = load_settings({"DASHBOARD_DATABASE_URL": f"sqlite:///{folder}/test.db"}, env_file=None)
    clock = SystemClock()
    database = Database(settings.database_url)
    try:
        database.migrate_if_embedded()
        database.check()
        accounts.prepare(settings, database, clock)
        book = AlertBook(database, catalogue("AAPL,MSFT"), clock)
        with database.reading() as session:
            names = list(session.scalars(select(User.name).order_by(User.id)))
        return [names, book.watched(), book.list_for(1), book.missed(1, 0), book.history(1)]
    finally:
        database.close()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose newest commits are in its WAL only, as a killed process leaves it."""
    folder: Path = tmp_path_factory.mktemp("good")
    left: Path = tmp_path_factory.mktemp("left")
    contents(folder)
    database = Database(f"sqlite:///{folder}/test.db")
    book = AlertBook(database, catalogue("AAPL,MSFT"), SystemClock())
    for number in range(40):
        alert = book.create(1, "AAPL", "above", 200 + number)
        with database.session() as session:
            event = {"kind": "price", "direction": "above", "level": 1.5, "price": 2.0, "ts": number, "epoch": "e"}
            session.add(AlertEvent(alert_id=alert["id"], user_id=1, symbol="AAPL", seq=number, **event))
    for name in ("test.db", "test.db-wal"):
        shutil.copy(folder / name, left / name)
    database.close()
    assert (left / "test.db-wal").stat().st_size > 50_000
    return left


def one_sentence(error: DashboardError) -> None:
    assert len(str(error).splitlines()) == 1
    assert 20 < len(str(error)) < 300


@pytest.mark.soak
def test_a_damaged_database_is_read_or_refused_in_one_sentence(scale: Scale, good: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(good, whole)
    before = contents(whole)  # closing it moves the WAL into the file
    told = {"read right": 0, "refused": 0, "commits of the WAL lost": 0, "other values": 0}

    def attempt(mutator: Mutator, number: int) -> None:
        chance = mutator.random
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        in_wal = chance.random() < 0.5
        shutil.copytree(good if in_wal else whole, folder)
        file = folder / ("test.db-wal" if in_wal else "test.db")
        data = bytearray(file.read_bytes())
        if chance.random() < 0.4:
            del data[chance.randrange(len(data)) :]
        else:
            at = chance.randrange(len(data) if chance.random() < 0.7 else min(len(data), 4_096))
            data[at] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
        try:
            found = contents(folder)
        except DashboardError as error:
            one_sentence(error)
            told["refused"] += 1
            return
        if found == before:
            told["read right"] += 1
        elif in_wal:
            # A WAL is read up to its first bad frame: what is there is what was committed by then, in its order.
            kept = [event["id"] for event in found[3]]
            assert [event["id"] for event in before[3]][: len(kept)] == kept, "an event out of its order"
            told["commits of the WAL lost"] += 1
        else:
            told["other values"] += 1

    measure.attack(scale, 25, 2_000, attempt, judged=False)
    print(told)
