"""Quotes: an instrument's last values, day statistics, change and age as one record, for the API and the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.market.instruments import Catalogue
from dashboard.market.statistics import change
from dashboard.store.memory import LastTable

Freshness = Callable[[LastTable], tuple[NDArray[np.float64], NDArray[np.bool_]]]
_VALUES = ("price", "bid", "ask", "size", "volume", "open", "high", "low", "previous_close")


def quotes(
    catalogue: Catalogue, last: LastTable, freshness: Freshness, wanted: Iterable[int] | None = None
) -> list[dict[str, Any]]:
    """One record for each of the instruments `wanted` (all by default), in the contract's shape; None for none."""
    difference, percent = change(last.price, last.previous_close)
    ages, stale = freshness(last)
    found = []
    for at in range(len(catalogue)) if wanted is None else wanted:
        instrument = catalogue[at]
        record: dict[str, Any] = {
            "symbol": instrument.symbol,
            "name": instrument.name,
            "class": instrument.asset_class,
            "currency": instrument.currency,
            "decimals": instrument.decimals,
        }
        for name in _VALUES:
            record[name] = _number(getattr(last, name)[at])
        record["change"] = _number(difference[at])
        record["change_percent"] = _number(percent[at])
        ts = last.ts[at]
        record["ts"] = int(ts) if ts == ts else None
        age = ages[at]
        record["age_ms"] = round(float(age)) if age == age else None
        record["stale"] = bool(stale[at])
        found.append(record)
    return found


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
