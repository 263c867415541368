"""The rings that ticks lie in, preallocated and mirrored; `MemoryStore` owns them and guards them with its lock."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.market.ticks import Floats, Ints, Mask, TickBatch
from dashboard.store.tables import TICK_COLUMNS

#: Sequence numbers looked at in one step at most when ticks of some instruments are wanted: 0.1 ms.
SCANNED = 16_384
SEQ, PRICE, SIZE, BID, ASK, TS = range(len(TICK_COLUMNS))
#: A tick's row as one item: numpy moves these twice as fast as rows of six numbers.
_ROW = np.dtype((np.void, len(TICK_COLUMNS) * 8))


class TickRings:
    """float64 `block` [field, instrument, 2 * capacity], the fields being `TICK_COLUMNS`.

    A tick's fields lie beside each other in memory, so that writing one touches one place and not six. Each is written
    at its slot and at slot + capacity, so that the newest of an instrument are one contiguous slice. A row that is
    written is not changed until it is overwritten. Pages that no tick has reached take no memory.
    """

    def __init__(self, instruments: int, capacity: int) -> None:
        self.capacity = capacity
        rows = np.zeros((instruments, 2 * capacity, len(TICK_COLUMNS)))
        self.block: Floats = rows.transpose(2, 0, 1)
        #: Ticks ever taken, int64[instruments].
        self.count = np.zeros(instruments, dtype=np.int64)
        #: From this sequence number on every instrument's ticks are whole.
        self.oldest_seq = 1
        #: (instrument, slot) int32[2, k] of the tick with each sequence number, at seq modulo k.
        self._where = np.zeros((2, instruments * capacity), dtype=np.int32)
        # All rows after each other, as rows and as items; where each instrument's begin.
        self._flat: Floats = rows.reshape(-1, len(TICK_COLUMNS))
        self._items: Any = self._flat.view(_ROW).ravel()
        self._seqs: Floats = self._flat[:, SEQ]
        self._base = np.arange(instruments, dtype=np.int64) * (2 * capacity)
        # The slot of each instrument's next tick, and how many ticks there may be until one could be overwritten.
        self._next = np.zeros(instruments, dtype=np.int64)
        self._room = capacity
        self._rows = np.empty((instruments, len(TICK_COLUMNS)))

    def append(self, batch: TickBatch, once: bool) -> None:
        """Take numbered ticks. `once`: each instrument has one at most; else there may be several of one, and more
        than the capacity."""
        who = batch.instrument
        size = len(who)
        rows = self._rows if size == len(self._rows) else np.empty((size, len(TICK_COLUMNS)))
        rows[:, SEQ] = batch.seqs()
        rows[:, PRICE], rows[:, SIZE] = batch.price, batch.size
        rows[:, BID], rows[:, ASK] = batch.bid, batch.ask
        rows[:, TS] = batch.ts
        if once:
            # Without repeats as many ticks as instruments are the instruments in their order.
            self._append_once(slice(None) if size == len(self.count) else who, who, rows, batch.first_seq)
        else:
            self._append_several(who, rows, batch.first_seq)

    def window(self, instrument: int, count: int | None = None) -> tuple[int, int]:
        """(from, to) among the slots of the newest `count` ticks (all that are kept by default)."""
        total = int(self.count[instrument])
        kept = min(total, self.capacity if count is None else min(count, self.capacity))
        if kept <= 0:
            return 0, 0
        end = (total - 1) % self.capacity + self.capacity + 1
        return end - kept, end

    def rows(self, instrument: int) -> Floats:
        """float64[6, n]: every kept tick, a view."""
        low, high = self.window(instrument)
        return self.block[:, instrument, low:high]

    def after(self, wanted: Mask, after_seq: int, newest: int, limit: int) -> Floats:
        """float64[n, 7]: the first `limit` ticks after `after_seq` of the instruments in `wanted`, by seq; the last
        column is the instrument. `newest` is the newest sequence number there is."""
        parts: list[tuple[Ints, Ints]] = []
        first, found = max(after_seq + 1, self.oldest_seq), 0
        # Little where nearly every tick is wanted, more and more where few are: the store's lock is held meanwhile.
        scanned = min(2 * limit, SCANNED)
        while first <= newest and found < limit:
            seqs = np.arange(first, min(first + scanned, newest + 1), dtype=np.int64)
            who, slot = self._where[:, seqs % self._where.shape[1]]
            mine = np.flatnonzero(wanted[who])[: limit - found]
            parts.append((who[mine].astype(np.int64), slot[mine].astype(np.int64)))
            found += len(mine)
            first = int(seqs[-1]) + 1
            scanned = min(2 * scanned, SCANNED)
        if not found:
            return np.zeros((0, len(TICK_COLUMNS) + 1))
        who, slot = (np.concatenate(column) for column in zip(*parts, strict=True))
        rows = np.empty((len(who), len(TICK_COLUMNS) + 1))
        rows[:, :-1] = self._flat[self._base[who] + slot]
        rows[:, -1] = who
        return rows

    def _append_once(self, at: slice | Ints, who: Ints, rows: Floats, first_seq: int) -> None:
        slot = self._next[at]
        place = self._base[at] + slot
        if self._room > 0:
            self._room -= 1
        else:
            # Where nothing has been written yet, the sequence number is 0.
            self._gone(self._seqs[place])
        self._number(first_seq, who, slot)
        items = rows.view(_ROW).ravel()
        self._items[place] = items
        place += self.capacity
        self._items[place] = items
        self.count[at] += 1
        slot = slot + 1
        slot[slot == self.capacity] = 0
        self._next[at] = slot

    def _append_several(self, who: Ints, rows: Floats, first_seq: int) -> None:
        numbers = np.bincount(who, minlength=len(self.count))
        order = np.argsort(who, kind="stable")
        who, rows = who[order], rows[order]
        rank = np.arange(len(who)) - (np.cumsum(numbers) - numbers)[who]
        position = self.count[who] + rank
        most = int(numbers.max())
        self._room = max(0, self._room - most)
        slot = position % self.capacity
        where = np.empty((2, len(who)), dtype=np.int64)
        where[:, order] = who, slot
        self._number(first_seq, *where)
        if most > self.capacity:
            kept = numbers[who] - rank <= self.capacity
            self._gone(rows[~kept, SEQ])
            who, rows, position, slot = who[kept], rows[kept], position[kept], slot[kept]
        place = self._base[who] + slot
        over = position >= self.capacity
        if over.any():
            self._gone(self._seqs[place[over]])
        items = rows.view(_ROW).ravel()
        self._items[place] = items
        self._items[place + self.capacity] = items
        self.count += numbers
        self._next[:] = self.count % self.capacity

    def _number(self, first_seq: int, who: Ints, slot: Ints) -> None:
        """Remember where the ticks from `first_seq` on are; of more than there is room for, the last ones."""
        room = self._where.shape[1]
        if len(who) > room:
            first_seq, who, slot = first_seq + len(who) - room, who[-room:], slot[-room:]
        at = first_seq % room
        fits = min(len(who), room - at)
        for row, column in zip(self._where, (who, slot), strict=True):
            row[at : at + fits] = column[:fits]
            row[: len(who) - fits] = column[fits:]

    def _gone(self, seqs: Floats) -> None:
        self.oldest_seq = max(self.oldest_seq, int(seqs.max()) + 1)
