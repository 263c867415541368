"""Random and mutated files at a replay: every line is a row or counted as unreadable, a file is read or refused in one
sentence, and what comes of it passes the checks into a real store without a torn number."""

from __future__ import annotations

import gzip
import io
import re
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.errors import DashboardError, FeedError, StartRefused
from dashboard.feeds import replay as replay_module
from dashboard.feeds import tables as under_test
from dashboard.feeds.tables import Table
from tests.conftest import Scale
from tests.feeds.making import line_of
from tests.fuzz import measure
from tests.fuzz.mutation import Mutator

HEADS = {
    "trades": "timestamp,trade_id,price,quantity",
    "named": "time,symbol,price,size",
    "quotes": "timestamp,bid,ask",
    "bars": "timestamp,open,high,low,close,volume,trades",
    "none": "",
}
ROWS = {
    "trades": ("2021-01-08 00:00:00.250000+00:00", "11", "40000.50", "0.25"),
    "named": ("1610064000000", "BTC-USD", "40000.50", "1e-3"),
    "quotes": ("2013-01-01T22:00:00.295Z", "86.65", "86.67"),
    "bars": ("2022-01-01 00:00:00", "10", "12", "9", "11", "5", "3"),
    "none": ("1610064000", "40000.5", "0.25"),
}
ENDS = ("\n", "\n", "\r\n", "\n\n")


def table(mutator: Mutator) -> tuple[str, bytes]:
    """(its kind, a table in which some cells, lines or bytes are wrong)."""
    chance = mutator.random
    kind = chance.choice(list(HEADS))
    end = chance.choice(ENDS)
    lines = [HEADS[kind]] if HEADS[kind] else []
    for number in range(chance.choice((1, 3, 20, 20, 60))):
        cells = list(ROWS[kind])
        if kind == "bars":
            cells[0] = f"2022-01-01 {number // 60:02}:{number % 60:02}:00"
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            at = chance.randrange(len(cells))
            cells[at] = mutator.text(cells[at])
        if chance.random() < 0.05:
            cells = cells[: chance.randrange(len(cells))] if chance.random() < 0.5 else [*cells, mutator.text("x")]
        lines.append(",".join(cells))
    if chance.random() < 0.1:
        lines[0] = mutator.text(lines[0])
    if chance.random() < 0.02:
        lines.insert(chance.randint(0, len(lines)), "x" * chance.choice((130_000, 140_000, 1_100_000)) + ",1,2")
    whole = end.join(lines).encode(
        chance.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")), "replace"
    )
    return kind, mutator.bytes(whole, [HEADS["bars"].encode()]) if chance.random() < 0.3 else whole


def one_sentence(error: DashboardError) -> None:
    text = str(error)
    assert 10 < len(text) < 900, text
    assert "Traceback" not in text


def read_whole(file: Path) -> tuple[int, int] | None:
    """(rows, unreadable lines) of a file, None where it is refused or breaks off."""
    try:
        opened = Table(file, {})
    except StartRefused as error:
        one_sentence(error)
        return None
    good = bad = 0
    last = 0
    try:
        for rows in opened.blocks():
            sizes = {len(rows.ts), *(len(column) for column in rows.values.values())}
            assert len(sizes) == 1, "columns of different length"
            assert rows.symbol is None or len(rows.symbol) == len(rows.ts)
            assert rows.trade_id is None or len(rows.trade_id) == len(rows.ts)
            assert rows.ts.dtype == np.int64
            assert all(last < line for line in rows.bad[:1]), "a line's number goes back"
            assert list(rows.bad) == sorted(set(rows.bad))
            last = rows.bad[-1] if rows.bad else last
            good, bad = good + len(rows.ts), bad + len(rows.bad)
    except FeedError as error:
        one_sentence(error)
        return None
    return good, bad


def lines_of(content: bytes) -> int:
    """Lines that are not blank, as an editor counts them."""
    return sum(1 for line in re.split(r"\r\n?|\n", content.decode("utf-8-sig", "replace")) if line)


def attempt_text(folder: Path, mutator: Mutator) -> None:
    kind, content = table(mutator)
    file = folder / f"{kind}.csv"
    file.write_bytes(content)
    found = read_whole(file)
    if found is not None:
        opened = Table(file, {})
        assert sum(found) == lines_of(content) - opened.layout.header, "every line is a row or counted as unreadable"


def attempt_play(folder: Path, mutator: Mutator) -> None:
    """The same files through the replay, the checks and the store."""
    kind, content = table(mutator)
    file = folder / f"{kind}.csv"
    file.write_bytes(content)
    found = read_whole(file)
    given = {"times": mutator.random.choice(("original", "shifted"))}
    try:
        line = line_of(file, **given)
        line.replay.run(line.intake, threading.Event())
    except DashboardError as error:
        one_sentence(error)
        return
    assert found is not None
    counted = line.intake.telemetry.registry.get_sample_value
    refused = sum(
        int(counted("dashboard_ticks_quarantined_total", {"reason": reason}) or 0)
        for reason in ("late", "future", "nan", "price", "crossed", "unknown", "duplicate")
    )
    assert line.quarantined("unreadable") == found[1]
    assert line.store.seq + refused == found[0], "a row is a tick or quarantined"
    ticks = line.store.ticks(0, limit=100_000).rows
    assert np.isfinite(ticks[:, 1]).all()
    assert (ticks[:, 1] > 0).all()
    bars = line.store.bars(0, 3, limit=100_000).rows
    if len(bars):
        _start, open_, high, low, close = bars[:, :5].T
        assert (low <= np.minimum(open_, close)).all()
        assert (high >= np.maximum(open_, close)).all()


