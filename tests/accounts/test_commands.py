"""`python -m dashboard users …` as people run it, and how passwords are kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from dashboard.accounts import passwords
from dashboard.accounts.users import Users
from dashboard.clock import SystemClock
from dashboard.database.engine import Database
from dashboard.errors import BadParameter
from tests.house import PASSWORD, command, is_in, open_house


def stored(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "test.db") as database:
        return dict(database.execute("SELECT name, password_hash FROM users"))


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A folder whose database knows the analyst ben."""
    database = Database(f"sqlite:///{tmp_path}/test.db")
    database.migrate()
    Users(database, SystemClock()).add("ben", PASSWORD, "analyst")
    database.close()
    return tmp_path


def test_a_user_is_added_to_a_database_that_was_not_there_yet(tmp_path: Path) -> None:
    added = command(tmp_path, "users", "add", "ada", "--role", "administrator", stdin=f"{PASSWORD}\r\n")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout == "ada can log in now, as administrator\n"
    assert passwords.matches(stored(tmp_path)["ada"], PASSWORD)


def test_a_user_without_a_role_is_an_analyst(known: Path) -> None:
    added = command(known, "users", "add", "cleo", stdin=f"{PASSWORD}\n")
    assert added.stdout == "cleo can log in now, as analyst\n"


def test_a_user_is_given_a_new_password(known: Path) -> None:
    changed = command(known, "users", "password", "ben", stdin="a fresh phrase 9\n")
    assert changed.returncode == 0, changed.stderr
    assert "fresh" not in changed.stdout
    assert passwords.matches(stored(known)["ben"], "a fresh phrase 9")
    assert not passwords.matches(stored(known)["ben"], PASSWORD)


def test_a_user_is_disabled_and_listed_as_such(known: Path) -> None:
    assert command(known, "users", "disable", "ben").returncode == 0
    assert command(known, "users", "list").stdout == "ben\tanalyst\tdisabled\n"


def test_a_disabled_user_is_let_in_again_with_the_password_it_had(known: Path) -> None:
    before = stored(known)
    command(known, "users", "disable", "ben")
    enabled = command(known, "users", "enable", "ben")
    assert (enabled.returncode, enabled.stdout) == (0, "ben can log in again\n")
    assert command(known, "users", "list").stdout == "ben\tanalyst\tactive\n"
    assert stored(known) == before
    with open_house(known) as house:
        assert is_in(house.enter("ben"))


def test_a_name_that_is_taken_is_refused_and_its_password_stays(known: Path) -> None:
    again = command(known, "users", "add", "ben", stdin="a fresh phrase 9\n")
    assert again.returncode == 3
    assert again.stderr.strip() == "there is a user 'ben' already"
    assert passwords.matches(stored(known)["ben"], PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("users", "add", "ada"), "", "password must be 8 to 1024 characters long"),
        (("users", "add", "ada"), "Password1\n", "not among the most common"),
        (("users", "add", "<b>ada</b>"), f"{PASSWORD}\n", "name must be"),
        (("users", "disable", "nobody"), "", "there is no user 'nobody'"),
        (("users", "enable", "nobody"), "", "there is no user 'nobody'"),
        (("users", "password", "nobody"), f"{PASSWORD}\n", "there is no user 'nobody'"),
    ],
)
def test_a_refusal_is_one_sentence_and_a_status(
    tmp_path: Path, arguments: tuple[str, ...], stdin: str, says: str
) -> None:
    answer = command(tmp_path, *arguments, stdin=stdin)
    assert answer.returncode == 3
    assert says in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert stdin.strip() == "" or stdin.strip() not in answer.stderr


@pytest.mark.parametrize("name", ["", " ", "a b", "a" * 151, "-a", "a-", "a\n", "ä", "a/b", "a\x00"])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    with open_house(tmp_path) as house, pytest.raises(BadParameter, match="name must be 1 to 150"):
        house.users().add(name, PASSWORD, "viewer")


def test_an_unknown_role_names_the_roles(tmp_path: Path) -> None:
    answer = command(tmp_path, "users", "add", "ada", "--role", "king", stdin=f"{PASSWORD}\n")
    assert answer.returncode != 0
    assert all(role in answer.stderr for role in ("administrator", "analyst", "viewer"))
    assert "Traceback" not in answer.stderr


def test_passwords_are_argon2id_hashes_with_salts_of_their_own() -> None:
    first, second = passwords.hashed(PASSWORD), passwords.hashed(PASSWORD)
    assert first.startswith("$argon2id$")
    assert first != second
    found = extract_parameters(first)
    assert found.type is Type.ID
    # RFC 9106's second recommendation, what OWASP asks for and more.
    assert found.memory_cost >= 19_456
    assert found.time_cost >= 2
    assert passwords.matches(first, PASSWORD)
    assert not passwords.matches(first, PASSWORD + " ")


@pytest.mark.parametrize("kept", ["", "x", "plain text", "$argon2id$v=19$m=1", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_hash_that_is_none_matches_nothing(kept: str) -> None:
    assert not passwords.matches(kept, kept)


@pytest.mark.parametrize("good", ["correct horse 7", "ünïcödé pass", "   spaces count   ", "x1y" * 341])
def test_any_characters_make_a_password_when_it_is_long_enough(good: str) -> None:
    passwords.check_new(good)


@pytest.mark.parametrize("bad", ["", "1234567", "x1y" * 342, "PASSWORD123", "abababababab"])
def test_a_weak_password_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(BadParameter) as caught:
        passwords.check_new(bad)
    assert not bad or bad not in str(caught.value)
    assert not bad or bad not in caught.value.received
