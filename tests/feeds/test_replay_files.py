"""Files that a replay takes: what their columns mean, what is no row, and one sentence for what it can't take."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from structlog.testing import capture_logs

from dashboard.clock import ManualClock
from dashboard.config import load_settings
from dashboard.errors import ConfigurationError, FeedError, StartRefused
from dashboard.feeds.registry import make_feed
from dashboard.feeds.replay import columns_of, symbol_of
from dashboard.market.bars import TIMEFRAME_INDEX
from tests.feeds.making import Notes, played, replay_of

TRADES = """timestamp,trade_id,price,quantity,buyer_maker
2021-01-08 00:00:00.250000+00:00,11,40000.50,0.25,True
2021-01-08 00:00:00.250999+00:00,12,40001.00,0.50,False
2021-01-08 00:00:03.000000+00:00,13,39999.75,1.00,True
"""
START = 1_610_064_000_000
QUOTES = "timestamp,bid,ask\n2013-01-01T22:00:00.295Z,86.65,86.67\n2013-01-01T22:00:01Z,86.64,86.68\n"
BARS = """timestamp,open,high,low,close,volume
2022-01-01 00:00:00,10,12,9,11,5
2022-01-01 00:01:00,11,11,11,11,0
2022-01-01 00:02:00,11,15,10,14,7
"""
BARS_START = 1_640_995_200_000


def file_of(folder: Path, content: str | bytes, name: str = "binance-btcusdt.csv") -> Path:
    """A file in the test's own folder."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path, **given: Any) -> str:
    """The sentence with which a file is refused at the start."""
    with pytest.raises(StartRefused) as caught:
        replay_of(path, **given)
    text = str(caught.value)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


# -- what is in a file -----------------------------------------------------------------------------------------------


def test_trades_give_price_size_id_and_whole_milliseconds(tmp_path: Path) -> None:
    path = file_of(tmp_path, TRADES)
    notes = played(path)
    assert notes.column("ts") == [START + 250, START + 250, START + 3_000]
    assert notes.column("price") == [40000.5, 40001.0, 39999.75]
    assert notes.column("size") == [0.25, 0.5, 1.0]
    assert notes.column("trade_id") == [11, 12, 13]
    assert np.isnan(notes.column("bid")).all()
    assert (replay_of(path).catalogue.symbols, replay_of(path).catalogue[0].decimals) == (("BTCUSDT",), 2)


def test_krakens_headerless_export_is_time_price_and_volume(tmp_path: Path) -> None:
    path = file_of(tmp_path, "1672531200,90.5,0.1\n1672531260.5,90.75,2\n", "kraken-bcheur-trades.csv")
    notes = played(path)
    assert notes.column("ts") == [1_672_531_200_000, 1_672_531_260_500]
    assert (notes.column("price"), notes.column("size")) == ([90.5, 90.75], [0.1, 2.0])
    assert replay_of(path).catalogue.symbols == ("BCHEUR",)


def test_a_quotes_price_is_the_mid_and_it_has_no_size(tmp_path: Path) -> None:
    notes = played(file_of(tmp_path, QUOTES, "usdjpy-quotes.csv"))
    assert notes.column("price") == pytest.approx([86.66, 86.66])
    assert (notes.column("bid"), notes.column("ask")) == ([86.65, 86.64], [86.67, 86.68])
    assert np.isnan(notes.column("size")).all()
    assert notes.column("ts")[0] == 1_357_077_600_295


def test_a_line_of_bars_goes_into_its_timeframe_and_gives_one_tick_at_its_last_millisecond(tmp_path: Path) -> None:
    path = file_of(tmp_path, BARS, "btc-perp-1m.csv")
    notes = played(path)
    assert notes.column("ts") == [BARS_START + minute * 60_000 + 59_999 for minute in range(3)]
    assert (notes.column("price"), notes.column("size")) == ([11.0, 11.0, 14.0], [5.0, 0.0, 7.0])
    source = notes.batches[0].bars
    assert source is not None
    assert source.timeframe == TIMEFRAME_INDEX["1m"]
    assert source.start.tolist() == [BARS_START, BARS_START + 60_000, BARS_START + 120_000]
    assert (source.open[2], source.high[2], source.low[2], source.close[2]) == (11.0, 15.0, 10.0, 14.0)
    assert source.trades.tolist() == [0.0, 0.0, 0.0]
    assert replay_of(path).catalogue.symbols == ("BTC-PERP",)


