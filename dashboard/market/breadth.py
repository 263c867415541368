"""Breadth: how many instruments take part in a move, by what they did over a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.market.moves import Moves, above_mean
from dashboard.market.ticks import Floats, Mask

#: Days of the simple means that prices are held against.
PERIODS = (20, 50)


@dataclass(frozen=True, slots=True)
class Breadth:
    """Numbers of instruments. `unknown` have no price or no reference; `above` holds (above, known) of each of
    `PERIODS`; `covered` are those for which a new high or low of the window could be told."""

    advancing: int
    declining: int
    unchanged: int
    unknown: int
    new_highs: int
    new_lows: int
    covered: int
    above: tuple[tuple[int, int], ...]


def standings(price: Floats, daily_close: Floats) -> list[tuple[Mask, Mask]]:
    """For each of `PERIODS`: (whether `price` float64[n] is over its mean, whether that is known), bool[n] each.

    `daily_close` float64[n, t] are the newest daily closes, the forming day's last.
    """
    return [above_mean(price, daily_close, period) for period in PERIODS]


def breadth(found: Moves, standing: list[tuple[Mask, Mask]], among: Mask | None = None) -> Breadth:
    """The breadth of the instruments `among` (all by default), which stand to their means as `standings` says."""
    chosen = np.ones(len(found.price), dtype=np.bool_) if among is None else among
    known = chosen & np.isfinite(found.change)
    return Breadth(
        advancing=_count(known & (found.change > 0)),
        declining=_count(known & (found.change < 0)),
        unchanged=_count(known & (found.change == 0)),
        unknown=_count(chosen & ~known),
        new_highs=_count(chosen & found.new_high),
        new_lows=_count(chosen & found.new_low),
        covered=_count(chosen & np.isfinite(found.reference)),
        above=tuple((_count(chosen & above), _count(chosen & there)) for above, there in standing),
    )


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))
