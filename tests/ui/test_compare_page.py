"""The Compare page's callback and address: the API's bars as columns, a sentence for nonsense, each chart alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.store.change import BAR_COLUMNS
from dashboard.ui.compare import answers
from dashboard.ui.compare.asked import BARS, LAYOUTS, MOST_BARS
from dashboard.ui.figures import TYPES
from tests.house import House, open_house

SYMBOLS = "AAPL,MSFT,BTC-USD"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("compare")
    with open_house(folder, {"ada": "administrator"}, SYMBOLS=SYMBOLS) as house:
        for turn in range(20):
            house.clock.advance(700)
            house.tick(("AAPL", 200.0 + turn / 8), ("MSFT", 1 / 3), ("BTC-USD", 67_455.2 - turn))
        yield house


@pytest.fixture(scope="module")
def analyst(market: House) -> FlaskClient:
    return market.enter("ada")


def post(analyst: FlaskClient, question: Any) -> Any:
    body = {
        "output": "compare.data",
        "outputs": {"id": "compare", "property": "data"},
        "inputs": [{"id": "compare-ask", "property": "data", "value": question}],
        "changedPropIds": ["compare-ask.data"],
    }
    return analyst.post("/_dash-update-component", data=orjson.dumps(body), content_type="application/json")


def ask(analyst: FlaskClient, charts: Any, **more: Any) -> Any:
    """The callback's answer."""
    answer = post(analyst, {"number": 7, "charts": charts, **more})
    assert answer.status_code == 200, answer.text
    found = orjson.loads(answer.data)["response"]["compare"]["data"]
    assert found["number"] == 7
    return found


def rows(series: Any) -> list[list[Any]]:
    """Bars as the API gives them, of columns: starts are the first and the ms from each to the next."""
    columns = series["columns"]
    assert list(columns) == list(BAR_COLUMNS)
    starts = accumulate(columns["start"])
    return [list(row) for row in zip(starts, *(columns[name] for name in BAR_COLUMNS[1:]), strict=True)]


# -- the page's address ----------------------------------------------------------------------------------------------


def test_the_page_is_for_who_is_logged_in_and_brings_its_modules_later(market: House, analyst: FlaskClient) -> None:
    answer = market.stranger().get("/compare?charts=AAPL:1m")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/compare%3Fcharts%3DAAPL%3A1m")
    page = analyst.get("/compare")
    assert page.status_code == 200
    assert "assets/linked/" not in page.text
    assert 'id="plotly-source" rel="preload"' in page.text
    assert analyst.get("/compare/").status_code == 404
    layout = analyst.get("/_dash-layout", headers={"Referer": "http://localhost/compare?charts=AAPL:1m"}).json
    assert layout["props"]["data-page"] == "compare"


# -- the bars --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeframe", TIMEFRAME_INDEX)
def test_every_chart_has_the_bars_of_the_api(analyst: FlaskClient, timeframe: str) -> None:
    names = SYMBOLS.split(",")
    answer = ask(analyst, [{"symbol": symbol, "timeframe": timeframe} for symbol in names])
    assert [series["symbol"] for series in answer["charts"]] == names
    for series in answer["charts"]:
        path = f"/api/v1/tickers/{series['symbol']}/bars?timeframe={timeframe}&limit={BARS}"
        expected = analyst.get(path).json
        assert rows(series) == expected["data"]
        assert [type(cell) for cell in rows(series)[0]] == [int, *[float] * 5, int, int]
        assert (answer["epoch"], answer["seq"]) == (expected["epoch"], expected["seq"])
        assert (series["timeframe"], series["ms"] > 0) == (timeframe, True)


def test_older_bars_join_those_that_are_there(analyst: FlaskClient) -> None:
    (newest,) = ask(analyst, [{"symbol": "AAPL", "timeframe": "1m", "bars": 50}])["charts"]
    first = rows(newest)[0][0]
    (older,) = ask(analyst, [{"symbol": "AAPL", "timeframe": "1m", "bars": 70, "before": first}])["charts"]
    (both,) = ask(analyst, [{"symbol": "AAPL", "timeframe": "1m", "bars": 120}])["charts"]
    assert rows(older) + rows(newest) == rows(both)
    (none,) = ask(analyst, [{"symbol": "AAPL", "timeframe": "1m", "before": 0}])["charts"]
    assert rows(none) == []