def test_a_compressed_file_reads_as_the_plain_one_also_when_it_has_several_parts(tmp_path: Path) -> None:
    half = len(TRADES) // 2
    parts = gzip.compress(TRADES[:half].encode()) + gzip.compress(TRADES[half:].encode())
    plain = played(file_of(tmp_path, TRADES)).column("price")
    assert played(file_of(tmp_path, gzip.compress(TRADES.encode()), "a.csv.gz")).column("price") == plain
    assert played(file_of(tmp_path, parts, "b.csv.gz")).column("price") == plain


@pytest.mark.parametrize("stamps", ["datetime", "datetime with zone", "text", "milliseconds"])
def test_parquet_reads_as_the_same_rows_in_a_csv(tmp_path: Path, stamps: str) -> None:
    plain = file_of(tmp_path, TRADES)
    frame = pd.read_csv(plain)
    when = pd.to_datetime(frame["timestamp"])
    frame["timestamp"] = {
        "datetime": when.dt.tz_localize(None),
        "datetime with zone": when.dt.tz_convert("Asia/Tokyo"),
        "text": frame["timestamp"],
        "milliseconds": when.dt.as_unit("ms").astype("int64"),
    }[stamps]
    path = tmp_path / "binance-btcusdt.parquet"
    frame.to_parquet(path)
    from_csv, from_parquet = played(plain), played(path)
    for name in ("ts", "price", "size", "trade_id"):
        assert from_parquet.column(name) == from_csv.column(name)


@pytest.mark.parametrize("around", ["\x1f", "\x1c", "\u00a0", " "])
def test_a_trade_id_among_odd_spaces_is_the_number(tmp_path: Path, around: str) -> None:
    """What a regular expression takes for a space, `int` may not."""
    notes = played(file_of(tmp_path, TRADES.replace(",11,", f",{around}11{around},")))
    assert notes.column("trade_id") == [11, 12, 13]


def test_a_byte_order_mark_is_one_at_the_beginning_only(tmp_path: Path) -> None:
    notes = played(file_of(tmp_path, "\ufeff" + TRADES + "\ufeff"))
    assert notes.column("trade_id") == [11, 12, 13]
    assert notes.bad == 1


def test_a_name_of_any_length_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="can't be read: File name too long") as refused:
        replay_of(tmp_path / ("a" * 5_000))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "stamp", ["1610064000", "1610064000.0", "1610064000000", "1610064000000000", "1610064000000000000"]
)
def test_numbers_are_epoch_seconds_milliseconds_microseconds_or_nanoseconds_by_their_size(
    tmp_path: Path, stamp: str
) -> None:
    assert played(file_of(tmp_path, f"time,price\n{stamp},5\n")).column("ts") == [START]


@pytest.mark.parametrize(
    "header", ["time,price,size", "Timestamp,Last Price,QTY", "open_time, p ,amount", "﻿date,trade-price,volume"]
)
def test_columns_are_known_by_their_usual_names_in_any_spelling(tmp_path: Path, header: str) -> None:
    notes = played(file_of(tmp_path, f"{header}\n1610064000,5,7\n"))
    assert (notes.column("price"), notes.column("size")) == ([5.0], [7.0])


def test_the_setting_names_columns_that_are_not_recognised_by_name_or_number(tmp_path: Path) -> None:
    named = file_of(tmp_path, "when,paid,lots,price\n1610064000,5,7,99\n")
    columns = columns_of("time=when, price=paid,size=lots")
    assert columns == {"time": "when", "price": "paid", "size": "lots"}
    notes = played(named, columns=columns)
    assert (notes.column("price"), notes.column("size")) == ([5.0], [7.0])
    numbered = file_of(tmp_path, "7,1610064000,5,8\n")
    assert played(numbered, columns=columns_of("time=2,price=3")).column("price") == [5.0]


@pytest.mark.parametrize("text", ["price", "price=", "cost=last", "=last", "price:last"])
def test_a_setting_of_columns_that_makes_no_sense_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match="takes pairs such as price=last,size=qty"):
        columns_of(text)


def test_a_meaning_named_twice_is_refused_and_a_bad_setting_of_columns_stops_any_start() -> None:
    with pytest.raises(ConfigurationError, match="names price twice"):
        columns_of("price=last,size=qty,price=paid")
    settings = load_settings({"DASHBOARD_REPLAY_COLUMNS": "nonsense"}, env_file=None)
    with pytest.raises(ConfigurationError, match="DASHBOARD_REPLAY_COLUMNS takes pairs"):
        make_feed(settings, ManualClock(0.0))


