"""`verify` on files of compared instruments: closes and what is made of them, indices that count from a bar of the
file, correlations that are made of bars before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.errors import DashboardError
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.verify.comparing import DAMAGED, DIFFERS, EQUAL, GONE
from tests.verify.conftest import Desk
from tests.verify.test_indicators import minutes, receipt_of

FORMS = ("csv", "json", "parquet")
Damage = Callable[[Path, bytes, bytes], None]


def go_on_together(desk: Desk, times: int) -> None:
    """Time goes on by bars of a minute of both: where the rings are full, the oldest go."""
    for turn in range(times):
        desk.house.clock.advance(61_000)
        desk.house.tick(("AAPL", 300.0 + turn), ("MSFT", 401.0 - turn))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "query",
    [
        {"compare": "MSFT,BTC-USD", "zone": "Asia/Kolkata"},
        {"compare": "MSFT", "mode": "spread", "factor": "0.000001", "correlation": 20, "timeframe": "5m"},
        {"compare": "BTC-USD,MSFT", "mode": "ratio", "limit": 50, "timeframe": "1d"},
        {"compare": "MSFT,BTC-USD", "correlation": 5, "timeframe": "1s"},
        {"compare": "MSFT", "end": "1971-01-01", "correlation": 5},
    ],
)
def test_a_file_is_equal_to_what_made_it(desk: Desk, form: str, query: dict[str, Any]) -> None:
    file = desk.compare(form, **query)
    verdict = desk.verify(file)
    assert verdict.status == EQUAL, verdict.sentence
    rows, timeframe = receipt_of(file)["rows"] if form != "parquet" else None, query.get("timeframe", "1m")
    assert f" rows of AAPL with {query['compare'].replace(',', ', ')} {timeframe}, up to" in verdict.sentence
    assert rows is None or verdict.sentence.startswith(f"equal: {rows:,} rows")


def test_what_came_after_is_no_difference_and_the_newest_so_many_stay_those_of_then(desk: Desk) -> None:
    """The rings of five minutes are not full: no bar goes."""
    starts = [int(row[0]) for row in desk.house.runtime.store.bars(0, TIMEFRAME_INDEX["5m"]).rows]
    part = desk.compare("csv", compare="MSFT", timeframe="5m", start=starts[-300], end=starts[-50], correlation=20)
    newest = desk.compare("parquet", compare="MSFT", timeframe="5m", limit=60, correlation=20)
    desk.house.tick(("MSFT", 99.0))
    go_on_together(desk, 12)
    assert desk.verify(part).sentence.startswith("equal: 250 rows of AAPL with MSFT 5m, up to sequence number 120 ")
    assert desk.verify(newest, closed=True).status == EQUAL
    verdict = desk.verify(newest)
    assert verdict.status == DIFFERS
    assert "only the last row" in verdict.sentence
    assert "still forming when it was exported" in verdict.sentence


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", ["indexed", "spread", "ratio"])
def test_a_close_of_another_that_was_corrected_since_is_named_with_both_values(
    desk: Desk, form: str, mode: str
) -> None:
    start = int(desk.house.clock.now_ms()) - 240_000
    file = desk.compare(form, compare="BTC-USD,MSFT", mode=mode, start=start)
    store = desk.house.runtime.store
    before = store.bars(store.catalogue.require("MSFT"), TIMEFRAME_INDEX["1m"]).rows
    at = len(before) - 2
    desk.house.tick(("MSFT", 7.25, 3.0, desk.house.clock.now_ms() - before[at, 0] - 59_500.0))
    now = store.bars(store.catalogue.require("MSFT"), TIMEFRAME_INDEX["1m"]).rows
    changed = [row for row, (old, new) in enumerate(zip(before, now, strict=True)) if old[4] != new[4]]
    assert changed == [at], "the late tick is the last of its bar"
    verdict = desk.verify(file, closed=True)
    assert verdict.status == DIFFERS
    row = next(row for row, bar in enumerate(before[before[:, 0] >= start]) if bar[0] == before[at, 0]) + 1
    assert verdict.sentence.startswith(f"not equal: row {row}, ")
    assert f"close_MSFT is {float(before[at, 4])!r} in the file and 7.25 in the store" in verdict.sentence


def test_a_correlation_tells_of_a_bar_that_was_corrected_before_the_file_begins(desk: Desk) -> None:
    """The rings of fifteen seconds are not full."""
    for turn in range(6):
        desk.house.clock.advance(15_000)
        desk.house.tick(("AAPL", 201.0 + turn), ("MSFT", 402.0 - turn * turn))
    starts = [int(row[0]) for row in desk.house.runtime.store.bars(0, TIMEFRAME_INDEX["15s"]).rows]
    after = desk.compare("csv", compare="MSFT", timeframe="15s", start=starts[-2], correlation=5)
    without = desk.compare("json", compare="MSFT", timeframe="15s", start=starts[-2])
    desk.house.tick(("MSFT", 9_999.0, 3.0, desk.house.clock.now_ms() - starts[-3] - 14_900.0))
    verdict = desk.verify(after, closed=True)
    assert verdict.status == DIFFERS
    assert "row 1, " in verdict.sentence
    assert "correlation_AAPL_MSFT_5 is " in verdict.sentence
    assert "for bars before the file's first have changed since;" in verdict.sentence
    assert desk.verify(without, closed=True).status == EQUAL


def test_where_the_oldest_bars_have_gone_correlations_of_few_stay_equal(desk: Desk) -> None:
    starts = minutes(desk)
    given = {"compare": "MSFT", "correlation": 20, "timeframe": "1m"}
    inside = desk.compare("csv", **given, start=starts[-500], end=starts[-10])
    early = desk.compare("parquet", **given, start=starts[3], end=starts[-10])
    go_on_together(desk, 3)
    verdict = desk.verify(inside)
    assert verdict.status == EQUAL, verdict.sentence
    assert verdict.sentence.startswith("equal: 490 rows of AAPL with MSFT 1m, up to sequence number 120 ")
    verdict = desk.verify(early)
    assert verdict.status == GONE
    assert verdict.sentence == (
        "no longer kept: the oldest bars that the indices and correlations were made of; the "
        f"{len(starts) - 13:,} rows of AAPL with MSFT 1m are "
        "equal but for indices and correlations, which can't be compared"
    )


@pytest.mark.parametrize(("mode", "said"), [("indexed", ", indices to nine digits, for the oldest"), ("spread", "")])
@pytest.mark.parametrize("form", FORMS)
def test_rows_that_were_overwritten_are_no_longer_kept_and_the_others_are_judged(
    desk: Desk, form: str, mode: str, said: str
) -> None:
    file = desk.compare(form, compare="MSFT,BTC-USD", mode=mode)
    rows = len(minutes(desk))
    go_on_together(desk, 3)
    verdict = desk.verify(file, closed=True)
    assert verdict.status == GONE
    gone = (f"no longer kept: {gone} of {rows - 1:,} rows of AAPL with MSFT, BTC-USD 1m" for gone in (2, 3))
    assert verdict.sentence.startswith(tuple(gone)), verdict.sentence
    rest = verdict.sentence.partition(" are equal")[2]
    assert rest.startswith(said) if said else rest == ""


def test_rows_are_gone_where_only_the_others_bars_have_been_overwritten(desk: Desk) -> None:
    file = desk.compare("csv", compare="MSFT", timeframe="1m")
    own = minutes(desk)
    for turn in range(3):
        desk.house.clock.advance(61_000)
        desk.house.tick(("MSFT", 401.0 - turn))
    assert minutes(desk) == own, "of AAPL there is no new bar"
    verdict = desk.verify(file, closed=True)
    assert verdict.status == GONE
    assert verdict.sentence.endswith(
        "are equal, indices to nine digits, for the oldest bars that they were made of are no longer kept"
    )
    desk.house.tick(("AAPL", 9_999.0, 3.0, desk.house.clock.now_ms() - own[-2] - 59_900.0))
    verdict = desk.verify(file, closed=True)
    assert verdict.status == DIFFERS
    assert "close_AAPL is " in verdict.sentence
    assert "rows before are no longer kept" in verdict.sentence


def test_another_epoch_and_another_market_are_said(desk: Desk) -> None:
    file = desk.compare("csv", compare="MSFT")
    beside = file.with_name(f"{file.name}.receipt.json")
    said = receipt_of(file)
    other = file.read_bytes().replace(b"_MSFT", b"_TSLA.X")
    file.write_bytes(other)
    import hashlib

    beside.write_text(
        json.dumps(
            said
            | {"asked": said["asked"] | {"compare": "TSLA.X"}, "bytes": len(other)}
            | {"columns": [name.replace("_MSFT", "_TSLA.X") for name in said["columns"]]}
            | {"sha256": hashlib.sha256(other).hexdigest()}
        )
    )
    verdict = desk.verify(file)
    assert verdict.status == GONE
    assert verdict.sentence.endswith("has no instrument 'TSLA.X' now")
    file = desk.compare("parquet", compare="MSFT")
    desk.house.runtime.store.reset()
    verdict = desk.verify(file)
    assert verdict.status == GONE
    assert "the store began anew since" in verdict.sentence


# -- files and receipts that lie -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_file_is_damaged(desk: Desk, form: str) -> None:
    file = desk.compare(form, compare="MSFT", correlation=5, timeframe="5m")
    body = file.read_bytes()
    file.write_bytes(body[:-10])
    assert desk.verify(file).status == DAMAGED
    half = len(body) // 2
    file.write_bytes(body[:half] + bytes([body[half] ^ 1]) + body[half + 1 :])
    assert desk.verify(file).status == DAMAGED


def test_a_receipt_of_another_comparison_is_none(desk: Desk) -> None:
    file = desk.compare("csv", compare="MSFT", mode="spread", factor=2, correlation=5, limit=30)
    said, beside = receipt_of(file), file.with_name(f"{file.name}.receipt.json")
    assert desk.verify(file).status == EQUAL
    lies: dict[str, tuple[object, ...]] = {
        "compare": ("", "GOOGL", "MSFT,MSFT", "AAPL", "MSFT,BTC-USD", "A,B,C,D,E", 7, "M\u00fc"),
        "mode": ("sum", None, "ratio", 7),
        "factor": (None, "x", 0, 1e12, 0.0),
        "correlation": (None, 4, 501, 6, "x", 0),
        "limit": (0, "x", -3),
        "indicators": ("sma:20", ""),
        "zone": ("UTC",),
    }
    changes = [{"asked": said["asked"] | {name: value}} for name, values in lies.items() for value in values]
    early = "2026-01-01T00:00:00.000Z"
    changes += [{"correlations_from": value} for value in (None, [], [None], ["yesterday", early], 7, [None, early])]
    for change in [*changes, {"timeframe": "tick"}]:
        beside.write_text(json.dumps(said | change))
        with pytest.raises(DashboardError, match="is no receipt of an export"):
            desk.verify(file)
