"""Reads files of trades, quotes or bars piece by piece: what their columns mean, and rows as arrays.

Used by `replay`; knows files and columns, not pace or markets. CSV (`.gz` too, pipes too) and Parquet.
"""

from __future__ import annotations

import codecs
import csv
import math
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dashboard.errors import FeedError, StartRefused
from dashboard.market.ticks import Floats, Ints

#: What a column may be called; compared in lower case without spaces, `_` and `-`.
NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("timestamp", "time", "datetime", "date", "ts", "opentime", "transacttime", "t"),
    "symbol": ("symbol", "ticker", "instrument", "pair", "market", "product", "productid"),
    "price": ("price", "last", "lastprice", "tradeprice", "p"),
    "size": ("quantity", "qty", "size", "volume", "amount", "vol", "q"),
    "trade_id": ("tradeid", "id", "aggtradeid", "tid"),
    "bid": ("bid", "bidprice", "bestbid"),
    "ask": ("ask", "askprice", "bestask", "offer"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "trades": ("trades", "count", "numberoftrades", "numtrades", "tradecount"),
}
KINDS = {
    "bars": ("time", "open", "high", "low", "close"),
    "quotes": ("time", "bid", "ask"),
    "trades": ("time", "price"),
}
ACCEPTED = (
    "a header with time and price (trades), time, bid and ask (quotes) or time, open, high, low and close (bars), "
    "or Kraken's headerless time,price,volume; DASHBOARD_REPLAY_COLUMNS names other columns"
)
_BLOCK = 1 << 18
_SAMPLE = 2000
#: Characters of a file's name that a message tells.
LONGEST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table holds: `kind` of KINDS, the position of each meaning's column, and whether a header comes first."""

    kind: str
    columns: Mapping[str, int]
    width: int
    header: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table in its order: `ts` int64[n] UTC ms, `symbol` texts or None, float64[n] by meaning.

    `bad` are the line numbers (from 1) between them that could not be read.
    """

    ts: Ints
    symbol: list[str] | None
    values: Mapping[str, Floats]
    trade_id: Ints | None
    bad: tuple[int, ...]


class Table:
    """A file or pipe opened for reading once. Raises StartRefused with one sentence where it is of no use."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        self.path = path
        self._lines = _parquet_lines(path) if path.suffix.lower() in (".parquet", ".pq") else _text_lines(path)
        self._number = 0
        self._ahead: list[list[str]] = []
        first = self._opening()
        if not first:
            raise StartRefused(f"the replay file {told(path)} is empty; it takes {ACCEPTED}")
        self.layout = _layout(path, first[0], columns)
        if self.layout.header:
            first = first[1:]
            self._number += 1
        if not any(first):
            self._number += len(first)
            first = self._opening()
        if not first:
            raise StartRefused(f"the replay file {told(path)} has a header and no rows")
        self._ahead = first
        sample = self._rows(first[:_SAMPLE], 0)
        if not len(sample.ts):
            raise StartRefused(
                f"the replay file {told(path)}: none of its first {len(first)} rows can be read; it takes {ACCEPTED}"
            )
        self.first = sample
        self.decimals = self._decimals(first[:_SAMPLE])

    def blocks(self) -> Iterator[Rows]:
        """Every row, in pieces. Raises FeedError where the file turns out to be damaged."""
        block = self._ahead
        while block:
            number = self._number
            self._number += len(block)
            yield self._rows(block, number)
            try:
                block = self._next_block()
            except (OSError, zlib.error) as error:
                raise FeedError(
                    f"{self.path.name} can't be read after line {self._number}: {_reason(error)}"
                ) from error

    def _opening(self) -> list[list[str]]:
        try:
            return self._first_block()
        except (OSError, FeedError, zlib.error) as error:
            raise StartRefused(f"the replay file {told(self.path)} can't be read: {_reason(error)}") from error

    def _first_block(self) -> list[list[str]]:
        """The next block from its first row on; blank lines before it are counted."""
        while block := self._next_block():
            blank = next((at for at, row in enumerate(block) if row), len(block))
            self._number += blank
            if blank < len(block):
                return block[blank:]
        return []

    def _next_block(self) -> list[list[str]]:
        """The next rows; none at the end."""
        return next((block for block in self._lines if block), [])

    def _rows(self, block: list[list[str]], number: int) -> Rows:
        width = self.layout.width
        whole = np.array([len(row) == width for row in block], dtype=np.bool_)
        filler = [""] * width
        cells = list(zip(*(row if fits else filler for row, fits in zip(block, whole, strict=True)), strict=True))
        columns = self.layout.columns
        ts, good = _times(cells[columns["time"]])
        good &= whole
        values: dict[str, Floats] = {}
        for meaning, at in columns.items():
            if meaning in ("time", "symbol", "trade_id"):
                continue
            values[meaning], readable = _numbers(cells[at])
            good &= readable
        trade_id: Ints | None = None
        if "trade_id" in columns:
            ids, readable = _ids(cells[columns["trade_id"]])
            good &= readable
            trade_id = ids[good]
        symbol = None
        if "symbol" in columns:
            symbol = [text.strip().upper() for text, fine in zip(cells[columns["symbol"]], good, strict=True) if fine]
        blank = np.array([not row for row in block], dtype=np.bool_)
        bad = tuple((np.flatnonzero(~good & ~blank) + number + 1).tolist())
        return Rows(ts[good], symbol, {name: column[good] for name, column in values.items()}, trade_id, bad)

    def _decimals(self, block: list[list[str]]) -> int:
        meanings = ("price", "bid", "ask", "open", "high", "low", "close")
        at = [self.layout.columns[meaning] for meaning in meanings if meaning in self.layout.columns]
        most = 0
        for row in block:
            for cell in (row[position] for position in at if position < len(row)):
                _whole, _dot, part = cell.strip().partition(".")
                if part.isdigit():
                    most = max(most, len(part.rstrip("0")))
        return min(most, 8)