def test_nine_charts_of_different_timeframes_are_one_answer_of_few_bytes(analyst: FlaskClient) -> None:
    frames = [*TIMEFRAME_INDEX, "1m"]
    charts = [{"symbol": SYMBOLS.split(",")[at % 3], "timeframe": frame} for at, frame in enumerate(frames)]
    answer = post(analyst, {"number": 1, "charts": charts})
    found = orjson.loads(answer.data)["response"]["compare"]["data"]["charts"]
    assert [series["timeframe"] for series in found] == frames
    bars = sum(len(series["columns"]["start"]) for series in found)
    assert bars > 1_000
    # The figure: 60 bytes a bar before compression, and what all charts share.
    assert len(answer.data) < 60 * bars + 12_000


@pytest.mark.parametrize("type_", TYPES)
def test_a_type_is_drawn_as_on_the_dashboard_with_less_room_around(analyst: FlaskClient, type_: str) -> None:
    answer = ask(analyst, [{"symbol": "AAPL", "timeframe": "1m"}], type=type_)
    assert answer["type"] == type_
    assert answer["traces"] == answers.template(type_)["traces"]
    assert answer["layout"]["margin"]["r"] < answers.template(type_)["layout"]["margin"]["r"]
    assert answer["layout"]["xaxis"] == answers.template(type_)["layout"]["xaxis"]


# -- what there is not -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chart", "sentence"),
    [
        ({"symbol": "APL", "timeframe": "1m"}, "there is no instrument 'APL'; did you mean AAPL?"),
        ({"symbol": "aapl", "timeframe": "1m"}, "there is no instrument 'aapl'; did you mean AAPL?"),
        ({"symbol": "\U0001f600", "timeframe": "1m"}, "there is no instrument '\U0001f600'"),
        ({"symbol": 5, "timeframe": "1m"}, "symbol must be the symbol of an instrument, got 5"),
        ({"timeframe": "1m"}, "symbol must be the symbol of an instrument, got None"),
        ({"symbol": "AAPL", "timeframe": "7m"}, "timeframe must be one of 1s, 5s, 15s, 1m, 5m, 15m, 1h, 1d, got 7m"),
        ({"symbol": "AAPL", "timeframe": []}, "timeframe must be one of 1s, 5s, 15s, 1m, 5m, 15m, 1h, 1d, got []"),
        ({"symbol": "AAPL", "timeframe": "1m", "bars": 0}, "bars must be a whole number from 1 to 2000, got 0"),
        ({"symbol": "AAPL", "timeframe": "1m", "bars": True}, "bars must be a whole number from 1 to 2000, got True"),
        (
            {"symbol": "AAPL", "timeframe": "1m", "bars": MOST_BARS + 1},
            "bars must be a whole number from 1 to 2000, got 2001",
        ),
        (
            {"symbol": "AAPL", "timeframe": "1m", "before": -1},
            "before must be a whole number from 0 to 253402300799999, got -1",
        ),
        ("AAPL", "chart must be an object with symbol and timeframe, got AAPL"),
        (None, "chart must be an object with symbol and timeframe, got None"),
    ],
)
def test_a_chart_of_what_there_is_not_says_so_in_one_sentence_and_alone(
    analyst: FlaskClient, chart: Any, sentence: str
) -> None:
    good = {"symbol": "MSFT", "timeframe": "1m"}
    before, wrong, after = ask(analyst, [good, chart, good])["charts"]
    assert wrong == {"error": sentence}
    assert rows(before) == rows(after) != []


def test_a_chart_that_can_not_be_read_takes_none_with_it(analyst: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answers.columns
    turns = iter([True, False, True])
    monkeypatch.setattr(answers, "columns", lambda found: whole(found) if next(turns) else 1 / 0)
    first, broken, last = ask(analyst, [{"symbol": "AAPL", "timeframe": "1m"}] * 3)["charts"]
    assert broken == {"error": answers.FAILED}
    assert rows(first) == rows(last) != []


@pytest.mark.parametrize("charts", [None, {}, "AAPL", [], [{}] * (max(LAYOUTS) + 1)])
def test_a_question_about_no_charts_or_too_many_is_refused_in_a_sentence(analyst: FlaskClient, charts: Any) -> None:
    answer = ask(analyst, charts)
    assert answer["error"].startswith("charts must be a list of 1 to 9 charts, got ")
    assert "charts" not in answer


@pytest.mark.parametrize("type_", ["pie", "CANDLES", 5, ["line"]])
def test_a_type_that_there_is_not_is_refused_with_those_there_are(analyst: FlaskClient, type_: Any) -> None:
    answer = ask(analyst, [{"symbol": "AAPL", "timeframe": "1m"}], type=type_)
    assert answer["error"] == f"type must be one of {', '.join(TYPES)}, got {type_}"


def test_what_is_no_question_changes_nothing(analyst: FlaskClient) -> None:
    for question in (None, [], "charts", 5):
        answer = post(analyst, question)
        assert answer.status_code in (200, 204), answer.text
        assert b"compare" not in answer.data
