"""What has changed since the last flush, and its JSON: each symbol's part is encoded once a flush, whoever gets it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import orjson

from dashboard.market.ticks import Floats, Ints, TickBatch
from dashboard.store.change import LAST_COLUMNS, Change, ChangedBars
from dashboard.store.memory import LastTable
from dashboard.store.rows import bar_rows, tick_rows
from dashboard.stream import protocol

#: More ticks or bars than this are not kept for a flush: whoever wants them reads the store.
MOST_ROWS = 100_000


class Mark(NamedTuple):
    """A state of the store: `seq`, and the number of changes, since bars also close without a new seq."""

    seq: int
    step: int


class News:
    """Newest ticker rows with the step that changed them, and the ticks and bars since the last flush."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.names = [orjson.dumps(symbol) for symbol in symbols]
        count = len(symbols)
        self.rows: Floats = np.full((count, len(LAST_COLUMNS)), np.nan)
        self.day: Floats = np.full((count, 2), np.nan)
        self.received: Floats = np.full(count, np.nan)
        self.step: Ints = np.zeros(count, dtype=np.int64)
        self.reference: Ints = np.zeros(count, dtype=np.int64)
        self.updates: Ints = np.zeros(count, dtype=np.int64)
        self.clear()

    def clear(self) -> None:
        """Everybody has been told."""
        self._batches: list[TickBatch] = []
        self._bars: list[tuple[int, ChangedBars]] = []
        self._kept = 0
        self.overflowed = False
        #: Instruments whose row, and whose day's reference, have changed since.
        self.changed: set[int] = set()
        self.referenced: set[int] = set()
        self._in_order: list[int] | None = None
        self._receipts: set[float] = set()
        self._ticker: dict[int, bytes] = {}
        self._snapshots: dict[int, bytes] = {}
        self._grouped: dict[int, Grouped] = {}

    def absorb(self, step: int, change: Change) -> None:
        """Take note of one change."""
        if self._ticker or self._grouped or self._snapshots:
            # A flush that failed half-way has left texts of an older state.
            self._ticker, self._snapshots, self._grouped = {}, {}, {}
        who = change.touched
        if len(who):
            self.rows[who] = change.last
            self.received[who] = change.received
            self.step[who] = step
            self.updates[who] += 1
            self.changed.update(who.tolist())
            self._in_order = None
            self._receipts.add(float(change.received))
        if len(change.reference):
            self.reference[change.reference] = step
            self.referenced.update(change.reference.tolist())
        if self.overflowed:
            return
        if change.batch is not None:
            self._batches.append(change.batch)
            self._kept += len(change.batch)
        self._bars.append((step, change.bars))
        self._kept += change.bars.most
        if self._kept > MOST_ROWS:
            self.overflow()

    def overflow(self) -> None:
        """Too much to keep: ticks and bars have to be read from the store."""
        self.overflowed = True
        self._batches.clear()
        self._bars.clear()

    def everything_changed(self, step: int, last: LastTable, after_seq: int) -> None:
        """Changes were dropped: whatever came after `after_seq` counts as changed, its day's reference too."""
        who = np.flatnonzero(last.last_seq > after_seq)
        self._ticker, self._snapshots, self._grouped = {}, {}, {}
        self.rows[:] = ticker_table(last)
        self.received[who], self.step[who], self.reference[who] = last.received[who], step, step
        self.changed.update(who.tolist())
        self.referenced.update(who.tolist())
        self._in_order = None
        self._receipts.update(last.received[who].tolist())
        self.set_day(last)
        self.overflow()

    def set_day(self, last: LastTable) -> None:
        """Take over the day's open and previous close."""
        self.day[:, 0], self.day[:, 1] = last.open, last.previous_close

    def changed_among(self, listed: list[int], instruments: frozenset[int]) -> list[int]:
        """Those of `instruments`, also given as the ordered list `listed`, that have changed since the last flush."""
        changed = self.changed
        if len(listed) < len(changed):
            return [who for who in listed if who in changed]
        if self._in_order is None:
            self._in_order = sorted(changed)
        return [who for who in self._in_order if who in instruments]

    def newest_receipt(self, who: list[int]) -> float:
        """The newest time of receipt of these instruments, UTC ms; NaN where none is known."""
        if len(self._receipts) == 1 and self.changed.issuperset(who):
            return next(iter(self._receipts))
        return float(np.fmax.reduce(self.received[who]))

    def oldest_receipt(self) -> float | None:
        """The oldest time of receipt, UTC ms, of the changes since the last flush; None where none is known."""
        return min((each for each in self._receipts if not math.isnan(each)), default=None)

    def tickers(self, who: list[int]) -> list[bytes]:
        """`"AAPL":[…]` of each of these, the newest row."""
        made = self._ticker
        if missing := [each for each in who if each not in made]:
            rows = self.rows[missing]
            made.update(
                zip(missing, protocol.ticker_fragments([self.names[each] for each in missing], rows), strict=True)
            )
        return [made[each] for each in who]

    def snapshot(self, who: int) -> bytes:
        """`"AAPL":{…}`, the newest row with the day's reference."""
        made = self._snapshots.get(who)
        if made is None:
            opened, closed = self.day[who].tolist()
            made = protocol.snapshot_fragment(self.names[who], self.rows[who].tolist(), opened, closed)
            self._snapshots[who] = made
        return made

    def ticks(self) -> Grouped:
        """The ticks since the last flush; their version is their seq."""
        made = self._grouped.get(-1)
        if made is None:
            batches = self._batches
            who = _joined([batch.instrument for batch in batches])
            rows = np.empty((len(who), 6))
            fields: tuple[Callable[[TickBatch], Any], ...] = (
                lambda batch: batch.seqs(),
                lambda batch: batch.price,
                lambda batch: batch.size,
                lambda batch: batch.bid,
                lambda batch: batch.ask,
                lambda batch: batch.ts,
            )
            for at, field in enumerate(fields):
                rows[:, at] = _joined([field(batch) for batch in batches])
            order = np.argsort(who, kind="stable")
            rows = rows[order]
            made = Grouped(self.names, who[order], rows, rows[:, 0], tick_rows)
            self._grouped[-1] = made
        return made

    def bars(self, timeframe: int) -> Grouped:
        """The bars of a timeframe that changed since the last flush, newest state; their version is the step."""
        made = self._grouped.get(timeframe)
        if made is None:
            kept = [(step, bars[timeframe]) for step, bars in self._bars if len(bars[timeframe].rows)]
            who = _joined([bars.instrument for _, bars in kept])
            rows = np.concatenate([bars.rows for _, bars in kept]) if kept else np.empty((0, 8))
            steps = _joined([np.full(len(bars.rows), step) for step, bars in kept]).astype(np.float64)
            if len(kept) > 1:
                order = np.lexsort((rows[:, 0], who))
                who, rows, steps = who[order], rows[order], steps[order]
                # The sort is stable: the last of equal (instrument, start) is the newest state.
                newest = np.append((who[1:] != who[:-1]) | (rows[1:, 0] != rows[:-1, 0]), True)
                who, rows, steps = who[newest], rows[newest], steps[newest]
            made = self._grouped[timeframe] = Grouped(self.names, who, rows, steps, bar_rows)
        return made


