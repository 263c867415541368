"""A view: everything that says what the chart shows, so that it can be kept, named, and brought back anywhere."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from dashboard.errors import BadParameter
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.workbench import token
from dashboard.workbench.fields import Fields, Reader, bad, instant, list_of, maybe, number, one_of, symbol, text
from dashboard.workbench.shelf import newer

FORMAT: Final = 1
NAME, COMPARED, INDICATORS, SETTINGS = 80, 5, 20, 50
SCALES: Final = ("linear", "log", "percent")
#: What an answer has besides.
ANSWERED: Final = ("id", "version", "unknown", "created", "changed")
_SETTING = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_name = text(1, NAME)


def checked(given: object, types: Collection[str]) -> tuple[str, dict[str, Any]]:
    """(name, view) of a named view as a user gives it: with `view`, or a `token` in its place.

    Raises BadParameters, TooLarge, and Conflict for one of a newer format.
    """
    fields = Fields(given)
    name = fields.take("name", _name)
    # A view that was read is given back with its token: the view is what counts.
    by_token = isinstance(given, dict) and "token" in given and "view" not in given
    fields.passed_over(ANSWERED if by_token else (*ANSWERED, "token"))
    view = (
        fields.take("token", lambda name, value: restored(name, value, types))
        if by_token
        else fields.take("view", lambda name, value: read(name, value, types))
    )
    fields.done()
    token.encode(view)
    return name, view


def restored(name: str, value: object, types: Collection[str]) -> dict[str, Any]:
    """The view that a token is of. Raises BadParameter, BadParameters, Conflict."""
    if not isinstance(value, str):
        raise bad(name, value, token.RULE)
    return read("view", token.decode(name, value), types)


def read(within: str, given: object, types: Collection[str]) -> dict[str, Any]:
    """A view without a name: `symbol` and `timeframe`, and where they matter `type` (one of `types`), `scale`,
    `indicators` and `compare` (as the page's address has them, in lists), `start` and `end` (UTC ms) and `settings`
    (texts, numbers, true and false by name).

    Raises BadParameters, and Conflict for a newer format.
    """
    if isinstance(given, dict):
        format_ = given.get("format", FORMAT)
        if isinstance(format_, int) and format_ > FORMAT:
            raise newer("this view", format_, FORMAT)
    fields = Fields(given, within)
    first, *_others = types
    found: dict[str, Any] = {
        "format": fields.take("format", _format, FORMAT),
        "symbol": fields.take("symbol", symbol),
        "timeframe": fields.take("timeframe", one_of(*TIMEFRAME_INDEX)),
        "type": fields.take("type", one_of(*types), first),
        "scale": fields.take("scale", one_of(*SCALES), "linear"),
        "indicators": fields.take("indicators", list_of(text(1, 120), INDICATORS, "indicators", once=False), []),
        "compare": fields.take("compare", list_of(symbol, COMPARED, "symbols"), []),
        "start": fields.take("start", maybe(instant), None),
        "end": fields.take("end", maybe(instant), None),
        "settings": fields.take("settings", _settings, {}),
    }
    start, end = found["start"], found["end"]
    if start is not None and end is not None and start > end:
        fields.refuse_value("start", start, f"at or before end ({end})")
    fields.done()
    return found


def _format(name: str, value: Any) -> int:
    if isinstance(value, bool) or value != FORMAT:
        raise bad(name, value, str(FORMAT))
    return FORMAT


def _settings(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad(name, value, "a JSON object")
    if len(value) > SETTINGS:
        raise BadParameter(name, f"{len(value)} of them", f"{SETTINGS} settings at most")
    for key, each in value.items():
        if not _SETTING.fullmatch(key):
            raise bad(f"{name}.{key[:40]}", each, "called by 1 to 40 of a-z 0-9 _ . - that begin with a letter")
        if isinstance(each, str):
            _setting_text(f"{name}.{key}", each)
        elif isinstance(each, (int, float)) and not isinstance(each, bool):
            number(f"{name}.{key}", each)
        elif each is not None and not isinstance(each, bool):
            raise bad(f"{name}.{key}", each, "a text, a number, true, false or null")
    return value


_setting_text: Reader = text(0, 200)
