"""Rows as the contract has them on the wire: one shape for the API, the stream and the page."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.market.ticks import Floats


def tick_rows(rows: Floats) -> list[tuple[Any, ...]]:
    """Ticks float64[n, 6] (`TICK_COLUMNS`) as JSON rows: whole numbers as such, NaN stays NaN (null in JSON)."""
    seq, price, size, bid, ask, ts = rows.T
    columns = (seq.astype(np.int64), price, size, bid, ask, ts.astype(np.int64))
    return list(zip(*(column.tolist() for column in columns), strict=True))


def bar_rows(rows: Floats) -> list[tuple[Any, ...]]:
    """Bars float64[n, 8] (`BAR_COLUMNS`) as JSON rows."""
    whole = rows[:, (0, 6, 7)].astype(np.int64).T.tolist()
    values = rows[:, 1:6].T.tolist()
    return list(zip(whole[0], *values, whole[1], whole[2], strict=True))
