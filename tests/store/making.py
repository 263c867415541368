"""A small store over a clock that a test moves, and listeners that write down what they are told."""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.clock import ManualClock
from dashboard.errors import Lapped
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.instruments import catalogue
from dashboard.store.change import Change
from dashboard.store.memory import MemoryStore
from dashboard.store.views import View
from tests.market.making import MIDNIGHT, BarsByStart, Row, by_start, ticks

SECOND = TIMEFRAME_INDEX["1s"]
DAY = TIMEFRAME_INDEX["1d"]
DAY_MS = 86_400_000


def store_of(symbols: str = "AAPL,MSFT,V", budget_mb: int = 64) -> MemoryStore:
    """An empty store of these symbols at MIDNIGHT."""
    return MemoryStore(catalogue(symbols), clock=ManualClock(MIDNIGHT), budget_mb=budget_mb)


def give(store: MemoryStore, *rows: Row, received: float = MIDNIGHT) -> Change:
    """Append rows (instrument, ms after MIDNIGHT, price[, size[, bid, ask]]) as one batch."""
    return store.append(ticks(*((who, MIDNIGHT + ms, *rest) for who, ms, *rest in rows), received=received))


def bars(store: MemoryStore, timeframe: int = SECOND, instrument: int = 0) -> BarsByStart:
    """All bars of a key, by start."""
    return by_start(store.bars(instrument, timeframe).rows)


def is_void(view: View) -> bool:
    """Whether an entered view tells that it is not valid any more."""
    try:
        view.check()
    except Lapped:
        return True
    return False


@dataclass
class Diary:
    """A listener that keeps everything, in order."""

    told: list[Change | str] = field(default_factory=list)

    def on_change(self, change: Change) -> None:
        self.told.append(change)

    def on_epoch(self, epoch: str) -> None:
        self.told.append(epoch)

    @property
    def changes(self) -> list[Change]:
        return [each for each in self.told if isinstance(each, Change)]


class Failing:
    """A listener that can't stand news."""

    def on_change(self, change: Change) -> None:
        raise RuntimeError(change.seq)

    def on_epoch(self, epoch: str) -> None:
        raise RuntimeError(epoch)
