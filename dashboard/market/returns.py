"""What an instrument's prices have done: volatility, beta, drawdown and distribution of its returns.

Plain arithmetic over the closes of bars of one timeframe, oldest first, float64[n]; times in UTC ms. Every close is
finite and positive. A return is the logarithm of a close over the one before it, gaps included: nothing is filled in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dashboard.market.ticks import Floats, Ints

#: Fewer returns than this say nothing about volatility, beta or a distribution.
LEAST = 20
#: The year that volatility is told for: all of it, since returns over nights and weekends count too.
YEAR_MS = 365.25 * 86_400_000
#: Bars of the histogram, and how many standard deviations it reaches to either side of 0.
BINS, REACH = 21, 4.0
#: Returns that differ by less than floating point's own noise do not differ.
NOISE = 1e-13


@dataclass(frozen=True, slots=True)
class Beta:
    """Slope and correlation of returns against another instrument's, over `returns` pairs."""

    slope: float
    correlation: float
    returns: int


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Falls as shares (-0.1 is 10 % down): `now` below the highest close so far, `most` the deepest of all, from the
    close at index `peak` to that at `trough`."""

    now: float
    most: float
    peak: int
    trough: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """Returns counted in BINS equal parts: `counts` int64[BINS] between `edges` float64[BINS + 1]; the outermost take
    what lies beyond. Skew and excess kurtosis are NaN where the returns do not differ."""

    edges: Floats
    counts: Ints
    mean: float
    deviation: float
    skew: float
    kurtosis: float


def log_returns(close: Floats) -> Floats:
    """float64[n - 1]: the logarithm of each close over the one before."""
    return np.diff(np.log(close))


def volatility(time: Floats, close: Floats) -> float:
    """Realised volatility a year: the root of the sum of squared returns, scaled from the time they took to a year.

    sqrt(sum r^2 * YEAR_MS / (last - first time)): realised variance of Andersen, Bollerslev, Diebold and Labys (2003,
    Econometrica 71:579), annualised by calendar time, so that nights, weekends and gaps count in both. 0.3 is 30 %.
    NaN with fewer than LEAST returns.
    """
    if len(close) <= LEAST:
        return math.nan
    return math.sqrt(float(np.square(log_returns(close)).sum()) * YEAR_MS / float(time[-1] - time[0]))


def beta(time: Floats, close: Floats, other_time: Floats, other_close: Floats) -> Beta | None:
    """Least-squares slope of the returns on the other's, cov(r, m) / var(m) (Sharpe 1964), over the times both have.

    A bar that one of them lacks is left out of both, so that each pair of returns is of the same span. The slope is
    NaN where the other's price does not move, the correlation where either's does not; None with fewer than LEAST
    pairs.
    """
    common, mine, theirs = np.intersect1d(time, other_time, assume_unique=True, return_indices=True)
    if len(common) <= LEAST:
        return None
    own, market = log_returns(close[mine]), log_returns(other_close[theirs])
    covariance = float(np.mean((own - own.mean()) * (market - market.mean())))
    spread, market_spread = float(own.std()), float(market.std())
    slope = covariance / market_spread**2 if market_spread > NOISE else math.nan
    both = min(spread, market_spread) > NOISE
    return Beta(slope, covariance / (spread * market_spread) if both else math.nan, len(own))


def drawdown(close: Floats) -> Drawdown:
    """How far the close is, and was at most, below the highest one before it (Magdon-Ismail and Atiya 2004)."""
    below = close / np.maximum.accumulate(close) - 1.0
    trough = int(np.argmin(below))
    return Drawdown(float(below[-1]), float(below[trough]), int(np.argmax(close[: trough + 1])), trough)


def distribution(returns: Floats) -> Distribution | None:
    """How returns float64[n] lie about 0, with the sample's skew G1 and excess kurtosis G2 (Joanes and Gill 1998, the
    estimators of pandas' `skew` and `kurt`); None with fewer than LEAST of them."""
    count = len(returns)
    if count < LEAST:
        return None
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    reach = REACH * max(deviation, abs(mean), NOISE)
    edges = np.linspace(-reach, reach, BINS + 1)
    counts = np.histogram(np.clip(returns, -reach, reach), edges)[0].astype(np.int64)
    skew = kurtosis = math.nan
    if deviation > NOISE:
        z = (returns - mean) / deviation
        skew = count / ((count - 1) * (count - 2)) * float((z**3).sum())
        scale = (count - 1) * (count - 2) * (count - 3)
        lowered = 3 * (count - 1) ** 2 / ((count - 2) * (count - 3))
        kurtosis = count * (count + 1) / scale * float((z**4).sum()) - lowered
    return Distribution(edges, counts, mean, deviation, skew, kurtosis)
