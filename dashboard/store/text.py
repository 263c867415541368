"""Rows of ticks and bars as text, CSV and JSON, without the interpreter's lock: polars formats, in a thread of its own.

Its writer prints the shortest text that parses to the same float. One thread, and one that stands behind every other
in the queue for a core: formatting is what exports spend their time on, and the stream must not wait for it
(`tests/benchmarks/beside.py`). Since that thread never holds the interpreter's lock, nobody waits for it in turn.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Read once, when polars is loaded. On two cores a second thread made exports 1.1 times faster, no more.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import polars as pl

from dashboard.market.ticks import Floats

#: Columns of whole numbers; every other is a float. Milliseconds since 1970 are whole numbers too.
WHOLE: Final = frozenset({"seq", "ts", "start", "trades", "flags"})
STAMPS: Final = frozenset({"ts", "start"})
_ISO = "%Y-%m-%dT%H:%M:%S%.3fZ"
#: A column of `table`: texts, flags or whole numbers, None for none; float64[n] or datetime64[ms][n].
Column = Sequence[str | bool | int | None] | NDArray[Any]
#: As Linux counts: 0 is everybody's, 19 the least.
NICE = 10
_begun = threading.Lock()
_ready = False


def begin() -> None:
    """Let polars make its threads now, from a thread whose low priority they inherit; again it does nothing.

    Priority can't be raised again without a privilege, so no thread that serves requests may be the one.
    """
    global _ready  # noqa: PLW0603  # polars' threads are the process's, as this is
    with _begun:
        if not _ready:
            maker = threading.Thread(target=_make_threads, name="format", daemon=True)
            maker.start()
            maker.join()
            _ready = True


def _make_threads() -> None:
    with contextlib.suppress(AttributeError, OSError):  # not Linux, or forbidden: exports then compete as equals
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    frame = pl.DataFrame({"time": [0]}).with_columns(pl.col("time").cast(pl.Datetime("ms")))
    frame.write_csv(io.BytesIO(), datetime_format=_ISO)


def csv(rows: Floats, columns: tuple[str, ...], order: tuple[str, ...]) -> bytes:
    """Lines of CSV of `rows` float64[n, len(columns)], the columns as `order` has them: stamps as ISO 8601 UTC with
    milliseconds, whole numbers as such, floats as the shortest text that is the same float, nothing for NaN."""
    series = []
    for name in order:
        column = rows[:, columns.index(name)]
        if name in STAMPS:
            series.append(pl.Series(name, column.astype(np.int64)).cast(pl.Datetime("ms")))
        else:
            series.append(_series(name, column))
    out = io.BytesIO()
    pl.DataFrame(series).write_csv(out, include_header=False, datetime_format=_ISO)
    return out.getvalue()


def json(rows: Floats, columns: tuple[str, ...]) -> bytes:
    """`rows` float64[n, len(columns)] as the JSON arrays of the API, comma between them and no bracket around them:
    `[1,2.5,null],[2,2.5,7]`; null for NaN and infinity, which JSON does not have."""
    if not len(rows):
        return b""
    if not np.isfinite(rows).all():
        rows = np.where(np.isfinite(rows), rows, np.nan)
    out = io.BytesIO()
    out.write(b"[")
    frame = pl.DataFrame([_series(name, rows[:, at]) for at, name in enumerate(columns)])
    # A row of JSON is a line of CSV with brackets around it; there are only numbers.
    frame.write_csv(out, include_header=False, null_value="null", line_terminator="],[", quote_style="never")
    out.seek(-2, io.SEEK_END)
    out.truncate()
    return out.getvalue()


def table(columns: Mapping[str, Column]) -> bytes:
    """CSV with a header of columns of one length: texts, flags and whole numbers as they are, floats and times as in
    `csv`, nothing for None, NaN and NaT; quotes where a text needs them."""
    series = [pl.Series(name, values, nan_to_null=isinstance(values, np.ndarray)) for name, values in columns.items()]
    out = io.BytesIO()
    pl.DataFrame(series).write_csv(out, datetime_format=_ISO)
    return out.getvalue()


def _series(name: str, column: Floats) -> pl.Series:
    if name in WHOLE:
        return pl.Series(name, column.astype(np.int64))
    return pl.Series(name, np.ascontiguousarray(column), nan_to_null=True)
