"""What TA-Lib does not have, against the slow and obvious way; and what no input may lead to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dashboard.market.indicators import INDICATORS, Columns, columns, compute, parse
from tests.market.indicators.series import HOUR, MIDNIGHT, SERIES, standing, values, walk

NAN = float("nan")
DAY_MS = 86_400_000
Rows = list[list[float]]
EVERY = ",".join(INDICATORS).split(",")


def bars_of(bars: Columns) -> list[tuple[float, float, float, float, float]]:
    """(start, high, low, close, volume) of each bar."""
    fields = (bars.start, bars.high, bars.low, bars.close, bars.volume)
    return list(zip(*(field.tolist() for field in fields), strict=True))


def naive_vwap(bars: Columns) -> Rows:
    out, day, money, volume = [], None, 0.0, 0.0
    for start, high, low, close, size in bars_of(bars):
        if start // DAY_MS != day:
            day, money, volume = start // DAY_MS, 0.0, 0.0
        money += (high + low + close) / 3 * size
        volume += size
        out.append(money / volume if volume else NAN)
    return [out]


def naive_donchian(bars: Columns, period: int) -> Rows:
    upper, middle, lower = [], [], []
    rows = bars_of(bars)
    for at in range(len(rows)):
        window = rows[at - period + 1 : at + 1] if at >= period - 1 else []
        top = max((row[1] for row in window), default=NAN)
        bottom = min((row[2] for row in window), default=NAN)
        upper.append(top)
        middle.append((top + bottom) / 2)
        lower.append(bottom)
    return [upper, middle, lower]


def naive_keltner(bars: Columns, period: int, multiplier: float, atr_period: int) -> Rows:
    upper, middle, lower = [], [], []
    rows = bars_of(bars)
    average = true_range = NAN
    closes: list[float] = []
    ranges: list[float] = []
    for at, (_start, high, low, close, _volume) in enumerate(rows):
        closes.append(close)
        if at == period - 1:
            average = sum(closes) / period
        elif at >= period:
            average += 2 / (period + 1) * (close - average)
        if at:
            before = rows[at - 1][3]
            ranges.append(max(high, before) - min(low, before))
        if at == atr_period:
            true_range = sum(ranges) / atr_period
        elif at > atr_period:
            true_range = (true_range * (atr_period - 1) + ranges[-1]) / atr_period
        warm = at >= period - 1 and at >= atr_period
        upper.append(average + multiplier * true_range if warm else NAN)
        middle.append(average if warm else NAN)
        lower.append(average - multiplier * true_range if warm else NAN)
    return [upper, middle, lower]


NAIVE: dict[str, Callable[[Columns], Rows]] = {
    "vwap": naive_vwap,
    "donchian:20": lambda bars: naive_donchian(bars, 20),
    "donchian:1": lambda bars: naive_donchian(bars, 1),
    "donchian:55": lambda bars: naive_donchian(bars, 55),
    "keltner:20:2:10": lambda bars: naive_keltner(bars, 20, 2, 10),
    "keltner:5:1.5:14": lambda bars: naive_keltner(bars, 5, 1.5, 14),
    "keltner:1:0.1:1": lambda bars: naive_keltner(bars, 1, 0.1, 1),
}


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("text", NAIVE)
def test_it_is_what_a_loop_over_the_bars_gives(text: str, series: str) -> None:
    bars = SERIES[series]
    np.testing.assert_allclose(values(text, bars), np.array(NAIVE[text](bars)), rtol=1e-10)


def test_vwap_begins_anew_with_each_utc_day_and_has_nothing_before_its_first_volume() -> None:
    bars = walk(72, 8)
    bars.volume[:3] = bars.volume[24:26] = 0.0
    bars.volume[3] = bars.volume[26] = 5.0
    (got,) = values("vwap", bars)
    assert np.flatnonzero(np.isnan(got)).tolist() == [0, 1, 2, 24, 25]
    typical = (bars.high + bars.low + bars.close) / 3
    assert got[[3, 26]] == pytest.approx(typical[[3, 26]])


def test_a_period_of_one_is_the_price_itself() -> None:
    for text in ("sma:1", "ema:1", "wma:1"):
        np.testing.assert_allclose(values(text, SERIES["walk"])[0], SERIES["walk"].close, rtol=1e-15)


@pytest.mark.parametrize("price", [0.1, 1e-7, 123456.789, 5e-324, 1e300])
def test_a_price_that_stands_still_has_averages_of_exactly_it_and_bands_without_width(price: float) -> None:
    bars = standing(80, price)
    for text in ("sma", "ema", "wma", "bbands", "keltner", "donchian"):
        got = values(text, bars)[:, 30:]
        assert (got == price).all(), text
    for text, flat in (("rsi", 0.0), ("macd", 0.0), ("stoch", 0.0), ("atr", 0.0), ("adx", 0.0), ("obv", 7.0)):
        assert (values(text, bars)[:, 40:] == flat).all(), text


def test_bands_keep_their_digits_on_a_high_price() -> None:
    """Sums of squares would lose all of them: the spread is 1e-12 of the price."""
    bars = standing(40, 0.0)
    close = 1e9 + np.resize([0.0, 1e-3], 40)
    upper, middle, lower = values("bbands:20:2", replace(bars, close=close))[:, 19:]
    spread = float(close.max() - close.min())
    np.testing.assert_allclose(upper - middle, spread, rtol=1e-3)
    np.testing.assert_allclose(middle - lower, spread, rtol=1e-3)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("missing", [NAN, float("inf"), -float("inf")])
def test_a_bar_that_lacks_a_number_is_passed_over_as_if_it_had_not_been_there(name: str, missing: float) -> None:
    whole = walk(300, 9)
    at = np.array([0, 7, 100, 101, 102, 250])
    for column in INDICATORS[name].inputs:
        holed = replace(whole, **{column: getattr(whole, column).copy()})
        getattr(holed, column)[at] = missing
        rest = np.setdiff1d(np.arange(300), at)
        got = values(name, holed)
        assert np.isnan(got[:, at]).all()
        np.testing.assert_array_equal(got[:, rest], values(name, whole[np.isin(np.arange(300), rest)]))


@pytest.mark.parametrize("name", EVERY)
def test_columns_that_it_does_not_read_may_lack_anything(name: str) -> None:
    bars = walk(100, 10)
    others = set(Columns.__slots__) - set(INDICATORS[name].inputs) - {"start"}
    bare = replace(bars, **dict.fromkeys(others, np.full(100, NAN)))
    np.testing.assert_array_equal(values(name, bare), values(name, bars))


odd = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308, 1e300, 1.0, 1.0, 1.0, NAN, float("inf")]),
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 40).flatmap(lambda count: arrays.arrays(np.float64, (count, 5), elements=odd)))
def test_no_numbers_whatever_raise_warn_or_give_infinity(table: np.ndarray) -> None:
    start = MIDNIGHT + HOUR * np.arange(len(table), dtype=np.float64)
    chosen = [
        each
        for text in (
            "sma:3,ema:3,wma:3,vwap,bbands:3,keltner:3:2:3,donchian:3",
            "rsi:3,macd:2:3:2,stoch:3,atr:3,obv,adx:3",
        )
        for each in parse(text)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = compute(chosen, Columns(start, *table.T))
    assert got.shape == (len(table), len(columns(chosen)))
    assert not np.isinf(got).any()


def test_the_longest_periods_take_little_memory() -> None:
    """A window of each of 14,400 bars with a period of 1000 would be 115 MB."""
    import tracemalloc

    bars = walk(14_400, 12)
    tracemalloc.start()
    try:
        got = compute(parse("sma:1000,wma:1000,bbands:1000,donchian:1000,stoch:1000:1000:1000"), bars)
        assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()
    assert np.isfinite(got[3000:]).all()