class Grouped:
    """Rows sorted by instrument, each with a version; gives an instrument's fragment of those after a version."""

    def __init__(
        self,
        names: list[bytes],
        who: Ints,
        rows: Floats,
        versions: Floats,
        shape: Callable[[Floats], list[tuple[Any, ...]]],
    ) -> None:
        self._names, self._rows, self._versions, self._shape = names, rows, versions, shape
        heads = np.flatnonzero(np.append(True, who[1:] != who[:-1])) if len(who) else np.zeros(0, dtype=np.int64)
        self.instruments: list[int] = who[heads].tolist()
        ends = np.append(heads[1:], len(who))[: len(heads)].tolist()
        self._span = dict(zip(self.instruments, zip(heads.tolist(), ends, strict=True), strict=True))
        self._made: dict[tuple[int, int], bytes | None] = {}

    def fragments(self, listed: list[int], instruments: frozenset[int], after: int) -> list[bytes]:
        """What `instruments`, also given as the ordered list `listed`, have whose version is over `after`."""
        if len(listed) < len(self.instruments):
            wanted = (self.fragment(who, after) for who in listed if who in self._span)
        else:
            wanted = (self.fragment(who, after) for who in self.instruments if who in instruments)
        return [made for made in wanted if made is not None]

    def fragment(self, who: int, after: int) -> bytes | None:
        """The rows of `who` whose version is over `after`; None where there is none."""
        key = (who, after)
        if key not in self._made:
            low, high = self._span[who]
            rows = self._rows[low:high]
            if after >= 0:
                rows = rows[self._versions[low:high] > after]
            self._made[key] = protocol.rows_fragment(self._names[who], self._shape(rows)) if len(rows) else None
        return self._made[key]


def ticker_table(last: LastTable) -> Floats:
    """float64[n, 8]: the columns of `ticker` of every instrument."""
    return np.stack([last.price, last.bid, last.ask, last.size, last.volume, last.high, last.low, last.ts], axis=1)


def _joined(columns: list[Any]) -> Any:
    return np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)
