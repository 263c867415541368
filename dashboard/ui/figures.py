"""The chart's figure, shaped here and nowhere else: traces, layout and columns.

Colours are names of tokens (`var(--up)`), which the browser puts in, so that both themes have one figure. Times are
UTC ms: the browser moves them to its zone, since plotly.js knows none. The browser appends closed bars to the columns
and draws the forming bar as an overlay; the rest of the figure is as it comes from here.

A trace names the columns that it takes (`assets/chart/columns.mjs` makes them) and, with `where`, the bars: those that
close up or down from their open, `rose` or `fell` since the close before, or what lies above or below the base, the
close of the first bar in view. All types are drawn with the traces of one small plotly.js: bars of open, high, low and
close are lines, hollow candles two traces of candles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dashboard.market.bars import START, TIMEFRAME_INDEX, TIMEFRAMES, Flag
from dashboard.market.hours import closed_hours
from dashboard.market.indicators import Chosen
from dashboard.market.instruments import Instrument
from dashboard.store.memory import MemoryStore
from dashboard.ui import comparing, studies
from dashboard.ui.packed import packed

#: Chart types by the name in the address; the first is the usual one.
TYPES = {
    "candles": "Candles",
    "hollow": "Hollow candles",
    "ohlc": "OHLC bars",
    "line": "Line",
    "area": "Area",
    "baseline": "Baseline",
    "heikin-ashi": "Heikin-Ashi",
}
#: Bars of a chart, the most that may be asked for (the page does so of a series that takes the place of one with so
#: many in view), and those that are in view at first.
BARS, MOST_BARS, IN_VIEW = 1000, 5000, 110
#: Timeframes whose bars tell the hours of an instrument, and how many of them: five weeks of one that never closes.
LOOKED_AT, LOOKED_BACK = ("15m", "1h", "1d"), 3360


def figure(
    store: MemoryStore,
    instrument: int,
    timeframe: int,
    type_: str,
    count: int = BARS,
    chosen: Sequence[Chosen] = (),
    compared: Sequence[int] = (),
) -> dict[str, Any]:
    """The figure of an instrument's newest `count` bars, the states of `chosen` indicators behind those before, and
    the closes of the instruments that it is `compared` with.

    `packed` are the columns of the bars, the forming one last, as typed arrays; `traces` and `layout` are Plotly's,
    with the data's columns named by `columns` (`time` is the start in the browser's zone).
    """
    assert type_ in TYPES
    found = store.bars(instrument, timeframe, limit=None if chosen else count)
    before, rows = found.rows[:-count], found.rows[-count:]
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
        "packed": packed(rows),
        "in_view": IN_VIEW,
        "hours": _hours(store, instrument),
        **template(type_),
        "scales": scales(described.decimals),
        "studies": studies.templates(),
        "warm": studies.warmed(chosen, before, rows),
        "compared": comparing.closes(store, compared, timeframe, rows),
    }


def template(type_: str) -> dict[str, Any]:
    """What is the same for every series of a type: `traces`, `layout`, and what a bar's flags mean (`marks`)."""
    return {
        "marks": {
            "closed": int(Flag.CLOSED),
            "partial": int(Flag.PARTIAL),
            "gap": int(Flag.GAP),
            "filled": int(Flag.FILLED),
            "corrected": int(Flag.CORRECTED),
        },
        "traces": [*_TRACES[type_](), _volume_trace()],
        "layout": _layout(),
    }


def _hours(store: MemoryStore, instrument: int) -> dict[str, Any] | None:
    """When the instrument is closed, {zone, closed: [[from, to], …] in minutes of the zone's week}, by its bars of the
    finest timeframe in `LOOKED_AT` that has any; None where it trades around the clock."""
    described = store.catalogue[instrument]
    for name in LOOKED_AT:
        starts = store.bars(instrument, TIMEFRAME_INDEX[name], limit=LOOKED_BACK).rows[:, START].astype(np.int64)
        if len(starts):
            break
    closed = closed_hours(described.session, starts, TIMEFRAMES[TIMEFRAME_INDEX[name]].ms)
    return {"zone": described.session.zone, "closed": closed} if closed else None


