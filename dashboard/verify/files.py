"""An exported file as rows, after its receipt has been read and its hash compared with it.

Every byte here may be anybody's: what is not as an export is gets one sentence.
"""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from dashboard.api.receipts import VERSION, canonical
from dashboard.errors import BadParameter, DashboardError
from dashboard.market import comparison
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.indicators import columns as names
from dashboard.market.indicators import parse
from dashboard.market.instruments import is_symbol
from dashboard.market.ticks import Floats
from dashboard.store.change import BAR_COLUMNS
from dashboard.store.memory import TICK_COLUMNS
from dashboard.store.text import LOCAL_TIME, STAMPS

#: A receipt is a kilobyte; what is longer is something else.
LONGEST_RECEIPT = 65_536
#: The columns of an export without indicators.
_OF_BARS = ("time", *(name for name in BAR_COLUMNS if name not in STAMPS))
_OF_TICKS = ("time", *(name for name in TICK_COLUMNS if name not in STAMPS))
_CHUNK = 1 << 20
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
#: Nothing that a terminal would take for more than a word.
_EPOCH = re.compile(r"[A-Za-z0-9]{1,40}")


class Damaged(DashboardError):
    """The file is not what its receipt is of."""


class Missing(DashboardError):
    """There is no such file."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a receipt says, as far as it is needed. `columns` are the file's without `local_time`, the time first, the
    first `own` of them those of ticks or bars, the others the indicators'; `asked` are the parameters of the export by
    name; `forming` is the time of the bar that was; `made_from` are the instruments of whose bars the others were made,
    each with the time of the oldest one (None for none), UTC ms.

    Of a comparison with the instruments `compared` the first `own` are closes, a spread or a ratio; then come
    `indices`, which count from a bar of the file, and correlations, which are made of bars before it too."""

    symbol: str
    timeframe: str
    epoch: str
    seq: int
    rows: int
    columns: tuple[str, ...]
    own: int
    asked: dict[str, str]
    forming: int | None
    made_from: tuple[tuple[str, int | None], ...]
    made: int
    form: str
    sha256: str
    size: int | None
    compared: tuple[str, ...] = ()
    indices: int = 0


def read(path: Path, receipt: Path | None) -> tuple[Claim, Floats]:
    """(receipt, rows float64[n, len(columns)]) of an exported file; times are UTC ms, NaN is for nothing.

    Raises Damaged where the file is not the receipt's, DashboardError where there is no file or no receipt.
    """
    with _opened(path) as file:
        begins = file.read(4)
    if begins == b"PAR1":
        return _parquet(path)
    beside = receipt or path.with_name(f"{path.name}.receipt.json")
    try:
        with _opened(beside) as file:
            claim = _claim(file.read(LONGEST_RECEIPT + 1), named(beside))
    except Missing:
        if receipt is not None:
            raise
        raise DashboardError(
            f"{named(path)} has no receipt beside it ({named(beside)}): export again with one, or say where it is "
            "with --receipt"
        ) from None
    if claim.form == "parquet":
        raise Damaged(f"{named(path)} is no Parquet file, which its receipt says it is")
    _compare_hash(path, claim)
    try:
        rows = _csv(path, claim) if claim.form == "csv" else json_rows(_loaded(path), claim.columns)
    except (ValueError, TypeError, KeyError, OverflowError, pl.exceptions.PolarsError):
        raise DashboardError(
            f"{named(path)} is no {claim.form.upper()} of the columns that its receipt names"
        ) from None
    return claim, _counted(path, claim, rows)


def json_rows(body: Any, columns: tuple[str, ...]) -> Floats:
    """float64[n, len(columns)] of an export as JSON. Raises ValueError, TypeError or KeyError where it is none, or
    lacks a column."""
    names = ["time" if name in STAMPS else name for name in body["columns"]]
    wanted = [names.index(name) for name in columns]
    rows = [[row[at] for at in wanted] for row in body["data"]]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))


