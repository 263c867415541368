"""Two transactions interleaved by hand, users and versions for tests of the shelves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, event, text

from dashboard.database.engine import Database
from dashboard.workbench.shelf import Seen

ANY: Seen = None
ADA, BEN = 1, 2
WHAT = "the drawings on AAPL"


def seen(*versions: int) -> Seen:
    return frozenset(versions)


@contextmanager
def just_before_a_write(database: Database, act: Callable[[], object]) -> Iterator[list[object]]:
    """`act` once, at the last moment at which another transaction can still be quicker than the one that is written in
    the `with`: all that this one has read by then is of before. What `act` gives is put into the list.

    On SQLite a transaction that writes shuts out others from its BEGIN on, elsewhere from its first statement that
    changes rows.
    """
    done: list[object] = []

    def once() -> None:
        if not done:
            done.append(None)
            done[0] = act()

    def sent(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE")):
            once()

    hook = "before_cursor_execute", sent
    event.listen(database.engine, *hook)
    try:
        yield done
    finally:
        event.remove(database.engine, *hook)
    assert done, "nothing was written"


def elsewhere(database: Database, statement: str) -> Callable[[], None]:
    """To run a statement as another process does: on a connection of its own, at once, past every lock of this one."""

    def run() -> None:
        other = create_engine(database.url)
        with other.begin() as connection:
            assert connection.execute(text(statement)).rowcount == 1
        other.dispose()

    return run
