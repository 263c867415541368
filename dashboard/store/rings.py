"""The rings that ticks lie in, preallocated and mirrored; `MemoryStore` owns them and guards them with its lock."""

from __future__ import annotations

import numpy as np

from dashboard.market.ticks import Floats, Ints, Mask, TickBatch
from dashboard.store.tables import TICK_COLUMNS

#: Sequence numbers looked at in one step when ticks of some instruments are wanted: 0.1 ms.
SCANNED = 16_384
SEQ, PRICE, SIZE, BID, ASK, TS = range(len(TICK_COLUMNS))


class TickRings:
    """float64 `block` [field, instrument, 2 * capacity], the fields being `TICK_COLUMNS`.

    Each tick is written at its slot and at slot + capacity, so that the newest of an instrument are one contiguous
    slice. A row that is written is not changed until it is overwritten. Pages that no tick has reached take no memory.
    """

    def __init__(self, instruments: int, capacity: int) -> None:
        self.capacity = capacity
        self.block: Floats = np.zeros((len(TICK_COLUMNS), instruments, 2 * capacity))
        #: Ticks ever taken, int64[instruments].
        self.count = np.zeros(instruments, dtype=np.int64)
        #: From this sequence number on every instrument's ticks are whole.
        self.oldest_seq = 1
        #: (instrument, slot) int32[2, k] of the tick with each sequence number, at seq modulo k.
        self._where = np.zeros((2, instruments * capacity), dtype=np.int32)

    def append(self, batch: TickBatch) -> None:
        """Take numbered ticks; several of one instrument, and more than the capacity, are fine."""
        who = batch.instrument
        rows = np.empty((len(TICK_COLUMNS), len(batch)))
        for field, column in enumerate((batch.seqs(), batch.price, batch.size, batch.bid, batch.ask, batch.ts)):
            rows[field] = column
        numbers = np.bincount(who, minlength=len(self.count))
        position = self.count[who]
        most = int(numbers.max())
        if most > 1:
            order = np.argsort(who, kind="stable")
            who, rows = who[order], rows[:, order]
            rank = np.arange(len(who)) - (np.cumsum(numbers) - numbers)[who]
            position = self.count[who] + rank
            if most > self.capacity:
                kept = numbers[who] - rank <= self.capacity
                self._gone(rows[SEQ, ~kept])
                who, rows, position = who[kept], rows[:, kept], position[kept]
        slot = position % self.capacity
        over = position >= self.capacity
        if over.any():
            self._gone(self.block[SEQ, who[over], slot[over]])
        size = self._where.shape[1]
        if len(batch) > size:
            # Two of its sequence numbers share a place, and `rows` are in the order of instruments: the newer counts.
            last = rows[SEQ] > batch.last_seq - size
            self._where[:, rows[SEQ, last].astype(np.int64) % size] = who[last], slot[last]
        else:
            self._where[:, rows[SEQ].astype(np.int64) % size] = who, slot
        self.block[:, who, slot] = rows
        self.block[:, who, slot + self.capacity] = rows
        self.count += numbers

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
        while first <= newest and found < limit:
            seqs = np.arange(first, min(first + SCANNED, newest + 1), dtype=np.int64)
            who, slot = self._where[:, seqs % self._where.shape[1]]
            mine = np.flatnonzero(wanted[who])[: limit - found]
            parts.append((who[mine].astype(np.int64), slot[mine].astype(np.int64)))
            found += len(mine)
            first = int(seqs[-1]) + 1
        if not found:
            return np.zeros((0, len(TICK_COLUMNS) + 1))
        who, slot = (np.concatenate(column) for column in zip(*parts, strict=True))
        return np.concatenate((self.block[:, who, slot], who[None].astype(np.float64))).T

    def _gone(self, seqs: Floats) -> None:
        self.oldest_seq = max(self.oldest_seq, int(seqs.max()) + 1)
