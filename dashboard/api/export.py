"""Everything that is kept of an instrument as a file, streamed in pieces: constant memory, the store's lock held for a
copy at a time, whole or visibly broken off. `formats` says what a piece looks like as CSV, JSON or Parquet.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, request, url_for
from flask_login import current_user

from dashboard.api import formats, series
from dashboard.api.formats import Table
from dashboard.api.places import EXPORTS, Places
from dashboard.api.receipts import Subject, Tally
from dashboard.api.services import Services
from dashboard.errors import Lapped
from dashboard.market.bars import TIMEFRAMES
from dashboard.market.indicators import Chosen
from dashboard.market.ticks import Floats
from dashboard.store.memory import TICK_COLUMNS, Ticks

#: Rows copied and formatted at a time: 6 ms of work, 2 MB.
PIECE = 20_000
#: A reader that takes nothing for so long has gone: under a gunicorn without our worker its thread would wait for ever.
#: One that takes too little gives its place back, too: `outbox.LEAST_RATE` under gunicorn, under Werkzeug's server a
#: piece has 30 s.
STALLED_S = 30
_places = Places(EXPORTS)


class Cut(Exception):
    """A streamed answer breaks off, so that its reader notices that the end is missing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: everything that is kept in `start` <= time < `end`; `timeframe` None is ticks.

    Bars have a column for each output of the indicators `chosen` behind their own, both a local time in a `zone`.
    """

    instrument: int
    timeframe: int | None
    start: int | None
    end: int | None
    zone: str | None = None
    chosen: tuple[Chosen, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of it: `span` from the first to the last time and how many rows (None for none), `gaps` of the feed
    in it; UTC ms. `stem` is what the file's name says before the span; `start` and `end` are those that were asked for.

    The others are what a receipt says of indicators, or of a comparison (`receipts.Subject`).
    """

    table: Table
    pieces: Iterator[Floats]
    start: int | None
    end: int | None
    span: tuple[float, float, int] | None
    gaps: int
    stem: str
    indicators: str | None = None
    made_from: float | None = None
    compared: Mapping[str, Any] | None = None
    correlated_from: tuple[float | None, ...] | None = None
    forming: float | None = None


def answer(services: Services, form: formats.Format, wanted: Wanted) -> Response:
    """A file of what is wanted; raises as `send`."""
    return send(services, form, lambda: (_ticks if wanted.timeframe is None else _bars)(services, wanted))


def send(services: Services, form: formats.Format, look: Callable[[], Found]) -> Response:
    """A file of what `look` finds, once there is a place; where its receipt will be is in the header `Link`, unless the
    file carries it.

    Raises ServiceUnavailable where there is no place for one more; a HEAD, which has no body, needs none.
    """
    with ExitStack() as undone:
        sent = _Sent(None if request.method == "HEAD" else int(current_user.id))
        undone.callback(sent.close)
        found = look()
        name = _name(services, form, found)
        tally = Tally(_subject(services, form, found, name), of_rows=form.carries)
        kept = None
        if sent.user is not None and not form.carries:
            number, kept = services.receipts.begin(sent.user, f"{name}.receipt.json")
        written = tally.sent(form.written(found.table, tally.counted(found.pieces), tally.receipt), kept)
        # Without a length, as the body is; to a HEAD too.
        made = Response(sent.of(written), mimetype=form.mimetype)
        _notice_stalled_reader()
        if kept is not None:
            made.headers["Link"] = (
                f'<{url_for("api.receipt", number=number)}>; rel="describedby"; type="application/json"'
            )
        # As there is no length: for whoever shows how far it is.
        made.headers["X-Rows"] = str(found.span[2] if found.span is not None else 0)
        made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        made.headers["Cache-Control"] = "no-store"
        made.headers["X-Accel-Buffering"] = "no"
        undone.pop_all()
        return made


def safe(symbol: str) -> str:
    """A symbol as it stands in the name of a file."""
    return "".join(char if char.isalnum() or char in ".-_" else "_" for char in symbol)


def pieces(services: Services, table: Table, make: Callable[[], Floats]) -> Iterator[Floats]:
    """The rows that `make` gives, not before the first piece is asked for: a HEAD costs no indicators."""
    rows = make()
    for at in range(0, len(rows), PIECE):
        _go_on(services, services.store.epoch, table.epoch)
        yield rows[at : at + PIECE]


def _ticks(services: Services, wanted: Wanted) -> Found:
    store, at, start, end = services.store, wanted.instrument, wanted.start, wanted.end
    with store.lock:
        table = Table(store.catalogue[at].symbol, "tick", store.epoch, store.seq, TICK_COLUMNS, wanted.zone)
        span = store.tick_span(at, start, end)
        gaps = store.gaps(span[0], span[1] + 1) if span is not None else 0
        # The first piece at once: in a full ring the oldest tick may be gone before it is asked for.
        first = store.ticks(at, start=start, end=end, after_seq=0, limit=PIECE + 1)
    stem = f"{safe(table.symbol)}_{table.timeframe}"
    return Found(table, _tick_pieces(services, at, start, end, table, first), start, end, span, gaps, stem)


