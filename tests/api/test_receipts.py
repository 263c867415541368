"""Receipts of exports: beside CSV and JSON, inside Parquet, of exactly the bytes or rows that went out."""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard import __version__
from dashboard.api.export import PIECE, Cut
from dashboard.api.receipts import OF_A_USER, Receipts, iso
from dashboard.market.bars import TIMEFRAME_INDEX, Flag
from tests.api.conftest import AWKWARD
from tests.api.streaming import many
from tests.house import House

FIELDS = [
    *("receipt", "product", "file", "format", "symbol", "timeframe", "feed", "made", "asked", "given"),
    *("indicators_from", "zone", "epoch", "seq", "first_seq", "last_seq", "columns", "rows", "gaps", "gap_bars"),
    *("corrected_bars", "forming", "sha256", "sha256_of", "bytes"),
]


def address_of(answer: TestResponse) -> str:
    """Where an export's receipt is."""
    found = re.fullmatch(
        r'<(/api/v1/receipts/[0-9a-f]{16})>; rel="describedby"; type="application/json"', answer.headers["Link"]
    )
    assert found is not None, answer.headers["Link"]
    return found.group(1)


def exported(client: FlaskClient, name: str, **query: object) -> tuple[TestResponse, dict[str, Any]]:
    """(answer, receipt) of an export, wherever its receipt is."""
    given = {key: str(value) for key, value in query.items()}
    answer = client.get(f"/api/v1/export/{name}", query_string=given, buffered=True)
    assert answer.status_code == 200, answer.text
    if name.endswith(".parquet"):
        assert "Link" not in answer.headers
        said = pyarrow.parquet.read_metadata(io.BytesIO(answer.data)).metadata[b"receipt"]
        return answer, json.loads(said)
    receipt = client.get(address_of(answer))
    assert receipt.status_code == 200, receipt.text
    assert receipt.mimetype == "application/json"
    assert receipt.headers["Cache-Control"] == "no-store"
    return answer, json.loads(receipt.data)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize(("symbol", "timeframe"), [("AAPL", "1s"), ("BTC-USD", "tick"), ("MSFT", "tick")])
def test_a_receipt_says_what_the_file_is_of(
    market: House, analyst: FlaskClient, form: str, symbol: str, timeframe: str
) -> None:
    answer, receipt = exported(analyst, f"{symbol}.{form}", timeframe=timeframe)
    store = market.runtime.store
    at = store.catalogue.require(symbol)
    rows = store.ticks(at).rows if timeframe == "tick" else store.bars(at, TIMEFRAME_INDEX[timeframe]).rows
    times = rows[:, 5 if timeframe == "tick" else 0]
    assert list(receipt) == FIELDS
    assert receipt["receipt"] == 1
    assert receipt["product"] == f"Tickboard {__version__}"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{receipt["file"]}"'
    assert (receipt["format"], receipt["symbol"], receipt["timeframe"]) == (form, symbol, timeframe)
    assert receipt["feed"] == "SIMULATED"
    assert receipt["made"] == iso(market.clock.now_ms())
    assert receipt["asked"] == {"start": None, "end": None, "indicators": None}
    assert receipt["given"] == {"first": iso(times.min()), "last": iso(times.max())}
    assert (receipt["epoch"], receipt["seq"], receipt["zone"]) == (store.epoch, store.seq, "UTC")
    assert receipt["rows"] == int(answer.headers["X-Rows"]) == len(rows) > 0
    assert receipt["gaps"] == 0
    if timeframe == "tick":
        assert (receipt["first_seq"], receipt["last_seq"]) == (rows[0, 0], rows[-1, 0])
        assert receipt["gap_bars"] is receipt["corrected_bars"] is receipt["forming"] is None
    else:
        flags = rows[:, 7].astype(int)
        assert (receipt["first_seq"], receipt["last_seq"]) == (1, store.seq)
        assert receipt["gap_bars"] == 0
        # The fixture's last tick of AAPL was late.
        assert receipt["corrected_bars"] == np.count_nonzero(flags & Flag.CORRECTED) > 0
        assert not flags[-1] & Flag.CLOSED
        assert receipt["forming"] == iso(rows[-1, 0])


def test_the_range_asked_is_said_beside_the_range_given(get: Any, analyst: FlaskClient) -> None:
    bars = get("/tickers/AAPL/bars", limit=50_000)["data"]
    low, high = bars[-30][0] - 7, bars[-10][0]
    _answer, receipt = exported(analyst, "AAPL.csv", start=low, end=high)
    assert receipt["asked"] == {"start": iso(low), "end": iso(high), "indicators": None}
    assert receipt["given"] == {"first": iso(bars[-30][0]), "last": iso(bars[-11][0])}
    assert receipt["rows"] == 20
    assert receipt["forming"] is None


