"""The chart's callback and the page's first figure: the bars of the API, in the shape that the browser's code reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from dashboard.ui.figures import TYPES
from dashboard.workbench.views import SCALES
from infra.vendor import TRACES
from tests.benchmarks.load import callback_body
from tests.house import House, open_house
from tests.ui.unpacked import unpacked


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("chart")
    with open_house(folder, {"ada": "administrator"}, SYMBOLS="AAPL,MSFT") as house:
        for turn in range(20):
            house.clock.advance(700)
            house.tick(("AAPL", 200.0 + turn / 8), ("MSFT", 1 / 3))
        yield house


@pytest.fixture(scope="module")
def analyst(market: House) -> FlaskClient:
    return market.enter("ada")


def stores(part: Any) -> Iterator[Any]:
    """The data that the page opens with, found in a layout."""
    if isinstance(part, dict):
        if part.get("props", {}).get("id") == "first-paint":
            yield part["props"]["data"]
        for inner in part.values():
            yield from stores(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from stores(inner)


def figure(analyst: FlaskClient, bars: object, symbol: str = "AAPL", type_: str = "candles") -> Any:
    body = callback_body(symbol, bars).replace(b'"candles"', orjson.dumps(type_))
    answer = analyst.post("/_dash-update-component", data=body, content_type="application/json")
    assert answer.status_code == 200, answer.text
    found = orjson.loads(answer.data)["response"]["figure"]["data"]
    return found if "error" in found else found | {"bars": unpacked(found["packed"])}


@pytest.mark.parametrize(("bars", "symbol"), [(5000, "AAPL"), (1000, "MSFT"), (3, "AAPL"), (1, "MSFT")])
def test_bars_are_the_rows_of_the_api(analyst: FlaskClient, bars: int, symbol: str) -> None:
    made = figure(analyst, bars, symbol)
    expected = analyst.get(f"/api/v1/tickers/{symbol}/bars?timeframe=1m&limit={bars}").json
    assert made["bars"] == expected["data"]
    assert len(made["bars"]) == bars
    assert [type(cell) for cell in made["bars"][0]] == [int, *[float] * 5, int, int]
    assert (made["symbol"], made["epoch"], made["seq"]) == (symbol, expected["epoch"], expected["seq"])


def test_a_page_that_does_not_say_how_many_gets_a_thousand(analyst: FlaskClient) -> None:
    assert len(figure(analyst, None)["bars"]) == 1000


@pytest.mark.parametrize("bars", [0, -1, 5001, 10**30, 1.5, True, "5000", [5], {}])
def test_another_number_of_bars_is_refused_in_a_sentence(analyst: FlaskClient, bars: object) -> None:
    answer = figure(analyst, bars)
    assert answer["error"].startswith("bars must be between 1 and 5000, got ")
    assert "bars" not in answer


def test_the_page_opens_with_the_same_figure(analyst: FlaskClient) -> None:
    layout = analyst.get("/_dash-layout")
    assert layout.status_code == 200

    (paint,) = stores(orjson.loads(layout.data))
    expected = figure(analyst, None)
    assert {name: paint["figure"][name] for name in paint["figure"]} == {
        name: expected[name] for name in paint["figure"]
    }


@pytest.mark.parametrize("type_", TYPES)
def test_every_type_is_drawn_with_traces_of_the_small_bundle(analyst: FlaskClient, type_: str) -> None:
    made = figure(analyst, 5, type_=type_)
    assert made["type"] == type_
    assert {trace["type"] for trace in made["traces"]} <= {*TRACES, "scatter"}
    assert made["traces"][-1]["name"] == "volume"
    assert list(made["scales"]) == list(SCALES)
    assert {name: axis["type"] for name, axis in made["scales"].items()} == {
        "linear": "linear",
        "log": "log",
        "percent": "linear",
    }


def test_hollow_candles_are_filled_only_where_a_bar_fell_from_its_open(analyst: FlaskClient) -> None:
    rose, fell = figure(analyst, 5, type_="hollow")["traces"][:2]
    for trace, where, tone in ((rose, "rose", "var(--up)"), (fell, "fell", "var(--down)")):
        assert trace["where"] == where
        assert trace["increasing"] == {"line": {"color": tone, "width": 1}, "fillcolor": "rgba(0,0,0,0)"}
        assert trace["decreasing"] == {"line": {"color": tone, "width": 1}, "fillcolor": tone}


@pytest.mark.parametrize("type_", ["pie", "", "CANDLES", "heikin"])
def test_a_type_that_there_is_not_is_refused_with_those_there_are(analyst: FlaskClient, type_: str) -> None:
    error = figure(analyst, 5, type_=type_)["error"]
    assert error == f"type must be one of {', '.join(TYPES)}, got {type_!r}"


def test_the_page_opens_with_the_scale_of_the_address_or_the_linear_one(analyst: FlaskClient) -> None:
    for query, scale in (("scale=log", "log"), ("scale=percent", "percent"), ("scale=cubic", "linear"), ("", "linear")):
        layout = analyst.get("/_dash-layout", headers={"Referer": f"http://localhost/?{query}"})
        (paint,) = stores(orjson.loads(layout.data))
        assert paint["view"]["scale"] == scale


def test_the_page_knows_where_the_markets_clock_stands_and_how_fast_it_runs(
    market: House, analyst: FlaskClient
) -> None:
    (paint,) = stores(orjson.loads(analyst.get("/_dash-layout").data))
    assert paint["feed"]["market_now"] == market.clock.now_ms()
    assert paint["feed"]["pace"] == 1.0
