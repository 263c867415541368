"""Bars: their timeframes, flags, and the book that keeps them for every instrument and timeframe.

`BarBook` is plain data and arithmetic: the store owns one, calls it under its lock and gives copies or views of its
rows to readers. All timeframes lie in one flat block, so that a batch is folded into all of them by the same few
numpy operations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dashboard.market.ticks import Floats, Ints, Mask, SourceBars


@dataclass(frozen=True, slots=True)
class Timeframe:
    """A length of bars: its name in the contract and its milliseconds."""

    name: str
    ms: int


TIMEFRAMES: tuple[Timeframe, ...] = (
    Timeframe("1s", 1_000),
    Timeframe("5s", 5_000),
    Timeframe("15s", 15_000),
    Timeframe("1m", 60_000),
    Timeframe("5m", 300_000),
    Timeframe("15m", 900_000),
    Timeframe("1h", 3_600_000),
    Timeframe("1d", 86_400_000),
)
TIMEFRAME_INDEX: Mapping[str, int] = MappingProxyType({frame.name: i for i, frame in enumerate(TIMEFRAMES)})
DAY = TIMEFRAME_INDEX["1d"]
TIMEFRAME_MS: Ints = np.array([frame.ms for frame in TIMEFRAMES], dtype=np.int64)
#: The longest run of ticks folded at once: bounds the memory that a huge batch takes.
CHUNK = 65_536


class Flag(IntFlag):
    """How a bar was made; the values add up."""

    CLOSED = 1
    PARTIAL = 2
    GAP = 4
    FILLED = 8
    CORRECTED = 16


#: Rows of the block. The first eight are the contract's columns; the others are the book's own.
START, OPEN, HIGH, LOW, CLOSE, VOLUME, TRADES, FLAGS, CHANGED, FIRST_TS, LAST_TS = range(11)
FIELDS = 11
COLUMNS = 8
_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of bars, each from ticks of one bar: columns of length g, ordered by key, then by start.

    `key` is timeframe * instruments + instrument; `first` and `last` are the event times (ms) that the open and the
    close come from; `late` marks parts with a tick that came after its bar's end had been passed.
    """

    key: Ints
    start: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    trades: Floats
    first: Ints
    last: Ints
    late: Mask

    def take(self, where: Mask | Ints) -> Pieces:
        return Pieces(*(getattr(self, name)[where] for name in Pieces.__slots__))


