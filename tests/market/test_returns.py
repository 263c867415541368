"""Volatility, beta, drawdown and distribution: pandas' and numpy's plain definitions, and what can't be told."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from dashboard.market import returns
from dashboard.market.ticks import Floats

MINUTE = 60_000.0
DAY = 86_400_000.0


def walk(count: int, seed: int = 3, sigma: float = 0.002) -> Floats:
    """Closes of a random walk with fat tails."""
    return np.asarray(100.0 * np.exp(np.cumsum(sigma * np.random.default_rng(seed).standard_t(4, count))))


def minutes(count: int) -> Floats:
    return MINUTE * np.arange(1.0, count + 1)


def test_volatility_is_the_root_of_the_squared_returns_of_a_year() -> None:
    close = walk(500)
    squared = sum(math.log(after / before) ** 2 for before, after in pairwise(close))
    years = 499 * MINUTE / (365.25 * DAY)
    assert returns.volatility(minutes(500), close) == pytest.approx(math.sqrt(squared / years), rel=1e-12)


def test_volatility_finds_again_what_a_walk_was_made_with() -> None:
    hourly = 0.3 / math.sqrt(365.25 * 24)
    close = 100.0 * np.exp(np.cumsum(hourly * np.random.default_rng(1).standard_normal(20_000)))
    assert returns.volatility(60 * minutes(20_000), close) == pytest.approx(0.3, rel=0.02)


def test_a_gap_of_days_counts_with_its_return_and_with_its_time() -> None:
    close, time = np.full(41, 100.0), minutes(41)
    close[20:] = 110.0
    whole = returns.volatility(time, close)
    time[20:] += 3 * DAY
    assert returns.volatility(time, close) == pytest.approx(whole * math.sqrt(40 * MINUTE / (40 * MINUTE + 3 * DAY)))


@pytest.mark.parametrize("count", [0, 1, 2, returns.LEAST])
def test_with_too_few_closes_there_is_no_volatility_no_beta_and_no_distribution(count: int) -> None:
    close, time = walk(count), minutes(count)
    assert math.isnan(returns.volatility(time, close))
    assert returns.beta(time, close, time, close) is None
    assert returns.distribution(returns.log_returns(close)) is None
    assert not math.isnan(returns.volatility(minutes(count + 25), walk(count + 25)))


def test_beta_is_covariance_over_variance_and_pandas_correlation() -> None:
    market = walk(400)
    own = np.exp(1.5 * np.log(market)) * walk(400, seed=9, sigma=0.0005)
    found = returns.beta(minutes(400), own, minutes(400), market)
    assert found is not None
    frame = pd.DataFrame({"own": np.log(own), "market": np.log(market)}).diff().dropna()
    assert found.slope == pytest.approx(frame.cov().loc["own", "market"] / frame["market"].var(), rel=1e-12)
    assert found.correlation == pytest.approx(frame.corr().loc["own", "market"], rel=1e-12)
    assert found.returns == 399


def test_beta_of_the_same_is_one_and_of_twice_the_returns_is_two() -> None:
    close = walk(100)
    for power in (1.0, 2.0, -0.5):
        found = returns.beta(minutes(100), close**power, minutes(100), close)
        assert found is not None
        assert found.slope == pytest.approx(power)
        assert found.correlation == pytest.approx(math.copysign(1.0, power))


def test_bars_that_only_one_of_two_has_are_left_out_of_beta() -> None:
    own, market, time = walk(200), walk(200, seed=4), minutes(200)
    mine = np.random.default_rng(2).random(200) < 0.8
    theirs = np.random.default_rng(5).random(200) < 0.7
    found = returns.beta(time[mine], own[mine], time[theirs], market[theirs])
    frame = pd.DataFrame(
        {"own": pd.Series(np.log(own[mine]), time[mine]), "market": pd.Series(np.log(market[theirs]), time[theirs])}
    )
    frame = frame.dropna().diff().dropna()
    assert found is not None
    assert found.returns == len(frame)
    assert found.slope == pytest.approx(frame.cov().loc["own", "market"] / frame["market"].var(), rel=1e-12)


def test_a_price_that_does_not_move_has_no_beta_correlation_skew_or_kurtosis() -> None:
    still, moving, time = np.full(100, 7.1), walk(100), minutes(100)
    against_still = returns.beta(time, moving, time, still)
    of_still = returns.beta(time, still, time, moving)
    assert against_still is not None
    assert of_still is not None
    assert math.isnan(against_still.slope)
    assert of_still.slope == 0.0
    assert math.isnan(against_still.correlation)
    assert math.isnan(of_still.correlation)
    found = returns.distribution(returns.log_returns(still))
    assert found is not None
    assert (found.mean, found.deviation) == (0.0, 0.0)
    assert math.isnan(found.skew)
    assert math.isnan(found.kurtosis)
    assert found.counts.tolist() == [0] * 10 + [99] + [0] * 10
    assert returns.volatility(time, still) == 0.0
    assert returns.drawdown(still) == returns.Drawdown(0.0, 0.0, 0, 0)


def test_drawdown_is_what_a_rolling_maximum_says() -> None:
    for seed in range(20):
        close = walk(300, seed=seed)
        below = pd.Series(close) / pd.Series(close).expanding().max() - 1
        found = returns.drawdown(close)
        assert found.now == pytest.approx(below.iloc[-1], abs=1e-15)
        assert found.most == pytest.approx(below.min(), abs=1e-15)
        assert found.peak <= found.trough
        assert close[found.trough] / close[found.peak] - 1 == pytest.approx(found.most, abs=1e-15)


def test_a_rise_has_no_drawdown() -> None:
    found = returns.drawdown(np.arange(1.0, 10.0))
    assert (found.now, found.most) == (0.0, 0.0)


@pytest.mark.parametrize("count", [returns.LEAST, 100, 5_000])
def test_skew_and_kurtosis_are_pandas(count: int) -> None:
    given = np.random.default_rng(count).gamma(2.0, 0.001, count) - 0.001
    found = returns.distribution(given)
    assert found is not None
    series = pd.Series(given)
    assert found.mean == pytest.approx(series.mean(), rel=1e-12)
    assert found.deviation == pytest.approx(series.std(), rel=1e-12)
    assert found.skew == pytest.approx(series.skew(), rel=1e-9)
    assert found.kurtosis == pytest.approx(series.kurt(), rel=1e-9)


def test_the_histogram_counts_every_return_once_those_beyond_it_in_its_outermost_parts() -> None:
    given = np.append(0.001 * np.random.default_rng(8).standard_normal(2_000), [0.05, -0.05, -0.06])
    found = returns.distribution(given)
    assert found is not None
    assert found.counts.sum() == len(given)
    assert found.edges[0] == -found.edges[-1]
    inner = [np.count_nonzero((given >= low) & (given < high)) for low, high in pairwise(found.edges)]
    assert found.counts.tolist()[1:-1] == inner[1:-1]
    assert found.counts[-1] == inner[-1] + 1
    assert found.counts[0] == inner[0] + 2
