"""`/warm-up`: the states with which whoever computes indicators goes on, behind the bars before a moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.indicators import Columns, parse, warm
from tests.house import House

TEXT = "sma:20,bbands,macd,obv,adx"


@pytest.mark.parametrize("timeframe", ["1m", "1d"])
def test_states_are_those_behind_every_kept_bar_before(small: House, timeframe: str) -> None:
    client, store = small.enter("ada"), small.runtime.store
    rows = store.bars(0, TIMEFRAME_INDEX[timeframe]).rows
    for at in (0, 1, 30, len(rows) - 1):
        query = {"timeframe": timeframe, "before": int(rows[at, 0]), "indicators": TEXT}
        body = client.get("/api/v1/tickers/AAPL/warm-up", query_string=query).json
        assert body["texts"] == [each.text for each in parse(TEXT)]
        assert body["states"] == warm(parse(TEXT), Columns.of(rows[:at]))
        assert (body["epoch"], body["start"], body["timeframe"]) == (store.epoch, int(rows[at, 0]), timeframe)


def test_before_everything_they_are_those_of_the_first_bar(get: Any) -> None:
    body = get("/tickers/AAPL/warm-up", before=0, indicators="sma:3,ema:3")
    assert body["states"] == warm(parse("sma:3,ema:3"), Columns.of(np.zeros((0, 8))))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"before", "indicators"}),
        ("before=0", {"indicators"}),
        ("indicators=sma", {"before"}),
        ("before=soon&indicators=sma:0&timeframe=2m&limit=3", {"before", "indicators", "timeframe", "limit"}),
        ("before=0&indicators=", {"indicators"}),
    ],
)
def test_what_is_missing_or_wrong_is_named(refused: Any, query: str, names: set[str]) -> None:
    problem = refused("/tickers/AAPL/warm-up", 422, query)
    assert {error["parameter"] for error in problem["errors"]} == names
    assert all(error["accepted"] for error in problem["errors"])


def test_an_unknown_symbol_is_a_404_and_a_stranger_is_let_in_nowhere(analyst: FlaskClient, small: House) -> None:
    assert analyst.get("/api/v1/tickers/AAPPL/warm-up?before=0&indicators=sma").status_code == 404
    assert small.stranger().get("/api/v1/tickers/AAPL/warm-up?before=0&indicators=sma").status_code == 401
