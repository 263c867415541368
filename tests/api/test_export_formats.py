"""Exports as JSON and Parquet: bit for bit what the store has, in the shape of the API or as a table with types."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from flask.testing import FlaskClient

from dashboard.api.export import PIECE, Cut
from dashboard.api.formats import GROUP
from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.store.change import BAR_COLUMNS
from dashboard.store.memory import TICK_COLUMNS
from tests.api.conftest import parsed
from tests.api.streaming import many, streamed
from tests.house import House

MIMETYPES = {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}
SERIES = [(symbol, frame.name) for symbol in ("AAPL", "BTC-USD") for frame in TIMEFRAMES]
TICKS = [(symbol, "tick") for symbol in ("AAPL", "MSFT", "BTC-USD")]


@pytest.fixture
def export(analyst: FlaskClient) -> Any:
    """`export(symbol, form)` gives the body of an export."""

    def got(symbol: str, form: str, **query: object) -> bytes:
        given = {key: str(value) for key, value in query.items()}
        answer = analyst.get(f"/api/v1/export/{symbol}.{form}", query_string=given)
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == MIMETYPES[form]
        return answer.data

    return got


def kept(house: House, symbol: str, timeframe: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The rows as the store has them."""
    store = house.runtime.store
    at = store.catalogue.require(symbol)
    return store.ticks(at).rows if timeframe == "tick" else store.bars(at, TIMEFRAME_INDEX[timeframe]).rows


def table(body: bytes) -> pyarrow.Table:
    return pyarrow.parquet.read_table(io.BytesIO(body))


def columns_of(timeframe: str) -> tuple[str, ...]:
    return TICK_COLUMNS if timeframe == "tick" else BAR_COLUMNS


# -- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("symbol", "timeframe"), SERIES + TICKS)
def test_json_is_the_answer_of_the_api(get: Any, analyst: FlaskClient, symbol: str, timeframe: str) -> None:
    answer = parsed(analyst.get(f"/api/v1/export/{symbol}.json?timeframe={timeframe}"))
    what, query = ("ticks", {}) if timeframe == "tick" else ("bars", {"timeframe": timeframe})
    expected = get(f"/tickers/{symbol}/{what}", limit=50_000, **query)
    assert list(answer) == ["epoch", "seq", "symbol", "timeframe", "columns", "data"]
    assert answer["timeframe"] == timeframe
    for name in ("epoch", "seq", "symbol", "columns", "data"):
        assert answer[name] == expected[name], name
    assert answer["data"]
    whole = {"seq", "ts", "start", "trades", "flags"} & set(answer["columns"])
    assert all(type(row[answer["columns"].index(name)]) is int for row in answer["data"] for name in whole)


@pytest.mark.parametrize(("symbol", "timeframe"), [("BTC-USD", "tick"), ("BTC-USD", "1s"), ("MSFT", "tick")])
def test_json_is_the_store_bit_for_bit(market: House, export: Any, symbol: str, timeframe: str) -> None:
    data = json.loads(export(symbol, "json", timeframe=timeframe))["data"]
    rows = np.array([[np.nan if cell is None else cell for cell in row] for row in data], dtype=np.float64)
    np.testing.assert_array_equal(rows, kept(market, symbol, timeframe))
    text = export(symbol, "json", timeframe=timeframe).decode().partition('"data":')[2]
    for number in re.findall(r"[^\[\],}]+", text):
        assert number == "null" or len(number) <= len(repr(float(number)))


def test_a_range_without_anything_is_an_empty_list_and_an_empty_table(export: Any) -> None:
    for timeframe in ("1m", "tick"):
        query = {"timeframe": timeframe, "start": "2100-01-01", "end": "2100-01-02"}
        assert json.loads(export("AAPL", "json", **query))["data"] == []
        assert table(export("AAPL", "parquet", **query)).num_rows == 0


# -- Parquet ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("symbol", "timeframe"), SERIES + TICKS)
def test_parquet_is_the_store_bit_for_bit(market: House, export: Any, symbol: str, timeframe: str) -> None:
    read = table(export(symbol, "parquet", timeframe=timeframe))
    rows = kept(market, symbol, timeframe)
    names = columns_of(timeframe)
    stamp = "ts" if timeframe == "tick" else "start"
    assert read.column_names == ["time", *(name for name in names if name != stamp)]
    for at, name in enumerate(names):
        column = read["time" if name == stamp else name]
        if name == stamp:
            assert column.type == pyarrow.timestamp("ms", "UTC")
            column = column.cast(pyarrow.int64())
        elif name in ("seq", "trades", "flags"):
            assert column.type == pyarrow.int64()
        else:
            assert column.type == pyarrow.float64()
            assert column.null_count == np.isnan(rows[:, at]).sum(), "what is missing is null, not NaN"
        np.testing.assert_array_equal(column.to_numpy(), rows[:, at])


def test_parquet_says_what_it_is_of(market: House, export: Any) -> None:
    for timeframe in ("5m", "tick"):
        said = table(export("BTC-USD", "parquet", timeframe=timeframe)).schema.metadata
        store = market.runtime.store
        assert {name.decode(): value.decode() for name, value in said.items()} == {
            "symbol": "BTC-USD",
            "timeframe": timeframe,
            "epoch": store.epoch,
            "seq": str(store.seq),
        }


# -- the route -------------------------------------------------------------------------------------------------------


