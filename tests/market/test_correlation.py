"""Correlations against pandas, clusters against the definition of average linkage, and what has no correlation."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.correlation import correlation, distance, leaves, linkage, returns
from dashboard.market.ticks import Floats
from tests.store.making import give, store_of

MINUTE = 60_000


def points(seed: int, count: int) -> Floats:
    """Distances of random points in the plane: no two alike."""
    place = np.random.default_rng(seed).normal(size=(count, 2))
    return np.sqrt(((place[:, np.newaxis] - place) ** 2).sum(axis=2))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), holes=st.floats(0, 0.6))
def test_correlations_are_those_of_pandas_pair_by_pair(seed: int, holes: float) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(1e-5, 1e-3, (6, 80)) + random.normal(0, 1e-3, 80)
    values[random.random(values.shape) < holes] = np.nan
    found, common = correlation(values)
    expected = pd.DataFrame(values.T).corr(min_periods=10).to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9)
    there = ~np.isnan(values)
    assert common.tolist() == [[int((a & b).sum()) for b in there] for a in there]


def test_what_does_not_move_or_hardly_meets_has_no_correlation() -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=(4, 30))
    values[1] = 0.25
    values[2, :22] = np.nan
    found, _common = correlation(values)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[2]).all()
    assert found[0, 0] == pytest.approx(1)
    assert np.isfinite(found[0, 3])
    empty, _common = correlation(np.full((2, 0), np.nan))
    assert np.isnan(empty).all()


def test_returns_run_between_neighbouring_bars_only() -> None:
    store = store_of("AAPL,MSFT,V,JPM")
    price = {0: [100, 101, 103, 102, 99], 1: [50, None, 52, 53, None], 2: [None, None, None, None, 7]}
    for minute in range(5):
        rows = [(who, minute * MINUTE, each[minute], 1.0) for who, each in price.items() if each[minute] is not None]
        give(store, *rows)
    found = returns(store.panel(np.arange(4), TIMEFRAME_INDEX["1m"], 5), MINUTE)
    expected = np.log(pd.DataFrame(price, dtype=float)).diff().to_numpy().T[:, 1:]
    np.testing.assert_allclose(found[:3], expected, atol=1e-12)
    assert np.isnan(found[3]).all()
    assert returns(store.panel(np.array([3]), TIMEFRAME_INDEX["1m"], 5), MINUTE).shape == (1, 0)


def test_the_same_is_near_and_the_opposite_far() -> None:
    found = distance(np.array([[1.0, 1.0, -1.0], [1.0, 1.0, np.nan], [-1.0, np.nan, 1.0]]))
    np.testing.assert_allclose(found, [[0, 0, 2], [0, 0, 2**0.5], [2, 2**0.5, 0]], atol=1e-12)


def by_definition(distances: Floats) -> list[tuple[frozenset[int], float]]:
    """The clusters in the order they are made, each with its height: the mean of all distances between its parts."""
    clusters = [frozenset([point]) for point in range(len(distances))]
    made = []
    while len(clusters) > 1:
        height, one, other = min(
            (
                (float(np.mean([distances[a, b] for a in one for b in other])), one, other)
                for one, other in itertools.combinations(clusters, 2)
            ),
            key=lambda found: found[0],
        )
        clusters = [each for each in clusters if each not in (one, other)] + [one | other]
        made.append((one | other, height))
    return made


def by_merges(merges: Floats, count: int) -> list[tuple[frozenset[int], float]]:
    held = {point: frozenset([point]) for point in range(count)}
    made = []
    for step, (first, second, height, size) in enumerate(merges):
        assert first < second
        held[count + step] = held.pop(int(first)) | held.pop(int(second))
        assert len(held[count + step]) == size
        made.append((held[count + step], float(height)))
    return made


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 14))
def test_merges_are_those_of_average_linkage(seed: int, count: int) -> None:
    distances = points(seed, count)
    found, expected = by_merges(linkage(distances), count), by_definition(distances)
    assert [cluster for cluster, _height in found] == [cluster for cluster, _height in expected]
    np.testing.assert_allclose([height for _, height in found], [height for _, height in expected])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 14))
def test_every_cluster_stands_together_in_the_order_of_leaves(seed: int, count: int) -> None:
    distances = points(seed, count)
    merges = linkage(distances)
    order = leaves(merges, distances)
    assert sorted(order) == list(range(count))
    place = {point: at for at, point in enumerate(order)}
    for cluster, _height in by_merges(merges, count):
        places = sorted(place[point] for point in cluster)
        assert places == list(range(places[0], places[0] + len(places)))


def test_pairs_that_move_together_become_neighbours() -> None:
    random = np.random.default_rng(5)
    factors = random.normal(size=(3, 200))
    values = np.stack([factors[at % 3] + random.normal(0, 0.3, 200) for at in range(9)])
    far = distance(correlation(values)[0])
    order = leaves(linkage(far), far)
    assert sorted({tuple(sorted(each % 3 for each in order[low : low + 3])) for low in (0, 3, 6)}) == [
        (0, 0, 0),
        (1, 1, 1),
        (2, 2, 2),
    ]


@pytest.mark.parametrize("count", [0, 1])
def test_one_or_none_needs_no_merge(count: int) -> None:
    far = np.zeros((count, count))
    assert leaves(linkage(far), far) == list(range(count))
