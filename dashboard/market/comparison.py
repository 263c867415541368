"""Instruments beside one another: their closes at the same bars, indexed, as a spread or a ratio, and how their returns
go together.

Plain arithmetic over closes float64[n] at the bars of one of them, oldest first; NaN where an instrument has no bar of
that time. Nothing is filled in: what needs two instruments is there where both have a bar, and nowhere else.
The page computes the same, bar by bar (`assets/compare/sums.mjs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dashboard.market.returns import NOISE
from dashboard.market.ticks import Floats

#: Instruments beside the chart's own.
MOST = 4
#: What can be made of them by the name in the address, the usual one first.
MODES = {"indexed": "Indexed to 100", "spread": "Spread", "ratio": "Ratio"}
#: Returns that a correlation may be of: fewer than LEAST_WINDOW say nothing.
LEAST_WINDOW, MOST_WINDOW, USUAL_WINDOW = 5, 500, 50
#: What the second of a spread may be multiplied by, in size.
MOST_FACTOR = 1e9
#: Returns that are looked at in one go: 8 MB a column.
BLOCK = 1_000_000


def aligned(time: Floats, other_time: Floats, other_close: Floats) -> Floats:
    """float64[n]: the other's close at each of `time`, NaN where it has no bar of just that time.

    Times are UTC ms, ascending, each once.
    """
    values = np.full(len(time), np.nan)
    at = np.searchsorted(other_time, time)
    there = at < len(other_time)
    there[there] = other_time[at[there]] == time[there]
    values[there] = other_close[at[there]]
    return values


def indexed(close: Floats) -> Floats:
    """100 * close / base, where the base is the first close there is: the simple price relative.

    NaN throughout where there is none, or where it is not above 0: a change in percent has no meaning then.
    """
    there = close[np.isfinite(close)]
    if not len(there) or there[0] <= 0:
        return np.full(len(close), np.nan)
    return _finite(lambda: 100.0 * (close / there[0]))


def spread(close: Floats, other: Floats, factor: float = 1.0) -> Floats:
    """close - factor * other, where both have a bar."""
    return _finite(lambda: close - factor * other)


def ratio(close: Floats, other: Floats) -> Floats:
    """close / other, where both have a bar and the other's price is not 0."""
    return _finite(lambda: close / other)


def rolling_correlation(close: Floats, other: Floats, window: int) -> Floats:
    """float64[n]: the correlation of the last `window` pairs of log returns, at each bar that both have.

    Pearson's product-moment coefficient (Pearson 1895, Proceedings of the Royal Society of London 58:240),
    sum(dx dy) / sqrt(sum(dx^2) sum(dy^2)) with dx and dy from the window's own means, as pandas' `Rolling.corr`. A
    return is the logarithm of a close over the one before among the bars that both have, so that each pair is of the
    same span; a bar where either's price is not above 0 has no logarithm and takes no part. NaN where there are fewer
    than `window` pairs, and where the returns of either do not differ by more than floating point's noise: of a price
    that does not move there is no correlation.
    """
    assert window >= 2
    values = np.full(len(close), np.nan)
    both = np.flatnonzero((close > 0) & (other > 0) & np.isfinite(close) & np.isfinite(other))
    if len(both) <= window:
        return values
    pairs = np.diff(np.log(np.stack([close[both], other[both]])), axis=1)
    step = max(1, BLOCK // window)
    for low in range(0, len(both) - window, step):
        seen = sliding_window_view(pairs[:, low : low + step + window - 1], window, axis=1)
        away = seen - seen.mean(axis=2, keepdims=True)
        square = np.einsum("ijk,ijk->ij", away, away)
        product = np.einsum("jk,jk->j", away[0], away[1])
        moves = (square > window * NOISE**2).all(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.clip(product / np.sqrt(square[0] * square[1]), -1.0, 1.0)
        values[both[low + window : low + window + len(found)]] = np.where(moves, found, np.nan)
    return values


def columns(symbols: Sequence[str], mode: str, window: int | None) -> tuple[str, ...]:
    """The names of the columns of `table`, of instruments of which the first is the one that has the bars."""
    pair = f"{symbols[0]}_{symbols[1]}"
    closes = tuple(f"close_{symbol}" for symbol in symbols)
    made = tuple(f"index_{symbol}" for symbol in symbols) if mode == "indexed" else (f"{mode}_{pair}",)
    of = () if window is None else tuple(f"correlation_{symbols[0]}_{symbol}_{window}" for symbol in symbols[1:])
    return closes + made + of


def table(closes: Sequence[Floats], low: int, mode: str, factor: float, window: int | None) -> Floats:
    """float64[n - low, len(columns)]: closes float64[n] at the bars of the first of two or more, what `mode` makes of
    them, and rolling correlations of the first with each other one, from bar `low` on.

    An index counts from the first close from `low` on; correlations take what is before it too, as indicators do.
    """
    shown = [close[low:] for close in closes]
    if mode == "spread":
        made = [spread(shown[0], shown[1], factor)]
    elif mode == "ratio":
        made = [ratio(shown[0], shown[1])]
    else:
        made = [indexed(close) for close in shown]
    if window is not None:
        made += [rolling_correlation(closes[0], close, window)[low:] for close in closes[1:]]
    return np.column_stack([*shown, *made])


def plain(factor: float) -> str:
    """A factor as it is asked for, without an exponent."""
    return f"{factor:.12f}".rstrip("0").rstrip(".")


def _finite(make: Callable[[], Floats]) -> Floats:
    """What `make` gives, NaN for what is no number: prices beyond floating point, a division by 0."""
    with np.errstate(all="ignore"):
        found = make()
    return np.where(np.isfinite(found), found, np.nan)
