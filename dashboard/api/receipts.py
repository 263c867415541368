"""Receipts of exports: what a file was made of, so that anybody can say later whether it still is what the store has.

A stream does not know its end at its beginning, and the store goes on meanwhile: a bar is corrected, an old tick
overwritten. So nothing is cut a second time for the receipt. It is counted and hashed of the very pieces that go out,
and is there when the last one has gone. Parquet has it in its own metadata (key `receipt`), written with the footer.
CSV and JSON keep the shape that the contract gives them; their receipt is a file beside them (`NAME.receipt.json`), at
the address that the answer's header `Link: <…>; rel="describedby"` names, kept in this process for its user's newest
exports. (A hash in an HTTP trailer could not be read by a browser; one in the head could not be known.)
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from dashboard import __version__
from dashboard.market.bars import Flag
from dashboard.market.ticks import Floats
from dashboard.store.text import STAMPS

#: Version of the receipt's shape.
VERSION = 1
#: Receipts kept: of a user, and of everybody; the oldest go first. One is about a kilobyte.
OF_A_USER, OF_ALL = 50, 1000


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of an export before its first row; times are UTC ms, `gaps` the breaks of the feed in its span,
    `indicators` those beside the bars as `parse` reads them, and `made_from` the oldest bar that they were made of.

    Of a comparison `compared` are its parameters beside the range, by name, `correlated_from` the oldest bar of each
    instrument that correlations were made of, and `forming` the bar that is; bars say the last by their flags."""

    file: str
    form: str
    symbol: str
    timeframe: str
    feed: str
    start: int | None
    end: int | None
    indicators: str | None
    made_from: float | None
    epoch: str
    seq: int
    zone: str | None
    columns: tuple[str, ...]
    header: tuple[str, ...]
    gaps: int
    made: float
    compared: Mapping[str, Any] | None = None
    correlated_from: tuple[float | None, ...] | None = None
    forming: float | None = None


class Tally:
    """Counts and hashes an export while it is made. One export, one thread."""

    def __init__(self, about: Subject, *, of_rows: bool) -> None:
        """`of_rows`: the hash is of the rows instead of the file's bytes, because the receipt lies in the file."""
        self._about, self._of_rows = about, of_rows
        self._hash = hashlib.sha256()
        self._rows = self._bytes = 0
        self._flags = dict.fromkeys((Flag.GAP, Flag.CORRECTED), 0)
        self._first = self._last = float("nan")
        self._forming = float("nan") if about.forming is None else about.forming
        self._seqs: tuple[int, int] | None = None

    def counted(self, pieces: Iterator[Floats]) -> Iterator[Floats]:
        """The same pieces, float64[n, len(columns)], counted."""
        columns = self._about.columns
        stamp = next(at for at, name in enumerate(columns) if name in STAMPS)
        for rows in pieces:
            if len(rows):
                times = rows[:, stamp]
                self._first = float(np.fmin(self._first, times.min()))
                self._last = float(np.fmax(self._last, times.max()))
                self._rows += len(rows)
                if "seq" in columns:
                    seqs = rows[:, columns.index("seq")]
                    self._seqs = (self._seqs[0] if self._seqs else int(seqs[0]), int(seqs[-1]))
                if "flags" in columns:
                    flags = rows[:, columns.index("flags")].astype(np.int64)
                    for flag in self._flags:
                        self._flags[flag] += int(np.count_nonzero(flags & flag))
                    self._forming = float("nan") if flags[-1] & Flag.CLOSED else float(times[-1])
                if self._of_rows:
                    self._hash.update(canonical(rows, columns))
            yield rows

    def sent(self, pieces: Iterator[bytes], kept: Kept | None) -> Iterator[bytes]:
        """The same bytes, counted; `kept` gets the receipt before their end is told, or hears that they broke off."""
        try:
            for piece in pieces:
                if not self._of_rows:
                    self._hash.update(piece)
                    self._bytes += len(piece)
                yield piece
        except BaseException:
            if kept is not None:
                kept.broken = True
            raise
        if kept is not None:
            kept.receipt = self.receipt()

    def receipt(self) -> bytes:
        """The receipt as JSON, of what has been counted until now."""
        about = self._about
        seqs = self._seqs if "seq" in about.columns else (1, about.seq) if about.seq else None
        bars = "flags" in about.columns
        if about.compared is None:
            beside: Mapping[str, Any] = {"indicators": about.indicators}
            made_from: dict[str, Any] = {"indicators_from": iso(about.made_from)}
        else:
            beside, made = about.compared, about.correlated_from
            made_from = {"correlations_from": None if made is None else [iso(each) for each in made]}
        body: dict[str, Any] = {
            "receipt": VERSION,
            "product": f"Tickboard {__version__}",
            "file": about.file,
            "format": about.form,
            "symbol": about.symbol,
            "timeframe": about.timeframe,
            "feed": about.feed,
            "made": iso(about.made),
            "asked": {"start": iso(about.start), "end": iso(about.end), **beside},
            "given": {"first": iso(self._first), "last": iso(self._last)},
            **made_from,
            "zone": about.zone or "UTC",
            "epoch": about.epoch,
            "seq": about.seq,
            "first_seq": seqs[0] if seqs else None,
            "last_seq": seqs[1] if seqs else None,
            "columns": list(about.header),
            "rows": self._rows,
            "gaps": about.gaps,
            "gap_bars": self._flags[Flag.GAP] if bars else None,
            "corrected_bars": self._flags[Flag.CORRECTED] if bars else None,
            "forming": iso(self._forming),
            "sha256": self._hash.hexdigest(),
            "sha256_of": "rows" if self._of_rows else "file",
            "bytes": None if self._of_rows else self._bytes,
        }
        return orjson.dumps(body, option=orjson.OPT_INDENT_2)


def canonical(rows: Floats, columns: tuple[str, ...]) -> bytes:
    """The bytes of `rows` float64[n, len(columns)] that `sha256_of: rows` hashes: row by row, the time first, then the
    others in the file's order, each an IEEE 754 binary64, little endian; times are UTC ms, what is missing is the quiet
    NaN 0x7ff8000000000000. `local_time` is no part of it."""
    order = sorted(range(len(columns)), key=lambda at: columns[at] not in STAMPS)
    ordered = np.ascontiguousarray(rows[:, order], dtype="<f8")
    ordered[np.isnan(ordered)] = np.nan
    return ordered.tobytes()


def iso(ms: float | None) -> str | None:
    """UTC ms as the exports write times; None for None and NaN."""
    if ms is None or np.isnan(ms):
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Kept:
    """The receipt of one export: None until it has ended, and for good where it has `broken` off."""

    user: int
    name: str
    receipt: bytes | None = None
    broken: bool = False


class Receipts:
    """The newest receipts, by their ids; each is its user's alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, user: int, name: str) -> tuple[str, Kept]:
        """A place for the receipt of an export that begins, and its id."""
        made = Kept(user, name)
        number = secrets.token_hex(8)
        with self._lock:
            self._kept[number] = made
            theirs = [key for key, kept in self._kept.items() if kept.user == user]
            for key in theirs[:-OF_A_USER]:
                del self._kept[key]
            while len(self._kept) > OF_ALL:
                self._kept.popitem(last=False)
        return number, made

    def find(self, user: int, number: str) -> Kept | None:
        """The receipt of that id, if it is this user's and still kept."""
        with self._lock:
            kept = self._kept.get(number)
        return kept if kept is not None and kept.user == user else None
