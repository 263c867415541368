"""Bars: their timeframes and flags, and the pure arithmetic that makes parts of bars from ticks and joins them.

Everything here is vectorised over the batch and keeps nothing; `market.book` holds the bars themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType

import numpy as np

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


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of bars of one timeframe, each made of what fell into one bar: columns of length g.

    Ordered by instrument, then by start, each pair once. `first` and `last` are the event times (ms) that the open
    and the close come from. `passed` is the newest event time of the instrument that was known before one of the
    part's late ticks came (`NEVER` without a late one): where it is past the bar's end, the bar had closed.
    """

    instrument: Ints
    start: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    trades: Floats
    first: Ints
    last: Ints
    passed: Ints

    def __len__(self) -> int:
        return len(self.instrument)

    def take(self, where: Mask | Ints) -> Pieces:
        """The parts at `where` (a mask or ascending positions)."""
        return Pieces(*(getattr(self, name)[where] for name in Pieces.__slots__))

    def rows(self, flags: Ints, seq: int) -> Floats:
        """float64[11, g]: the parts as whole new bars with `flags`, changed by `seq`."""
        rows = np.empty((FIELDS, len(self)))
        for field, column in (
            (START, self.start),
            (OPEN, self.open),
            (HIGH, self.high),
            (LOW, self.low),
            (CLOSE, self.close),
            (VOLUME, self.volume),
            (TRADES, self.trades),
            (FLAGS, flags),
            (FIRST_TS, self.first),
            (LAST_TS, self.last),
        ):
            rows[field] = column
        rows[CHANGED] = seq
        return rows


def pieces_of_ticks(instrument: Ints, ts: Ints, price: Floats, size: Floats, latest: Ints) -> Pieces:
    """Parts of bars of the shortest timeframe from ticks in the order of arrival.

    A size of NaN (a quote) adds neither volume nor a trade. `latest` int64[instruments] is each instrument's newest
    event time before the batch. Event times are 0 to 2**46 ms, instruments fewer than 2**17. Within a bar the open is
    of the earliest event time and the close of the latest; among equal times the order of arrival decides.
    """
    order, passed = _by_time(instrument, ts, latest)
    if order is not None:
        instrument, ts, price, size = instrument[order], ts[order], price[order], size[order]
    traded = ~np.isnan(size)
    volume, trades = np.where(traded, size, 0.0), traded.astype(np.float64)
    start = ts - ts % TIMEFRAMES[0].ms
    return _joined(Pieces(instrument, start, price, price, price, price, volume, trades, ts, ts, passed))


def pieces_of_bars(instrument: Ints, source: SourceBars, latest: Ints) -> Pieces:
    """The bars of a feed as parts of bars of their own timeframe; of several for one interval the last to arrive."""
    ms = TIMEFRAMES[source.timeframe].ms
    last = source.start + ms - 1
    order, passed = _by_time(instrument, last, latest)
    if order is not None:
        instrument, source, last = instrument[order], source.take(order), last[order]
    start = source.start - source.start % ms
    pieces = Pieces(
        instrument,
        start,
        source.open,
        source.high,
        source.low,
        source.close,
        source.volume,
        source.trades,
        source.start,
        last,
        passed,
    )
    final = np.ones(len(pieces), dtype=np.bool_)
    final[:-1] = (instrument[1:] != instrument[:-1]) | (start[1:] != start[:-1])
    return pieces if final.all() else pieces.take(final)


def longer(pieces: Pieces, ms: int) -> Pieces:
    """The same parts joined into those of a longer timeframe, whose length is a multiple of theirs."""
    start = pieces.start - pieces.start % ms
    return _joined(Pieces(pieces.instrument, start, *(getattr(pieces, name) for name in Pieces.__slots__[2:])))


