"""How good an instrument's data is: its age, gaps, corrections and what the checks refused, and how the feed does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dashboard.market.bars import FLAGS, START, TIMEFRAME_INDEX, TIMEFRAMES, Flag
from dashboard.market.quality import REASONS
from dashboard.market.ticks import Floats, Ints
from dashboard.store.intake import Intake
from dashboard.store.memory import MemoryStore
from dashboard.store.quotes import Freshness

#: The timeframe whose bars are looked through, and the newest breaks of the feed that are named.
FRAME = "1m"
BREAKS = 5
#: Refused ticks of these have no instrument.
_NOBODYS = ("unknown", "unreadable")
_MARKS = {"partial": Flag.PARTIAL, "gap": Flag.GAP, "filled": Flag.FILLED, "corrected": Flag.CORRECTED}


def condition(store: MemoryStore, intake: Intake, freshness: Freshness, instrument: int) -> dict[str, Any]:
    """What there is to say about one instrument, ready for JSON; counts of refused ticks are those since the start,
    everything else is this epoch's."""
    timeframe = TIMEFRAME_INDEX[FRAME]
    with store.lock:
        last = store.last()
        rows = store.bars(instrument, timeframe).rows
        breaks = store.breaks()
        count = store.tick_count(instrument)
    ages, stale = freshness(last)
    age, ts = float(ages[instrument]), float(last.ts[instrument])
    checker = intake.checker
    return {
        "epoch": last.epoch,
        "seq": last.seq,
        "symbol": store.catalogue[instrument].symbol,
        "ts": int(ts) if ts == ts else None,
        "age_ms": round(age) if age == age else None,
        "stale": bool(stale[instrument]),
        "ticks": count,
        "outliers": int(checker.outliers[instrument]),
        "quarantined": {
            reason: int(checker.refused[at, instrument]) for at, reason in enumerate(REASONS) if reason not in _NOBODYS
        },
        "quarantined_of_feed": {reason: intake.refused[reason] for reason in REASONS},
        "breaks": {
            "count": len(breaks),
            "newest": [[int(gone), int(back) if math.isfinite(back) else None] for gone, back in breaks[-BREAKS:]],
        },
        "bars": made(rows[:, FLAGS].astype(np.int64))
        | {"timeframe": FRAME, "start": int(rows[0, START]) if len(rows) else None},
        "holes": holes(rows[:, START], TIMEFRAMES[timeframe].ms),
    }


def made(flags: Ints) -> dict[str, int]:
    """How many bars there are of these flags, int64[n], are whole, and carry each mark; one may carry several."""
    marked = {name: int(np.count_nonzero(flags & int(flag))) for name, flag in _MARKS.items()}
    whole = int(np.count_nonzero((flags & ~int(Flag.CLOSED)) == 0))
    return {"count": len(flags), "whole": whole, **marked}


def holes(start: Floats, ms: int) -> dict[str, Any]:
    """Where no tick came for a bar or more between the bars that begin at `start` float64[n], `ms` long each: how many
    times, bars in all that there are not, and the longest as [from, to)."""
    missing = np.rint(np.diff(start) / ms) - 1
    where = np.flatnonzero(missing > 0)
    if not len(where):
        return {"count": 0, "bars": 0, "longest": None}
    at = int(np.argmax(missing))
    return {
        "count": len(where),
        "bars": int(missing[where].sum()),
        "longest": [int(start[at]) + ms, int(start[at + 1])],
    }
