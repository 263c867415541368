"""The engine: migrations, SQLite's pragmas, transactions of many threads, and one sentence for what is refused."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, text

from dashboard.accounts.models import User
from dashboard.accounts.users import Users
from dashboard.alerts.models import Alert
from dashboard.clock import ManualClock
from dashboard.database.base import Base
from dashboard.database.engine import BUSY_S, Database
from dashboard.errors import DashboardError, StartRefused, StorageError
from tests.conftest import Product
from tests.house import NOW_MS, PASSWORD, command, open_house


def opened(folder: Path) -> Database:
    return Database(f"sqlite:///{folder}/test.db")


def test_migrations_from_nothing_make_exactly_the_tables_of_the_models(tmp_path: Path) -> None:
    assert {User.__tablename__, Alert.__tablename__} < set(Base.metadata.tables)
    database = opened(tmp_path)
    database.migrate()
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    database.check()
    database.close()


def test_migrations_a_second_time_change_nothing_and_lose_nothing(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.migrate()
    Users(first, ManualClock()).add("ada", PASSWORD, "viewer")
    with sqlite3.connect(tmp_path / "test.db") as raw:
        before = list(raw.iterdump())
    first.migrate()
    first.close()
    second = opened(tmp_path)
    second.migrate_if_embedded()
    second.close()
    with sqlite3.connect(tmp_path / "test.db") as raw:
        assert list(raw.iterdump()) == before


def test_many_that_migrate_a_new_database_at_once_do_not_hinder_each_other(tmp_path: Path) -> None:
    def migrated(_number: int) -> None:
        database = opened(tmp_path)
        database.migrate_if_embedded()
        database.check()
        database.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrated, range(8)))


@pytest.mark.parametrize("writing_s", [0.5, BUSY_S + 1.0])
def test_a_start_waits_for_another_that_makes_the_database(tmp_path: Path, writing_s: float) -> None:
    """SQLite itself refuses at once to turn a file to WAL that somebody writes; a migration may take its time."""
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None, check_same_thread=False)
    if writing_s > BUSY_S:  # longer than any statement waits: only who is in WAL already can be waited for
        other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(writing_s, other.rollback)
    end.start()
    database = opened(tmp_path)
    try:
        database.migrate_if_embedded()
        database.check()
    finally:
        database.close()
        end.join()
        other.close()


def test_a_schema_of_a_newer_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    database.close()
    with sqlite3.connect(tmp_path / "test.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DashboardError, match="9999") as caught:
        opened(tmp_path).migrate_if_embedded()
    assert "\n" not in str(caught.value)


def test_every_connection_is_in_wal_mode_durable_and_checks_foreign_keys(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    with database.reading() as session:
        asked = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert asked == ["wal", 2, 1]
    with pytest.raises(StorageError, match="FOREIGN KEY"), database.session() as session:
        session.add(
            Alert(user_id=77, symbol="AAPL", kind="price", direction="above", level=1.0, enabled=True, created=0)
        )
    database.close()


def test_an_exception_rolls_the_whole_transaction_back(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    Users(database, ManualClock()).add("ada", PASSWORD, "viewer")
    with pytest.raises(ZeroDivisionError), database.session() as session:
        session.execute(text("UPDATE users SET role = 'administrator'"))
        session.flush()
        raise ZeroDivisionError
    with database.reading() as session:
        assert session.scalar(text("SELECT role FROM users")) == "viewer"
    database.close()


def test_threads_that_read_and_then_write_wait_for_each_other_and_lose_no_update(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    with database.session() as session:
        session.execute(text("CREATE TABLE counted (number INTEGER)"))
        session.execute(text("INSERT INTO counted VALUES (0)"))

    def count(_turn: int) -> None:
        with database.session() as session:
            number = session.scalar(text("SELECT number FROM counted"))
            assert isinstance(number, int)
            session.execute(text("UPDATE counted SET number = :next"), {"next": number + 1})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(40)))
    with database.reading() as session:
        assert session.scalar(text("SELECT number FROM counted")) == 40
    database.close()


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    lock = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    database.check()
    assert Users(database, ManualClock()).every() == []
    lock.close()
    database.close()


def test_a_locked_database_is_one_sentence_after_the_patience_is_over(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    lock = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match=r"^the database refuses: database is locked$"):
        Users(database, ManualClock()).disable("ada")
    lock.close()
    database.close()


def test_a_database_that_may_only_be_read_says_so(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    Users(database, ManualClock()).add("ada", PASSWORD, "viewer")
    database.close()
    # What SQLite answers for a read-only file, which the owner root could write all the same.
    event.listen(database.engine, "connect", lambda connection, _record: connection.execute("PRAGMA query_only=ON"))
    with pytest.raises(StorageError, match="readonly database"):
        Users(database, ManualClock()).set_password("ada", "a fresh phrase 9")
    assert [person.name for person in Users(database, ManualClock()).every()] == ["ada"]
    database.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file")
def test_a_read_only_file_refuses_the_start_in_one_sentence(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    database.close()
    (tmp_path / "test.db").chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="readonly database"):
            Users(opened(tmp_path), ManualClock()).disable("ada")
    finally:
        tmp_path.chmod(0o700)


def test_a_question_the_database_does_not_understand_is_one_sentence(tmp_path: Path) -> None:
    database = opened(tmp_path)
    with pytest.raises(StorageError, match="no such table: users"):
        database.check()
    database.close()


def below_a_file(folder: Path) -> str:
    (folder / "file").write_text("x")
    return f"{folder}/file/var/test.db"


def a_folder(folder: Path) -> str:
    return str(folder)


def no_database(folder: Path) -> str:
    (folder / "letter.txt").write_text("Dear Sir or Madam, this is no database. " * 100)
    return f"{folder}/letter.txt"


@pytest.mark.parametrize("made", [below_a_file, a_folder, no_database])
def test_a_path_that_can_not_be_a_database_ends_the_command_with_one_sentence(
    tmp_path: Path, made: Callable[[Path], str]
) -> None:
    answer = command(tmp_path, "check", DATABASE_URL=f"sqlite:///{made(tmp_path)}")
    assert answer.returncode == 3
    assert answer.stdout == "settings ok\n"
    assert len(answer.stderr.strip().splitlines()) == 1
    assert "database" in answer.stderr.lower()


@pytest.mark.parametrize("made", [below_a_file, no_database])
def test_the_real_program_ends_with_one_sentence_where_its_folder_can_not_be_written(
    tmp_path: Path, product: Callable[..., Product], made: Callable[[Path], str]
) -> None:
    running = product(wait=False, DATABASE_URL=f"sqlite:///{made(tmp_path)}")
    assert running.process is not None
    assert running.process.wait(9) != 0
    assert "Traceback" not in running.log
    assert "database" in running.log.lower()
    assert len([line for line in running.log.splitlines() if "[info" not in line]) <= 5


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "too short"), (b"short", "too short"), (b"\xff" * 50, "no text"), (None, "directory")]
)
def test_a_secret_key_that_can_not_be_used_refuses_the_start(tmp_path: Path, content: bytes | None, says: str) -> None:
    kept = tmp_path / "secret_key"
    if content is None:
        kept.mkdir()
    else:
        kept.write_bytes(content)
    with pytest.raises(StartRefused, match=says) as caught, open_house(tmp_path):
        pass
    assert "DASHBOARD_SECRET_KEY" in str(caught.value)


def test_the_version_is_another_one_after_every_commit_and_only_then(tmp_path: Path) -> None:
    database, other = opened(tmp_path), opened(tmp_path)
    database.migrate()
    seen = database.version()
    assert seen is not None
    with database.reading() as session:
        session.execute(text("SELECT 1 FROM users"))
    assert database.version() == seen
    for each, name in ((database, "ann"), (other, "bob")):
        Users(each, ManualClock(NOW_MS)).add(name, PASSWORD, "viewer")
        assert database.version() != seen
        seen = database.version()
    database.close()
    other.close()
    assert Database("sqlite://").version() is None


def test_a_database_is_served_by_one_process_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/served.db"
    first, second = Database(url), Database(url)
    first.claim(0.0)
    with pytest.raises(StartRefused, match="another process serves the database"):
        second.claim(0.1)
    first.close()
    second.claim(0.0)
    second.close()
    Database("sqlite://").claim(0.0)


def test_a_full_disk_is_told_before_a_write_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path}/small.db")
    database.migrate()
    database.check()
    real = list(os.statvfs(tmp_path))
    real[4] = 1  # f_bavail, in blocks
    monkeypatch.setattr("dashboard.database.engine.os.statvfs", lambda _folder: os.statvfs_result(real))
    with pytest.raises(StorageError, match="disk of the database is full"):
        database.check()
    real[2] = 0  # a file system that counts no blocks at all
    database.check()
    database.close()
