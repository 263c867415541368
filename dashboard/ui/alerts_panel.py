"""The alerts panel: the form (opened from the toolbar or the chart) and the list that `alerts.mjs` paints."""

from __future__ import annotations

from dash import html

from dashboard.ui.attributes import hyphened


def alerts_panel() -> html.Section:
    """The panel, empty until its module has painted the rules of the first paint."""
    return html.Section(
        id="alerts-panel",
        **hyphened(aria_label="Alerts"),
        children=[
            html.Div(
                className="panel-head",
                children=[
                    html.H2("Alerts"),
                    html.Span(id="alerts-count", className="faint"),
                    html.Span(className="grow"),
                    html.Button("New alert", id="alert-new", className="button", type="button"),
                ],
            ),
            html.Form(id="alert-form", className="alert-form", hidden=True),
            html.Ul(id="alerts-list", className="alerts-list"),
            html.H3("Fired lately", id="alerts-fired-head", className="side-title", hidden=True),
            html.Ul(id="alerts-fired", className="alerts-fired"),
        ],
    )