class BarBook:
    """The bars of every instrument and timeframe, in mirrored rings over one block float64[11, slots].

    `capacities` holds the number of bars kept in each timeframe. Keys are timeframe * instruments + instrument. The
    newest bars of a key are one contiguous slice of the block.
    """

    def __init__(self, instruments: int, capacities: Sequence[int]) -> None:
        assert len(capacities) == len(TIMEFRAMES) and min(capacities) >= 2
        self.instruments = instruments
        keys = instruments * len(TIMEFRAMES)
        self.ms = np.repeat(TIMEFRAME_MS, instruments)
        self.capacity = np.repeat(np.array(capacities, dtype=np.int64), instruments)
        self.base = np.concatenate(([0], np.cumsum(2 * self.capacity)[:-1])) if keys else np.zeros(0, dtype=np.int64)
        self.block: Floats = np.zeros((FIELDS, int(2 * self.capacity.sum())))
        self.count = np.zeros(keys, dtype=np.int64)
        self.newest = np.full(keys, _NEVER, dtype=np.int64)
        self._due = np.full(keys, np.iinfo(np.int64).max, dtype=np.int64)
        self._next_due = int(np.iinfo(np.int64).max)
        self._begin = np.full(keys, _NEVER, dtype=np.int64)
        self._gaps: list[tuple[float, float]] = []
        #: How often bars were moved within a ring to put one in between; views of before are void.
        self.moves = 0
        self._touched_keys: list[Ints] = []
        self._touched_starts: list[Ints] = []

    # -- writing -------------------------------------------------------------------------------------------------

    def begin(self, at_ms: int) -> None:
        """The data begins at `at_ms`: bars that start before it, where no history says more, are partial."""
        self._begin[self._begin == _NEVER] = at_ms

    def load(self, timeframe: int, instrument: Ints, start: Ints, bars: Floats) -> None:
        """Put history under the live stream: `bars` float64[i, t, 6] of `instrument` at `start` int64[t], ascending.

        Only for keys that have no bars yet. All but the last are closed; the last goes on with the first tick.
        """
        if not len(start):
            return
        keys = timeframe * self.instruments + instrument
        assert not self.count[keys].any(), "history comes before the first tick"
        keep = int(min(len(start), self.capacity[keys[0]]))
        self._begin[keys] = start[0]
        self.newest[keys] = start[-1]
        start, bars = start[-keep:], bars[:, -keep:]
        rows = np.empty((FIELDS, len(keys), keep))
        rows[START] = start
        rows[OPEN : TRADES + 1] = np.moveaxis(bars, 2, 0)
        rows[FLAGS] = int(Flag.CLOSED)
        rows[FLAGS, :, -1] = 0
        rows[CHANGED] = 0
        rows[FIRST_TS], rows[LAST_TS] = start, start
        for row, key in enumerate(keys):
            base = self.base[key]
            self.block[:, base : base + keep] = rows[:, row]
            mirror = base + self.capacity[key]
            self.block[:, mirror : mirror + keep] = rows[:, row]
        self.count[keys] = keep
        self._due[keys] = start[-1] + self.ms[keys]
        self._next_due = min(self._next_due, int(self._due[keys].min()))

    def disconnected(self, at_ms: float) -> None:
        """The feed is gone from `at_ms` on: the bars that are forming then have a gap."""
        if not self._gaps or self._gaps[-1][1] != np.inf:
            self._gaps.append((at_ms, np.inf))
            del self._gaps[:-100]
        keys = np.flatnonzero((self.newest != _NEVER) & (self.newest + self.ms > at_ms))
        self._mark(keys, Flag.GAP)

    def connected(self, at_ms: float) -> None:
        """The feed is back at `at_ms`."""
        if self._gaps and self._gaps[-1][1] == np.inf:
            self._gaps[-1] = (self._gaps[-1][0], at_ms)

    def fold(self, instrument: Ints, ts: Ints, price: Floats, size: Floats, seq: int) -> None:
        """Fold ticks, in the order of their sequence numbers, into the bars of every timeframe.

        `size` NaN counts as no trade. `seq` is the newest sequence number, kept as the bars' `CHANGED`.
        """
        for at in range(0, len(ts), CHUNK):
            part = slice(at, at + CHUNK)
            self._merge(self._pieces(instrument[part], ts[part], price[part], size[part]), seq)

    def fold_bars(self, instrument: Ints, source: SourceBars, seq: int) -> None:
        """Take bars as a feed reports them into their timeframe, and merge them into the longer ones."""
        frames = np.arange(source.timeframe, len(TIMEFRAMES))
        order = np.lexsort((source.start, instrument))
        bars, who = source.take(order), instrument[order]
        key = (frames[:, None] * self.instruments + who).ravel()
        grid = (bars.start - bars.start % TIMEFRAME_MS[frames][:, None]).ravel()

        def wide(column: Floats | Ints) -> NDArray[np.float64]:
            return np.tile(column.astype(np.float64), len(frames))

        last = bars.start + TIMEFRAMES[source.timeframe].ms - 1
        self._merge(
            _grouped(
                key,
                grid,
                wide(bars.open),
                wide(bars.high),
                wide(bars.low),
                wide(bars.close),
                wide(bars.volume),
                wide(bars.trades),
                wide(bars.start).astype(np.int64),
                wide(last).astype(np.int64),
                np.zeros(len(key), dtype=np.bool_),
            ),
            seq,
        )

    def close_due(self, market_now_ms: float, grace_ms: int, seq: int) -> bool:
        """Close every bar whose end the market's clock has passed by `grace_ms`; whether there was one."""
        if market_now_ms - grace_ms < self._next_due:
            return False
        keys = np.flatnonzero(self._due <= market_now_ms - grace_ms)
        if len(keys):
            self._mark(keys, Flag.CLOSED)
            self._set(CHANGED, keys, self.count[keys] - 1, seq)
            self._due[keys] = np.iinfo(np.int64).max
            self._touch(keys, self.newest[keys])
        self._next_due = int(self._due.min())
        return len(keys) > 0

    def take_touched(self) -> tuple[Ints, Floats]:
        """Keys int64[m] and rows float64[m, 8] of the bars that changed since this was last asked, each once.

        Ordered by key, then by start.
        """
        if not self._touched_keys:
            return np.zeros(0, dtype=np.int64), np.zeros((0, COLUMNS))
        key, start = np.concatenate(self._touched_keys), np.concatenate(self._touched_starts)
        self._touched_keys, self._touched_starts = [], []
        order = np.lexsort((start, key))
        key, start = key[order], start[order]
        fresh = np.ones(len(key), dtype=np.bool_)
        fresh[1:] = (key[1:] != key[:-1]) | (start[1:] != start[:-1])
        key, start = key[fresh], start[fresh]
        position = self.count[key] - 1
        for at in np.flatnonzero(self.newest[key] != start):
            found = self._find(int(key[at]), int(start[at]))
            position[at] = -1 if found is None else found
        kept = position >= np.maximum(self.count[key] - self.capacity[key], 0)
        key, position = key[kept], position[kept]
        slot = self.base[key] + position % self.capacity[key]
        return key, self.block[:COLUMNS, slot].T

    # -- reading -------------------------------------------------------------------------------------------------

    def window(self, key: int, count: int | None = None) -> tuple[int, int]:
        """(from, to) in the block of the newest `count` bars of `key` (all that are kept by default)."""
        total, capacity = int(self.count[key]), int(self.capacity[key])
        kept = min(total, capacity if count is None else min(count, capacity))
        if not kept:
            return 0, 0
        end = int(self.base[key]) + (total - 1) % capacity + capacity + 1
        return end - kept, end

    def between(self, key: int, start: float | None, end: float | None) -> tuple[int, int]:
        """(from, to) in the block of the bars of `key` with `start` <= their start < `end`."""
        low, high = self.window(key)
        starts = self.block[START, low:high]
        left = 0 if start is None else int(np.searchsorted(starts, start, "left"))
        right = high - low if end is None else int(np.searchsorted(starts, end, "left"))
        return low + left, low + max(left, right)

    # -- inside --------------------------------------------------------------------------------------------------

    def _pieces(self, instrument: Ints, ts: Ints, price: Floats, size: Floats) -> Pieces:
        frames = len(TIMEFRAMES)
        traded = ~np.isnan(size)
        volume = np.where(traded, size, 0.0)
        late = np.zeros((frames, len(ts)), dtype=np.bool_)
        passed = _passed(instrument, ts, self.newest[: self.instruments])
        behind = passed > ts
        if behind.any():
            ends = ts - ts % TIMEFRAME_MS[:, None] + TIMEFRAME_MS[:, None]
            late = behind & (passed >= ends)
        order = np.lexsort((ts, instrument))
        instrument, ts, price = instrument[order], ts[order], price[order]
        key = (np.arange(frames)[:, None] * self.instruments + instrument).ravel()
        start = (ts - ts % TIMEFRAME_MS[:, None]).ravel()
        wide_price, wide_ts = np.tile(price, frames), np.tile(ts, frames)
        return _grouped(
            key,
            start,
            wide_price,
            wide_price,
            wide_price,
            wide_price,
            np.tile(volume[order], frames),
            np.tile(traded[order].astype(np.float64), frames),
            wide_ts,
            wide_ts,
            late[:, order].ravel(),
        )

    def _merge(self, pieces: Pieces, seq: int) -> None:
        newest = self.newest[pieces.key]
        old = pieces.start < newest
        if old.any():
            for at in np.flatnonzero(old):
                self._correct(pieces, int(at), seq)
            pieces = pieces.take(~old)
            newest = self.newest[pieces.key]
        same = pieces.start == newest
        if same.any():
            self._continue(pieces.take(same), seq)
            pieces = pieces.take(~same)
        if len(pieces.key):
            self._append(pieces, seq)

    def _continue(self, pieces: Pieces, seq: int) -> None:
        """Merge parts into the newest bars of their keys (each key once)."""
        key = pieces.key
        slot = self.base[key] + (self.count[key] - 1) % self.capacity[key]
        rows = self.block[:, slot]
        _join(rows, pieces, seq)
        closed = (rows[FLAGS].astype(np.int64) & Flag.CLOSED) != 0
        wrong = closed | pieces.late
        if wrong.any():
            rows[FLAGS, wrong] = rows[FLAGS, wrong].astype(np.int64) | np.where(closed[wrong], int(Flag.CORRECTED), 0)
        self.block[:, slot] = rows
        self.block[:, slot + self.capacity[key]] = rows
        self._touch(key, pieces.start)

    def _append(self, pieces: Pieces, seq: int) -> None:
        """Add new bars at the end of their keys, any number a key; the one before each is closed."""
        key = pieces.key
        first = np.ones(len(key), dtype=np.bool_)
        first[1:] = key[1:] != key[:-1]
        last = np.ones(len(key), dtype=np.bool_)
        last[:-1] = first[1:]
        heads = np.flatnonzero(first)
        rank = np.arange(len(key)) - np.repeat(heads, np.diff(np.append(heads, len(key))))
        leading = key[first]
        before = leading[self.count[leading] > 0]
        if len(before):
            slot = self.base[before] + (self.count[before] - 1) % self.capacity[before]
            flags = self.block[FLAGS, slot].astype(np.int64)
            open_still = (flags & Flag.CLOSED) == 0
            if open_still.any():
                closing = before[open_still]
                self._mark(closing, Flag.CLOSED)
                self._set(CHANGED, closing, self.count[closing] - 1, seq)
                self._touch(closing, self.newest[closing])
        flags = np.where(last, 0, int(Flag.CLOSED)) | np.where(pieces.late & ~last, int(Flag.CORRECTED), 0)
        flags |= self._origin(key, pieces.start)
        rows = np.empty((FIELDS, len(key)))
        for field, column in (
            (START, pieces.start),
            (OPEN, pieces.open),
            (HIGH, pieces.high),
            (LOW, pieces.low),
            (CLOSE, pieces.close),
            (VOLUME, pieces.volume),
            (TRADES, pieces.trades),
            (FLAGS, flags),
            (FIRST_TS, pieces.first),
            (LAST_TS, pieces.last),
        ):
            rows[field] = column
        rows[CHANGED] = seq
        position = self.count[key] + rank
        ends = np.flatnonzero(last)
        fits = np.repeat(position[ends], np.diff(np.append(heads, len(key)))) - position < self.capacity[key]
        slot = self.base[key] + position % self.capacity[key]
        self.block[:, slot[fits]] = rows[:, fits]
        self.block[:, slot[fits] + self.capacity[key][fits]] = rows[:, fits]
        self.count[key[ends]] = position[ends] + 1
        self.newest[key[ends]] = pieces.start[ends]
        self._due[key[ends]] = pieces.start[ends] + self.ms[key[ends]]
        self._next_due = min(self._next_due, int(self._due[key[ends]].min()))
        self._touch(key, pieces.start)

    def _correct(self, pieces: Pieces, at: int, seq: int) -> None:
        """Merge one late part into an older bar of its key, or put in the bar that its interval did not have."""
        key, start = int(pieces.key[at]), int(pieces.start[at])
        low, high = self.window(key)
        starts = self.block[START, low:high]
        where = int(np.searchsorted(starts, start, "left"))
        one = pieces.take(np.array([at]))
        capacity = int(self.capacity[key])
        kept = high - low
        position = int(self.count[key]) - kept + where
        if where < kept and starts[where] == start:
            slots = np.array([int(self.base[key]) + position % capacity])
            rows = self.block[:, slots]
            _join(rows, one, seq)
            rows[FLAGS] = rows[FLAGS].astype(np.int64) | Flag.CORRECTED
            self.block[:, slots] = rows
            self.block[:, slots + capacity] = rows
        else:
            if where == 0 and self.count[key] >= capacity:
                return  # older than everything that is kept
            flags = int(Flag.CLOSED | Flag.CORRECTED) | int(self._origin(one.key, one.start)[0])
            columns = (one.start, one.open, one.high, one.low, one.close, one.volume, one.trades)
            row = np.array([*(float(c[0]) for c in columns), flags, seq, float(one.first[0]), float(one.last[0])])
            rows = np.concatenate(
                (self.block[:, low : low + where], row[:, None], self.block[:, low + where : high]), 1
            )
            self.count[key] += 1
            self.moves += 1
            rows = rows[:, -capacity:]
            positions = np.arange(int(self.count[key]) - rows.shape[1], int(self.count[key]))
            slots = int(self.base[key]) + positions % capacity
            self.block[:, slots] = rows
            self.block[:, slots + capacity] = rows
        self._touch(one.key, one.start)

    def _origin(self, key: Ints, start: Ints) -> Ints:
        flags = np.where(start < self._begin[key], int(Flag.PARTIAL), 0)
        for gone, back in self._gaps:
            flags |= np.where((start < back) & (start + self.ms[key] > gone), int(Flag.GAP), 0)
        return flags

    def _find(self, key: int, start: int) -> int | None:
        low, high = self.window(key)
        where = int(np.searchsorted(self.block[START, low:high], start, "left"))
        if where == high - low or self.block[START, low + where] != start:
            return None
        return int(self.count[key]) - (high - low) + where

    def _mark(self, keys: Ints, flag: Flag) -> None:
        slot = self.base[keys] + (self.count[keys] - 1) % self.capacity[keys]
        flags = self.block[FLAGS, slot].astype(np.int64) | int(flag)
        self.block[FLAGS, slot] = flags
        self.block[FLAGS, slot + self.capacity[keys]] = flags

    def _set(self, field: int, keys: Ints, position: Ints, value: float) -> None:
        slot = self.base[keys] + position % self.capacity[keys]
        self.block[field, slot] = value
        self.block[field, slot + self.capacity[keys]] = value

    def _touch(self, keys: Ints, starts: Ints) -> None:
        self._touched_keys.append(keys)
        self._touched_starts.append(starts)


