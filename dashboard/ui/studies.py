"""Indicators on the chart: what the page is told of each, how they are drawn, and the state that it goes on from.

The page computes them itself, bar by bar (`assets/indicators/`), from the states behind the first of its bars: the
forming bar costs no question, and a figure no column of values. What an indicator is stands in
`dashboard.market.indicators`, how it looks here; one without an entry in `_LOOKS` is a line of two decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from werkzeug.exceptions import ServiceUnavailable

from dashboard.errors import BadParameter
from dashboard.market.indicators import INDICATORS, MOST, Chosen, Columns, Indicator, parse, warm
from dashboard.market.ticks import Floats
from dashboard.ui.services import Services

T = TypeVar("T")

#: Colours to choose from: tokens `--study-1` and so on.
COLOURS = 8


@dataclass(frozen=True, slots=True)
class Look:
    """How an indicator is named in short and drawn.

    `guides` are levels that its pane marks, `span` the ends of its axis where they are fixed. `digits` says how its
    values read: `price` as prices, `finer` with one more, `two`, or `volume`. `lines` are one an output: {colour: a
    token, none for the chosen colour; dash; draw: line or histogram; label}.
    """

    short: str
    lines: tuple[dict[str, Any], ...] = ({},)
    guides: tuple[float, ...] = ()
    span: tuple[float, float] | None = None
    digits: str = "two"


_BAND = ({"label": "upper"}, {"label": "middle", "dash": "dot"}, {"label": "lower"})
_LOOKS = {
    "sma": Look("SMA", digits="price"),
    "ema": Look("EMA", digits="price"),
    "wma": Look("WMA", digits="price"),
    "vwap": Look("VWAP", digits="price"),
    "bbands": Look("BB", _BAND, digits="price"),
    "keltner": Look("KC", _BAND, digits="price"),
    "donchian": Look("DC", _BAND, digits="price"),
    "rsi": Look("RSI", guides=(30, 70), span=(0, 100)),
    "macd": Look(
        "MACD",
        (
            {"label": "line"},
            {"label": "signal", "colour": "--muted", "dash": "dash"},
            {"label": "histogram", "draw": "histogram"},
        ),
        guides=(0,),
        digits="finer",
    ),
    "stoch": Look(
        "Stoch",
        ({"label": "%K"}, {"label": "%D", "colour": "--muted", "dash": "dash"}),
        guides=(20, 80),
        span=(0, 100),
    ),
    "atr": Look("ATR", digits="finer"),
    "obv": Look("OBV", digits="volume"),
    "adx": Look(
        "ADX",
        (
            {"label": "ADX"},
            {"label": "+DI", "colour": "--up", "dash": "dash"},
            {"label": "−DI", "colour": "--down", "dash": "dash"},
        ),
        guides=(25,),
    ),
}


def registry() -> dict[str, Any]:
    """What there is to choose: {most, colours, list: one an indicator with its parameters' bounds and its look}."""
    return {"most": MOST, "colours": COLOURS, "list": [_described(each) for each in INDICATORS.values()]}


def _described(indicator: Indicator) -> dict[str, Any]:
    look = _LOOKS.get(
        indicator.name, Look(indicator.name.upper(), tuple({"label": name} for name in indicator.outputs))
    )
    return {
        "name": indicator.name,
        "title": indicator.title,
        "short": look.short,
        "pane": indicator.pane,
        "parameters": [
            {
                "name": parameter.name,
                "default": parameter.default,
                "minimum": parameter.minimum,
                "maximum": parameter.maximum,
                "whole": parameter.kind == "whole",
            }
            for parameter in indicator.parameters
        ],
        "rising": indicator.rising,
        "inputs": indicator.inputs,
        "outputs": indicator.outputs,
        "lines": look.lines,
        "guides": look.guides,
        "span": look.span,
        "digits": look.digits,
    }


def templates() -> dict[str, Any]:
    """Plotly's traces and axis of an indicator, to which the page adds place, colour and columns."""
    quiet = {"hoverinfo": "skip", "showlegend": False}
    return {
        "line": {"type": "scatter", "mode": "lines", "connectgaps": False, "line": {"width": 1.4}, **quiet},
        "histogram": {"type": "bar", "marker": {"line": {"width": 0}}, **quiet},
        "axis": {
            "side": "right",
            "fixedrange": True,
            "automargin": False,
            "ticklabeloverflow": "allow",
            "autorange": False,
            "nticks": 4,
            "gridcolor": "var(--line)",
            "linecolor": "var(--line)",
            "zeroline": False,
            "tickfont": {"color": "var(--faint)", "size": 11},
            "ticks": "",
        },
    }


def warmed(chosen: Sequence[Chosen], before: Floats, rows: Floats) -> dict[str, Any]:
    """The states of `chosen` behind the bars `before` those of the page, float64[n, 8] both: {start, texts, states}.

    `start` is that of the first bar to fold, UTC ms; None where there is none yet.
    """
    return {
        "start": int(rows[0, 0]) if len(rows) else None,
        "texts": [each.text for each in chosen],
        "states": warm(chosen, Columns.of(before)),
    }


def figure_with(services: Services, chosen: tuple[Chosen, ...], make: Callable[[tuple[Chosen, ...]], T]) -> T:
    """What `make` gives with the indicators; without any where too many are being calculated: the page asks for those
    that a figure lacks."""
    if chosen:
        try:
            with services.studying():
                return make(chosen)
        except ServiceUnavailable:
            pass
    return make(())


def lenient(text: str) -> tuple[Chosen, ...]:
    """What there is of the indicators that an address names; the page itself says what it leaves out."""
    found: dict[Chosen, None] = {}
    for part in text[:2000].split(","):
        try:
            found |= dict.fromkeys(parse(part))
        except BadParameter:
            continue
    return tuple(found)[:MOST]
