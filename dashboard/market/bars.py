"""Bars: their timeframes and flags, and the pure arithmetic that makes parts of bars from ticks and joins them.

Everything here is vectorised over the batch and keeps nothing; `market.book` holds the bars themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType

import numpy as np

from dashboard.market.ticks import Floats, Ints, Mask, SourceBars, ascending


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


class Flag(IntFlag):
    """How a bar was made; the values add up."""

    CLOSED = 1
    PARTIAL = 2
    GAP = 4
    FILLED = 8
    CORRECTED = 16


#: Rows of a block of bars. The first eight are the contract's columns; the others are the book's own: the newest
#: sequence number that changed the bar, and the event times (ms) that its open and its close come from.
START, OPEN, HIGH, LOW, CLOSE, VOLUME, TRADES, FLAGS, CHANGED, FIRST_TS, LAST_TS = range(11)
FIELDS = 11
COLUMNS = 8
#: Before every time and every sequence number.
NEVER = int(np.iinfo(np.int64).min)
#: Up to so many parts, all timeframes are made of them at once; over it, each of the shorter one before it.
FEW = 4_096
#: The longest run of ticks worked on at once: bounds the memory that a huge batch takes, and stays in the cache.
CHUNK = 65_536
#: Up to so many instruments, each one's bars are looked for by themselves where there are many ticks of it.
FEW_INSTRUMENTS = 64


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of bars, each made of what fell into one bar: columns of length g.

    Ordered by timeframe, then instrument, then start, each triple once. `start` int64[g] UTC ms; `rows` float64[11, g]
    as in a block of bars, without flags and `CHANGED`, which are the book's. `passed` int64[g] is the newest event time
    of the instrument that was known before one of the part's late ticks came (`NEVER` without a late one): where it is
    past the bar's end, the bar had closed. It is None where no tick was late.
    """

    instrument: Ints
    start: Ints
    rows: Floats
    passed: Ints | None

    def __len__(self) -> int:
        return len(self.instrument)

    def take(self, where: Mask | Ints) -> Pieces:
        """The parts at `where` (a mask or ascending positions)."""
        passed = None if self.passed is None else self.passed[where]
        return Pieces(self.instrument[where], self.start[where], self.rows[:, where], passed)

    def after(self, ms: Ints | int) -> Mask | bool:
        """Which of them had closed when a late tick came into them; `ms`: how long their bars are."""
        return False if self.passed is None else self.passed >= self.start + ms


def pieces_of_ticks(
    instrument: Ints, ts: Ints, price: Floats, size: Floats, latest: Ints, ms: int = TIMEFRAMES[0].ms
) -> Pieces:
    """Parts of bars of `ms` milliseconds, by default the shortest timeframe's, from ticks in the order of arrival.

    A size of NaN (a quote) adds neither volume nor a trade. `latest` int64[instruments] is each instrument's newest
    event time before the batch. Event times are 0 to 2**46 ms, instruments fewer than 2**17. Within a bar the open is
    of the earliest event time and the close of the latest; among equal times the order of arrival decides. Of one
    instrument without a tick before (`latest` all `NEVER`), they are its whole bars.
    """
    grouped = ascending(instrument, or_equal=True)
    if len(ts) > CHUNK and not grouped:
        pieces = _by_chunks(instrument, ts, price, size, latest, ms)
        if pieces is not None:
            return pieces
    order, ts, edges, in_order, passed = _by_time(instrument, ts, latest, grouped)
    if order is not None:
        price, size = price[order], size[order]
    heads, start = _heads(ts, edges, ms, in_order)
    tails = np.append(heads[1:], len(ts)) - 1
    rows = np.empty((FIELDS, len(heads)))
    rows[START], rows[FIRST_TS], rows[LAST_TS] = start, ts[heads], ts[tails]
    rows[OPEN], rows[CLOSE] = price[heads], price[tails]
    np.maximum.reduceat(price, heads, out=rows[HIGH])
    np.minimum.reduceat(price, heads, out=rows[LOW])
    np.add.reduceat(size, heads, out=rows[VOLUME])
    rows[TRADES] = tails - heads + 1
    if np.isnan(rows[VOLUME]).any():
        traded = ~np.isnan(size)
        np.add.reduceat(np.where(traded, size, 0.0), heads, out=rows[VOLUME])
        np.add.reduceat(traded.astype(np.float64), heads, out=rows[TRADES])
    who = instrument[heads if order is None else order[heads]]
    return Pieces(who, start, rows, None if passed is None else np.maximum.reduceat(passed, heads))


