"""What each panel of the Market page is told: small records of plain numbers, None for what can't be known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dashboard.market.bars import TIMEFRAMES
from dashboard.market.breadth import PERIODS, Breadth, breadth, standings
from dashboard.market.correlation import LEAST_COMMON, distance, leaves, linkage
from dashboard.market.ticks import Floats, Ints
from dashboard.market.windows import WINDOWS
from dashboard.ui.market.asked import measure_of, returns_of, symbols_of, window_of
from dashboard.ui.market.overview import Crossed, Overview

#: Tiles of single instruments; the smaller ones of a sector share one, so that 5,000 can be drawn and read.
MOST_TILES = 300
#: Rows of each list of movers.
MOVERS = 10
#: Instruments of the correlation matrix when none are named: the largest by this window's turnover.
USUAL_CORRELATED, CHOSEN_BY = 20, "24h"
#: No tile is smaller than this part of the largest: what hardly trades can still be found.
LEAST_PART = 0.001


def heat(overview: Overview, request: dict[str, Any]) -> dict[str, Any]:
    """Tiles: the largest instruments by the measure, and for each sector one of all its smaller ones."""
    window, measure = window_of(request), measure_of(request)
    crossed = overview.crossed(window)
    value = np.nan_to_num(measured(crossed, measure))
    weight = np.maximum(value, LEAST_PART * value.max(initial=0.0)) if value.any() else np.ones(len(value))
    order = np.argsort(-weight, kind="stable")
    shown, rest = order[:MOST_TILES], order[MOST_TILES:]
    rows = records(overview, crossed, np.sort(shown))
    for row, at in zip(rows, np.sort(shown).tolist(), strict=True):
        row |= {"sector": overview.catalogue[at].sector, "weight": _short(weight[at]), "value": _short(value[at])}
    return {
        "window": window.name,
        "size": measure,
        "full": window.full,
        "tiles": rows,
        "others": _others(overview, crossed, weight, value, rest),
        **_stamp(overview, crossed),
    }


def movers(overview: Overview, request: dict[str, Any]) -> dict[str, Any]:
    """The instruments that gain and lose most, are traded for the most money, and swing most; best first."""
    window = window_of(request)
    crossed = overview.crossed(window)
    found = crossed.moves
    lists = {
        "gainers": _first(-found.change, found.change > 0),
        "losers": _first(found.change, found.change < 0),
        "active": _first(-found.turnover, found.turnover > 0),
        "volatile": _first(-found.volatility, found.volatility > 0),
    }
    return {
        "window": window.name,
        **{name: records(overview, crossed, who) for name, who in lists.items()},
        **_stamp(overview, crossed),
    }


def breadths(overview: Overview, request: dict[str, Any]) -> dict[str, Any]:
    """Who goes up and down: of the whole market and of each class."""
    window = window_of(request)
    crossed = overview.crossed(window)
    standing = standings(crossed.moves.price, overview.daily_closes())
    return {
        "window": window.name,
        "periods": PERIODS,
        "all": _counts(breadth(crossed.moves, standing)),
        "classes": {
            name: _counts(breadth(crossed.moves, standing, members)) for name, members in overview.classes.items()
        },
        **_stamp(overview, crossed),
    }


def correlations(overview: Overview, request: dict[str, Any]) -> dict[str, Any]:
    """The correlation matrix, its rows in the order of the clusters' leaves."""
    timeframe, chosen = returns_of(request), symbols_of(request, overview.catalogue)
    crossed = overview.crossed(WINDOWS[CHOSEN_BY])
    if chosen is None:
        turnover = np.nan_to_num(crossed.moves.turnover)
        chosen = np.sort(np.argsort(-turnover, kind="stable")[:USUAL_CORRELATED]).tolist()
    found, common = overview.correlations(chosen, timeframe)
    far = distance(found)
    order = leaves(linkage(far), far)
    pairs = common[np.triu_indices(len(order), 1)]
    return {
        "returns": TIMEFRAMES[timeframe].name,
        "least": LEAST_COMMON,
        "instruments": records(overview, crossed, np.array([chosen[at] for at in order], dtype=np.int64)),
        "matrix": [[_number(value, 3) for value in row] for row in found[np.ix_(order, order)].tolist()],
        "common": [int(pairs.min()), int(pairs.max())] if len(pairs) else [0, 0],
        **_stamp(overview, crossed),
    }


#: What each panel shows: its name in the layout and in addresses, and who answers for it.
PANELS: dict[str, Callable[[Overview, dict[str, Any]], dict[str, Any]]] = {
    "heat": heat,
    "movers": movers,
    "breadth": breadths,
    "correlation": correlations,
}


def measured(crossed: Crossed, measure: str) -> Floats:
    """float64[n]: what a tile is as large as; `equal` is 1."""
    if measure == "equal":
        return np.ones(len(crossed.moves.price))
    found: Floats = getattr(crossed.moves, measure)
    return found


def records(overview: Overview, crossed: Crossed, who: Ints) -> list[dict[str, Any]]:
    """One record for each of the instruments `who`, in that order."""
    found = crossed.moves
    ages, stale = overview.ages(crossed.last)
    rows = []
    for at in who.tolist():
        each = overview.catalogue[at]
        rows.append(
            {
                "symbol": each.symbol,
                "name": each.name,
                "class": each.asset_class,
                "decimals": each.decimals,
                "price": _number(found.price[at], 12),
                "change": _number(found.change[at], 4),
                "turnover": _short(found.turnover[at]),
                "volatility": _number(found.volatility[at], 4),
                "age_ms": _number(ages[at], 0),
                "stale": bool(stale[at]),
            }
        )
    return rows


def _others(overview: Overview, crossed: Crossed, weight: Floats, value: Floats, rest: Ints) -> list[dict[str, Any]]:
    """For each sector with instruments in `rest`: how many, their weight together, their mean change by weight."""
    size = len(overview.groups)
    group = overview.group[rest]
    change = crossed.moves.change[rest]
    known = np.isfinite(change)
    counts = np.bincount(group, minlength=size)
    weights, values = (np.bincount(group, each[rest], size) for each in (weight, value))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group[known], (weight[rest] * change)[known], size) / np.bincount(
            group[known], weight[rest][known], size
        )
    return [
        {
            "class": overview.groups[at][0],
            "sector": overview.groups[at][1],
            "count": int(counts[at]),
            "weight": _short(weights[at]),
            "value": _short(values[at]),
            "change": _number(mean[at], 4),
        }
        for at in np.flatnonzero(counts).tolist()
    ]


def _first(keys: Floats, among: Any) -> Ints:
    """The `MOVERS` instruments with the smallest keys among those of the mask, in order."""
    who = np.flatnonzero(among)
    return who[np.argsort(keys[who], kind="stable")[:MOVERS]]


def _counts(found: Breadth) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Breadth.__slots__}


def _stamp(overview: Overview, crossed: Crossed) -> dict[str, Any]:
    """What the data is of: its epoch and sequence number, the market's time, and how many instruments there are."""
    return {
        "epoch": crossed.last.epoch,
        "seq": crossed.last.seq,
        "market_now": round(crossed.now_ms),
        "instruments_known": int(np.isfinite(crossed.moves.price).sum()),
        "instruments_all": len(overview.catalogue),
    }


def _number(value: float, digits: int) -> float | None:
    return round(float(value), digits) if math.isfinite(value) else None


def _short(value: float) -> float | None:
    """To six digits: sizes are drawn, or shortened."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
