"""Changes, turnover, volatility, highs and breadth of a window, against plain pandas over the ticks themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.market.breadth import breadth, standings
from dashboard.market.moves import Moves, above_mean, moves
from dashboard.market.windows import DAY_MS, WINDOWS, Window
from dashboard.store.memory import MemoryStore
from tests.market.making import MIDNIGHT
from tests.store.making import give, store_of

SYMBOLS = "AAPL,MSFT,V,JPM,BTC-USD"
#: The last instrument never trades; the fourth trades rarely.
TRADING, RARE = 4, 3
NOW = MIDNIGHT + int(9.371 * 3_600_000)


@pytest.fixture(scope="module")
def ticks() -> pd.DataFrame:
    """Nine hours of prices that walk, unevenly in time, in whole cents and whole sizes."""
    random = np.random.default_rng(3)
    parts = []
    for who in range(TRADING):
        count = 40 if who == RARE else 4000
        at = np.sort(random.integers(0, NOW - MIDNIGHT, count))
        price = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.0004, count))), 2)
        parts.append(
            pd.DataFrame(
                {"who": who, "ts": MIDNIGHT + at, "price": price, "size": random.integers(1, 50, count).astype(float)}
            )
        )
    # The newest tick of all stands at NOW, where every window ends.
    parts.append(pd.DataFrame({"who": [0], "ts": [NOW], "price": [101.25], "size": [3.0]}))
    return pd.concat(parts).sort_values("ts", kind="stable").reset_index(drop=True)


@pytest.fixture(scope="module")
def store(ticks: pd.DataFrame) -> MemoryStore:
    made = store_of(SYMBOLS)
    rows = list(zip(ticks["who"], ticks["ts"] - MIDNIGHT, ticks["price"], ticks["size"], strict=True))
    for low in range(0, len(rows), 50):
        give(made, *rows[low : low + 50])
    return made


def measured(store: MemoryStore, window: Window) -> tuple[Moves, int]:
    """The window's moves, and the milliseconds of the bars that they were measured with."""
    timeframe = window.timeframe(store.kept_bars)
    last = store.last()
    panel = store.panel(np.arange(len(store.catalogue)), timeframe, window.bars(timeframe))
    now = float(np.nanmax(last.ts))
    return moves(window, panel, last.price, last.ts, last.previous_close, now), TIMEFRAMES[timeframe].ms


def bars(ticks: pd.DataFrame, who: int, ms: int) -> pd.DataFrame:
    """Bars of one instrument as pandas makes them."""
    mine = ticks[ticks["who"] == who]
    stamps = pd.to_datetime(mine["ts"], unit="ms")
    made = mine.set_index(stamps).groupby(pd.Grouper(freq=f"{ms}ms"))
    table = made["price"].agg(["max", "min", "last", "count"]).assign(volume=made["size"].sum())
    table = table[table["count"] > 0]
    table.index = table.index.astype("datetime64[ms]").astype("int64")
    return table


@pytest.fixture(params=["15m", "1h", "4h"])
def window(request: pytest.FixtureRequest) -> Window:
    chosen: Window = WINDOWS[request.param]
    return chosen


def test_a_change_is_against_the_close_of_the_bar_that_held_the_beginning(
    store: MemoryStore, ticks: pd.DataFrame, window: Window
) -> None:
    found, ms = measured(store, window)
    for who in range(TRADING):
        table = bars(ticks, who, ms)
        before = table[table.index <= NOW - window.ms]["last"]
        price = ticks[ticks["who"] == who]["price"].iloc[-1]
        assert found.reference[who] == before.iloc[-1]
        assert found.change[who] == pytest.approx((price / before.iloc[-1] - 1) * 100, rel=1e-12, abs=1e-12)
    assert np.isnan(found.change[TRADING])


def test_volume_turnover_trades_and_volatility_are_those_of_the_bars_inside(
    store: MemoryStore, ticks: pd.DataFrame, window: Window
) -> None:
    found, ms = measured(store, window)
    for who in range(TRADING):
        table = bars(ticks, who, ms)
        inside = table[table.index > NOW - window.ms]
        returns = np.log(table["last"]).diff()[table.index > NOW - window.ms]
        assert found.volume[who] == inside["volume"].sum()
        assert found.trades[who] == inside["count"].sum()
        assert found.turnover[who] == pytest.approx((inside["volume"] * inside["last"]).sum(), rel=1e-12)
        if len(returns) >= 2:
            assert found.volatility[who] == pytest.approx(np.sqrt((returns**2).sum()) * 100, rel=1e-9)
        else:
            assert np.isnan(found.volatility[who])
    assert found.volume[TRADING] == found.turnover[TRADING] == 0
    assert np.isnan(found.volatility[TRADING])


