"""`verify`: equal, not equal with the first row and column, no longer kept, damaged, or why nothing can be said."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from dashboard.accounts.models import LoginSession
from dashboard.errors import DashboardError
from dashboard.verify import Product
from dashboard.verify.comparing import DAMAGED, DIFFERS, EQUAL, GONE
from dashboard.verify.product import address
from tests.api.streaming import many
from tests.house import PASSWORD, command
from tests.verify.conftest import Desk

FORMS = ("csv", "json", "parquet")
#: The sequence number at which files of the fixture's ticks are cut: 40 batches of three.
CUT = 120
Damage = Callable[[Path, bytes, bytes], None]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_still_is_what_the_store_has_is_equal(desk: Desk, form: str) -> None:
    for symbol, query in (
        ("AAPL", {"timeframe": "1m", "zone": "Europe/Berlin"}),
        ("BTC-USD", {"timeframe": "1s"}),
        ("MSFT", {"timeframe": "tick"}),
        ("BTC-USD", {"timeframe": "tick", "zone": "UTC"}),
        ("AAPL", {"timeframe": "tick", "start": "2100-01-01"}),
    ):
        verdict = desk.verify(desk.export(f"{symbol}.{form}", **query))
        assert verdict.status == EQUAL, (symbol, query, verdict.sentence)
        assert verdict.sentence.startswith("equal: ")
        assert f"of {symbol} {query['timeframe']}" in verdict.sentence


@pytest.mark.parametrize("form", FORMS)
def test_what_came_after_is_no_difference(desk: Desk, form: str) -> None:
    """New ticks, even late ones of its range, have higher sequence numbers; new bars lie after the last."""
    ticks = desk.export(f"AAPL.{form}", timeframe="tick")
    bars = desk.export(f"AAPL.{form}", timeframe="1s")
    desk.house.clock.advance(5_000)
    desk.house.tick(("AAPL", 300.0), ("AAPL", 299.0, 1.0, 30_500.0))
    assert desk.verify(ticks).status == EQUAL
    later = desk.verify(bars, closed=True)
    assert later.status == DIFFERS, "the late tick made a bar in its range"
    assert "the store has a row of" in later.sentence


@pytest.mark.parametrize("form", FORMS)
def test_a_bar_that_was_corrected_since_is_named_with_both_values(desk: Desk, form: str) -> None:
    file = desk.export(f"AAPL.{form}", timeframe="1m", start=int(desk.house.clock.now_ms()) - 240_000)
    before = desk.house.runtime.store.bars(0, 3).rows
    desk.house.tick(("AAPL", 7.25, 3.0, 58_000.0))
    now = desk.house.runtime.store.bars(0, 3).rows
    at = next(at for at in range(len(now)) if (now[at] != before[at]).any())
    column = next(
        name
        for name, old, new in zip(("start", "open", "high", "low"), before[at], now[at], strict=False)
        if old != new
    )
    verdict = desk.verify(file)
    assert verdict.status == DIFFERS
    old, new = (rows[at, ("start", "open", "high", "low").index(column)] for rows in (before, now))
    assert (
        f"{column} is {float(old)!r} in the file and {float(new)!r} in the store".replace(".0 ", " ")
        in verdict.sentence
    )
    row = re.search(r"not equal: row (\d+), (\S+Z):", verdict.sentence)
    assert row is not None, verdict.sentence
    kept = [row[0] for row in before if row[0] >= desk.house.clock.now_ms() - 240_000]
    assert int(row.group(1)) == kept.index(before[at, 0]) + 1
    assert ("corrected since" in verdict.sentence) == bool(int(now[at, 7]) & 16)


def test_the_bar_that_was_forming_is_told_apart_and_can_be_left_out(desk: Desk) -> None:
    file = desk.export("AAPL.csv", timeframe="1m", start=int(desk.house.clock.now_ms()) - 240_000)
    assert desk.verify(file).status == EQUAL
    desk.house.clock.advance(61_000)
    desk.house.tick(("AAPL", 500.0))
    verdict = desk.verify(file)
    assert verdict.status == DIFFERS
    assert "only the last row" in verdict.sentence
    assert "still forming when it was exported" in verdict.sentence
    assert "--closed" in verdict.sentence
    left_out = desk.verify(file, closed=True)
    assert left_out.status == EQUAL
    assert "the bar that was forming left out" in left_out.sentence


def test_where_the_oldest_bars_have_gone_the_forming_one_is_still_told_apart(desk: Desk) -> None:
    file = desk.export("AAPL.csv", timeframe="1m")
    desk.house.clock.advance(61_000)
    desk.house.tick(("AAPL", 500.0))
    verdict = desk.verify(file)
    assert verdict.status == GONE
    assert "no longer kept: 1 of 4,211 rows" in verdict.sentence
    assert "but for the last" in verdict.sentence


@pytest.mark.parametrize("form", FORMS)
def test_rows_that_were_overwritten_are_no_longer_kept(desk: Desk, form: str) -> None:
    file = desk.export(f"AAPL.{form}", timeframe="tick")
    store = desk.house.runtime.store
    kept = store._kept_ticks
    while len(store.ticks(0).rows) < kept:
        many(desk.house, 5_000)
    many(desk.house, 10)
    lost = 40 - int((store.ticks(0).rows[:, 0] <= CUT).sum())
    assert 0 < lost <= 40
    verdict = desk.verify(file)
    assert verdict.status == GONE
    assert f"{lost} of 40 rows" in verdict.sentence
    many(desk.house, 5_000)
    verdict = desk.verify(file)
    assert verdict.status == GONE
    assert "none is left" in verdict.sentence


def test_another_epoch_is_said(desk: Desk) -> None:
    file = desk.export("AAPL.csv")
    epoch = desk.house.runtime.store.epoch
    desk.house.runtime.store.reset()
    verdict = desk.verify(file)
    assert verdict.status == GONE
    assert f"the file is of epoch {epoch}" in verdict.sentence


# -- damage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_changed_file_is_damaged(desk: Desk, damage: Damage, form: str) -> None:
    file = desk.export(f"AAPL.{form}", timeframe="tick")
    damage(file, b"204.625", b"204.626")
    verdict = desk.verify(file)
    assert verdict.status == DAMAGED
    assert "has been changed: its SHA-256 is" in verdict.sentence


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_was_cut_off_is_damaged(desk: Desk, form: str) -> None:
    file = desk.export(f"AAPL.{form}", timeframe="tick")
    body = file.read_bytes()
    for size in (len(body) - 1, len(body) // 2, 8):
        file.write_bytes(body[:size])
        assert desk.verify(file).status == DAMAGED


def test_parquet_that_another_program_wrote_anew_is_judged_by_its_rows(desk: Desk) -> None:
    import pyarrow.parquet as pq

    file = desk.export("AAPL.parquet", timeframe="tick")
    said = pq.read_metadata(file).metadata[b"receipt"]
    table = pq.read_table(file)
    pq.write_table(table.replace_schema_metadata({"receipt": said}), file)
    assert desk.verify(file).status == EQUAL
    column = table.column_names.index("price")
    changed = table.set_column(column, "price", table["size"])
    pq.write_table(changed.replace_schema_metadata({"receipt": said}), file)
    verdict = desk.verify(file)
    assert verdict.status == DAMAGED
    assert "the SHA-256 of its rows" in verdict.sentence
    pq.write_table(table.slice(1).replace_schema_metadata({"receipt": said}), file)
    assert desk.verify(file).status == DAMAGED
    pq.write_table(table.replace_schema_metadata(None), file)
    with pytest.raises(DashboardError, match="carries no receipt"):
        desk.verify(file)


# -- files that are none, and receipts that are none -----------------------------------------------------------------


def beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.receipt.json")


def test_what_is_no_export_gets_one_sentence(desk: Desk, tmp_path: Path) -> None:
    empty, foreign, folder = tmp_path / "empty.csv", tmp_path / "foreign.csv", tmp_path / "folder"
    empty.write_bytes(b"")
    foreign.write_text("date;price\n1.1.2026;7\n")
    folder.mkdir()
    os.mkfifo(tmp_path / "pipe")
    for path, says in (
        (empty, "has no receipt beside it"),
        (foreign, "has no receipt beside it"),
        (folder, "is a directory"),
        (tmp_path / "pipe", "is no regular file"),
        (tmp_path / "nothing", "there is no file"),
        (tmp_path / "empty.csv" / "below", "can't be read: Not a directory"),
    ):
        with pytest.raises(DashboardError, match=re.escape(says)) as caught:
            desk.verify(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        *({"sha256": value} for value in ("", "x", None, 7)),
        *({"timeframe": value} for value in ("2m", None)),
        *({"columns": value} for value in ([], None, "time", ["open", "time"], ["time", "time"])),
        *({"seq": value} for value in ("many", None, [], 1e400)),
        {"asked": None},
        {"asked": []},
        {"format": "xlsx"},
        {"forming": "yesterday"},
        {"made": None},
        {"receipt": 0},
        {"symbol": ""},
    ],
)
def test_a_receipt_that_is_none_is_named(desk: Desk, change: dict[str, object]) -> None:
    file = desk.export("AAPL.csv")
    said = json.loads(beside(file).read_bytes()) | change
    beside(file).write_text(json.dumps(said))
    with pytest.raises(DashboardError, match="is no receipt of an export"):
        desk.verify(file)


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"\xff\xfe", b"[" * 60_000, b" " * 70_000, b'{"receipt":1}'])
def test_a_sidecar_of_anything_is_named(desk: Desk, body: bytes) -> None:
    file = desk.export("AAPL.csv")
    beside(file).write_bytes(body)
    with pytest.raises(DashboardError, match="is no receipt of an export"):
        desk.verify(file)


def test_a_receipt_of_a_newer_product_is_not_guessed_at(desk: Desk) -> None:
    file = desk.export("AAPL.csv")
    beside(file).write_text(json.dumps(json.loads(beside(file).read_bytes()) | {"receipt": 2}))
    with pytest.raises(DashboardError, match="from a newer product"):
        desk.verify(file)


@pytest.mark.parametrize("body", [b"a,b\n1,2\n", b"time,open\nx,y\n", b'{"columns":7}', b"\x00\xff", b"time\n"])
@pytest.mark.parametrize("form", ["csv", "json"])
def test_another_programs_file_with_a_receipt_to_match_gets_one_sentence(desk: Desk, body: bytes, form: str) -> None:
    import hashlib

    file = desk.export(f"AAPL.{form}")
    said = json.loads(beside(file).read_bytes())
    file.write_bytes(body)
    said |= {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    beside(file).write_text(json.dumps(said))
    with pytest.raises(DashboardError, match="of the columns that its receipt names"):
        desk.verify(file)


def test_a_receipt_may_lie_elsewhere(desk: Desk, tmp_path: Path) -> None:
    file = desk.export("AAPL.csv")
    elsewhere = tmp_path / "receipt"
    beside(file).rename(elsewhere)
    assert desk.verify(file, receipt=elsewhere).status == EQUAL
    with pytest.raises(DashboardError, match="there is no file"):
        desk.verify(file, receipt=tmp_path / "nowhere")


# -- the server ------------------------------------------------------------------------------------------------------


def test_who_is_not_let_in_is_told_how(desk: Desk) -> None:
    file = desk.export("AAPL.csv")
    from dashboard.verify import verify

    with pytest.raises(DashboardError, match=r"does not let 'ada' in.*--user"):
        verify(file, Product(desk.url, "ada", "wrong horse 7"))
    with pytest.raises(DashboardError, match=r"no product can be reached at http://127\.0\.0\.1:9"):
        verify(file, Product("http://127.0.0.1:9", "ada", PASSWORD))


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://h", "http://", "http://h:x", "http://h:70000", "http://h/path", "http://u@h", "http://h?q"]
)
def test_a_bad_url_is_named(url: str) -> None:
    with pytest.raises(DashboardError, match="--url must be like"):
        Product(url, "ada", PASSWORD)


def test_the_session_ends_with_it(desk: Desk) -> None:
    file = desk.export("AAPL.csv")
    before = sessions(desk)
    assert before > 0
    assert desk.verify(file).status == EQUAL
    assert sessions(desk) == before


def sessions(desk: Desk) -> int:
    """How many logins are kept."""
    with desk.house.runtime.database.session() as session:
        return len(session.scalars(select(LoginSession.id)).all())


def test_the_address_is_the_settings_as_seen_from_this_machine() -> None:
    from dashboard.config import load_settings

    def at(host: str) -> str:
        return address(load_settings({"DASHBOARD_HOST": host, "DASHBOARD_PORT": "9000"}, env_file=None))

    assert at("127.0.0.1") == "http://127.0.0.1:9000"
    assert at("::1") == "http://[::1]:9000"
    assert at("localhost") == "http://localhost:9000"


# -- as people run it ------------------------------------------------------------------------------------------------


def test_the_command_says_one_sentence_and_its_status(desk: Desk, damage: Damage, tmp_path: Path) -> None:
    file = desk.export("AAPL.csv", timeframe="tick")
    given = ("verify", str(file), "--url", desk.url, "--user", "ada")
    equal = command(tmp_path, *given, stdin=f"{PASSWORD}\n")
    assert (equal.returncode, equal.stderr) == (0, "")
    assert re.fullmatch(r"equal: 40 rows of AAPL tick, up to sequence number 120 of epoch \w+\n", equal.stdout)
    damage(file, b"204.625", b"204.626")
    damaged = command(tmp_path, *given, stdin=f"{PASSWORD}\n")
    assert damaged.returncode == 5
    assert damaged.stdout.startswith("damaged: ")
    nothing = command(tmp_path, "verify", str(tmp_path), "--url", desk.url)
    assert nothing.returncode == 3
    assert len(nothing.stderr.strip().splitlines()) == 1
    assert "is a directory" in nothing.stderr


def test_the_demonstrations_account_is_tried_where_nobody_is_named(desk: Desk, tmp_path: Path) -> None:
    """It does not exist here, for there is an administrator: told so, with the way out."""
    file = desk.export("AAPL.csv")
    answer = command(tmp_path, "verify", str(file), "--url", desk.url)
    assert answer.returncode == 3
    assert "does not let 'root' in" in answer.stderr
    assert "--user" in answer.stderr
    assert "Traceback" not in answer.stderr
