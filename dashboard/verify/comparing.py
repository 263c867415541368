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
ALMOST = ", {} to nine digits, for the oldest bars that they were made of are no longer kept"
APART = " but for {}, which can't be compared"


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
    of = _of(claim)
    ticks = claim.timeframe == "tick"
    key = claim.columns.index("seq") if ticks else 0
    if not (np.isfinite(rows[:, (0, key)]).all() and (np.diff(rows[:, key]) > 0).all()):
        return Verdict(DAMAGED, f"damaged: the rows of {of} are not in the order of an export")
    asked = claim.asked | {"timeframe": claim.timeframe}
    if asked.pop("limit", None) is not None and len(rows):
        # The newest so many would be others now; indices count from the first.
        asked["start"] = str(int(rows[0, 0]))
    if len(rows) and not ticks:
        # Indicators are made of the same bars again, so that their last bits are the same, too.
        asked["end"] = str(int(rows[-1, 0]) + 1)
    path = f"/tickers/{claim.symbol}/comparison.json" if claim.compared else f"/export/{claim.symbol}.json"
    try:
        body = product.get(path, asked)
    except Refused as refused:
        lost = _unknown(claim, product) if refused.status in (404, 422) else None
        if lost is not None:
            return Verdict(GONE, f"no longer kept: {product.url} has no instrument {lost!r} now")
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
    of, key = _of(claim), claim.columns.index("seq") if claim.timeframe == "tick" else 0
    forming = None
    if claim.forming is not None and len(rows) and rows[-1, 0] == claim.forming:
        forming = len(rows) - 1
        if closed:
            rows, store, forming = rows[:-1], store[store[:, key] != claim.forming], None
    oldest = _kept_from(claim, rows, store, key, product)
    gone = int(np.count_nonzero(rows[:, key] < oldest))
    left, store = rows[gone:], store[store[:, key] >= oldest]
    found, indicators, apart = _difference(claim, left, store, key, gone), "", False
    if found is not None and claim.own < len(claim.columns) and not (_reaches(claim, product) and _counts(claim, gone)):
        found = _difference(claim, left[:, : claim.own], store[:, : claim.own], key, gone)
        apart = not _alike(claim, _rebased(claim, left), _rebased(claim, store))
        indicators = (APART if apart else ALMOST).format(_made(claim))
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
    if apart:
        return Verdict(
            GONE,
            f"no longer kept: the oldest bars that the {_made(claim)} were made of; the {len(rows):,} rows of {of} are "
            f"equal{indicators}",
        )
    without = ", the bar that was forming left out" if closed and claim.forming is not None else ""
    up_to = f"up to sequence number {claim.seq:,} of epoch {claim.epoch}"
    return Verdict(EQUAL, f"equal: {len(rows):,} rows of {of}, {up_to}{without}{indicators}")


def _of(claim: Claim) -> str:
    """What the rows are of, in words."""
    beside = f" with {', '.join(claim.compared)}" if claim.compared else ""
    return f"{claim.symbol}{beside} {claim.timeframe}"


def _made(claim: Claim) -> str:
    """What the columns that are made of bars are called."""
    if not claim.compared:
        return "indicators"
    return " and ".join((["indices"] if claim.indices else []) + (["correlations"] if claim.made_from else []))


def _unknown(claim: Claim, product: Product) -> str | None:
    """The first instrument of the file that the product has not."""
    for symbol in (claim.symbol, *claim.compared):
        try:
            product.get(f"/tickers/{symbol}", {})
        except Refused as refused:
            if refused.status != 404:
                raise
            return symbol
    return None


def _reaches(claim: Claim, product: Product) -> bool:
    """Whether the store begins where it did when the indicators or correlations were made."""
    return all(_oldest(claim, symbol, first, product) == [first] for symbol, first in claim.made_from if first)


def _oldest(claim: Claim, symbol: str, at: float, product: Product) -> list[float]:
    """The starts of the last two bars of an instrument that begin at a time or before."""
    query = {"timeframe": claim.timeframe, "end": str(int(at) + 1), "limit": "2"}
    return [bar[0] for bar in product.get(f"/tickers/{symbol}/bars", query)["data"]]


def _counts(claim: Claim, gone: int) -> bool:
    """Whether indices count from the same bar."""
    return not (claim.indices and gone)


def _rebased(claim: Claim, rows: Floats) -> Floats:
    """The rows with indices that count from the first of these."""
    rows = rows.copy()
    for at in range(claim.own, claim.own + claim.indices):
        there = np.flatnonzero(~np.isnan(rows[:, at]))
        if len(there) and rows[there[0], at]:
            rows[:, at] *= 100.0 / rows[there[0], at]
    return rows


def _alike(claim: Claim, rows: Floats, store: Floats) -> bool:
    """Whether indicators agree to nine digits where the store no longer has all that they were made of.

    What looks at the newest bars only is the same for all that; what never forgets fades (an EMA), or is another (OBV).
    """
    _common, at, there = np.intersect1d(rows[:, 0], store[:, 0], return_indices=True)
    rows, store = rows[at], store[there]
    alike = _same(rows[:, : claim.own], store[:, : claim.own]).all(axis=1)
    mine, theirs = rows[alike, claim.own :], store[alike, claim.own :]
    scale = np.fmax.reduce(np.abs(mine), axis=0, initial=0.0)
    close = np.isclose(mine, theirs, rtol=DIGITS, atol=DIGITS * scale, equal_nan=True)
    return bool(close.all())


def _kept_from(claim: Claim, rows: Floats, store: Floats, key: int, product: Product) -> float:
    """Where in the order of the rows the store begins, if that is behind the file's beginning: what is before has been
    overwritten, of one of the instruments at least."""
    if not len(rows):
        return -np.inf
    beside = (_beside_from(claim, symbol, at, rows, store, product) for at, symbol in enumerate(claim.compared, 2))
    return max(_own_from(claim, rows, store, key, product), *beside, -np.inf)


def _beside_from(claim: Claim, symbol: str, column: int, rows: Floats, store: Floats, product: Product) -> float:
    """The same of the closes of a compared instrument."""
    mine, theirs = (each[~np.isnan(each[:, column]), 0] for each in (rows, store))
    if not len(mine) or (len(theirs) and theirs[0] <= mine[0]) or _oldest(claim, symbol, mine[0], product):
        return -np.inf
    return float(theirs[0]) if len(theirs) else float(rows[-1, 0]) + 1


def _own_from(claim: Claim, rows: Floats, store: Floats, key: int, product: Product) -> float:
    """The same of the rows themselves."""
    if len(store) and store[0, key] <= rows[0, key]:
        return -np.inf
    oldest = store[0, key] if len(store) else rows[-1, key] + 1
    path = f"/tickers/{claim.symbol}"
    if claim.timeframe == "tick":
        kept = product.get(f"{path}/ticks", {"after_seq": "0", "limit": "1"})["data"]
        oldest = min(oldest, kept[0][0]) if kept else oldest
    elif product.get(f"{path}/bars", {"timeframe": claim.timeframe, "end": str(int(oldest)), "limit": "1"})["data"]:
        # It has older ones, so it would have these.
        return -np.inf
    return float(oldest)


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
