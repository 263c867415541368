"""The bars of every instrument and timeframe: `BarBook` folds ticks into them and finds them again.

Plain data without a lock: the store owns one book, calls it under its own lock and hands out copies or guarded views.
The newest bar of every key lies in one dense table, so that a batch is a few operations over contiguous memory; it is
written to its ring when it is followed by another one, or when a reader wants it (`settle`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dashboard.market.bars import (
    CHANGED,
    CLOSE,
    COLUMNS,
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
    join,
    longer,
    pieces_of_bars,
    pieces_of_ticks,
    whole,
)
from dashboard.market.gaps import Gaps, overlaps
from dashboard.market.ticks import Floats, Ints, SourceBars

#: The longest run of ticks folded at once: bounds the memory that a huge batch takes.
CHUNK = 65_536
_OPEN_END = int(np.iinfo(np.int64).max)
#: What the ring has of a key's newest bar: nothing yet, an older state of it, its present state.
_ABSENT, _OUTDATED, _PRESENT = 0, 1, 2
_FRAMES = len(TIMEFRAMES)


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
        self.block: Floats = np.zeros((FIELDS, int(2 * self.capacity.sum())))
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
        self._moved = np.zeros(keys, dtype=np.bool_)
        self._older: list[tuple[Ints, Floats]] = []
        self._all_keys = np.arange(keys, dtype=np.int64).reshape(_FRAMES, instruments)

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
        self._ring[keys] = _PRESENT
        self._set_due(keys, start[-1] + self.ms[keys])

    def fold(self, instrument: Ints, ts: Ints, price: Floats, size: Floats, seq: int) -> None:
        """Fold ticks, in the order of their sequence numbers, into the bars of every timeframe.

        A size of NaN counts as no trade. `seq` is the newest sequence number, kept as the bars' `CHANGED`.
        """
        if (instrument[1:] > instrument[:-1]).all() and (ts >= self.latest[instrument]).all():
            self._step(instrument, ts, price, size, seq)
            return
        for at in range(0, len(ts), CHUNK):
            part = slice(at, at + CHUNK)
            who, when = instrument[part], ts[part]
            pieces = pieces_of_ticks(who, when, price[part], size[part], self.latest)
            np.maximum.at(self.latest, who, when)
            for timeframe in range(_FRAMES):
                pieces = longer(pieces, TIMEFRAMES[timeframe].ms) if timeframe else pieces
                self._merge(timeframe, pieces, seq)

    def fold_bars(self, instrument: Ints, source: SourceBars, seq: int) -> None:
        """Take bars as a feed reports them into their timeframe, and merge them into the longer ones.

        A bar that is reported again takes the place of the one before, in its timeframe and in the longer ones.
        """
        pieces = pieces_of_bars(instrument, source, self.latest)
        np.maximum.at(self.latest, instrument, source.start + TIMEFRAMES[source.timeframe].ms - 1)
        key = source.timeframe * self.instruments + pieces.instrument
        again = self.locate(key, pieces.start) >= 0
        for at in np.flatnonzero(again).tolist():
            self._replace(source.timeframe, pieces.take(np.array([at])), seq)
        pieces = pieces.take(~again)
        for timeframe in range(source.timeframe, _FRAMES):
            pieces = longer(pieces, TIMEFRAMES[timeframe].ms)
            self._merge(timeframe, pieces, seq)

    def close_due(self, market_now_ms: float, grace_ms: int, seq: int) -> bool:
        """Close every bar whose end the market's clock has passed by `grace_ms`; whether there was one."""
        if market_now_ms - grace_ms < self._next_due:
            return False
        keys = np.flatnonzero(self._due <= market_now_ms - grace_ms)
        if len(keys):
            self._flag_newest(keys, self._closing(keys), seq)
            self._due[keys] = _OPEN_END
        self._next_due = int(self._due.min())
        return len(keys) > 0

    def disconnected(self, at_ms: float, seq: int) -> bool:
        """The feed is gone from `at_ms` on: bars with that moment inside have a gap; whether one was marked."""
        return self.gaps.begin(at_ms) and self._mark_gap(at_ms, at_ms, seq)

    def connected(self, at_ms: float, seq: int) -> bool:
        """The feed is back at `at_ms`; whether a bar was marked for the time in between."""
        gone = self.gaps.end(at_ms)
        return gone is not None and self._mark_gap(gone, at_ms, seq)

    def take_touched(self) -> tuple[Ints, Floats]:
        """Keys int64[m] and rows float64[m, 8] of the bars that changed since this was last asked, each once.

        Ordered by key, then by start.
        """
        key = np.flatnonzero(self._moved)
        rows = self.forming[:COLUMNS, key]
        self._moved[key] = False
        if not self._older:
            return key, rows.T
        key = np.concatenate([*(older for older, _rows in self._older), key])
        rows = np.concatenate([*(older[:COLUMNS] for _key, older in self._older), rows], axis=1)
        self._older = []
        order = np.lexsort((rows[START], key))
        key, rows = key[order], rows[:, order]
        final = np.ones(len(key), dtype=np.bool_)
        final[:-1] = (key[1:] != key[:-1]) | (rows[START, 1:] != rows[START, :-1])
        return key[final], rows[:, final].T

    # -- reading -------------------------------------------------------------------------------------------------

    def settle(self, keys: Ints) -> None:
        """Bring the newest bars of `keys` (each once) into their rings, where readers look."""
        unwritten = keys[(self._ring[keys] != _PRESENT) & (self.count[keys] > 0)]
        if not len(unwritten):
            return
        self.renewed[unwritten] += self._ring[unwritten] == _OUTDATED
        self._ring[unwritten] = _PRESENT
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
            below = open_still & (self.block[START, self._slot(key, middle)] < start)
            low = np.where(below, middle + 1, low)
            high = np.where(open_still & ~below, middle, high)
        found = (low < self.count[key] - 1) & (self.block[START, self._slot(key, low)] == start)
        position[unknown[found]] = low[found]
        return position

    # -- inside --------------------------------------------------------------------------------------------------

    def _step(self, who: Ints, ts: Ints, price: Floats, size: Floats, seq: int) -> None:
        """Fold at most one tick of an instrument, none of them late: the usual batch, over dense tables."""
        at = slice(None) if len(who) == self.instruments else who
        start = ts - ts % TIMEFRAME_MS[:, None]
        keys = self._all_keys[:, at]
        fresh = self.newest.reshape(_FRAMES, -1)[:, at] != start
        if fresh.any():
            new, tick = keys[fresh], np.nonzero(fresh)[1]
            self._retire(new[self.count[new] > 0], seq)
            rows = np.zeros((FIELDS, len(new)))
            rows[START], rows[FIRST_TS] = start[fresh], ts[tick]
            rows[OPEN] = rows[HIGH] = rows[LOW] = price[tick]
            rows[FLAGS] = self._origin(new, start[fresh])
            self._form(new, self.count[new] + 1, rows)
        forming = self.forming.reshape(FIELDS, _FRAMES, -1)
        closed = self._due.reshape(_FRAMES, -1)[:, at] == _OPEN_END
        if closed.any():
            shut = keys[closed]
            self.forming[FLAGS, shut] = add_flag(self.forming[FLAGS, shut], Flag.CORRECTED)
        forming[HIGH][:, at] = np.maximum(forming[HIGH][:, at], price)
        forming[LOW][:, at] = np.minimum(forming[LOW][:, at], price)
        traded = ~np.isnan(size)
        forming[VOLUME][:, at] += np.where(traded, size, 0.0)
        forming[TRADES][:, at] += traded
        forming[CLOSE][:, at] = price
        forming[LAST_TS][:, at] = ts
        forming[CHANGED][:, at] = seq
        self.latest[at] = ts
        ring = self._ring.reshape(_FRAMES, -1)
        ring[:, at] = np.minimum(ring[:, at], _OUTDATED)
        self.changed.reshape(_FRAMES, -1)[:, at] = seq
        self._moved.reshape(_FRAMES, -1)[:, at] = True

    def _merge(self, timeframe: int, pieces: Pieces, seq: int) -> None:
        """Merge parts into the bars of a timeframe: older ones, the newest, new ones."""
        key = timeframe * self.instruments + pieces.instrument
        newest = self.newest[key]
        older = pieces.start < newest
        for at in np.flatnonzero(older).tolist():
            self._correct(int(key[at]), pieces.take(np.array([at])), seq)
        same = pieces.start == newest
        if same.any():
            self._continue(key[same], pieces.take(same), seq)
        new = ~(older | same)
        if new.any():
            self._append(key[new], pieces.take(new), seq)

    def _continue(self, key: Ints, pieces: Pieces, seq: int) -> None:
        """Merge parts into the newest bars of their keys (each key once)."""
        rows = self.forming[:, key]
        join(rows, pieces, seq)
        wrong = (self._due[key] == _OPEN_END) | (pieces.passed >= pieces.start + self.ms[key])
        rows[FLAGS, wrong] = add_flag(rows[FLAGS, wrong], Flag.CORRECTED)
        self.forming[:, key] = rows
        self._touch(key, seq)

    def _append(self, key: Ints, pieces: Pieces, seq: int) -> None:
        """Add new bars at the end of their keys, any number a key; the one before each is closed."""
        last = np.ones(len(key), dtype=np.bool_)
        last[:-1] = key[1:] != key[:-1]
        heads = np.append(0, np.flatnonzero(last)[:-1] + 1)
        lengths = np.diff(np.append(heads, len(key)))
        leading = key[heads]
        self._retire(leading[self.count[leading] > 0], seq)
        position = self.count[key] + np.arange(len(key)) - np.repeat(heads, lengths)
        total = self.count[leading] + lengths
        flags = self._origin(key, pieces.start) | np.where(last, 0, int(Flag.CLOSED))
        flags |= np.where(pieces.passed >= pieces.start + self.ms[key], int(Flag.CORRECTED), 0)
        rows = pieces.rows(flags, seq)
        done = ~last
        fits = done & (position >= np.repeat(total, lengths) - self.capacity[key])
        self.lost[key[done & ~fits]] = seq
        if fits.any():
            self._write(key[fits], position[fits], rows[:, fits])
            self._older.append((key[fits], rows[:, fits]))
        self._form(leading, total, rows[:, last])
        self._touch(leading, seq)

    def _form(self, key: Ints, count: Ints, rows: Floats) -> None:
        """Make `rows` the newest bars of `key` (each once), which then have `count` bars."""
        self.forming[:, key] = rows
        self.count[key] = count
        self.newest[key] = rows[START].astype(np.int64)
        self._ring[key] = _ABSENT
        self._set_due(key, self.newest[key] + self.ms[key])

    def _retire(self, keys: Ints, seq: int) -> None:
        """Close the newest bars of `keys`, which others follow, and write them to their rings."""
        if not len(keys):
            return
        closing = self._due[keys] != _OPEN_END
        if closing.any():
            shut = keys[closing]
            self._flag_newest(shut, self._closing(shut), seq)
        news = keys[self._moved[keys]]
        if len(news):
            self._older.append((news, self.forming[:, news]))
            self._moved[news] = False
        self.settle(keys)

    def _closing(self, keys: Ints) -> Ints:
        """The flags with which the newest bars of `keys` close: while the feed is gone they have that gap too."""
        return int(Flag.CLOSED) | self._gap(keys, self.newest[keys])

    def _correct(self, key: int, one: Pieces, seq: int) -> None:
        """Merge one late part into an older bar of its key, or put in the bar that its interval did not have."""
        capacity = int(self.capacity[key])
        start = int(one.start[0])
        low, high = self.window(key)
        where = int(np.searchsorted(self.block[START, low:high], start, "left"))
        if self.block[START, low + where] == start:
            position = np.array([self.count[key] - (high - low) + where])
            rows = self.block[:, low + where : low + where + 1].copy()
            join(rows, one, seq)
            rows[FLAGS] = add_flag(rows[FLAGS], Flag.CORRECTED)
            self._rewrite(np.array([key]), position, rows, seq)
            return
        if where == 0 and high - low == capacity:
            self.lost[key] = max(int(self.lost[key]), seq)
            return  # older than everything that is kept
        flags = int(Flag.CLOSED | Flag.CORRECTED) | self._origin(np.array([key]), one.start)
        row = one.rows(flags, seq)
        rows = np.concatenate((self.block[:, low : low + where], row, self.block[:, low + where : high]), axis=1)
        if rows.shape[1] > capacity:
            self.lost[key] = max(int(self.lost[key]), int(rows[CHANGED, 0]))
            rows = rows[:, -capacity:]
        self.count[key] += 1
        position = np.arange(self.count[key] - rows.shape[1], self.count[key])
        self._rewrite(np.full(len(position), key), position, rows, seq, changed=row)

    def _replace(self, timeframe: int, one: Pieces, seq: int) -> None:
        """Put a bar that is reported again in the place of the one before, and make the longer ones of it anew.

        A longer one whose shorter ones are not all kept any more stays as it is.
        """
        who, start = int(one.instrument[0]), int(one.start[0])
        source = timeframe * self.instruments + who
        for frame in range(timeframe, _FRAMES):
            keys = np.array([frame * self.instruments + who])
            ms = TIMEFRAMES[frame].ms
            begin = start - start % ms
            position = self.locate(keys, np.array([begin]))
            if position[0] < 0:
                continue
            low, high = self.between(source, begin, begin + ms)
            if frame > timeframe:
                oldest, _end = self.window(source)
                if low == oldest and self.count[source] > self.capacity[source]:
                    return
                one = whole(one.instrument, begin, self.block[:, low:high])
            newest = position[0] == self.count[keys[0]] - 1
            before = self.forming[:, keys] if newest else self.block[:, self._slot(keys, position)]
            flags = int(before[FLAGS, 0])
            row = one.rows(np.array([flags | Flag.CORRECTED if flags & Flag.CLOSED else flags]), seq)
            if (row[OPEN:FLAGS] == before[OPEN:FLAGS]).all():
                return
            if newest:
                self.forming[:, keys] = row
                self._touch(keys, seq)
            else:
                self._rewrite(keys, position, row, seq)

    def _mark_gap(self, gone: float, back: float, seq: int) -> bool:
        """Set the flag of a gap on every bar with a moment of `gone` to `back` inside; whether there was one."""
        marked = False
        keys = np.flatnonzero(self.count > 0)
        hit = overlaps(self.newest[keys], self.ms[keys], gone, back)
        hit &= (self.forming[FLAGS, keys].astype(np.int64) & Flag.GAP) == 0
        if hit.any():
            marked = True
            self._flag_newest(keys[hit], np.full(int(hit.sum()), int(Flag.GAP)), seq)
        behind = 1
        while True:
            keys = keys[self.count[keys] - behind > np.maximum(self.count[keys] - self.capacity[keys], 0)]
            behind += 1
            position = self.count[keys] - behind
            slot = self._slot(keys, position)
            start = self.block[START, slot].astype(np.int64)
            near = start + self.ms[keys] > gone
            if not near.any():
                return marked
            keys, position, slot, start = keys[near], position[near], slot[near], start[near]
            hit = overlaps(start, self.ms[keys], gone, back)
            hit &= (self.block[FLAGS, slot].astype(np.int64) & Flag.GAP) == 0
            if hit.any():
                marked = True
                rows = self.block[:, slot[hit]]
                rows[FLAGS] = add_flag(rows[FLAGS], Flag.GAP)
                rows[CHANGED] = seq
                self._rewrite(keys[hit], position[hit], rows, seq)

    def _flag_newest(self, keys: Ints, flags: Ints, seq: int) -> None:
        """Add `flags` to the newest bars of `keys`."""
        self.forming[FLAGS, keys] = self.forming[FLAGS, keys].astype(np.int64) | flags
        self.forming[CHANGED, keys] = seq
        self._touch(keys, seq)

    def _touch(self, keys: Ints, seq: int) -> None:
        """The newest bars of `keys` have changed."""
        self._moved[keys] = True
        self.changed[keys] = seq
        self._ring[keys] = np.minimum(self._ring[keys], _OUTDATED)

    def _rewrite(self, key: Ints, position: Ints, rows: Floats, seq: int, changed: Floats | None = None) -> None:
        """Write older bars anew; `changed` are the rows that listeners hear of, all by default."""
        slot = self._slot(key, position)
        self.block[:, slot] = rows
        self.block[:, slot + self.capacity[key]] = rows
        self.revised[key] += 1
        self.changed[key] = seq
        self._older.append((key, rows) if changed is None else (key[:1], changed))

    def _write(self, key: Ints, position: Ints, rows: Floats) -> None:
        """Write bars to their rings, and remember what is overwritten."""
        slot = self._slot(key, position)
        # Its own older state in its place is no bar that is lost.
        over = (position >= self.capacity[key]) & (self.block[START, slot] != rows[START])
        if over.any():
            np.maximum.at(self.lost, key[over], self.block[CHANGED, slot[over]].astype(np.int64))
        self.block[:, slot] = rows
        self.block[:, slot + self.capacity[key]] = rows

    def _window(self, key: int, count: int | None) -> tuple[int, int]:
        total, capacity = int(self.count[key]), int(self.capacity[key])
        kept = min(total, capacity if count is None else min(count, capacity))
        if kept <= 0:
            return 0, 0
        end = int(self.base[key]) + (total - 1) % capacity + capacity + 1
        return end - kept, end

    def _slot(self, key: Ints, position: Ints) -> Ints:
        return self.base[key] + position % self.capacity[key]

    def _set_due(self, keys: Ints, due: Ints) -> None:
        self._due[keys] = due
        self._next_due = min(self._next_due, int(due.min()))

    def _origin(self, key: Ints, start: Ints) -> Ints:
        """Flags that a bar of `key` at `start` has from its beginning: partial, gap."""
        flags = np.where(start < self._begin[key], int(Flag.PARTIAL), 0)
        return flags | self._gap(key, start)

    def _gap(self, key: Ints, start: Ints) -> Ints:
        return np.where(self.gaps.overlap(start, self.ms[key]), int(Flag.GAP), 0)
