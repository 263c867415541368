"""The side panel: tabs of alerts, trades, statistics, data quality, painted by their modules, and the quote below."""

from __future__ import annotations

from dash import html

from dashboard.ui.alerts_panel import alerts_panel
from dashboard.ui.attributes import hyphened

#: The tabs by name: what is read on them, and what they are called in full.
TABS = {
    "alerts": ("Alerts", "Alerts"),
    "trades": ("Trades", "Trades: time and sales"),
    "statistics": ("Stats", "Statistics"),
    "quality": ("Quality", "Data quality"),
}


def side_panel() -> html.Aside:
    """A column of its own on a wide screen, a drawer on a narrower one."""
    return html.Aside(
        id="side",
        className="panel side-panel",
        **hyphened(aria_label="Side panel", data_view="side"),
        children=[
            html.Div(
                id="side-tabs",
                className="side-tabs",
                role="tablist",
                **hyphened(aria_label="Side panel"),
                children=[_tab(name, *titles, name == "alerts") for name, titles in TABS.items()],
            ),
            *(_panel(name, name == "alerts") for name in TABS),
            quote_panel(),
        ],
    )


def _tab(name: str, title: str, full: str, chosen: bool) -> html.Button:
    return html.Button(
        title,
        id=f"side-tab-{name}",
        type="button",
        role="tab",
        title=full,
        tabIndex=0 if chosen else -1,
        **hyphened(data_name=name, aria_selected=str(chosen).lower(), aria_controls=f"side-of-{name}"),
    )


def _panel(name: str, chosen: bool) -> html.Div:
    return html.Div(
        id=f"side-of-{name}",
        className="side-tab",
        role="tabpanel",
        hidden=not chosen,
        **hyphened(aria_labelledby=f"side-tab-{name}"),
        children=alerts_panel() if name == "alerts" else html.Div(id=f"{name}-panel", className="side-tab"),
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