def named(path: Path) -> str:
    """A path as it can be printed anywhere."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _opened(path: Path) -> Any:
    """The file, open for reading. Raises DashboardError where that can't be."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "no regular file"
            raise DashboardError(f"{named(path)} is {kind}; an exported file is needed")
        return path.open("rb")
    except FileNotFoundError:
        raise Missing(f"there is no file {named(path)}") from None
    except OSError as error:
        raise DashboardError(f"{named(path)} can't be read: {error.strerror or error}") from None


def _claim(body: bytes, where: str) -> Claim:
    """What a receipt says. Raises DashboardError where it is none."""
    try:
        if len(body) > LONGEST_RECEIPT:
            raise ValueError("too long")
        said = orjson.loads(body)
        version = said["receipt"]
        if isinstance(version, int) and version > VERSION:
            raise DashboardError(
                f"{where} is a receipt of version {version}, from a newer product; this one reads up to {VERSION}"
            )
        asked = {str(name): _text(value) for name, value in said["asked"].items() if value is not None}
        columns = tuple(str(name) for name in said["columns"] if name != LOCAL_TIME)
        symbol, timeframe = str(said["symbol"]), str(said["timeframe"])
        of = _comparison(said, asked) if "compare" in asked else _series(said, asked)
        claim = Claim(
            symbol=symbol,
            timeframe=timeframe,
            epoch=str(said["epoch"]),
            seq=int(said["seq"]),
            rows=int(said["rows"]),
            columns=columns,
            own=of.own,
            asked=asked,
            forming=_ms_or_none(said["forming"]),
            made_from=of.made_from,
            made=_ms(said["made"]),
            form=str(said["format"]),
            sha256=str(said["sha256"]),
            size=None if said["bytes"] is None else int(said["bytes"]),
            compared=of.compared,
            indices=of.indices,
        )
        good = (
            version == VERSION
            and claim.form in ("csv", "json", "parquet")
            and (claim.timeframe == "tick" or claim.timeframe in TIMEFRAME_INDEX)
            and set(asked) <= {"start", "end", *of.parameters}
            and columns == of.columns
            and not (claim.timeframe == "tick" and (claim.compared or claim.made_from))
            and not (claim.rows and claim.made_from and claim.made_from[0][1] is None)
            and _HASH.fullmatch(claim.sha256) is not None
            and is_symbol(claim.symbol)
            and _EPOCH.fullmatch(claim.epoch) is not None
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, BadParameter):
        good = False
    if not good:
        raise DashboardError(f"{where} is no receipt of an export")
    return claim


@dataclass(frozen=True, slots=True)
class _Made:
    """What a receipt says of how the columns were made; the fields that `Claim` has are as there."""

    parameters: tuple[str, ...]
    columns: tuple[str, ...]
    own: int
    made_from: tuple[tuple[str, int | None], ...]
    compared: tuple[str, ...] = ()
    indices: int = 0


def _series(said: Any, asked: dict[str, str]) -> _Made:
    """Of ticks or bars, with indicators or without."""
    own = _OF_TICKS if said["timeframe"] == "tick" else _OF_BARS
    indicators = names(parse(asked["indicators"])) if "indicators" in asked else ()
    made_from = _ms_or_none(said["indicators_from"])
    return _Made(
        ("indicators",), (*own, *indicators), len(own), ((str(said["symbol"]), made_from),) if indicators else ()
    )


def _comparison(said: Any, asked: dict[str, str]) -> _Made:
    """Of compared instruments. Raises ValueError, TypeError or KeyError where it is none."""
    compared, mode = tuple(asked["compare"].split(",")), asked["mode"]
    symbols = (str(said["symbol"]), *compared)
    window = int(asked["correlation"]) if "correlation" in asked else None
    oldest = [None if each is None else _ms(each) for each in said["correlations_from"]] if window else []
    if (
        len(compared) > comparison.MOST
        or len(set(symbols)) < len(symbols)
        or not all(map(is_symbol, symbols))
        or mode not in comparison.MODES
        or (mode == "spread") != ("factor" in asked)
        or not 0 < abs(float(asked.get("factor", 1))) <= comparison.MOST_FACTOR
        or (window is not None and not comparison.LEAST_WINDOW <= window <= comparison.MOST_WINDOW)
        or (window is not None and len(oldest) != len(symbols))
        or int(asked.get("limit", 1)) < 1
    ):
        raise ValueError(symbols)
    columns = ("time", *comparison.columns(symbols, mode, window))
    indices = len(symbols) if mode == "indexed" else 0
    own = len(columns) - indices - (len(compared) if window else 0)
    made_from = tuple(zip(symbols, oldest, strict=True)) if window else ()
    return _Made(("compare", "mode", "factor", "correlation", "limit"), columns, own, made_from, compared, indices)