def test_the_receipt_of_nothing_says_so(analyst: FlaskClient) -> None:
    for timeframe in ("1m", "tick"):
        for form in ("csv", "json", "parquet"):
            query = {"timeframe": timeframe, "start": "2100-01-01", "end": "2100-01-02"}
            answer, receipt = exported(analyst, f"AAPL.{form}", **query)
            assert receipt["rows"] == int(answer.headers["X-Rows"]) == 0
            assert receipt["given"] == {"first": None, "last": None}
            assert receipt["forming"] is None
            assert receipt["asked"]["start"] == "2100-01-01T00:00:00.000Z"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_hash_is_that_of_the_files_bytes(analyst: FlaskClient, form: str) -> None:
    answer, receipt = exported(analyst, f"BTC-USD.{form}", timeframe="tick")
    assert receipt["sha256_of"] == "file"
    assert receipt["sha256"] == hashlib.sha256(answer.data).hexdigest()
    assert receipt["bytes"] == len(answer.data)


@pytest.mark.parametrize(("symbol", "timeframe"), [("BTC-USD", "tick"), ("MSFT", "tick"), ("BTC-USD", "1s")])
def test_parquets_hash_is_that_of_its_rows_as_little_endian_doubles(
    analyst: FlaskClient, symbol: str, timeframe: str
) -> None:
    """Made anew from the file, in plain Python's struct, as the docstring of `canonical` says."""
    import struct

    answer, receipt = exported(analyst, f"{symbol}.parquet", timeframe=timeframe, zone="Asia/Tokyo")
    table = pyarrow.parquet.read_table(io.BytesIO(answer.data))
    found = hashlib.sha256()
    for row in table.drop_columns(["local_time"]).to_pylist():
        for name, cell in row.items():
            value = cell.timestamp() * 1000 if name == "time" else math.nan if cell is None else float(cell)
            value = float(round(value)) if name == "time" else value
            found.update(bytes.fromhex("000000000000f87f") if math.isnan(value) else struct.pack("<d", value))
    assert receipt["sha256_of"] == "rows"
    assert receipt["bytes"] is None
    assert receipt["sha256"] == found.hexdigest()


def test_indicators_are_in_the_receipt_beside_a_zone(market: House, analyst: FlaskClient) -> None:
    """The hash of Parquet is of their columns too, and a zone adds none to it."""
    oldest = market.runtime.store.bars(0, TIMEFRAME_INDEX["5m"]).rows[0, 0]
    given = {"timeframe": "5m", "start": int(oldest) + 3_600_000, "indicators": "SMA,macd"}
    for form in ("csv", "json", "parquet"):
        _answer, receipt = exported(analyst, f"AAPL.{form}", zone="Asia/Tokyo", **given)
        assert receipt["asked"]["indicators"] == "sma:20,macd:12:26:9"
        assert receipt["indicators_from"] == iso(oldest)
        assert receipt["columns"][8:] == [
            *("sma_20", "macd_12_26_9_line", "macd_12_26_9_signal", "macd_12_26_9_histogram"),
            "local_time",
        ]
    _answer, plain = exported(analyst, "AAPL.parquet", **given)
    assert plain["sha256"] == receipt["sha256"]
    _answer, without = exported(analyst, "AAPL.parquet", timeframe="5m", start=given["start"])
    assert without["sha256"] != plain["sha256"]
    assert without["asked"]["indicators"] is without["indicators_from"] is None


def test_gaps_are_counted_and_the_bars_that_have_one(small: House) -> None:
    client = small.enter("ada")
    store = small.runtime.store
    small.tick(("AAPL", 100.0))
    for _ in range(2):
        small.clock.advance(60_000)
        store.disconnected(small.clock.now_ms())
        small.clock.advance(1_000)
        store.connected(small.clock.now_ms())
        small.tick(("AAPL", 101.0))
    _answer, bars = exported(client, "AAPL.csv", timeframe="1m")
    assert bars["gaps"] == 2
    assert bars["gap_bars"] == sum(int(row[7]) & Flag.GAP != 0 for row in store.bars(0, TIMEFRAME_INDEX["1m"]).rows) > 0
    _answer, ticks = exported(client, "AAPL.csv", timeframe="tick")
    assert ticks["gaps"] == 2
    last = store.ticks(0).rows[-1, 5]
    _answer, after = exported(client, "AAPL.csv", timeframe="tick", start=int(last))
    assert after["gaps"] == 0


def test_what_comes_while_it_is_sent_changes_neither_the_file_nor_its_receipt(small: House) -> None:
    many(small, 3 * PIECE + 5)
    client = small.enter("ada")
    answer = client.get("/api/v1/export/AAPL.csv?timeframe=tick", buffered=False)
    address, pieces = address_of(answer), iter(answer.response)
    body = [next(pieces), next(pieces)]
    early = client.get(address)
    assert early.status_code == 409
    assert "still being sent" in early.json["detail"]
    many(small, 5_000)
    body.extend(pieces)
    receipt = client.get(address).json
    assert receipt["rows"] == receipt["last_seq"] == 3 * PIECE + 5
    assert receipt["first_seq"] == 1
    assert receipt["sha256"] == hashlib.sha256(b"".join(body)).hexdigest()


