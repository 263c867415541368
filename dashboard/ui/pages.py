"""The pages under the one header, and their addresses; going from one to another is the browser's own (`pages.mjs`)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from dash import html
from flask import has_request_context, request

from dashboard.ui.attributes import hyphened

#: The page's name in the layout (`data-page`), its address, its title.
PAGES = {"chart": ("/", "Dashboard"), "market": ("/market", "Market"), "compare": ("/compare", "Compare")}
#: What Dash may answer with its index.
PATHS = frozenset(path for path, _title in PAGES.values())


def asked_page() -> str:
    """The page that asks for its layout, known by `Referer` only; `pages.mjs` puts right what that does not say."""
    if not has_request_context():
        return "chart"
    try:
        asked = urlsplit(request.headers.get("Referer", "")).path
    except ValueError:
        return "chart"
    return next((name for name, (path, _title) in PAGES.items() if path == asked), "chart")


def links(class_name: str) -> list[Any]:
    """A link to each page."""
    return [
        html.A(title, href=path, className=class_name, **hyphened(data_page=name))
        for name, (path, title) in PAGES.items()
    ]


def navigation() -> html.Nav:
    """The links in the header; on a narrow screen they are in the menu."""
    return html.Nav(className="pages", **hyphened(aria_label="Pages"), children=links("page-link"))
