"""A user's preferences: how the page looks and which time it shows."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any, Final

from dashboard.workbench.fields import Fields, Reader, bad, one_of

FORMAT: Final = 1
NONE: Final[dict[str, Any]] = {}
#: What an answer has besides.
ANSWERED: Final = ("version", "format", "created", "changed")


def checked(given: object) -> dict[str, Any]:
    """Preferences as a user gives them, what is left out as usual. Raises BadParameters."""
    fields = Fields(given)
    found = {name: fields.take(name, reader, usual) for name, (reader, usual) in _PREFERENCES.items()}
    fields.passed_over(ANSWERED)
    fields.done()
    return found


def filled(kept: dict[str, Any]) -> dict[str, Any]:
    """Every preference: as kept, or as usual."""
    return {name: kept.get(name, usual) for name, (_reader, usual) in _PREFERENCES.items()}


def _time_zone(name: str, value: Any) -> str:
    if not isinstance(value, str) or (value != "local" and value not in _zones()):
        raise bad(name, value, "local, or a name of the IANA time zone database such as Europe/Berlin")
    return value


@cache
def _zones() -> frozenset[str]:
    """Looked up once: it walks through a folder of 600 files."""
    return frozenset(zoneinfo.available_timezones())


_PREFERENCES: Final[dict[str, tuple[Reader, str]]] = {
    "theme": (one_of("system", "light", "dark"), "system"),
    "palette": (one_of("default", "colour-blind"), "default"),
    "direction": (one_of("green-up", "red-up"), "green-up"),
    "time_zone": (_time_zone, "local"),
    "density": (one_of("comfortable", "compact"), "comfortable"),
}
