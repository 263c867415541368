"""The shared recordings of real markets replay whole: every row is accepted, or quarantined for a reason."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.market.quality import REASONS
from tests.feeds.making import Line, line_of
from tests.market.making import by_start, merged

DATA = Path(__file__).parents[2].parent / "shared" / "market-data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared recordings (shared/market-data) are not here")

TRADES = "binance-btcusdt-trades-2021-01-08.csv"
BARS = "btc-perp-1m-2022-01.csv.gz"
KRAKEN = "kraken-bcheur-trades-2023-01.csv"
QUOTES = "usdjpy-quotes-2013-01.csv"
FILES = [(TRADES, "BTCUSDT", 2_001), (BARS, "BTC-PERP", 45_031), (KRAKEN, "BCHEUR", 148), (QUOTES, "USDJPY", 1_000)]

ROWS = {name: rows for name, _symbol, rows in FILES}


def replayed(name: str, times: str = "shifted") -> Line:
    """A file from its first to its last row, through the checks into a store."""
    line = line_of(DATA / name, times=times)
    line.replay.run(line.intake, threading.Event())
    return line


@pytest.mark.parametrize(("name", "symbol", "rows"), FILES)
@pytest.mark.parametrize("times", ["shifted", "original"])
def test_a_recording_replays_whole(name: str, symbol: str, rows: int, times: str) -> None:
    line = replayed(name, times)
    refused = {reason: line.quarantined(reason) for reason in REASONS}
    assert line.store.catalogue.symbols == (symbol,)
    assert line.store.seq + sum(refused.values()) == rows
    assert refused["unreadable"] == refused["nan"] == refused["price"] == refused["future"] == 0
    assert line.store.seq > 0.9 * rows
    last = line.store.last()
    assert last.price[0] > 0
    assert line.replay.market_now_ms() >= last.ts[0]


@pytest.mark.parametrize("name", [TRADES, KRAKEN])
def test_the_bars_of_recorded_trades_are_those_that_pandas_makes(name: str) -> None:
    line = replayed(name, "original")
    assert line.store.seq == ROWS[name]
    ticks = pd.DataFrame(line.store.ticks(0).rows, columns=["seq", "price", "size", "bid", "ask", "ts"])
    for timeframe, frame in enumerate(TIMEFRAMES):
        groups = ticks.sort_values(["ts", "seq"]).groupby(ticks["ts"] // frame.ms * frame.ms)
        wanted = groups["price"].ohlc().assign(volume=groups["size"].sum(), trades=groups["size"].count())
        rows = line.store.bars(0, timeframe).rows
        np.testing.assert_array_equal(rows[:, 0], wanted.index)
        np.testing.assert_allclose(rows[:, 1:7], wanted.to_numpy(), rtol=1e-12)


def test_a_month_of_recorded_bars_stands_as_it_came_and_the_longer_ones_are_made_of_it() -> None:
    line = replayed(BARS, "original")
    file = pd.read_csv(DATA / BARS)
    start = pd.to_datetime(file["timestamp"], utc=True).dt.as_unit("ms").astype("int64")
    file = file.assign(start=start).drop_duplicates("start", keep="last").sort_values("start")
    minute = TIMEFRAME_INDEX["1m"]
    rows = line.store.bars(0, minute).rows
    whole = file[["start", "open", "high", "low", "close", "volume"]].to_numpy(np.float64)
    np.testing.assert_array_equal(rows[:, :6], whole[-len(rows) :])
    assert [len(line.store.bars(0, shorter).rows) for shorter in range(minute)] == [0] * minute
    wanted = by_start(np.column_stack((whole, np.zeros((len(whole), 2)))))
    for timeframe in range(minute + 1, len(TIMEFRAMES)):
        found = by_start(line.store.bars(0, timeframe).rows)
        longer = merged(wanted, TIMEFRAMES[timeframe].ms)
        assert list(found) == list(longer)[-len(found) :]
        for at, bar in found.items():
            assert bar[:5] == pytest.approx(longer[at][:5])


def test_recorded_quotes_have_a_mid_and_no_volume() -> None:
    line = replayed(QUOTES)
    last = line.store.last()
    assert last.price[0] == (last.bid[0] + last.ask[0]) / 2
    assert np.isnan(last.size[0])
    assert last.volume[0] == 0.0
    assert (line.store.bars(0, TIMEFRAME_INDEX["1d"]).rows[:, 5:7] == 0.0).all()