def pieces_of_bars(instrument: Ints, source: SourceBars, latest: Ints) -> Pieces:
    """The bars of a feed as parts of bars of their own timeframe; of several for one interval the last to arrive."""
    ms = TIMEFRAMES[source.timeframe].ms
    order, last, _edges, _in_order, passed = _by_time(
        instrument, source.start + ms - 1, latest, ascending(instrument, or_equal=True)
    )
    if order is not None:
        instrument, source = instrument[order], source.take(order)
    start = source.start - source.start % ms
    rows = np.empty((FIELDS, len(start)))
    rows[START], rows[FIRST_TS], rows[LAST_TS] = start, source.start, last
    rows[OPEN], rows[HIGH], rows[LOW], rows[CLOSE] = source.open, source.high, source.low, source.close
    rows[VOLUME], rows[TRADES] = source.volume, source.trades
    pieces = Pieces(instrument, start, rows, passed)
    final = np.ones(len(pieces), dtype=np.bool_)
    final[:-1] = (instrument[1:] != instrument[:-1]) | (start[1:] != start[:-1])
    return pieces if final.all() else pieces.take(final)


def longer(pieces: Pieces, ms: int) -> Pieces:
    """The same parts joined into those of a longer timeframe, whose length is a multiple of theirs."""
    return _joined(pieces, (pieces.start - pieces.start % ms)[None])[1]


def in_every_timeframe(pieces: Pieces) -> tuple[Ints, Pieces]:
    """(timeframe int64[g], the parts): those of the shortest timeframe, and joined into those of every longer one."""
    if len(pieces) <= FEW:
        return _joined(pieces, pieces.start - pieces.start % TIMEFRAME_MS[:, None])
    parts = [pieces]
    for frame in TIMEFRAMES[1:]:
        parts.append(longer(parts[-1], frame.ms))
    return np.repeat(np.arange(len(parts)), [len(part) for part in parts]), Pieces(
        np.concatenate([part.instrument for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.rows for part in parts], axis=1),
        None if pieces.passed is None else np.concatenate([part.passed for part in parts if part.passed is not None]),
    )


def whole(instrument: Ints, start: int, rows: Floats) -> Pieces:
    """The one bar at `start` that the bars `rows` float64[11, g], at least one, oldest first, make together."""
    made = np.empty((FIELDS, 1))
    made[START], made[OPEN], made[CLOSE] = start, rows[OPEN, 0], rows[CLOSE, -1]
    made[HIGH], made[LOW] = rows[HIGH].max(), rows[LOW].min()
    made[VOLUME], made[TRADES] = rows[VOLUME].sum(), rows[TRADES].sum()
    made[FIRST_TS], made[LAST_TS] = rows[FIRST_TS, 0], rows[LAST_TS, -1]
    return Pieces(instrument, np.array([start]), made, None)


def join(rows: Floats, part: Floats, seq: int) -> None:
    """Merge parts into bars, in place: `rows` and `part` float64[11, g], one for each.

    The open is of the earliest event time, the close of the latest; among equal ones the open stays and the close is
    replaced, as in the order of arrival. So a late tick becomes the open or the close where its time says so.
    """
    earlier = part[FIRST_TS] < rows[FIRST_TS]
    if earlier.any():
        rows[OPEN, earlier] = part[OPEN, earlier]
        rows[FIRST_TS, earlier] = part[FIRST_TS, earlier]
    later = part[LAST_TS] >= rows[LAST_TS]
    np.copyto(rows[CLOSE], part[CLOSE], where=later)
    np.copyto(rows[LAST_TS], part[LAST_TS], where=later)
    np.maximum(rows[HIGH], part[HIGH], out=rows[HIGH])
    np.minimum(rows[LOW], part[LOW], out=rows[LOW])
    rows[VOLUME] += part[VOLUME]
    rows[TRADES] += part[TRADES]
    rows[CHANGED] = seq


def add_flag(flags: Floats, flag: Flag) -> Floats:
    """`flags` (float64, whole numbers) with `flag` set in all."""
    return (flags.astype(np.int64) | int(flag)).astype(np.float64)


def _joined(pieces: Pieces, start: Ints) -> tuple[Ints, Pieces]:
    """Neighbours of the same instrument and start joined, for each row of `start` int64[f, g]; also the row's number
    of each."""
    count = len(pieces)
    frames = len(start)
    fresh = np.ones(start.shape, dtype=np.bool_)
    if count > 1:
        np.not_equal(start[:, 1:], start[:, :-1], out=fresh[:, 1:])
        fresh[:, 1:] |= pieces.instrument[1:] != pieces.instrument[:-1]
    heads = np.flatnonzero(fresh)
    tails = np.append(heads[1:], frames * count) - 1
    if frames > 1:
        number, first = np.divmod(heads, count)
        last = tails - number * count
    else:
        number, first, last = np.zeros(len(heads), dtype=np.int64), heads, tails
    rows = np.empty((FIELDS, len(heads)))
    given = pieces.rows
    rows[START] = starts = start.ravel()[heads]
    rows[OPEN], rows[FIRST_TS] = given[OPEN, first], given[FIRST_TS, first]
    rows[CLOSE], rows[LAST_TS] = given[CLOSE, last], given[LAST_TS, last]
    for field, ufunc in ((HIGH, np.maximum), (LOW, np.minimum), (VOLUME, np.add), (TRADES, np.add)):
        column = given[field] if frames == 1 else np.tile(given[field], frames)
        ufunc.reduceat(column, heads, out=rows[field])
    passed = pieces.passed
    if passed is not None:
        passed = np.maximum.reduceat(passed if frames == 1 else np.tile(passed, frames), heads)
    return number, Pieces(pieces.instrument[first], starts, rows, passed)


