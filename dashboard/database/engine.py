"""The engine and its sessions: SQLite with the pragmas that keep it whole, or PostgreSQL; errors as one sentence."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from dashboard.errors import StartRefused, StorageError

#: How long a statement waits for another writer, s.
BUSY_S = 2.0
#: How long a start waits for another process that migrates the same embedded database, s.
MIGRATION_S = 30.0
#: Bytes that the disk of an embedded database must have left.
LEAST_FREE = 262_144
#: SQLite's releases with the WAL-reset race (sqlite.org/wal.html#walresetbug) less the ones that carry the fix: two
#: connections that write or checkpoint at the same moment can damage the file.
WAL_RESET = ((3, 7, 0), (3, 51, 2))
WAL_RESET_FIXED = ((3, 44, 6), (3, 50, 7))


class Database:
    """One database by its URL. Connections are made at first use; after a fork make a new one or `close` first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._parsed = make_url(url)
        self.embedded = self._parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"pool_pre_ping": not self.embedded}
        if self.embedded:
            options["connect_args"] = {"timeout": BUSY_S}
            self._try_options()
            self._make_folder()
        try:
            self.engine: Engine = create_engine(url, **options)
        except ImportError as error:
            raise StartRefused(f"DASHBOARD_DATABASE_URL needs a driver that is not installed: {error}") from error
        except (SQLAlchemyError, TypeError, ValueError) as error:
            raise _unusable(error) from error
        if self.embedded:
            event.listen(self.engine, "connect", _pragmas)
            event.listen(self.engine, "begin", _begin_immediate)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._watch: Any = None
        self._watching = threading.Lock()
        self._writing = threading.Lock()
        self._claim: IO[str] | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that writes: committed at the end of the `with`, rolled back by an exception.

        Raises StorageError where the database refuses.
        """
        with translated(), self._turn(), self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A short transaction that only reads, and on SQLite waits for no writer. Raises StorageError."""
        with translated(), self._sessions(bind=self.engine.execution_options(reads=True)) as session:
            yield session

    def version(self) -> int | None:
        """A number that is another one after every commit; None where the database has no such thing.

        SQLite's `PRAGMA data_version`, on a connection that does nothing else: 10 µs where a query takes a
        millisecond. Raises StorageError.
        """
        if not self.embedded or self._parsed.database in (None, "", ":memory:"):
            return None
        with translated(), self._watching:
            try:
                if self._watch is None:
                    pooled = self.engine.raw_connection()
                    pooled.detach()
                    self._watch = pooled
                cursor = self._watch.cursor()
                found = cursor.execute("PRAGMA data_version").fetchone()
                cursor.close()
            except sqlite3.Error as error:
                raise StorageError(f"the database refuses: {error}") from error
            return int(found[0])

    def check(self) -> None:
        """Ask the database something. Raises StorageError with the reason where it does not answer, or where the disk
        of an embedded one is full: writes may still find room in what the file has, but not for long."""
        with self.reading() as session:
            session.execute(text("SELECT 1 FROM users LIMIT 1"))
        if (name := self._file) is not None:
            with suppress(OSError):
                disk = os.statvfs(Path(name).parent)
                if disk.f_blocks and disk.f_bavail * disk.f_frsize < LEAST_FREE:
                    raise StorageError(f"the disk of the database is full: less than {LEAST_FREE // 1024} KiB are left")

    def migrate(self) -> None:
        """Bring the schema up to date. Raises StorageError, or StartRefused where a newer version has made it."""
        patient = self.engine.execution_options(waits_s=MIGRATION_S)
        with translated(), self._turn(), patient.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                current = MigrationContext.configure(connection).get_current_revision()
                raise StartRefused(
                    f"the database's schema is {current}, which this version does not know; "
                    "start the version that made it, or restore a backup from before"
                ) from error

    def migrate_if_embedded(self) -> None:
        """What a start does: SQLite is migrated, elsewhere an older schema is refused with the command to run."""
        if self.embedded:
            self.migrate()
            return
        with translated(), self.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        newest = ScriptDirectory.from_config(_config()).get_current_head()
        if current != newest:
            raise StartRefused(
                f"the database's schema is {current or 'empty'}, this version needs {newest}; "
                "run: python -m dashboard migrate"
            )

    def warning(self) -> str | None:
        """What is to be known of the library below, None where there is nothing."""
        if not self.embedded or not has_wal_reset_race(sqlite3.sqlite_version_info):
            return None
        return (
            f"SQLite {sqlite3.sqlite_version} can damage a database that two connections write at the same moment "
            "(WAL-reset race, mended in 3.51.3, 3.50.7 and 3.44.6); this process writes in one connection at a time: "
            "let no other write while it runs, and keep a backup"
        )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """On SQLite one transaction of this process writes at a time, with the checkpoint at its end.

        SQLite would have them wait too, but asks again only every 100 ms, and lets a checkpoint run beside the next
        one: the race of `WAL_RESET`.
        """
        if not self.embedded:
            yield
            return
        if not self._writing.acquire(timeout=BUSY_S):
            raise StorageError("the database refuses: database is locked")
        try:
            yield
        finally:
            self._writing.release()

    def claim(self, wait_s: float) -> None:
        """Be the one process that serves an embedded database, until `close`: two would fire the same alerts, and each
        would hear nothing of the other's changes. Raises StartRefused where another one does after `wait_s`.

        The lock is on a file beside the database: on the file itself, closing it would drop SQLite's own locks.
        """
        name = self._file
        if name is None:
            return
        try:
            file = Path(f"{name}.serving").open("a")  # noqa: SIM115  # held until it is closed
        except OSError as error:
            raise StartRefused(f"DASHBOARD_DATABASE_URL: {name}.serving can't be made: {error.strerror}") from error
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._claim = file
                return
            except BlockingIOError:
                if time.monotonic() >= until:
                    file.close()
                    raise StartRefused(
                        f"another process serves the database {name} already; end it, or give this one another "
                        "DASHBOARD_DATABASE_URL"
                    ) from None
                time.sleep(0.05)

    def close(self) -> None:
        """Close every connection that is not in use, and leave the database to whoever will serve it."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()

    @property
    def _file(self) -> str | None:
        """The path of an embedded database, None for one in memory, by URI, or on a server."""
        name = self._parsed.database
        return None if not self.embedded or not name or name == ":memory:" or name.startswith("file:") else name

    def _try_options(self) -> None:
        """What stands behind the question mark goes to the driver as it is: a bad one would be a traceback later."""
        try:
            _places, options = self._parsed.get_dialect()().create_connect_args(self._parsed)
            sqlite3.connect(":memory:", **options).close()
        except ImportError:
            return
        except (SQLAlchemyError, sqlite3.Error, TypeError, ValueError) as error:
            raise _unusable(error) from error

    def _make_folder(self) -> None:
        name = self._parsed.database
        if not name or name == ":memory:":
            return
        try:
            Path(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Hashes of passwords and sessions are nobody else's; SQLite gives its side files the same mode.
            with suppress(FileExistsError):
                os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise StartRefused(f"DASHBOARD_DATABASE_URL: {name} can't be made: {error.strerror}") from error


def has_wal_reset_race(version: tuple[int, ...]) -> bool:
    """Whether a release of SQLite has the race of `WAL_RESET`."""
    mended = any(version[:2] == fixed[:2] and version >= fixed for fixed in WAL_RESET_FIXED)
    return WAL_RESET[0] <= version <= WAL_RESET[1] and not mended


def _unusable(error: Exception) -> StartRefused:
    return StartRefused(f"DASHBOARD_DATABASE_URL can't be used: {str(error).splitlines()[0][:200]}")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's exceptions into StorageError with one sentence."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0] if error.orig is not None else "no reason given"
        raise StorageError(f"the database refuses: {reason[:200]}") from error
    except UnicodeDecodeError as error:  # what SQLite gives as text is none: a bit has flipped in the file
        raise StorageError("the database refuses: a text in it is not UTF-8, the file is damaged") from error
    except SQLAlchemyError as error:
        raise StorageError(f"the database refuses: {str(error).splitlines()[0][:200]}") from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _pragmas(connection: Any, _record: Any) -> None:
    """WAL lets readers go on beside the writer; FULL keeps what was committed through a power cut."""
    # SQLAlchemy says BEGIN itself, below: the driver must not.
    connection.isolation_level = None
    cursor = connection.cursor()
    _turn_to_wal(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _turn_to_wal(cursor: Any) -> None:
    """Ask for WAL until nobody writes: where the file is not in it yet, SQLite refuses at once and waits for no writer
    (sqlite.org/c3ref/busy_handler.html: the handler is left out where waiting could be a deadlock)."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.01)


def _begin_immediate(connection: Any) -> None:
    """A transaction that reads and then writes fails at once in WAL mode; one that is a writer from the start waits."""
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout={int(options.get('waits_s', BUSY_S) * 1000)}")
    connection.exec_driver_sql("BEGIN" if options.get("reads", False) else "BEGIN IMMEDIATE")
