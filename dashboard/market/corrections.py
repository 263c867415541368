"""What reaches into bars that others have followed already: late ticks, bars that are reported again, gaps.

Seldom, and one bar at a time; `market.book` calls it, and keeps what every batch needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dashboard.market.bars import (
    CHANGED,
    FLAGS,
    OPEN,
    START,
    TIMEFRAMES,
    Flag,
    Pieces,
    add_flag,
    join,
    whole,
)
from dashboard.market.gaps import overlaps

if TYPE_CHECKING:
    from dashboard.market.book import BarBook


def correct(book: BarBook, key: int, one: Pieces, seq: int) -> None:
    """Merge one late part into an older bar of its key, or put in the bar that its interval did not have."""
    capacity = int(book.capacity[key])
    start = int(one.start[0])
    low, high = book.window(key)
    where = int(np.searchsorted(book.block[START, low:high], start, "left"))
    if book.block[START, low + where] == start:
        position = np.array([book.count[key] - (high - low) + where])
        rows = book.block[:, low + where : low + where + 1].copy()
        join(rows, one.rows, seq)
        rows[FLAGS] = add_flag(rows[FLAGS], Flag.CORRECTED)
        book.rewrite(np.array([key]), position, rows, seq)
        return
    if where == 0 and high - low == capacity:
        book.lost[key] = max(int(book.lost[key]), seq)
        return  # older than everything that is kept
    flags = int(Flag.CLOSED | Flag.CORRECTED) | book.origin(np.array([key]), one.start)
    row = one.rows
    row[FLAGS], row[CHANGED] = flags, seq
    rows = np.concatenate((book.block[:, low : low + where], row, book.block[:, low + where : high]), axis=1)
    if rows.shape[1] > capacity:
        book.lost[key] = max(int(book.lost[key]), int(rows[CHANGED, 0]))
        rows = rows[:, -capacity:]
    book.count[key] += 1
    position = np.arange(book.count[key] - rows.shape[1], book.count[key])
    book.rewrite(np.full(len(position), key), position, rows, seq, changed=row)


def replace(book: BarBook, timeframe: int, one: Pieces, seq: int) -> None:
    """Put a bar that is reported again in the place of the one before, and make the longer ones of it anew.

    A longer one whose shorter ones are not all kept any more stays as it is.
    """
    who, start = int(one.instrument[0]), int(one.start[0])
    source = timeframe * book.instruments + who
    for frame in range(timeframe, len(TIMEFRAMES)):
        keys = np.array([frame * book.instruments + who])
        ms = TIMEFRAMES[frame].ms
        begin = start - start % ms
        position = book.locate(keys, np.array([begin]))
        if position[0] < 0:
            continue
        low, high = book.between(source, begin, begin + ms)
        if frame > timeframe:
            oldest, _end = book.window(source)
            if low == oldest and book.count[source] > book.capacity[source]:
                return
            one = whole(one.instrument, begin, book.block[:, low:high])
        newest = position[0] == book.count[keys[0]] - 1
        before = book.forming[:, keys] if newest else book.block[:, book.slot(keys, position)]
        flags = int(before[FLAGS, 0])
        row = one.rows
        row[FLAGS], row[CHANGED] = flags | Flag.CORRECTED if flags & Flag.CLOSED else flags, seq
        if (row[OPEN:FLAGS] == before[OPEN:FLAGS]).all():
            return
        if newest:
            book.forming[:, keys] = row
            book.touch(keys, seq)
        else:
            book.rewrite(keys, position, row, seq)


def mark_gap(book: BarBook, gone: float, back: float, seq: int) -> bool:
    """Set the flag of a gap on every bar with a moment of `gone` to `back` inside; whether there was one."""
    marked = False
    keys = np.flatnonzero(book.count > 0)
    hit = overlaps(book.newest[keys], book.ms[keys], gone, back)
    hit &= (book.forming[FLAGS, keys].astype(np.int64) & Flag.GAP) == 0
    if hit.any():
        marked = True
        book.flag_newest(keys[hit], np.full(int(hit.sum()), int(Flag.GAP)), seq)
    behind = 1
    while True:
        keys = keys[book.count[keys] - behind > np.maximum(book.count[keys] - book.capacity[keys], 0)]
        behind += 1
        position = book.count[keys] - behind
        slot = book.slot(keys, position)
        start = book.block[START, slot].astype(np.int64)
        near = start + book.ms[keys] > gone
        if not near.any():
            return marked
        keys, position, slot, start = keys[near], position[near], slot[near], start[near]
        hit = overlaps(start, book.ms[keys], gone, back)
        hit &= (book.block[FLAGS, slot].astype(np.int64) & Flag.GAP) == 0
        if hit.any():
            marked = True
            rows = book.block[:, slot[hit]]
            rows[FLAGS] = add_flag(rows[FLAGS], Flag.GAP)
            rows[CHANGED] = seq
            book.rewrite(keys[hit], position[hit], rows, seq)