def _by_chunks(instrument: Ints, ts: Ints, price: Floats, size: Floats, latest: Ints, ms: int) -> Pieces | None:
    """`pieces_of_ticks` of very many, a chunk that fits into the processor's cache after the other; None where a tick
    is late, so that chunks reach into each other."""
    latest = latest.copy()
    parts = []
    for at in range(0, len(ts), CHUNK):
        chunk = slice(at, at + CHUNK)
        part = pieces_of_ticks(instrument[chunk], ts[chunk], price[chunk], size[chunk], latest, ms)
        if part.passed is not None:
            return None
        latest[part.instrument] = part.rows[LAST_TS].astype(np.int64)
        parts.append(part)
    who = np.concatenate([part.instrument for part in parts])
    start = np.concatenate([part.start for part in parts])
    rows = np.concatenate([part.rows for part in parts], axis=1)
    return longer(Pieces(who, start, rows, None).take(np.argsort(who, kind="stable")), ms)


def _edges(instrument: Ints) -> Ints:
    """Where each instrument begins, of instruments in their order."""
    if len(instrument) and len(instrument) > FEW and instrument[-1] - instrument[0] < FEW_INSTRUMENTS:
        found: Ints = np.searchsorted(instrument, np.arange(instrument[0], instrument[-1] + 1))
        edges: Ints = np.unique(found)
        return edges
    return np.append(0, np.flatnonzero(instrument[1:] != instrument[:-1]) + 1)


def _heads(ts: Ints, edges: Ints, ms: int, in_order: bool) -> tuple[Ints, Ints]:
    """(position of the first tick of each bar, the bar's start), of ticks by instrument and time; the instruments begin
    at the positions `edges`."""
    count = len(ts)
    if in_order and count > FEW and len(edges) <= FEW_INSTRUMENTS:
        ends = np.append(edges[1:], count)
        low, high = ts[edges] // ms, ts[ends - 1] // ms
        if int((high - low).sum()) < count // 8:
            # Far more ticks than bars: look for where the bars begin instead of at every tick.
            found = [
                left + np.searchsorted(ts[left:right], np.arange(first, last + 1) * ms)
                for left, right, first, last in zip(
                    edges.tolist(), ends.tolist(), low.tolist(), high.tolist(), strict=True
                )
            ]
            heads = np.concatenate(found)
            # A bar without a tick begins where the next one does.
            heads = heads[np.append(heads[1:] != heads[:-1], True)]
            return heads, ts[heads] // ms * ms
    start = ts - ts % ms
    fresh = np.ones(count, dtype=np.bool_)
    np.not_equal(start[1:], start[:-1], out=fresh[1:])
    fresh[edges] = True
    heads = np.flatnonzero(fresh)
    return heads, start[heads]


def _by_time(
    instrument: Ints, ts: Ints, latest: Ints, grouped: bool
) -> tuple[Ints | None, Ints, Ints, bool, Ints | None]:
    """(the order by instrument and event time, None where it is so already; the times in it; where each instrument
    begins in it; whether no tick came after a newer one of the batch; `passed` of each tick in that order, None where
    none is late). `grouped` says that the ticks are by instrument already."""
    order: Ints | None = None
    when = ts
    if grouped:
        edges = _edges(instrument)
        present = instrument[edges]
    else:
        # Sorting 16 bits is a radix sort: ten times quicker.
        narrow = instrument.astype(np.uint16) if len(latest) <= 1 << 16 else instrument
        order = np.argsort(narrow, kind="stable")
        when = ts[order]
        numbers = np.bincount(instrument)
        present = np.flatnonzero(numbers)
        edges = np.cumsum(numbers[present]) - numbers[present]
    falls = when[1:] < when[:-1]
    falls[edges[1:] - 1] = False
    in_order = not falls.any()
    if in_order and (when[edges] >= latest[present]).all():
        return order, when, edges, True, None
    who = instrument if order is None else instrument[order]
    # One running maximum over all instruments: the times of each are lifted above those of the one before.
    fresh = np.zeros(len(who), dtype=np.bool_)
    fresh[edges] = True
    lift = (np.cumsum(fresh) - 1) << 46
    highest = np.maximum.accumulate(when + lift) - lift
    prior = np.full(len(who), NEVER, dtype=np.int64)
    prior[1:] = highest[:-1]
    prior[fresh] = NEVER
    prior = np.maximum(prior, latest[who])
    passed = np.where(prior > when, prior, NEVER)
    if not in_order:
        by_time = np.lexsort((when, who))
        order = by_time if order is None else order[by_time]
        when, passed = when[by_time], passed[by_time]
    return order, when, edges, in_order, passed
