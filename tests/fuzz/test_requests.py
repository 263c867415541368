"""Random and mutated requests at the whole application: paths, query strings, cookies and headers.

Each answer has a status of the contract, never 500; a problem is well-formed; nothing leads a browser elsewhere.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse, run_wsgi_app

from dashboard.accounts import guard as guard_module
from dashboard.accounts import login as login_module
from dashboard.accounts.sessions import COOKIE
from dashboard.api import comparison as comparison_module
from dashboard.api import parameters as under_test
from tests.conftest import Scale
from tests.fuzz import measure
from tests.fuzz.mutation import Mutator
from tests.house import House, cookie_of, open_house

#: What the contract names for a client's mistakes, and what is no mistake.
STATUSES = {200, 204, 302, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 421, 422, 426, 428, 429, 501}
PATHS = (
    "/api/v1/tickers",
    "/api/v1/tickers/AAPL",
    "/api/v1/tickers/AAPL/bars",
    "/api/v1/tickers/BTC-USD/ticks",
    "/api/v1/tickers/AAPL/statistics",
    "/api/v1/tickers/MSFT/quality",
    "/api/v1/ranges",
    "/api/v1/tickers/AAPL/comparison",
    "/api/v1/tickers/BTC-USD/comparison.csv",
    "/api/v1/tickers/AAPL/comparison.json",
    "/api/v1/tickers/BTC-USD/comparison.parquet",
    "/api/v1/export/AAPL.csv",
    "/api/v1/export/watchlist.csv",
    "/api/v1/watchlists/1",
    "/api/v1/views/token/1.AAAA",
    "/api/v1/drawings/AAPL",
    "/api/v1/preferences",
    "/login",
    "/",
    "/_dash-layout",
    "/ws/market",
    "/health/live",
    "/metrics",
)
PARAMETERS: dict[str, tuple[str, ...]] = {
    "timeframe": ("1m", "1s", "1d", "tick", "2m"),
    "start": (
        "1795427000000",
        "2026-11-23T09:00:00Z",
        "9999-12-31T23:00:00-12:00",
        "1969-01-01",
        "2026-11-23 09:00:00.5+01:00",
        "2026-11-23",
    ),
    "end": ("1795429000000", "2026-11-23T11:00:00", "2026-11-24T11:00+0100"),
    "limit": ("1", "500", "50000", "50001", "0"),
    "after_seq": ("0", "3", "9223372036854775807", "9223372036854775808"),
    "epoch": ("EPOCH", "k3v9"),
    "next": ("/", "/?symbol=AAPL", "//evil.example", "/\\evil.example", "https://evil.example", "/login"),
    "symbol": ("AAPL", "BTC-USD"),
    "window": ("1h", "1d", "1y", "2d"),
    "against": ("MSFT", "NOPE"),
    "compare": ("MSFT", "AAPL,MSFT", "NOPE", "MSFT,MSFT", ","),
    "mode": ("indexed", "spread", "ratio", "sum"),
    "factor": ("1", "-2.5", "0", "1e9", "9999999999"),
    "correlation": ("5", "20", "4", "501"),
    "type": ("candles", "line", "1m"),
    "indicators": ("sma:20,ema:50,bbands:20:2,macd:12:26:9", "vwap", "rsi:1", "adx:1000", "smaa"),
    "zone": ("UTC", "Europe/Berlin", "Etc/GMT+3", "Mars/Olympus", "../etc/passwd"),
}
_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("requests")
    with open_house(folder, {"ada": "administrator"}) as opened:
        for turn in range(20):
            opened.clock.advance(900)
            opened.tick(("AAPL", 200.0 + turn / 8), ("BTC-USD", 4e4 + turn))
        yield opened


@pytest.fixture(scope="module")
def visitor(house: House) -> Visitor:
    """Logged in before any test tries passwords, which are limited for a while then."""
    return Visitor(house)


class Wire(FlaskClient):
    """A client that takes no part: Werkzeug's own stumbles over some hosts when it looks for cookies."""

    def run_wsgi_app(self, environ: Any, buffered: bool = False) -> Any:
        return run_wsgi_app(self.application, environ, buffered=buffered)


