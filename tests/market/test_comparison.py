"""Comparing instruments: against plain loops, against pandas, and by laws that hold for any prices."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.market import comparison
from dashboard.market.comparison import aligned, indexed, ratio, rolling_correlation, spread
from dashboard.market.ticks import Floats

NAN = np.nan


def two(seed: int, count: int = 120, holes: float = 0.2) -> tuple[Floats, Floats]:
    """Closes of two instruments that go together, each without some of the bars."""
    random = np.random.default_rng(seed)
    steps = random.normal(0, 1e-3, (2, count)) + random.normal(0, 1e-3, count)
    prices = np.array([[200.0], [40.0]]) * np.exp(np.cumsum(steps, axis=1))
    prices[random.random(prices.shape) < holes] = NAN
    return prices[0], prices[1]


def naive(close: Floats, other: Floats, window: int) -> list[float]:
    """The definition, a bar at a time."""
    found, pairs, before = [], [], None
    for mine, theirs in zip(close.tolist(), other.tolist(), strict=True):
        value = math.nan
        if mine > 0 and theirs > 0:
            if before is not None:
                pairs.append((math.log(mine / before[0]), math.log(theirs / before[1])))
            before = (mine, theirs)
            last = pairs[-window:]
            if len(last) == window and min(statistics.pstdev(side) for side in zip(*last, strict=True)) > 1e-13:
                value = statistics.correlation(*zip(*last, strict=True))
        found.append(value)
    return found


def test_a_close_is_that_of_just_that_bar() -> None:
    time, other = np.array([10.0, 20, 30, 40, 90]), np.array([5.0, 20, 31, 40])
    found = aligned(time, other, np.array([1.0, 2, 3, 4]))
    np.testing.assert_array_equal(found, [NAN, 2, NAN, 4, NAN])
    assert np.isnan(aligned(time, np.empty(0), np.empty(0))).all()
    assert len(aligned(np.empty(0), other, other)) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60), unique=True), st.lists(st.integers(0, 60), unique=True))
def test_bars_are_joined_as_pandas_joins_them(mine: list[int], theirs: list[int]) -> None:
    time, other = (np.array(sorted(side), dtype=np.float64) for side in (mine, theirs))
    expected = pd.Series(other * 2, index=other).reindex(time).to_numpy()
    np.testing.assert_array_equal(aligned(time, other, other * 2), expected)


def test_an_index_begins_with_a_hundred_at_its_first_bar() -> None:
    np.testing.assert_allclose(indexed(np.array([NAN, 50, NAN, 55, 40])), [NAN, 100, NAN, 110, 80])


@pytest.mark.parametrize("close", [[], [NAN, NAN], [0.0, 5, 6], [-37.6, 10, 20]])
def test_without_a_base_above_zero_there_is_no_index(close: list[float]) -> None:
    found = indexed(np.array(close, dtype=np.float64))
    assert len(found) == len(close)
    assert np.isnan(found).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 100))
def test_indexed_anew_is_the_index_moved(seed: int, edge: int) -> None:
    close, _ = two(seed)
    whole, part = indexed(close), indexed(close[edge:])
    base = whole[edge:][np.isfinite(whole[edge:])]
    np.testing.assert_allclose(part, whole[edge:] / base[0] * 100, rtol=1e-12)


def test_a_spread_and_a_ratio_are_where_both_have_a_bar() -> None:
    close, other = np.array([10.0, NAN, 12, 8]), np.array([4.0, 5, NAN, 0])
    np.testing.assert_array_equal(spread(close, other), [6, NAN, NAN, 8])
    np.testing.assert_array_equal(spread(close, other, -2.5), [20, NAN, NAN, 8])
    np.testing.assert_array_equal(ratio(close, other), [2.5, NAN, NAN, NAN])
    assert np.isnan(spread(np.array([1e308]), np.array([-1e308]), 9.0)).all()


@pytest.mark.parametrize("window", [5, 20, 60])
def test_a_rolling_correlation_is_that_of_the_definition(window: int) -> None:
    for seed in range(4):
        close, other = two(seed)
        np.testing.assert_allclose(rolling_correlation(close, other, window), naive(close, other, window), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 40), st.floats(0, 0.6))
def test_a_rolling_correlation_is_that_of_pandas_and_within_one(seed: int, window: int, holes: float) -> None:
    close, other = two(seed, holes=holes)
    frame = np.log(pd.DataFrame({"mine": close, "theirs": other}).dropna()).diff()
    expected = frame["mine"].rolling(window).corr(frame["theirs"]).reindex(range(len(close))).to_numpy()
    found = rolling_correlation(close, other, window)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (np.abs(found[np.isfinite(found)]) <= 1).all()
    np.testing.assert_allclose(rolling_correlation(other, close, window), found, atol=1e-12)


def test_blocks_are_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    close, other = two(3, 500)
    whole = rolling_correlation(close, other, 20)
    monkeypatch.setattr(comparison, "BLOCK", 60)
    np.testing.assert_array_equal(rolling_correlation(close, other, 20), whole)
    assert np.isfinite(whole).sum() > 200


def test_what_does_not_move_has_no_correlation_while_it_does_not() -> None:
    close, other = two(5, 60, 0)
    other[20:40] = other[20]
    found = rolling_correlation(close, other, 10)
    assert np.isfinite(found[10:20]).all()
    assert np.isnan(found[30:40]).all()
    assert np.isfinite(found[40:]).all()
    assert np.isnan(rolling_correlation(close, np.full(60, 3.0), 10)).all()


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_with_too_few_bars_there_is_no_correlation(count: int) -> None:
    close, other = two(1, count, 0)
    assert np.isnan(rolling_correlation(close, other, 5)).all()


def test_a_price_that_is_not_above_zero_takes_no_part() -> None:
    close, other = two(2, 80, 0)
    close[30], other[50] = -1.0, 0.0
    found = rolling_correlation(close, other, 10)
    kept = np.delete(np.arange(80), [30, 50])
    assert np.isnan(found[[30, 50]]).all()
    np.testing.assert_allclose(found[kept], rolling_correlation(close[kept], other[kept], 10))
