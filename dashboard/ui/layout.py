"""The page: header, cards, watchlist, chart, side panel, and the data they open with; made anew for each request."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.market.bars import TIMEFRAMES
from dashboard.ui.alerts_panel import alerts_panel
from dashboard.ui.attributes import hyphened
from dashboard.ui.cards import cards
from dashboard.ui.figures import SCALES, TYPES
from dashboard.ui.header import header
from dashboard.ui.watchlist import watchlist

#: How often the page asks where the stream can't be had.
POLL_MS = 1000
#: The views under the bottom bar of a narrow screen.
TABS = {"chart": "Chart", "list": "List", "side": "Alerts", "more": "More"}


def page(paint: dict[str, Any]) -> html.Div:
    """The whole page around the data of `first_paint`."""
    return html.Div(
        id="app",
        className="app",
        **hyphened(data_view="chart"),
        children=[
            header(paint),
            cards(paint),
            html.Main(className="board", children=[watchlist(paint), chart_panel(paint), side_panel()]),
            html.Nav(
                className="bottom-tabs",
                **hyphened(aria_label="Views"),
                children=[
                    html.Button(
                        title,
                        type="button",
                        **hyphened(data_tab=tab, aria_pressed="true" if tab == "chart" else "false"),
                    )
                    for tab, title in TABS.items()
                ],
            ),
            html.Div(id="toasts", className="toasts", role="status", **hyphened(aria_live="polite")),
            *stores(paint),
        ],
    )


def chart_panel(paint: dict[str, Any]) -> html.Section:
    """The toolbar and the place where the chart's modules draw."""
    view = paint["view"]
    return html.Section(
        className="panel chart-panel",
        **hyphened(aria_label="Chart", data_view="chart"),
        children=[
            html.Div(
                className="panel-head toolbar",
                children=[
                    html.H2(view["symbol"], id="chart-symbol"),
                    dcc.RadioItems(
                        id="timeframe",
                        className="segments",
                        options=[{"label": frame.name, "value": frame.name} for frame in TIMEFRAMES],
                        value=view["timeframe"],
                        inline=True,
                    ),
                    _choice("chart-type", "Chart type", TYPES, view["type"]),
                    _choice("chart-scale", "Price scale", SCALES, view["scale"]),
                    html.Button("CSV", id="export-csv", className="button", type="button", title="Download the bars"),
                    html.Button("PNG", id="export-png", className="button", type="button", title="Download a picture"),
                    html.Button("Alert", id="alert-button", className="button primary", type="button"),
                    html.Button(
                        "Panel",
                        id="side-button",
                        className="button side-button",
                        type="button",
                        **hyphened(aria_expanded="false", aria_controls="side"),
                    ),
                ],
            ),
            html.Div(
                className="plot", children=[html.Div(id="chart"), html.Div(id="chart-legend", className="legend")]
            ),
        ],
    )


def _choice(id_: str, label: str, options: dict[str, str], chosen: str) -> html.Select:
    return html.Select(
        id=id_,
        className="select",
        title=label,
        **hyphened(aria_label=label),
        children=[html.Option(title, value=name, selected=name == chosen) for name, title in options.items()],
    )


def quote_panel() -> html.Section:
    """The shown symbol's quote and day, painted by its module."""
    return html.Section(
        id="quote-panel",
        **hyphened(aria_label="Quote"),
        children=[
            html.Div(
                className="panel-head",
                children=[html.H2("Quote"), html.Span(id="quote-symbol", className="faint")],
            ),
            html.Dl(id="quote-list", className="quote-list"),
        ],
    )


def side_panel() -> html.Aside:
    """Alerts and the quote; a column of its own on a wide screen, a drawer on a narrower one."""
    return html.Aside(
        id="side",
        className="panel side-panel",
        **hyphened(aria_label="Side panel", data_view="side"),
        children=[alerts_panel(), quote_panel()],
    )


def stores(paint: dict[str, Any]) -> list[Any]:
    """What passes between the page's modules and Dash's callbacks (`callbacks.py`)."""
    return [
        dcc.Store(id="first-paint", data=paint),
        dcc.Store(id="started"),
        dcc.Store(id="view", data=paint["view"]),
        dcc.Store(id="figure-request"),
        dcc.Store(id="figure"),
        dcc.Store(id="alert-command"),
        dcc.Store(id="alerts"),
        dcc.Store(id="polled"),
        dcc.Interval(id="poll-interval", interval=POLL_MS, disabled=True),
    ]
