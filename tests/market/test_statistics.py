"""The one definition of change."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.market.statistics import change


@pytest.mark.parametrize(
    ("price", "close", "difference", "percent"),
    [(110.0, 100.0, 10.0, 10.0), (90.0, 100.0, -10.0, -10.0), (100.0, 100.0, 0.0, 0.0), (0.5, 2.0, -1.5, -75.0)],
)
def test_change_is_the_distance_to_the_previous_close_and_its_share_in_percent(
    price: float, close: float, difference: float, percent: float
) -> None:
    assert change(np.float64(price), np.float64(close)) == (difference, percent)


@pytest.mark.parametrize(("price", "close"), [(np.nan, 1.0), (1.0, np.nan), (np.nan, np.nan)])
def test_without_a_price_or_a_previous_close_there_is_no_change(price: float, close: float) -> None:
    assert np.isnan(change(np.float64(price), np.float64(close))).all()


def test_arrays_of_any_shape_are_taken_element_by_element() -> None:
    difference, percent = change(np.array([[11.0, np.nan]]), np.array([[10.0, 10.0]]))
    assert difference.shape == percent.shape == (1, 2)
    np.testing.assert_allclose(percent, [[10.0, np.nan]])
