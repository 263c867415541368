"""Files of compared instruments: every form has the numbers of the JSON, a receipt that says how to make it again, and
what every export has: a zone, a length in rows, a place.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.api import export, places
from dashboard.api.export import Cut
from dashboard.api.receipts import canonical, iso
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.verify.files import read
from tests.api.test_receipts import address_of
from tests.house import House, open_house

AT = "/api/v1/tickers/AAPL/comparison"
FORMS = ("csv", "json", "parquet")
QUERIES: tuple[dict[str, Any], ...] = (
    {"compare": "MSFT,BTC-USD", "timeframe": "1s"},
    {"compare": "MSFT,^GSPC", "mode": "spread", "factor": -2.5, "limit": 40},
    {"compare": "MSFT", "mode": "ratio", "correlation": 10, "timeframe": "5m"},
    {"compare": "MSFT,^GSPC,BTC-USD", "correlation": 20, "end": "2026-11-23T00:00:00Z"},
)


def file_of(client: FlaskClient, form: str, query: dict[str, Any]) -> tuple[TestResponse, dict[str, Any]]:
    """(answer, receipt) of a file, wherever its receipt is."""
    answer = client.get(f"{AT}.{form}", query_string=query, buffered=True)
    assert answer.status_code == 200, answer.text
    if form == "parquet":
        assert "Link" not in answer.headers
        said = pyarrow.parquet.read_metadata(io.BytesIO(answer.data)).metadata[b"receipt"]
        return answer, json.loads(said)
    return answer, json.loads(client.get(address_of(answer)).data)


def cells(form: str, body: bytes) -> tuple[list[str], list[list[float | None]]]:
    """(columns, rows) of a file without its local time, times as UTC ms."""
    if form == "json":
        said = json.loads(body)
        names, rows = said["columns"], said["data"]
    elif form == "csv":
        names, *lines = csv.reader(io.StringIO(body.decode()))
        rows = [[line[0], *(float(cell) if cell else None for cell in line[1:])] for line in lines]
    else:
        table = pyarrow.parquet.read_table(io.BytesIO(body))
        names, rows = table.column_names, [list(row.values()) for row in table.to_pylist()]
    if form != "json":
        stamps = [datetime.fromisoformat(row[0]) if form == "csv" else row[0] for row in rows]
        rows = [[round(at.timestamp() * 1000), *row[1:]] for at, row in zip(stamps, rows, strict=True)]
    return ["start" if name == "time" else name for name in names], rows


@pytest.mark.parametrize("query", QUERIES)
def test_every_form_has_the_numbers_of_the_answer_and_says_how_many(
    get: Any, analyst: FlaskClient, query: dict[str, Any]
) -> None:
    told = get("/tickers/AAPL/comparison", **query)
    assert len(told["data"]) > 20
    for form in FORMS:
        answer, receipt = file_of(analyst, form, query)
        assert cells(form, answer.data) == (told["columns"], told["data"])
        assert int(answer.headers["X-Rows"]) == receipt["rows"] == len(told["data"])
        assert receipt["columns"] == ["time", *told["columns"][1:]]
        assert answer.headers["Cache-Control"] == "no-store"
    body = json.loads(analyst.get(f"{AT}.json", query_string=query).data)
    assert body == told
    metadata = pyarrow.parquet.read_schema(io.BytesIO(analyst.get(f"{AT}.parquet", query_string=query).data)).metadata
    assert metadata[b"compare"].decode() == query["compare"]
    assert metadata[b"mode"].decode() == told["mode"]


@pytest.mark.parametrize("form", FORMS)
def test_the_receipt_says_what_was_compared_so_that_the_file_can_be_made_again(
    market: House, analyst: FlaskClient, get: Any, form: str
) -> None:
    bars = get("/tickers/AAPL/bars", limit=50_000)["data"]
    low, high = int(bars[-30][0]) - 7, int(bars[-10][0])
    spread = {"compare": "MSFT,^GSPC", "mode": "spread", "factor": 0.000001, "start": low, "end": high}
    answer, receipt = file_of(analyst, form, spread | {"factor": "0.000001", "correlation": 10})
    store = market.runtime.store
    assert (receipt["receipt"], receipt["format"], receipt["symbol"], receipt["timeframe"]) == (1, form, "AAPL", "1m")
    assert receipt["asked"] == {
        "start": iso(low),
        "end": iso(high),
        "compare": "MSFT,^GSPC",
        "mode": "spread",
        "factor": 0.000001,
        "correlation": 10,
        "limit": None,
    }
    assert receipt["given"] == {"first": iso(bars[-30][0]), "last": iso(bars[-11][0])}
    oldest = [store.bars(store.catalogue.require(one), TIMEFRAME_INDEX["1m"]) for one in ("AAPL", "MSFT", "^GSPC")]
    assert receipt["correlations_from"] == [iso(each.rows[0, 0]) for each in oldest]
    assert (receipt["epoch"], receipt["first_seq"], receipt["last_seq"]) == (store.epoch, 1, store.seq)
    assert receipt["gaps"] == 0
    assert receipt["gap_bars"] is receipt["corrected_bars"] is receipt["forming"] is None
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{receipt["file"]}"'
    assert re.fullmatch(
        rf"simulated_AAPL_MSFT__GSPC_1m_spread_\d{{8}}T\d{{6}}Z_\d{{8}}T\d{{6}}Z\.{form}", receipt["file"]
    )
    _answer, plain = file_of(analyst, form, {"compare": "MSFT", "limit": 5})
    assert plain["correlations_from"] is plain["asked"]["factor"] is plain["asked"]["correlation"] is None
    assert (plain["asked"]["mode"], plain["asked"]["limit"]) == ("indexed", 5)
    assert plain["forming"] == iso(bars[-1][0]), "the newest bar is not closed"


@pytest.mark.parametrize("query", QUERIES)
def test_the_hash_is_that_of_the_file_and_of_parquet_that_of_its_rows(
    analyst: FlaskClient, query: dict[str, Any]
) -> None:
    for form in ("csv", "json"):
        answer, receipt = file_of(analyst, form, query)
        assert (receipt["sha256_of"], receipt["bytes"]) == ("file", len(answer.data))
        assert receipt["sha256"] == hashlib.sha256(answer.data).hexdigest()
    answer, receipt = file_of(analyst, "parquet", query | {"zone": "Asia/Tokyo"})
    names, rows = cells("parquet", answer.data)
    plain = np.array([row[:-1] for row in rows], dtype=np.float64)
    assert receipt["sha256_of"] == "rows"
    assert receipt["sha256"] == hashlib.sha256(canonical(plain, tuple(names[:-1]))).hexdigest()


def test_a_zone_is_a_last_column_with_the_local_time(analyst: FlaskClient) -> None:
    query = {"compare": "MSFT", "timeframe": "1d", "correlation": 10}
    plain, _receipt = file_of(analyst, "csv", query)
    zoned, receipt = file_of(analyst, "csv", query | {"zone": "America/New_York"})
    assert receipt["zone"] == "America/New_York"
    assert receipt["columns"][-1] == "local_time"
    lines = zoned.text.splitlines()
    assert [line.rpartition(",")[0] for line in lines] == plain.text.splitlines(), "the rest is as without"
    local = [line.rpartition(",")[2] for line in lines[1:]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-0[45]:00", each) for each in local)
    assert [datetime.fromisoformat(each) for each in local] == [
        datetime.fromisoformat(line.partition(",")[0]) for line in lines[1:]
    ]
    said = json.loads(file_of(analyst, "json", query | {"zone": "America/New_York"})[0].data)
    assert (said["columns"][-1], [row[-1] for row in said["data"]]) == ("local_time", local)
    table = pyarrow.parquet.read_table(
        io.BytesIO(file_of(analyst, "parquet", query | {"zone": "America/New_York"})[0].data)
    )
    assert [at.isoformat(timespec="milliseconds") for at in table["local_time"].to_pylist()] == local


@pytest.mark.parametrize("form", FORMS)
def test_of_no_bars_there_is_a_file_without_rows(analyst: FlaskClient, form: str) -> None:
    answer, receipt = file_of(analyst, form, {"compare": "MSFT", "end": "1971-01-01", "correlation": 5})
    names, rows = cells(form, answer.data)
    assert rows == []
    assert names[1:] == [
        *(f"{what}_{one}" for what in ("close", "index") for one in ("AAPL", "MSFT")),
        "correlation_AAPL_MSFT_5",
    ]
    assert receipt["rows"] == int(answer.headers["X-Rows"]) == 0
    assert receipt["correlations_from"] == [None, None]
    assert receipt["forming"] is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("query", "parameter", "accepted"),
    [
        ("", "compare", "one to four other symbols"),
        ("compare=AAPL", "compare", "other than AAPL itself"),
        ("compare=MSFT&zone=Mars/Olympus", "zone", "Europe/Berlin"),
        ("compare=MSFT&zone=", "zone", "Europe/Berlin"),
        ("compare=MSFT&correlation=501", "correlation", "5 to 500"),
        ("compare=MSFT&timeframe=tick", "timeframe", "1m"),
        ("compare=MSFT&indicators=sma:20", "indicators", "left out"),
        ("compare=MSFT&start=2026-11-23&end=2026-11-22", "start", "at or before end"),
    ],
)
def test_a_mistake_is_named(refused: Any, form: str, query: str, parameter: str, accepted: str) -> None:
    (fault,) = refused(f"/tickers/AAPL/comparison.{form}", 422, query)["errors"]
    assert fault["parameter"] == parameter
    assert accepted in fault["accepted"]


def test_the_answer_itself_has_no_zone(refused: Any) -> None:
    (fault,) = refused("/tickers/AAPL/comparison", 422, "compare=MSFT&zone=UTC")["errors"]
    assert fault["parameter"] == "zone"


@pytest.mark.parametrize("form", FORMS)
def test_a_place_is_held_as_long_as_a_file_is_sent_and_a_head_needs_none(
    market: House, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(export, "_places", places.Places(replace(places.EXPORTS, of_a_user=1, wait_s=0.01)))
    client = market.enter("ada")
    path = f"{AT}.{form}?compare=MSFT"
    held = client.get(path, buffered=False)
    refused = client.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert "exports of yours are under way" in refused.json["detail"]
    assert client.get("/api/v1/export/AAPL.csv").status_code == 503, "they are exports like any other"
    head = client.head(path)
    assert (head.status_code, head.data, "Link" in head.headers) == (200, b"", False)
    for name in ("Content-Type", "Content-Disposition", "X-Rows"):
        assert head.headers[name] == held.headers[name]
    held.close()
    assert client.get(path).status_code == 200


def test_a_file_that_the_market_began_anew_under_breaks_off_and_has_no_receipt(small: House) -> None:
    small.tick(("AAPL", 100.0), ("MSFT", 400.0))
    client = small.enter("ada")
    answer = client.get(f"{AT}.csv?compare=MSFT", buffered=False)
    pieces = iter(answer.response)
    next(pieces)
    small.runtime.store.reset()
    with pytest.raises(Cut):
        list(pieces)
    gone = client.get(address_of(answer))
    assert gone.status_code == 404
    assert "broke off" in gone.json["detail"]


def test_a_symbol_with_a_dot_has_its_column_in_parquet_too(tmp_path: Path) -> None:
    """A dot could also say that it is a part of the other's."""
    with open_house(tmp_path, {"ada": "administrator"}, SYMBOLS="BRK.B,BRK") as opened:
        opened.tick(("BRK.B", 400.5), ("BRK", 7.25))
        answer = opened.enter("ada").get("/api/v1/tickers/BRK.B/comparison.parquet?compare=BRK&limit=2", buffered=True)
        table = pyarrow.parquet.read_table(io.BytesIO(answer.data))
        assert table.column_names == ["time", "close_BRK.B", "close_BRK", "index_BRK.B", "index_BRK"]
        assert (table["close_BRK.B"][-1].as_py(), table["close_BRK"][-1].as_py()) == (400.5, 7.25)
        file = tmp_path / "compared.parquet"
        file.write_bytes(answer.data)
        claim, rows = read(file, None)
        assert (claim.columns[1], rows[-1, 1:3].tolist()) == ("close_BRK.B", [400.5, 7.25])
