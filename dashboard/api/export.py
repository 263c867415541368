"""Everything that is kept of an instrument as a file, streamed in pieces: constant memory, the store's lock held for a
copy at a time, whole or visibly broken off. `formats` says what a piece looks like as CSV, JSON or Parquet.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

from flask import Response, request
from flask_login import current_user

from dashboard.api import formats, series
from dashboard.api.formats import Table
from dashboard.api.places import Places
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
_places = Places()


class Cut(Exception):
    """A streamed answer breaks off, so that its reader notices that the end is missing."""


def answer(
    services: Services,
    form: formats.Format,
    instrument: int,
    timeframe: int | None,
    start: int | None,
    end: int | None,
    chosen: tuple[Chosen, ...] = (),
) -> Response:
    """A file of everything that is kept in `start` <= time < `end`; `timeframe` None is ticks.

    Bars have a column for each output of the indicators `chosen` behind their own.
    Raises ServiceUnavailable where there is no place for one more; a HEAD, which has no body, needs none.
    """
    with ExitStack() as undone:
        sent = _Sent(None if request.method == "HEAD" else int(current_user.id))
        undone.callback(sent.close)
        store = services.store
        symbol = store.catalogue[instrument].symbol
        if timeframe is None:
            with store.lock:
                table = Table(symbol, "tick", store.epoch, store.seq, TICK_COLUMNS)
                span = store.tick_span(instrument, start, end)
                # The first piece at once: in a full ring the oldest tick may be gone before it is asked for.
                first = store.ticks(instrument, start=start, end=end, after_seq=0, limit=PIECE + 1)
            pieces = _tick_pieces(services, instrument, start, end, table, first)
        else:
            bars = series.read(store, instrument, timeframe, chosen, start=start, end=end)
            table = Table(symbol, TIMEFRAMES[timeframe].name, bars.epoch, bars.seq, bars.columns)
            span = (bars.rows[0, 0], bars.rows[-1, 0]) if len(bars.rows) else None
            # A timeframe keeps 14,400 bars at most: one copy of a megabyte.
            pieces = _bar_pieces(services, bars, table)
        # Without a length, as the body is; to a HEAD too.
        made = Response(sent.of(form.written(table, pieces)), mimetype=form.mimetype)
        _notice_stalled_reader()
        safe = "".join(char if char.isalnum() or char in ".-_" else "_" for char in symbol)
        begun, ended = span if span is not None else (start or 0, end or start or 0)
        name = f"{services.file_prefix}{safe}_{table.timeframe}_{_stamp(begun)}_{_stamp(ended)}.{form.extension}"
        made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        made.headers["Cache-Control"] = "no-store"
        made.headers["X-Accel-Buffering"] = "no"
        undone.pop_all()
        return made


def _bar_pieces(services: Services, bars: series.Series, table: Table) -> Iterator[Floats]:
    # Not before the first piece is asked for: a HEAD costs no indicators.
    rows = bars.table()
    for at in range(0, len(rows), PIECE):
        _go_on(services, services.store.epoch, table.epoch)
        yield rows[at : at + PIECE]


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
        self._user: int | None = None
        self._body: Iterator[bytes] = iter(())
        if user is not None:
            _places.take(user)
            self._user = user

    def of(self, pieces: Iterator[bytes]) -> _Sent:
        """Itself, with these pieces to send."""
        if self._user is not None:
            self._body = pieces
        return self

    def __iter__(self) -> _Sent:
        return self

    def __next__(self) -> bytes:
        return next(self._body)

    def close(self) -> None:
        """Give the place back; a server calls it, read to the end or not."""
        if self._user is not None:
            user, self._user = self._user, None
            _places.give(user)

    __del__ = close


def _notice_stalled_reader() -> None:
    """Let the kernel end a send that makes no progress; Werkzeug's own server has a deadline already."""
    taken = request.environ.get("gunicorn.socket")
    if isinstance(taken, socket.socket):
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALLED_S, 0))


def _stamp(ms: float) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
