"""The Compare page's places: the controls of all charts, and the grid that its modules fill."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.market.bars import TIMEFRAMES
from dashboard.ui.attributes import hyphened
from dashboard.ui.compare.asked import LAYOUTS
from dashboard.ui.figures import TYPES


def compare_page() -> html.Main:
    """The page; nothing in it is drawn or asked for before it is shown."""
    return html.Main(
        id="compare-page",
        className="compare",
        **hyphened(aria_label="Compare"),
        children=[
            html.Div(
                className="compare-bar",
                role="group",
                **hyphened(aria_label="All charts"),
                children=[
                    _choice("compare-layout", "Charts", {str(count): str(count) for count in LAYOUTS}, "4"),
                    _choice(
                        "compare-one", "Timeframe", {"": "Each its own"} | {each.name: each.name for each in TIMEFRAMES}
                    ),
                    _choice("compare-type", "Type", TYPES),
                    _switch("compare-cross", "Link crosshair"),
                    _switch("compare-range", "Link range"),
                    html.Span(className="grow"),
                    html.Span(id="compare-zone", className="faint"),
                    html.Button("Back to live", id="compare-live", className="button", type="button", hidden=True),
                    html.Button("Add a chart", id="compare-add", className="button", type="button"),
                    html.Button(
                        "Views",
                        id="compare-views",
                        className="button",
                        type="button",
                        title="Saved views (V)",
                        **hyphened(aria_haspopup="dialog"),
                    ),
                ],
            ),
            html.Div(id="compare-message", className="panel-message", role="status"),
            html.Div(id="compare-grid", className="compare-grid"),
            dcc.Store(id="compare-ask"),
            dcc.Store(id="compare"),
        ],
    )


def _choice(id_: str, label: str, options: dict[str, str], chosen: str = "") -> html.Label:
    return html.Label(
        className="compare-choice",
        children=[
            html.Span(label, className="muted"),
            html.Select(
                id=id_,
                className="select",
                children=[html.Option(title, value=name, selected=name == chosen) for name, title in options.items()],
            ),
        ],
    )


def _switch(id_: str, label: str) -> Any:
    return html.Button(label, id=id_, className="button", type="button", **hyphened(aria_pressed="true"))