def _grouped(
    key: Ints,
    start: Ints,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    trades: Floats,
    first: Ints,
    last: Ints,
    late: Mask,
) -> Pieces:
    """Join neighbours of the same key and start; the columns are ordered by key, then by event time."""
    fresh = np.ones(len(key), dtype=np.bool_)
    fresh[1:] = (key[1:] != key[:-1]) | (start[1:] != start[:-1])
    if fresh.all():
        return Pieces(key, start, open_, high, low, close, volume, trades, first, last, late)
    heads = np.flatnonzero(fresh)
    tails = np.append(heads[1:], len(key)) - 1
    return Pieces(
        key[heads],
        start[heads],
        open_[heads],
        np.maximum.reduceat(high, heads),
        np.minimum.reduceat(low, heads),
        close[tails],
        np.add.reduceat(volume, heads),
        np.add.reduceat(trades, heads),
        first[heads],
        last[tails],
        np.logical_or.reduceat(late, heads),
    )


def _join(rows: Floats, pieces: Pieces, seq: int) -> None:
    """Merge parts into bars, in place: `rows` float64[11, g], one for each part.

    The open is of the earliest event time, the close of the latest; among equal ones the open stays and the close
    is replaced, as in the order of arrival.
    """
    earlier = pieces.first < rows[FIRST_TS]
    rows[OPEN] = np.where(earlier, pieces.open, rows[OPEN])
    rows[FIRST_TS] = np.where(earlier, pieces.first, rows[FIRST_TS])
    later = pieces.last >= rows[LAST_TS]
    rows[CLOSE] = np.where(later, pieces.close, rows[CLOSE])
    rows[LAST_TS] = np.where(later, pieces.last, rows[LAST_TS])
    np.maximum(rows[HIGH], pieces.high, out=rows[HIGH])
    np.minimum(rows[LOW], pieces.low, out=rows[LOW])
    rows[VOLUME] += pieces.volume
    rows[TRADES] += pieces.trades
    rows[CHANGED] = seq


def _passed(instrument: Ints, ts: Ints, newest: Ints) -> Ints:
    """int64[m]: the newest event time (to the second below) of the tick's instrument before the tick came."""
    before = newest[instrument]
    if len(ts) == 1 or (np.bincount(instrument).max() if len(ts) else 0) <= 1:
        return before
    order = np.argsort(instrument, kind="stable")
    who, when = instrument[order], ts[order]
    fresh = np.ones(len(who), dtype=np.bool_)
    fresh[1:] = who[1:] != who[:-1]
    # One running maximum over all instruments: each one's times are lifted above those of the one before.
    lift = (np.cumsum(fresh) - 1) << 46
    highest = np.maximum.accumulate(when + lift) - lift
    prior = np.empty_like(highest)
    prior[1:] = highest[:-1]
    prior[fresh] = _NEVER
    result = np.empty_like(prior)
    result[order] = np.maximum(prior, before[order])
    return result
