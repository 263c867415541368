"""The files that an export can be: pieces of rows as they come from the store in, bytes to send out.

Each begins with bytes that need no row, so that its reader has the first at once. CSV and JSON are formatted by
`store.text`, which prints the shortest text that parses to the same float; text cells do not occur, so nothing can be
run as a formula by a spreadsheet. Parquet is written by pyarrow, a row group at a time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import orjson

from dashboard.market.ticks import Floats
from dashboard.store import text

#: Gives the export's receipt as JSON, once its pieces have ended (`receipts`).
Receipt = Callable[[], bytes]
#: Pieces in a row group of Parquet: 60,000 rows, 3 MB before they are encoded.
GROUP = 3


@dataclass(frozen=True, slots=True)
class Table:
    """What an export is of, and when it was asked for; its pieces are float64[n, len(columns)]."""

    symbol: str
    timeframe: str
    epoch: str
    seq: int
    columns: tuple[str, ...]
    #: With one, a last column `local_time` tells the time in it.
    zone: str | None = None
    #: What else is said of it in the head of a file that has one.
    more: Mapping[str, str | list[str]] = field(default_factory=dict)

    @property
    def stamp(self) -> str:
        """The column that is called `time` in a file."""
        return next(name for name in self.columns if name in text.STAMPS)

    @property
    def in_time_order(self) -> tuple[str, ...]:
        """The columns as a file has them: the time first."""
        return (self.stamp, *(name for name in self.columns if name != self.stamp))

    @property
    def header(self) -> tuple[str, ...]:
        """Their names in a file."""
        local = () if self.zone is None else (text.LOCAL_TIME,)
        return ("time", *self.in_time_order[1:], *local)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file; `written` makes its bytes of a table's pieces, as they are asked for. It may ask for the receipt
    when the pieces have ended; a file that `carries` it has it inside."""

    extension: str
    mimetype: str
    written: Callable[[Table, Iterator[Floats], Receipt], Iterator[bytes]]
    carries: bool = False


def _csv(table: Table, pieces: Iterator[Floats], _receipt: Receipt) -> Iterator[bytes]:
    yield ",".join(table.header).encode() + b"\n"
    for rows in pieces:
        yield text.csv(rows, table.columns, table.in_time_order, table.zone)


def _json(table: Table, pieces: Iterator[Floats], _receipt: Receipt) -> Iterator[bytes]:
    head = {
        "epoch": table.epoch,
        "seq": table.seq,
        "symbol": table.symbol,
        "timeframe": table.timeframe,
        **table.more,
        "columns": table.columns if table.zone is None else (*table.columns, text.LOCAL_TIME),
    }
    yield orjson.dumps(head)[:-1] + b',"data":['
    comma = b""
    for rows in pieces:
        yield comma + text.json(rows, table.columns, table.zone)
        comma = b","
    yield b"]}"


class _Sink(io.RawIOBase):
    """What has been written and not yet taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any, /) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def take(self) -> bytes:
        """Everything since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _parquet(table: Table, pieces: Iterator[Floats], receipt: Receipt) -> Iterator[bytes]:
    # Not at the start: loading it takes 0.1 s, and few ask for it.
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    def batch(rows: Floats) -> Any:
        columns = dict(zip(table.columns, np.ascontiguousarray(rows.T), strict=True))
        arrays = [column(name, columns[name]) for name in table.in_time_order]
        # The same instant again; the zone is the type's.
        return pyarrow.RecordBatch.from_arrays(
            arrays if table.zone is None else [*arrays, arrays[0].cast(kinds[-1])], schema=schema
        )

    def column(name: str, values: Floats) -> Any:
        if name in text.STAMPS:
            return pyarrow.array(values.astype("datetime64[ms]"), pyarrow.timestamp("ms", "UTC"))
        if name in text.WHOLE:
            return pyarrow.array(values.astype(np.int64))
        missing = np.isnan(values)
        return pyarrow.array(values, mask=missing if missing.any() else None)

    stamps = {"time": "UTC", text.LOCAL_TIME: table.zone}
    whole = [name for name in table.header if name in stamps or name in text.WHOLE]
    kinds = [
        pyarrow.timestamp("ms", stamps[name])
        if name in stamps
        else pyarrow.int64()
        if name in whole
        else pyarrow.float64()
        for name in table.header
    ]
    schema = pyarrow.schema(
        list(zip(table.header, kinds, strict=True)),
        {
            "symbol": table.symbol,
            "timeframe": table.timeframe,
            "epoch": table.epoch,
            "seq": str(table.seq),
            **{name: said if isinstance(said, str) else ",".join(said) for name, said in table.more.items()},
        },
    )
    sink = _Sink()
    # Numbers that grow by little steps as their differences, prices as places in a list of them: a third of the size
    # that pandas writes, in the same time (tests/benchmarks/export.py). Plain columns would take three quarters of the
    # time and ten times the size.
    writer = ParquetWriter(
        sink,
        schema,
        use_dictionary=[name for name in table.header if name not in whole],
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
    )
    try:
        yield sink.take()
        while group := [batch(rows) for rows in islice(pieces, GROUP)]:
            rows = pyarrow.Table.from_batches(group)
            writer.write_table(rows, row_group_size=len(rows))
            yield sink.take()
    except BaseException:
        # No footer: what was sent so far is no Parquet file, and its reader notices.
        writer.is_open = False
        raise
    writer.add_key_value_metadata({"receipt": receipt()})
    writer.close()
    yield sink.take()


CSV = Format("csv", "text/csv", _csv)
JSON = Format("json", "application/json", _json)
PARQUET = Format("parquet", "application/vnd.apache.parquet", _parquet, carries=True)
FORMATS = (CSV, JSON, PARQUET)
