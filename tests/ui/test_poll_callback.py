"""The fall-back's callback: quotes whatever the view is, bars of the view where there is such a series."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.house import open_house


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder: Path = tmp_path_factory.mktemp("poll")
    with open_house(folder, {"ada": "administrator"}, SYMBOLS="AAPL,MSFT") as house:
        house.tick(("AAPL", 200.0), ("MSFT", 300.0))
        yield house.enter("ada")


def poll(analyst: FlaskClient, view: object) -> Any:
    body = {
        "output": "polled.data",
        "outputs": {"id": "polled", "property": "data"},
        "inputs": [{"id": "poll-interval", "property": "n_intervals", "value": 1}],
        "state": [{"id": "view", "property": "data", "value": view}],
        "changedPropIds": ["poll-interval.n_intervals"],
        "parsedChangedPropsIds": ["poll-interval"],
    }
    answer = analyst.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.text
    return answer.get_json()["response"]["polled"]["data"]


def test_a_poll_brings_the_bars_of_the_view(analyst: FlaskClient) -> None:
    answer = poll(analyst, {"symbol": "MSFT", "timeframe": "1m", "type": "line"})
    assert (answer["bars"]["symbol"], answer["bars"]["timeframe"]) == ("MSFT", "1m")
    assert answer["bars"]["rows"][-1][4] == 300.0


@pytest.mark.parametrize("view", [{"symbol": "GONE", "timeframe": "1m", "type": "line"}, {}, None, 3])
def test_a_view_of_what_there_is_not_costs_the_bars_and_not_the_quotes(analyst: FlaskClient, view: object) -> None:
    answer = poll(analyst, view)
    assert [quote["price"] for quote in answer["tickers"]] == [200.0, 300.0]
    assert "bars" not in answer
    assert "error" not in answer
