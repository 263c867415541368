"""Indicators beside bars: the same in the API and in every file, for the same bar wherever a range begins."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import talib
from flask.testing import FlaskClient

from dashboard.market import indicators
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.store.change import BAR_COLUMNS
from tests.house import House

FORMS = ("csv", "json", "parquet")
SOME = "sma:20,ema:50,bbands:20:2,macd:12:26:9"
NAMES = [
    "sma_20",
    "ema_50",
    "bbands_20_2_upper",
    "bbands_20_2_middle",
    "bbands_20_2_lower",
    "macd_12_26_9_line",
    "macd_12_26_9_signal",
    "macd_12_26_9_histogram",
]
HALVES = ("sma,ema,wma,vwap,bbands,keltner,donchian", "rsi,macd,stoch,atr,obv,adx")
Row = list[float | None]


@pytest.fixture
def exported(analyst: FlaskClient) -> Any:
    """`exported(symbol, form)` gives (column names, rows) of a file, None for what is missing."""

    def got(symbol: str, form: str, **query: object) -> tuple[list[str], list[Row]]:
        given = {key: str(value) for key, value in query.items()}
        answer = analyst.get(f"/api/v1/export/{symbol}.{form}", query_string=given)
        assert answer.status_code == 200, answer.text
        if form == "csv":
            header, *lines = csv.reader(io.StringIO(answer.text))
            return header, [[float(cell) if cell else None for cell in line[1:]] for line in lines]
        if form == "json":
            body = json.loads(answer.text, parse_constant=no_number)
            return body["columns"], [row[1:] for row in body["data"]]
        table = pyarrow.parquet.read_table(io.BytesIO(answer.data))
        assert all(table[name].type == pyarrow.float64() for name in table.column_names[8:])
        return table.column_names, [list(row.values())[1:] for row in table.to_pylist()]

    return got


def no_number(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def floats(column: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in column])


def test_bars_have_a_column_for_each_output_behind_their_own(get: Any) -> None:
    plain = get("/tickers/AAPL/bars", timeframe="5m")
    body = get("/tickers/AAPL/bars", timeframe="5m", indicators=SOME)
    assert body["columns"] == [*BAR_COLUMNS, *NAMES]
    assert [row[:8] for row in body["data"]] == plain["data"]
    assert plain["columns"] == list(BAR_COLUMNS)


def test_its_values_are_ta_libs_and_null_while_they_warm_up(get: Any) -> None:
    body = get("/tickers/AAPL/bars", timeframe="1d", limit=50_000, indicators=SOME)
    columns = dict(zip(body["columns"], map(list, zip(*body["data"], strict=True)), strict=True))
    close = floats(columns["close"])
    expected = [
        talib.SMA(close, 20),
        talib.EMA(close, 50),
        *talib.BBANDS(close, 20, 2.0, 2.0, 0),
        *talib.MACD(close, 12, 26, 9),
    ]
    assert columns["sma_20"][:19] == [None] * 19
    for name, wanted in zip(NAMES, expected, strict=True):
        np.testing.assert_allclose(floats(columns[name]), wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("symbol", ["AAPL", "BTC-USD", "%5EGSPC"])
@pytest.mark.parametrize("timeframe", ["1s", "1m", "1d"])
@pytest.mark.parametrize("text", HALVES)
def test_a_file_has_what_the_api_says(
    get: Any, exported: Any, form: str, symbol: str, timeframe: str, text: str
) -> None:
    body = get(f"/tickers/{symbol}/bars", timeframe=timeframe, limit=50_000, indicators=text)
    names, rows = exported(symbol, form, timeframe=timeframe, indicators=text)
    assert names == (["start"] if form == "json" else ["time"]) + body["columns"][1:]
    assert rows == [row[1:] for row in body["data"]]
    assert any(value is not None for row in rows for value in row[7:])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", HALVES)
def test_the_same_bar_has_the_same_values_wherever_a_range_begins(
    get: Any, exported: Any, form: str, text: str
) -> None:
    starts = [row[0] for row in get("/tickers/AAPL/bars", timeframe="5m", limit=50_000)["data"]]
    _names, whole = exported("AAPL", form, timeframe="5m", indicators=text)
    for at in (1, 300, len(starts) - 1):
        assert exported("AAPL", form, timeframe="5m", indicators=text, start=starts[at])[1] == whole[at:]
    _names, part = exported("AAPL", form, timeframe="5m", indicators=text, start=starts[700], end=starts[750])
    assert part == whole[700:750]
    assert None not in [value for row in part for value in row]


def test_the_newest_bars_of_the_api_are_warmed_up_too(get: Any) -> None:
    whole = get("/tickers/AAPL/bars", limit=50_000, indicators=HALVES[0])["data"]
    assert get("/tickers/AAPL/bars", limit=3, indicators=HALVES[0])["data"] == whole[-3:]
    query = {"start": whole[-40][0], "end": whole[-10][0], "limit": 5}
    assert get("/tickers/AAPL/bars", indicators=HALVES[0], **query)["data"] == whole[-15:-10]
    query = {"start": whole[-12][0], "end": whole[-10][0], "limit": 5}
    assert get("/tickers/AAPL/bars", indicators=HALVES[0], **query)["data"] == whole[-12:-10]


@pytest.mark.parametrize("form", FORMS)
def test_a_range_without_bars_has_the_columns_alone(get: Any, exported: Any, form: str) -> None:
    names, rows = exported("AAPL", form, indicators=SOME, start="2100-01-01", end="2100-01-02")
    assert names[8:] == NAMES
    assert rows == []
    assert exported("AAPL", form, indicators=SOME, end="1980-01-01")[1] == []
    assert get("/tickers/AAPL/bars", indicators=SOME, start="2100-01-01")["data"] == []


def test_the_files_name_is_that_of_the_bars(analyst: FlaskClient) -> None:
    plain = analyst.get("/api/v1/export/AAPL.csv?start=2026-11-23")
    more = analyst.get("/api/v1/export/AAPL.csv?start=2026-11-23&indicators=sma")
    assert more.headers["Content-Disposition"] == plain.headers["Content-Disposition"]


def test_a_price_that_moves_shows_in_the_forming_bars_values(small: House) -> None:
    client = small.enter("ada")
    store = small.runtime.store
    for price in (100.0, 120.0):
        small.clock.advance(1)
        small.tick(("AAPL", price))
        body = client.get("/api/v1/tickers/AAPL/bars?timeframe=1m&limit=1&indicators=sma:2").json
        closes = store.bars(0, TIMEFRAME_INDEX["1m"]).rows[-2:, 4]
        assert closes[-1] == price
        assert body["data"][0][8] == pytest.approx(closes.mean(), rel=1e-12)


def test_headers_alone_cost_no_indicators(analyst: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    compute = indicators.compute
    monkeypatch.setattr(indicators, "compute", lambda *given: asked.append(given) or compute(*given))
    path = "/api/v1/export/AAPL.csv?indicators=sma"
    assert analyst.head(path).data == b""
    assert not asked
    assert analyst.get(path).data
    assert len(asked) == 1


# -- what is refused -------------------------------------------------------------------------------------------------

ROUTES = ("/tickers/AAPL/bars", *(f"/export/AAPL.{form}" for form in FORMS))


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("", ""),
        ("sma:0", "sma:0"),
        ("sma:1000000000", "sma:1000000000"),
        ("rsi:abc", "rsi:abc"),
        ("smaa", "smaa"),
        ("sma,sma:20", "sma:20 twice"),
        ("macd:26:12:9", "macd:26:12:9"),
        (",".join(["obv"] * 11), ",".join(["obv"] * 11)),
        ("\ud7ff\0<b>", "\ud7ff\0<b>"),
    ],
)
def test_a_mistake_is_a_422_that_names_it(refused: Any, path: str, text: str, received: str) -> None:
    (error,) = refused(path, 422, {"indicators": text})["errors"]
    assert error["parameter"] == "indicators"
    assert error["received"] == received
    assert error["accepted"]


@pytest.mark.parametrize("path", ROUTES)
def test_a_text_without_end_is_refused_shortly(refused: Any, path: str) -> None:
    (error,) = refused(path, 422, {"indicators": "sma:5," * 10_000})["errors"]
    assert len(error["received"]) <= 100


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["sma", "nonsense", ""])
def test_ticks_have_no_indicators(refused: Any, form: str, text: str) -> None:
    (error,) = refused(f"/export/AAPL.{form}", 422, {"timeframe": "tick", "indicators": text})["errors"]
    assert error["parameter"] == "indicators"
    assert error["received"] == text
    if text == "sma":
        assert "ticks" in error["accepted"]
    refused("/tickers/AAPL/ticks", 422, {"indicators": "sma"})


def test_every_fault_is_named_at_once(refused: Any) -> None:
    problem = refused("/tickers/AAPL/bars", 422, "indicators=x&limit=0&timeframe=2m")
    assert {error["parameter"] for error in problem["errors"]} == {"indicators", "limit", "timeframe"}
    (error,) = refused("/export/AAPL.csv", 422, "indicators=sma&indicators=ema")["errors"]
    assert error == {"parameter": "indicators", "received": "sma, ema", "accepted": "given once"}
