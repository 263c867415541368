"""What the charts of the Compare page are told: the bars of each as columns, or why it has none: it fails alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson

from dashboard.errors import DashboardError
from dashboard.market.bars import TIMEFRAMES
from dashboard.market.ticks import Floats
from dashboard.store.change import BAR_COLUMNS
from dashboard.store.memory import MemoryStore
from dashboard.ui.compare.asked import Asked, asked, charts_of, type_of
from dashboard.ui.figures import scales, template

FAILED = "The server could not read these bars; its log has the reason."
#: Bars in view at first: a chart is as wide as a third of the page.
IN_VIEW = 80
#: Room around the panes, px, and ticks of the price axis: less of both than on a chart that has the page.
_MARGIN = {"l": 4, "r": 62, "t": 4, "b": 34}
_PRICE_TICKS = 6
#: Columns of whole numbers.
_WHOLE = frozenset({"trades", "flags"})


def charts(store: MemoryStore, request: dict[str, Any], failed: Callable[[], None]) -> dict[str, Any]:
    """The answer to {type, charts: [{symbol, timeframe, bars, before}, …]}: what all charts share, and of each, in the
    order of the question, its series with `columns`, or one sentence under `error`.

    `seq` of `epoch` is what every one of them takes account of at least. `failed` is called inside the handling of an
    exception that nobody foresaw. Raises BadParameter for a question that is about no charts.
    """
    type_, given = type_of(request), charts_of(request)
    seq = store.seq
    read = [_read(store, each, failed) for each in given]
    while len({each["epoch"] for each in read if "epoch" in each}) > 1:  # the market began anew in between
        seq = store.seq
        read = [_read(store, each, failed) for each in given]
    epoch = next((each["epoch"] for each in read if "epoch" in each), store.epoch)
    return {"epoch": epoch, "seq": seq, "type": type_, "in_view": IN_VIEW, **shared(type_), "charts": read}


def shared(type_: str) -> dict[str, Any]:
    """What Plotly draws of a series of this type, in a small place."""
    made = template(type_)
    layout = made["layout"]
    small = {"margin": _MARGIN, "yaxis": layout["yaxis"] | {"nticks": _PRICE_TICKS}}
    return made | {"layout": layout | small}


def _read(store: MemoryStore, given: object, failed: Callable[[], None]) -> dict[str, Any]:
    try:
        return _series(store, asked(given, store.catalogue))
    except DashboardError as error:
        return {"error": str(error)}
    except Exception:
        failed()
        return {"error": FAILED}


def _series(store: MemoryStore, wanted: Asked) -> dict[str, Any]:
    found = store.bars(wanted.instrument, wanted.timeframe, end=wanted.before, limit=wanted.bars)
    described, frame = store.catalogue[wanted.instrument], TIMEFRAMES[wanted.timeframe]
    return {
        "symbol": described.symbol,
        "name": described.name,
        "decimals": described.decimals,
        "timeframe": frame.name,
        "ms": frame.ms,
        "epoch": found.epoch,
        "scales": scales(described.decimals),
        "columns": orjson.Fragment(columns(found.rows)),
    }


def columns(rows: Floats) -> bytes:
    """Bars float64[n, 8] (`BAR_COLUMNS`) as JSON, a list a column. `start` is the first one's and from there on the ms
    from each to the next: most of its digits are the same from bar to bar."""
    made = {name: np.ascontiguousarray(rows[:, at]) for at, name in enumerate(BAR_COLUMNS)}
    starts = made["start"].astype(np.int64)
    made["start"] = np.diff(starts, prepend=0)
    for name in _WHOLE:
        made[name] = made[name].astype(np.int64)
    return orjson.dumps(made, option=orjson.OPT_SERIALIZE_NUMPY)
