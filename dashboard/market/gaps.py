"""When the feed was gone: the spans that bars with a moment of them inside are marked for."""

from __future__ import annotations

import numpy as np

from dashboard.market.ticks import Floats, Ints, Mask

#: Spans remembered; a bar made later than so many breaks ago can only be missing marks of still older ones.
REMEMBERED = 1000


class Gaps:
    """Disjoint spans [gone, back) of market time in ascending order; the last may still be open.

    A break that ends in the moment it began still is one: it covers that moment.
    """

    def __init__(self) -> None:
        self._gone = np.zeros(0)
        self._back = np.zeros(0)

    @property
    def none(self) -> bool:
        """Whether the feed was never gone."""
        return not len(self._gone)

    def spans(self) -> Floats:
        """float64[n, 2]: a copy of the spans, the end infinite while the feed is gone."""
        return np.column_stack((self._gone, self._back))

    def begin(self, at_ms: float) -> bool:
        """The feed is gone from `at_ms` on; False where it was gone already."""
        if len(self._back):
            if self._back[-1] == np.inf:
                return False
            at_ms = max(at_ms, float(self._back[-1]))
        self._gone = np.append(self._gone, at_ms)[-REMEMBERED:]
        self._back = np.append(self._back, np.inf)[-REMEMBERED:]
        return True

    def end(self, at_ms: float) -> float | None:
        """The feed is back at `at_ms`: since when it was gone, None where it was not."""
        if not len(self._back) or self._back[-1] != np.inf:
            return None
        gone = float(self._gone[-1])
        self._back[-1] = _beyond(gone, at_ms)
        return gone

    def count(self, start: float, end: float) -> int:
        """How many of them have a moment in [start, end)."""
        return int(np.count_nonzero((self._back > start) & (self._gone < end)))

    def overlap(self, start: Ints, ms: Ints) -> Mask:
        """bool[m]: whether [start, start + ms) has a moment of a span inside."""
        if not len(self._gone):
            return np.zeros(len(start), dtype=np.bool_)
        first = np.searchsorted(self._back, start, "right")
        gone = np.append(self._gone, np.inf)[first]
        return np.asarray(gone < start + ms, dtype=np.bool_)


def overlaps(start: Ints, ms: Ints, gone: float, back: float) -> Mask:
    """bool[m]: whether [start, start + ms) has a moment of [gone, back) inside."""
    return np.asarray((start + ms > gone) & (start < _beyond(gone, back)), dtype=np.bool_)


def _beyond(gone: float, back: float) -> float:
    return max(back, float(np.nextafter(gone, np.inf)))
