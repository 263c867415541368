"""Compared instruments by HTTP: the numbers are pandas' of the bars that the API gives, and mistakes are named."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient

from tests.house import House

AT = "/tickers/AAPL/comparison"


def frame(get: Any, symbol: str, timeframe: str, **query: object) -> pd.Series[float]:
    """The closes of an instrument by the start of their bar."""
    body = get(f"/tickers/{symbol}/bars", timeframe=timeframe, limit=50_000, **query)
    rows = pd.DataFrame(body["data"], columns=body["columns"])
    return pd.Series(rows["close"].to_numpy(dtype=np.float64), index=rows["start"].to_numpy())


def asked(get: Any, **query: object) -> pd.DataFrame:
    body = get(AT, **query)
    made = pd.DataFrame(body["data"], columns=body["columns"], dtype=np.float64)
    return made.set_index(made["start"].astype(np.int64)).drop(columns="start")


def test_closes_and_indices_are_those_of_the_bars(get: Any) -> None:
    found = asked(get, compare="MSFT,BTC-USD", timeframe="1s")
    assert list(found.columns) == [
        f"{what}_{symbol}" for what in ("close", "index") for symbol in ("AAPL", "MSFT", "BTC-USD")
    ]
    own = frame(get, "AAPL", "1s")
    assert list(found.index) == list(own.index)
    for symbol in ("AAPL", "MSFT", "BTC-USD"):
        close = frame(get, symbol, "1s").reindex(own.index)
        np.testing.assert_array_equal(found[f"close_{symbol}"], close)
        np.testing.assert_allclose(found[f"index_{symbol}"], 100 * close / close.dropna().iloc[0])
    assert found["close_MSFT"].isna().any(), "a bar that there is not was made up"


@pytest.mark.parametrize(("mode", "factor"), [("spread", 1.0), ("spread", -2.5), ("ratio", 1.0)])
def test_a_spread_and_a_ratio_are_of_the_first_two(get: Any, mode: str, factor: float) -> None:
    found = asked(get, compare="MSFT,^GSPC", mode=mode, timeframe="1m", **({} if factor == 1 else {"factor": factor}))
    own, other = frame(get, "AAPL", "1m"), frame(get, "MSFT", "1m").reindex(frame(get, "AAPL", "1m").index)
    expected = own - factor * other if mode == "spread" else own / other
    np.testing.assert_allclose(found[f"{mode}_AAPL_MSFT"], expected)
    assert not any(name.startswith("index") for name in found.columns)


def test_a_correlation_begins_before_the_range(get: Any) -> None:
    own = frame(get, "AAPL", "1m")
    other = frame(get, "MSFT", "1m")
    logs = np.log(pd.DataFrame({"own": own, "other": other}).dropna()).diff()
    expected = logs["own"].rolling(20).corr(logs["other"]).reindex(own.index)
    start = int(own.index[-30])
    found = asked(get, compare="MSFT", correlation=20, timeframe="1m", start=start)
    assert len(found) == 30
    np.testing.assert_allclose(found["correlation_AAPL_MSFT_20"], expected.loc[start:], atol=1e-6)
    assert found["index_AAPL"].iloc[0] == 100


def test_the_file_is_what_the_answer_says(get: Any, analyst: FlaskClient) -> None:
    query = "compare=MSFT,^GSPC&timeframe=1m&limit=25&correlation=10"
    answer = analyst.get(f"/api/v1{AT}.csv?{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    body = get(AT, compare="MSFT,^GSPC", timeframe="1m", limit=25, correlation=10)
    head, *lines = csv.reader(io.StringIO(answer.text))
    assert head == ["time", *body["columns"][1:]]
    got = [[float(cell) if cell else None for cell in line[1:]] for line in lines]
    assert got == [row[1:] for row in body["data"]]
    stamps = pd.to_datetime([line[0] for line in lines]).as_unit("ms").astype(np.int64)
    assert stamps.tolist() == [row[0] for row in body["data"]]
    name = answer.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="simulated_AAPL_MSFT__GSPC_1m_indexed_2026')
    assert name.endswith('Z.csv"')


def test_of_no_bars_there_is_an_empty_table(get: Any, analyst: FlaskClient) -> None:
    assert get(AT, compare="MSFT", end="1971-01-01", correlation=5)["data"] == []
    assert analyst.get(f"/api/v1{AT}.csv?compare=MSFT&end=1971-01-01").text.count("\n") == 1


@pytest.mark.parametrize(
    ("query", "parameter", "accepted"),
    [
        ("", "compare", "one to four other symbols"),
        ("compare=", "compare", "instruments that there are"),
        ("compare=NOPE", "compare", "instruments that there are"),
        ("compare=MSFT,NOPE", "compare", "instruments that there are"),
        ("compare=MSFT,MSFT", "compare", "each once"),
        ("compare=AAPL", "compare", "other than AAPL itself"),
        ("compare=MSFT,BTC-USD,^GSPC,MSFT,MSFT", "compare", "4 symbols at most"),
        ("compare=MSFT&mode=sum", "mode", "one of indexed, spread, ratio"),
        ("compare=MSFT&mode=spread&factor=0", "factor", "a number other than 0"),
        ("compare=MSFT&mode=spread&factor=1e3", "factor", "a number other than 0"),
        ("compare=MSFT&factor=1000000001", "factor", "at most 1e+09"),
        ("compare=MSFT&correlation=4", "correlation", "5 to 500"),
        ("compare=MSFT&correlation=all", "correlation", "5 to 500"),
        ("compare=MSFT&timeframe=2m", "timeframe", "1m"),
        ("compare=MSFT&limit=0", "limit", "1 to 50000"),
        ("compare=MSFT&symbols=AAPL", "symbols", "left out"),
    ],
)
@pytest.mark.parametrize("path", [AT, f"{AT}.csv"])
def test_a_mistake_is_named(refused: Any, path: str, query: str, parameter: str, accepted: str) -> None:
    problem = refused(path, 422, query)
    (fault,) = problem["errors"]
    assert fault["parameter"] == parameter
    assert accepted in fault["accepted"]


def test_an_unknown_instrument_is_not_there(refused: Any) -> None:
    assert "there is no instrument 'AAPM'" in refused("/tickers/AAPM/comparison", 404, "compare=MSFT")["detail"]


def test_a_stranger_gets_nothing(market: House) -> None:
    assert market.stranger().get(f"/api/v1{AT}?compare=MSFT").status_code == 401
