"""What the page is told of comparing: the registry, and the closes that a figure brings of other instruments."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from flask.testing import FlaskClient

from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.comparison import LEAST_WINDOW, MODES, MOST, MOST_WINDOW
from dashboard.store.memory import MemoryStore
from dashboard.ui.comparing import closes, lenient, registry
from tests.benchmarks.load import callback_body
from tests.house import House
from tests.ui import test_chart_callback
from tests.ui.test_chart_callback import stores

market, analyst = test_chart_callback.market, test_chart_callback.analyst


def figure(analyst: FlaskClient, compare: object, bars: int = 50) -> Any:
    body = orjson.loads(callback_body("AAPL", bars))
    body["inputs"][0]["value"]["compare"] = compare
    answer = analyst.post("/_dash-update-component", data=orjson.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.text
    return orjson.loads(answer.data)["response"]["figure"]["data"]


def test_the_page_is_told_what_there_is_to_choose() -> None:
    told = orjson.loads(orjson.dumps(registry()))
    assert (told["most"], list(told["modes"])) == (MOST, list(MODES))
    assert len(set(told["colours"])) == MOST
    window = told["window"]
    assert LEAST_WINDOW == window["minimum"] <= window["default"] <= window["maximum"] == MOST_WINDOW


def test_a_figure_brings_the_closes_of_the_others_from_its_first_bar_on(market: House, analyst: FlaskClient) -> None:
    made = figure(analyst, "MSFT")
    (brought,) = made["compared"]
    rows = market.runtime.store.bars(1, TIMEFRAME_INDEX["1m"], start=made["packed"]["start"]["first"]).rows
    assert (brought["symbol"], brought["epoch"], brought["seq"]) == ("MSFT", made["epoch"], made["seq"])
    np.testing.assert_array_equal(brought["bars"], rows[:, [0, 4]])
    assert len(rows) > 10
    assert figure(analyst, "")["compared"] == []


@pytest.mark.parametrize("compare", ["MSFT,NOPE,AAPL,MSFT", ["MSFT", 7, None, "AAPL"], "MSFT" + ",X" * 5000])
def test_what_there_is_not_is_left_out(analyst: FlaskClient, compare: object) -> None:
    assert [each["symbol"] for each in figure(analyst, compare)["compared"]] == ["MSFT"]


@pytest.mark.parametrize("compare", [None, 5, {"a": 1}, True, [], ",", "\ud800", ["\ud800"]])
def test_nonsense_compares_nothing(market: House, compare: object) -> None:
    assert lenient(compare, market.runtime.store.catalogue, 0) == ()


def test_beside_a_chart_without_bars_there_are_none(market: House) -> None:
    store: MemoryStore = market.runtime.store
    (brought,) = closes(store, [1], TIMEFRAME_INDEX["1m"], np.empty((0, 8)))
    assert orjson.loads(orjson.dumps(brought["bars"])) == []


def test_the_first_page_has_them_and_says_so_by_its_address(analyst: FlaskClient) -> None:
    answer = analyst.get("/_dash-layout", headers={"Referer": "http://localhost/?symbol=AAPL&compare=MSFT,NOPE"})
    (paint,) = list(stores(answer.json))
    assert [each["symbol"] for each in paint["figure"]["compared"]] == ["MSFT"]
    assert paint["comparison"]["most"] == MOST
