"""What the API refuses: each bad parameter is named with what came and what is accepted; nothing odd is a 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROWS = "/tickers/AAPL/bars", "/tickers/AAPL/ticks"


@pytest.mark.parametrize("path", ROWS)
@pytest.mark.parametrize(
    "value",
    [
        "0",
        "-1",
        "50001",
        "1e400",
        "1e3",
        "abc",
        "",
        "1.5",
        "0x10",
        "1_000",
        "٣",
        "99999999999999999999999",
        "null",
        "5 0",
    ],
)
def test_a_bad_limit_is_a_422_in_the_words_of_the_contract(refused: Any, path: str, value: str) -> None:
    problem = refused(path, 422, {"limit": value})
    assert problem["errors"] == [{"parameter": "limit", "received": value, "accepted": "1 to 50000"}]
    assert problem["detail"] == f"limit must be between 1 and 50000, got {value or 'nothing'}"


@pytest.mark.parametrize("path", [*ROWS, "/tickers", "/tickers/AAPL", "/export/AAPL.csv"])
@pytest.mark.parametrize("name", ["x", "Limit", "limit ", "__proto__", "<b>", "n" * 10_000])
def test_an_unknown_parameter_is_named_with_those_there_are(refused: Any, path: str, name: str) -> None:
    (error,) = refused(path, 422, {name: "1"})["errors"]
    assert error["parameter"] == name[:60]
    assert error["received"] == "1"
    assert "this takes" in error["accepted"]


def test_the_accepted_ones_are_named(refused: Any) -> None:
    (error,) = refused("/tickers/AAPL/ticks", 422, "q=1")["errors"]
    assert all(name in error["accepted"] for name in ("start", "end", "epoch", "after_seq", "limit"))


@pytest.mark.parametrize("path", ROWS)
def test_a_repeated_parameter_is_refused_and_never_picked_from(refused: Any, path: str) -> None:
    (error,) = refused(path, 422, "limit=5&limit=6")["errors"]
    assert error == {"parameter": "limit", "received": "5, 6", "accepted": "given once"}


def test_every_fault_is_named_at_once(refused: Any) -> None:
    problem = refused("/tickers/AAPL/bars", 422, "limit=0&timeframe=2m&x=1&start=soon")
    assert {error["parameter"] for error in problem["errors"]} == {"limit", "timeframe", "x", "start"}
    assert all(name in problem["detail"] for name in ("limit", "timeframe", "x must", "start"))


@pytest.mark.parametrize("path", [*ROWS, "/export/AAPL.csv"])
@pytest.mark.parametrize("name", ["start", "end"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "-1",
        "1e400",
        "NaN",
        "yesterday",
        "2026-02-30",
        "2026-11-23T25:00",
        "2026-11-23T10:00:60",
        "2026-13-01",
        "0000-01-01",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "99999999999999999",
        "253402300800000",
        "23.11.2026",
        "2026-11-23T10:00:00+99:99",
        "٢٠٢٦-١١-٢٣",
        "1.5",
    ],
)
def test_a_time_that_is_none_is_a_422(refused: Any, path: str, name: str, value: str) -> None:
    (error,) = refused(path, 422, {name: value})["errors"]
    assert (error["parameter"], error["received"]) == (name, value)
    assert error["accepted"]


@pytest.mark.parametrize("path", [*ROWS, "/export/AAPL.csv"])
def test_a_start_after_the_end_is_a_422(refused: Any, path: str) -> None:
    (error,) = refused(path, 422, "start=2026-11-23T10:00:01Z&end=2026-11-23T10:00:00Z")["errors"]
    assert (error["parameter"], error["received"]) == ("start", "2026-11-23T10:00:01Z")
    assert "end" in error["accepted"]


@pytest.mark.parametrize("value", ["", "2m", "1M", "tick", "60", "1m ", "1m,5m", "x" * 5_000])
def test_an_unknown_timeframe_names_all_there_are(refused: Any, value: str) -> None:
    (error,) = refused("/tickers/AAPL/bars", 422, {"timeframe": value})["errors"]
    assert error["parameter"] == "timeframe"
    assert error["received"][:99] == value[:99]
    assert error["accepted"] == "one of 1s, 5s, 15s, 1m, 5m, 15m, 1h, 1d"


@pytest.mark.parametrize("value", ["", "-1", "1.0", "abc", "1e400", str(2**63), "٣"])
def test_a_bad_after_seq_is_a_422(refused: Any, value: str) -> None:
    (error,) = refused("/tickers/AAPL/ticks", 422, {"after_seq": value})["errors"]
    assert (error["parameter"], error["received"]) == ("after_seq", value)


@pytest.mark.parametrize("value", ["", " ", "a b", "<b>", "x" * 41])
def test_an_epoch_that_can_be_none_is_a_422(refused: Any, value: str) -> None:
    (error,) = refused("/tickers/AAPL/ticks", 422, {"epoch": value})["errors"]
    assert error["parameter"] == "epoch"


@pytest.mark.parametrize(
    ("symbol", "near"),
    [("AAPLE", ["AAPL"]), ("aapl", ["AAPL"]), ("MSF", ["MSFT"]), ("BTC", ["BTC-USD"]), ("GSPC", ["^GSPC"])],
)
def test_an_unknown_symbol_is_a_404_with_near_matches(refused: Any, symbol: str, near: list[str]) -> None:
    for path in (f"/tickers/{symbol}", f"/tickers/{symbol}/bars", f"/tickers/{symbol}/ticks", f"/export/{symbol}.csv"):
        problem = refused(path, 404)
        assert problem["near"] == near, path
        assert near[0] in problem["detail"]


def test_nothing_alike_is_an_empty_list(refused: Any) -> None:
    assert refused("/tickers/QQQQZZZZ", 404)["near"] == []


ODD = [
    '"',
    "'",
    "' OR 1=1 --",
    "a/b",
    "AAPL/x",
    "/AAPL",
    "a//b",
    "<script>alert(1)</script>",
    "A" * 10_000,
    "\x00",
    "\r\nX: y",
    "%",
    "%41",
    "é",
    "\U0001f600",
    "\u202e",
    "..",
    "../..",
    "AAPL.csv",
    " AAPL",
    "AAPL ",
    ".",
    "{0}",
    "${x}",
    "\\",
]


@pytest.mark.parametrize("symbol", ODD)
def test_an_odd_symbol_is_a_404_problem_and_nothing_worse(refused: Any, symbol: str) -> None:
    escaped = quote(symbol, safe="")
    for path in (
        f"/tickers/{escaped}",
        f"/tickers/{escaped}/bars",
        f"/tickers/{escaped}/ticks",
        f"/export/{escaped}.csv",
    ):
        assert len(refused(path, 404)["detail"]) < 300


def test_html_in_a_problem_is_never_taken_for_a_page(analyst: FlaskClient) -> None:
    answer = analyst.get("/api/v1/tickers/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/tickers", "/tickers/AAPL", "/tickers/AAPL/bars", "/export/AAPL.csv"])
def test_what_is_read_can_not_be_changed(analyst: FlaskClient, method: str, path: str) -> None:
    answer = analyst.open(f"/api/v1{path}", method=method)
    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/tickers/", "/export/", "/export/AAPL", "/export/.csv"])
def test_what_is_not_there_is_a_404_problem(refused: Any, path: str) -> None:
    refused(path, 404)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.dictionaries(
        st.sampled_from(["start", "end", "limit", "timeframe", "epoch", "after_seq"]) | st.text(max_size=5),
        st.text(max_size=12) | st.integers().map(str) | st.floats().map(str) | st.datetimes().map(str),
        max_size=3,
    ),
    path=st.sampled_from([*ROWS, "/tickers", "/export/AAPL.csv"]),
)
def test_whatever_is_asked_the_answer_is_data_or_a_clear_refusal(
    analyst: FlaskClient, query: dict[str, str], path: str
) -> None:
    query = {key: value.encode("utf-8", "replace").decode() for key, value in query.items()}
    answer = analyst.get(
        f"/api/v1{path}", query_string={k.encode("utf-8", "replace").decode(): v for k, v in query.items()}
    )
    assert answer.status_code in (200, 409, 422)
    if answer.status_code == 422:
        assert all(error["parameter"] is not None and error["accepted"] for error in answer.get_json()["errors"])


def test_of_many_faults_twenty_are_told(refused: Any) -> None:
    problem = refused(ROWS[0], 422, {f"x{number}": "1" for number in range(300)})
    assert [error["parameter"] for error in problem["errors"]] == [f"x{number}" for number in range(20)]
