"""The drawings of a user on an instrument: one document, so that undo and redo are one change of it."""

from __future__ import annotations

import re
from typing import Any, Final

from dashboard.workbench.fields import Fields, bad, instant, list_of, number, one_of, text, whole

FORMAT: Final = 1
NONE: Final[dict[str, Any]] = {"drawings": []}
DRAWINGS, TEXT = 200, 500
#: How many points each kind has.
POINTS: Final = {"line": 2, "ray": 2, "horizontal": 1, "rectangle": 2, "fibonacci": 2, "text": 1, "measure": 2}
DASHES: Final = ("solid", "dash", "dot")
#: What an answer has besides.
ANSWERED: Final = ("symbol", "version", "format", "unknown", "created", "changed")
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}|[a-z][a-z0-9-]{0,29}")


def checked(given: object) -> dict[str, Any]:
    """The content of all drawings as a user gives them: `drawings`, each with an `id` of its page's making, a `kind`,
    its `points` as [UTC ms, price], and where they matter `style` (`color`, `width`, `dash`) and `text`.

    Raises BadParameters.
    """
    fields = Fields(given)
    drawings = fields.take("drawings", list_of(_drawing, DRAWINGS, "drawings", once=False))
    ids = [each["id"] for each in drawings or ()]
    if len(set(ids)) != len(ids):
        twice = next(each for at, each in enumerate(ids) if each in ids[:at])
        fields.refuse_value("drawings", twice, "a list in which no id comes twice")
    fields.passed_over(ANSWERED)
    fields.done()
    return {"drawings": drawings}


def _drawing(name: str, value: Any) -> dict[str, Any]:
    fields = Fields(value, name)
    kind = fields.take("kind", one_of(*POINTS))
    found = {
        "id": fields.take("id", _id),
        "kind": kind,
        "points": fields.take("points", lambda name, value: _points(name, value, kind)),
        "style": fields.take("style", _style, {}),
        "text": fields.take(
            "text", text(1 if kind == "text" else 0, TEXT, lines=True), *([] if kind == "text" else [""])
        ),
    }
    fields.done()
    return found


def _id(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise bad(name, value, "1 to 40 of A-Z a-z 0-9 _ -")
    return value


def _points(name: str, value: Any, kind: str | None) -> list[list[float]]:
    if not isinstance(value, list) or (kind is not None and len(value) != POINTS[kind]):
        count = POINTS.get(kind or "", 2)
        raise bad(name, value, f"{count} [time in ms, price]" if count == 1 else f"{count} times [time in ms, price]")
    found = []
    for at, point in enumerate(value[:2]):
        if not isinstance(point, list) or len(point) != 2:
            raise bad(f"{name}[{at}]", point, "[time in ms, price]")
        found.append([instant(f"{name}[{at}][0]", point[0]), number(f"{name}[{at}][1]", point[1])])
    return found


def _style(name: str, value: Any) -> dict[str, Any]:
    fields = Fields(value, name)
    found = {
        "color": fields.take("color", _color, None),
        "width": fields.take("width", whole(1, 8), None),
        "dash": fields.take("dash", one_of(*DASHES), None),
    }
    fields.done()
    return {name: value for name, value in found.items() if value is not None}


def _color(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        raise bad(name, value, "#rrggbb, or the name of one of the page's colours")
    return value
