"""Fields of a JSON object, read strictly: every fault is named with what came and what is accepted, none passed over.

A reader takes (name, value) and gives the value to keep, or raises BadParameter.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Collection
from typing import Any, Final

import orjson

from dashboard.errors import BadParameter, BadParameters
from dashboard.market.instruments import SYMBOL_RULE, is_symbol

Reader = Callable[[str, Any], Any]
REQUIRED: Final = object()
#: UTC ms that have a date of four digits.
EARLIEST_MS, LATEST_MS = 0, 253_402_300_799_999
LARGEST = 1e15


class Fields:
    """The fields of one object; `done` is called last."""

    def __init__(self, given: object, within: str = "") -> None:
        if not isinstance(given, dict):
            raise BadParameters([bad(within or "body", given, "a JSON object")])
        self._given, self._within = dict(given), within
        self._known: list[str] = []
        self._errors: list[BadParameter] = []

    def take(self, name: str, reader: Reader, default: Any = REQUIRED) -> Any:
        """The field as `reader` gives it, `default` where it is left out; None after a fault."""
        self._known.append(name)
        full = f"{self._within}.{name}" if self._within else name
        if name not in self._given:
            if default is not REQUIRED:
                return default
            # The reader says what would have been accepted.
            self._given[name] = None
        try:
            return reader(full, self._given.pop(name))
        except BadParameter as error:
            self._errors.append(error)
        except BadParameters as error:
            self._errors.extend(error.errors)
        return None

    def passed_over(self, names: Collection[str]) -> None:
        """Fields that an answer has and a request may bring back: they say nothing."""
        for name in names:
            self._given.pop(name, None)

    def refuse_value(self, name: str, value: object, accepted: str) -> None:
        """One more fault, of a field that was read already."""
        self._errors.append(bad(f"{self._within}.{name}" if self._within else name, value, accepted))

    def done(self) -> None:
        """Raises BadParameters where there was a fault or a field is left over."""
        for name, value in list(self._given.items())[:5]:
            full = f"{self._within}.{name[:40]}" if self._within else name[:40]
            self._errors.append(bad(full, value, f"left out: this takes {', '.join(self._known)}"))
        if self._errors:
            raise BadParameters(self._errors[:20])


def bad(name: str, value: object, accepted: str) -> BadParameter:
    """A fault; `value` is shown as the JSON that it came as, a text as it is, null as nothing."""
    if value is None or isinstance(value, str):
        return BadParameter(name, value or "", accepted)
    try:
        shown = orjson.dumps(value).decode()
    except TypeError:  # nested deeper than it writes
        shown = "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else str(value)
    return BadParameter(name, shown, accepted)


def text(least: int, most: int, *, lines: bool = False) -> Reader:
    """A text of so many characters without control characters, in the composed form (NFC), without spaces around it;
    with `lines` it may have line ends. One that may not be empty has something to see."""
    accepted = f"a text of {least} to {most} characters, none of them a control character"
    if least:
        accepted += ", one of them to be seen"

    def reader(name: str, value: Any) -> str:
        # Composing takes the square of the marks that stand in a row, in one step that stops every thread: no longer a
        # text is composed than one that can become short enough, of four code points a character at most.
        found = value.strip() if isinstance(value, str) else None
        found = unicodedata.normalize("NFC", found).strip() if found is not None and len(found) <= 4 * most else None
        if found is None or not least <= len(found) <= most or not all(_is_taken(char, lines) for char in found):
            raise bad(name, value, accepted)
        if least and not any(_is_seen(char) for char in found):
            raise bad(name, value, accepted)
        return found

    return reader


#: Characters that turn the direction of what stands behind them (Bidi_Control in Unicode's PropList.txt): a name with
#: one would change how its neighbours read.
_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Letters and symbols that are drawn as nothing: fillers of Hangul, the empty pattern of Braille.
_EMPTY: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def _is_taken(char: str, lines: bool) -> bool:
    # Cc control, Cs half a character, Co private, Zl and Zp line ends of their own. What is not assigned (Cn) is taken:
    # another Python knows it. So are joiners and variation selectors, of which emoji are made.
    if lines and char == "\n":
        return True
    return char not in _TURNING and unicodedata.category(char) not in ("Cc", "Cs", "Co", "Zl", "Zp")


def _is_seen(char: str) -> bool:
    # Neither a mark (alone, such as a variation selector), nor a space, nor a format character (joiner, soft hyphen).
    category = unicodedata.category(char)
    return char not in _EMPTY and (category[0] not in "MZC" or category == "Cn")


def one_of(*words: str) -> Reader:
    """One of some words."""

    def reader(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise bad(name, value, f"one of {', '.join(words)}")
        return value

    return reader


def maybe(reader: Reader) -> Reader:
    """What `reader` takes, or null."""

    def either(name: str, value: Any) -> Any:
        if value is None:
            return None
        try:
            return reader(name, value)
        except BadParameter as error:
            raise BadParameter(error.parameter, error.received, f"{error.accepted}, or null") from None

    return either


def flag(name: str, value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise bad(name, value, "true or false")
    return value


def whole(least: int, most: int) -> Reader:
    """A whole number in a range."""

    def reader(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise bad(name, value, f"a whole number from {least} to {most}")
        return value

    return reader


def instant(name: str, value: Any) -> int:
    """UTC ms."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not EARLIEST_MS <= value <= LATEST_MS:
        raise bad(name, value, "whole milliseconds since 1970, in the years 1970 to 9999")
    return value


def number(name: str, value: Any) -> float:
    """A price, or what else lies on an axis."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise bad(name, value, "a number")
    if abs(value) >= LARGEST:
        raise bad(name, value, "a number between -1e15 and 1e15")
    return float(value)


def symbol(name: str, value: Any) -> str:
    """A symbol, of this market or another."""
    if not isinstance(value, str) or not is_symbol(value):
        raise bad(name, value, f"a symbol: {SYMBOL_RULE}")
    return value


def list_of(reader: Reader, most: int, what: str, *, once: bool = True) -> Reader:
    """A list of up to `most` values, each as `reader` takes it; with `once` none comes twice. One fault is named."""

    def read(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise bad(name, value, f"a list of {what}")
        if len(value) > most:
            raise BadParameter(name, f"{len(value)} of them", f"a list of {most} {what} at most")
        found = [reader(f"{name}[{at}]", each) for at, each in enumerate(value)]
        if once and len(set(found)) != len(found):
            twice = next(each for at, each in enumerate(found) if each in found[:at])
            raise bad(name, twice, f"a list of {what} in which none comes twice")
        return found

    return read
