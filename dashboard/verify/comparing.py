"""Whether rows of an exported file are what the store has now, and if not, where they first differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.api.receipts import iso
from dashboard.errors import DashboardError
from dashboard.market.bars import Flag
from dashboard.market.ticks import Floats
from dashboard.verify.files import Claim, json_rows
from dashboard.verify.product import Product, Refused

#: Exit statuses of `verify`; 2 is a bad command line, 3 that nothing can be said.
EQUAL, DIFFERS, GONE, DAMAGED = 0, 1, 4, 5
#: How near indicators are to those that were made of more bars, where they are told as equal.
DIGITS = 1e-9
ALMOST = ", indicators to nine digits, for the oldest bars that they were made of are no longer kept"
APART = " but for indicators, which can't be compared"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The exit status, and the one sentence."""

    status: int
    sentence: str


def judge(claim: Claim, rows: Floats, product: Product, *, closed: bool) -> Verdict:
    """Compare `rows` float64[n, len(claim.columns)] with what `product` has of the same series and range.

    Ticks are compared up to the sequence number at which they were cut, bars up to the file's last: what came after is
    no difference. Rows that the store had to overwrite are no difference either, but nothing can be said of them.
    """
    of = f"{claim.symbol} {claim.timeframe}"
    ticks = claim.timeframe == "tick"
    key = claim.columns.index("seq") if ticks else 0
    if not (np.isfinite(rows[:, (0, key)]).all() and (np.diff(rows[:, key]) > 0).all()):
        return Verdict(DAMAGED, f"damaged: the rows of {of} are not in the order of an export")
    asked = claim.asked | {"timeframe": claim.timeframe}
    if len(rows) and not ticks:
        # Indicators are made of the same bars again, so that their last bits are the same, too.
        asked["end"] = str(int(rows[-1, 0]) + 1)
    try:
        body = product.get(f"/export/{claim.symbol}.json", asked)
    except Refused as refused:
        if refused.status == 404:
            return Verdict(GONE, f"no longer kept: {product.url} has no instrument {claim.symbol!r} now")
        raise
    try:
        epoch = str(body["epoch"])
        store = json_rows(body, claim.columns)
    except (ValueError, TypeError, KeyError):
        raise DashboardError(f"{product.url} gives no {claim.symbol} with the columns of the file") from None
    if epoch != claim.epoch:
        return Verdict(
            GONE, f"no longer kept: the file is of epoch {claim.epoch}, the store began anew since and has {epoch}"
        )
    cut = claim.seq if ticks else rows[-1, 0] if len(rows) else claim.made
    return _compared(claim, rows, store[store[:, key] <= cut], product, closed=closed)


def _compared(claim: Claim, rows: Floats, store: Floats, product: Product, *, closed: bool) -> Verdict:
    of, key = f"{claim.symbol} {claim.timeframe}", claim.columns.index("seq") if claim.timeframe == "tick" else 0
    forming = None
    if claim.forming is not None and len(rows) and rows[-1, 0] == claim.forming:
        forming = len(rows) - 1
        if closed:
            rows, store, forming = rows[:-1], store[store[:, key] != claim.forming], None
    gone = _overwritten(claim, rows, store, key, product)
    found, indicators = _difference(claim, rows[gone:], store, key, gone), ""
    if found is not None and claim.own < len(claim.columns) and not _reaches(claim, product):
        found = _difference(claim, rows[gone:, : claim.own], store[:, : claim.own], key, gone)
        indicators = _indicators(claim, rows[gone:], store)
    only_forming = found is not None and found.row == forming and found.column is not None
    if found is not None and not only_forming:
        also = f"; {gone:,} rows before are no longer kept" if gone else ""
        return Verdict(DIFFERS, f"not equal: {found.sentence}; rows that differ: {found.rows:,}{also}")
    if gone:
        rest = len(rows) - gone
        what = "none is left" if not rest else f"the other {rest:,} are equal"
        if only_forming:
            what += f" but for the last, {iso(claim.forming)}, which was still forming when it was exported"
        told = f"no longer kept: {gone:,} of {len(rows):,} rows of {of} have been overwritten; {what}{indicators}"
        return Verdict(GONE, told)
    if only_forming and found is not None:
        return Verdict(
            DIFFERS,
            f"not equal: only the last row, {iso(claim.forming)}, which was still forming when it was exported: "
            f"{found.cell}; the {len(rows) - 1:,} rows before it are equal{indicators} (--closed leaves it out)",
        )
    if indicators == APART:
        return Verdict(
            GONE,
            f"no longer kept: the oldest bars that the indicators were made of; the {len(rows):,} rows of {of} are "
            f"equal{indicators}",
        )
    without = ", the bar that was forming left out" if closed and claim.forming is not None else ""
    up_to = f"up to sequence number {claim.seq:,} of epoch {claim.epoch}"
    return Verdict(EQUAL, f"equal: {len(rows):,} rows of {of}, {up_to}{without}{indicators}")