def test_the_symbol_is_the_columns_else_the_settings_else_the_file_names(tmp_path: Path) -> None:
    several = file_of(tmp_path, "time,symbol,price\n1610064000,eth-usd,5\n1610064001,BTC-USD,9\n1610064002,ETH-USD,6\n")
    assert replay_of(several, symbol="OTHER").catalogue.symbols == ("ETH-USD", "BTC-USD")
    assert played(several).column("instrument") == [0, 1, 0]
    assert replay_of(file_of(tmp_path, TRADES), symbol="MINE").catalogue.symbols == ("MINE",)
    assert "a symbol is 1 to 24" in refusal(file_of(tmp_path, TRADES), symbol="not one")


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("binance-btcusdt-trades-2021-01-08.csv", "BTCUSDT"),
        ("kraken-bcheur-trades-2023-01.csv", "BCHEUR"),
        ("usdjpy-quotes-2013-01.csv", "USDJPY"),
        ("btc-perp-1m-2022-01.csv.gz", "BTC-PERP"),
        ("gold.csv", "GOLD"),
        ("my trades.csv", "MY"),
        ("---", "REPLAY"),
    ],
)
def test_a_file_name_says_its_symbol(name: str, symbol: str) -> None:
    assert symbol_of(name) == symbol


# -- lines that can't be read ----------------------------------------------------------------------------------------


NO_ROWS = [
    "nonsense",
    "1610064001,five,1",
    "never,5,1",
    "1610064002,5",
    "1610064003,5,1,1",
    ",,",
    '"open,5,1',
    "1" * 200_000,
    "\t",
]


def test_lines_that_cannot_be_read_are_counted_as_unreadable_and_the_others_stay(tmp_path: Path) -> None:
    lines = ["time,price,size", *NO_ROWS[:2], "1610064000,5,1", *NO_ROWS[2:], "1610064004,6,1", "1610064005,7,1"]
    notes = played(file_of(tmp_path, "\n".join(lines)))
    assert notes.column("price") == [5.0, 6.0, 7.0]
    assert notes.bad == len(NO_ROWS)


@pytest.mark.parametrize("before", [50, 100])
@pytest.mark.parametrize("line", NO_ROWS)
def test_one_line_that_cannot_be_read_costs_nothing_but_itself(tmp_path: Path, line: str, before: int) -> None:
    """In the middle, and as the last one, which no newline ends."""
    good = [f"1610064{at:03},5,1" for at in range(100, 200)]
    notes = played(file_of(tmp_path, "\n".join(["time,price,size", *good[:before], line, *good[before:]])))
    assert (len(notes.column("price")), notes.bad) == (100, 1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("time,price\n1610064000,5\nx\n1610064001,6\ny\n", [3, 5]),
        ("1610064000,5,1\nx\n1610064001,6,1\n", [2]),
        ("\n\ntime,price\n\n1610064000,5\n\n\nx\n\n", [8]),
        ("time,price\n" + "1610064000,5\n" * 40_000 + "x\n", [40_002]),
        ("time,price\n1610064000,5\n" + "x\n" * 30, list(range(3, 23))),
    ],
)
def test_the_first_twenty_of_them_are_logged_with_their_line_number(
    tmp_path: Path, text: str, wanted: list[int]
) -> None:
    with capture_logs() as logs:
        notes = played(file_of(tmp_path, text))
    assert [entry["line"] for entry in logs] == wanted
    assert notes.bad >= len(wanted)


def test_quoted_cells_are_read_without_their_quotes(tmp_path: Path) -> None:
    notes = played(file_of(tmp_path, '"time","price"\n"1610064000","5"\n'))
    assert notes.column("price") == [5.0]


def test_a_number_that_is_none_is_left_to_the_checks_and_an_empty_cell_is_unreadable(tmp_path: Path) -> None:
    notes = played(file_of(tmp_path, "time,price\n1610064000,nan\n1610064001,inf\n1610064002,\n1610064003,-5\n"))
    assert notes.bad == 1
    np.testing.assert_equal(notes.column("price"), [float("nan"), float("inf"), -5.0])


