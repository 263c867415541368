"""The in-memory store: ticks and bars of every instrument, written by one writer, read by anybody.

Ticks lie in preallocated mirrored rings `[field, instrument, slot]`: each is written at its slot and at slot +
capacity, so that the newest N of an instrument are one contiguous slice and a DataFrame over them costs no copy.
Ticks, last values and bars of a batch become visible together, under one sequence number, inside one lock.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from dashboard.clock import Clock
from dashboard.errors import Lapped
from dashboard.market.bars import CHANGED, CLOSE, COLUMNS, DAY, HIGH, LOW, OPEN, TIMEFRAMES, VOLUME, BarBook
from dashboard.market.instruments import Catalogue
from dashboard.market.ticks import Floats, Ints, TickBatch
from dashboard.store.change import BAR_COLUMNS, BarRows, Change, Listener

#: Rows of the tick rings, and the contract's columns of the channel `ticks`.
TICK_COLUMNS = ("seq", "price", "size", "bid", "ask", "ts")
#: Bars kept in each timeframe when the memory suffices: 2 h, 6 h, 18 h, 10 d, 30 d, 70 d, half a year, 5 years.
BARS_WANTED = (7_200, 4_320, 4_320, 14_400, 8_640, 6_720, 4_380, 1_830)
BARS_LEAST = 64
#: Ticks kept of an instrument when the memory suffices, and in any case.
TICKS_WANTED, TICKS_LEAST = 200_000, 256
_BAR_BYTES = 11 * 8 * 2
_TICK_BYTES = len(TICK_COLUMNS) * 8 * 2
_EMPTY: Ints = np.zeros(0, dtype=np.int64)


class History(Protocol):
    """A block of bars from before the live stream (`feeds.base.HistoryBlock`)."""

    @property
    def timeframe(self) -> int: ...
    @property
    def instrument(self) -> Ints: ...
    @property
    def start(self) -> Ints: ...
    @property
    def bars(self) -> Floats: ...


@dataclass(frozen=True, slots=True)
class LastTable:
    """Copies of the last values and day statistics of all n instruments, float64[n] each, NaN for none.

    `ts` is the newest tick's event time, `received` the time of the last report, both UTC ms; `last_seq` int64[n], 0
    where nothing came in this epoch.
    """

    epoch: str
    seq: int
    price: Floats
    bid: Floats
    ask: Floats
    size: Floats
    ts: Floats
    received: Floats
    volume: Floats
    open: Floats
    high: Floats
    low: Floats
    previous_close: Floats
    last_seq: Ints


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of one instrument, `rows` float64[n, 6] (`TICK_COLUMNS`) by seq; `more`: the limit left some out after."""

    epoch: str
    seq: int
    oldest_seq: int
    rows: Floats
    more: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one instrument and timeframe, `rows` float64[n, 8] (`BAR_COLUMNS`), oldest first."""

    epoch: str
    seq: int
    rows: Floats


class MemoryStore:
    """Ticks, last values and bars of a catalogue's instruments, within `budget_mb` megabytes.

    One thread appends; `lock` may be held by a reader for several reads that have to agree, and by nobody for long:
    listeners are told inside it, so what they have queued is exactly the state at `seq`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        clock: Clock,
        budget_mb: int = 512,
        late_ms: int = 60_000,
        grace_ms: int = 500,
    ) -> None:
        self.catalogue, self.clock = catalogue, clock
        self.late_ms, self.grace_ms = late_ms, grace_ms
        self.lock = threading.RLock()
        self._listeners: list[Listener] = []
        count = max(1, len(catalogue))
        half = budget_mb * 1_000_000 / 2 / count
        share = min(1.0, half / (sum(BARS_WANTED) * _BAR_BYTES))
        self._capacities = [max(BARS_LEAST, int(wanted * share)) for wanted in BARS_WANTED]
        self._kept_ticks = int(min(TICKS_WANTED, max(TICKS_LEAST, half / _TICK_BYTES)))
        self._shrunk = share < 1.0
        self._empty()

    @property
    def retention(self) -> str:
        """One sentence for the log: what the memory suffices for."""
        bars = ", ".join(f"{kept} of {frame.name}" for kept, frame in zip(self._capacities, TIMEFRAMES, strict=True))
        reason = " (shrunk to the memory allowed)" if self._shrunk else ""
        return f"{self._kept_ticks} ticks and bars {bars} an instrument{reason}"

    @property
    def oldest_seq(self) -> int:
        """From this sequence number on every instrument's ticks are whole."""
        return self._oldest_seq

    def add_listener(self, listener: Listener) -> None:
        """Tell `listener` of every change from now on."""
        with self.lock:
            self._listeners.append(listener)

    # -- writing -------------------------------------------------------------------------------------------------

    def load_history(self, blocks: Iterable[History]) -> None:
        """Put bars from before the live stream under it; before the first tick of an epoch only."""
        for block in blocks:
            with self.lock:
                self._book.load(block.timeframe, block.instrument, block.start, block.bars)
        with self.lock:
            every = np.arange(len(self.catalogue), dtype=np.int64)
            self._day_statistics(every)
            low = DAY * self._count
            for instrument in every[self._book.count[low : low + self._count] > 0]:
                at, end = self._book.window(low + int(instrument), 1)
                self._price[instrument] = self._book.block[CLOSE, at]

    def append(self, batch: TickBatch) -> Change:
        """Number accepted ticks and make them, their bars and last values visible together; the one writer's call."""
        with self.lock:
            batch = batch.numbered(self.seq + 1)
            if not len(batch):
                return self._change(None, _EMPTY, _EMPTY)
            if not self._begun:
                self._begun = True
                self._book.begin(int(batch.ts.min()))
            seq = batch.last_seq
            self._write_ticks(batch)
            if batch.bars is None:
                self._book.fold(batch.instrument, batch.ts, batch.price, batch.size, seq)
            else:
                self._book.fold_bars(batch.instrument, batch.bars, seq)
            touched = np.unique(batch.instrument)
            self._write_last(batch)
            reference = self._day_statistics(touched)
            self.seq = seq
            return self._tell(self._change(batch, touched, reference))

    def close_due(self, market_now_ms: float) -> Change | None:
        """Close the bars whose end, and the grace after it, the market's clock has passed; None where none was."""
        with self.lock:
            if not self._book.close_due(market_now_ms, self.grace_ms, self.seq):
                return None
            return self._tell(self._change(None, _EMPTY, _EMPTY))

    def disconnected(self, at_ms: float) -> None:
        """The feed is gone since `at_ms`, market time: bars with a moment of that inside are marked."""
        with self.lock:
            self._book.disconnected(at_ms)

    def connected(self, at_ms: float) -> None:
        """The feed is back since `at_ms`, market time."""
        with self.lock:
            self._book.connected(at_ms)

    def reset(self) -> None:
        """Begin a new epoch: everything is empty again."""
        with self.lock:
            self._empty()
            for listener in self._listeners:
                listener.on_epoch(self.epoch)

    # -- reading -------------------------------------------------------------------------------------------------

    def last(self) -> LastTable:
        """The last values of every instrument, as they are together now."""
        with self.lock:
            return LastTable(
                self.epoch,
                self.seq,
                *(
                    column.copy()
                    for column in (
                        self._price,
                        self._bid,
                        self._ask,
                        self._size,
                        self._ts,
                        self._received,
                        self._volume,
                        self._open,
                        self._high,
                        self._low,
                        self._previous_close,
                    )
                ),
                self._last_seq.copy(),
            )

    def ticks(
        self,
        instrument: int,
        *,
        start: float | None = None,
        end: float | None = None,
        after_seq: int | None = None,
        limit: int | None = None,
    ) -> Ticks:
        """Ticks with `start` <= ts < `end` in the order of seq: the newest `limit`, or with `after_seq` the first."""
        with self.lock:
            low, high = self._tick_window(instrument, None)
            rows = self._ring[:, instrument, low:high]
            if after_seq is not None:
                rows = rows[:, np.searchsorted(rows[0], after_seq, "right") :]
            if start is not None or end is not None:
                inside = np.ones(rows.shape[1], dtype=np.bool_)
                if start is not None:
                    inside &= rows[5] >= start
                if end is not None:
                    inside &= rows[5] < end
                rows = rows[:, inside]
            more = limit is not None and rows.shape[1] > limit
            if limit is not None and more:
                rows = rows[:, -limit:] if after_seq is None else rows[:, :limit]
            return Ticks(self.epoch, self.seq, self._oldest_seq, rows.T.copy(), more)

    def missed(self, instruments: Ints, after_seq: int, limit: int) -> Floats:
        """float64[n, 7]: the first `limit` ticks after `after_seq` of all `instruments`, by seq; the last column is
        the instrument."""
        with self.lock:
            parts = []
            for instrument in instruments.tolist():
                if self._last_seq[instrument] <= after_seq:
                    continue
                low, high = self._tick_window(instrument, None)
                first = low + int(np.searchsorted(self._ring[0, instrument, low:high], after_seq, "right"))
                rows = np.empty((min(high, first + limit) - first, 7))
                rows[:, :6] = self._ring[:, instrument, first : first + len(rows)].T
                rows[:, 6] = instrument
                parts.append(rows)
        if not parts:
            return np.zeros((0, 7))
        joined = np.concatenate(parts)
        return joined[np.argsort(joined[:, 0], kind="stable")][:limit]

    def bars(
        self,
        instrument: int,
        timeframe: int,
        *,
        start: float | None = None,
        end: float | None = None,
        limit: int | None = None,
    ) -> Bars:
        """Bars with `start` <= their start < `end`, the newest `limit` of them."""
        with self.lock:
            low, high = self._book.between(self._key(instrument, timeframe), start, end)
            if limit is not None:
                low = max(low, high - limit)
            return Bars(self.epoch, self.seq, self._book.block[:COLUMNS, low:high].T.copy())

    def recent_bars(self, instruments: Ints, timeframe: int, count: int) -> BarRows:
        """The newest `count` bars of each of `instruments`."""
        with self.lock:
            return self._gather(
                instruments, [self._book.window(self._key(who, timeframe), count) for who in instruments.tolist()]
            )

    def bars_since(self, instruments: Ints, timeframe: int, seq: int) -> BarRows:
        """Every bar of `instruments` that changed at or after `seq`."""
        with self.lock:
            spans = []
            who: list[int] = []
            for instrument in instruments.tolist():
                low, high = self._book.window(self._key(instrument, timeframe))
                for at in np.flatnonzero(self._book.block[CHANGED, low:high] >= seq).tolist():
                    spans.append((low + at, low + at + 1))
                    who.append(instrument)
            return self._gather(np.array(who, dtype=np.int64), spans)

    def bars_whole(self, instruments: Iterable[int], timeframe: int, seq: int) -> bool:
        """Whether every bar of `instruments` that changed at or after `seq` is still kept."""
        with self.lock:
            for instrument in instruments:
                key = self._key(instrument, timeframe)
                if self._book.count[key] > self._book.capacity[key]:
                    low, _high = self._book.window(key)
                    if self._book.block[CHANGED, low] >= seq:
                        return False
            return True

    def sparkline(self, instrument: int, timeframe: int, count: int) -> Floats:
        """float64[m], m <= `count`: closes of the newest bars, oldest first."""
        with self.lock:
            low, high = self._book.window(self._key(instrument, timeframe), count)
            return self._book.block[CLOSE, low:high].copy()

    @contextmanager
    def tick_view(self, instrument: int, count: int) -> Iterator[pd.DataFrame]:
        """The newest `count` ticks as a read-only DataFrame over the ring itself, columns `TICK_COLUMNS`.

        Valid inside the `with` only, which raises Lapped at its end when the writer has overwritten rows meanwhile.
        """
        with self.lock:
            low, high = self._tick_window(instrument, count)
            total = int(self._tick_count[instrument])
            epoch = self.epoch
            view = self._ring[:, instrument, low:high].T
        view.flags.writeable = False
        yield pd.DataFrame(view, columns=pd.Index(TICK_COLUMNS), copy=False)
        with self.lock:
            lapped = self._tick_count[instrument] - (total - (high - low)) > self._kept_ticks
            if self.epoch != epoch or (lapped and high > low):
                raise Lapped("the writer has overwritten ticks of this view; read again, or fewer")

    @contextmanager
    def bar_view(
        self, instrument: int, timeframe: int, *, start: float | None = None, end: float | None = None
    ) -> Iterator[pd.DataFrame]:
        """Bars of a time range as a read-only DataFrame over the store's block, columns `BAR_COLUMNS`.

        Valid inside the `with` only, which raises Lapped at its end when the writer has overwritten rows meanwhile;
        the newest bar goes on forming under the reader.
        """
        key = self._key(instrument, timeframe)
        with self.lock:
            low, high = self._book.between(key, start, end)
            window_low, _ = self._book.window(key)
            total, kept = int(self._book.count[key]), int(self._book.capacity[key])
            oldest = max(0, total - kept) + low - window_low
            epoch, moves = self.epoch, self._book.moves
            view = self._book.block[:COLUMNS, low:high].T
        view.flags.writeable = False
        yield pd.DataFrame(view, columns=pd.Index(BAR_COLUMNS), copy=False)
        with self.lock:
            lapped = self._book.count[key] - oldest > kept or self._book.moves != moves
            if self.epoch != epoch or (lapped and high > low):
                raise Lapped("the writer has overwritten bars of this view; read again, or fewer")

    # -- inside --------------------------------------------------------------------------------------------------

    def _empty(self) -> None:
        self.epoch = secrets.token_hex(5)
        self.seq = 0
        self._count = count = len(self.catalogue)
        self._oldest_seq = 1
        self._begun = False
        self._book = BarBook(count, self._capacities)
        self._ring: Floats = np.zeros((len(TICK_COLUMNS), count, 2 * self._kept_ticks))
        self._tick_count = np.zeros(count, dtype=np.int64)
        self._last_seq = np.zeros(count, dtype=np.int64)
        columns = [np.full(count, np.nan) for _ in range(11)]
        self._price, self._bid, self._ask, self._size, self._ts, self._received = columns[:6]
        self._volume, self._open, self._high, self._low, self._previous_close = columns[6:]

    def _key(self, instrument: int, timeframe: int) -> int:
        return timeframe * self._count + instrument

    def _tick_window(self, instrument: int, count: int | None) -> tuple[int, int]:
        total, capacity = int(self._tick_count[instrument]), self._kept_ticks
        kept = min(total, capacity if count is None else min(count, capacity))
        if not kept:
            return 0, 0
        end = (total - 1) % capacity + capacity + 1
        return end - kept, end

    def _write_ticks(self, batch: TickBatch) -> None:
        who, capacity = batch.instrument, self._kept_ticks
        rows = np.empty((len(TICK_COLUMNS), len(batch)))
        for field, column in enumerate((batch.seqs(), batch.price, batch.size, batch.bid, batch.ask, batch.ts)):
            rows[field] = column
        numbers = np.bincount(who, minlength=self._count)
        if numbers.max() > 1:
            order = np.argsort(who, kind="stable")
            who, rows = who[order], rows[:, order]
            heads = np.cumsum(numbers) - numbers
            rank = np.arange(len(who)) - heads[who]
            behind = numbers[who] - rank
            if numbers.max() > capacity:
                dropped = behind > capacity
                self._oldest_seq = max(self._oldest_seq, int(rows[0, dropped].max()) + 1)
                who, rows, rank = who[~dropped], rows[:, ~dropped], rank[~dropped]
            position = self._tick_count[who] + rank
        else:
            position = self._tick_count[who]
        slot = position % capacity
        over = position >= capacity
        if over.any():
            self._oldest_seq = max(self._oldest_seq, int(self._ring[0, who[over], slot[over]].max()) + 1)
        self._ring[:, who, slot] = rows
        self._ring[:, who, slot + capacity] = rows
        self._tick_count += numbers

    def _write_last(self, batch: TickBatch) -> None:
        """The newest tick by event time of each instrument becomes its last; a late one never does."""
        order = np.lexsort((batch.ts, batch.instrument))
        who = batch.instrument[order]
        last = order[np.append(who[1:] != who[:-1], True)]
        who = batch.instrument[last]
        np.fmax.at(self._received, batch.instrument, batch.received)
        np.maximum.at(self._last_seq, batch.instrument, batch.seqs())
        newer = ~(batch.ts[last] < self._ts[who])
        last, who = last[newer], who[newer]
        self._price[who], self._bid[who], self._ask[who] = batch.price[last], batch.bid[last], batch.ask[last]
        self._size[who], self._ts[who] = batch.size[last], batch.ts[last]

    def _day_statistics(self, who: Ints) -> Ints:
        """Bring the day's statistics of instruments `who` up to date; those whose open or previous close changed."""
        book = self._book
        key = DAY * self._count + who
        who, key = who[book.count[key] > 0], key[book.count[key] > 0]
        slot = book.base[key] + (book.count[key] - 1) % book.capacity[key]
        today = book.block[:, slot]
        earlier = book.base[key] + (book.count[key] - 2) % book.capacity[key]
        previous = np.where(book.count[key] > 1, book.block[CLOSE, earlier], np.nan)
        before = (self._open[who], self._previous_close[who])
        self._open[who], self._high[who], self._low[who] = today[OPEN], today[HIGH], today[LOW]
        self._volume[who], self._previous_close[who] = today[VOLUME], previous
        changed = ~(_same(before[0], today[OPEN]) & _same(before[1], previous))
        return who[changed]

    def _change(self, batch: TickBatch | None, touched: Ints, reference: Ints) -> Change:
        key, rows = self._book.take_touched()
        edges = np.searchsorted(key, np.arange(len(TIMEFRAMES) + 1) * self._count).tolist()
        bars = tuple(
            BarRows(key[low:high] - frame * self._count, rows[low:high])
            for frame, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True))
        )
        last = np.stack(
            [
                column[touched]
                for column in (
                    self._price,
                    self._bid,
                    self._ask,
                    self._size,
                    self._volume,
                    self._high,
                    self._low,
                    self._ts,
                )
            ],
            axis=1,
        )
        received = float(np.nanmax(batch.received)) if batch is not None and len(batch) else float("nan")
        return Change(self.epoch, self.seq, batch, received, touched, last, reference, bars)

    def _tell(self, change: Change) -> Change:
        for listener in self._listeners:
            listener.on_change(change)
        return change

    def _gather(self, instruments: Ints, spans: list[tuple[int, int]]) -> BarRows:
        lengths = [high - low for low, high in spans]
        slots = np.concatenate([np.arange(low, high) for low, high in spans]) if spans else _EMPTY
        return BarRows(np.repeat(instruments, lengths), self._book.block[:COLUMNS, slots].T.copy())


def _same(left: Floats, right: Floats) -> np.typing.NDArray[np.bool_]:
    return (left == right) | (np.isnan(left) & np.isnan(right))
