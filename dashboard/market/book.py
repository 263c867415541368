"""The bars of every instrument and timeframe: `BarBook` folds ticks into them and finds them again.

Plain data without a lock: the store owns one book, calls it under its own lock and hands out copies or guarded views.
The newest bar of every key lies in one dense table, so that a batch is a few operations over contiguous memory; it is
written to its ring when it is followed by another one, or when a reader wants it (`settle`).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dashboard.market.bars import (
    CHANGED,
    CHUNK,
    CLOSE,
    DAY,
    FIELDS,
    FIRST_TS,
    FLAGS,
    HIGH,
    LAST_TS,
    LOW,
    NEVER,
    OPEN,
    START,
    TIMEFRAME_MS,
    TIMEFRAMES,
    TRADES,
    VOLUME,
    Flag,
    Pieces,
    add_flag,
    in_every_timeframe,
    join,
    longer,
    pieces_of_bars,
    pieces_of_ticks,
)
from dashboard.market.corrections import correct, mark_gap, replace
from dashboard.market.gaps import Gaps
from dashboard.market.ticks import Floats, Ints, Mask, SourceBars, ascending
from dashboard.market.touched import Touched

_OPEN_END = int(np.iinfo(np.int64).max)
#: What the ring has of a key's newest bar: nothing yet, an older state of it, its present state.
_ABSENT, _OUTDATED, _PRESENT = 0, 1, 2
_FRAMES = len(TIMEFRAMES)
#: A bar's row as one item: numpy moves these faster than rows of eleven numbers.
_ROW = np.dtype((np.void, FIELDS * 8))


class BarBook:
    """Bars in mirrored rings over one block float64[11, slots], by key = timeframe * instruments + instrument.

    `capacities` holds the number of bars kept in each timeframe. Each bar is written at its slot and at slot +
    capacity, so that the newest ones of a key are one contiguous slice of `block`.
    """

    def __init__(self, instruments: int, capacities: Sequence[int]) -> None:
        assert len(capacities) == _FRAMES
        assert min(capacities) >= 2
        self.instruments = instruments
        keys = instruments * _FRAMES
        self.ms = np.repeat(TIMEFRAME_MS, instruments)
        self.capacity = np.repeat(np.array(capacities, dtype=np.int64), instruments)
        self.base = np.cumsum(2 * self.capacity) - 2 * self.capacity
        rows = np.zeros((int(2 * self.capacity.sum()), FIELDS))
        self.block: Floats = rows.T
        self._items: Any = rows.view(_ROW).ravel()
        #: Bars ever made, the newest included; the start of the newest; the newest bars themselves.
        self.count = np.zeros(keys, dtype=np.int64)
        self.newest = np.full(keys, NEVER, dtype=np.int64)
        self.forming: Floats = np.zeros((FIELDS, keys))
        #: Newest event time of each instrument.
        self.latest = np.full(instruments, NEVER, dtype=np.int64)
        #: Newest sequence number that changed a bar of the key, and one that is not kept any more.
        self.changed = np.full(keys, -1, dtype=np.int64)
        self.lost = np.full(keys, -1, dtype=np.int64)
        #: How often the key's newest bar, and an older one, was written anew in the ring: voids views of it.
        self.renewed = np.zeros(keys, dtype=np.int64)
        self.revised = np.zeros(keys, dtype=np.int64)
        self.gaps = Gaps()
        self._due = np.full(keys, _OPEN_END, dtype=np.int64)
        self._next_due = _OPEN_END
        self._begin = np.full(keys, NEVER, dtype=np.int64)
        self._ring = np.full(keys, _ABSENT, dtype=np.int8)
        # When each newest bar ends; long ago where there is none.
        self._ends = np.full(keys, NEVER, dtype=np.int64)
        # Whether some newest bar may be closed by the clock, and some newest bar be in its ring as it is.
        self._shut = self._settled = False
        # Which newest bars have changed since `take`; whether all have, whether any has of `_moved`.
        self._moved = np.zeros(keys, dtype=np.bool_)
        self._all_moved = self._any_moved = False
        self._older: list[tuple[Ints, Floats]] = []
        self._taken: Callable[[], Touched | None] = lambda: None
        self._all_keys = np.arange(keys, dtype=np.int64).reshape(_FRAMES, instruments)
        # The same memory by timeframe and instrument.
        self._grid: Floats = self.forming.reshape(FIELDS, _FRAMES, instruments)
        self._ends_grid, self._due_grid = self._ends.reshape(_FRAMES, -1), self._due.reshape(_FRAMES, -1)
        self._ring_grid, self._moved_grid = self._ring.reshape(_FRAMES, -1), self._moved.reshape(_FRAMES, -1)
        self._changed_grid = self.changed.reshape(_FRAMES, -1)

    # -- writing -------------------------------------------------------------------------------------------------

    def begin(self, at_ms: int) -> None:
        """The data begins at `at_ms`: bars that start before it, where no history says more, are partial."""
        self._begin[self._begin == NEVER] = at_ms

    def load(self, timeframe: int, instrument: Ints, start: Ints, bars: Floats) -> None:
        """Put history under the live stream: `bars` float64[i, t, 6] of `instrument` at `start` int64[t], ascending.

        Only for keys that have no bars yet. All but the last are closed; the last goes on with the first tick.
        """
        if not len(start) or not len(instrument):
            return
        keys = timeframe * self.instruments + instrument
        assert not self.count[keys].any(), "history comes before the first tick"
        self._begin[keys] = start[0]
        keep = int(min(len(start), self.capacity[keys[0]]))
        start, bars = start[-keep:], bars[:, -keep:]
        rows = np.empty((FIELDS, len(keys), keep))
        rows[START] = start
        rows[OPEN : TRADES + 1] = np.moveaxis(bars, 2, 0)
        rows[FLAGS] = int(Flag.CLOSED)
        rows[CHANGED] = 0
        rows[FIRST_TS], rows[LAST_TS] = start, start + TIMEFRAMES[timeframe].ms - 1
        rows[FLAGS, :, -1], rows[LAST_TS, :, -1] = 0, start[-1]
        for row, key in enumerate(keys):
            for at in (int(self.base[key]), int(self.base[key] + self.capacity[key])):
                self.block[:, at : at + keep] = rows[:, row]
        self.forming[:, keys] = rows[:, :, -1]
        self.count[keys], self.newest[keys], self.changed[keys] = keep, start[-1], 0
        self.latest[instrument] = np.maximum(self.latest[instrument], start[-1])
        self._ring[keys], self._settled = _PRESENT, True
        self._set_end(keys, start[-1] + self.ms[keys])

    def fold(self, instrument: Ints, ts: Ints, price: Floats, size: Floats, seq: int, once: bool | None = None) -> bool:
        """Fold ticks, in the order of their sequence numbers, into the bars of every timeframe.

        A size of NaN counts as no trade. `seq` is the newest sequence number, kept as the bars' `CHANGED`. `once`:
        each instrument has at most one of them, and they ascend; None where the caller does not know. Gives whether
        nothing but the newest bars of these instruments went on: none began, and no tick was late.
        """
        self._freeze()
        once = ascending(instrument) if once is None else once
        # Without repeats as many ticks as instruments are the instruments in their order.
        at = slice(None) if once and len(instrument) == self.instruments else instrument
        if once and (ts >= self.latest[at]).all():
            return self._step(at, ts, price, size, seq)
        for low in range(0, len(ts), CHUNK):
            part = slice(low, low + CHUNK)
            pieces = pieces_of_ticks(instrument[part], ts[part], price[part], size[part], self.latest)
            last = np.append(pieces.instrument[1:] != pieces.instrument[:-1], True)
            who = pieces.instrument[last]
            self.latest[who] = np.maximum(self.latest[who], pieces.rows[LAST_TS, last].astype(np.int64))
            timeframe, pieces = in_every_timeframe(pieces)
            self._merge(timeframe * self.instruments + pieces.instrument, pieces, seq)
        return False

    def fold_bars(self, instrument: Ints, source: SourceBars, seq: int) -> None:
        """Take bars as a feed reports them into their timeframe, and merge them into the longer ones.

        A bar that is reported again takes the place of the one before, in its timeframe and in the longer ones.
        """
        self._freeze()
        pieces = pieces_of_bars(instrument, source, self.latest)
        np.maximum.at(self.latest, instrument, source.start + TIMEFRAMES[source.timeframe].ms - 1)
        key = source.timeframe * self.instruments + pieces.instrument
        again = self.locate(key, pieces.start) >= 0
        for at in np.flatnonzero(again).tolist():
            replace(self, source.timeframe, pieces.take(np.array([at])), seq)
        pieces = pieces.take(~again)
        if not len(pieces):
            return
        for timeframe in range(source.timeframe, _FRAMES):
            pieces = longer(pieces, TIMEFRAMES[timeframe].ms)
            self._merge(timeframe * self.instruments + pieces.instrument, pieces, seq)

    def close_due(self, market_now_ms: float, grace_ms: int, seq: int) -> bool:
        """Close every bar whose end the market's clock has passed by `grace_ms`; whether there was one."""
        if market_now_ms - grace_ms < self._next_due:
            return False
        keys = np.flatnonzero(self._due <= market_now_ms - grace_ms)
        if len(keys):
            self._freeze()
            self.flag_newest(keys, self._closing(keys), seq)
            self._due[keys] = _OPEN_END
            self._shut = True
        self._next_due = int(self._due.min())
        return len(keys) > 0

    def disconnected(self, at_ms: float, seq: int) -> bool:
        """The feed is gone from `at_ms` on: bars with that moment inside have a gap; whether one was marked."""
        self._freeze()
        return self.gaps.begin(at_ms) and mark_gap(self, at_ms, at_ms, seq)

    def connected(self, at_ms: float, seq: int) -> bool:
        """The feed is back at `at_ms`; whether a bar was marked for the time in between."""
        self._freeze()
        gone = self.gaps.end(at_ms)
        return gone is not None and mark_gap(self, gone, at_ms, seq)

    def take(self) -> Touched:
        """The bars that changed since this was last asked; what is left of them to do is done when they are looked at,
        or before the book changes again."""
        self._freeze()
        keys = None if self._all_moved else np.flatnonzero(self._moved)
        if self._any_moved:
            self._moved[:] = False
        self._all_moved = self._any_moved = False
        taken = Touched(self.forming, self.instruments, keys, self._older)
        self._older = []
        self._taken = weakref.ref(taken)
        return taken

    def leave(self) -> None:
        """The book is not used any more; whoever holds bars that were taken from it keeps them."""
        self._freeze()

    # -- reading -------------------------------------------------------------------------------------------------

    def settle(self, keys: Ints) -> None:
        """Bring the newest bars of `keys` (each once) into their rings, where readers look."""
        unwritten = keys[(self._ring[keys] != _PRESENT) & (self.count[keys] > 0)]
        if not len(unwritten):
            return
        self.renewed[unwritten] += self._ring[unwritten] == _OUTDATED
        self._ring[unwritten], self._settled = _PRESENT, True
        self._write(unwritten, self.count[unwritten] - 1, self.forming[:, unwritten])

    def window(self, key: int, count: int | None = None) -> tuple[int, int]:
        """(from, to) in the block of the newest `count` bars of `key` (all that are kept by default)."""
        self.settle(np.array([key]))
        return self._window(key, count)

    def between(self, key: int, start: float | None, end: float | None) -> tuple[int, int]:
        """(from, to) in the block of the bars of `key` with `start` <= their start < `end`."""
        low, high = self.window(key)
        starts = self.block[START, low:high]
        left = 0 if start is None else int(np.searchsorted(starts, start, "left"))
        right = high - low if end is None else int(np.searchsorted(starts, end, "left"))
        return low + left, low + max(left, right)

    def locate(self, key: Ints, start: Ints) -> Ints:
        """int64[m]: which bar of `key` (0 is the first ever made) begins at `start`; -1 where none that is kept."""
        position = np.where(self.newest[key] == start, self.count[key] - 1, -1)
        unknown = np.flatnonzero((position < 0) & (start < self.newest[key]))
        if not len(unknown):
            return position
        key, start = key[unknown], start[unknown]
        first = np.maximum(self.count[key] - self.capacity[key], 0)
        low, high = first, self.count[key] - 1
        while (open_still := low < high).any():
            middle = (low + high) // 2
            below = open_still & (self.block[START, self.slot(key, middle)] < start)
            low = np.where(below, middle + 1, low)
            high = np.where(open_still & ~below, middle, high)
        found = (low < self.count[key] - 1) & (self.block[START, self.slot(key, low)] == start)
        position[unknown[found]] = low[found]
        return position

    # -- inside --------------------------------------------------------------------------------------------------

    def _step(self, at: slice | Ints, ts: Ints, price: Floats, size: Floats, seq: int) -> bool:
        """Fold at most one tick of an instrument, none of them late: the usual batch, over dense tables."""
        fresh = ts >= self._ends_grid[:, at]
        if fresh.any():
            frame, tick = np.divmod(np.flatnonzero(fresh), len(ts))
            who = tick if isinstance(at, slice) else at[tick]
            self._begin_bars(frame * self.instruments + who, tick, ts, price, seq)
        if self._shut:
            # Bars that the clock had closed.
            keys = self._all_keys[:, at][self._due_grid[:, at] == _OPEN_END]
            self.forming[FLAGS, keys] = add_flag(self.forming[FLAGS, keys], Flag.CORRECTED)
            self._shut = len(keys) > 0 or not isinstance(at, slice)
        traded = size == size
        trades: Mask | float = traded
        if traded.all():
            trades = 1.0
        else:
            size = np.where(traded, size, 0.0)
        grid = self._grid
        if isinstance(at, slice):
            np.maximum(grid[HIGH], price, out=grid[HIGH])
            np.minimum(grid[LOW], price, out=grid[LOW])
            grid[VOLUME] += size
            grid[TRADES] += trades
            if self._settled:
                np.minimum(self._ring, _OUTDATED, out=self._ring)
                self._settled = False
            self._all_moved = True
        else:
            grid[HIGH][:, at] = np.maximum(grid[HIGH][:, at], price)
            grid[LOW][:, at] = np.minimum(grid[LOW][:, at], price)
            grid[VOLUME][:, at] += size
            grid[TRADES][:, at] += trades
            self._ring_grid[:, at] = np.minimum(self._ring_grid[:, at], _OUTDATED)
            self._moved_grid[:, at] = True
            self._any_moved = True
        grid[CLOSE][:, at] = price
        grid[LAST_TS][:, at] = ts
        grid[CHANGED][:, at] = seq
        self._changed_grid[:, at] = seq
        self.latest[at] = ts
        return not fresh[DAY].any()

    def _begin_bars(self, keys: Ints, tick: Ints, ts: Ints, price: Floats, seq: int) -> None:
        """Make a new newest bar of each of `keys` at the tick of that number, still without what the tick adds."""
        self._retire(keys, seq)
        when = ts[tick]
        start = when - when % self.ms[keys]
        rows = np.zeros((FIELDS, len(keys)))
        rows[START], rows[FIRST_TS] = start, when
        rows[OPEN] = rows[HIGH] = rows[LOW] = price[tick]
        rows[FLAGS] = self.origin(keys, start)
        self._form(keys, self.count[keys] + 1, start, rows)

    def _merge(self, key: Ints, pieces: Pieces, seq: int) -> None:
        """Merge parts into the bars of `key`: older ones, the newest, new ones."""
        newest = self.newest[key]
        older = pieces.start < newest
        if older.any():
            for at in np.flatnonzero(older).tolist():
                correct(self, int(key[at]), pieces.take(np.array([at])), seq)
        same = pieces.start == newest
        if same.any():
            self._continue(key[same], pieces.take(same), seq)
        new = ~(older | same)
        if new.any():
            self._append(key[new], pieces.take(new), seq)

    def _continue(self, key: Ints, pieces: Pieces, seq: int) -> None:
        """Merge parts into the newest bars of their keys (each key once)."""
        rows = self.forming[:, key]
        join(rows, pieces.rows, seq)
        wrong = (self._due[key] == _OPEN_END) | pieces.after(self.ms[key])
        if wrong.any():
            rows[FLAGS, wrong] = add_flag(rows[FLAGS, wrong], Flag.CORRECTED)
        self.forming[:, key] = rows
        self.touch(key, seq)

    def _append(self, key: Ints, pieces: Pieces, seq: int) -> None:
        """Add new bars at the end of their keys, any number a key; the one before each is closed."""
        last = np.ones(len(key), dtype=np.bool_)
        np.not_equal(key[1:], key[:-1], out=last[:-1])
        tails = np.flatnonzero(last)
        heads = np.append(0, tails[:-1] + 1)
        lengths = tails - heads + 1
        leading = key[tails]
        self._retire(leading, seq)
        made = self.count[leading]
        total = made + lengths
        rows = pieces.rows
        flags = self.origin(key, pieces.start)
        flags[~last] |= int(Flag.CLOSED)
        flags[pieces.after(self.ms[key])] |= int(Flag.CORRECTED)
        rows[FLAGS], rows[CHANGED] = flags, seq
        if len(leading) < len(key):
            position = np.arange(len(key)) + np.repeat(made - heads, lengths)
            done = ~last
            fits = done & (position >= np.repeat(total, lengths) - self.capacity[key])
            self.lost[key[done & ~fits]] = seq
            old = key[fits], rows[:, fits]
            self._write(old[0], position[fits], old[1])
            self._older.append(old)
        self._form(leading, total, pieces.start[tails], rows[:, tails])
        self.touch(leading, seq)

    def _form(self, key: Ints, count: Ints, start: Ints, rows: Floats) -> None:
        """Make `rows` the newest bars of `key` (each once), which then have `count` bars."""
        self.forming[:, key] = rows
        self.count[key] = count
        self.newest[key] = start
        self._ring[key] = _ABSENT
        self._set_end(key, start + self.ms[key])

    def _retire(self, keys: Ints, seq: int) -> None:
        """Close the newest bars of `keys` (each once), which others follow at once, and write them to their rings."""
        known = self.count[keys] > 0
        if not known.all():
            keys = keys[known]
        if not len(keys):
            return
        rows = self.forming[:, keys]
        written = self._ring[keys] != _ABSENT
        closing = self._due[keys] != _OPEN_END
        if closing.all():
            self._close(keys, rows, seq)
            self.renewed[keys] += written
            told, lines = keys, rows
        else:
            shut = rows[:, closing]
            self._close(keys[closing], shut, seq)
            rows[:, closing] = shut
            news = closing | self._moved[keys] | self._all_moved
            told, lines = keys[news], rows[:, news]
            unwritten = closing | (self._ring[keys] != _PRESENT)
            self.renewed[keys] += unwritten & written
            keys, rows = keys[unwritten], rows[:, unwritten]
        self._older.append((told, lines))
        self._write(keys, self.count[keys] - 1, rows)

    def _close(self, keys: Ints, rows: Floats, seq: int) -> None:
        """Set in `rows`, the newest bars of `keys`, that they are closed by `seq`."""
        rows[FLAGS] = rows[FLAGS].astype(np.int64) | self._closing(keys)
        rows[CHANGED] = seq
        self.changed[keys] = seq

    def _closing(self, keys: Ints) -> Ints | int:
        """The flags with which the newest bars of `keys` close: while the feed is gone they have that gap too."""
        return int(Flag.CLOSED) | self._gap(keys, self.newest[keys])

    def flag_newest(self, keys: Ints, flags: Ints | int, seq: int) -> None:
        """Add `flags` to the newest bars of `keys`."""
        self.forming[FLAGS, keys] = self.forming[FLAGS, keys].astype(np.int64) | flags
        self.forming[CHANGED, keys] = seq
        self.touch(keys, seq)

    def touch(self, keys: Ints, seq: int) -> None:
        """The newest bars of `keys` have changed."""
        self._moved[keys] = self._any_moved = True
        self.changed[keys] = seq
        self._ring[keys] = np.minimum(self._ring[keys], _OUTDATED)

    def rewrite(self, key: Ints, position: Ints, rows: Floats, seq: int, changed: Floats | None = None) -> None:
        """Write older bars anew; `changed` are the rows that listeners hear of, all by default."""
        slot = self.slot(key, position)
        self.block[:, slot] = rows
        self.block[:, slot + self.capacity[key]] = rows
        self.revised[key] += 1
        self.changed[key] = seq
        self._older.append((key, rows) if changed is None else (key[:1], changed))

    def _write(self, key: Ints, position: Ints, rows: Floats) -> None:
        """Write bars to their rings, and remember what is overwritten."""
        slot = self.slot(key, position)
        # A newest bar that was settled before lies there itself: its older state is nothing lost.
        over = (position >= self.capacity[key]) & (self.block[START, slot] != rows[START])
        if over.any():
            np.maximum.at(self.lost, key[over], self.block[CHANGED, slot[over]].astype(np.int64))
        items = np.ascontiguousarray(rows.T).view(_ROW).ravel()
        self._items[slot] = items
        self._items[slot + self.capacity[key]] = items

    def _freeze(self) -> None:
        """The newest bars are about to change: whoever holds them as taken before gets a copy."""
        taken = self._taken()
        if taken is not None:
            taken.freeze()
            self._taken = lambda: None

    def _window(self, key: int, count: int | None) -> tuple[int, int]:
        total, capacity = int(self.count[key]), int(self.capacity[key])
        kept = min(total, capacity if count is None else min(count, capacity))
        if kept <= 0:
            return 0, 0
        end = int(self.base[key]) + (total - 1) % capacity + capacity + 1
        return end - kept, end

    def slot(self, key: Ints, position: Ints) -> Ints:
        return self.base[key] + position % self.capacity[key]

    def _set_end(self, keys: Ints, end: Ints) -> None:
        self._ends[keys] = self._due[keys] = end
        self._next_due = min(self._next_due, int(end.min()))

    def origin(self, key: Ints, start: Ints) -> Ints:
        """Flags that a bar of `key` at `start` has from its beginning: partial, gap."""
        flags = np.where(start < self._begin[key], int(Flag.PARTIAL), 0)
        return flags | self._gap(key, start)

    def _gap(self, key: Ints, start: Ints) -> Ints | int:
        if self.gaps.none:
            return 0
        return np.where(self.gaps.overlap(start, self.ms[key]), int(Flag.GAP), 0)
