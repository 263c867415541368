"""The page: header, cards, watchlist, chart, side panel, and the data they open with; made anew for each request."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.market.bars import TIMEFRAMES
from dashboard.ui.attributes import hyphened
from dashboard.ui.cards import cards
from dashboard.ui.compare.layout import compare_page
from dashboard.ui.figures import TYPES
from dashboard.ui.header import header
from dashboard.ui.market.layout import market_page
from dashboard.ui.side_panel import side_panel
from dashboard.ui.watchlist import watchlist
from dashboard.workbench.views import SCALES

#: How often the page asks where the stream can't be had.
POLL_MS = 1000
#: The views under the bottom bar of a narrow screen.
TABS = {"chart": "Chart", "list": "List", "side": "Panel", "more": "More"}


def page(paint: dict[str, Any], shown: str = "chart") -> html.Div:
    """Every page under the header, of which `shown` is seen, around the data of `first_paint`."""
    return html.Div(
        id="app",
        className="app",
        **hyphened(data_view="chart", data_page=shown),
        children=[
            header(paint),
            cards(paint),
            html.Main(className="board", children=[watchlist(paint), chart_panel(paint), side_panel()]),
            market_page(),
            compare_page(),
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
                    html.H2(view["symbol"], id="chart-symbol", title=view["symbol"]),
                    dcc.RadioItems(
                        id="timeframe",
                        className="segments",
                        options=[{"label": frame.name, "value": frame.name} for frame in TIMEFRAMES],
                        value=view["timeframe"],
                        inline=True,
                    ),
                    html.Div(className="toolbar-part", children=_tools(view)),
                ],
            ),
            html.Div(
                className="plot", children=[html.Div(id="chart"), html.Div(id="chart-legend", className="legend")]
            ),
        ],
    )


def _tools(view: dict[str, str]) -> list[Any]:
    """What is behind the timeframes; in a line of its own where one does not suffice for both.

    What is used more seldom is in a part of its own: on small screens a sheet (`assets/page/moretools.mjs`).
    """
    return [
        html.Button(
            "Indicators",
            id="indicators",
            className="button",
            type="button",
            title="Indicators (I)",
            **hyphened(aria_expanded="false", aria_haspopup="dialog"),
        ),
        html.Button(
            "Compare",
            id="compare-button",
            className="button",
            type="button",
            title="Compare with other instruments (C)",
            **hyphened(aria_expanded="false", aria_haspopup="dialog"),
        ),
        html.Button(
            "⋯",
            id="more-button",
            className="button more-button",
            type="button",
            title="More tools: type, scale, views, export",
            **hyphened(aria_label="More tools", aria_expanded="false", aria_controls="more-tools"),
        ),
        html.Div(
            id="more-tools",
            className="more-tools",
            role="group",
            **hyphened(aria_label="More tools"),
            children=[
                _choice("chart-type", "Chart type", TYPES, view["type"]),
                _choice("chart-scale", "Price scale", SCALES, view["scale"]),
                html.Button(
                    "Views",
                    id="views-button",
                    className="button",
                    type="button",
                    title="Saved views (V)",
                    **hyphened(aria_haspopup="dialog"),
                ),
                html.Button("CSV", id="export-csv", className="button", type="button", title="Download the bars"),
                html.Button("PNG", id="export-png", className="button", type="button", title="Download a picture"),
                export_menu(),
            ],
        ),
        html.Button("Alert", id="alert-button", className="button primary", type="button"),
        html.Button(
            "Panel",
            id="side-button",
            className="button side-button",
            type="button",
            **hyphened(aria_expanded="false", aria_controls="side"),
        ),
    ]


def export_menu() -> html.Div:
    """The button of the export menu, which its module makes (`assets/page/exporting.mjs`)."""
    return html.Div(
        className="menu-anchor",
        children=[
            html.Button(
                "▾",
                id="export-button",
                className="button",
                type="button",
                title="Choose what to export, and as what (E)",
                **hyphened(aria_label="Export menu", aria_haspopup="dialog", aria_expanded="false"),
            )
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