def _candles() -> list[dict[str, Any]]:
    """Bodies in the colour of close against open. Heikin-Ashi's too: the browser averages the bars."""
    return [_candle("price", ("var(--up)", "var(--up)"), ("var(--down)", "var(--down)"))]


def _hollow() -> list[dict[str, Any]]:
    """Outlines in the colour of close against the close before; bodies filled where a bar closed under its open."""
    empty = "rgba(0,0,0,0)"
    return [
        _candle(where, (f"var({tone})", empty), (f"var({tone})", f"var({tone})")) | {"where": where}
        for where, tone in (("rose", "--up"), ("fell", "--down"))
    ]


def _candle(name: str, rising: tuple[str, str], falling: tuple[str, str]) -> dict[str, Any]:
    """A trace of candles; `rising` and `falling` are (outline, body)."""
    return {
        "type": "candlestick",
        "name": name,
        "columns": {"x": "time", "open": "open", "high": "high", "low": "low", "close": "close"},
        "increasing": {"line": {"color": rising[0], "width": 1}, "fillcolor": rising[1]},
        "decreasing": {"line": {"color": falling[0], "width": 1}, "fillcolor": falling[1]},
        "whiskerwidth": 0,
        "hoverinfo": "none",
        "showlegend": False,
    }


def _ohlc() -> list[dict[str, Any]]:
    """Bars as lines with gaps: a path for those that rise and one for those that fall, where candles are one each."""
    return [
        _line(where, ("tick_time", "tick_price"), tone, 1.4) | {"where": where, "hoverinfo": "skip"}
        for where, tone in (("up", "--up"), ("down", "--down"))
    ]


def _closes() -> list[dict[str, Any]]:
    return [_line("price", ("time", "close"), "--accent", 1.6)]


def _area() -> list[dict[str, Any]]:
    return [_closes()[0] | {"fill": "tozeroy", "fillcolor": "var(--accent-veil)"}]


def _baseline() -> list[dict[str, Any]]:
    """The base, the closes in two colours, and the ground between them and the base in a veil of each."""
    base = _line("base", ("base_time", "base_price"), "--faint", 1)
    base["line"]["dash"] = "dot"
    return [
        base | {"hoverinfo": "skip"},
        *(
            part | {"where": where, "hoverinfo": "skip"}
            for where, tone in (("above", "--up"), ("below", "--down"))
            for part in (
                _line(f"ground {where}", ("ground_time", "ground_price"), tone, 0)
                | {"fill": "toself", "fillcolor": f"var({tone}-veil)"},
                _line(where, ("side_time", "side_price"), tone, 1.6),
            )
        ),
    ]


def _line(name: str, columns: tuple[str, str], tone: str, width: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "columns": {"x": columns[0], "y": columns[1]},
        "line": {"color": f"var({tone})", "width": width},
        "hoverinfo": "none",
        "showlegend": False,
    }


#: What draws the closed bars of a type.
_TRACES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "candles": _candles,
    "hollow": _hollow,
    "ohlc": _ohlc,
    "line": _closes,
    "area": _area,
    "baseline": _baseline,
    "heikin-ashi": _candles,
}


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


def _layout() -> dict[str, Any]:
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
            "fixedrange": True,
            "automargin": False,
            # Plotly would measure each label on the screen to see whether it is cut: half of what its axes cost.
            "ticklabeloverflow": "allow",
            "nticks": 9,
        },
        "yaxis2": {**axis, "side": "right", "domain": [0, 0.17], "fixedrange": True, "visible": False},
    }


def scales(decimals: int) -> dict[str, dict[str, Any]]:
    """The price axis by scale; where its ticks are an array, the browser gives them with the range.

    Percent is a matter of labels: the axis stays one of prices, whose 0 % is the close of the first bar in view.
    """
    return {
        "linear": {"type": "linear", "tickformat": f",.{decimals}f"},
        "log": {"type": "log", "tickmode": "array"},
        "percent": {"type": "linear", "tickmode": "array"},
    }
