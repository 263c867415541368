"""The CSV export: what the API says, row by row, streamed in pieces, whole or visibly broken off."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.api.export import PIECE, Cut
from dashboard.market.bars import TIMEFRAMES
from tests.api.streaming import many, streamed
from tests.house import House

CELL = re.compile(r"[0-9][0-9.e+\-]*|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|")


def table(text: str) -> tuple[list[str], list[list[str]]]:
    """(header, rows) of a CSV text."""
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def ms(text: str) -> int:
    """UTC ms of an exported time, which has to be in the one format."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text), text
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def number(text: str) -> float | None:
    return float(text) if text else None


def stamp(at_ms: float) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


@pytest.fixture
def export(analyst: FlaskClient) -> Any:
    """`export(symbol)` gives (header, rows, file name)."""

    def got(symbol: str, **query: object) -> tuple[list[str], list[list[str]], str]:
        answer = analyst.get(f"/api/v1/export/{symbol}.csv", query_string={key: str(v) for key, v in query.items()})
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "text/csv"
        name = re.fullmatch(r'attachment; filename="([^"]+)"', answer.headers["Content-Disposition"])
        assert name is not None
        return *table(answer.text), name.group(1)

    return got


@pytest.mark.parametrize("timeframe", [frame.name for frame in TIMEFRAMES])
@pytest.mark.parametrize("symbol", ["AAPL", "BTC-USD"])
def test_bars_equal_the_api_row_by_row(get: Any, export: Any, symbol: str, timeframe: str) -> None:
    header, rows, _name = export(symbol, timeframe=timeframe)
    assert header == ["time", "open", "high", "low", "close", "volume", "trades", "flags"]
    expected = get(f"/tickers/{symbol}/bars", timeframe=timeframe, limit=50_000)["data"]
    assert [[ms(row[0]), *map(number, row[1:])] for row in rows] == expected


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT", "BTC-USD"])
def test_ticks_equal_the_api_row_by_row(get: Any, export: Any, symbol: str) -> None:
    header, rows, _name = export(symbol, timeframe="tick")
    assert header == ["time", "seq", "price", "size", "bid", "ask"]
    expected = get(f"/tickers/{symbol}/ticks", limit=50_000)["data"]
    assert [[*map(number, row[1:]), ms(row[0])] for row in rows] == expected


def test_without_a_timeframe_it_is_the_minute(export: Any) -> None:
    assert export("AAPL") == export("AAPL", timeframe="1m")


def test_numbers_are_the_shortest_text_that_is_the_same_float(export: Any, market: House) -> None:
    _header, rows, _name = export("BTC-USD", timeframe="tick")
    for row, kept in zip(rows, market.runtime.store.ticks(2).rows.tolist(), strict=True):
        assert float(row[2]) == kept[1]
        assert len(row[2]) <= len(repr(kept[1]))
        assert row[1] == str(int(kept[0])), "a whole number is written as one"


def test_a_range_keeps_what_lies_in_it(get: Any, export: Any) -> None:
    bars = get("/tickers/AAPL/bars", limit=50_000)["data"]
    _header, rows, _name = export("AAPL", start=bars[-30][0], end=bars[-10][0])
    assert [ms(row[0]) for row in rows] == [row[0] for row in bars[-30:-10]]
    ticks = get("/tickers/AAPL/ticks", limit=50_000)["data"]
    low, high = ticks[10][5], ticks[40][5]
    _header, rows, _name = export("AAPL", timeframe="tick", start=low, end=high)
    assert [int(row[1]) for row in rows] == [row[0] for row in ticks if low <= row[5] < high]


def test_a_range_without_anything_is_a_header(export: Any) -> None:
    for timeframe in ("1m", "tick"):
        _header, rows, name = export("AAPL", timeframe=timeframe, start="2100-01-01", end="2100-01-02")
        assert rows == []
        assert name == f"simulated_AAPL_{timeframe}_21000101T000000Z_21000102T000000Z.csv"