def _reaches(claim: Claim, product: Product) -> bool:
    """Whether the store begins where it did when the indicators were made."""
    query = {"timeframe": claim.timeframe, "end": str(int(claim.made_from or 0) + 1), "limit": "2"}
    kept = product.get(f"/tickers/{claim.symbol}/bars", query)["data"]
    return [bar[0] for bar in kept] == [claim.made_from]


def _indicators(claim: Claim, rows: Floats, store: Floats) -> str:
    """What can be said of the indicators where the store no longer has all that they were made of.

    What looks at the newest bars only is the same for all that; what never forgets fades (an EMA), or is another (OBV).
    """
    _common, at, there = np.intersect1d(rows[:, 0], store[:, 0], return_indices=True)
    rows, store = rows[at], store[there]
    alike = _same(rows[:, : claim.own], store[:, : claim.own]).all(axis=1)
    mine, theirs = rows[alike, claim.own :], store[alike, claim.own :]
    scale = np.fmax.reduce(np.abs(mine), axis=0, initial=0.0)
    close = np.isclose(mine, theirs, rtol=DIGITS, atol=DIGITS * scale, equal_nan=True)
    return ALMOST if close.all() else APART


def _overwritten(claim: Claim, rows: Floats, store: Floats, key: int, product: Product) -> int:
    """How many rows at the file's beginning are older than everything that the store still has."""
    if not len(rows) or (len(store) and store[0, key] <= rows[0, key]):
        return 0
    oldest = store[0, key] if len(store) else rows[-1, key] + 1
    path = f"/tickers/{claim.symbol}"
    if claim.timeframe == "tick":
        kept = product.get(f"{path}/ticks", {"after_seq": "0", "limit": "1"})["data"]
        oldest = min(oldest, kept[0][0]) if kept else oldest
    elif product.get(f"{path}/bars", {"timeframe": claim.timeframe, "end": str(int(oldest)), "limit": "1"})["data"]:
        # It has older ones, so it would have these.
        return 0
    return int(np.count_nonzero(rows[:, key] < oldest))


@dataclass(frozen=True, slots=True)
class _Difference:
    """The first one: the row's place in the file from 0, the column (None where a whole row is missing), in words;
    and how many rows differ in all."""

    row: int
    column: str | None
    cell: str
    sentence: str
    rows: int


def _difference(claim: Claim, rows: Floats, store: Floats, key: int, before: int) -> _Difference | None:
    """None where they are equal; `before` rows of the file have been left out."""
    mine, theirs = rows[:, key], store[:, key]
    common, at, there = np.intersect1d(mine, theirs, return_indices=True)
    same = _same(rows[at], store[there])
    differing = np.flatnonzero(~same.all(axis=1))
    extra, lacking = np.setdiff1d(mine, common), np.setdiff1d(theirs, common)
    firsts = [found[0] for found in (common[differing], extra, lacking) if len(found)]
    if not firsts:
        return None
    first = min(firsts)
    row, total = int(np.searchsorted(mine, first)), len(differing) + len(extra) + len(lacking)
    where = f"row {before + row + 1:,}"
    if len(lacking) and lacking[0] == first:
        when = iso(store[np.searchsorted(theirs, first), 0])
        return _Difference(before + row, None, "", f"the store has a row of {when} that the file lacks", total)
    when = iso(rows[row, 0])
    if len(extra) and extra[0] == first:
        return _Difference(before + row, None, "", f"{where}, {when}, is in the file and not in the store", total)
    match = differing[0]
    column = int(np.flatnonzero(~same[match])[0])
    name = claim.columns[column]
    was, now = (_words(name, value) for value in (rows[row, column], store[there[match], column]))
    cell = f"{name} is {was} in the file and {now} in the store"
    if "flags" in claim.columns:
        flags = claim.columns.index("flags")
        news = int(store[there[match], flags]) & ~int(rows[row, flags])
        cell += ", corrected since" if news & Flag.CORRECTED else ""
    # Everything else is equal up to here, so it is what lies before the file.
    cell += ", for bars before the file's first have changed since" if column >= claim.own else ""
    return _Difference(before + row, name, cell, f"{where}, {when}: {cell}", total)


def _same(left: Floats, right: Floats) -> NDArray[np.bool_]:
    """Where cells are equal, NaN to NaN."""
    same: NDArray[np.bool_] = (left == right) | (np.isnan(left) & np.isnan(right))
    return same


def _words(name: str, value: float) -> str:
    """A cell as the files write it."""
    if name == "time":
        return str(iso(value))
    if np.isnan(value):
        return "nothing"
    return repr(float(value)).removesuffix(".0")
