"""The Market page's places: the controls, four panels that its modules fill, and what passes between them and Dash."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.market.windows import WINDOWS
from dashboard.ui.attributes import hyphened
from dashboard.ui.market.asked import (
    DEFAULT_MEASURE,
    DEFAULT_RETURNS,
    DEFAULT_WINDOW,
    FEWEST,
    MEASURES,
    MOST,
    RETURNS,
)
from dashboard.ui.market.callbacks import PACES_MS

TITLES = {"heat": "Heat map", "movers": "Movers", "breadth": "Breadth", "correlation": "Correlation"}


def market_page() -> html.Main:
    """The page; nothing in it is drawn or asked for before it is shown."""
    return html.Main(
        id="market",
        className="market",
        **hyphened(aria_label="Market"),
        children=[
            panel("heat", [_window(), _choice("market-size", "Size", MEASURES, DEFAULT_MEASURE), _ways()]),
            panel("movers", []),
            panel("breadth", []),
            panel("correlation", [_returns(), _symbols()]),
            *stores(),
        ],
    )


def panel(name: str, controls: list[Any]) -> html.Section:
    """A panel: its head with controls, and the place that its module fills."""
    return html.Section(
        id=f"market-{name}-panel",
        className=f"panel market-panel {name}-panel",
        **hyphened(aria_labelledby=f"market-{name}-title"),
        children=[
            html.Div(
                className="panel-head",
                children=[
                    html.H2(TITLES[name], id=f"market-{name}-title"),
                    html.Span(className="market-about faint"),
                    html.Span(className="grow"),
                    *controls,
                ],
            ),
            html.Div(className="market-body", children=html.P("Waiting for the first numbers…", className="muted")),
        ],
    )


def stores() -> list[Any]:
    """For each panel: its question, its answer, and the interval that asks again while somebody looks."""
    return [
        part
        for name, pace in PACES_MS.items()
        for part in (
            dcc.Store(id=f"market-{name}-ask"),
            dcc.Store(id=f"market-{name}"),
            dcc.Interval(id=f"market-{name}-interval", interval=pace, disabled=True),
        )
    ]


def _window() -> html.Label:
    return _choice("market-window", "Window", {each.name: each.title for each in WINDOWS.values()}, DEFAULT_WINDOW)


def _returns() -> html.Label:
    return _choice("market-returns", "Returns", {name: name for name in RETURNS}, DEFAULT_RETURNS)


def _choice(id_: str, label: str, options: dict[str, str], chosen: str) -> html.Label:
    return html.Label(
        className="market-choice",
        children=[
            html.Span(label, className="muted"),
            html.Select(
                id=id_,
                className="select",
                children=[html.Option(title, value=name, selected=name == chosen) for name, title in options.items()],
            ),
        ],
    )


def _ways() -> html.Button:
    """Tiles or, for who would rather read, a table of the same."""
    return html.Button("Table", id="market-table", className="button", type="button", **hyphened(aria_pressed="false"))


def _symbols() -> html.Div:
    """Where the module puts the field in which instruments are named."""
    return html.Div(id="market-symbols", **hyphened(data_accepted=f"{FEWEST} to {MOST} symbols"))