def whole(instrument: Ints, start: int, rows: Floats) -> Pieces:
    """The one bar at `start` that the bars `rows` float64[11, g], at least one, oldest first, make together."""

    def one(value: np.float64) -> Floats:
        return np.array([value])

    return Pieces(
        instrument,
        np.array([start]),
        one(rows[OPEN, 0]),
        one(rows[HIGH].max()),
        one(rows[LOW].min()),
        one(rows[CLOSE, -1]),
        one(rows[VOLUME].sum()),
        one(rows[TRADES].sum()),
        rows[FIRST_TS, :1].astype(np.int64),
        rows[LAST_TS, -1:].astype(np.int64),
        np.array([NEVER]),
    )


def join(rows: Floats, pieces: Pieces, seq: int) -> None:
    """Merge parts into bars, in place: `rows` float64[11, g], one for each part.

    The open is of the earliest event time, the close of the latest; among equal ones the open stays and the close is
    replaced, as in the order of arrival. So a late tick becomes the open or the close where its time says so.
    """
    earlier = pieces.first < rows[FIRST_TS]
    if earlier.any():
        rows[OPEN, earlier] = pieces.open[earlier]
        rows[FIRST_TS, earlier] = pieces.first[earlier]
    later = pieces.last >= rows[LAST_TS]
    rows[CLOSE, later] = pieces.close[later]
    rows[LAST_TS, later] = pieces.last[later]
    np.maximum(rows[HIGH], pieces.high, out=rows[HIGH])
    np.minimum(rows[LOW], pieces.low, out=rows[LOW])
    rows[VOLUME] += pieces.volume
    rows[TRADES] += pieces.trades
    rows[CHANGED] = seq


def add_flag(flags: Floats, flag: Flag) -> Floats:
    """`flags` (float64, whole numbers) with `flag` set in all."""
    return (flags.astype(np.int64) | int(flag)).astype(np.float64)


def _joined(pieces: Pieces) -> Pieces:
    """Join neighbours of the same instrument and start."""
    if len(pieces) < 2:
        return pieces
    fresh = np.ones(len(pieces), dtype=np.bool_)
    fresh[1:] = (pieces.instrument[1:] != pieces.instrument[:-1]) | (pieces.start[1:] != pieces.start[:-1])
    heads = np.flatnonzero(fresh)
    if len(heads) == len(pieces):
        return pieces
    tails = np.append(heads[1:], len(pieces)) - 1
    return Pieces(
        pieces.instrument[heads],
        pieces.start[heads],
        pieces.open[heads],
        np.maximum.reduceat(pieces.high, heads),
        np.minimum.reduceat(pieces.low, heads),
        pieces.close[tails],
        np.add.reduceat(pieces.volume, heads),
        np.add.reduceat(pieces.trades, heads),
        pieces.first[heads],
        pieces.last[tails],
        np.maximum.reduceat(pieces.passed, heads),
    )


def _by_time(instrument: Ints, ts: Ints, latest: Ints) -> tuple[Ints | None, Ints]:
    """(the order by instrument and event time, None where it is so already; `passed` of each tick in that order)."""
    order: Ints | None = None
    who, when = instrument, ts
    if (instrument[1:] < instrument[:-1]).any():
        order = np.argsort(instrument, kind="stable")
        who, when = instrument[order], ts[order]
    fresh = np.ones(len(who), dtype=np.bool_)
    fresh[1:] = who[1:] != who[:-1]
    in_order = fresh.copy()
    in_order[1:] |= when[1:] >= when[:-1]
    never = np.full(len(who), NEVER, dtype=np.int64)
    if in_order.all() and (when >= latest[who]).all():
        return order, never
    # One running maximum over all instruments: the times of each are lifted above those of the one before.
    lift = (np.cumsum(fresh) - 1) << 46
    highest = np.maximum.accumulate(when + lift) - lift
    prior = never.copy()
    prior[1:] = highest[:-1]
    prior[fresh] = NEVER
    prior = np.maximum(prior, latest[who])
    passed = np.where(prior > when, prior, never)
    by_time = np.lexsort((when, who))
    return (by_time if order is None else order[by_time]), passed[by_time]
