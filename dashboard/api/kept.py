"""`/api/v1/watchlists`, `/views`, `/drawings`, `/preferences`: what a user keeps; and a watchlist as a file.

Each document's ETag is its version. Who changes or deletes one says by `If-Match` which version was read: 428 without,
412 where somebody was quicker. What belongs to another user does not exist (404).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, Response, request

from dashboard.api import documents, parameters, watchlist_csv
from dashboard.api.documents import me
from dashboard.api.services import Services
from dashboard.errors import DashboardError
from dashboard.market.instruments import is_symbol
from dashboard.workbench import drawings, preferences, token, views, watchlists
from dashboard.workbench.named import Named
from dashboard.workbench.shelf import Kept

Content = dict[str, Any]


def blueprint(services: Services) -> Blueprint:
    """The routes."""
    routes = Blueprint("kept", __name__, url_prefix="/api/v1")
    bench, catalogue, types = services.workbench, services.store.catalogue, services.chart_types

    def unknown(symbols: list[str]) -> list[str]:
        return [symbol for symbol in symbols if catalogue.index(symbol) is None]

    def watchlist(kept: Kept) -> Content:
        content = kept.content()
        return {**_head(kept), **content, "unknown": unknown(content["symbols"])}

    def view(content: Content) -> Content:
        return {"view": content, "token": token.encode(content), "unknown": unknown(_named_in(content))}

    _named(routes, "watchlists", bench.watchlists, watchlists.checked, watchlist)
    _named(
        routes,
        "views",
        bench.views,
        lambda given: views.checked(given, types),
        lambda kept: {**_head(kept), **view(kept.content())},
        # The list goes without tokens: to make 200 of them took 0.15 s.
        lambda kept: {**_head(kept), "view": kept.content(), "unknown": unknown(_named_in(kept.content()))},
    )
    _tokens(routes, types, view)
    _drawings(routes, services)
    _preferences(routes, services)

    @routes.get("/export/watchlist.csv")
    def exported() -> Response:
        readers = {"list": parameters.whole(1, 2**63 - 1), "columns": watchlist_csv.columns}
        given = parameters.read(request.args, readers)
        kept = bench.watchlists.get(me(), given["list"]) if "list" in given else None
        return watchlist_csv.answer(services, kept, given.get("columns"))

    return routes


def _named(
    routes: Blueprint,
    path: str,
    shelf: Named,
    checked: Callable[[object], tuple[str, Content]],
    shown: Callable[[Kept], Content],
    in_list: Callable[[Kept], Content] | None = None,
) -> None:
    """Create, read, change and delete on a shelf of named documents; `in_list` shows one among all of them."""

    def listed(kept: Kept) -> Content:
        # One that can't be shown hides no other.
        try:
            return (in_list or shown)(kept)
        except DashboardError as error:
            return {**_head(kept), "refused": str(error)}

    def every() -> Response:
        parameters.read(request.args, {})
        return documents.listing([listed(kept) for kept in shelf.every(me())])

    def create() -> Response:
        parameters.read(request.args, {})
        kept = shelf.create(me(), *checked(documents.body()))
        return documents.answer(shown(kept), kept, f"/api/v1/{path}/{kept.id}")

    def read(number: str) -> Response:
        parameters.read(request.args, {})
        kept = shelf.get(me(), documents.numbered(shelf.kind, number))
        return documents.answer(shown(kept), kept)

    def change(number: str) -> Response:
        parameters.read(request.args, {})
        at, seen = documents.numbered(shelf.kind, number), documents.seen()
        kept = shelf.change(me(), at, seen, *checked(documents.body()))
        return documents.answer(shown(kept), kept)

    def delete(number: str) -> Response:
        parameters.read(request.args, {})
        shelf.delete(me(), documents.numbered(shelf.kind, number), documents.seen())
        return documents.gone()

    for method, view in (("GET", every), ("POST", create)):
        routes.add_url_rule(f"/{path}", f"{path}_{view.__name__}", view, methods=[method])
    for method, one in (("GET", read), ("PUT", change), ("DELETE", delete)):
        routes.add_url_rule(f"/{path}/<number>", f"{path}_{one.__name__}", one, methods=[method])


def _tokens(routes: Blueprint, types: tuple[str, ...], shown: Callable[[Content], Content]) -> None:
    """A view as a token and back, without keeping it."""

    def answer(view: Content) -> Response:
        return Response(orjson.dumps(shown(view)), mimetype="application/json")

    @routes.post("/views/token")
    def to_token() -> Response:
        parameters.read(request.args, {})
        return answer(views.read("", documents.body(), types))

    @routes.get("/views/token/<given>")
    def from_token(given: str) -> Response:
        parameters.read(request.args, {})
        return answer(views.restored("token", given, types))


def _drawings(routes: Blueprint, services: Services) -> None:
    shelf, catalogue = services.workbench.drawings, services.store.catalogue

    def shown(symbol: str, kept: Kept) -> Content:
        return {"symbol": symbol, **_version(kept), **kept.content(), "unknown": catalogue.index(symbol) is None}

    def named(symbol: str) -> str:
        """The drawings in words. Raises UnknownSymbol for what can be no symbol of any market."""
        if not is_symbol(symbol):
            catalogue.require(symbol)
        return f"the drawings on {symbol}"

    @routes.get("/drawings")
    def drawn() -> Response:
        parameters.read(request.args, {})
        rows = services.workbench.drawn(me())
        return documents.listing(
            [
                {"symbol": symbol, "version": version, "count": count, "unknown": catalogue.index(symbol) is None}
                for symbol, count, version in rows
            ]
        )

    @routes.get("/drawings/<path:symbol>")
    def read_drawings(symbol: str) -> Response:
        what = named(symbol)
        parameters.read(request.args, {})
        kept = shelf.get(what, me(), symbol=symbol)
        if not kept.version:
            catalogue.require(symbol)
        return documents.answer(shown(symbol, kept), kept)

    @routes.put("/drawings/<path:symbol>")
    def change_drawings(symbol: str) -> Response:
        catalogue.require(symbol)
        parameters.read(request.args, {})
        seen = documents.seen()
        content = drawings.checked(documents.body(documents.DRAWINGS_BYTES))
        count = {"count": len(content["drawings"])}
        kept = shelf.put(named(symbol), seen, content, count, me(), symbol=symbol)
        return documents.answer(shown(symbol, kept), kept, request.path if kept.is_new else None)

    @routes.delete("/drawings/<path:symbol>")
    def delete_drawings(symbol: str) -> Response:
        what = named(symbol)
        parameters.read(request.args, {})
        shelf.clear(what, documents.seen(), {"count": 0}, me(), symbol=symbol)
        return documents.gone()


def _preferences(routes: Blueprint, services: Services) -> None:
    shelf, what = services.workbench.preferences, "the preferences"

    def answer(kept: Kept) -> Response:
        return documents.answer({**_version(kept), **preferences.filled(kept.content())}, kept)

    @routes.get("/preferences")
    def read_preferences() -> Response:
        parameters.read(request.args, {})
        return answer(shelf.get(what, me()))

    @routes.put("/preferences")
    def change_preferences() -> Response:
        parameters.read(request.args, {})
        seen = documents.seen()
        return answer(shelf.put(what, seen, preferences.checked(documents.body()), {}, me()))

    @routes.delete("/preferences")
    def delete_preferences() -> Response:
        parameters.read(request.args, {})
        shelf.clear(what, documents.seen(), {}, me())
        return documents.gone()


def _named_in(view: Content) -> list[str]:
    """Every symbol that a view names."""
    return [view["symbol"], *view["compare"]]


def _version(kept: Kept) -> Content:
    return {"version": kept.version, "created": kept.created, "changed": kept.changed}


def _head(kept: Kept) -> Content:
    return {"id": kept.id, "name": kept.name, **_version(kept)}
