"""The chart's figure, shaped here and nowhere else: traces, layout and columns.

Colours are names of tokens (`var(--up)`), which the browser puts in, so that both themes have one figure. Times are
UTC ms: the browser moves them to its zone, since plotly.js knows none. The browser appends closed bars to the columns
and draws the forming bar as an overlay; the rest of the figure is as it comes from here.
"""

from __future__ import annotations

from typing import Any

import orjson

from dashboard.market.bars import TIMEFRAMES, Flag
from dashboard.market.instruments import Instrument
from dashboard.store import text
from dashboard.store.change import BAR_COLUMNS
from dashboard.store.memory import MemoryStore

TYPES = {"candles": "Candles", "line": "Line", "area": "Area"}
#: Bars of a chart, the most that may be asked for (the page never asks for more than the usual number; the benchmark of
#: 5,000 bars does, through the page's own callback), and those that are in view at first.
BARS, MOST_BARS, IN_VIEW = 1000, 5000, 110


def figure(store: MemoryStore, instrument: int, timeframe: int, type_: str, count: int = BARS) -> dict[str, Any]:
    """The figure of an instrument's newest `count` bars.

    `bars` are rows as the API gives them, the forming one last; `traces` and `layout` are Plotly's, with the data's
    columns named by `columns` (`time` is the start in the browser's zone). `bars` are JSON already, which Dash puts
    into its answer as it is: 40,000 numbers as objects of Python held the interpreter's lock for milliseconds.
    """
    assert type_ in TYPES
    found = store.bars(instrument, timeframe, limit=count)
    described: Instrument = store.catalogue[instrument]
    return {
        "symbol": described.symbol,
        "name": described.name,
        "decimals": described.decimals,
        "timeframe": TIMEFRAMES[timeframe].name,
        "ms": TIMEFRAMES[timeframe].ms,
        "type": type_,
        "epoch": found.epoch,
        "seq": found.seq,
        "bars": orjson.Fragment(b"[" + text.json(found.rows, BAR_COLUMNS) + b"]"),
        "in_view": IN_VIEW,
        "marks": {"partial": int(Flag.PARTIAL), "gap": int(Flag.GAP), "corrected": int(Flag.CORRECTED)},
        "traces": [_price_trace(type_), _volume_trace()],
        "layout": _layout(described.decimals),
    }


def _price_trace(type_: str) -> dict[str, Any]:
    if type_ == "candles":
        return {
            "type": "candlestick",
            "name": "price",
            "columns": {"x": "time", "open": "open", "high": "high", "low": "low", "close": "close"},
            "increasing": {"line": {"color": "var(--up)", "width": 1}, "fillcolor": "var(--up)"},
            "decreasing": {"line": {"color": "var(--down)", "width": 1}, "fillcolor": "var(--down)"},
            "whiskerwidth": 0,
            "hoverinfo": "none",
            "showlegend": False,
        }
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "name": "price",
        "columns": {"x": "time", "y": "close"},
        "line": {"color": "var(--accent)", "width": 1.6},
        "hoverinfo": "none",
        "showlegend": False,
    }
    if type_ == "area":
        trace |= {"fill": "tozeroy", "fillcolor": "var(--accent-veil)"}
    return trace


def _volume_trace() -> dict[str, Any]:
    return {
        "type": "bar",
        "name": "volume",
        "yaxis": "y2",
        "columns": {"x": "time", "y": "volume", "marker.color": "direction"},
        "marker": {"line": {"width": 0}},
        "directions": ["var(--up-volume)", "var(--down-volume)"],
        "hoverinfo": "none",
        "showlegend": False,
    }


def _layout(decimals: int) -> dict[str, Any]:
    axis = {
        "gridcolor": "var(--line)",
        "linecolor": "var(--line)",
        "zeroline": False,
        "tickfont": {"color": "var(--faint)", "size": 11},
        "ticks": "",
    }
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "var(--font)", "size": 11, "color": "var(--muted)"},
        "margin": {"l": 8, "r": 72, "t": 8, "b": 36},
        "dragmode": "pan",
        "hovermode": "x",
        "showlegend": False,
        "bargap": 0.25,
        "boxgap": 0.25,
        "boxgroupgap": 0,
        "xaxis": {
            **axis,
            "type": "date",
            "anchor": "y2",
            "rangeslider": {"visible": False},
            "showspikes": False,
            "fixedrange": False,
        },
        "yaxis": {
            **axis,
            "side": "right",
            "domain": [0.2, 1],
            "tickformat": f",.{decimals}f",
            "fixedrange": True,
            "automargin": False,
            "nticks": 9,
        },
        "yaxis2": {**axis, "side": "right", "domain": [0, 0.17], "fixedrange": True, "visible": False},
    }
