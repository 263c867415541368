"""Replays a file of real trades, quotes or bars, at its own pace or another, through the same checks as any feed.

A replay has its own market clock: where it stands in the file's time, which runs on between two rows and stops where
the reader stops.
"""

from __future__ import annotations

import re
import stat
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from dashboard.clock import Clock
from dashboard.errors import ConfigurationError, StartRefused
from dashboard.feeds.base import HistoryBlock, Sink
from dashboard.feeds.tables import NAMES, Rows, Table, symbols_of, told
from dashboard.market.bars import TIMEFRAMES
from dashboard.market.instruments import Catalogue, check_symbol, is_symbol, unlisted
from dashboard.market.ticks import Floats, Ints, SourceBars, TickBatch
from dashboard.telemetry import get_logger

#: Rows handed over at once, at most.
BATCH = 5_000
#: A replay says at least so often that it is reading, s.
ALIVE_S = 0.5
#: Lines that can't be read are logged one by one up to this number.
LOGGED_LINES = 20
#: A row so far ahead of both its neighbours has a wrong time: it must not hold the replay up until then.
SPIKE_MS = 5_000
_VENUES = frozenset(
    [
        "binance",
        "kraken",
        "coinbase",
        "bitstamp",
        "bitfinex",
        "bybit",
        "okx",
        "gemini",
        "trades",
        "quotes",
        "bars",
        "ticks",
    ]
)
_PAIR = re.compile(r"[a-z]{2,6}(usdt|usdc|usd|eur|gbp|jpy|chf|aud|cad|btc|eth)$")


