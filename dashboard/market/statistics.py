"""The one definition of change: against the previous close, for a number or for arrays alike."""

from __future__ import annotations

import numpy as np

from dashboard.market.ticks import Floats


def change(price: Floats, previous_close: Floats) -> tuple[Floats, Floats]:
    """(change, change in percent), both float64 of the shape of the inputs.

    `price - previous_close`, and that over `previous_close` times 100; NaN where either is NaN. A previous close is
    a price and so positive.
    """
    price, previous_close = np.asarray(price, dtype=np.float64), np.asarray(previous_close, dtype=np.float64)
    difference = price - previous_close
    with np.errstate(invalid="ignore", divide="ignore"):
        return difference, difference / previous_close * 100.0
