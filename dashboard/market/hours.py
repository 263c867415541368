"""In which hours of a week an instrument does not trade: what its class's session says, held against its own bars.

The chart closes the gaps of these hours and leaves every other gap open, so an hour that is wrongly called closed would
hide an outage, and one that is wrongly called open only leaves a gap. Data decides:

- An hour in which the instrument trades is open, whatever the session says.
- Where more than `STRANGE` of the quarters in which it trades lie outside of the session, the session is another
  market's (or the simulator's, which never closes) and counts for nothing.
- An hour or more in which it never trades is closed once there are bars of `DAYS` days, or `SAME_DAYS` of the same
  weekday have passed since the first bar.

Holidays and early closes are no hours of a week: the browser finds them in the bars (`assets/chart/sessions.mjs`).
"""

from __future__ import annotations

from datetime import time

import numpy as np
import pandas as pd

from dashboard.market.instruments import Session
from dashboard.market.ticks import Ints, Mask

QUARTER_MS = 900_000
DAY_MS = 86_400_000
#: Quarters of a day, and of a week, which begins on Monday at midnight of the session's zone.
OF_DAY, OF_WEEK = 96, 672
STRANGE = 0.05
DAYS, SAME_DAYS = 3, 2
#: Quarters in a row without a trade that make a closed hour.
LEAST_RUN = 4
#: Of the days with bars of a weekday, the part that a quarter has to trade on: one stray tick at night opens no night.
OFTEN = 0.25


def closed_hours(session: Session, starts: Ints, ms: int) -> list[tuple[int, int]]:
    """The spans [from, to) of a week in which an instrument of `session` is closed, in minutes since Monday 00:00 of
    the session's zone, ascending; none where it trades around the clock.

    `starts` int64[n] are the starts, UTC ms, of bars of `ms` milliseconds: a day's bars tell of days only.
    """
    scheduled = ~_open(session)
    if not scheduled.any():
        return []
    days, passed, traded, often = _traded(session, starts, ms, scheduled)
    strange = int((traded & scheduled).sum()) > STRANGE * int(traded.sum())
    closed = np.zeros(OF_WEEK, dtype=np.bool_) if strange else scheduled & ~often
    if ms < DAY_MS:
        closed |= _never(traded, days, passed)
    return _spans(closed)


def _open(session: Session) -> Mask:
    """bool[672]: the quarters of a week that the session has a moment of."""
    found = np.zeros((7, OF_DAY), dtype=np.bool_)
    first, last = (
        (0, OF_DAY) if session.opens == session.closes else (_quarter(session.opens), _quarter(session.closes))
    )
    found[sorted(session.weekdays), first:last] = True
    return found.ravel()


def _quarter(at: time) -> int:
    return (at.hour * 60 + at.minute) // 15


def _traded(session: Session, starts: Ints, ms: int, scheduled: Mask) -> tuple[Ints, Ints, Mask, Mask]:
    """(int64[7] how many days of each weekday have bars, and how many lie between the first and the last of them,
    bool[672] the quarters with any bar, and those with one often)."""
    zone = "UTC" if ms >= DAY_MS else session.zone
    local = pd.to_datetime(starts, unit="ms", utc=True).tz_convert(zone).tz_localize(None)
    at = local.to_numpy(dtype="datetime64[ms]").astype(np.int64)
    date = np.unique(at // DAY_MS)
    days = np.bincount(_weekday(date), minlength=7)
    passed = np.bincount(_weekday(np.arange(date[0], date[-1] + 1)), minlength=7) if len(date) else days
    if ms >= DAY_MS:
        # A day's bar does not say when it traded: only where the session has no hours on that day, it tells of any.
        whole = (days > 0) & scheduled.reshape(7, OF_DAY).all(axis=1)
        traded = np.repeat(whole, OF_DAY)
        return days, passed, traded, traded
    quarters = (at // QUARTER_MS)[:, None] + np.arange(max(1, ms // QUARTER_MS))
    outside: Mask = np.asarray(scheduled[_of_week(quarters)])
    # An hour's bar of which a part lies in the session traded then.
    quarters = np.unique(quarters[outside.all(axis=1, keepdims=True) | ~outside])
    count = np.bincount(_of_week(quarters), minlength=OF_WEEK)
    return days, passed, count > 0, count > OFTEN * np.repeat(days, OF_DAY)


def _of_week(quarters: Ints) -> Ints:
    """Which of a week's quarters they are, of quarters since 1970."""
    return _weekday(quarters // OF_DAY) * OF_DAY + quarters % OF_DAY


def _weekday(date: Ints) -> Ints:
    """0 Monday, of days since 1970, which began on a Thursday."""
    return (date + 3) % 7


def _never(traded: Mask, days: Ints, passed: Ints) -> Mask:
    """bool[672]: the quarters of an hour or more in which it was never seen to trade, on enough days."""
    by_day = ~traded.reshape(7, OF_DAY)
    seen_often = by_day & (passed >= SAME_DAYS)[:, None]
    if days.sum() >= DAYS:
        seen_often |= by_day[days > 0].all(axis=0)
        seen_often &= by_day
    found = seen_often.ravel()
    if found.all():
        return found
    # The week is a ring: begin behind a quarter that is none of them.
    turn = int(np.argmin(found)) + 1
    ring = np.roll(found, -turn)
    for first, last in _runs(ring):
        if last - first < LEAST_RUN:
            ring[first:last] = False
    return np.roll(ring, turn)


def _runs(mask: Mask) -> list[tuple[int, int]]:
    """The runs [first, last) of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _spans(closed: Mask) -> list[tuple[int, int]]:
    return [(first * 15, last * 15) for first, last in _runs(closed)]