class Visitor:
    """Somebody who is logged in and asks for nonsense."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client = house.enter("ada")
        self.cookie = cookie_of(self.client)
        self.app = Wire(house.server, house.server.response_class, use_cookies=False)

    def ask(self, path: str, query: str = "", *, method: str = "GET", **headers: str) -> TestResponse:
        """A request as a server would hand it on: what is no Latin-1 arrives as its UTF-8 bytes."""
        given = {"HTTP_HOST": "127.0.0.1:8050", "HTTP_COOKIE": f"{COOKIE}={self.cookie}", **headers}
        environ = {name: on_the_wire(value) for name, value in given.items()}
        return self.app.open(
            "/",
            method=method,
            environ_overrides={"PATH_INFO": on_the_wire(path), "QUERY_STRING": on_the_wire(query), **environ},
        )

    def attempt(self, mutator: Mutator, _number: int) -> None:
        chance = mutator.random
        path = chance.choice(PATHS)
        if chance.random() < 0.1:
            path = "/" + mutator.text(path[1:])
        way = method(mutator)
        if path == "/login" and way == "POST":  # a password is slow on purpose; forms have a test of their own
            way = "GET"
        answer = self.ask(path, query(mutator, self.house), method=way, **headers(mutator, path, self.cookie))
        judge(answer, path)


def on_the_wire(text: str) -> str:
    """A header's or address's text in a WSGI environment; line ends and NUL get through no server."""
    return text.encode("utf-8", "replace").decode("latin-1").translate({0: None, 10: None, 13: None})


def method(mutator: Mutator) -> str:
    return mutator.random.choice(("GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"))


def query(mutator: Mutator, house: House) -> str:
    """Some parameters, good ones and bad ones, encoded rightly or not."""
    chance = mutator.random
    parts = []
    for name in chance.sample(list(PARAMETERS), chance.choice((0, 1, 1, 2, 3))):
        value = chance.choice(PARAMETERS[name])
        if value == "EPOCH":
            value = house.runtime.store.epoch
        if chance.random() < 0.5:
            value = mutator.text(value)
        if chance.random() < 0.1:
            name = mutator.text(name)
        parts.append(f"{name}={quote(value) if chance.random() < 0.7 else value}")
        if chance.random() < 0.05:
            parts.append(parts[-1])
    return "&".join(parts)


def headers(mutator: Mutator, path: str, cookie: str) -> dict[str, str]:
    """Headers that the product reads, each with a small chance and mostly wrong."""
    chance = mutator.random
    values = {
        "HTTP_HOST": ("127.0.0.1:8050", "localhost", "[::1]:80", "evil.example", "127.0.0.1:x", "localhost@evil", ""),
        "HTTP_ORIGIN": ("http://127.0.0.1:8050", "null", "http://evil.example", "http://[", "127.0.0.1:8050"),
        "HTTP_SEC_FETCH_SITE": ("same-origin", "none", "cross-site"),
        "HTTP_X_REQUEST_ID": ("abc-1", "x" * 129, "a b"),
        "HTTP_FORWARDED": ("for=1.2.3.4;host=evil.example", 'for="[', "x"),
        "HTTP_X_FORWARDED_FOR": ("1.2.3.4", "::1, x", "127.0.0.1"),
        "HTTP_X_FORWARDED_HOST": ("evil.example",),
        "HTTP_X_FORWARDED_PROTO": ("https", "javascript"),
        "HTTP_COOKIE": (f"{COOKIE}={cookie}", f"{COOKIE}=x; {COOKIE}={cookie}", f'{COOKIE}="{cookie}'),
        "HTTP_REFERER": ("http://127.0.0.1:8050/?symbol=AAPL&timeframe=1m", "http://[", "?symbol=BTC-USD&type=line"),
        "HTTP_AUTHORIZATION": ("Bearer x", "Basic eDp5", "Digest", "Bearer"),
        "HTTP_IF_MATCH": ('"0"', "*", '"1:br", W/"2"', '"'),
        "HTTP_IF_NONE_MATCH": ('"x"', "*", 'W/"'),
        "HTTP_RANGE": ("bytes=0-5", "bytes=-", "lines=1"),
        "HTTP_ACCEPT_ENCODING": ("gzip", "br;q=x", "*"),
        "HTTP_UPGRADE": ("websocket",),
        "CONTENT_TYPE": (
            "application/json",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "text/plain; charset=x",
        ),
        "CONTENT_LENGTH": ("0", "5", "-1", "x", "99999999"),
    }
    found = {}
    for name, choices in values.items():
        if chance.random() < 0.12:
            found[name] = chance.choice(choices) if chance.random() < 0.5 else mutator.text(chance.choice(choices))
    return found


def judge(answer: TestResponse, path: str) -> None:
    """Fails unless an answer is one of the contract's."""
    # The hub seems stuck to a clock that jumped: health says so, and nothing else does.
    allowed = STATUSES | {503} if path.startswith("/health/") else STATUSES
    assert answer.status_code in allowed, (answer.status_code, answer.text[:500])
    assert _ID.fullmatch(answer.headers["X-Request-ID"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for name, value in answer.headers:
        assert value.isprintable() or not value, (name, value)
    if "Location" in answer.headers:
        stays(answer.headers["Location"])
    plain = "Content-Encoding" not in answer.headers
    if answer.mimetype in ("application/json", "application/problem+json") and plain and answer.data:
        body = json.loads(answer.text, parse_constant=no_number)
        if answer.mimetype == "application/problem+json":
            problem(body, answer)
    if path.startswith("/api/v1/") and answer.status_code >= 400 and answer.request.method != "HEAD":
        assert answer.mimetype == "application/problem+json", answer.headers
    answer.close()


def problem(body: dict[str, Any], answer: TestResponse) -> None:
    """RFC 9457, and as short as an answer to a stranger should be."""
    assert {"type", "title", "status", "detail", "request_id"} <= set(body)
    assert body["status"] == answer.status_code
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert len(answer.data) < 6_000, "what came in must not come back at length"
    for error in body.get("errors", []):
        assert {"parameter", "received", "accepted"} == set(error)


def no_number(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def stays(leads: str) -> None:
    """Fails where a browser would leave the site."""
    assert leads.startswith("/"), leads
    assert leads[1:2] not in ("/", "\\"), leads
    assert not re.search(r"[\x00-\x20\\\x7f]", leads), leads
    assert urlsplit(urljoin("http://site.example/login?x=1", leads)).netloc == "site.example", leads


@pytest.mark.fuzz
def test_whatever_is_asked_the_answer_is_one_of_the_contract(scale: Scale, visitor: Visitor) -> None:
    measure.attack(scale, 600, 200_000, visitor.attempt)


READERS: dict[str, under_test.Reader] = {
    "timeframe": under_test.timeframe_or_ticks,
    "start": under_test.instant,
    "end": under_test.instant,
    "limit": under_test.whole(1, under_test.MOST_ROWS),
    "after_seq": under_test.whole(0, 2**63 - 1),
    "epoch": under_test.word,
    "type": under_test.timeframe,
    "indicators": under_test.indicators,
    "zone": under_test.zone,
    "mode": comparison_module.mode,
    "factor": comparison_module.factor,
}


def read(mutator: Mutator, _number: int) -> None:
    """Parameters without a server around them: values in range, or the faults by name."""
    chance = mutator.random
    pairs = []
    for name in chance.sample(list(READERS), chance.choice((1, 1, 2, 3))):
        value = chance.choice(PARAMETERS[name] if chance.random() < 0.9 else PARAMETERS["timeframe"])
        pairs.append((mutator.text(name) if chance.random() < 0.05 else name, value))
        if chance.random() < 0.5:
            pairs[-1] = pairs[-1][0], mutator.text(value)
        if chance.random() < 0.05:
            pairs.append(pairs[-1])
    try:
        values = under_test.read(MultiDict(pairs), READERS)
    except under_test.BadParameters as refused:
        named(refused)
        return
    assert set(values) == {name for name, _ in pairs}
    assert 1 <= values.get("limit", 1) <= 50_000
    assert 0 <= values.get("after_seq", 0) < 2**63
    assert 0 <= values.get("start", 0) <= values.get("end", 2**60)


def named(refused: under_test.BadParameters) -> None:
    assert refused.errors
    assert all(len(str(each)) < 600 and each.accepted for each in refused.errors)


@pytest.mark.fuzz
def test_parameters_are_in_range_or_named(scale: Scale) -> None:
    measure.attack(scale, 10_000, 1_000_000, read)


@pytest.mark.fuzz
def test_next_never_leads_a_browser_elsewhere(scale: Scale) -> None:
    starts = PARAMETERS["next"]

    def attempt(mutator: Mutator, _number: int) -> None:
        wanted = mutator.text(mutator.random.choice(starts))
        if mutator.random.random() < 0.5:
            wanted = mutator.random.choice("/\\\t %;:@?#.") + wanted
        stays(login_module.safe_next(wanted))

    measure.attack(scale, 20_000, 1_000_000, attempt)


@pytest.mark.fuzz
def test_a_changed_cookie_lets_nobody_in(scale: Scale, visitor: Visitor) -> None:

    def attempt(mutator: Mutator, _number: int) -> None:
        changed = mutator.bytes(visitor.cookie.encode(), most=2).decode("latin-1")
        answer = visitor.ask("/api/v1/tickers/AAPL", HTTP_COOKIE=f"{COOKIE}={changed}")
        judge(answer, "/api/v1/tickers/AAPL")
        if answer.status_code != 401:
            # The same once more: the last digit of base64 has bits that say nothing.
            inside = re.split(r"[^A-Za-z0-9_.-]+", on_the_wire(changed))
            assert any(signed(each) == signed(visitor.cookie) for each in inside), changed

    measure.attack(scale, 500, 50_000, attempt)


def signed(cookie: str) -> tuple[str, bytes]:
    """(what a cookie says, the bytes of its signature)."""
    said, _dot, signature = cookie.rpartition(".")
    try:
        return said, urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except ValueError:
        return said, b""


@pytest.mark.fuzz
def test_a_login_with_any_form_is_answered(scale: Scale, house: House, visitor: Visitor) -> None:

    def attempt(mutator: Mutator, _number: int) -> None:
        form = {name: mutator.text(name) for name in ("username", "password", "next", "remember")}
        if mutator.random.random() < 0.3:
            form |= {"username": "ada", "password": "correct horse 7"}
        answer = visitor.app.post("/login", data=form, headers={"Host": "127.0.0.1:8050"})
        judge(answer, "/login")
        if answer.status_code == 302:
            house.clock.advance(400_000)

    measure.attack(scale, 5, 500, attempt, judged=False)


@pytest.mark.fuzz
def test_the_inputs_take_every_branch_of_the_reading_of_requests(scale: Scale, visitor: Visitor) -> None:
    parts = {
        under_test: (),
        comparison_module: ("mode", "factor"),
        guard_module: ("host_allowed", "cross_site", "same_site_origin", "_own", "_plain", "refusal"),
        login_module: ("safe_next",),
    }

    def attempt(mutator: Mutator, number: int) -> None:
        if number % 4 == 0:
            visitor.attempt(mutator, number)
        read(mutator, number)
        login_module.safe_next(mutator.random.choice((None, "/login", "//x", "/a\tb", "/x", "//[", "/" * 3_000)))

    with measure.branches(parts):
        measure.attack(scale, 1_000, 20_000, attempt, judged=False)
