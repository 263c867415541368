"""Bars as columns of typed arrays, base64 as Plotly has them (`dtype`, `bdata`): what the page's figure carries.

28 to 45 bytes a bar where rows of numbers take 54 to 61, and a text that Dash's renderer hands on as it is, where it
walks through every number of a list. `assets/chart/packed.mjs` reads them.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.market.ticks import Floats
from dashboard.store.change import BAR_COLUMNS

#: The most digits after the point that make a whole number of a price or a volume.
MOST_PLACES = 8
#: From the narrowest on; little-endian, as Plotly's are.
_WHOLE = ("u1", "i1", "u2", "i2", "u4", "i4")


def packed(rows: Floats) -> dict[str, dict[str, Any]]:
    """Columns of bars float64[n, 8] (`BAR_COLUMNS`): {dtype, bdata, places} each, of which every value is exactly
    `bdata`'s over 10 ** `places`. `start` has `first`, UTC ms, and the ms from each bar to the next."""
    columns = {name: _column(rows[:, at]) for at, name in enumerate(BAR_COLUMNS) if name != "start"}
    starts = rows[:, BAR_COLUMNS.index("start")]
    return {"start": {"first": int(starts[0]) if len(starts) else None, **_column(np.diff(starts))}, **columns}


def _column(values: Floats) -> dict[str, Any]:
    """The narrowest whole numbers that are exactly the values once divided, else the values themselves."""
    for places in range(MOST_PLACES + 1):
        scale = 10.0**places
        whole = np.rint(values * scale)
        dtype = _narrowest(whole)
        if dtype is None:
            break
        if np.array_equal(whole / scale, values):
            return {"dtype": dtype, "places": places, "bdata": _text(whole.astype(f"<{dtype}"))}
    return {"dtype": "f8", "places": 0, "bdata": _text(values.astype("<f8"))}


def _narrowest(whole: Floats) -> str | None:
    """The type that holds whole numbers; None where none does, as for NaN."""
    if not len(whole):
        return _WHOLE[0]
    low, high = whole.min(), whole.max()
    return next((name for name in _WHOLE if np.iinfo(name).min <= low and high <= np.iinfo(name).max), None)


def _text(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