def test_the_file_name_says_simulated_symbol_timeframe_and_what_it_holds(get: Any, export: Any) -> None:
    bars = get("/tickers/AAPL/bars", timeframe="5m", limit=50_000)["data"]
    assert export("AAPL", timeframe="5m")[2] == f"simulated_AAPL_5m_{stamp(bars[0][0])}_{stamp(bars[-1][0])}.csv"
    times = [row[5] for row in get("/tickers/MSFT/ticks", limit=50_000)["data"]]
    assert export("MSFT", timeframe="tick")[2] == f"simulated_MSFT_tick_{stamp(min(times))}_{stamp(max(times))}.csv"


def test_a_symbol_with_signs_makes_a_file_name_that_every_system_takes(export: Any) -> None:
    assert re.fullmatch(r"simulated__GSPC_1m_\d{8}T\d{6}Z_\d{8}T\d{6}Z\.csv", export("%5EGSPC")[2])


@pytest.mark.parametrize("timeframe", ["1m", "tick"])
def test_no_cell_is_a_formula_to_a_spreadsheet(export: Any, timeframe: str) -> None:
    for symbol in ("AAPL", "BTC-USD", "%5EGSPC"):
        header, rows, _name = export(symbol, timeframe=timeframe)
        assert all(re.fullmatch(r"[a-z]+", cell) for cell in header)
        assert all(CELL.fullmatch(cell) for row in rows for cell in row)


def test_a_file_of_yesterday_is_never_taken_out_of_a_cache(analyst: FlaskClient) -> None:
    assert analyst.get("/api/v1/export/AAPL.csv").headers["Cache-Control"] == "no-store"


# -- streaming -------------------------------------------------------------------------------------------------------


def test_an_export_comes_in_pieces_of_constant_size(small: House) -> None:
    many(small, 3 * PIECE + 7)
    pieces = list(streamed(small))
    assert len(pieces) >= 4
    assert max(piece.count(b"\n") for piece in pieces) <= PIECE + 1
    _header, rows = table(b"".join(pieces).decode())
    assert [int(row[1]) for row in rows] == list(range(1, 3 * PIECE + 8))


@pytest.mark.parametrize("count", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1, 2 * PIECE + 2])
def test_pieces_join_without_a_hole_or_a_repeat(small: House, count: int) -> None:
    if count:
        many(small, count)
    _header, rows = table(b"".join(streamed(small)).decode())
    assert [int(row[1]) for row in rows] == list(range(1, count + 1))


def test_an_export_ends_with_what_there_was_when_it_was_asked_for(small: House) -> None:
    many(small, PIECE + 100)
    pieces = streamed(small)
    begun = [next(pieces), next(pieces)]
    many(small, 5_000)
    _header, rows = table(b"".join([*begun, *pieces]).decode())
    assert len(rows) == PIECE + 100


def test_ticks_that_are_overwritten_while_it_is_read_break_it_off(small: House) -> None:
    many(small, 3 * PIECE)
    pieces = streamed(small)
    next(pieces), next(pieces)
    for _ in range(5):
        many(small, 20_000)
    with pytest.raises(Cut):
        list(pieces)


def test_another_instrument_that_is_overwritten_does_not_break_it_off(small: House) -> None:
    many(small, 3 * PIECE)
    pieces = streamed(small)
    begun = [next(pieces), next(pieces)]
    for _ in range(6):
        many(small, 20_000, symbols=(1,))
    _header, rows = table(b"".join([*begun, *pieces]).decode())
    assert len(rows) == 3 * PIECE


def test_a_new_epoch_breaks_it_off(small: House) -> None:
    many(small, 3 * PIECE)
    pieces = streamed(small)
    next(pieces), next(pieces)
    small.runtime.store.reset()
    many(small, 10)
    with pytest.raises(Cut):
        list(pieces)
