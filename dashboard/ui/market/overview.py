"""The numbers that the panels of the Market page share, computed once for everybody who looks at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from dashboard.clock import Clock
from dashboard.market.bars import TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.market.breadth import PERIODS
from dashboard.market.correlation import correlation, returns
from dashboard.market.moves import Moves, moves
from dashboard.market.ticks import Floats, Ints, Mask
from dashboard.market.windows import Window
from dashboard.store.memory import LastTable, MemoryStore
from dashboard.store.quotes import Freshness

T = TypeVar("T")
#: What was computed serves so long although the market has moved on; half of the quickest panel's pace.
KEPT_MS = 2_000
#: Bars whose returns are correlated, and the results that are kept at most.
CORRELATED, MOST_KEPT = 120, 32


@dataclass(frozen=True, slots=True)
class Crossed:
    """Every instrument over one window: `moves` and the last values that they were made of, at the market's time
    `now_ms`, which is that of its newest tick."""

    window: Window
    last: LastTable
    moves: Moves
    now_ms: float


class Overview:
    """Computes for the panels, each result at most once in `KEPT_MS` however many ask."""

    def __init__(self, store: MemoryStore, freshness: Freshness, clock: Clock) -> None:
        self.store, self.freshness, self.clock = store, freshness, clock
        self.catalogue = store.catalogue
        self.every: Ints = np.arange(len(store.catalogue), dtype=np.int64)
        #: (class, sector) of each group, and the group of each instrument.
        self.groups = list(dict.fromkeys((each.asset_class, each.sector) for each in store.catalogue))
        place = {group: at for at, group in enumerate(self.groups)}
        self.group: Ints = np.array(
            [place[each.asset_class, each.sector] for each in store.catalogue], dtype=np.int64
        ).reshape(-1)
        classes = np.array([each.asset_class for each in store.catalogue])
        #: Which instruments are of each class, bool[n].
        self.classes: dict[str, Mask] = {str(name): classes == name for name in dict.fromkeys(classes.tolist())}
        self._lock = threading.Lock()
        self._kept: dict[object, tuple[str, int, float, Any]] = {}

    def crossed(self, window: Window) -> Crossed:
        """What every instrument did over `window`."""

        def make() -> Crossed:
            timeframe = window.timeframe(self.store.kept_bars)
            panel = self.store.panel(self.every, timeframe, window.bars(timeframe))
            last = self.store.last()
            stamped = np.isfinite(last.ts)
            now = float(last.ts[stamped].max()) if stamped.any() else self.clock.now_ms()
            found = moves(window, panel, last.price, last.ts, last.previous_close, now)
            return Crossed(window, last, found, now)

        return self._once(("moves", window.name), make)

    def daily_closes(self) -> Floats:
        """float64[n, t]: the newest daily closes, as many as the longest mean of the breadth takes."""

        def make() -> Floats:
            return self.store.panel(self.every, TIMEFRAME_INDEX["1d"], max(PERIODS)).close

        return self._once("daily", make)

    def correlations(self, instruments: list[int], timeframe: int) -> tuple[Floats, Ints]:
        """Correlations of `instruments` over the newest bars of `timeframe`, and how many returns each pair has."""

        def make() -> tuple[Floats, Ints]:
            who = np.array(instruments, dtype=np.int64)
            panel = self.store.panel(who, timeframe, CORRELATED + 1)
            return correlation(returns(panel, TIMEFRAMES[timeframe].ms))

        return self._once(("correlations", timeframe, *instruments), make)

    def ages(self, last: LastTable) -> tuple[Floats, Mask]:
        """Age in ms and whether that is stale, of each instrument, now."""
        return self.freshness(last)

    def _once(self, key: object, make: Callable[[], T]) -> T:
        with self._lock:
            store, now = self.store, self.clock.now_ms()
            kept = self._kept.get(key)
            if kept is not None:
                epoch, seq, at, value = kept
                if epoch == store.epoch and (seq == store.seq or 0 <= now - at < KEPT_MS):
                    found: T = value
                    return found
            epoch, seq = store.epoch, store.seq
            made = make()
            self._kept.pop(key, None)
            self._kept[key] = (epoch, seq, now, made)
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            return made
