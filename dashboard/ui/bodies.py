"""What a callback's body may be: exactly what Dash's renderer sends for one of our callbacks.

Dash takes the shape for granted: anything else raises inside of it, which would be a 500 for a stranger's nonsense.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash
from flask import Flask, abort, request

PATH = "/_dash-update-component"
REFUSED = "a callback's body must name one of this page's outputs, with the inputs and the state that belong to it"


def install(server: Flask, app: Dash) -> None:
    """Answer 400 to what is no call of a callback of `app`; put it behind the guard."""

    @server.before_request
    def only_calls() -> None:
        if request.path == PATH and request.method == "POST" and not is_call(_body(), app.callback_map):
            abort(400, REFUSED)


def is_call(body: Any, callbacks: Mapping[str, Any]) -> bool:
    """Whether `body` calls one of `callbacks`, which Dash keeps by output (`figure.data`)."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return False
    known = callbacks.get(body["output"], {})
    if "callback" not in known:  # unknown, or one that runs in the browser
        return False
    owner, _dot, name = body["output"].rpartition(".")
    changed = body.get("changedPropIds", [])
    return (
        body.get("outputs") == {"id": owner, "property": name}
        and _places(body.get("inputs")) == _places(known["inputs"])
        and _places(body.get("state", [])) == _places(known["state"])
        and isinstance(changed, list)
        and all(isinstance(each, str) for each in changed)
    )


def _body() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _places(given: Any) -> list[tuple[str, str]] | None:
    """The (id, property) of each input, None where that can't be read."""
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        return None
    places = [(each.get("id"), each.get("property")) for each in given]
    return places if all(isinstance(text, str) for place in places for text in place) else None
