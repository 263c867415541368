"""A market with a history, some ticks of every kind, and somebody who is logged in to read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.house import House, open_house

#: Prices whose shortest text is long, or has an exponent.
AWKWARD = (0.1 + 0.2, 1 / 3, 1e-7, 123456789.12345679, 5e-324, 1.7976931348623157e300, 100.0, 2.5, 1e16, 1e22)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """AAPL with quotes, MSFT with trades only, BTC-USD with awkward numbers, ^GSPC with history only."""
    folder: Path = tmp_path_factory.mktemp("api")
    with open_house(folder, {"ada": "administrator", "ben": "viewer"}, SYMBOLS="AAPL,MSFT,BTC-USD,^GSPC") as house:
        for turn in range(60):
            house.clock.advance(700)
            house.tick(
                ("AAPL", 200.0 + turn / 8, 100.0, 0.0, 199.9 + turn / 8, 200.1 + turn / 8),
                ("BTC-USD", AWKWARD[turn % len(AWKWARD)], AWKWARD[turn // 2 % 4]),
            )
            if turn % 3 == 0:
                house.tick(("MSFT", 400.5 + turn), ("MSFT", 401.25 + turn))
        house.tick(("AAPL", 150.0, 1.0, 30_000.0))
        yield house


@pytest.fixture(scope="module")
def analyst(market: House) -> FlaskClient:
    return market.enter("ada")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[House]:
    """A product that keeps some 80,000 ticks of its two instruments."""
    with open_house(tmp_path, {"ada": "administrator"}, SYMBOLS="AAPL,MSFT", STORE_MB="32") as opened:
        yield opened


def parsed(answer: TestResponse) -> Any:
    """The body as strict JSON: no NaN, no Infinity."""
    assert answer.mimetype in ("application/json", "application/problem+json"), answer.text

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(answer.text, parse_constant=refuse)


@pytest.fixture
def get(analyst: FlaskClient) -> Any:
    """`get(path)` gives the body of a 200 answer below `/api/v1`."""

    def got(path: str, **query: object) -> Any:
        answer = analyst.get(f"/api/v1{path}", query_string={name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        return parsed(answer)

    return got


@pytest.fixture
def refused(analyst: FlaskClient) -> Any:
    """`refused(path, status)` gives the problem that a path below `/api/v1` is answered with."""

    def got(path: str, status: int, query: str | dict[str, str] | None = None) -> Any:
        answer = analyst.get(f"/api/v1{path}", query_string=query)
        assert answer.status_code == status, answer.text[:500]
        assert answer.mimetype == "application/problem+json"
        body = parsed(answer)
        assert body["status"] == status
        assert body["type"]
        assert body["title"]
        assert body["detail"]
        assert body["request_id"] == answer.headers["X-Request-ID"]
        assert len(answer.data) < 5_000, "what came in must not come back at length"
        return body

    return got
