"""`verify` on files with indicators: made anew of the same bars, as long as the store has those."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.api.receipts import iso
from dashboard.errors import DashboardError
from dashboard.verify.comparing import DAMAGED, DIFFERS, EQUAL, GONE
from tests.verify.conftest import Desk

FORMS = ("csv", "json", "parquet")
#: Every one there is, in two requests: ten may be asked for at once.
HALVES = ("sma,ema,wma,vwap,bbands,keltner,donchian", "rsi,macd,stoch,atr,obv,adx")
MINUTE = 60_000
Damage = Callable[[Path, bytes, bytes], None]


def receipt_of(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.with_name(f"{file.name}.receipt.json").read_bytes()))


def minutes(desk: Desk) -> list[int]:
    """Starts of AAPL's bars of a minute."""
    return [int(row[0]) for row in desk.house.runtime.store.bars(0, 3).rows]


def go_on(desk: Desk, price: float = 500.0) -> None:
    """Time goes on by a bar of a minute: where the ring is full, the oldest goes."""
    desk.house.clock.advance(61_000)
    desk.house.tick(("AAPL", price))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("timeframe", ["1s", "1m", "1d"])
def test_a_file_with_indicators_is_equal_to_what_made_it(desk: Desk, form: str, half: str, timeframe: str) -> None:
    file = desk.export(f"AAPL.{form}", timeframe=timeframe, indicators=half, zone="Asia/Kolkata")
    verdict = desk.verify(file)
    assert (verdict.status, verdict.sentence[:7]) == (EQUAL, "equal: "), verdict.sentence


def test_the_receipt_says_which_and_from_which_bar_on(desk: Desk) -> None:
    starts = minutes(desk)
    given = {"timeframe": "1m", "start": starts[-50], "zone": "Europe/Berlin"}
    said = receipt_of(desk.export("AAPL.csv", indicators="SMA,bbands:20:2.0", **given))
    assert said["asked"]["indicators"] == "sma:20,bbands:20:2"
    assert said["indicators_from"] == iso(starts[0])
    assert said["columns"][8:] == [
        *("sma_20", "bbands_20_2_upper", "bbands_20_2_middle", "bbands_20_2_lower"),
        "local_time",
    ]
    plain = receipt_of(desk.export("AAPL.json", **given))
    assert plain["asked"]["indicators"] is plain["indicators_from"] is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("half", HALVES)
def test_a_part_warms_up_on_what_was_before_it_and_what_comes_after_changes_nothing(
    desk: Desk, form: str, half: str
) -> None:
    """The ring of five minutes is not full: no bar goes."""
    starts = [int(row[0]) for row in desk.house.runtime.store.bars(0, 4).rows]
    part = desk.export(f"AAPL.{form}", timeframe="5m", indicators=half, start=starts[-300], end=starts[-50])
    rest = desk.export(f"AAPL.{form}", timeframe="5m", indicators=half, start=starts[-300])
    for price in (500.0, 7.0, 300.0, 200.0, 201.0, 202.0):
        go_on(desk, price)
    assert desk.verify(part).sentence.startswith("equal: 250 rows of AAPL 5m, up to sequence number 120 ")
    assert desk.verify(rest, closed=True).status == EQUAL
    verdict = desk.verify(rest)
    assert verdict.status == DIFFERS
    assert "only the last row" in verdict.sentence


def test_an_indicator_tells_of_a_bar_that_was_corrected_before_the_file_begins(desk: Desk) -> None:
    for _ in range(4):
        desk.house.clock.advance(15_000)
        desk.house.tick(("AAPL", 201.0))
    starts = [int(row[0]) for row in desk.house.runtime.store.bars(0, 2).rows]
    after = desk.export("AAPL.csv", timeframe="15s", start=starts[-2], indicators="obv,sma:3")
    around = desk.export("AAPL.parquet", timeframe="15s", start=starts[-20], indicators="obv,sma:3")
    desk.house.tick(("AAPL", 9_999.0, 3.0, 50_000.0))
    verdict = desk.verify(after, closed=True)
    assert verdict.status == DIFFERS
    assert re.search(
        r"row 1, .*: obv is \S+ in the file and \S+ in the store, for bars before the file's first have changed since;",
        verdict.sentence,
    )
    verdict = desk.verify(around, closed=True)
    assert verdict.status == DIFFERS
    assert re.search(r"row 1\d, .*: open is 201 .*, corrected since;", verdict.sentence)


