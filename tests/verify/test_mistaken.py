"""`verify` given the wrong thing: the receipt of another file, one that asks for nonsense, a range that has gone."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dashboard.errors import DashboardError
from dashboard.verify import Product, verify
from dashboard.verify.comparing import DAMAGED, EQUAL, GONE
from tests.house import PASSWORD
from tests.verify.conftest import Desk


def beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.receipt.json")


def say(file: Path, **change: object) -> None:
    """Change what the receipt beside a file says."""
    beside(file).write_text(json.dumps(json.loads(beside(file).read_bytes()) | change))


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_receipt_of_another_file_is_told_by_size_or_hash(desk: Desk, form: str) -> None:
    file = desk.export(f"AAPL.{form}", timeframe="5m")
    for name, query in ((f"MSFT.{form}", {"timeframe": "5m"}), (f"AAPL.{form}", {"timeframe": "5m", "zone": "UTC"})):
        other = desk.export(name, **query)
        if other == file:  # the same name, so the same place: both the file and its receipt are new
            assert desk.verify(file).status == EQUAL
            continue
        verdict = desk.verify(file, receipt=beside(other))
        assert verdict.status == DAMAGED
        assert re.search(r"bytes, its receipt says|has been changed: its SHA-256", verdict.sentence)


def test_a_csv_with_the_receipt_of_a_parquet_is_none(desk: Desk) -> None:
    file = desk.export("AAPL.csv", timeframe="5m")
    say(file, format="parquet", sha256_of="rows", bytes=None)
    verdict = desk.verify(file)
    assert verdict.status == DAMAGED
    assert "is no Parquet file, which its receipt says it is" in verdict.sentence


def test_an_instrument_that_there_is_no_longer_is_said(desk: Desk) -> None:
    file = desk.export("AAPL.csv", timeframe="5m")
    say(file, symbol="GONE")
    verdict = desk.verify(file)
    assert verdict.status == GONE
    assert "has no instrument 'GONE' now" in verdict.sentence


def test_a_receipt_that_asks_for_nonsense_gets_the_servers_sentence(desk: Desk) -> None:
    file = desk.export("AAPL.csv", timeframe="5m")
    say(file, asked={"start": "yesterday", "end": None, "indicators": None})
    with pytest.raises(DashboardError, match=r"answered 422 .*start must be an ISO 8601 time"):
        desk.verify(file)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_range_that_the_store_has_dropped_is_no_longer_kept(desk: Desk, form: str) -> None:
    """The ring of seconds is full."""
    starts = [int(row[0]) for row in desk.house.runtime.store.bars(0, 0).rows]
    given = {"timeframe": "1s", "start": starts[0], "end": starts[5]}
    file = desk.export(f"AAPL.{form}", **given)
    with_indicator = desk.export(f"AAPL.{form}", indicators="sma:2", **given | {"start": starts[1]})
    for _ in range(7):
        desk.house.clock.advance(1_000)
        desk.house.tick(("AAPL", 201.0))
    verdict = desk.verify(file)
    assert verdict.status == GONE
    assert verdict.sentence == "no longer kept: 5 of 5 rows of AAPL 1s have been overwritten; none is left"
    assert desk.verify(with_indicator).sentence.endswith("4 of 4 rows of AAPL 1s have been overwritten; none is left")


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of a server that lets everybody in and answers everything with a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(302)
            self.send_header("Set-Cookie", "a=b")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>It works!</h1>")

        def log_message(self, *_said: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_a_server_that_is_another_product_is_told_in_a_sentence(desk: Desk, stranger: str) -> None:
    file = desk.export("AAPL.csv", timeframe="5m")
    with pytest.raises(DashboardError, match="no JSON"):
        verify(file, Product(stranger, "ada", PASSWORD))
