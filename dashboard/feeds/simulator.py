"""The simulated market: correlated geometric Brownian motion with clustering volatility, jumps and spreads.

The seed alone gives the live sequence of prices, sizes and intervals; the wall clock only dates it. The history is
drawn backward from the first live price, so that it ends where the live stream begins.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np

from dashboard.clock import Clock
from dashboard.feeds.base import HistoryBlock, Sink
from dashboard.market.bars import DAY, TIMEFRAME_INDEX, TIMEFRAMES
from dashboard.market.instruments import ASSET_CLASSES, Catalogue
from dashboard.market.ticks import Floats, Ints, TickBatch

YEAR_MS = 365.0 * 86_400_000
#: How much of an instrument's variance comes from the whole market and from its class.
MARKET_SHARE, CLASS_SHARE = 0.25, 0.25
#: GARCH(1,1) on the volatility's multiplier: omega + alpha * shock^2 + beta * before, with the mean at 1.
ALPHA, BETA = 0.08, 0.9
JUMPS_PER_STEP, JUMP_SIZE = 2e-4, 12.0
#: How busy an instrument's trade is wanders about its mean: spread of its logarithm, and the time it takes, ms.
BUSY_SPREAD, BUSY_MS = 0.5, 120_000.0
#: A step of a hundred milliseconds must not look dead beside one of a second: prices move as if a step were as long.
LEAST_STEP_MS = 250.0
#: A difference between wall clock and elapsed time over this is somebody who sets the clock, ms.
JUMP_MS = 1_000.0
#: Bars of history drawn at most; a large catalogue gets shorter windows so that the start stays quick.
HISTORY_BARS = 6_000_000
#: (timeframe, how far back it goes): 1 year of days, 60 days of hours, 5 days of minutes, 1 hour of seconds.
WINDOWS: tuple[tuple[str, int], ...] = (
    ("1d", 365 * 86_400_000),
    ("1h", 60 * 86_400_000),
    ("1m", 5 * 86_400_000),
    ("1s", 3_600_000),
)
#: Instruments whose history is drawn together: bounds the memory.
CHUNK = 250


class Simulator:
    """A market of `catalogue`'s instruments that takes a step every `tick_ms` milliseconds on average."""

    name = "simulator"
    kind = "SIMULATED"
    silence_is_stale = True
    pace = 1.0

    def __init__(
        self, catalogue: Catalogue, *, seed: int, tick_ms: int, opening_hours: bool = False, clock: Clock
    ) -> None:
        self.catalogue, self.seed, self.tick_ms, self.opening_hours = catalogue, seed, tick_ms, opening_hours
        self.clock = clock
        count = len(catalogue)
        live, self._history_seed = np.random.SeedSequence(seed).spawn(2)
        self._random = np.random.Generator(np.random.PCG64(live))
        self._decimals = np.array([each.decimals for each in catalogue])
        self._tick_size = 10.0**-self._decimals
        self._units = 10.0**self._decimals
        self._volatility = np.array([each.volatility for each in catalogue])
        self._class = np.array([ASSET_CLASSES.index(each.asset_class) for each in catalogue])
        self._volume = np.array([each.volume for each in catalogue])
        base = np.array([each.price for each in catalogue])
        #: The price of the market just before the first step; the history ends with it.
        self.price = self._rounded(base * np.exp(0.02 * self._random.standard_normal(count)))
        self._exact = self.price.copy()
        self._heat = np.ones(count)
        self._busy = np.zeros(count)
        self._all = np.arange(count, dtype=np.int64)
        # What every step needs: volatility and drift of one, how the trade's business goes on, its mean size.
        self._sigma = self._volatility * np.sqrt(max(tick_ms, LEAST_STEP_MS) / YEAR_MS)
        self._drift = 0.5 * self._sigma * self._sigma
        self._calms = np.exp(-tick_ms / BUSY_MS)
        self._stirs = np.sqrt(1 - self._calms * self._calms) * BUSY_SPREAD
        self._per_step = self._volume * tick_ms / 86_400_000.0
        self._started_ms: float | None = None
        self._next_ms = 0.0
        self._ahead_ms = 0.0
        self._seen: tuple[float, float] | None = None

    @property
    def interval_ms(self) -> float:
        """Mean time between two reports of an instrument, ms."""
        return float(self.tick_ms)

    def market_now_ms(self) -> float:
        """The wall clock, which the simulated market runs along with; where that was set back, ahead of it."""
        return self.clock.now_ms() + self._ahead_ms

    def _watch_clock(self) -> None:
        """A market's time never goes back: keep what the wall clock was set back by, until it has caught up."""
        now, at = self.clock.now_ms(), self.clock.monotonic()
        if self._seen is not None:
            jump = (now - self._seen[0]) - (at - self._seen[1]) * 1000.0
            if abs(jump) > JUMP_MS:
                self._ahead_ms = max(0.0, self._ahead_ms - jump)
        self._seen = now, at

    def step(self) -> tuple[float, Floats, Floats, Floats, Floats]:
        """One step of the market: (ms since the one before, price, size, bid, ask of every instrument)."""
        random, count = self._random, len(self.catalogue)
        interval = self.tick_ms * random.uniform(0.5, 1.5)
        own = random.standard_normal(count)
        shared = random.standard_normal(1 + len(ASSET_CLASSES))
        jumping = random.random(count) < JUMPS_PER_STEP
        # Drawn for every instrument, so that what others do changes nothing of one's random numbers.
        heights = random.standard_normal(count)
        common = np.sqrt(MARKET_SHARE) * shared[0] + np.sqrt(CLASS_SHARE) * shared[1:]
        shock = common[self._class] + np.sqrt(1 - MARKET_SHARE - CLASS_SHARE) * own
        move = self._sigma * np.sqrt(self._heat) * shock
        if jumping.any():
            move += self._sigma * (jumping * heights * JUMP_SIZE)
        self._heat = np.clip((1 - ALPHA - BETA) + (ALPHA * shock * shock + BETA) * self._heat, 0.2, 12.0)
        self._exact = self._exact * np.exp(move - self._drift)
        self.price = self._rounded(self._exact)
        half = np.maximum(self._tick_size, self.price * 2e-5 * (1 + self._heat)) * random.uniform(0.5, 1.0, count)
        # Divided, not multiplied by 0.01: then each is the float nearest to its decimals.
        bid = np.maximum(np.floor((self.price - half) * self._units) / self._units, self._tick_size)
        bid = np.minimum(bid, self.price)
        ask = np.maximum(np.ceil((self.price + half) * self._units) / self._units, self.price)
        self._busy = self._calms * self._busy + self._stirs * random.standard_normal(count)
        mean = self._per_step * np.exp(self._busy - BUSY_SPREAD**2 / 2)
        size = self._sizes(mean * random.lognormal(-0.5, 1.0, count))
        return interval, self.price, size, bid, ask

    def history(self) -> Iterator[HistoryBlock]:
        """Bars that end at the present price: each timeframe's longer bars are the merged shorter ones."""
        now = int(self.clock.now_ms())
        self._started_ms = float(now)
        seeds = self._history_seed.spawn((len(self.catalogue) + CHUNK - 1) // CHUNK)
        spans = self._spans(now)
        for number, seed in enumerate(seeds):
            who = self._all[number * CHUNK : (number + 1) * CHUNK]
            yield from self._drawn(who, now, spans, np.random.Generator(np.random.PCG64(seed)))

    def run(self, sink: Sink, stop: threading.Event) -> None:
        """Step until `stop`; a machine that slept goes on from the present, without the steps in between."""
        began = self.market_now_ms()
        self._next_ms = max(began, self._started_ms or began)
        while not stop.is_set():
            self._watch_clock()
            interval, price, size, bid, ask = self.step()
            self._next_ms += interval
            wait = (self._next_ms - self.market_now_ms()) / 1000.0
            if wait < -1.0:
                self._next_ms = self.market_now_ms()
            elif wait > 0 and stop.wait(wait):
                return
            now = self.clock.now_ms()
            who = self._open(self.market_now_ms())
            if not len(who):
                sink.alive()
                continue
            stamp = np.full(len(who), int(self._next_ms), dtype=np.int64)
            sink.ticks(TickBatch(who, stamp, np.full(len(who), now), price[who], size[who], bid[who], ask[who]))

    def _open(self, now_ms: float) -> Ints:
        if not self.opening_hours:
            return self._all
        open_now = {session: session.is_open(now_ms) for session in {each.session for each in self.catalogue}}
        return np.array([at for at, each in enumerate(self.catalogue) if open_now[each.session]], dtype=np.int64)

    def _rounded(self, price: Floats) -> Floats:
        return np.maximum(_round(price, self._decimals), self._tick_size)

    def _sizes(self, size: Floats) -> Floats:
        """Whole shares and lots; fractions of what is dear enough to be traded in fractions."""
        return np.where(size >= 20, np.ceil(size), np.maximum(np.round(size, 4), 0.0001))

    def _spans(self, now: int) -> list[tuple[int, int, int]]:
        """(timeframe, from, to) of each window, oldest first: each begins where all longer bars do."""
        edges = []
        for name, back in WINDOWS:
            frame = TIMEFRAME_INDEX[name]
            # Every window starts on the grid of the longest bars that are merged from it.
            grid = TIMEFRAMES[frame].ms if frame == DAY else 86_400_000 if name != "1s" else 3_600_000
            begin = (now - back) // grid * grid
            edges.append((frame, begin))
        bars = sum((now - begin) // TIMEFRAMES[frame].ms for frame, begin in edges)
        shrink = max(1.0, bars * len(self.catalogue) / HISTORY_BARS)
        if shrink > 1.0:
            edges = [
                (frame, begin if frame == DAY else max(begin, int(now - (now - begin) / shrink) // grid * grid))
                for (frame, begin), grid in zip(edges, (86_400_000, 86_400_000, 3_600_000, 900_000), strict=True)
            ]
        ends = [begin for _frame, begin in edges[1:]] + [now + 1]
        return [(frame, begin, end) for (frame, begin), end in zip(edges, ends, strict=True) if end > begin]

    def _drawn(
        self, who: Ints, now: int, spans: list[tuple[int, int, int]], random: np.random.Generator
    ) -> Iterator[HistoryBlock]:
        """Walk back through the windows, newest first; then merge upward and give every timeframe."""
        end_price = np.log(self.price[who])
        parts: list[tuple[int, Ints, Floats]] = []
        for frame, begin, end in reversed(spans):
            length = TIMEFRAMES[frame].ms
            start = np.arange(begin, end, length, dtype=np.int64)
            if not len(start):
                continue
            bars = self._walk(who, len(start), length, end_price, random)
            share = (now - start[-1]) / length if start[-1] + length > now else 1.0
            bars[:, -1, 4] = _lots(bars[:, -1, 4] * share)
            bars[:, -1, 5] = np.ceil(bars[:, -1, 5] * max(share, 1e-9))
            end_price = np.log(bars[:, 0, 0])
            parts.append((frame, start, bars))
        parts.reverse()
        for frame, timeframe in enumerate(TIMEFRAMES):
            starts: list[Ints] = []
            merged: list[Floats] = []
            for fine, start, bars in parts:
                if fine <= frame:
                    grid, rows = _merged(start, bars, timeframe.ms)
                    starts.append(grid)
                    merged.append(rows)
            if starts:
                start, bars = _joined(starts, merged)
                yield HistoryBlock(frame, who, start, bars)

    def _walk(self, who: Ints, count: int, length_ms: int, end_log: Floats, random: np.random.Generator) -> Floats:
        """float64[i, count, 6]: bars of one length whose last close is exp(`end_log`)."""
        sigma = self._volatility[who, None] * np.sqrt(length_ms / YEAR_MS)
        shared = random.standard_normal((1 + len(ASSET_CLASSES), count))
        own = random.standard_normal((len(who), count))
        shock = np.sqrt(MARKET_SHARE) * shared[0] + np.sqrt(CLASS_SHARE) * shared[1 + self._class[who]]
        shock = shock + np.sqrt(1 - MARKET_SHARE - CLASS_SHARE) * own
        calm = np.exp(0.35 * np.sin(np.arange(count) / 37.0 + random.uniform(0, 6.28)))
        move = sigma * calm * shock
        path = end_log[:, None] - np.cumsum(move[:, ::-1], axis=1)[:, ::-1]
        edges = np.concatenate((path, end_log[:, None]), axis=1)
        bars = np.empty((len(who), count, 6))
        decimals = self._decimals[who, None]
        least = self._tick_size[who, None]
        price = np.maximum(_round(np.exp(edges), decimals), least)
        price[:, -1] = (
            np.exp(end_log) if count == 0 else np.maximum(_round(np.exp(end_log), self._decimals[who]), least[:, 0])
        )
        open_, close = price[:, :-1], price[:, 1:]
        reach = np.abs(random.standard_normal((2, len(who), count))) * sigma * 0.4
        bars[:, :, 0], bars[:, :, 3] = open_, close
        bars[:, :, 1] = np.maximum(
            _round(np.maximum(open_, close) * np.exp(reach[0]), decimals), np.maximum(open_, close)
        )
        low = np.maximum(_round(np.minimum(open_, close) * np.exp(-reach[1]), decimals), least)
        bars[:, :, 2] = np.minimum(low, np.minimum(open_, close))
        busy = random.lognormal(-0.08, 0.4, (len(who), count)) * _activity(len(who), count, length_ms, random)
        bars[:, :, 4] = _lots(self._volume[who, None] * length_ms / 86_400_000.0 * busy)
        bars[:, :, 5] = max(1.0, np.ceil(length_ms / max(self.tick_ms, 1)))
        return bars


def _activity(instruments: int, count: int, length_ms: int, random: np.random.Generator) -> Floats:
    """float64[instruments, count]: how busy the trade of each bar is; neighbours within `BUSY_MS` are alike."""
    at = np.arange(count) * min(length_ms / BUSY_MS, 1.0)
    left = at.astype(np.int64)
    share = at - left
    nodes = BUSY_SPREAD * random.standard_normal((instruments, int(left[-1]) + 2))
    result: Floats = np.exp(nodes[:, left] * (1 - share) + nodes[:, left + 1] * share - BUSY_SPREAD**2 / 2)
    return result


def _lots(volume: Floats) -> Floats:
    """Volumes of bars: whole, or 64ths where little is traded, so that sums of any bars are exact to the last digit."""
    return np.where(volume >= 20, np.ceil(volume), np.maximum(np.round(volume * 64), 1.0) / 64)


def _round(price: Floats, decimals: Ints | int) -> Floats:
    """Rounded to each instrument's decimals, as the nearest float of the decimal number."""
    scale = 10.0 ** np.asarray(decimals)
    result: Floats = np.rint(price * scale) / scale
    return result


def _merged(start: Ints, bars: Floats, length_ms: int) -> tuple[Ints, Floats]:
    """Bars float64[i, t, 6] merged to the grid of a longer timeframe."""
    grid = start - start % length_ms
    heads = np.flatnonzero(np.append(True, grid[1:] != grid[:-1]))
    tails = np.append(heads[1:], len(grid)) - 1
    rows = np.empty((len(bars), len(heads), 6))
    rows[:, :, 0] = bars[:, heads, 0]
    rows[:, :, 1] = np.maximum.reduceat(bars[:, :, 1], heads, axis=1)
    rows[:, :, 2] = np.minimum.reduceat(bars[:, :, 2], heads, axis=1)
    rows[:, :, 3] = bars[:, tails, 3]
    rows[:, :, 4] = np.add.reduceat(bars[:, :, 4], heads, axis=1)
    rows[:, :, 5] = np.add.reduceat(bars[:, :, 5], heads, axis=1)
    return grid[heads], rows


def _joined(starts: list[Ints], parts: list[Floats]) -> tuple[Ints, Floats]:
    """Windows one after the other; a bar that lies in two of them (hours of a day that minutes go on) is merged."""
    start, bars = np.concatenate(starts), np.concatenate(parts, axis=1)
    if (start[1:] > start[:-1]).all():
        return start, bars
    heads = np.flatnonzero(np.append(True, start[1:] != start[:-1]))
    tails = np.append(heads[1:], len(start)) - 1
    rows = np.empty((len(bars), len(heads), 6))
    rows[:, :, 0] = bars[:, heads, 0]
    rows[:, :, 1] = np.maximum.reduceat(bars[:, :, 1], heads, axis=1)
    rows[:, :, 2] = np.minimum.reduceat(bars[:, :, 2], heads, axis=1)
    rows[:, :, 3] = bars[:, tails, 3]
    rows[:, :, 4:] = np.add.reduceat(bars[:, :, 4:], heads, axis=1)
    return start[heads], rows
