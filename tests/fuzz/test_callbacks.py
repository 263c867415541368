"""Mutated calls of Dash's callbacks: a client's nonsense is a 400, never a 500, and changes nothing but one's own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.ui import bodies as under_test
from tests.conftest import Scale
from tests.fuzz import measure
from tests.fuzz.mutation import Mutator
from tests.house import House, open_house


def call(output: str, value: Any, *, state: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What the renderer posts."""
    owner = {
        "figure": "figure-request",
        "polled": "poll-interval",
        "alerts": "alert-command",
        "compare": "compare-ask",
    }[output]
    name = "n_intervals" if output == "polled" else "data"
    body: dict[str, Any] = {
        "output": f"{output}.data",
        "outputs": {"id": output, "property": "data"},
        "inputs": [{"id": owner, "property": name, "value": value}],
        "changedPropIds": [f"{owner}.{name}"],
        "parsedChangedPropsIds": [f"{owner}.{name}"],
    }
    return body if state is None else body | {"state": state}


def market(panel: str, **question: Any) -> dict[str, Any]:
    """What the renderer posts for a panel of the Market page."""
    owners = ((f"market-{panel}-interval", "n_intervals", 5), (f"market-{panel}-ask", "data", question))
    return {
        "output": f"market-{panel}.data",
        "outputs": {"id": f"market-{panel}", "property": "data"},
        "inputs": [{"id": owner, "property": name, "value": value} for owner, name, value in owners],
        "changedPropIds": [f"market-{panel}-ask.data"],
        "parsedChangedPropsIds": [f"market-{panel}-ask.data"],
    }


VIEW = {"symbol": "AAPL", "timeframe": "1m", "type": "candles"}
RECORDED = (
    call("figure", VIEW | {"number": 3, "epoch": "k3v9"}),
    call("figure", VIEW | {"symbol": "BTC-USD", "timeframe": "1d", "type": "line", "number": 4, "epoch": None}),
    call(
        "figure", VIEW | {"indicators": "sma:20,bbands:20:2,macd,vwap", "looks": "2,,5h", "number": 5, "epoch": "k3v9"}
    ),
    call("figure", VIEW | {"compare": "MSFT,BTC-USD", "number": 6, "epoch": "k3v9"}),
    call("polled", 7, state=[{"id": "view", "property": "data", "value": VIEW}]),
    call("alerts", {"op": "list", "number": 1}),
    call("alerts", {"op": "create", "symbol": "AAPL", "direction": "above", "level": "300.5", "number": 2}),
    call("alerts", {"op": "disable", "id": 1, "number": 3}),
    call("alerts", {"op": "enable", "id": 1}),
    call("alerts", {"op": "delete", "id": 1}),
    call("compare", {"number": 1, "type": "candles", "charts": [{"symbol": "AAPL", "timeframe": "1m"}]}),
    call(
        "compare",
        {
            "number": 2,
            "type": "line",
            "charts": [
                {"symbol": "BTC-USD", "timeframe": "1d", "bars": 2000, "before": 1_763_868_120_000},
                {"symbol": "MSFT", "timeframe": "1s", "bars": 1},
            ],
        },
    ),
    market("heat", window="1h", size="volume", number=1),
    market("movers", window="day", number=1),
    market("breadth", window="1w", number=2),
    market("correlation", returns="15m", symbols="AAPL,MSFT", number=3),
)
WORDS = (
    "figure",
    "alerts",
    "polled",
    "compare",
    "compare.data",
    "started.data",
    "alerts.modified_timestamp",
    "AAPL",
    "1m",
    "sma:20",
    "compare",
    "MSFT,BTC-USD",
    "create",
    2**70,
    VIEW,
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("callbacks")
    with open_house(folder, {"ada": "administrator", "bob": "analyst"}) as opened:
        opened.tick(("AAPL", 201.0), ("BTC-USD", 4e4))
        yield opened


def post(client: FlaskClient, body: bytes, query: str = "") -> TestResponse:
    return client.post(f"/_dash-update-component{query}", data=body, content_type="application/json")


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda body: f"{body['output']} {body['inputs'][0]['value']}"[:40])
def test_what_the_page_sends_is_taken(house: House, recorded: dict[str, Any]) -> None:
    answer = post(house.enter("ada"), json.dumps(recorded).encode())
    assert answer.status_code == 200
    assert list(answer.json["response"]) == [recorded["outputs"]["id"]]


@pytest.mark.parametrize("name", ["op", "symbol", "direction", "level", "number"])
def test_half_a_character_is_refused_in_words(house: House, name: str) -> None:
    command = {"op": "create", "symbol": "AAPL", "direction": "above", "level": "300.5", "number": 2, name: "\ud800"}
    answer = post(house.enter("ada"), json.dumps(call("alerts", command)).encode())
    assert answer.status_code == 200
    assert ("error" in answer.json["response"]["alerts"]["data"]) == (name != "number")


def inputs(mutator: Mutator) -> bytes:
    """A recorded body, changed in its shape or only in what it asks for."""
    chance = mutator.random
    body = copy.deepcopy(chance.choice(RECORDED))
    way = chance.random()
    if way < 0.5:
        place = chance.choice(body["inputs"] + body.get("state", []))
        place["value"] = mutator.json(place["value"], WORDS)
        text = json.dumps(body).encode()
    else:
        text = mutator.json_text(body, WORDS)
    if chance.random() < 0.05:
        text = text.replace(b"AAPL", chance.choice((b"\\ud800", b"\\u0000", b"NaN", b"\xff")))
    return text


class Page:
    """Somebody's page that sends nonsense, beside somebody else's alert."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client = house.enter("bob")
        self.book = house.runtime.alert_book
        self.other = next(user.id for user in house.users().every() if user.name == "ada")
        self.mine = next(user.id for user in house.users().every() if user.name == "bob")
        self.book.create(self.other, "AAPL", "above", 999)
        self.before = self.book.list_for(self.other)

    def attempt(self, mutator: Mutator, number: int) -> None:
        query = mutator.random.choice(
            ("", "", "", "?job=x&cacheKey=y", "?oldJob=1&oldJob=2", "?" + mutator.text("a=b"))
        )
        answer = post(self.client, inputs(mutator), query if query.isascii() and query.isprintable() else "")
        assert answer.status_code in (200, 204, 400), (answer.status_code, answer.text[:300])
        body = answer.json if answer.status_code != 204 else {}
        if answer.status_code == 400:
            assert answer.mimetype == "application/problem+json"
            assert body["status"] == 400
            assert body["detail"]
        else:
            assert set(body) <= {"multi", "response"}
        if number % 100 == 0:
            assert self.book.list_for(self.other) == self.before, "somebody else's alert"
            for alert in self.book.list_for(self.mine):
                self.book.delete(self.mine, alert["id"])


@pytest.mark.fuzz
def test_nonsense_at_a_callback_is_refused_or_answered(scale: Scale, house: House) -> None:
    measure.attack(scale, 150, 100_000, Page(house).attempt, judged=False)


@pytest.mark.fuzz
def test_the_inputs_take_every_branch_of_the_reading_of_bodies(scale: Scale, house: House) -> None:
    page = Page(house)
    with measure.branches({under_test: ("only_calls", "is_call", "_body", "_places")}):
        measure.attack(scale, 150, 5_000, page.attempt, judged=False)
        page.client.get("/_dash-update-component")
        post(page.client, b"[" * 100_000)
