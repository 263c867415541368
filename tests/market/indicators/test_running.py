"""Bar by bar, with a forming bar that changes, an indicator has the values of the whole computed anew."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.market.indicators import INDICATORS, Columns, Running, compute, parse
from tests.market.indicators.series import walk

#: Short periods, so that warming up, beginning and going on all occur within few bars.
SHORT = (
    "sma:1",
    "sma:4",
    "ema:1",
    "ema:4",
    "wma:4",
    "vwap",
    "bbands:4:2",
    "keltner:4:1.5:3",
    "keltner:2:1.5:6",
    "donchian:4",
    "rsi:2",
    "rsi:4",
    "macd:2:5:3",
    "stoch:4:2:3",
    "stoch:1:1:1",
    "atr:1",
    "atr:4",
    "obv",
    "adx:2",
    "adx:4",
)


def test_each_indicator_is_tried() -> None:
    assert {text.split(":")[0] for text in SHORT} == set(INDICATORS)


@st.composite
def markets(draw: st.DrawFn) -> Columns:
    """Up to 60 bars on a grid of cents: moving, standing still, with missing numbers."""
    bars = walk(draw(st.integers(0, 60)), draw(st.integers(0, 2**32)), step=draw(st.sampled_from([0.0, 0.001, 0.05])))
    for at in draw(st.lists(st.integers(0, 59), max_size=4)):
        if at < len(bars):
            column = draw(st.sampled_from(["high", "low", "close", "volume"]))
            getattr(bars, column)[at] = draw(st.sampled_from([np.nan, np.inf]))
    return bars


@settings(max_examples=300, deadline=None)
@given(text=st.sampled_from(SHORT), bars=markets(), cuts=st.lists(st.integers(0, 60)), data=st.data())
def test_closing_bars_in_any_parts_gives_the_values_of_all_at_once(
    text: str, bars: Columns, cuts: list[int], data: st.DataObject
) -> None:
    (chosen,) = parse(text)
    whole = compute([chosen], bars).T
    running = Running(chosen)
    edges = [0, *sorted(min(cut, len(bars)) for cut in cuts), len(bars)]
    for low, high in pairwise(edges):
        part = bars[slice(low, high)]
        for _ in range(data.draw(st.integers(0, 2))):  # what forms meanwhile leaves nothing behind
            running.forming(walk(1, data.draw(st.integers(0, 9))))
        np.testing.assert_allclose(running.close(part), whole[:, low:high], rtol=1e-9, atol=1e-9)


@settings(max_examples=300, deadline=None)
@given(text=st.sampled_from(SHORT), bars=markets(), others=st.lists(st.integers(0, 2**32), min_size=1, max_size=4))
def test_each_state_of_a_forming_bar_has_the_value_that_it_would_close_with(
    text: str, bars: Columns, others: list[int]
) -> None:
    (chosen,) = parse(text)
    running = Running(chosen)
    running.close(bars)
    for seed in others:
        state = walk(1, seed)
        state = Columns(bars.start[-1:] + 3_600_000 if len(bars) else state.start, *state_fields(state)[1:])
        names = Columns.__slots__
        joined = Columns(*(np.concatenate([getattr(bars, name), getattr(state, name)]) for name in names))
        anew = compute([chosen], joined)[-1]
        np.testing.assert_allclose(running.forming(state)[:, 0], anew, rtol=1e-9, atol=1e-9)


def state_fields(bars: Columns) -> list[np.ndarray]:
    return [getattr(bars, name) for name in Columns.__slots__]


@pytest.mark.parametrize("text", SHORT)
def test_values_are_the_same_bar_by_bar_as_a_market_goes_on(text: str) -> None:
    bars = walk(200, 21, step=0.02)
    (chosen,) = parse(text)
    whole = compute([chosen], bars).T
    running = Running(chosen)
    for at in range(len(bars)):
        bar = bars[slice(at, at + 1)]
        forming = running.forming(bar)
        np.testing.assert_array_equal(forming, running.close(bar), "a bar closes with the value it had forming")
        np.testing.assert_allclose(forming[:, 0], whole[:, at], rtol=1e-9, atol=1e-9)
    assert np.isfinite(whole[:, 20:]).any()


@pytest.mark.parametrize("text", SHORT)
def test_what_it_gives_does_not_change_later_and_what_it_gets_is_left_alone(text: str) -> None:
    bars = walk(50, 22)
    before = [column.copy() for column in state_fields(bars)]
    running = Running(parse(text)[0])
    first = running.close(bars)
    kept = first.copy()
    running.close(walk(50, 23))
    np.testing.assert_array_equal(first, kept)
    for column, copy in zip(state_fields(bars), before, strict=True):
        np.testing.assert_array_equal(column, copy)
