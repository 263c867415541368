"""The guard before every route: known hosts, no change from another site, and which proxies are believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import PASSWORD, House, is_in, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("guard")
    with open_house(folder, {"ada": "administrator"}) as opened:
        yield opened


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A product for `board.example` on any port and `other.example` on one."""
    folder: Path = tmp_path_factory.mktemp("named")
    with open_house(folder, {"ada": "administrator"}, ALLOWED_HOSTS="board.example,other.example:8443") as opened:
        yield opened


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A product behind one proxy."""
    folder: Path = tmp_path_factory.mktemp("proxied")
    with open_house(folder, {"ada": "administrator"}, TRUSTED_PROXIES="1", ALLOWED_HOSTS="board.example") as opened:
        yield opened


def posted(house: House, host: str, headers: dict[str, str]) -> int:
    """The status of a change asked for with these headers."""
    return house.stranger().post("/logout", headers=headers, environ_overrides={"HTTP_HOST": host}).status_code


FROM_A_BROWSER = [
    ("localhost:8050", {}, 302),
    ("localhost:8050", {"Sec-Fetch-Site": "same-origin"}, 302),
    ("localhost:8050", {"Sec-Fetch-Site": "none"}, 302),
    ("localhost:8050", {"Sec-Fetch-Site": "same-site"}, 403),
    ("localhost:8050", {"Sec-Fetch-Site": "cross-site"}, 403),
    ("localhost:8050", {"Sec-Fetch-Site": ""}, 403),
    ("localhost:8050", {"Sec-Fetch-Site": "same-origin, cross-site"}, 403),
    ("localhost:8050", {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, 302),
    ("localhost:8050", {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8050"}, 403),
    ("localhost:8050", {"Origin": "http://localhost:8050"}, 302),
    ("localhost:8050", {"Origin": "https://localhost:8050"}, 302),
    ("localhost:8050", {"Origin": "http://LOCALHOST:8050"}, 302),
    ("localhost:8050", {"Origin": "http://localhost"}, 403),
    ("localhost:8050", {"Origin": "http://localhost:8051"}, 403),
    ("localhost:8050", {"Origin": "http://127.0.0.1:8050"}, 403),
    ("localhost:8050", {"Origin": "null"}, 403),
    ("localhost:8050", {"Origin": ""}, 403),
    ("localhost:8050", {"Origin": "localhost:8050"}, 403),
    ("localhost:8050", {"Origin": "http://localhost:8050.evil.example"}, 403),
    ("localhost:8050", {"Origin": "http://localhost:8050@evil.example"}, 403),
    ("localhost:8050", {"Origin": "http://evil.example"}, 403),
    ("localhost", {"Origin": "http://localhost"}, 302),
    ("localhost", {"Origin": "http://localhost:80"}, 302),
    ("localhost:80", {"Origin": "http://localhost"}, 302),
    ("localhost:443", {"Origin": "https://localhost"}, 302),
    ("localhost", {"Origin": "http://localhost:8050"}, 403),
    ("[::1]:8050", {"Origin": "http://[::1]:8050"}, 302),
    ("[::1]", {"Origin": "http://[::1]"}, 302),
]


@pytest.mark.parametrize(("host", "headers", "status"), FROM_A_BROWSER)
def test_a_change_is_taken_only_from_this_site_or_from_no_browser(
    house: House, host: str, headers: dict[str, str], status: int
) -> None:
    assert posted(house, host, headers) == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/login", "/logout", "/account/password", "/_dash-update-component", "/api/v1/x"])
def test_every_path_and_every_method_that_changes_is_guarded(house: House, method: str, path: str) -> None:
    client = house.enter("ada")
    answer = client.open(path, method=method, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "cross-site" in answer.text
    assert is_in(client)


def test_reading_by_a_link_from_another_site_is_allowed(house: House) -> None:
    client = house.enter("ada")
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
    assert client.get("/api/v1/tickers", headers=headers).status_code == 200


def test_a_refusal_repeats_what_came_as_text_only(house: House) -> None:
    answer = house.stranger().post("/login", headers={"Origin": "http://<script>alert(1)</script>"})
    assert answer.status_code == 403
    assert "<script>" not in answer.text


def test_a_cross_site_login_gives_no_session(house: House) -> None:
    form = {"username": "ada", "password": PASSWORD}
    answer = house.stranger().post("/login", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8050", "[::1]:65535", "[::1]"])
def test_on_loopback_the_names_of_this_machine_are_allowed_on_any_port(house: House, host: str) -> None:
    assert house.stranger().get("/login", environ_overrides={"HTTP_HOST": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:8050", "127.0.0.2", "0.0.0.0", "localhost:x", "", "::1"],
)
def test_another_host_is_a_421_that_names_the_setting(house: House, host: str) -> None:
    for path in ("/login", "/", "/api/v1/tickers", "/metrics", "/assets/login.css"):
        answer = house.stranger().get(path, environ_overrides={"HTTP_HOST": host})
        assert answer.status_code == 421, path
        assert "DASHBOARD_ALLOWED_HOSTS" in answer.text


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.7:8050", ""])
def test_health_answers_under_any_name(house: House, host: str) -> None:
    answer = house.stranger().get("/health/live", environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("board.example", 200),
        ("board.example:8050", 200),
        ("Board.Example", 200),
        ("other.example:8443", 200),
        ("other.example", 421),
        ("other.example:8444", 421),
        ("localhost", 421),
        ("a.board.example", 421),
        ("board.example.", 421),
    ],
)
def test_set_hosts_replace_those_of_this_machine(named: House, host: str, status: int) -> None:
    assert named.stranger().get("/login", environ_overrides={"HTTP_HOST": host}).status_code == status


def test_without_a_trusted_proxy_forwarded_headers_say_nothing(house: House) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "10.1.1.1"}
    answer = house.stranger().post("/login", data={"username": "ada", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 302
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in answer.headers


def test_behind_a_trusted_proxy_its_host_and_scheme_count(proxied: House) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "board.example", "X-Forwarded-For": "10.1.1.1"}
    answer = proxied.stranger().post(
        "/login",
        data={"username": "ada", "password": PASSWORD},
        headers=headers | {"Origin": "https://board.example"},
        environ_overrides={"HTTP_HOST": "127.0.0.1:8050"},
    )
    assert answer.status_code == 302
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers


def test_behind_a_trusted_proxy_a_foreign_forwarded_host_is_refused(proxied: House) -> None:
    answer = proxied.stranger().get(
        "/login", headers={"X-Forwarded-Host": "evil.example"}, environ_overrides={"HTTP_HOST": "board.example"}
    )
    assert answer.status_code == 421


def test_one_trusted_hop_means_that_only_the_last_forwarded_address_counts(proxied: House) -> None:
    def tried(forwarded: str) -> int:
        return (
            proxied.stranger()
            .post(
                "/login",
                data={"username": "guest", "password": "wrong"},
                headers={"X-Forwarded-For": forwarded, "X-Forwarded-Host": "board.example"},
            )
            .status_code
        )

    assert [tried(f"10.9.9.{number}, 10.2.2.2") for number in range(5)] == [401] * 5
    assert tried("10.9.9.200, 10.2.2.2") == 429, "an address that the client made up must not reset the count"
    assert tried("10.2.2.2, 10.3.3.3") == 401
