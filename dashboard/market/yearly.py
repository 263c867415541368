"""The 52-week range: the lowest low and the highest high of an instrument's last 364 days, from its bars of a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboard.market.bars import DAY, NEVER, TIMEFRAMES
from dashboard.market.panel import Panel
from dashboard.market.ticks import Floats, Ints, Mask

WEEKS: Final = 52
DAY_MS: Final = TIMEFRAMES[DAY].ms
_LENGTH_MS: Final = WEEKS * 7 * DAY_MS
#: Bars of a day that a range is made of at most, and the one before them, which says that no day is missing.
BARS: Final = WEEKS * 7 + 1


@dataclass(frozen=True, slots=True)
class YearRanges:
    """Of n instruments: `low` and `high` float64[n], NaN without a bar; `since` int64[n], the start (UTC ms) of the
    first bar they are made of, `NEVER` without one; `whole` bool[n], whether the bars go back 52 weeks."""

    low: Floats
    high: Floats
    since: Ints
    whole: Mask


def year_ranges(panel: Panel) -> YearRanges:
    """The ranges of a `panel` with the newest `BARS` bars of a day, or as many as are kept.

    An instrument's 52 weeks are the 364 UTC days that end with the day of its own newest bar, the forming one too, so
    that its last price is always inside.
    """
    count = len(panel.start)
    newest = panel.start[:, -1] if panel.start.shape[1] else np.full(count, NEVER)
    known = newest != NEVER
    first = np.where(known, newest, 0) - _LENGTH_MS + DAY_MS
    there = panel.start != NEVER
    inside = there & (panel.start >= first[:, np.newaxis])
    low = np.where(inside, panel.low, np.inf).min(axis=1, initial=np.inf)
    high = np.where(inside, panel.high, -np.inf).max(axis=1, initial=-np.inf)
    never_before = np.iinfo(np.int64).max
    since = np.where(inside, panel.start, never_before).min(axis=1, initial=never_before)
    older = (there & ~inside).any(axis=1)
    return YearRanges(
        low=np.where(known, low, np.nan),
        high=np.where(known, high, np.nan),
        since=np.where(known, since, NEVER),
        whole=known & (older | (since <= first)),
    )
