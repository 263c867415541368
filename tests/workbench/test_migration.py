"""The tables of this room: made beside what an older version has left, which stays as it was; and unmade."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from dashboard.accounts.users import Users
from dashboard.clock import ManualClock
from dashboard.database import engine
from dashboard.database.base import Base
from dashboard.database.engine import Database
from dashboard.workbench import Workbench
from tests.house import PASSWORD

TABLES = {"watchlists", "views", "drawings", "preferences"}


def to(database: Database, revision: str, *, down: bool = False) -> None:
    """Bring the schema to a revision."""
    with database.engine.begin() as connection:
        config = engine._config()
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def lines(folder: Path) -> list[str]:
    """Everything in the database but the number of its schema."""
    with sqlite3.connect(folder / "test.db") as raw:
        return [line for line in raw.iterdump() if "alembic_version" not in line]


def tables(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "test.db") as raw:
        return {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_database_of_the_version_before_gets_the_tables_and_loses_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/test.db")
    to(database, "0002")
    Users(database, ManualClock()).add("ada", PASSWORD, "viewer")
    assert not TABLES & tables(tmp_path)
    before = lines(tmp_path)
    database.migrate_if_embedded()
    assert tables(tmp_path) >= TABLES
    assert set(before) <= set(lines(tmp_path))
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    bench = Workbench(database, ManualClock())
    assert bench.watchlists.create(1, "Tech", {"symbols": []}).version == 1
    to(database, "0002", down=True)
    assert lines(tmp_path) == before
    database.close()