def _text(value: Any) -> str:
    """A parameter as it is asked for."""
    return comparison.plain(value) if isinstance(value, float) else str(value)


def _ms(text: Any) -> int:
    if not isinstance(text, str) or not _ISO.fullmatch(text):
        raise ValueError(text)
    return int(np.datetime64(text[:-1], "ms").astype(np.int64))


def _ms_or_none(text: Any) -> int | None:
    return None if text is None else _ms(text)


def _compare_hash(path: Path, claim: Claim) -> None:
    found, size = hashlib.sha256(), 0
    try:
        with _opened(path) as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise DashboardError(f"{named(path)} can't be read: {error.strerror or error}") from None
    if claim.size is not None and size != claim.size:
        raise Damaged(f"{named(path)} has {size:,} bytes, its receipt says {claim.size:,}")
    if found.hexdigest() != claim.sha256:
        raise Damaged(f"{named(path)} has been changed: its SHA-256 is {found.hexdigest()}, not {claim.sha256}")


def _counted(path: Path, claim: Claim, rows: Floats) -> Floats:
    if len(rows) != claim.rows:
        raise Damaged(f"{named(path)} has {len(rows):,} rows, its receipt says {claim.rows:,}")
    return rows


def _loaded(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def _csv(path: Path, claim: Claim) -> Floats:
    with path.open("rb") as file:
        header = file.readline(LONGEST_RECEIPT).decode().rstrip("\n").split(",")
    if tuple(name for name in header if name != LOCAL_TIME) != claim.columns:
        raise ValueError(header)
    words = ("time", LOCAL_TIME)
    schema: Any = {name: pl.String if name in words else pl.Float64 for name in header}
    frame = pl.read_csv(path, schema=schema)
    stamps = frame["time"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms", strict=True)
    columns = [stamps.cast(pl.Int64).cast(pl.Float64), *(frame[name] for name in claim.columns[1:])]
    return np.stack([column.fill_null(float("nan")).to_numpy() for column in columns], axis=1)


def _parquet(path: Path) -> tuple[Claim, Floats]:
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            body = (file.metadata.metadata or {}).get(b"receipt")
            if body is None:
                raise DashboardError(f"{named(path)} carries no receipt: it is no export of this product")
            claim = _claim(body, f"what {named(path)} carries")
            table = file.read(columns=list(claim.columns))
        if table.column_names != list(claim.columns):
            raise Damaged(f"{named(path)} has not the columns that its receipt names")
        times = table["time"].cast(pyarrow.timestamp("ms", "UTC")).cast(pyarrow.int64())
        columns = [times, *(table[name] for name in claim.columns[1:])]
        rows = np.stack(
            [column.cast(pyarrow.float64()).to_numpy(zero_copy_only=False) for column in columns], axis=1
        ).astype(np.float64)
    except (pyarrow.ArrowException, ValueError, OSError) as error:
        if isinstance(error, PermissionError):
            raise DashboardError(f"{named(path)} can't be read: {error.strerror}") from None
        raise Damaged(
            f"{named(path)} begins as Parquet and can't be read as such: it is cut off or overwritten"
        ) from None
    _counted(path, claim, rows)
    found = hashlib.sha256(canonical(rows, ("start", *claim.columns[1:]))).hexdigest()
    if found != claim.sha256:
        raise Damaged(f"{named(path)} has been changed: the SHA-256 of its rows is {found}, not {claim.sha256}")
    return claim, rows
