"""Demonstration mode: user root with a password everybody knows, for this machine only, until somebody is in charge."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.accounts.users import Users
from dashboard.errors import ConfigurationError, DashboardError, StartRefused
from tests.house import PASSWORD, House, command, cookie_of, is_in, open_house

ROOT_FORM = {"username": "root", "password": "123456"}
KEY = "k" * 40


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("demonstration")
    with open_house(folder) as opened:
        yield opened


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


TRACES = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "localhost"},
    {"X-Forwarded-Anything": ""},
    {"x-forwarded-port": "443"},
    {"Via": "1.1 a"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"X-Real-Ip": ""},
]


def test_on_this_machine_the_page_says_the_password_and_it_works(house: House) -> None:
    client = house.stranger()
    page = client.get("/login").text
    assert "root" in page
    assert "123456" in page
    assert client.post("/login", data=ROOT_FORM).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize("headers", TRACES)
def test_any_trace_of_a_proxy_refuses_login_session_and_hint(fresh: House, headers: dict[str, str]) -> None:
    assert fresh.stranger().post("/login", data=ROOT_FORM, headers=headers).status_code == 401
    page = fresh.stranger().get("/login", headers=headers).text
    assert "123456" not in page
    assert "users add" in page, "elsewhere the page says how to make an administrator"
    client = fresh.enter("root", "123456")
    assert not is_in(client, headers=headers)
    assert is_in(client)


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        ("127.0.0.1", 302),
        ("127.8.9.1", 302),
        ("::1", 302),
        ("::ffff:127.0.0.1", 302),
        ("10.0.0.9", 401),
        ("::ffff:10.0.0.9", 401),
        ("fe80::1%eth0", 401),
        ("", 401),
        ("localhost", 401),
    ],
)
def test_the_other_end_has_to_be_on_this_machine(fresh: House, peer: str, status: int) -> None:
    answer = fresh.stranger().post("/login", data=ROOT_FORM, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == status


def test_a_foreign_host_that_is_allowed_still_has_no_demonstration(tmp_path: Path) -> None:
    with open_house(tmp_path, ALLOWED_HOSTS="board.example,localhost") as house:
        foreign = {"HTTP_HOST": "board.example"}
        assert "123456" not in house.stranger().get("/login", environ_overrides=foreign).text
        assert house.stranger().post("/login", data=ROOT_FORM, environ_overrides=foreign).status_code == 401
        assert house.stranger().post("/login", data=ROOT_FORM).status_code == 302


def test_a_request_that_came_in_on_another_address_gets_a_503_that_names_what_is_missing(house: House) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        answer = house.stranger().post("/login", data=ROOT_FORM, environ_overrides={"werkzeug.socket": listener})
        assert answer.status_code == 503
        for needed in ("DASHBOARD_SECRET_KEY", "DASHBOARD_ALLOWED_HOSTS", "administrator"):
            assert needed in answer.text
        assert house.stranger().get("/health/live", environ_overrides={"werkzeug.socket": listener}).status_code == 200
    with socket.create_server(("127.0.0.1", 0)) as listener:
        own = {"gunicorn.socket": listener}
        assert house.stranger().post("/login", data=ROOT_FORM, environ_overrides=own).status_code == 302


def test_a_request_on_another_address_costs_no_query_each_and_a_file_none_at_all(fresh: House) -> None:
    asked: list[int] = []
    has = Users.has_administrator

    def count(users: Users, *, or_disabled: bool = False) -> bool:
        asked.append(1)
        return has(users, or_disabled=or_disabled)

    with pytest.MonkeyPatch.context() as patch, socket.create_server(("0.0.0.0", 0)) as listener:
        patch.setattr(Users, "has_administrator", count)
        foreign = {"werkzeug.socket": listener}
        sheet = fresh.server.jinja_env.globals["asset"]("login.css")
        assert fresh.stranger().get(sheet, environ_overrides=foreign).status_code == 200
        assert fresh.stranger().get("/assets/main.mjs", environ_overrides=foreign).status_code == 401
        assert asked == []
        for _ in range(5):
            assert fresh.stranger().get("/login", environ_overrides=foreign).status_code == 503
        assert asked == [1]
        fresh.clock.advance(500)
        assert fresh.stranger().get("/login", environ_overrides=foreign).status_code == 503
        assert asked == [1, 1]


def test_an_administrator_ends_it_with_all_its_sessions(fresh: House) -> None:
    client = fresh.enter("root", "123456")
    assert is_in(client)
    fresh.users().add("ada", PASSWORD, "administrator")
    fresh.notice()
    assert not is_in(client)
    assert fresh.stranger().post("/login", data=ROOT_FORM).status_code == 401
    assert "123456" not in fresh.stranger().get("/login").text
    assert is_in(fresh.enter("ada"))


@pytest.mark.parametrize("role", ["analyst", "viewer"])
def test_a_user_who_is_no_administrator_does_not_end_it(fresh: House, role: str) -> None:
    fresh.users().add("ben", PASSWORD, role)
    fresh.notice()
    assert is_in(fresh.enter("root", "123456"))


def test_an_administrator_made_by_another_process_ends_it_within_a_second(fresh: House) -> None:
    client = fresh.enter("root", "123456")
    made = command(fresh.folder, "users", "add", "ada", "--role", "administrator", stdin=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    fresh.notice()
    assert not is_in(client)


def test_disabling_the_only_administrator_does_not_bring_the_well_known_password_back(fresh: House) -> None:
    fresh.users().add("ada", PASSWORD, "administrator")
    fresh.users().disable("ada")
    fresh.notice()
    assert fresh.stranger().post("/login", data=ROOT_FORM).status_code == 401


def test_a_demonstration_session_is_worth_nothing_after_a_restart_with_an_administrator(tmp_path: Path) -> None:
    with open_house(tmp_path) as before:
        copied = cookie_of(before.enter("root", "123456"))
    with open_house(tmp_path, {"ada": "administrator"}) as after:
        assert not is_in(after.bearing(copied))


def test_behind_a_trusted_proxy_there_is_none(tmp_path: Path) -> None:
    with open_house(tmp_path, TRUSTED_PROXIES="1") as house:
        assert house.stranger().post("/login", data=ROOT_FORM).status_code == 401
        assert "123456" not in house.stranger().get("/login").text


def test_a_demonstration_database_behind_a_proxy_later_lets_nobody_in(tmp_path: Path) -> None:
    with open_house(tmp_path) as before:
        copied = cookie_of(before.enter("root", "123456"))
    with open_house(tmp_path, TRUSTED_PROXIES="1") as after:
        assert not is_in(after.bearing(copied))
        assert after.stranger().post("/login", data=ROOT_FORM).status_code == 401


def test_the_demonstrations_password_can_not_be_changed(house: House) -> None:
    client = house.enter("root", "123456")
    answer = client.post("/account/password", data={"current": "123456", "new": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 403
    assert is_in(house.enter("root", "123456"))


def refused(folder: Path, **settings: str) -> str:
    """Why a start is refused."""
    with pytest.raises(DashboardError) as caught, open_house(folder, **settings):
        pass
    assert isinstance(caught.value, (StartRefused, ConfigurationError))
    assert str(caught.value).count("\n") < 5
    return str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "board.example"])
def test_on_another_address_the_start_is_refused_until_all_is_set(tmp_path: Path, host: str) -> None:
    reason = refused(tmp_path, HOST=host)
    assert all(name in reason for name in ("DASHBOARD_SECRET_KEY", "DASHBOARD_ALLOWED_HOSTS", "administrator"))
    reason = refused(tmp_path, HOST=host, SECRET_KEY=KEY, ALLOWED_HOSTS="board.example")
    assert "administrator" in reason
    assert "SECRET_KEY" not in reason


def test_on_another_address_it_starts_with_a_key_hosts_and_an_administrator(tmp_path: Path) -> None:
    secret = tmp_path / "admin"
    secret.write_text(f"{PASSWORD}\n")
    everything = {"HOST": "0.0.0.0", "SECRET_KEY": KEY, "ALLOWED_HOSTS": "localhost"}
    with open_house(tmp_path, **everything, ADMIN_PASSWORD_FILE=str(secret)) as house:
        assert house.stranger().post("/login", data=ROOT_FORM).status_code == 401
        assert is_in(house.enter("admin"))
    secret.write_text("another phrase 3\n")
    with open_house(tmp_path, **everything, ADMIN_PASSWORD_FILE=str(secret)) as house:
        assert is_in(house.enter("admin")), "the file makes the first administrator once and changes nobody later"


@pytest.mark.parametrize("name", ["admin", "ada"])
def test_a_password_file_makes_nobody_where_the_administrator_is_disabled(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "file"
    secret.write_text("another phrase 3\n")
    with open_house(tmp_path, {name: "administrator"}) as house:
        house.users().disable(name)
    with open_house(tmp_path, ADMIN_PASSWORD_FILE=str(secret)) as house:
        assert [(person.name, person.disabled) for person in house.users().every()] == [(name, True)]
        tried = {"username": "admin", "password": "another phrase 3"}
        assert house.stranger().post("/login", data=tried).status_code == 401
    reason = refused(tmp_path, HOST="0.0.0.0", SECRET_KEY=KEY, ALLOWED_HOSTS="localhost")
    assert "users enable NAME" in reason


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"password123\n", b"\xff\xfe\x00"])
def test_a_bad_password_file_refuses_the_start_and_is_not_repeated(tmp_path: Path, content: bytes) -> None:
    secret = tmp_path / "admin"
    secret.write_bytes(content)
    reason = refused(tmp_path, ADMIN_PASSWORD_FILE=str(secret))
    assert "DASHBOARD_ADMIN_PASSWORD_FILE" in reason
    with contextlib.suppress(UnicodeDecodeError):
        given = content.decode().strip()
        assert not given or given not in reason


def test_a_missing_password_file_refuses_the_start(tmp_path: Path) -> None:
    assert "DASHBOARD_ADMIN_PASSWORD_FILE" in refused(tmp_path, ADMIN_PASSWORD_FILE=str(tmp_path / "nothing"))
