"""Statistics and data quality of one instrument: the numbers are those of the stored bars, and nothing is made up."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient

from dashboard.market import indicators
from dashboard.market.bars import TIMEFRAME_INDEX, Flag
from dashboard.market.indicators import Columns
from dashboard.market.quality import REASONS
from tests.api.conftest import parsed
from tests.house import House, open_house

MINUTE = 60_000
DAY = 86_400_000


@pytest.fixture
def bare(tmp_path: Path) -> Any:
    """A market without a history, as a feed that has none: a replay of one line a symbol that has been read."""
    file = tmp_path / "bare.csv"
    file.write_text("time,symbol,price,size\n2026-11-20T10:00:00Z,ONE,5,1\n2026-11-20T10:00:00Z,TWO,5,1\n")
    with open_house(tmp_path, {"ada": "administrator"}, FEED=f"replay:{file}", REPLAY_SPEED="max") as house:
        yield house


def bars(house: House, symbol: str, frame: str) -> pd.DataFrame:
    """The closed bars of a symbol, by when they end."""
    at = house.runtime.store.catalogue.require(symbol)
    rows = house.runtime.store.bars(at, TIMEFRAME_INDEX[frame]).rows
    ms = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": 60 * MINUTE, "1d": DAY}[frame]
    made = pd.DataFrame(rows, columns=["start", "open", "high", "low", "close", "volume", "trades", "flags"])
    made = made[(made["flags"].astype(int) & int(Flag.CLOSED)) > 0]
    return made.set_index(made["start"] + ms)


@pytest.mark.parametrize(
    ("window", "frame", "length"),
    [
        ("1h", "1m", DAY // 24),
        ("1d", "5m", DAY),
        ("7d", "1h", 7 * DAY),
        ("30d", "1h", 30 * DAY),
        ("1y", "1d", 365 * DAY),
    ],
)
def test_the_numbers_are_those_of_the_closed_bars_of_the_window(
    get: Any, market: House, window: str, frame: str, length: int
) -> None:
    body = get("/tickers/AAPL/statistics", window=window, against="MSFT")
    now = market.runtime.store.last().ts[0]
    every = bars(market, "AAPL", frame)
    own, other = (each[each.index > now - length] for each in (every, bars(market, "MSFT", frame)))
    logs = np.log(own["close"]).diff().dropna()
    assert (body["window"], body["timeframe"], body["bars"], body["end"]) == (window, frame, len(own), now)
    assert body["start"] == own.index[0]
    year = 365.25 * DAY
    assert body["volatility"] == pytest.approx(
        math.sqrt((logs**2).sum() * year / (own.index[-1] - own.index[0])), rel=1e-9
    )
    assert body["distribution"]["returns"] == len(logs)
    assert body["distribution"]["skew"] == pytest.approx(logs.skew(), rel=1e-6)
    assert body["distribution"]["kurtosis"] == pytest.approx(logs.kurt(), rel=1e-6)
    pairs = pd.DataFrame({"own": np.log(own["close"]), "other": np.log(other["close"])}).dropna().diff().dropna()
    assert body["beta"]["returns"] == len(pairs)
    assert body["beta"]["value"] == pytest.approx(pairs.cov().loc["own", "other"] / pairs["other"].var(), rel=1e-6)
    assert body["beta"]["correlation"] == pytest.approx(pairs.corr().loc["own", "other"], rel=1e-6)
    closes = pd.concat([own["close"], pd.Series([body["price"]], [now])])
    below = closes / closes.expanding().max() - 1
    assert body["drawdown"]["now"] == pytest.approx(below.iloc[-1], abs=1e-12)
    assert body["drawdown"]["most"] == pytest.approx(below.min(), abs=1e-12)
    assert body["drawdown"]["trough"] == below.idxmin()
    table = every[["start", "open", "high", "low", "close", "volume", "trades", "flags"]].to_numpy()
    assert body["atr"]["value"] == pytest.approx(
        indicators.compute(indicators.parse("atr:14"), Columns.of(table))[-1, 0], rel=1e-12
    )
    assert body["atr"]["percent"] == pytest.approx(body["atr"]["value"] / body["price"] * 100)


def test_returns_are_the_price_over_the_last_close_before_the_window(get: Any, market: House) -> None:
    body = get("/tickers/AAPL/statistics")
    assert [row["window"] for row in body["returns"]] == ["5m", "1h", "1d", "7d", "30d", "1y"]
    for row, frame in zip(body["returns"], ["1m", "1m", "1m", "1h", "1h"], strict=False):
        length = {"5m": 5 * MINUTE, "1h": 60 * MINUTE, "1d": DAY, "7d": 7 * DAY, "30d": 30 * DAY}[row["window"]]
        before = bars(market, "AAPL", frame)
        before = before[before.index <= body["end"] - length]
        assert row["value"] == pytest.approx(body["price"] / before["close"].iloc[-1] - 1, rel=1e-9)
        assert row["since"] == before.index[-1]


def test_without_another_instrument_there_is_no_beta(get: Any) -> None:
    body = get("/tickers/AAPL/statistics")
    assert (body["window"], body["against"], body["beta"]) == ("1d", None, None)
    assert get("/tickers/AAPL/statistics", against="AAPL")["beta"]["value"] == pytest.approx(1.0)


def test_an_instrument_with_history_only_has_statistics_up_to_its_last_bar(get: Any) -> None:
    body = get("/tickers/%5EGSPC/statistics")
    assert body["volatility"] > 0
    assert body["price"] is not None


def test_prices_beyond_all_measure_give_null_and_no_error(get: Any) -> None:
    for window in ("1h", "1d", "1y"):
        body = get("/tickers/BTC-USD/statistics", window=window, against="AAPL")
        assert body["bars"] > 0


def test_an_instrument_with_one_tick_has_a_price_and_nothing_else(bare: House) -> None:
    client: FlaskClient = bare.enter("ada")
    for _try in range(100):
        if bare.runtime.store.seq == 2:
            break
        bare.runtime.stopping.wait(0.05)
    body = parsed(client.get("/api/v1/tickers/ONE/statistics?against=TWO"))
    assert body["price"] == 5.0
    assert all(row["value"] is None for row in body["returns"])
    assert [body[name] for name in ("volatility", "atr", "beta", "distribution")] == [None] * 4
    quality = parsed(client.get("/api/v1/tickers/ONE/quality"))
    assert quality["ticks"] == 1
    assert quality["bars"]["count"] == 1
    assert quality["holes"] == {"count": 0, "bars": 0, "longest": None}


@pytest.mark.parametrize(
    ("query", "parameter", "accepted"),
    [
        ({"window": "2d"}, "window", "one of 1h, 1d, 7d, 30d, 1y"),
        ({"window": ""}, "window", "one of 1h, 1d, 7d, 30d, 1y"),
        ({"against": "NOPE"}, "against", "the symbol of an instrument that there is"),
        ({"bars": "7"}, "bars", "left out: this takes window, against"),
    ],
)
def test_a_bad_parameter_is_named_with_what_is_taken(
    refused: Any, query: dict[str, str], parameter: str, accepted: str
) -> None:
    (entry,) = refused("/tickers/AAPL/statistics", 422, query)["errors"]
    assert (entry["parameter"], entry["accepted"]) == (parameter, accepted)


def test_what_is_not_there_is_a_404_and_a_stranger_is_not_let_in(refused: Any, market: House) -> None:
    for look in ("statistics", "quality"):
        refused(f"/tickers/NOPE/{look}", 404)
        assert market.stranger().get(f"/api/v1/tickers/AAPL/{look}").status_code == 401
    refused("/tickers/AAPL/quality", 422, {"window": "1d"})


def test_refused_ticks_are_counted_by_instrument_and_reason_and_of_the_feed(tmp_path: Path) -> None:
    with open_house(tmp_path, {"ada": "administrator"}) as house:
        client = house.enter("ada")
        house.tick(("AAPL", 200.0), ("MSFT", 400.0))
        house.tick(("AAPL", -1.0), ("AAPL", math.nan), ("AAPL", math.nan), ("NOPE", 5.0), ("MSFT", 1.0, 1.0, 0, 9, 8))
        house.tick(("MSFT", 400.0, 1.0, 120_000), ("MSFT", 300.0), ("MSFT", 301.0))
        house.runtime.intake.unreadable(3)
        apple, micro = (parsed(client.get(f"/api/v1/tickers/{each}/quality")) for each in ("AAPL", "MSFT"))
    none = dict.fromkeys(("nan", "price", "crossed", "future", "late", "duplicate"), 0)
    assert apple["quarantined"] == none | {"nan": 2, "price": 1}
    assert micro["quarantined"] == none | {"crossed": 1, "late": 1}
    assert (apple["outliers"], micro["outliers"]) == (0, 1)
    assert apple["quarantined_of_feed"] == dict.fromkeys(REASONS, 0) | {
        "nan": 2, "price": 1, "crossed": 1, "late": 1, "unknown": 1, "unreadable": 3,
    }  # fmt: skip
    assert (apple["ticks"], micro["ticks"]) == (1, 3)


def test_age_gaps_and_corrections_are_told_as_the_store_has_them(tmp_path: Path) -> None:
    with open_house(tmp_path, {"ada": "administrator"}) as house:
        client, store = house.enter("ada"), house.runtime.store

        def ask() -> Any:
            return parsed(client.get("/api/v1/tickers/AAPL/quality"))

        before = ask()
        house.tick(("AAPL", 200.0))
        house.clock.advance(7 * MINUTE)
        store.disconnected(house.clock.now_ms() - 3 * MINUTE)
        broken = ask()
        store.connected(house.clock.now_ms() - 2 * MINUTE)
        house.tick(("AAPL", 201.0))
        house.clock.advance(MINUTE)
        house.tick(("AAPL", 202.0))
        house.tick(("AAPL", 203.0, 1.0, 59_000))
        after = ask()
        now = house.clock.now_ms()
    assert before["age_ms"] is None
    assert before["breaks"] == {"count": 0, "newest": []}
    assert broken["breaks"]["newest"][-1][1] is None
    assert broken["age_ms"] == pytest.approx(7 * MINUTE, abs=1_000)
    assert after["breaks"] == {"count": 1, "newest": [[now - 4 * MINUTE, now - 3 * MINUTE]]}
    assert after["holes"]["count"] == 1
    assert after["holes"]["bars"] == 6
    assert after["holes"]["longest"][1] - after["holes"]["longest"][0] == 6 * MINUTE
    assert after["bars"]["corrected"] == 1
    assert after["bars"]["count"] == before["bars"]["count"] + 2
    assert after["feed"]["kind"] == "SIMULATED"
    assert after["feed"]["status"] in ("starting", "running")
