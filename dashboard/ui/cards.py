"""The cards at the top: one a pinned symbol, with price, change, sparkline, and its age when it is stale."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard.ui import words
from dashboard.ui.attributes import hyphened
from dashboard.ui.first_paint import CARDS


def cards(paint: dict[str, Any]) -> html.Section:
    """The strip of cards, filled with the first quotes; `cards.mjs` keeps it going."""
    shown = paint["view"]["symbol"]
    return html.Section(
        id="cards",
        **hyphened(aria_label="Pinned symbols"),
        children=[card(quote, quote["symbol"] == shown) for quote in paint["tickers"][:CARDS]],
    )


def card(quote: dict[str, Any], selected: bool) -> html.Button:
    """One card; a click or Enter shows its symbol."""
    change = quote["change"]
    classes = ["card", *(["on"] if selected else []), *(["stale"] if quote["stale"] else [])]
    return html.Button(
        className=" ".join(classes),
        type="button",
        title=quote["name"],
        **hyphened(data_symbol=quote["symbol"], aria_pressed="true" if selected else "false"),
        children=[
            html.Span(quote["symbol"], className="sym"),
            html.Span(words.price(quote["price"], quote["decimals"]), className="price"),
            html.Span(
                className=f"change {words.direction(change)}",
                children=[
                    html.Span(words.arrow(change), className="arrow"),
                    html.Span(
                        words.percent(quote["change_percent"]) + ("" if change is None else "%"), className="pct"
                    ),
                    html.Span(words.difference(change, quote["decimals"]), className="diff"),
                ],
            ),
            html.Span(className="age"),
            html.Span(className="spark", **hyphened(aria_hidden="true")),
        ],
    )
