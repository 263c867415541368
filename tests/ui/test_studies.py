"""What the page is told of indicators: the registry, the states with a figure, and what of an address is taken."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.indicators import INDICATORS, MOST, Columns, parse, warm
from dashboard.ui.studies import COLOURS, lenient, registry
from tests.benchmarks.load import callback_body
from tests.house import ROOT, House
from tests.ui import test_chart_callback
from tests.ui.unpacked import unpacked

market, analyst = test_chart_callback.market, test_chart_callback.analyst
TEXT = "sma:20,bbands:20:2,rsi:14,macd:12:26:9"


def figure(analyst: FlaskClient, text: object, bars: int = 300) -> Any:
    body = orjson.loads(callback_body("AAPL", bars))
    body["inputs"][0]["value"]["indicators"] = text
    answer = analyst.post("/_dash-update-component", data=orjson.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.text
    found = orjson.loads(answer.data)["response"]["figure"]["data"]
    return found if "error" in found else found | {"bars": unpacked(found["packed"])}


def test_every_indicator_is_told_with_its_bounds_and_a_line_for_each_output() -> None:
    told = orjson.loads(orjson.dumps(registry()))
    assert (told["most"], told["colours"]) == (MOST, COLOURS)
    assert [each["name"] for each in told["list"]] == list(INDICATORS)
    for each in told["list"]:
        known = INDICATORS[each["name"]]
        assert each["pane"] == known.pane
        assert len(each["lines"]) == len(each["outputs"]) == len(known.outputs)
        for parameter, bounds in zip(each["parameters"], known.parameters, strict=True):
            assert parameter["minimum"] <= parameter["default"] <= parameter["maximum"]
            assert (parameter["name"], parameter["whole"]) == (bounds.name, bounds.kind == "whole")
    guides = {each["name"]: each["guides"] for each in told["list"] if each["guides"]}
    assert guides["rsi"] == [30, 70]
    assert guides["stoch"] == [20, 80]


def test_every_colour_is_a_token_that_a_script_can_read() -> None:
    text = (ROOT / "assets" / "00-tokens.css").read_text("utf-8")
    for number in range(1, COLOURS + 1):
        assert f"  --study-{number}: light-dark(" in text
        assert f"@property --study-{number} " in text
    assert not re.search(rf"--study-{COLOURS + 1}\b", text)


@pytest.mark.parametrize("bars", [1, 300, 1000])
def test_a_figure_has_the_states_behind_the_bars_before_its_own(market: House, analyst: FlaskClient, bars: int) -> None:
    made = figure(analyst, TEXT, bars)
    rows = market.runtime.store.bars(0, TIMEFRAME_INDEX["1m"]).rows
    assert len(made["bars"]) == bars
    assert made["warm"]["start"] == made["bars"][0][0] == rows[-bars, 0]
    assert made["warm"]["texts"] == TEXT.split(",")
    assert made["warm"]["states"] == warm(parse(TEXT), Columns.of(rows[:-bars]))


def test_a_figure_without_indicators_has_no_states(analyst: FlaskClient) -> None:
    for nothing in ("", None):
        assert figure(analyst, nothing)["warm"]["texts"] == []


@pytest.mark.parametrize(
    "text", ["smaa", "sma:0", "sma,sma:20", "macd:26:12:9", ",".join(["obv"] * 11), 7, ["sma"], {}]
)
def test_a_figure_with_what_there_is_not_is_refused_in_a_sentence(analyst: FlaskClient, text: object) -> None:
    answer = figure(analyst, text)
    if text == {}:
        assert answer["warm"]["texts"] == []
        return
    assert answer["error"].startswith("indicators must be ")
    assert "bars" not in answer


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", ""),
        ("sma", "sma:20"),
        ("SMA:50,nonsense,rsi:1,RSI", "sma:50,rsi:14"),
        ("sma,sma:20,sma:21", "sma:20,sma:21"),
        (",,,", ""),
        (",".join(f"sma:{n}" for n in range(1, 20)), ",".join(f"sma:{n}" for n in range(1, 11))),
    ],
)
def test_of_an_address_is_taken_what_there_is(analyst: FlaskClient, text: str, left: str) -> None:
    assert ",".join(each.text for each in lenient(text)) == left
    layout = analyst.get("/_dash-layout", headers={"Referer": f"http://localhost/?indicators={text}"})
    (paint,) = test_chart_callback.stores(orjson.loads(layout.data))
    assert paint["view"]["indicators"] == left
    assert ",".join(paint["figure"]["warm"]["texts"]) == left