def parquet(mutator: Mutator) -> bytes:
    """A small Parquet file of one of many shapes."""
    chance = mutator.random
    count = chance.choice((0, 1, 5, 50))
    stamps = pd.date_range("2021-01-08", periods=count, freq="1s", tz=chance.choice((None, "UTC", "Europe/Berlin")))
    frame = pd.DataFrame({"timestamp": stamps, "price": np.linspace(1.0, 2.0, count), "quantity": range(count)})
    way = chance.random()
    if way < 0.15:
        frame = frame.set_index("timestamp")
    elif way < 0.25:
        frame["timestamp"] = frame["timestamp"].astype("int64")
    elif way < 0.35:
        frame["price"] = [None if at % 3 == 0 else f"{at}.5" for at in range(count)]
    elif way < 0.45:
        frame["extra"] = [[at] for at in range(count)]
    elif way < 0.5:
        frame = frame.rename(columns={"quantity": mutator.text("x")})
    out = io.BytesIO()
    frame.to_parquet(out, compression=chance.choice(("snappy", None, "gzip", "zstd")))
    return out.getvalue()


@pytest.mark.fuzz
def test_every_line_is_a_row_or_unreadable_and_a_file_is_refused_in_one_sentence(scale: Scale, tmp_path: Path) -> None:
    measure.attack(scale, 400, 100_000, lambda mutator, _: attempt_text(tmp_path, mutator), judged=False)


@pytest.mark.fuzz
def test_every_row_is_a_tick_or_quarantined(scale: Scale, tmp_path: Path) -> None:
    measure.attack(scale, 60, 10_000, lambda mutator, _: attempt_play(tmp_path, mutator), judged=False)


@pytest.mark.fuzz
def test_a_damaged_compressed_file_is_one_sentence(scale: Scale, tmp_path: Path) -> None:
    def attempt(mutator: Mutator, _number: int) -> None:
        kind, content = table(mutator)
        file = tmp_path / f"{kind}.csv.gz"
        whole = gzip.compress(content, mtime=0) + (gzip.compress(content) if mutator.random.random() < 0.3 else b"")
        file.write_bytes(mutator.bytes(whole) if mutator.random.random() < 0.8 else whole)
        read_whole(file)

    measure.attack(scale, 150, 50_000, attempt, judged=False)


@pytest.mark.fuzz
def test_a_damaged_parquet_file_is_one_sentence(scale: Scale, tmp_path: Path) -> None:
    file = tmp_path / "trades.parquet"

    def attempt(mutator: Mutator, _number: int) -> None:
        whole = parquet(mutator)
        intact = mutator.random.random() < 0.3
        file.write_bytes(whole if intact else mutator.bytes(whole, most=2))
        found = read_whole(file)
        if intact and found is not None:
            assert sum(found) == len(pd.read_parquet(file))

    measure.attack(scale, 60, 20_000, attempt, judged=False)


#: The setting REPLAY_COLUMNS, mostly not given.
COLUMNS: tuple[dict[str, str], ...] = (
    *[{}] * 6,
    {"price": "last"},
    {"price": "price"},
    {"time": "1", "price": "2"},
    {"time": "1", "bid": "2", "ask": "3"},
    {"price": "99"},
    {"price": "\u00b2"},
    {"size": "3"},
)
NAMES = ("btcusdt-trades.csv", "kraken_btc-perp.csv", "___.csv", "EUR.csv", "quotes.txt")


def attempt_any(folder: Path, mutator: Mutator) -> None:
    """A file of any kind and name, with any columns named, as a replay takes it."""
    _kind, content = table(mutator)
    way = mutator.random.random()
    name = mutator.random.choice(NAMES)
    if way < 0.1:
        name, content = "trades.parquet", parquet(mutator)
    elif way < 0.25:
        name, content = f"{name}.gz", gzip.compress(content) * mutator.random.choice((1, 1, 2))
    elif way < 0.3:
        content = mutator.random.choice(
            (b"", b"\n\n", b"\n\ntime,price\n", b"time,price\n\n\n", b"time,symbol,price\n1,?,2")
        )
    elif way < 0.33:
        content = b"time,price\n" + b"\n" * 300_000 + b"1610064000,1\n"
    (folder / name).write_bytes(mutator.bytes(content) if way > 0.9 else content)
    try:
        line = line_of(folder / name, columns=mutator.random.choice(COLUMNS))
        line.replay.run(line.intake, threading.Event())
    except DashboardError as error:
        one_sentence(error)


@pytest.mark.fuzz
def test_the_inputs_take_every_branch_of_the_reading_of_files(scale: Scale, tmp_path: Path) -> None:
    with measure.branches({under_test: (), replay_module: ("_instruments", "_timeframe", "_due", "symbol_of")}):
        measure.attack(scale, 180, 10_000, lambda mutator, _: attempt_any(tmp_path, mutator), judged=False)
