"""The page's header: name, feed, clock, search, connection, latency, theme and the user's menu."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.ui.attributes import hyphened
from dashboard.ui.pages import links, navigation

BADGE_TITLES = {
    "SIMULATED": "Prices are made by a simulator; they are not real",
    "REPLAY": "Recorded prices are played again; they are not of now",
}


def header(paint: dict[str, Any]) -> html.Header:
    """The header for the data that the page opens with."""
    kind, user = paint["feed"]["kind"], paint["user"]
    return html.Header(
        className="head-bar",
        children=[
            html.H1("Tickboard", className="name"),
            navigation(),
            html.Span(kind, id="feed-kind", className="badge", title=BADGE_TITLES.get(kind, f"Prices from {kind}")),
            # What counts seconds stands beside the words that are announced, not in them.
            html.Span(id="feed-note", className="note", children=[html.Span(role="status"), html.Span()]),
            html.Span(className="grow"),
            html.Div(id="search", className="search-box", role="search"),
            html.Div(
                id="connection",
                className="pill",
                children=[html.Span("Connecting", role="status"), html.Span()],
                **hyphened(data_state="reconnecting"),
            ),
            html.Div(
                id="latency",
                className="pill",
                title="From the tick's receipt by the server to the end of the paint, median",
                children=[html.Span("tick to screen ", className="muted"), html.B("–")],
            ),
            html.Span(id="clock", className="clock muted", title="The server's clock, in your settings' time zone"),
            html.Button(
                id="theme-toggle", className="icon-button", type="button", **hyphened(aria_label="Switch theme")
            ),
            html.Div(
                id="user-menu",
                className="menu-anchor",
                children=[
                    html.Button(
                        initials(user["name"]),
                        id="user-button",
                        className="avatar",
                        type="button",
                        **hyphened(aria_haspopup="true", aria_expanded="false", aria_label=f"Menu of {user['name']}"),
                    ),
                    menu(user),
                ],
            ),
        ],
    )


def menu(user: dict[str, str]) -> html.Div:
    """What the user's button opens: who one is, the theme, the keys, the password, the way out."""
    return html.Div(
        id="user-list",
        className="menu",
        hidden=True,
        children=[
            html.Div(
                className="menu-head", children=[html.B(user["name"]), html.Span(user["role"], className="muted")]
            ),
            html.Div(id="menu-facts", className="menu-facts"),
            *links("menu-item page-item"),
            html.Div(id="theme-choice", className="menu-row", role="group", **hyphened(aria_label="Theme")),
            html.Button("Search", id="search-button", className="menu-item", type="button"),
            html.Button("Settings", id="settings-button", className="menu-item", type="button"),
            html.Button("Keys", id="keys-button", className="menu-item", type="button"),
            html.A("Change password", href="/account/password", className="menu-item"),
            # Dash has no form attribute `action` that it would leave alone on its own buttons; the form posts.
            html.Form(
                action="/logout",
                method="post",
                children=[html.Button("Log out", className="menu-item", type="submit")],
            ),
        ],
    )


def initials(name: str) -> str:
    """Two letters for the round button: `Ada Lovelace` AL, `root` RO."""
    words = name.split()
    return ("".join(word[0] for word in words[:2]) if len(words) > 1 else name[:2]).upper()
