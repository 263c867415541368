"""What the page takes from what its user keeps before it is drawn: preferences, and the view that it opens with."""

from __future__ import annotations

from typing import Any

from flask_login import current_user

from dashboard.errors import DashboardError, NotThere, StorageError
from dashboard.ui.services import Services
from dashboard.workbench import preferences as kept_preferences


def preferences(services: Services) -> dict[str, Any]:
    """The preferences of the user who asks with their `version`, 0 where none are kept; where they can't be read, those
    as usual with an `error` and None as version."""
    user = getattr(current_user, "id", None)
    if user is None:
        return {"version": 0, **kept_preferences.filled({})}
    try:
        kept = services.workbench.preferences.get("the preferences", int(user))
        return {"version": kept.version, **kept_preferences.filled(kept.content())}
    except DashboardError as error:
        return {"version": None, "error": str(error), **kept_preferences.filled({})}


def looks(preferred: dict[str, Any]) -> dict[str, str]:
    """Preferences as attributes of <html>, which the styles go by (`assets/page/preferences.mjs` writes the same): only
    what is not as usual, so that a page in the usual look has none."""
    shown = {
        "data-theme": preferred["theme"] if preferred["theme"] != "system" else "",
        "data-palette": preferred["palette"] if preferred["palette"] != "default" else "",
        "data-direction": preferred["direction"] if preferred["direction"] != "green-up" else "",
        "data-density": preferred["density"] if preferred["density"] != "comfortable" else "",
        "data-motion": preferred["motion"] if preferred["motion"] != "system" else "",
    }
    return {name: value for name, value in shown.items() if value}


def opened(services: Services, preferred: dict[str, Any]) -> dict[str, Any] | None:
    """The named view that a page without a query opens with: `id`, `name`, `version` and `view`, or an `error` in its
    place where it can't be shown. None where there is none (any more)."""
    number = preferred["default_view"]
    if number is None:
        return None
    try:
        kept = services.workbench.views.get(int(current_user.id), number)
    except NotThere:
        return None
    except StorageError as error:
        return {"error": str(error)}
    head = {"id": kept.id, "name": kept.name, "version": kept.version}
    try:
        return {**head, "view": kept.content()}
    except DashboardError as error:
        return {**head, "error": str(error)}
