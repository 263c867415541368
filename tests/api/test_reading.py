"""Tickers, bars and ticks: the shapes of the contract, every number exact, paging to the end without a hole."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.market.bars import TIMEFRAMES
from dashboard.market.ticks import Floats
from tests.house import House, open_house

QUOTE = {
    "symbol",
    "name",
    "class",
    "currency",
    "decimals",
    "price",
    "bid",
    "ask",
    "size",
    "volume",
    "open",
    "high",
    "low",
    "previous_close",
    "change",
    "change_percent",
    "ts",
    "age_ms",
    "stale",
}


def same(given: list[list[Any]], stored: Floats) -> None:
    """JSON rows are the stored ones, float by float, null for NaN."""
    assert len(given) == len(stored)
    for row, kept in zip(given, stored.tolist(), strict=True):
        assert [math.nan if value is None else value for value in row] == pytest.approx(kept, rel=0, abs=0, nan_ok=True)


def test_tickers_have_every_instrument_with_exactly_the_fields_of_the_contract(get: Any, market: House) -> None:
    body = get("/tickers")
    assert set(body) == {"epoch", "seq", "data"}
    assert (body["epoch"], body["seq"]) == (market.runtime.store.epoch, market.runtime.store.seq)
    assert [quote["symbol"] for quote in body["data"]] == ["AAPL", "MSFT", "BTC-USD", "^GSPC"]
    assert all(set(quote) == QUOTE for quote in body["data"])


def test_one_ticker_is_the_same_record_as_in_the_list(get: Any) -> None:
    for quote in get("/tickers")["data"]:
        assert get(f"/tickers/{quote['symbol'].replace('^', '%5E')}")["data"] == quote


def test_a_trade_feed_has_no_bid_and_ask_but_null(get: Any) -> None:
    quote = get("/tickers/MSFT")["data"]
    assert quote["bid"] is None
    assert quote["ask"] is None
    assert get("/tickers/AAPL")["data"]["bid"] == pytest.approx(199.9 + 59 / 8)


def test_an_instrument_that_has_not_ticked_has_its_last_close_and_no_time(get: Any) -> None:
    quote = get("/tickers/%5EGSPC")["data"]
    assert quote["price"] == get("/tickers/%5EGSPC/bars")["data"][-1][4]
    assert [quote[name] for name in ("ts", "bid", "ask", "size", "age_ms")] == [None] * 5


def test_a_late_tick_never_sets_the_last_price(get: Any) -> None:
    assert get("/tickers/AAPL")["data"]["price"] == 200.0 + 59 / 8
    assert get("/tickers/AAPL")["data"]["low"] <= 150.0


def test_change_is_the_difference_to_the_previous_close(get: Any) -> None:
    for quote in get("/tickers")["data"]:
        assert quote["change"] == pytest.approx(quote["price"] - quote["previous_close"])
        assert quote["change_percent"] == pytest.approx(100 * quote["change"] / quote["previous_close"])


@pytest.mark.parametrize("timeframe", [frame.name for frame in TIMEFRAMES])
def test_bars_are_the_stored_ones_newest_last_with_the_forming_one(get: Any, market: House, timeframe: str) -> None:
    index = [frame.name for frame in TIMEFRAMES].index(timeframe)
    for symbol in ("AAPL", "BTC-USD"):
        body = get(f"/tickers/{symbol}/bars", timeframe=timeframe, limit=50_000)
        assert body["symbol"] == symbol
        assert body["timeframe"] == timeframe
        assert body["columns"] == ["start", "open", "high", "low", "close", "volume", "trades", "flags"]
        at = market.runtime.store.catalogue.require(symbol)
        same(body["data"], market.runtime.store.bars(at, index).rows)
        starts = [row[0] for row in body["data"]]
        assert starts == sorted(set(starts))
        assert not body["data"][-1][7] & 1, "the last one is still forming"
        assert all(isinstance(row[column], int) for row in body["data"] for column in (0, 6, 7))


def test_bars_are_one_minute_and_500_unless_said_otherwise(get: Any) -> None:
    body = get("/tickers/AAPL/bars")
    assert body["timeframe"] == "1m"
    assert len(body["data"]) == 500
    assert body["data"] == get("/tickers/AAPL/bars", timeframe="1m", limit=50_000)["data"][-500:]


def test_a_limit_keeps_the_newest_rows_of_the_range(get: Any) -> None:
    everything = get("/tickers/AAPL/bars", limit=50_000)["data"]
    end = everything[-20][0]
    assert get("/tickers/AAPL/bars", end=end, limit=3)["data"] == everything[-23:-20]
    ticks = get("/tickers/AAPL/ticks", limit=50_000)["data"]
    assert get("/tickers/AAPL/ticks", limit=1)["data"] == ticks[-1:]


def test_start_is_included_and_end_is_not(get: Any) -> None:
    everything = get("/tickers/AAPL/bars", limit=50_000)["data"]
    first, last = everything[-9][0], everything[-4][0]
    assert get("/tickers/AAPL/bars", start=first, end=last)["data"] == everything[-9:-4]
    assert get("/tickers/AAPL/bars", start=first, end=first)["data"] == []
    ticks = get("/tickers/AAPL/ticks", limit=50_000)["data"]
    low, high = ticks[10][5], ticks[20][5]
    inside = [row for row in ticks if low <= row[5] < high]
    assert get("/tickers/AAPL/ticks", start=low, end=high)["data"] == inside


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-23", 1_795_392_000_000),
        ("2026-11-23T10:00", 1_795_428_000_000),
        ("2026-11-23T10:00:00Z", 1_795_428_000_000),
        ("2026-11-23t10:00:00z", 1_795_428_000_000),
        ("2026-11-23 10:00:00", 1_795_428_000_000),
        ("2026-11-23T10:00:00.250Z", 1_795_428_000_250),
        ("2026-11-23T12:00:00+02:00", 1_795_428_000_000),
        ("2026-11-23T12:00:00+0200", 1_795_428_000_000),
        ("2026-11-23T12:00:00 02:00", 1_795_428_000_000),
        ("2026-11-23T04:30:00-05:30", 1_795_428_000_000),
        ("1795428000000", 1_795_428_000_000),
    ],
)
def test_a_time_is_iso_8601_in_utc_or_with_a_zone_or_milliseconds(get: Any, text: str, ms: int) -> None:
    bars = get("/tickers/AAPL/bars", timeframe="1s", start=text, limit=50_000)["data"]
    assert bars == get("/tickers/AAPL/bars", timeframe="1s", start=ms, limit=50_000)["data"]
    assert bars
    assert bars[0][0] >= ms


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59.999Z", "253402300799999", "2100-01-01"])
def test_a_range_where_nothing_is_gives_nothing(get: Any, start: str) -> None:
    assert get("/tickers/AAPL/bars", start=start)["data"] == []
    assert get("/tickers/AAPL/ticks", start=start)["data"] == []
    assert get("/tickers/AAPL/ticks", end="1970-01-01")["data"] == []


def test_ticks_are_the_stored_ones_in_the_order_of_seq(get: Any, market: House) -> None:
    for at, symbol in enumerate(("AAPL", "MSFT", "BTC-USD")):
        body = get(f"/tickers/{symbol}/ticks", limit=50_000)
        assert body["columns"] == ["seq", "price", "size", "bid", "ask", "ts"]
        assert body["oldest_seq"] == 1
        assert body["next_after_seq"] is None
        same(body["data"], market.runtime.store.ticks(at).rows)
        seqs = [row[0] for row in body["data"]]
        assert seqs == sorted(set(seqs))
        assert all(isinstance(row[0], int) and isinstance(row[5], int) for row in body["data"])


def test_every_number_is_the_shortest_text_that_is_the_stored_float(analyst: FlaskClient, market: House) -> None:
    text = analyst.get("/api/v1/tickers/BTC-USD/ticks?limit=50000").text
    rows = json.loads(text, parse_float=str)["data"]
    for row, kept in zip(rows, market.runtime.store.ticks(2).rows.tolist(), strict=True):
        assert float(row[1]) == kept[1]
        assert len(str(row[1])) <= len(repr(kept[1]))


@pytest.mark.parametrize("limit", [1, 7, 20, 39, 40, 41, 50_000])
def test_paging_with_after_seq_comes_to_the_end_without_a_hole_or_a_repeat(get: Any, limit: int) -> None:
    everything = get("/tickers/MSFT/ticks", limit=50_000)["data"]
    assert len(everything) == 40
    found: list[list[float]] = []
    after: int | None = 0
    while after is not None:
        page = get("/tickers/MSFT/ticks", after_seq=after, limit=limit)
        assert len(page["data"]) <= limit
        found += page["data"]
        after = page["next_after_seq"]
        assert after is None or after == found[-1][0]
    assert found == everything


def test_after_seq_and_a_range_together_page_through_the_range(get: Any) -> None:
    ticks = get("/tickers/AAPL/ticks", limit=50_000)["data"]
    low, high = ticks[5][5], ticks[25][5]
    first = get("/tickers/AAPL/ticks", start=low, end=high, after_seq=0, limit=12)
    second = get("/tickers/AAPL/ticks", start=low, end=high, after_seq=first["next_after_seq"], limit=12)
    assert first["data"] + second["data"] == [row for row in ticks if low <= row[5] < high]
    assert second["next_after_seq"] is None


@pytest.mark.parametrize("after", [10**6, 2**53 + 1, 2**63 - 1])
def test_after_a_seq_that_has_not_come_there_is_nothing(get: Any, after: int) -> None:
    body = get("/tickers/AAPL/ticks", after_seq=after)
    assert body["data"] == []
    assert body["next_after_seq"] is None


def test_the_current_epoch_is_taken_and_another_is_a_409_that_names_the_current(get: Any, refused: Any) -> None:
    epoch = get("/tickers")["epoch"]
    assert get("/tickers/AAPL/ticks", epoch=epoch, after_seq=3, limit=2)["epoch"] == epoch
    problem = refused("/tickers/AAPL/ticks", 409, "epoch=k3v9&after_seq=3")
    assert problem["epoch"] == epoch
    assert "'k3v9'" in problem["detail"]
    assert epoch in problem["detail"]


def test_an_epoch_ends_when_the_data_starts_over(tmp_path: Any) -> None:
    with open_house(tmp_path, {"ada": "administrator"}, SYMBOLS="AAPL") as house:
        client = house.enter("ada")
        house.tick(("AAPL", 200.0))
        before = client.get("/api/v1/tickers/AAPL/ticks").get_json()
        house.runtime.store.reset()
        house.tick(("AAPL", 300.0), ("AAPL", 301.0))
        again = client.get(f"/api/v1/tickers/AAPL/ticks?epoch={before['epoch']}&after_seq={before['seq']}")
        assert again.status_code == 409
        now = client.get("/api/v1/tickers/AAPL/ticks").get_json()
        assert now["epoch"] == again.get_json()["epoch"]
        assert [row[:2] for row in now["data"]] == [[1, 300.0], [2, 301.0]]


def test_an_instrument_goes_stale_when_nothing_was_reported_for_three_intervals(tmp_path: Any) -> None:
    with open_house(tmp_path, {"ada": "administrator"}) as house:
        client = house.enter("ada")
        house.tick(("AAPL", 200.0))
        fresh = client.get("/api/v1/tickers/AAPL").get_json()["data"]
        assert (fresh["stale"], fresh["age_ms"]) == (False, 0)
        house.clock.advance(181_000)
        old = client.get("/api/v1/tickers/AAPL").get_json()["data"]
        assert (old["stale"], old["age_ms"]) == (True, 181_000)


def test_day_statistics_without_a_day_before_are_null(tmp_path: Any) -> None:
    with open_house(tmp_path, {"ada": "administrator"}, SYMBOLS="AAPL") as house:
        client = house.enter("ada")
        house.runtime.store.reset()
        house.tick(("AAPL", 200.0))
        quote = client.get("/api/v1/tickers/AAPL").get_json()["data"]
        assert [quote[name] for name in ("previous_close", "change", "change_percent")] == [None] * 3
        assert [quote[name] for name in ("open", "high", "low", "price", "volume")] == [200.0] * 4 + [10.0]