def test_binary_rubbish_between_good_lines_is_counted_and_passed_over(tmp_path: Path) -> None:
    content = b"time,price\n1610064000,5\n\x00\xff\xfe\x80,\x00\n1610064001,6\n"
    notes = played(file_of(tmp_path, content))
    assert (notes.column("price"), notes.bad) == ([5.0, 6.0], 1)


# -- files that it can't take ----------------------------------------------------------------------------------------


def test_a_missing_file_a_folder_and_an_empty_file_are_refused_by_name(tmp_path: Path) -> None:
    missing = refusal(tmp_path / "none.csv")
    assert "none.csv can't be read: No such file" in missing
    assert "is a folder" in refusal(tmp_path)
    for name, content in (("a.csv", b""), ("a.csv.gz", gzip.compress(b""))):
        assert f"{name} is empty; it takes" in refusal(file_of(tmp_path, content, name))
    assert "is empty; it takes" in refusal(file_of(tmp_path, "\n\n"))
    for text in ("time,price", "time,price\n", "time,price\n\n\n"):
        assert "a header and no rows" in refusal(file_of(tmp_path, text))


@pytest.mark.parametrize("header", ["time,colour", "price,size", "time,open,high,low", "a,b,c", "time,bid"])
def test_columns_that_mean_nothing_are_told_with_what_is_accepted(tmp_path: Path, header: str) -> None:
    text = refusal(file_of(tmp_path, f"{header}\n1,2,3\n"))
    assert f"has the columns {header.replace(',', ', ')}; it takes a header" in text
    assert "DASHBOARD_REPLAY_COLUMNS" in text


def test_a_setting_that_names_a_column_which_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    text = refusal(file_of(tmp_path, TRADES), columns={"price": "cost"})
    assert "has no column 'cost'; it has timestamp, trade_id, price, quantity, buyer_maker" in text


def test_a_file_none_of_whose_rows_can_be_read_is_refused(tmp_path: Path) -> None:
    assert "none of its first 2 rows can be read" in refusal(file_of(tmp_path, "time,price\nx,y\nz,w\n"))


def test_bars_of_a_length_that_is_no_timeframe_are_refused(tmp_path: Path) -> None:
    text = refusal(file_of(tmp_path, BARS.replace("00:01:", "00:07:").replace("00:02:", "00:14:")))
    assert "bars 420 s apart; it takes bars of 1s, 5s" in text


@pytest.mark.parametrize("name", ["broken.csv.gz", "broken.parquet"])
def test_a_file_that_is_not_what_its_name_says_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    assert f"{name} can't be read: " in refusal(file_of(tmp_path, TRADES, name))


def test_a_file_of_one_endless_line_is_refused(tmp_path: Path) -> None:
    assert "a line is longer than 1 MB" in refusal(file_of(tmp_path, b"1" * 3_000_000))


def long_file(rows: int) -> str:
    """Trades a second apart whose size is as long as can be, so that a cut goes through a number."""
    random = np.random.default_rng(3)
    lines = [f"{1_610_064_000 + at},5.5,0.{random.integers(10**15, 10**16)}" for at in range(rows)]
    return "time,price,size\n" + "\n".join(lines) + "\n"


def test_a_truncated_compressed_file_gives_its_whole_lines_and_then_one_sentence(tmp_path: Path) -> None:
    text = long_file(3_000)
    whole = played(file_of(tmp_path, text)).column("size")
    packed = gzip.compress(text.encode())
    for cut in (len(packed) // 2, len(packed) // 2 + 1, len(packed) - 9):
        replay, notes = replay_of(file_of(tmp_path, packed[:cut], "cut.csv.gz"), speed="max"), Notes()
        with pytest.raises(FeedError, match="ends too soon; the file is truncated") as caught:
            replay.run(notes, threading.Event())
        assert "\n" not in str(caught.value)
        found = notes.column("size")
        assert len(found) > 1_000
        assert found == whole[: len(found)]


def test_a_compressed_file_that_is_damaged_inside_breaks_off_with_one_sentence(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(long_file(60_000).encode()))
    packed[-4_000:-3_000] = b"\xff" * 1_000
    replay, notes = replay_of(file_of(tmp_path, bytes(packed), "cut.csv.gz"), speed="max"), Notes()
    with pytest.raises(FeedError, match=r"^cut.csv.gz can't be read after line \d+: "):
        replay.run(notes, threading.Event())
    assert len(notes.column("size")) > 1_000
