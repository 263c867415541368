"""The shelves: versions, many that change at once, limits, newer formats; and nobody sees another's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from dashboard.clock import ManualClock
from dashboard.database.engine import Database
from dashboard.errors import Conflict, NotThere, Outrun, StorageError
from dashboard.workbench import DRAWN_SYMBOLS, WATCHLISTS, Workbench
from dashboard.workbench.shelf import Seen, unique
from tests.workbench.interleaved import ADA, ANY, BEN, WHAT, seen


def test_a_document_is_made_read_changed_and_deleted(bench: Workbench, clock: ManualClock) -> None:
    made = bench.watchlists.create(ADA, "Tech", {"symbols": ["AAPL"]})
    assert (made.version, made.name, made.content(), made.created) == (1, "Tech", {"symbols": ["AAPL"]}, made.changed)
    clock.advance(5_000)
    changed = bench.watchlists.change(ADA, made.id, seen(1), "Tech 2", {"symbols": []})
    assert (changed.version, changed.name, changed.content()) == (2, "Tech 2", {"symbols": []})
    assert changed.created == made.created
    assert made.changed is not None
    assert changed.changed == made.changed + 5_000
    assert bench.watchlists.get(ADA, made.id) == changed
    assert bench.watchlists.every(ADA) == [changed]
    bench.watchlists.delete(ADA, made.id, seen(2))
    assert bench.watchlists.every(ADA) == []
    with pytest.raises(NotThere):
        bench.watchlists.get(ADA, made.id)


def test_a_change_of_what_was_changed_meanwhile_is_told_the_version(bench: Workbench) -> None:
    made = bench.views.create(ADA, "x", {})
    bench.views.change(ADA, made.id, seen(1), "x", {"a": 1})
    with pytest.raises(Outrun, match="version 2") as caught:
        bench.views.change(ADA, made.id, seen(1), "y", {"a": 2})
    assert caught.value.current == 2
    with pytest.raises(Outrun):
        bench.views.delete(ADA, made.id, seen(1))
    with pytest.raises(Outrun):
        bench.views.delete(ADA, made.id, seen())
    assert bench.views.get(ADA, made.id).content() == {"a": 1}
    assert bench.views.change(ADA, made.id, seen(9, 2), "y", {}).version == 3
    assert bench.views.change(ADA, made.id, ANY, "y", {}).version == 4


def test_an_id_is_never_given_again(bench: Workbench) -> None:
    first = bench.views.create(ADA, "x", {})
    bench.views.delete(ADA, first.id, ANY)
    assert bench.views.create(ADA, "x", {}).id != first.id


def test_a_name_is_a_users_once(bench: Workbench) -> None:
    first = bench.watchlists.create(ADA, "Tech", {})
    with pytest.raises(Conflict, match=r"there is a watchlist 'Tech' already"):
        bench.watchlists.create(ADA, "Tech", {})
    other = bench.watchlists.create(ADA, "Other", {})
    with pytest.raises(Conflict, match="'Tech'"):
        bench.watchlists.change(ADA, other.id, ANY, "Tech", {})
    assert bench.watchlists.get(ADA, other.id) == other
    assert bench.watchlists.change(ADA, first.id, ANY, "Tech", {}).version == 2
    assert bench.watchlists.create(BEN, "Tech", {}).name == "Tech"
    assert bench.views.create(ADA, "Tech", {}).name == "Tech"


class Refused(Exception):
    """What a driver raises; its code is under the name that the driver gives it."""

    def __init__(self, words: str, **codes: str) -> None:
        super().__init__(words)
        self.__dict__.update(codes)


@pytest.mark.parametrize(
    ("words", "codes", "is_second"),
    [
        ("doppelter Schlüsselwert verletzt Eindeutigkeitsbedingung", {"sqlstate": "23505"}, True),
        ("la valeur d'une clé dupliquée rompt la contrainte", {"pgcode": "23505"}, True),
        ('violates check constraint "ck_unique_enough"', {"sqlstate": "23514"}, False),
        ("something unique", {}, False),
    ],
)
def test_a_name_that_is_taken_is_known_by_the_databases_code(
    words: str, codes: dict[str, str], is_second: bool
) -> None:
    with pytest.raises(Conflict if is_second else IntegrityError), unique(Conflict("taken")):
        raise IntegrityError("INSERT", {}, Refused(words, **codes))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_another_refusal_that_has_the_word_in_it_is_not_taken_for_that(bench: Workbench, database: Database) -> None:
    with database.session() as session:
        session.execute(
            text(
                "CREATE TRIGGER strict BEFORE INSERT ON views BEGIN SELECT RAISE(ABORT, 'not UNIQUE in this way'); END"
            )
        )
    with pytest.raises(StorageError, match="not UNIQUE in this way"):
        bench.views.create(ADA, "x", {})


def test_a_user_has_so_many_and_no_more(bench: Workbench) -> None:
    for number in range(WATCHLISTS):
        bench.watchlists.create(ADA, str(number), {})
    with pytest.raises(Conflict, match=f"there are {WATCHLISTS} watchlists already"):
        bench.watchlists.create(ADA, "one more", {})
    bench.watchlists.create(BEN, "mine", {})
    bench.watchlists.delete(ADA, bench.watchlists.every(ADA)[0].id, ANY)
    bench.watchlists.create(ADA, "one more", {})


def test_nobody_reads_changes_or_deletes_anothers(bench: Workbench) -> None:
    made = bench.watchlists.create(ADA, "Tech", {"symbols": ["AAPL"]})
    calls: list[Callable[[], Any]] = [
        lambda: bench.watchlists.get(BEN, made.id),
        lambda: bench.watchlists.change(BEN, made.id, ANY, "mine", {}),
        lambda: bench.watchlists.change(BEN, made.id, seen(1), "mine", {}),
        lambda: bench.watchlists.delete(BEN, made.id, ANY),
        lambda: bench.watchlists.delete(BEN, made.id, seen(1)),
        lambda: bench.watchlists.get(ADA, 2**63),
        lambda: bench.watchlists.delete(ADA, 0, ANY),
    ]
    for call in calls:
        with pytest.raises(NotThere):
            call()
    assert bench.watchlists.every(BEN) == []
    assert bench.watchlists.get(ADA, made.id) == made
    bench.drawings.put(WHAT, seen(0), {"drawings": [1]}, {"count": 1}, ADA, symbol="AAPL")
    assert bench.drawings.get(WHAT, BEN, symbol="AAPL").version == 0
    bench.drawings.clear(WHAT, ANY, {"count": 0}, BEN, symbol="AAPL")
    assert bench.drawings.get(WHAT, ADA, symbol="AAPL").content() == {"drawings": [1]}
    assert bench.drawn(BEN) == []
    assert bench.drawn(ADA) == [("AAPL", 1, 1)]


def test_a_place_that_was_emptied_goes_on_with_its_versions(bench: Workbench) -> None:
    def put(versions: Seen, *lines: int) -> int:
        content, count = {"drawings": list(lines)}, {"count": len(lines)}
        return bench.drawings.put(WHAT, versions, content, count, ADA, symbol="AAPL").version

    with pytest.raises(Outrun) as caught:
        put(seen(3), 1)
    assert caught.value.current == 0
    assert put(seen(0), 1) == 1
    bench.drawings.clear(WHAT, seen(1), {"count": 0}, ADA, symbol="AAPL")
    assert bench.drawn(ADA) == []
    assert bench.drawings.get(WHAT, ADA, symbol="AAPL").version == 2
    for old in (0, 1):
        with pytest.raises(Outrun, match="version 2"):
            put(seen(old), 2)
    assert put(seen(2), 2) == 3
    assert put(ANY, 3) == 4
    with pytest.raises(Outrun):
        bench.drawings.clear(WHAT, seen(3), {"count": 0}, ADA, symbol="AAPL")
    assert bench.drawn(ADA) == [("AAPL", 1, 4)]


def test_the_place_that_was_emptied_longest_ago_makes_room(bench: Workbench, database: Database) -> None:
    with database.session() as session:
        row = {"user": ADA, "body": '{"drawings":[1]}'}
        for number in range(DRAWN_SYMBOLS):
            session.execute(
                text(
                    "INSERT INTO drawings (user_id, version, format, body, created, changed, symbol, count) "
                    f"VALUES (:user, 1, 1, :body, 0, 0, 'S{number}', 1)"
                ),
                row,
            )

    def draw() -> None:
        bench.drawings.put(WHAT, seen(0), {"drawings": [1]}, {"count": 1}, ADA, symbol="AAPL")

    with pytest.raises(Conflict, match="there is no room for the drawings on AAPL"):
        draw()
    bench.drawings.clear("", ANY, {"count": 0}, ADA, symbol="S7")
    draw()
    assert ("AAPL", 1, 3) in bench.drawn(ADA), "S7 was at version 2"
    assert len(bench.drawn(ADA)) == DRAWN_SYMBOLS
    assert bench.drawings.get("", ADA, symbol="S7").version == 0


def test_a_place_that_made_room_begins_again_above_every_version_it_has_had(
    bench: Workbench, database: Database
) -> None:
    def draw(symbol: str, versions: Seen) -> int:
        return bench.drawings.put("", versions, {"drawings": [1]}, {"count": 1}, ADA, symbol=symbol).version

    assert [draw("AAPL", seen(at)) for at in range(3)] == [1, 2, 3]
    bench.drawings.clear("", seen(3), {"count": 0}, ADA, symbol="AAPL")
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO drawings (user_id, version, format, body, created, changed, symbol, count) "
                "VALUES (1, 1, 1, '[1]', 0, 0, 'S' || :at, 1)"
            ),
            [{"at": str(at)} for at in range(DRAWN_SYMBOLS - 1)],
        )
    # Another takes its place, and is emptied in its turn for it.
    draw("MSFT", seen(0))
    assert bench.drawings.get("", ADA, symbol="AAPL").version == 0
    bench.drawings.clear("", ANY, {"count": 0}, ADA, symbol="MSFT")
    again = bench.drawings.put("", seen(0), {"drawings": [2]}, {"count": 1}, ADA, symbol="AAPL")
    assert again.is_new
    assert again.version > 4
    for old in range(1, 5):
        with pytest.raises(Outrun):
            draw("AAPL", seen(old))
    assert not bench.drawings.put("", seen(again.version), {"drawings": []}, {"count": 0}, ADA, symbol="AAPL").is_new


def test_preferences_are_one_document_a_user(bench: Workbench) -> None:
    assert bench.preferences.get("p", ADA).content() == {}
    assert bench.preferences.put("p", seen(0), {"theme": "dark"}, {}, ADA).version == 1
    with pytest.raises(Outrun):
        bench.preferences.put("p", seen(0), {"theme": "light"}, {}, ADA)
    bench.preferences.clear("p", seen(1), {}, ADA)
    assert (bench.preferences.get("p", ADA).content(), bench.preferences.get("p", ADA).version) == ({}, 2)
    bench.preferences.clear("p", seen(0), {}, BEN)
    assert bench.preferences.get("p", BEN).version == 0


def test_what_a_newer_version_has_made_is_refused_and_stays_as_it_is(bench: Workbench, database: Database) -> None:
    made = bench.views.create(ADA, "Later", {})
    bench.drawings.put(WHAT, seen(0), {"drawings": []}, {"count": 0}, ADA, symbol="AAPL")
    with database.session() as session:
        session.execute(text("""UPDATE views SET format = 2, body = '{"panes":[1]}'"""))
        session.execute(text("""UPDATE drawings SET format = 2, body = '{"layers":[1]}'"""))
    sentence = "is of format 2, which a newer version of this program has made"
    kept = bench.views.get(ADA, made.id)
    with pytest.raises(Conflict, match=sentence):
        kept.content()
    for versions in (ANY, seen(1)):
        with pytest.raises(Conflict, match=sentence):
            bench.views.change(ADA, made.id, versions, "mine", {})
        with pytest.raises(Conflict, match=sentence):
            bench.drawings.put(WHAT, versions, {"drawings": []}, {"count": 0}, ADA, symbol="AAPL")
    assert bench.views.get(ADA, made.id) == kept
    assert kept.body == '{"panes":[1]}'
    assert bench.drawings.get(WHAT, ADA, symbol="AAPL").body == '{"layers":[1]}'
    bench.views.delete(ADA, made.id, seen(1))
    assert bench.views.every(ADA) == []


@pytest.mark.parametrize("body", ["{", "[]", ""])
def test_a_damaged_document_is_one_sentence(bench: Workbench, database: Database, body: str) -> None:
    made = bench.views.create(ADA, "x", {})
    with database.session() as session:
        session.execute(text("UPDATE views SET body = :body"), {"body": body})
    with pytest.raises(StorageError, match="view 'x' is damaged"):
        bench.views.get(ADA, made.id).content()


def test_what_a_user_kept_goes_with_the_user(bench: Workbench, database: Database) -> None:
    bench.watchlists.create(ADA, "x", {})
    bench.preferences.put("p", seen(0), {}, {}, ADA)
    with database.session() as session:
        session.execute(text("DELETE FROM users WHERE id = 1"))
    assert bench.watchlists.every(ADA) == []
    with pytest.raises(StorageError, match=r"(?i)foreign key"):
        bench.watchlists.create(ADA, "x", {})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_locked_database_is_told_after_its_patience_and_nothing_is_half_done(
    bench: Workbench, tmp_path: Path
) -> None:
    import sqlite3

    made = bench.views.create(ADA, "x", {})
    lock = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="database is locked"):
        bench.views.change(ADA, made.id, seen(1), "y", {})
    lock.close()
    assert bench.views.get(ADA, made.id) == made
