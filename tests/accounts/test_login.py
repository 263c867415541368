"""The login page: who gets in, what a refusal tells, where it leads, and what stops a guesser."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.accounts.login import safe_next
from tests.house import PASSWORD, House, cookie_of, is_in, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("login")
    with open_house(folder, {"ada": "administrator", "ben": "analyst", "cleo": "viewer"}) as opened:
        yield opened


def test_the_right_password_leads_to_the_dashboard_and_lets_in(house: House) -> None:
    client = house.stranger()
    answer = client.post("/login", data={"username": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert is_in(client)


def test_the_cookie_is_for_this_site_and_out_of_reach_of_scripts(house: House) -> None:
    answer = house.stranger().post("/login", data={"username": "ada", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Secure" not in cookie, "plain http on this machine: a Secure cookie would never come back"


def test_a_wrong_password_and_an_unknown_user_get_the_same_401(house: House) -> None:
    wrong = house.stranger().post("/login", data={"username": "ben", "password": "not the word"})
    unknown = house.stranger().post("/login", data={"username": "nob", "password": "not the word"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.mimetype == "text/html"
    assert wrong.text.replace("ben", "???") == unknown.text.replace("nob", "???")
    kept = {"X-Request-ID", "Date"}
    assert [(key, value) for key, value in wrong.headers if key not in kept] == [
        (key, value) for key, value in unknown.headers if key not in kept
    ]
    assert "Set-Cookie" not in wrong.headers


def test_who_has_given_a_name_goes_on_at_the_password(house: House) -> None:
    first = house.stranger().get("/login").text
    wrong = house.stranger().post("/login", data={"username": "ben", "password": "not the word"}).text
    for page, focused in ((first, "username"), (wrong, "password")):
        assert re.findall(r'<input id="(\w+)"[^>]*\bautofocus\b', page) == [focused]
    assert 'name="username" value="ben"' in wrong


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"username": "ada"},
        {"password": PASSWORD},
        {"username": "", "password": ""},
        {"username": "ADA", "password": PASSWORD},
        {"username": "ada ", "password": PASSWORD},
        {"username": "ada", "password": PASSWORD + " "},
        {"username": "ada", "password": PASSWORD + "x" * 100_000},
        {"username": "a" * 100_000, "password": PASSWORD},
        {"username": "x' OR '1'='1", "password": "x' OR '1'='1"},
        {"username": "ada\x00", "password": PASSWORD},
        {"username": "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "password": "é" * 50},
    ],
)
def test_anything_but_the_very_name_and_password_is_a_401(house: House, form: dict[str, str]) -> None:
    answer = house.stranger().post("/login", data=form)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_a_name_is_shown_again_as_text_and_never_as_html(house: House) -> None:
    answer = house.stranger().post("/login", data={"username": '"><script>alert(1)</script>', "password": "x"})
    assert "<script>alert" not in answer.text
    assert "alert(1)" in answer.text


def test_a_login_gives_a_new_session_and_ends_the_one_before(house: House) -> None:
    client = house.enter("ben")
    first = cookie_of(client)
    client.post("/login", data={"username": "ben", "password": PASSWORD})
    second = cookie_of(client)
    assert first != second
    assert is_in(house.bearing(second))
    assert not is_in(house.bearing(first))


def test_a_session_id_that_an_attacker_planted_is_not_taken_over(house: House) -> None:
    planted = cookie_of(house.enter("ben"))
    victim = house.bearing(planted)
    victim.post("/login", data={"username": "ada", "password": PASSWORD})
    assert cookie_of(victim) != planted
    assert not is_in(house.bearing(planted))


def test_a_copied_cookie_dies_at_logout_and_other_sessions_live_on(house: House) -> None:
    client, other = house.enter("ben"), house.enter("ben")
    copied = cookie_of(client)
    assert is_in(house.bearing(copied))
    answer = client.post("/logout")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    assert client.get_cookie("tickboard_session") is None
    assert not is_in(house.bearing(copied))
    assert is_in(other)


def test_logout_by_a_link_or_an_image_is_a_405_and_changes_nothing(house: House) -> None:
    client = house.enter("ben")
    answer = client.get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert is_in(client)


def test_logout_without_a_session_is_no_error(house: House) -> None:
    assert house.stranger().post("/logout").status_code == 302
    assert house.bearing("nonsense").post("/logout").status_code == 302


@pytest.mark.parametrize("form", ["", "x", "x.y", "a" * 3_900, "é", "eyJhIjoxfQ.AAAA", "null", "W10.x"])
def test_a_cookie_that_is_not_ours_is_nobody(house: House, form: str) -> None:
    assert not is_in(house.bearing(form))


def test_a_cookie_with_one_character_changed_is_nobody(house: House) -> None:
    good = cookie_of(house.enter("ben"))
    for at in range(0, len(good), 7):
        changed = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        assert not is_in(house.bearing(changed)), at


def test_a_page_asked_for_before_login_is_where_login_leads(house: House) -> None:
    client = house.stranger()
    asked = client.get("/?symbol=BTC-USD&timeframe=5m")
    assert asked.status_code == 302
    page = client.get(asked.headers["Location"]).text
    hidden = re.search(r'name="next"[^>]*value="([^"]*)"', page)
    assert hidden is not None
    wanted = hidden.group(1).replace("&amp;", "&")
    answer = client.post("/login", data={"username": "cleo", "password": PASSWORD, "next": wanted})
    assert answer.headers["Location"] == "/?symbol=BTC-USD&timeframe=5m"


def test_who_is_logged_in_already_is_led_on(house: House) -> None:
    client = house.enter("cleo")
    for asked, leads in [("", "/"), ("?next=/%3Fsymbol%3DMSFT", "/?symbol=MSFT"), ("?next=//evil.example", "/")]:
        answer = client.get(f"/login{asked}")
        assert (answer.status_code, answer.headers["Location"]) == (302, leads)
    client.post("/logout")
    assert client.get("/login").status_code == 200


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "HTTPS://evil.example/",
    "https:",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "\t//evil.example",
    " //evil.example",
    "/\x00/evil.example",
    "/\x7f",
    "/ /evil.example",
    "//user@evil.example",
    "//[::1",
    "/" + "a" * 3000,
    "",
    "/login",
    "/login?next=/",
    "/logout",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_login_leads_to_no_other_site_and_not_back_to_login(house: House, wanted: str) -> None:
    assert safe_next(wanted) == "/"
    answer = house.stranger().post("/login", data={"username": "cleo", "password": PASSWORD, "next": wanted})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("wanted", ["/", "/?symbol=AAPL", "/?q=https://a.example//b", "/a/b#c", "/alerts"])
def test_login_leads_to_a_path_of_this_site(wanted: str) -> None:
    assert safe_next(wanted) == wanted


@given(st.text(alphabet=st.sampled_from("/\\:@.?#ehtps \t\n\r\x00\x0b[]%2fa"), max_size=12))
def test_whatever_next_is_the_browser_stays_here(wanted: str) -> None:
    leads = safe_next(wanted)
    # What a browser does to an address first (WHATWG URL): strip, drop tabs and line ends, turn backslashes.
    seen = re.sub(r"[\t\n\r]", "", leads.strip()).replace("\\", "/")
    assert seen.startswith("/")
    assert not seen.startswith("//")


def test_the_sixth_failure_in_five_minutes_is_a_429_even_with_the_right_password(house: House) -> None:
    client = house.stranger()
    house.users().add("dora", PASSWORD, "viewer")
    for _ in range(5):
        assert client.post("/login", data={"username": "dora", "password": "wrong"}).status_code == 401
    answer = client.post("/login", data={"username": "dora", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    elsewhere = client.post(
        "/login", data={"username": "dora", "password": PASSWORD}, environ_overrides={"REMOTE_ADDR": "127.0.0.9"}
    )
    assert elsewhere.status_code == 302, "an attacker must not lock the owner out"


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:0:1:9", 429),
        ("2001:db8:1:3::1", "2001:db8:1:4::1", 302),
        ("::ffff:10.8.0.1", "10.8.0.1", 429),
        ("::ffff:10.8.1.1", "::ffff:10.8.1.2", 302),
        ("fe80::1%eth0", "fe80::2%eth0", 429),
        ("", "no address", 302),
    ],
)
def test_addresses_that_one_guesser_has_are_one(house: House, first: str, last: str, status: int) -> None:
    client = house.stranger()
    for number in range(5):
        near = first[:-1] + str(number) if first.startswith("2001") else first
        wrong = {"username": "cleo", "password": "wrong"}
        assert client.post("/login", data=wrong, environ_overrides={"REMOTE_ADDR": near}).status_code == 401
    right = {"username": "cleo", "password": PASSWORD}
    assert client.post("/login", data=right, environ_overrides={"REMOTE_ADDR": last}).status_code == status


def test_a_password_in_the_address_does_not_log_in(house: House) -> None:
    client = house.stranger()
    assert client.get(f"/login?username=ada&password={PASSWORD}").status_code == 200
    assert client.post(f"/login?username=ada&password={PASSWORD}").status_code == 401
    assert not is_in(client)


def test_the_login_page_is_never_kept_by_a_cache(house: House) -> None:
    assert house.stranger().get("/login").headers["Cache-Control"] == "no-store"


def test_tries_at_once_are_no_way_around_the_limit(tmp_path: Path) -> None:
    with open_house(tmp_path, {"ada": "analyst"}) as house:
        gate = threading.Barrier(12)
        found: list[int] = []

        def guess() -> None:
            client = house.stranger()
            gate.wait()
            found.append(client.post("/login", data={"username": "ada", "password": "wrong guess"}).status_code)

        threads = [threading.Thread(target=guess) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(found) == {401: 5, 429: 7}


def test_tries_by_the_dozen_leave_threads_to_everybody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of many kinds from one address: few wait for the hashing, the others are told when to come again."""
    go_on = threading.Event()
    monkeypatch.setattr("dashboard.accounts.passwords.matches", lambda _stored, _given: go_on.wait(20) and False)
    with open_house(tmp_path, {"ada": "analyst"}) as house:
        found: list[tuple[int, str | None]] = []

        def guess(number: int, address: str) -> None:
            answer = house.stranger().post(
                "/login",
                data={"username": f"guess{number}", "password": "wrong guess"},
                environ_overrides={"REMOTE_ADDR": address},
            )
            found.append((answer.status_code, answer.headers.get("Retry-After")))

        threads = [threading.Thread(target=guess, args=(number, "10.0.0.1")) for number in range(10)]
        threads += [threading.Thread(target=guess, args=(number, f"10.0.1.{number}")) for number in range(10)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 20
        while len(found) < 12 and time.monotonic() < until:
            time.sleep(0.01)
        assert Counter(found) == {(503, "2"): 12}, "eight wait, no more than six of an address"
        go_on.set()
        for thread in threads:
            thread.join()
        assert Counter(found) == {(503, "2"): 12, (401, None): 8}
        assert house.stranger().post("/login", data={"username": "b", "password": "c"}).status_code == 401


@pytest.mark.parametrize("path", ["/login", "/account/password"])
def test_a_form_of_any_size_is_not_read(house: House, path: str) -> None:
    client = house.enter("ada") if path != "/login" else house.stranger()
    answer = client.post(path, data={"username": "ada", "password": PASSWORD, "next": "x" * 140_000})
    assert answer.status_code == 413