def symbols_of(path: Path, columns: Mapping[str, str]) -> list[str]:
    """Every symbol in a file's symbol column, in the order of appearance."""
    found: dict[str, None] = {}
    for rows in Table(path, columns).blocks():
        found.update(dict.fromkeys(rows.symbol or ()))
    return list(found)


def _layout(path: Path, first: list[str], given: Mapping[str, str]) -> Layout:
    plain = [_plain(cell) for cell in first]
    header = not all(_is_number(cell) for cell in first)
    columns: dict[str, int] = {}
    for meaning, name in given.items():
        if header and _plain(name) in plain:
            columns[meaning] = plain.index(_plain(name))
        elif name.isdecimal() and 1 <= int(name) <= len(first):
            columns[meaning] = int(name) - 1
        else:
            has = ", ".join(cell[:20] for cell in first[:12])
            raise StartRefused(f"DASHBOARD_REPLAY_COLUMNS: {path.name} has no column {name[:40]!r}; it has {has}")
    if header:
        for meaning, names in NAMES.items():
            if meaning not in columns:
                at = next((plain.index(name) for name in names if name in plain), None)
                if at is not None and at not in columns.values():
                    columns[meaning] = at
    elif not columns and len(first) == 3:
        columns = {"time": 0, "price": 1, "size": 2}
    for kind, needed in KINDS.items():
        if all(meaning in columns for meaning in needed):
            return Layout(kind, columns, len(first), header)
    has = ", ".join(cell[:20] or "nothing" for cell in first[:12])
    raise StartRefused(f"the replay file {told(path)} has the columns {has}; it takes {ACCEPTED}")


def told(path: Path | str) -> str:
    """A file's name in a message, which is to stay a sentence."""
    name = "".join(" " if each.isspace() else each for each in str(path))
    return name if len(name) <= LONGEST_TOLD else f"{name[:LONGEST_TOLD]}…"


def _text_lines(path: Path) -> Iterator[list[list[str]]]:
    """Blocks of split lines; takes what is there, so that a pipe's rows come when they are written."""
    unzip = zlib.decompressobj(31) if path.suffix.lower() == ".gz" else None
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    rest, mark = b"", codecs.BOM_UTF8
    try:
        while piece := os.read(descriptor, _BLOCK):
            if unzip is not None:
                piece = unzip.decompress(piece)
                while unzip.eof and unzip.unused_data:
                    more, unzip = unzip.unused_data, zlib.decompressobj(31)
                    piece += unzip.decompress(more)
            whole, newline, rest = (rest + piece).rpartition(b"\n")
            if newline:
                yield _split(whole.removeprefix(mark) + newline)
                mark = b""
            if len(rest) > 1 << 20:
                raise FeedError("a line is longer than 1 MB; this is no table")
        if unzip is not None and not unzip.eof:  # what is left may end within a number
            raise FeedError("the compressed data ends too soon; the file is truncated")
        if rest:
            yield _split(rest.removeprefix(mark))
    finally:
        os.close(descriptor)


