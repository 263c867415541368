"""Correlation of instruments' returns, and the order in which those that move together stand beside each other."""

from __future__ import annotations

import numpy as np

from dashboard.market.bars import NEVER
from dashboard.market.panel import Panel
from dashboard.market.ticks import Floats, Ints

#: Common returns under which two instruments have no correlation worth a number.
LEAST_COMMON = 10


def returns(panel: Panel, ms: int) -> Floats:
    """float64[n, t]: log returns of n instruments on a grid of t + 1 bars of `ms` milliseconds, NaN for none.

    A return runs from a bar's close to that of the bar right after it: over a bar that does not exist (no tick, a
    closed session) there is none. Filled up, such bars would count as returns of 0 and pull every correlation to 0.
    """
    real = panel.start != NEVER
    if not real.any():
        return np.full((len(panel.start), 0), np.nan)
    first = int(panel.start[real].min())
    # Instruments that trade rarely reach far back: the grid holds as many steps as there are columns.
    newest = int(panel.start[real].max())
    steps = min((newest - first) // ms + 1, panel.start.shape[1])
    first = newest - (steps - 1) * ms
    row, column = np.nonzero(real & (panel.start >= first))
    logs = np.full((len(panel.start), steps), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs[row, (panel.start[row, column] - first) // ms] = np.log(panel.close[row, column])
    return np.diff(logs, axis=1)


def correlation(values: Floats, least: int = LEAST_COMMON) -> tuple[Floats, Ints]:
    """(Pearson's correlation float64[n, n], common values int64[n, n]) of the rows of `values` float64[n, t].

    Of every pair the columns count where both have a value; NaN where those are fewer than `least`, or where one of
    the two does not move in them. The sums of all pairs are matrix products, over rows that are centred first so that
    they do not cancel.
    """
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.where(there, values, 0.0).sum(axis=1) / there.sum(axis=1)
    spread = np.where(there, values - centre[:, np.newaxis], 0.0)
    mask = there.astype(np.float64)
    common = mask @ mask.T
    total = spread @ mask.T
    square = (spread * spread) @ mask.T
    product = spread @ spread.T
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = product - total * total.T / common
        variance = square - total * total / common
        # What rounding leaves of a row that does not move is no variance.
        variance = np.where(variance > 1e-12 * square, variance, np.nan)
        found = covariance / np.sqrt(variance * variance.T)
    found = np.where(common >= least, np.clip(found, -1.0, 1.0), np.nan)
    return found, common.astype(np.int64)


def distance(correlations: Floats) -> Floats:
    """float64[n, n]: sqrt(2 (1 - r)), a metric from 0 (the same) to 2 (the opposite) (Mantegna 1999, "Hierarchical
    structure in financial markets"); an unknown correlation counts as none, and 0 on the diagonal."""
    known = np.where(np.isfinite(correlations), correlations, 0.0)
    found = np.sqrt(np.maximum(2.0 * (1.0 - known), 0.0))
    np.fill_diagonal(found, 0.0)
    return found


def linkage(distances: Floats) -> Floats:
    """float64[n - 1, 4]: the merges of average-linkage clustering (UPGMA: Sokal and Michener 1958), nearest first.

    A row holds the two clusters (0 to n - 1 are the points, n + i is the one that row i makes; the smaller first),
    their distance, and how many points the new one has: scipy's `linkage(…, "average")`. Distances to a new cluster
    follow from those to its parts (Lance and Williams 1967), so that a merge costs O(n) and a look for the nearest.
    """
    count = len(distances)
    near = np.array(distances, dtype=np.float64)
    np.fill_diagonal(near, np.inf)
    name, size = np.arange(count, dtype=np.float64), np.ones(count)
    merges = np.zeros((max(count - 1, 0), 4))
    for step in range(len(merges)):
        left, right = divmod(int(near.argmin()), count)
        together = size[left] + size[right]
        merges[step] = (*sorted((name[left], name[right])), near[left, right], together)
        row = (size[left] * near[left] + size[right] * near[right]) / together
        row[left] = row[right] = np.inf
        near[left], near[:, left] = row, row
        near[right], near[:, right] = np.inf, np.inf
        name[left], size[left] = count + step, together
    return merges


def leaves(merges: Floats, distances: Floats) -> list[int]:
    """The points in the order of the tree of `merges`: each pair of clusters beside each other, turned so that the
    two points that touch are the nearest of the four that could."""
    count = len(distances)
    order: dict[int, list[int]] = {point: [point] for point in range(count)}
    for step, (first, second, _distance, _size) in enumerate(merges):
        one, other = order.pop(int(first)), order.pop(int(second))
        turns = [(a, b) for a in (one, one[::-1]) for b in (other, other[::-1])]
        left, right = min(turns, key=lambda pair: float(distances[pair[0][-1], pair[1][0]]))
        order[count + step] = left + right
    return next(iter(order.values()), [])
