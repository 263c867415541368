"""On history every indicator that TA-Lib has gives TA-Lib's values, from the same bar on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import talib

from dashboard.market.indicators import INDICATORS, Columns
from dashboard.market.ticks import Floats
from tests.market.indicators.series import SERIES, values

Reference = Callable[[Columns], tuple[Floats, ...]]


def bands(period: int, deviations: float) -> Reference:
    return lambda bars: talib.BBANDS(bars.close, period, deviations, deviations, 0)


def stoch(period: int, slowing: int, signal: int) -> Reference:
    return lambda bars: talib.STOCH(bars.high, bars.low, bars.close, period, slowing, 0, signal, 0)


def adx(period: int) -> Reference:
    return lambda bars: tuple(
        function(bars.high, bars.low, bars.close, period) for function in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)
    )


def of_close(function: Callable[..., Floats], period: int) -> Reference:
    return lambda bars: (function(bars.close, period),)


REFERENCES: dict[str, Reference] = {
    **{f"sma:{period}": of_close(talib.SMA, period) for period in (2, 5, 20, 200)},
    **{f"ema:{period}": of_close(talib.EMA, period) for period in (2, 9, 50, 200)},
    **{f"wma:{period}": of_close(talib.WMA, period) for period in (2, 20, 100)},
    **{f"rsi:{period}": of_close(talib.RSI, period) for period in (2, 14, 30)},
    "bbands:20:2": bands(20, 2.0),
    "bbands:5:2.5": bands(5, 2.5),
    "macd:12:26:9": lambda bars: talib.MACD(bars.close, 12, 26, 9),
    "macd:3:10:16": lambda bars: talib.MACD(bars.close, 3, 10, 16),
    "macd:5:6:2": lambda bars: talib.MACD(bars.close, 5, 6, 2),
    "stoch:14:3:3": stoch(14, 3, 3),
    "stoch:5:3:3": stoch(5, 3, 3),
    "stoch:8:1:5": stoch(8, 1, 5),
    **{
        f"atr:{period}": lambda bars, period=period: (talib.ATR(bars.high, bars.low, bars.close, period),)
        for period in (1, 7, 14)
    },
    "obv": lambda bars: (talib.OBV(bars.close, bars.volume),),
    **{f"adx:{period}": adx(period) for period in (2, 3, 14)},
}


def test_every_indicator_that_ta_lib_has_is_compared() -> None:
    assert set(INDICATORS) - {text.split(":")[0] for text in REFERENCES} == {"vwap", "keltner", "donchian"}


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("text", REFERENCES)
def test_it_has_ta_libs_values_from_the_same_bar_on(text: str, series: str) -> None:
    bars = SERIES[series]
    ours = values(text, bars)
    # TA-Lib refuses an input of one bar or none for some functions, and knows no periods over the length.
    theirs = REFERENCES[text](bars) if len(bars) else tuple(np.zeros(0) for _ in ours)
    assert len(ours) == len(theirs)
    # TA-Lib keeps running sums, whose rounding grows with the price and the number of bars.
    scale = float(np.abs(bars.close).max()) if len(bars) else 1.0
    for mine, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(wanted))
        np.testing.assert_allclose(mine, wanted, rtol=1e-9, atol=1e-11 * max(scale, 100.0))


@pytest.mark.parametrize("text", REFERENCES)
def test_the_comparison_sees_values_and_not_only_nothing(text: str) -> None:
    ours = values(text, SERIES["walk"])
    assert (np.isfinite(ours).sum(axis=1) > 300).all()
    assert (np.ptp(ours[:, np.isfinite(ours).all(axis=0)], axis=1) > 0).all()