def _split(text: bytes) -> list[list[str]]:
    """Rows of cells, one for each line, none for a blank one; a quote that stays open ends with its line."""
    # Not by str.splitlines, to which eight more characters are ends of lines.
    decoded = text.decode("utf-8", "replace").replace("\0", "\ufffd")
    lines = decoded.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[-1]:
        del lines[-1]
    if b'"' in text or max(map(len, lines), default=0) > csv.field_size_limit():
        return [_cells(line) for line in lines]
    return list(csv.reader(lines))


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a cell is too long: this is no row
        return [line[:100]]


def _parquet_lines(path: Path) -> Iterator[list[list[str]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        yield [list(file.schema_arrow.names)]
        for batch in file.iter_batches(20_000):
            # Without pandas' own notes in the file, which turn a column into an index; by position, as two columns
            # may have one name.
            frame = batch.to_pandas(ignore_metadata=True)
            columns = [_texts(frame.iloc[:, at]) for at in range(frame.shape[1])]
            yield [list(row) for row in zip(*columns, strict=True)]
    except (pyarrow.ArrowException, ValueError) as error:
        raise FeedError(f"it is no Parquet file: {_reason(error)}") from error


def _texts(column: pd.Series[Any]) -> list[str]:
    """The cells of a column as a CSV would have them."""
    if str(column.dtype).startswith("datetime64"):
        stamps = column if column.dt.tz is not None else column.dt.tz_localize("UTC")
        column = stamps.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return [_text(value) for value in column.tolist()]


def _text(value: object) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _times(cells: tuple[str, ...]) -> tuple[Ints, np.typing.NDArray[np.bool_]]:
    """(UTC ms int64[n], readable bool[n]) of ISO 8601 texts or of epoch seconds, ms, µs or ns by their size."""
    series = pd.Series(cells, dtype="object")
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    size = np.abs(numbers)
    good = size < 1e20
    with np.errstate(invalid="ignore", over="ignore"):
        scale = np.select([size < 1e11, size < 1e14, size < 1e17], [1e3, 1.0, 1e-3], 1e-6)
        ts = np.where(good, np.floor(np.round(numbers * scale, 3)), 0).astype(np.int64)
    texts = np.flatnonzero(np.isnan(numbers))
    if len(texts):
        stamps = pd.to_datetime(series.iloc[texts], utc=True, format="ISO8601", errors="coerce")
        good[texts] = stamps.notna().to_numpy()
        ts[texts] = np.where(good[texts], stamps.dt.as_unit("ms").astype("int64").to_numpy(), 0)
    return ts, good


def _numbers(cells: tuple[str, ...]) -> tuple[Floats, np.typing.NDArray[np.bool_]]:
    """(float64[n], readable bool[n]); the texts nan and inf are numbers, for the checks to refuse.

    A cell means the same whatever stands in the others: Python's `1_000` is never a number.
    """
    if "_" not in "".join(cells):
        try:
            numbers = np.array(cells, dtype=np.float64)
            return numbers, np.ones(len(numbers), dtype=np.bool_)
        except ValueError:
            pass
    found = [_float(cell) for cell in cells]
    return (
        np.array([math.nan if number is None else number for number in found], dtype=np.float64),
        np.array([number is not None for number in found], dtype=np.bool_),
    )


def _ids(cells: tuple[str, ...]) -> tuple[Ints, np.typing.NDArray[np.bool_]]:
    """(int64[n], readable bool[n]) of trade ids; one that can't be read takes no digit from the others."""
    numbers = pd.to_numeric(pd.Series(cells, dtype="object"), errors="coerce")
    if numbers.dtype == np.int64:
        return np.asarray(numbers.to_numpy()), np.ones(len(numbers), dtype=np.bool_)
    found = [_id(cell) for cell in cells]
    return (
        np.array([number or 0 for number in found], dtype=np.int64),
        np.array([number is not None for number in found], dtype=np.bool_),
    )


def _float(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _id(cell: str) -> int | None:
    """A whole number of 64 bits, folded into int64 where it has no sign; `7.0` is one too."""
    found = re.fullmatch(r"\s*([-+]?[0-9]{1,20})(?:\.0*)?\s*", cell)
    if found is None:
        return None
    number = int(found[1])
    return (number + 2**63) % 2**64 - 2**63 if -(2**63) <= number < 2**64 else None


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", cell))


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name.lower())


def _reason(error: BaseException) -> str:
    return " ".join((getattr(error, "strerror", None) or str(error)).split())[:160]
