"""The checks that every tick passes, vectorised over the batch: bad ones are quarantined and counted by reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from dashboard.market.ticks import Ints, Mask, SourceBars, TickBatch, ascending

#: In the order of precedence: a tick with several faults counts for the first. `unreadable` is the feeds' own.
REASONS = ("unknown", "nan", "price", "crossed", "future", "late", "duplicate", "unreadable")
#: A price that moves by more than this share of the one before is counted as an outlier, and kept.
OUTLIER = 0.2
#: Trade ids remembered for each instrument at most. Below that they are forgotten by time: what is sent again later
#: than `late_ms` is late.
REMEMBERED = 1_000_000
#: No event time lies outside of 1970 to 2200; keeps later arithmetic within 46 bits.
LATEST_MS = 7_258_118_400_000
#: No price, bid, ask or size is larger: sums of what is near float64's end (1.8e308) would be infinite.
LARGEST = 1e302
_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Checked:
    """The accepted ticks of a batch; how many were refused for each reason; how many of the accepted are outliers."""

    accepted: TickBatch
    rejected: Mapping[str, int]
    outliers: int


class Checker:
    """Checks batches in the order of arrival; remembers each instrument's newest time, price and trade ids.

    It counts what it refuses and what it finds odd by instrument too; any thread may read that.

    A tick is `late` when it is over `late_ms` older than its instrument's newest accepted one, `future` when it is
    over `ahead_ms` ahead of the market's clock.
    """

    def __init__(self, instruments: int, late_ms: int, ahead_ms: int) -> None:
        self.instruments, self.late_ms, self.ahead_ms = instruments, late_ms, ahead_ms
        self._newest = np.full(instruments, _NEVER, dtype=np.int64)
        self._price = np.full(instruments, np.nan)
        self._highest_id = np.full(instruments, _NEVER, dtype=np.int64)
        #: Since the start, by instrument: refused ticks for each of REASONS, int64[reasons, instruments], and outliers.
        self.refused = np.zeros((len(REASONS), instruments), dtype=np.int64)
        self.outliers = np.zeros(instruments, dtype=np.int64)
        #: Event time by trade id, in the order of arrival, for each instrument.
        self._ids: dict[int, dict[int, int]] = {}

    def reset(self) -> None:
        """A new epoch begins: nothing was seen before."""
        self._newest[:] = _NEVER
        self._price[:] = np.nan
        self.new_pass()

    def new_pass(self) -> None:
        """The feed begins its data again (a loop): its trade ids may repeat."""
        self._highest_id[:] = _NEVER
        self._ids.clear()

    def check(self, batch: TickBatch, market_now_ms: float) -> Checked:
        """Split `batch` into what is accepted and what is refused. Takes any values and never raises for them."""
        # At most one tick of an instrument, in their order, is the usual batch; all of them once need no look-up.
        once = len(batch) > 0 and ascending(batch.instrument)
        latest = min(market_now_ms + self.ahead_ms, LATEST_MS)
        if batch.bars is None and self._sound(batch, once, latest):
            at = slice(None) if once and len(batch) == self.instruments else batch.instrument
            if once and batch.trade_id is None and (batch.ts + self.late_ms >= self._newest[at]).all():
                return Checked(batch, {}, self._remember_newest(batch, at))
        return self._split(batch, latest)

    def _sound(self, batch: TickBatch, once: bool, latest: float) -> bool:
        """Whether no tick has a fault that shows in itself: in one go, since almost always there is none."""
        who, ts, price, bid, ask, volume = batch.instrument, batch.ts, batch.price, batch.bid, batch.ask, batch.size
        if not len(batch):
            return True
        within = (
            who[0] >= 0 and who[-1] < self.instruments if once else bool(((who >= 0) & (who < self.instruments)).all())
        )
        if not within or not ((price > 0) & (price <= LARGEST) & (ts >= 0) & (ts <= latest)).all():
            return False
        # NaN, which stands for none, is on the good side of each of these.
        faulty = (bid <= 0) | (ask <= 0) | (volume < 0) | (bid > ask)
        faulty |= (bid > LARGEST) | (ask > LARGEST) | (volume > LARGEST)
        return not faulty.any()

    def _split(self, batch: TickBatch, latest: float) -> Checked:
        """Judge the ticks one fault after the other."""
        good = np.ones(len(batch), dtype=np.bool_)
        rejected: dict[str, int] = {}

        def refuse(reason: str, bad: Mask) -> None:
            bad = bad & good
            count = int(np.count_nonzero(bad))
            if count:
                rejected[reason] = rejected.get(reason, 0) + count
                good[bad] = False
                if reason != "unknown":
                    np.add.at(self.refused[REASONS.index(reason)], batch.instrument[bad], 1)

        price, bid, ask, volume = batch.price, batch.bid, batch.ask, batch.size
        refuse("unknown", (batch.instrument < 0) | (batch.instrument >= self.instruments))
        refuse("nan", ~np.isfinite(price) | np.isinf(bid) | np.isinf(ask) | np.isinf(volume))
        refuse("price", (price <= 0) | (bid <= 0) | (ask <= 0) | (volume < 0))
        refuse("price", (price > LARGEST) | (bid > LARGEST) | (ask > LARGEST) | (volume > LARGEST))
        refuse("crossed", bid > ask)
        if batch.bars is not None:
            self._bars(batch.bars, refuse)
        refuse("future", batch.ts > latest)
        refuse("late", batch.ts < 0)
        if good.any():
            refuse("late", self._late(batch, good))
        if batch.trade_id is not None and good.any():
            refuse("duplicate", self._duplicates(batch, batch.trade_id, good))
        accepted = batch if good.all() else batch.take(good)
        return Checked(accepted, rejected, self._remember(accepted))

    @staticmethod
    def _bars(bars: SourceBars, refuse: Callable[[str, Mask], None]) -> None:
        """A bar whose open or close lies outside of its range is no bar: like a crossed quote, it is a mistake."""
        open_, high, low, close = bars.open, bars.high, bars.low, bars.close
        finite = [np.isfinite(column) for column in (open_, high, low, close, bars.volume, bars.trades)]
        refuse("nan", ~np.logical_and.reduce(finite))
        refuse("price", (open_ <= 0) | (low <= 0) | (bars.volume < 0) | (bars.trades < 0))
        largest = [column > LARGEST for column in (open_, high, low, close, bars.volume, bars.trades)]
        refuse("price", np.logical_or.reduce(largest))
        refuse("crossed", (low > np.minimum(open_, close)) | (high < np.maximum(open_, close)))

    def _late(self, batch: TickBatch, good: Mask) -> Mask:
        """Over `late_ms` older than the newest of the instrument, those before it in the batch included."""
        late = np.zeros(len(batch), dtype=np.bool_)
        where = np.flatnonzero(good)
        who, when = batch.instrument[where], batch.ts[where]
        newest = self._newest[who]
        if np.bincount(who).max() > 1:
            order = np.argsort(who, kind="stable")
            fresh = np.ones(len(who), dtype=np.bool_)
            fresh[1:] = who[order][1:] != who[order][:-1]
            lift = (np.cumsum(fresh) - 1) << 46
            highest = np.maximum.accumulate(when[order] + lift) - lift
            running = np.empty_like(highest)
            running[order] = highest
            newest = np.maximum(newest, running)
        late[where] = when + self.late_ms < newest
        return late

    def _duplicates(self, batch: TickBatch, trade_id: Ints, good: Mask) -> Mask:
        """Trade ids seen before; ids that only grow, the usual case, need no look-up."""
        twice = np.zeros(len(batch), dtype=np.bool_)
        for who in np.unique(batch.instrument[good]):
            where = np.flatnonzero(good & (batch.instrument == who))
            ids, times = trade_id[where], batch.ts[where]
            seen = self._ids.setdefault(int(who), {})
            growing = bool((np.diff(ids) > 0).all()) and ids[0] > self._highest_id[who]
            if not growing:
                for at, number, ts in zip(where, ids.tolist(), times.tolist(), strict=True):
                    if number in seen:
                        twice[at] = True
                    else:
                        seen[number] = ts
            else:
                seen.update(zip(ids.tolist(), times.tolist(), strict=True))
            horizon = max(int(self._newest[who]), int(times.max())) - self.late_ms
            while seen and (seen[oldest := next(iter(seen))] < horizon or len(seen) > REMEMBERED):
                del seen[oldest]
            self._highest_id[who] = max(int(self._highest_id[who]), int(ids.max()))
        return twice

    def _remember_newest(self, accepted: TickBatch, at: slice | Ints) -> int:
        """`_remember` for at most one tick of an instrument."""
        if not len(accepted):
            return 0
        price, before = accepted.price, self._price[at]
        with np.errstate(invalid="ignore"):
            far = np.abs(price - before) > OUTLIER * before
        outliers = int(np.count_nonzero(far))
        if outliers:
            self.outliers[accepted.instrument[far]] += 1
        self._newest[at] = np.maximum(self._newest[at], accepted.ts)
        self._price[at] = price
        return outliers

    def _remember(self, accepted: TickBatch) -> int:
        """Keep newest times and prices; the number of ticks that are far from their instrument's price before."""
        if not len(accepted):
            return 0
        np.maximum.at(self._newest, accepted.instrument, accepted.ts)
        order = np.argsort(accepted.instrument, kind="stable")
        who, price = accepted.instrument[order], accepted.price[order]
        before = np.empty(len(price))
        before[1:] = price[:-1]
        fresh = np.ones(len(who), dtype=np.bool_)
        fresh[1:] = who[1:] != who[:-1]
        before[fresh] = self._price[who[fresh]]
        last = np.append(fresh[1:], True)
        self._price[who[last]] = price[last]
        with np.errstate(invalid="ignore", over="ignore"):
            far = np.abs(price - before) > OUTLIER * before
        outliers = int(np.count_nonzero(far))
        if outliers:
            np.add.at(self.outliers, who[far], 1)
        return outliers
