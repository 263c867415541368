"""The page: Dash's layout and callbacks. `build` puts it on a Flask server."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dash import Dash
from flask import Flask, has_request_context, request

from dashboard.ui import bodies, callbacks, remembered, static
from dashboard.ui.compare import callbacks as compare_callbacks
from dashboard.ui.first_paint import first_paint
from dashboard.ui.index import IGNORED, Page
from dashboard.ui.layout import page
from dashboard.ui.market import callbacks as market_callbacks
from dashboard.ui.pages import PATHS, asked_page
from dashboard.ui.services import Services
from dashboard.ui.static import ASSETS

__all__ = ["PATHS", "Services", "build"]


def build(server: Flask, services: Services) -> Dash:
    """Put the page on `server`, whose guard is there already."""
    files = static.Files()
    static.install(server, files)
    said = {"SIMULATED": " (simulated)", "REPLAY": " (replay)"}.get(services.feed.kind, "")
    app = Page(
        __name__,
        files=files,
        looks=lambda: remembered.looks(remembered.preferences(services)),
        server=server,
        assets_folder=str(ASSETS),
        assets_ignore=IGNORED,
        title=f"Tickboard{said}",
        # A title that changes with every callback flickers in the tab.
        update_title="",
        suppress_callback_exceptions=True,
        add_log_handler=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )

    def layout() -> Any:
        return page(first_paint(services, asked_view()), asked_page())

    app.layout = layout
    callbacks.register(app, services)
    market_callbacks.register(app, services)
    compare_callbacks.register(app, services)
    bodies.install(server, app)
    return app


def asked_view() -> dict[str, str]:
    """The query of the page that asks for its layout: Dash's own request for it carries it in `Referer` only."""
    if not has_request_context():
        return {}
    try:
        return dict(parse_qsl(urlsplit(request.headers.get("Referer", "")).query))
    except ValueError:  # no address at all, as http://[
        return {}
