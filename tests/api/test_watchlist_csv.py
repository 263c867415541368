"""A watchlist as CSV: the list's order and columns, the numbers of the API, and rows for what this market has not."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from dashboard.api import watchlist_csv
from dashboard.workbench.watchlists import VALUES
from tests.house import open_house

ADDRESS = "/api/v1/export/watchlist.csv"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def kept(client: FlaskClient, name: str, symbols: list[str], **more: Any) -> int:
    answer = client.post("/api/v1/watchlists", json={"name": name, "symbols": symbols, **more})
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


def test_without_a_list_every_instrument_has_a_row_with_the_numbers_of_the_api(analyst: FlaskClient, get: Any) -> None:
    answer = analyst.get(ADDRESS)
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == ('attachment; filename="simulated_watchlist_20261123T100042Z.csv"')
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.text.splitlines()[0] == ",".join(VALUES)
    quotes = get("/tickers")["data"]
    assert len(quotes) == 4
    for row, quote in zip(rows(answer.text), quotes, strict=True):
        assert (row["symbol"], row["name"], row["class"]) == (quote["symbol"], quote["name"], quote["class"])
        for name in ("price", "change", "change_percent", "bid", "ask", "volume", "open", "high", "low"):
            assert (float(row[name]) if row[name] else None) == quote[name], name
        assert (float(row["previous_close"]) if row["previous_close"] else None) == quote["previous_close"]
        spread = quote["ask"] - quote["bid"] if quote["ask"] is not None else None
        assert (float(row["spread"]) if row["spread"] else None) == spread
        assert row["stale"] == str(quote["stale"]).lower()
        assert row["age"] == ("" if quote["age_ms"] is None else str(quote["age_ms"]))
        moment = np.datetime64(row["time"].rstrip("Z"), "ms").astype(int) if row["time"] else None
        assert moment == quote["ts"]


def test_a_list_is_as_it_is_kept_in_its_order_and_columns(analyst: FlaskClient) -> None:
    number = kept(
        analyst,
        "Möbius & Co",
        ["MSFT", "GONE", "AAPL"],
        columns=["price", "trend", "symbol", "day_range", "stale"],
        sort={"column": "symbol"},
    )
    answer = analyst.get(f"{ADDRESS}?list={number}")
    assert "watchlist_M_bius___Co_" in answer.headers["Content-Disposition"]
    lines = answer.text.splitlines()
    assert lines[0] == "price,symbol,stale"
    assert [line.split(",")[1] for line in lines[1:]] == ["MSFT", "GONE", "AAPL"]
    assert lines[2] == ",GONE,"
    chosen = analyst.get(f"{ADDRESS}?list={number}&columns=symbol,class").text
    assert chosen == "symbol,class\nMSFT,stock\nGONE,\nAAPL,stock\n"


def test_a_list_without_instruments_or_with_drawn_columns_alone_is_a_file_all_the_same(analyst: FlaskClient) -> None:
    empty = kept(analyst, "empty", [], columns=list(VALUES))
    assert analyst.get(f"{ADDRESS}?list={empty}").text == ",".join(VALUES) + "\n"
    drawn = kept(analyst, "drawn", ["AAPL", "^GSPC"], columns=["trend"])
    assert analyst.get(f"{ADDRESS}?list={drawn}").text == "symbol\nAAPL\n^GSPC\n"
    lost = kept(analyst, "lost", ["GONE"], columns=["price"])
    assert len(rows("symbol," + analyst.get(f"{ADDRESS}?list={lost}&columns=price,time,age,name,stale").text)) == 1


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("list=x", "list"),
        ("list=0", "list"),
        ("list=", "list"),
        ("list=1&list=2", "list"),
        ("columns=", "columns"),
        ("columns=price,trend", "columns"),
        ("columns=price,price", "columns"),
        ("timeframe=1m", "timeframe"),
    ],
)
def test_a_bad_parameter_is_named(refused: Any, query: str, parameter: str) -> None:
    assert refused("/export/watchlist.csv", 422, query)["errors"][0]["parameter"] == parameter


def test_a_list_that_is_not_there_is_a_404(refused: Any) -> None:
    assert "there is no watchlist 77" in refused("/export/watchlist.csv", 404, "list=77")["detail"]


def test_a_name_from_a_catalogue_file_runs_no_formula(tmp_path: Any) -> None:
    file = tmp_path / "some.csv"
    file.write_text('symbol,name\nA,"=HYPERLINK(""http://evil.example"",""x"")"\nB,"@SUM(1,2)"\nC,"Plain, ""Inc."""\n')
    with open_house(tmp_path, {"ada": "viewer"}, SYMBOLS=str(file)) as house:
        answer = house.enter("ada").get(f"{ADDRESS}?columns=symbol,name,price")
        found = {row["symbol"]: row["name"] for row in rows(answer.text)}
    assert found == {"A": '\'=HYPERLINK("http://evil.example","x")', "B": "'@SUM(1,2)", "C": 'Plain, "Inc."'}


def test_what_is_no_number_is_an_empty_cell() -> None:
    values = np.array([np.inf, 1.5, np.nan])
    found = watchlist_csv._taken(values, np.array([1, 0, 2, -1]))
    assert found[0] == 1.5
    assert np.isnan(found[1:]).all()