class Replay:
    """One pass or many through `path`; see the contract's paragraph "Replay"."""

    name = "replay"
    kind = "REPLAY"
    silence_is_stale = False
    interval_ms = 0.0

    def __init__(
        self,
        path: str,
        *,
        symbol: str | None,
        speed: float | str,
        loop: bool,
        times: str,
        columns: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self.path, self.clock, self.loop, self.shifted = Path(path), clock, loop, times == "shifted"
        self.speed = None if speed == "max" else float(speed)
        self.columns, self.log = columns, get_logger("feed")
        try:
            mode = self.path.stat().st_mode
        except OSError as error:
            raise StartRefused(f"the replay file {told(path)} can't be read: {error.strerror}") from error
        if stat.S_ISDIR(mode):
            raise StartRefused(f"the replay file {told(path)} is a folder; it takes a CSV or Parquet file")
        self._regular = stat.S_ISREG(mode)
        self._table: Table | None = Table(self.path, columns)
        layout = self._table.layout
        self._frame = _timeframe(self.path, self._table.first) if layout.kind == "bars" else None
        self._unit = 60_000 if self._frame is None else TIMEFRAMES[self._frame].ms
        self.catalogue = self._instruments(symbol)
        first = int(self._table.first.ts[0])
        self._shift = int((clock.now_ms() - first) // self._unit * self._unit) if self.shifted else 0
        self._first = first
        self._bad = 0
        #: Of the present pass: rows handed over, the last line told as unreadable. A run after a break goes on there.
        self._reported, self._bad_line = 0, 0
        self._anchor: tuple[float, float] | None = None
        self._position = float(first + self._shift)
        self._limit = self._position

    @property
    def pace(self) -> float | None:
        """The speed, None for `max`."""
        return self.speed

    def market_now_ms(self) -> float:
        """Where the replay stands in its own time, UTC ms."""
        anchor = self._anchor
        if anchor is None or self.speed is None:
            return self._position
        wall, market = anchor
        return max(self._position, min(self._limit, market + (self.clock.monotonic() - wall) * 1000 * self.speed))

    def history(self) -> Iterator[HistoryBlock]:
        """A file has no history but itself."""
        return iter(())

    def run(self, sink: Sink, stop: threading.Event) -> None:
        """Report every row at its time until the end of the file, or for ever with `loop`."""
        while not stop.is_set():
            table = self._table or Table(self.path, self.columns)
            self._table = None
            if not self._regular:  # a pipe never gives the same rows again
                self._reported, self._bad_line = 0, 0
            self._pass(table, sink, stop)
            if not self.loop or not self._regular or stop.is_set():
                return
            self._anchor = None
            self._reported, self._bad_line = 0, 0
            if self.shifted:
                self._shift += int((self._position - self._first - self._shift) // self._unit + 1) * self._unit
                sink.new_pass()
            else:
                sink.restart()
            self._position = self._limit = float(self._first + self._shift)
            if self.speed is None and stop.wait(0.01):
                return

    def _pass(self, table: Table, sink: Sink, stop: threading.Event) -> None:
        """One pass through the table, or what is left of it after a break."""
        passed = 0
        for rows in table.blocks():
            self._unreadable(rows.bad, sink)
            sink.alive()
            known = min(max(self._reported - passed, 0), len(rows.ts))
            passed += len(rows.ts)
            for batch, due in self._batches(rows, known):
                if not self._wait_for(due, sink, stop):
                    return
                self._report(batch, due, sink, stop)
                if stop.is_set():
                    return
            self._limit = self._position

    def _report(self, batch: TickBatch, due: Ints, sink: Sink, stop: threading.Event) -> None:
        """Hand a batch over, those of its rows together whose time has come."""
        at = 0
        while at < len(batch) and not stop.is_set():
            if self.speed is None:
                end = len(batch)
            else:
                self._wait_for(due[at:], sink, stop)
                end = max(at + 1, int(np.searchsorted(due, self.market_now_ms(), "right")))
            part = batch.take(np.arange(at, end))
            self._position = max(self._position, float(due[end - 1]))
            sink.ticks(replace(part, received=np.full(len(part), self.clock.now_ms())))
            self._reported += len(part)
            at = end

    def _wait_for(self, due: Ints, sink: Sink, stop: threading.Event) -> bool:
        """Wait until the first of `due` (market time) has come; False when told to stop."""
        if self.speed is None:
            return not stop.is_set()
        if self._anchor is None:
            self._anchor = (self.clock.monotonic(), float(due[0]))
        self._limit = max(self._limit, float(due[0]))
        while not stop.is_set():
            wall, market = self._anchor
            left = (float(due[0]) - market) / 1000 / self.speed - (self.clock.monotonic() - wall)
            if left <= 0:
                if left < -1.0:  # the reader was held up: go on from here, at the same pace
                    self._anchor = (self.clock.monotonic(), float(due[0]))
                return True
            sink.alive()
            stop.wait(min(left, ALIVE_S))
        return False

    def _batches(self, rows: Rows, begin: int) -> Iterator[tuple[TickBatch, Ints]]:
        for at in range(begin, len(rows.ts), BATCH):
            batch = self._ticks(rows, slice(at, at + BATCH))
            yield batch, _due(batch.ts)

    def _ticks(self, rows: Rows, part: slice) -> TickBatch:
        ts = rows.ts[part] + self._shift
        size = len(ts)
        nothing = np.full(size, np.nan)

        def column(name: str, default: Floats = nothing) -> Floats:
            return rows.values[name][part] if name in rows.values else default

        if rows.symbol is None:
            who = np.zeros(size, dtype=np.int64)
        else:
            index = {symbol: at for at, symbol in enumerate(self.catalogue.symbols)}
            who = np.array([index.get(symbol, -1) for symbol in rows.symbol[part]], dtype=np.int64)
        bars = None
        if self._frame is not None:
            volume = np.nan_to_num(column("size"), nan=0.0)
            bars = SourceBars(
                self._frame,
                ts,
                column("open"),
                column("high"),
                column("low"),
                column("close"),
                volume,
                np.nan_to_num(column("trades"), nan=0.0),
            )
            price, sizes, ts = column("close"), volume, ts + TIMEFRAMES[self._frame].ms - 1
        elif "price" in rows.values:
            price, sizes = column("price"), column("size")
        else:
            price, sizes = (column("bid") + column("ask")) / 2.0, nothing
        trade_id = None if rows.trade_id is None else rows.trade_id[part]
        return TickBatch(who, ts, nothing, price, sizes, column("bid"), column("ask"), trade_id, bars=bars)

    def _unreadable(self, lines: tuple[int, ...], sink: Sink) -> None:
        lines = tuple(line for line in lines if line > self._bad_line)
        for line in lines[: max(0, LOGGED_LINES - self._bad)]:
            self.log.warning("line can't be read", file=self.path.name, line=line)
        self._bad += len(lines)
        if lines:
            self._bad_line = lines[-1]
            sink.unreadable(len(lines))

    def _instruments(self, symbol: str | None) -> Catalogue:
        assert self._table is not None
        if "symbol" in self._table.layout.columns:
            if not self._regular:
                raise StartRefused(
                    f"the replay {self.path} has a symbol column, which takes a file that can be read twice"
                )
            # A cell that is no symbol costs its line (it is unknown), not the file.
            names = [name for name in symbols_of(self.path, self.columns) if is_symbol(name)]
            if not names:
                raise StartRefused(f"the replay file {told(self.path)} has no symbol in its symbol column")
        else:
            names = [symbol or symbol_of(self.path.name)]
        try:
            described = [replace(unlisted(check_symbol(name)), decimals=self._table.decimals) for name in names]
        except ValueError as error:
            raise StartRefused(f"the replay file {told(self.path)}: {error}") from error
        return Catalogue(described)


def columns_of(text: str | None) -> dict[str, str]:
    """The setting REPLAY_COLUMNS: `price=last,size=qty`. Raises ConfigurationError."""
    pairs: dict[str, str] = {}
    for pair in (text or "").split(","):
        if not pair.strip():
            continue
        meaning, equals, name = (part.strip() for part in pair.partition("="))
        if not equals or meaning not in NAMES or not name:
            raise ConfigurationError(
                f"DASHBOARD_REPLAY_COLUMNS takes pairs such as price=last,size=qty with {', '.join(NAMES)} "
                f"on the left, got {pair.strip()[:40]!r}"
            )
        if meaning in pairs:
            raise ConfigurationError(f"DASHBOARD_REPLAY_COLUMNS names {meaning} twice")
        pairs[meaning] = name
    return pairs


def symbol_of(file_name: str) -> str:
    """What a file's name says of its symbol: a pair, a base with PERP behind it, else the first word in capitals."""
    words = [word for word in re.split(r"[^A-Za-z0-9^=]+", file_name.lower()) if word]
    for at, word in enumerate(words):
        if at + 1 < len(words) and words[at + 1] == "perp":
            return f"{word}-perp".upper()[:24]
        if word not in _VENUES and _PAIR.fullmatch(word):
            return word.upper()
    return (words[0] if words else "REPLAY").upper()[:24]


def _due(ts: Ints) -> Ints:
    """int64[n], ascending: when each row is reported; a lone row far ahead of its neighbours goes with them."""
    if len(ts) > 2:
        before = np.concatenate((ts[:1], ts[:-1]))
        after = np.concatenate((ts[1:], ts[-1:]))
        spike = (ts > before + SPIKE_MS) & (ts > after + SPIKE_MS)
        ts = np.where(spike, before, ts)
    return np.maximum.accumulate(ts)


def _timeframe(path: Path, rows: Rows) -> int:
    """The index of the timeframe whose length is the usual distance of a file's bars. Raises StartRefused."""
    starts = np.unique(rows.ts)
    usual = int(np.median(np.diff(starts))) if len(starts) > 1 else 0
    lengths = [frame.ms for frame in TIMEFRAMES]
    if usual not in lengths:
        names = ", ".join(frame.name for frame in TIMEFRAMES)
        raise StartRefused(f"the replay file {told(path)} has bars {usual / 1000:g} s apart; it takes bars of {names}")
    return lengths.index(usual)
