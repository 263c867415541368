"""How old a price is, and when it counts as stale: one rule for the API, the page and readiness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dashboard.store.memory import LastTable

#: No price is stale before this age, however often its instrument is reported.
LEAST_MS = 2000.0


def ages(
    last: LastTable, now_ms: float, *, interval_ms: float, silence_is_stale: bool, alive_ms: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(age in ms float64[n], NaN where nothing was ever reported; stale bool[n]).

    The age counts from the last report of the instrument, by the time of receipt. Where silence is not staleness (a
    replay, whose holes are its own), it counts from `alive_ms`, when the feed was last known to be reading, if that
    is later. Stale: over the larger of 2 s and three expected intervals.
    """
    since = last.received if silence_is_stale else np.fmax(last.received, np.where(last.last_seq > 0, alive_ms, np.nan))
    age = np.maximum(now_ms - since, 0.0)
    return age, ~(age <= stale_after_ms(interval_ms))


def stale_after_ms(interval_ms: float) -> float:
    """The age in ms over which a price is stale."""
    return max(LEAST_MS, 3.0 * interval_ms)