def test_a_range_keeps_what_lies_in_it(get: Any, export: Any) -> None:
    ticks = get("/tickers/AAPL/ticks", limit=50_000)["data"]
    low, high = ticks[10][5], ticks[40][5]
    query = {"timeframe": "tick", "start": low, "end": high}
    expected = [row for row in ticks if low <= row[5] < high]
    assert json.loads(export("AAPL", "json", **query))["data"] == expected
    assert table(export("AAPL", "parquet", **query))["seq"].to_pylist() == [row[0] for row in expected]


@pytest.mark.parametrize("form", ["json", "parquet"])
@pytest.mark.parametrize("query", ["", "?timeframe=tick", "?timeframe=1h&start=2020-01-01"])
def test_headers_and_names_are_those_of_the_csv(analyst: FlaskClient, form: str, query: str) -> None:
    made = analyst.get(f"/api/v1/export/%5EGSPC.{form}{query}")
    csv = analyst.get(f"/api/v1/export/%5EGSPC.csv{query}")
    assert made.headers["Content-Disposition"] == csv.headers["Content-Disposition"].replace(".csv", f".{form}")
    for name in ("Cache-Control", "X-Accel-Buffering"):
        assert made.headers[name] == csv.headers[name]
    assert "Content-Encoding" not in made.headers, "a file is streamed as it is"


@pytest.mark.parametrize("form", MIMETYPES)
def test_head_gives_the_headers_alone(analyst: FlaskClient, form: str) -> None:
    path = f"/api/v1/export/AAPL.{form}?timeframe=tick"
    head, full = analyst.head(path), analyst.get(path)
    assert head.status_code == 200
    assert head.data == b""
    for name in ("Content-Type", "Content-Disposition", "Cache-Control"):
        assert head.headers[name] == full.headers[name]
    assert "Content-Length" not in head.headers, "a stream does not know its length"


@pytest.mark.parametrize("form", MIMETYPES)
def test_what_can_not_be_exported_is_refused_alike(market: House, refused: Any, form: str) -> None:
    assert "AAPL" in refused(f"/export/AAPLE.{form}", 404)["near"]
    for query, parameter in (("timeframe=2m", "timeframe"), ("limit=5", "limit"), ("start=yesterday", "start")):
        problem = refused(f"/export/AAPL.{form}", 422, query)
        assert problem["errors"][0]["parameter"] == parameter
    assert market.stranger().get(f"/api/v1/export/AAPL.{form}").status_code == 401
    assert market.enter("ada").post(f"/api/v1/export/AAPL.{form}").status_code == 405


def test_another_ending_is_no_export(refused: Any) -> None:
    for name in ("AAPL.xlsx", "AAPL", "AAPL.CSV"):
        refused(f"/export/{name}", 404)


# -- streaming -------------------------------------------------------------------------------------------------------


def seqs(form: str, body: bytes) -> list[int]:
    if form == "json":
        return [row[0] for row in json.loads(body)["data"]]
    return table(body)["seq"].to_pylist()


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_pieces_join_without_a_hole_or_a_repeat(small: House, form: str) -> None:
    for count in (0, 1, PIECE, PIECE + 1, 3 * PIECE + 7):
        small.runtime.store.reset()
        if count:
            many(small, count)
        pieces = list(streamed(small, form))
        assert seqs(form, b"".join(pieces)) == list(range(1, count + 1))
        assert pieces[0], "the first bytes need no row"
        assert max(map(len, pieces)) < 60 * PIECE * (1 if form == "json" else GROUP)


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_an_export_ends_with_what_there_was_when_it_was_asked_for(small: House, form: str) -> None:
    many(small, PIECE + 100)
    pieces = streamed(small, form)
    begun = [next(pieces)]
    many(small, 5_000)
    assert seqs(form, b"".join([*begun, *pieces])) == list(range(1, PIECE + 101))


@pytest.mark.parametrize("form", MIMETYPES)
def test_ticks_that_are_overwritten_before_the_first_row_is_read_are_missed(small: House, form: str) -> None:
    many(small, 2 * PIECE)
    pieces = streamed(small, form)
    begun = [next(pieces)]
    for _ in range(4):
        many(small, PIECE)
    with pytest.raises(Cut):
        begun.extend(pieces)


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_what_fits_into_a_piece_is_whole_whatever_comes_meanwhile(small: House, form: str) -> None:
    many(small, PIECE)
    pieces = streamed(small, form)
    begun = [next(pieces)]
    for _ in range(4):
        many(small, PIECE)
    assert seqs(form, b"".join([*begun, *pieces])) == list(range(1, PIECE + 1))


@pytest.mark.parametrize("form", ["json", "parquet"])
@pytest.mark.parametrize("by", ["overwritten", "new epoch"])
def test_what_breaks_off_can_not_be_taken_for_whole(small: House, form: str, by: str) -> None:
    many(small, 3 * PIECE)
    pieces = streamed(small, form)
    begun = [next(pieces), *([next(pieces)] if form == "json" else [])]
    if by == "new epoch":
        small.runtime.store.reset()
        many(small, 10)
    else:
        for _ in range(5):
            many(small, PIECE)
    with pytest.raises(Cut):
        while True:
            begun.append(next(pieces))
    with pytest.raises((json.JSONDecodeError, pyarrow.ArrowInvalid)):
        seqs(form, b"".join(begun))
