"""Sessions: how long they last, what ends them, and that they outlive the process but not their reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from dashboard.accounts.models import LoginSession
from tests.conftest import Product
from tests.house import DAY, PASSWORD, SECOND, House, command, cookie_of, is_in, open_house

NEW = "a fresh phrase 9"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, {"ada": "administrator", "ben": "analyst"}) as opened:
        yield opened


def test_a_session_lasts_24_hours_by_the_servers_clock(house: House) -> None:
    copied = cookie_of(house.enter("ben"))
    house.clock.advance(DAY - 2 * SECOND)
    assert is_in(house.bearing(copied))
    house.clock.advance(2 * SECOND)
    assert not is_in(house.bearing(copied))


def test_a_remembered_session_lasts_30_days_by_the_servers_clock(house: House) -> None:
    copied = cookie_of(house.enter("ben", remember="on"))
    house.clock.advance(30 * DAY - 2 * SECOND)
    assert is_in(house.bearing(copied))
    house.clock.advance(2 * SECOND)
    assert not is_in(house.bearing(copied))


def test_only_a_remembered_cookie_outlives_the_browser(house: House) -> None:
    plain = house.stranger().post("/login", data={"username": "ben", "password": PASSWORD})
    kept = house.stranger().post("/login", data={"username": "ben", "password": PASSWORD, "remember": "1"})
    assert "Max-Age" not in plain.headers["Set-Cookie"]
    assert "Max-Age=2592000" in kept.headers["Set-Cookie"]


def test_using_a_session_does_not_prolong_it(house: House) -> None:
    client = house.enter("ben")
    for _ in range(23):
        house.clock.advance(DAY / 24)
        assert is_in(client)
    house.clock.advance(DAY / 24 + SECOND)
    assert not is_in(client)


def test_sessions_that_have_run_out_do_not_pile_up_in_the_database(house: House) -> None:
    for _ in range(3):
        house.enter("ben")
    house.clock.advance(2 * DAY)
    house.enter("ben")
    with sqlite3.connect(house.folder / "test.db") as database:
        assert database.execute("SELECT count(*) FROM login_sessions").fetchone() == (1,)


def test_the_database_holds_no_cookie_and_no_token_that_would_let_in(house: House) -> None:
    cookie = cookie_of(house.enter("ben"))
    token = cookie.split(".")[0].strip('"')
    with sqlite3.connect(house.folder / "test.db") as database:
        dump = "\n".join(database.iterdump())
    assert cookie not in dump
    assert token not in dump
    assert PASSWORD not in dump


def test_a_session_survives_a_restart_in_the_same_folder(tmp_path: Path) -> None:
    people = {"ada": "administrator"}
    with open_house(tmp_path, people) as before:
        copied = cookie_of(before.enter("ada"))
    with open_house(tmp_path, people) as after:
        assert is_in(after.bearing(copied))


def test_a_session_does_not_survive_another_secret_key(tmp_path: Path) -> None:
    people = {"ada": "administrator"}
    with open_house(tmp_path, people, SECRET_KEY="k" * 40) as before:
        copied = cookie_of(before.enter("ada"))
    with open_house(tmp_path, people, SECRET_KEY="l" * 40) as after:
        assert not is_in(after.bearing(copied))


def test_a_real_process_that_is_started_again_still_knows_the_login(product: Callable[..., Product]) -> None:
    running = product(SYMBOLS="AAPL")
    client = running.client()
    assert client.get("/api/v1/tickers").status_code == 200
    running.restart()
    assert client.get("/api/v1/tickers").status_code == 200
    assert client.post("/logout").status_code == 302
    assert client.get("/api/v1/tickers").status_code == 401
    client.close()


def test_the_secret_key_is_kept_beside_the_database_for_its_owner_only(house: House) -> None:
    kept = house.folder / "secret_key"
    assert kept.stat().st_mode & 0o077 == 0
    assert len(kept.read_text()) >= 43


def test_a_new_password_ends_every_other_session_and_keeps_this_browser_in(house: House) -> None:
    here, there = house.enter("ben"), house.enter("ben", remember="1")
    before = cookie_of(here)
    answer = here.post("/account/password", data={"current": PASSWORD, "new": NEW, "again": NEW})
    assert answer.status_code == 200
    assert cookie_of(here) != before
    assert is_in(here)
    assert not is_in(there)
    assert not is_in(house.bearing(before))
    assert house.stranger().post("/login", data={"username": "ben", "password": PASSWORD}).status_code == 401
    assert is_in(house.enter("ben", NEW))


def test_a_new_password_leaves_other_peoples_sessions_alone(house: House) -> None:
    ada, ben = house.enter("ada"), house.enter("ben")
    ben.post("/account/password", data={"current": PASSWORD, "new": NEW, "again": NEW})
    assert is_in(ada)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"current": "wrong", "new": NEW, "again": NEW}, 401),
        ({"new": NEW, "again": NEW}, 401),
        ({"current": PASSWORD, "new": NEW, "again": NEW + "x"}, 422),
        ({"current": PASSWORD, "new": "short", "again": "short"}, 422),
        ({"current": PASSWORD, "new": "password123", "again": "password123"}, 422),
        ({"current": PASSWORD, "new": "aaaaaaaaaaaa", "again": "aaaaaaaaaaaa"}, 422),
        ({"current": PASSWORD, "new": "x1y" * 400, "again": "x1y" * 400}, 422),
        ({"current": PASSWORD}, 422),
    ],
)
def test_a_bad_change_of_password_changes_nothing(house: House, form: dict[str, str], status: int) -> None:
    client, other = house.enter("ben"), house.enter("ben")
    answer = client.post("/account/password", data=form)
    assert answer.status_code == status
    assert form.get("new", NEW) not in answer.text
    assert is_in(client)
    assert is_in(other)
    assert is_in(house.enter("ben"))


def test_the_password_page_needs_a_login(house: House) -> None:
    assert house.stranger().get("/account/password").headers["Location"] == "/login?next=/account/password"
    assert house.stranger().post("/account/password", data={"current": PASSWORD, "new": NEW}).status_code == 401


def test_disabling_a_user_elsewhere_ends_the_sessions_within_a_second(house: House) -> None:
    client, other = house.enter("ben"), house.enter("ada")
    assert is_in(client)
    house.users().disable("ben")
    house.notice()
    assert not is_in(client)
    assert is_in(other)
    assert house.stranger().post("/login", data={"username": "ben", "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize("action", ["password", "disable"])
def test_the_command_line_in_another_process_ends_sessions_of_the_running_one(house: House, action: str) -> None:
    client, other = house.enter("ben"), house.enter("ada")
    assert is_in(client)
    answer = command(house.folder, "users", action, "ben", stdin=f"{NEW}\n")
    assert answer.returncode == 0, answer.stderr
    house.notice()
    assert not is_in(client)
    assert is_in(other)
    tried = house.stranger().post("/login", data={"username": "ben", "password": NEW})
    assert tried.status_code == (302 if action == "password" else 401)


def test_a_session_that_ends_is_told_to_whoever_holds_connections_of_it(house: House) -> None:
    sessions_alive = house.runtime.sessions_alive
    client = house.enter("ben")
    with sqlite3.connect(house.folder / "test.db") as database:
        ref = str(database.execute("SELECT max(id) FROM login_sessions").fetchone()[0])
    assert sessions_alive([ref, "999999"]) == {ref}
    client.post("/logout")
    assert sessions_alive([ref]) == set()
    assert sessions_alive([]) == set()


def test_a_session_id_is_never_given_twice(tmp_path: Path) -> None:
    """A WebSocket knows its session by the id alone: the next login must not inherit the last one's."""
    with open_house(tmp_path) as house:
        house.enter("root", "123456")
        with house.runtime.database.session() as session:
            first = session.scalar(select(func.max(LoginSession.id)))
            session.execute(delete(LoginSession))
        house.enter("root", "123456")
        with house.runtime.database.session() as session:
            assert session.scalar(select(func.max(LoginSession.id))) > first
