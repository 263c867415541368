"""The in-memory store: ticks and bars of every instrument, written by one writer, read by anybody.

Ticks, last values and bars of a batch become visible together, under one sequence number, inside one lock; whoever
wants news is told inside it too. What readers get is a copy, or a guarded view (`store.views`).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable

import numpy as np

from dashboard.clock import Clock
from dashboard.market.bars import CHANGED, CLOSE, COLUMNS, DAY, FIELDS, HIGH, LOW, OPEN, TIMEFRAMES, VOLUME
from dashboard.market.book import BarBook
from dashboard.market.instruments import Catalogue
from dashboard.market.panel import Panel, joined, panel_of
from dashboard.market.ticks import Floats, Ints, Mask, TickBatch, ascending
from dashboard.store.change import BAR_COLUMNS, LAST_COLUMNS, BarRows, Change, ChangedBars, Listener
from dashboard.store.rings import SEQ, TS, TickRings
from dashboard.store.tables import LAST_FIELDS, TICK_COLUMNS, Bars, History, LastTable, Ticks
from dashboard.store.views import View
from dashboard.telemetry import get_logger

__all__ = ["TICK_COLUMNS", "Bars", "LastTable", "MemoryStore", "Ticks"]

#: Bars kept in each timeframe when the memory suffices: 2 h, 6 h, 18 h, 10 d, 30 d, 70 d, half a year, 5 years.
BARS_WANTED: tuple[int, ...] = (7_200, 4_320, 4_320, 14_400, 8_640, 6_720, 4_380, 1_830)
BARS_LEAST = 64
#: Instruments of a panel that are read while the lock is held once: 1 to 2 ms of 60 bars each.
PANEL_STEP = 500
#: Ticks kept of an instrument when the memory suffices, and in any case.
TICKS_WANTED, TICKS_LEAST = 200_000, 256
_BAR_BYTES = FIELDS * 8 * 2
_TICK_BYTES = len(TICK_COLUMNS) * 8 * 2 + 8
_NONE: Ints = np.zeros(0, dtype=np.int64)
_AT = {name: row for row, name in enumerate(LAST_FIELDS)}
_PRICE, _BID, _ASK, _SIZE, _VOLUME, _HIGH, _LOW, _TS, _RECEIVED, _OPEN, _PREVIOUS = range(len(LAST_FIELDS))


def _rows_of(*names: str) -> Ints:
    return np.array([[_AT[name]] for name in names], dtype=np.int64)


#: Rows of the last table that a tick sets itself, and those of the day.
_OF_TICK = _rows_of("price", "bid", "ask", "size", "ts")
_OF_DAY = _rows_of("volume", "open", "high", "low", "previous_close")
_REFERENCE = _rows_of("open", "previous_close")
#: Its first rows are those that listeners are told.
_TOLD = len(LAST_COLUMNS)
assert LAST_FIELDS[:_TOLD] == LAST_COLUMNS


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
        self.log = get_logger("store")
        self._listeners: list[Listener] = []
        self._count = len(catalogue)
        half = budget_mb * 1_000_000 / 2 / max(1, self._count)
        share = min(1.0, half / (sum(BARS_WANTED) * _BAR_BYTES))
        self._kept_bars = [max(BARS_LEAST, int(wanted * share)) for wanted in BARS_WANTED]
        self._kept_ticks = int(min(TICKS_WANTED, max(TICKS_LEAST, half / _TICK_BYTES)))
        self.epoch = ""
        self.seq = 0
        self._begun = False
        self._empty()

    @property
    def retention(self) -> str:
        """One sentence for the log: what the memory suffices for."""
        bars = ", ".join(f"{kept} of {frame.name}" for kept, frame in zip(self._kept_bars, TIMEFRAMES, strict=True))
        shrunk = self._kept_bars != list(BARS_WANTED) or self._kept_ticks < TICKS_WANTED
        reason = " (shrunk to the memory allowed)" if shrunk else ""
        return f"{self._kept_ticks} ticks and bars {bars} an instrument{reason}"

    @property
    def oldest_seq(self) -> int:
        """From this sequence number on every instrument's ticks are whole."""
        return self._ticks.oldest_seq

    def add_listener(self, listener: Listener) -> None:
        """Tell `listener` of every change from now on."""
        with self.lock:
            self._listeners.append(listener)

    # -- writing -------------------------------------------------------------------------------------------------

    def load_history(self, blocks: Iterable[History]) -> None:
        """Put bars from before the live stream under it, a block a timeframe; before an epoch's first tick only."""
        for block in blocks:
            with self.lock:
                self._book.load(block.timeframe, block.instrument, block.start, block.bars)
        with self.lock:
            every = np.arange(self._count, dtype=np.int64)
            self._day_statistics(every)
            for timeframe in reversed(range(len(TIMEFRAMES))):
                key = self._keys(every, timeframe)
                known = self._book.count[key] > 0
                self._last[_AT["price"], known] = self._book.forming[CLOSE, key[known]]

    def append(self, batch: TickBatch) -> Change:
        """Number accepted ticks and make them, their bars and last values visible together; the one writer's call.

        Where that fails a new epoch has begun when the exception comes out.
        """
        with self.lock:
            if not len(batch):
                return self._change(None, _NONE, _NONE)
            try:
                return self._tell(self._write(batch.numbered(self.seq + 1)))
            except BaseException:
                # What is half written can't be taken back, and its numbers must not be given to others.
                self.reset()
                raise

    def close_due(self, market_now_ms: float) -> Change | None:
        """Close the bars whose end, and the grace after it, the market's clock has passed; None where none was."""
        with self.lock:
            return self._tell_bars(self._book.close_due(market_now_ms, self.grace_ms, self.seq))

    def disconnected(self, at_ms: float) -> Change | None:
        """The feed is gone since `at_ms`, market time: bars with a moment of that inside are marked."""
        with self.lock:
            return self._tell_bars(self._book.disconnected(at_ms, self.seq))

    def connected(self, at_ms: float) -> Change | None:
        """The feed is back since `at_ms`, market time."""
        with self.lock:
            return self._tell_bars(self._book.connected(at_ms, self.seq))

    def reset(self) -> None:
        """Begin a new epoch: everything is empty again."""
        with self.lock:
            try:
                self._book.leave()
            except Exception:
                self.log.exception("the bars of the epoch that ends can't be kept for their readers")
            self._empty()
            for listener in self._listeners:
                try:
                    listener.on_epoch(self.epoch)
                except Exception:
                    self.log.exception("a listener failed on a new epoch", listener=type(listener).__name__)

    # -- reading -------------------------------------------------------------------------------------------------

    def last(self) -> LastTable:
        """The last values of every instrument, as they are together now."""
        with self.lock:
            columns = dict(zip(LAST_FIELDS, self._last.copy(), strict=True))
            return LastTable(self.epoch, self.seq, last_seq=self._last_seq.copy(), **columns)

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
            rows = self._ticks.rows(instrument)
            if after_seq is not None:
                rows = rows[:, np.searchsorted(rows[SEQ], min(after_seq, self.seq), "right") :]
            if start is not None or end is not None:
                inside = np.ones(rows.shape[1], dtype=np.bool_)
                if start is not None:
                    inside &= rows[TS] >= start
                if end is not None:
                    inside &= rows[TS] < end
                rows = rows[:, inside]
            more = limit is not None and rows.shape[1] > limit
            if limit is not None and more:
                rows = rows[:, -limit:] if after_seq is None else rows[:, :limit]
            return Ticks(self.epoch, self.seq, self.oldest_seq, rows.T.copy(), more)

    def tick_span(self, instrument: int, start: float | None, end: float | None) -> tuple[float, float, int] | None:
        """(earliest, latest event time, how many) of the kept ticks with `start` <= ts < `end`; None without one."""
        with self.lock:
            ts = self._ticks.rows(instrument)[TS]
            if start is not None or end is not None:
                ts = ts[(ts >= (-np.inf if start is None else start)) & (ts < (np.inf if end is None else end))]
            return (float(ts.min()), float(ts.max()), len(ts)) if len(ts) else None

    def missed(self, instruments: Ints, after_seq: int, limit: int) -> Floats:
        """float64[n, 7]: the first `limit` ticks after `after_seq` of all `instruments`, by seq; the last column is
        the instrument."""
        wanted = np.zeros(self._count, dtype=np.bool_)
        wanted[instruments] = True
        with self.lock:
            return self._ticks.after(wanted, after_seq, self.seq, limit)

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

    def gaps(self, start: float, end: float) -> int:
        """How often the feed was gone at a moment of `start` <= time < `end`, in this epoch."""
        with self.lock:
            return self._book.gaps.count(start, end)

    def breaks(self) -> Floats:
        """float64[n, 2]: from when to when (market time, infinite for still) the feed was gone in this epoch."""
        with self.lock:
            return self._book.gaps.spans()

    def tick_count(self, instrument: int) -> int:
        """How many ticks of an instrument were accepted in this epoch, those that are not kept any more included."""
        with self.lock:
            return int(self._ticks.count[instrument])

    def recent_bars(self, instruments: Ints, timeframe: int, count: int) -> BarRows:
        """The newest `count` bars of each of `instruments`."""
        with self.lock:
            keys = self._keys(instruments, timeframe)
            self._book.settle(keys)
            return self._gather(instruments, [self._book.window(key, count) for key in keys.tolist()])

    def bars_since(self, instruments: Ints, timeframe: int, seq: int, limit: int | None = None) -> tuple[BarRows, int]:
        """Every bar of `instruments` that changed at or after `seq`, and how many of them were looked at: after the
        one with which there are `limit` bars, no more."""
        found: list[Ints] = []
        who: list[int] = []
        total = looked = 0
        with self.lock:
            book = self._book
            keys = self._keys(instruments, timeframe)
            changed = book.changed[keys] >= seq
            book.settle(keys[changed])
            for instrument, news in zip(instruments.tolist(), changed.tolist(), strict=True):
                if limit is not None and total >= limit:
                    break
                looked += 1
                if news:
                    low, high = book.window(self._key(instrument, timeframe))
                    found.append(low + np.flatnonzero(book.block[CHANGED, low:high] >= seq))
                    who.append(instrument)
                    total += len(found[-1])
            slots = np.concatenate(found) if found else _NONE
            rows = book.block[:COLUMNS, slots].T
        lengths = [len(part) for part in found]
        return BarRows(np.repeat(np.array(who, dtype=np.int64), lengths), rows), looked

    def bars_whole(self, instruments: Iterable[int], timeframe: int, seq: int) -> bool:
        """Whether every bar of `instruments` that changed at or after `seq` is still kept."""
        with self.lock:
            keys = self._keys(np.fromiter(instruments, dtype=np.int64), timeframe)
            self._book.settle(keys)
            return bool((self._book.lost[keys] < seq).all())

    def sparkline(self, instrument: int, timeframe: int, count: int) -> Floats:
        """float64[m], m <= `count`: closes of the newest bars, oldest first."""
        with self.lock:
            low, high = self._book.window(self._key(instrument, timeframe), count)
            return self._book.block[CLOSE, low:high].copy()

    @property
    def kept_bars(self) -> tuple[int, ...]:
        """How many bars of each timeframe are kept of an instrument."""
        return tuple(self._kept_bars)

    def panel(self, instruments: Ints, timeframe: int, count: int) -> Panel:
        """The newest `count` bars of each of `instruments` side by side, of one epoch.

        Each instrument's bars are of one moment; between many instruments the writer gets its turn.
        """
        while True:
            epoch, parts = self.epoch, []
            for low in range(0, max(1, len(instruments)), PANEL_STEP):
                with self.lock:
                    if self.epoch != epoch:
                        break
                    parts.append(panel_of(self._book, instruments[low : low + PANEL_STEP], timeframe, count))
            else:
                return joined(parts)

    def tick_view(self, instrument: int, count: int) -> View:
        """The newest `count` ticks as a read-only DataFrame over the ring itself, columns `TICK_COLUMNS`."""

        def look() -> tuple[Floats, Callable[[], bool]]:
            rings = self._ticks
            low, high = rings.window(instrument, count)
            oldest = int(rings.count[instrument]) - (high - low)

            def void() -> bool:
                lapped = int(rings.count[instrument]) - oldest > rings.capacity
                return rings is not self._ticks or (lapped and high > low)

            return rings.block[:, instrument, low:high], void

        return View(self.lock, TICK_COLUMNS, look)

    def bar_view(
        self,
        instrument: int,
        timeframe: int,
        count: int | None = None,
        *,
        start: float | None = None,
        end: float | None = None,
    ) -> View:
        """The newest `count` bars of a time range as a read-only DataFrame over the block, columns `BAR_COLUMNS`.

        With the forming bar in it, the view is void too when that bar's newer state was written meanwhile.
        """
        key = self._key(instrument, timeframe)

        def look() -> tuple[Floats, Callable[[], bool]]:
            book = self._book
            low, high = book.between(key, start, end)
            low = low if count is None else max(low, high - count)
            _first, newest = book.window(key)
            oldest = int(book.count[key]) - (newest - low)
            revised, renewed = int(book.revised[key]), int(book.renewed[key]) if high == newest else None

            def void() -> bool:
                lapped = int(book.count[key]) - oldest > int(book.capacity[key])
                rewritten = book.revised[key] != revised or (renewed is not None and book.renewed[key] != renewed)
                return book is not self._book or (high > low and bool(lapped or rewritten))

            return book.block[:COLUMNS, low:high], void

        return View(self.lock, BAR_COLUMNS, look)

    # -- inside --------------------------------------------------------------------------------------------------

    def _empty(self) -> None:
        self.epoch = secrets.token_hex(5)
        self.seq = 0
        self._begun = False
        self._book: BarBook = BarBook(self._count, self._kept_bars)
        self._ticks: TickRings = TickRings(self._count, self._kept_ticks)
        self._last: Floats = np.full((len(LAST_FIELDS), self._count), np.nan)
        self._last_seq = np.zeros(self._count, dtype=np.int64)

    def _key(self, instrument: int, timeframe: int) -> int:
        return timeframe * self._count + instrument

    def _keys(self, instruments: Ints, timeframe: int) -> Ints:
        return timeframe * self._count + instruments

    def _write(self, batch: TickBatch) -> Change:
        """Put a numbered batch into rings, bars and last values."""
        if not self._begun:
            self._begun = True
            self._book.begin(int(batch.ts[0] if batch.bars is None else batch.bars.start[0]))
        seq, who = batch.last_seq, batch.instrument
        once = ascending(who)
        self._ticks.append(batch, once)
        same_day = False
        if batch.bars is None:
            same_day = self._book.fold(who, batch.ts, batch.price, batch.size, seq, once)
        else:
            self._book.fold_bars(who, batch.bars, seq)
        if same_day:
            # At most one tick an instrument, none of them late: all are their instruments' newest.
            touched = self._write_newest(batch)
            reference = _NONE
        else:
            touched = self._write_last(batch, once)
            reference = self._day_statistics(touched)
        self.seq = seq
        return self._change(batch, touched, reference)

    def _write_newest(self, batch: TickBatch) -> Ints:
        """Last values and the day's from a batch whose ticks only went on with their day; who reported."""
        last, forming, who = self._last, self._book.forming, batch.instrument
        every = len(who) == self._count
        at: slice | Ints = slice(None) if every else who
        day: slice | Ints = slice(DAY * self._count, None) if every else self._keys(who, DAY)
        last[_PRICE, at], last[_BID, at], last[_ASK, at], last[_SIZE, at] = (
            batch.price,
            batch.bid,
            batch.ask,
            batch.size,
        )
        last[_TS, at] = batch.ts
        last[_RECEIVED, at] = np.fmax(last[_RECEIVED, at], batch.received)
        last[_VOLUME, at], last[_HIGH, at], last[_LOW, at] = forming[VOLUME, day], forming[HIGH, day], forming[LOW, day]
        self._last_seq[at] = batch.seqs()
        return who

    def _write_last(self, batch: TickBatch, once: bool) -> Ints:
        """The newest tick by event time of each instrument becomes its last, a late one never does; who reported."""
        who = batch.instrument
        received = self._last[_RECEIVED]
        self._last_seq[who] = batch.seqs()
        rows = np.stack((batch.price, batch.bid, batch.ask, batch.size, batch.ts.astype(np.float64)))
        if once:
            touched = who
            received[who] = np.fmax(received[who], batch.received)
        else:
            np.fmax.at(received, who, batch.received)
            order = np.lexsort((batch.ts, who))
            ordered = who[order]
            last = order[np.append(ordered[1:] != ordered[:-1], True)]
            touched, rows = who[last], rows[:, last]
        newer = ~(rows[-1] < self._last[_TS, touched])
        if newer.all():
            self._last[_OF_TICK, touched] = rows
        else:
            self._last[_OF_TICK, touched[newer]] = rows[:, newer]
        return touched

    def _day_statistics(self, who: Ints) -> Ints:
        """Bring the day's statistics of instruments `who` up to date; those whose open or previous close changed."""
        book = self._book
        key = self._keys(who, DAY)
        known = book.count[key] > 0
        if not known.all():
            who, key = who[known], key[known]
        earlier = book.base[key] + (book.count[key] - 2) % book.capacity[key]
        today = book.forming[[VOLUME, OPEN, HIGH, LOW, CLOSE]][:, key]
        today[-1] = np.where(book.count[key] > 1, book.block[CLOSE, earlier], np.nan)
        before = self._last[_REFERENCE, who]
        self._last[_OF_DAY, who] = today
        return who[~_same(before, today[[1, -1]]).all(axis=0)]

    def _change(self, batch: TickBatch | None, touched: Ints, reference: Ints) -> Change:
        bars = ChangedBars(self.lock, self._book.take())
        received = float(np.fmax.reduce(batch.received)) if batch is not None else float("nan")
        told = self._last[:_TOLD]
        last = (told.copy() if len(touched) == self._count else told[:, touched]).T
        return Change(self.epoch, self.seq, batch, received, touched, last, reference, bars)

    def _tell_bars(self, changed: bool) -> Change | None:
        return self._tell(self._change(None, _NONE, _NONE)) if changed else None

    def _tell(self, change: Change) -> Change:
        for listener in self._listeners:
            try:
                listener.on_change(change)
            except Exception:
                # One reader's fault must neither stop the feed nor keep the others from the news.
                self.log.exception("a listener failed", listener=type(listener).__name__, seq=change.seq)
        return change

    def _gather(self, instruments: Ints, spans: list[tuple[int, int]]) -> BarRows:
        lengths = [high - low for low, high in spans]
        slots = np.concatenate([np.arange(low, high) for low, high in spans]) if spans else _NONE
        return BarRows(np.repeat(instruments, lengths), self._book.block[:COLUMNS, slots].T.copy())


def _same(left: Floats, right: Floats) -> Mask:
    return np.asarray((left == right) | (np.isnan(left) & np.isnan(right)), dtype=np.bool_)