def test_an_export_that_breaks_off_has_no_receipt(small: House) -> None:
    many(small, 3 * PIECE)
    client = small.enter("ada")
    answer = client.get("/api/v1/export/AAPL.json?timeframe=tick", buffered=False)
    pieces = iter(answer.response)
    next(pieces)
    small.runtime.store.reset()
    with pytest.raises(Cut):
        list(pieces)
    gone = client.get(address_of(answer))
    assert gone.status_code == 404
    assert "broke off" in gone.json["detail"]


def test_who_hangs_up_leaves_no_receipt(small: House) -> None:
    many(small, 3 * PIECE)
    client = small.enter("ada")
    answer = client.get("/api/v1/export/AAPL.csv?timeframe=tick", buffered=False)
    next(iter(answer.response))
    answer.close()
    gone = client.get(address_of(answer))
    assert gone.status_code == 404
    assert "broke off" in gone.json["detail"]


def test_a_receipt_is_its_users_alone(market: House, analyst: FlaskClient) -> None:
    answer, _receipt = exported(analyst, "AAPL.csv")
    address = address_of(answer)
    assert market.enter("ben").get(address).status_code == 404
    assert market.stranger().get(address).status_code == 401
    assert analyst.get(f"{address}?x=1").status_code == 422
    assert analyst.get("/api/v1/receipts/0123456789abcdef").status_code == 404
    assert analyst.get("/api/v1/receipts/%00").status_code == 404
    assert analyst.post(address).status_code == 405


def test_the_receipts_kept_are_bounded_and_one_user_pushes_out_only_their_own() -> None:
    receipts = Receipts()
    first, _kept = receipts.begin(1, "a")
    other, _kept = receipts.begin(2, "b")
    for _ in range(OF_A_USER):
        receipts.begin(1, "a")
    assert receipts.find(1, first) is None
    assert receipts.find(2, other) is not None


def test_head_has_no_receipt(analyst: FlaskClient) -> None:
    assert "Link" not in analyst.head("/api/v1/export/AAPL.csv").headers


# -- the zone --------------------------------------------------------------------------------------------------------


def test_a_zone_is_a_last_column_with_the_local_time(analyst: FlaskClient) -> None:
    from datetime import datetime

    for timeframe in ("1d", "tick"):
        plain, _receipt = exported(analyst, "AAPL.csv", timeframe=timeframe)
        zoned, receipt = exported(analyst, "AAPL.csv", timeframe=timeframe, zone="America/New_York")
        assert receipt["zone"] == "America/New_York"
        assert receipt["columns"][-1] == "local_time"
        lines = zoned.text.splitlines()
        assert lines[0].split(",") == receipt["columns"]
        assert [line.rpartition(",")[0] for line in lines] == plain.text.splitlines(), "the rest is as without"
        for line in lines[1:]:
            time, local = line.partition(",")[0], line.rpartition(",")[2]
            assert datetime.fromisoformat(local) == datetime.fromisoformat(time)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-0[45]:00", local)


def test_a_zones_summer_and_winter_differ(analyst: FlaskClient) -> None:
    zoned, _receipt = exported(analyst, "AAPL.csv", timeframe="1d", zone="Europe/Berlin")
    assert {line[-6:] for line in zoned.text.splitlines()[1:]} == {"+01:00", "+02:00"}


def test_json_and_parquet_have_the_zone_too(analyst: FlaskClient) -> None:
    csv, _receipt = exported(analyst, "BTC-USD.csv", timeframe="tick", zone="Asia/Kolkata")
    wanted = [line.rpartition(",")[2] for line in csv.text.splitlines()[1:]]
    made, _receipt = exported(analyst, "BTC-USD.json", timeframe="tick", zone="Asia/Kolkata")
    assert made.json["columns"][-1] == "local_time"
    assert [row[-1] for row in made.json["data"]] == wanted
    assert [row[1] for row in made.json["data"]][: len(AWKWARD)] == list(AWKWARD)
    made, _receipt = exported(analyst, "BTC-USD.parquet", timeframe="tick", zone="Asia/Kolkata")
    column = pyarrow.parquet.read_table(io.BytesIO(made.data))["local_time"]
    assert column.type == pyarrow.timestamp("ms", "Asia/Kolkata")
    assert [at.isoformat(timespec="milliseconds") for at in column.to_pylist()] == wanted


def test_a_plus_in_a_zone_may_come_as_a_space(analyst: FlaskClient) -> None:
    for said in ("Etc/GMT+3", "Etc/GMT%2B3"):
        answer = analyst.get(f"/api/v1/export/AAPL.csv?zone={said}")
        assert answer.text.splitlines()[1].endswith("-03:00")


@pytest.mark.parametrize(
    "bad", ["", "Mars/Olympus", "europe/berlin", "+01:00", "../etc/passwd", "UTC;x", "a" * 300, "Ü"]
)
def test_a_bad_zone_is_named(refused: Any, bad: str) -> None:
    problem = refused("/export/AAPL.csv", 422, {"zone": bad})
    assert problem["errors"][0]["parameter"] == "zone"
    assert "Europe/Berlin" in problem["errors"][0]["accepted"]