def _bars(services: Services, wanted: Wanted) -> Found:
    store, at = services.store, wanted.instrument
    assert wanted.timeframe is not None
    timeframe = TIMEFRAMES[wanted.timeframe]
    with store.lock:
        bars = series.read(store, at, wanted.timeframe, wanted.chosen, start=wanted.start, end=wanted.end)
        span = (bars.rows[0, 0], bars.rows[-1, 0], len(bars.rows)) if len(bars.rows) else None
        gaps = store.gaps(span[0], span[1] + timeframe.ms) if span is not None else 0
    table = Table(store.catalogue[at].symbol, timeframe.name, bars.epoch, bars.seq, bars.columns, wanted.zone)
    made_from = bars.kept[0, 0] if wanted.chosen and len(bars.kept) else None
    # A timeframe keeps 14,400 bars at most: one copy of a megabyte.
    return Found(
        table,
        pieces(services, table, bars.table),
        wanted.start,
        wanted.end,
        span,
        gaps,
        f"{safe(table.symbol)}_{table.timeframe}",
        indicators=",".join(chosen.text for chosen in wanted.chosen) or None,
        made_from=made_from,
    )


def _name(services: Services, form: formats.Format, found: Found) -> str:
    """The file's name: what is inside and from when to when."""
    begun, ended, _rows = found.span or (found.start or 0, found.end or found.start or 0, 0)
    return f"{services.file_prefix}{found.stem}_{_stamp(begun)}_{_stamp(ended)}.{form.extension}"


def _subject(services: Services, form: formats.Format, found: Found, name: str) -> Subject:
    table = found.table
    return Subject(
        file=name,
        form=form.extension,
        symbol=table.symbol,
        timeframe=table.timeframe,
        feed=services.feed_kind,
        start=found.start,
        end=found.end,
        indicators=found.indicators,
        made_from=found.made_from,
        epoch=table.epoch,
        seq=table.seq,
        zone=table.zone,
        columns=table.columns,
        header=table.header,
        gaps=found.gaps,
        made=services.store.clock.now_ms(),
        compared=found.compared,
        correlated_from=found.correlated_from,
        forming=found.forming,
    )


def _tick_pieces(
    services: Services, instrument: int, start: int | None, end: int | None, table: Table, found: Ticks
) -> Iterator[Floats]:
    """The ticks from the first piece, `found`, to `table.seq`."""
    sent, newest = 0, table.seq
    _go_on(services, services.store.epoch, table.epoch)
    while True:
        rows = found.rows[(found.rows[:, 0] > sent) & (found.rows[:, 0] <= newest)]
        if len(rows):
            yield rows
            sent = int(rows[-1, 0])
        if not found.more or found.rows[-1, 0] >= newest:
            return
        # From the row that went out last: while it is there, none behind it has been overwritten.
        found = services.store.ticks(instrument, start=start, end=end, after_seq=sent - 1, limit=PIECE + 1)
        _go_on(services, found.epoch, table.epoch)
        if not (len(found.rows) and found.rows[0, 0] == sent):
            raise Cut from Lapped("ticks of this export were overwritten meanwhile")


def _go_on(services: Services, epoch: str, begun: str) -> None:
    """Raises Cut when the data has started over or the product stops."""
    if epoch != begun or services.cut():
        raise Cut


class _Sent:
    """An answer's body while it is sent, which holds one of the user's places and gives it back at the end.

    Without a user it is empty. Raises ServiceUnavailable where there is no place.
    """

    def __init__(self, user: int | None) -> None:
        #: Who gets it, while it holds their place.
        self.user: int | None = None
        self._body: Iterator[bytes] = iter(())
        if user is not None:
            _places.take(user)
            self.user = user

    def of(self, pieces: Iterator[bytes]) -> _Sent:
        """Itself, with these pieces to send."""
        if self.user is not None:
            self._body = pieces
        return self

    def __iter__(self) -> _Sent:
        return self

    def __next__(self) -> bytes:
        return next(self._body)

    def close(self) -> None:
        """Give the place back; a server calls it, read to the end or not."""
        if self.user is not None:
            user, self.user = self.user, None
            # What has not been sent is not made any more, and its receipt hears of it.
            self._body = iter(())
            _places.give(user)

    __del__ = close


def _notice_stalled_reader() -> None:
    """Let the kernel end a send that makes no progress; Werkzeug's own server has a deadline already."""
    taken = request.environ.get("gunicorn.socket")
    if isinstance(taken, socket.socket):
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALLED_S, 0))


def _stamp(ms: float) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