def test_what_looks_at_few_bars_stays_equal_when_the_oldest_have_gone(desk: Desk) -> None:
    starts = minutes(desk)
    given = {"timeframe": "1m", "start": starts[-500], "end": starts[-10]}
    few = desk.export("AAPL.csv", indicators="sma:20,ema:9,bbands,rsi:5", **given)
    ever = desk.export("AAPL.parquet", indicators="sma:20,obv", **given)
    for _ in range(3):
        go_on(desk)
    verdict = desk.verify(few)
    assert verdict.status == EQUAL
    assert verdict.sentence.startswith("equal: 490 rows of AAPL 1m, up to sequence number 120 ")
    verdict = desk.verify(ever)
    assert verdict.status == GONE
    assert verdict.sentence == (
        "no longer kept: the oldest bars that the indicators were made of; the 490 rows of AAPL 1m are equal but for "
        "indicators, which can't be compared"
    )


def test_where_rows_have_gone_too_the_others_are_judged_by_their_bars(desk: Desk) -> None:
    file = desk.export("AAPL.json", timeframe="1m", indicators="sma:20,obv")
    assert desk.verify(file).status == EQUAL
    go_on(desk)
    verdict = desk.verify(file, closed=True)
    assert verdict.status == GONE
    assert verdict.sentence == (
        "no longer kept: 1 of 4,210 rows of AAPL 1m have been overwritten; the other 4,209 are equal but for "
        "indicators, which can't be compared"
    )


def test_a_bar_that_differs_is_still_found_when_the_oldest_have_gone(desk: Desk) -> None:
    starts = minutes(desk)
    file = desk.export("AAPL.csv", timeframe="1m", indicators="obv", start=starts[-30])
    desk.house.tick(("AAPL", 9_999.0, 3.0, 58_000.0))
    go_on(desk)
    verdict = desk.verify(file, closed=True)
    assert verdict.status == DIFFERS
    assert "high is" in verdict.sentence
    assert "9999" in verdict.sentence


# -- files and receipts that lie -------------------------------------------------------------------------------------


def test_a_changed_indicator_is_damage(desk: Desk, damage: Damage) -> None:
    file = desk.export("AAPL.csv", timeframe="5m", indicators="sma:2,rsi")
    last = file.read_text().splitlines()[-1].encode()
    damage(file, last, last.rpartition(b",")[0] + b",50.5")
    assert desk.verify(file).status == DAMAGED


@pytest.mark.parametrize(
    "change",
    [
        *({"asked": {"start": None, "end": None, "indicators": value}} for value in ("sma:0", "", "x", 7, ["sma"])),
        {"asked": {"start": None, "end": None, "indicators": None}},
        {"asked": {"start": None, "end": None, "indicators": "sma:20,ema:20"}},
        {"asked": {"start": None, "end": None, "indicators": "sma:20", "limit": "3"}},
        *({"indicators_from": value} for value in (None, 7, "yesterday")),
        {"timeframe": "tick"},
    ],
)
def test_a_receipt_of_other_indicators_is_none(desk: Desk, change: dict[str, object]) -> None:
    file = desk.export("AAPL.csv", indicators="sma:20")
    beside = file.with_name(f"{file.name}.receipt.json")
    beside.write_text(json.dumps(receipt_of(file) | change))
    with pytest.raises(DashboardError, match="is no receipt of an export"):
        desk.verify(file)