def test_a_new_high_is_over_every_earlier_bar_of_the_window(
    store: MemoryStore, ticks: pd.DataFrame, window: Window
) -> None:
    found, ms = measured(store, window)
    for who in range(TRADING):
        inside = bars(ticks, who, ms).loc[lambda table: table.index > NOW - window.ms]
        enough = len(inside) > 1
        assert found.new_high[who] == (enough and inside["max"].iloc[-1] > inside["max"].iloc[:-1].max())
        assert found.new_low[who] == (enough and inside["min"].iloc[-1] < inside["min"].iloc[:-1].min())


def test_highs_and_lows_of_both_kinds_are_found() -> None:
    made = store_of("AAPL,MSFT,V")
    for minute in range(30):
        give(made, (0, minute * 60_000, 100 + minute, 1), (1, minute * 60_000, 100 - minute, 1))
        give(made, (2, minute * 60_000 + 1, 100 + minute % 3, 1))
    found, _ms = measured(made, WINDOWS["15m"])
    assert found.new_high.tolist() == [True, False, False]
    assert found.new_low.tolist() == [False, True, False]


def test_today_counts_from_the_previous_close_and_has_the_days_volume(store: MemoryStore, ticks: pd.DataFrame) -> None:
    made = store_of(SYMBOLS)
    give(made, (0, -3_600_000, 98.5, 7), (1, -7_200_000, 50.0, 9))
    give(made, (0, 60_000, 99.0, 2), (0, 3_000_000, 100.0, 5))
    found, _ms = measured(made, WINDOWS["day"])
    assert found.change[0] == pytest.approx((100 / 98.5 - 1) * 100)
    assert found.volume[0] == made.last().volume[0] == 7
    # Its last day is yesterday: change and volume are those of that day, as in the watchlist.
    assert (found.volume[1], np.isnan(found.change[1])) == (9, True)


def test_a_window_before_the_first_bar_has_no_change(store: MemoryStore) -> None:
    found, _ms = measured(store, WINDOWS["1w"])
    assert np.isnan(found.change).all()
    assert not found.new_high.any()


def test_a_store_that_keeps_little_is_measured_with_longer_bars() -> None:
    small = [64] * len(TIMEFRAMES)
    assert WINDOWS["24h"].timeframe(small) == TIMEFRAME_INDEX["1h"]
    assert WINDOWS["24h"].timeframe([1000] * len(TIMEFRAMES)) == TIMEFRAME_INDEX["15m"]
    assert WINDOWS["1y"].timeframe(small) == TIMEFRAME_INDEX["1d"]


def test_breadth_counts_who_goes_up_and_down_and_who_is_over_the_mean() -> None:
    made = store_of("AAPL,MSFT,V,JPM,BTC-USD")
    # Thirty days of closes; then a day on which the first rises, the second falls, the third stands, and so on.
    closes = np.array([np.linspace(90, 100, 30), np.linspace(110, 100, 30), np.full(30, 100.0)])
    for day in range(30):
        give(made, *((who, (day - 30) * DAY_MS, closes[who, day], 1.0) for who in range(3)))
    give(made, (0, 0, 101.0, 1.0), (1, 0, 99.0, 1.0), (2, 0, 100.0, 1.0), (3, 0, 5.0, 1.0))
    found, _ms = measured(made, WINDOWS["day"])
    daily = made.panel(np.arange(5), TIMEFRAME_INDEX["1d"], 50).close
    standing = standings(found.price, daily)
    result = breadth(found, standing)
    assert (result.advancing, result.declining, result.unchanged, result.unknown) == (1, 1, 1, 2)
    frame = pd.DataFrame(closes.T)
    frame.loc[30] = [101.0, 99.0, 100.0]
    mean = frame.rolling(20).mean().iloc[-1]
    assert result.above[0] == (int((frame.iloc[-1] > mean).sum()), 3)
    assert result.above[1] == (0, 0)
    only = breadth(found, standing, np.array([True, False, False, False, False]))
    assert (only.advancing, only.declining, only.unknown, only.above[0]) == (1, 0, 0, (1, 1))


def test_a_mean_of_more_days_than_are_kept_is_unknown() -> None:
    above, known = above_mean(np.array([2.0]), np.array([[1.0, 2.0]]), 3)
    assert not above.any()
    assert not known.any()
