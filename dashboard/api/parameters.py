"""Query parameters, read strictly: unknown, repeated, empty and bad ones are named, with what would be taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from dashboard.errors import BadParameter, BadParameters
from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.indicators import Chosen, parse
from dashboard.store.text import knows_zone

MOST_ROWS = 50_000
#: Faults of a request that are told.
MOST_FAULTS = 20
_INSTANT = "an ISO 8601 time (UTC where no zone is given) or milliseconds since 1970"
_EARLIEST_MS, _LATEST_MS = 0, 253_402_300_799_999
_ISO = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?)?([Zz]|[+\- ]\d\d:?\d\d)?", re.ASCII)


class OutOfRange(BadParameter):
    """A whole number is none, or not in its range."""

    def __init__(self, parameter: str, received: str, least: int, most: int) -> None:
        super().__init__(parameter, received, f"between {least} and {most}")
        self.accepted = f"{least} to {most}"


Reader = Callable[[str, str], Any]


def read(given: MultiDict[str, str], accepted: Mapping[str, Reader]) -> dict[str, Any]:
    """The values of the parameters that were given. Raises BadParameters that name every fault."""
    errors: list[BadParameter] = []
    values: dict[str, Any] = {}
    for name in given:
        reader = accepted.get(name)
        texts = given.getlist(name)
        if reader is None:
            known = ", ".join(accepted) or "no parameters"
            errors.append(BadParameter(name[:60], texts[0], f"left out: this takes {known}"))
        elif len(texts) > 1:
            errors.append(BadParameter(name, ", ".join(texts), "given once"))
        else:
            try:
                values[name] = reader(name, texts[0])
            except BadParameter as error:
                errors.append(error)
    start, end = values.get("start"), values.get("end")
    if start is not None and end is not None and start > end:
        errors.append(BadParameter("start", given["start"], f"at or before end ({given['end'][:60]})"))
    if errors:
        raise BadParameters(errors[:MOST_FAULTS])
    return values


def instant(name: str, text: str) -> int:
    """UTC ms of an ISO 8601 text or of milliseconds."""
    if re.fullmatch(r"-?[0-9]{1,15}", text):
        value = int(text)
    elif _ISO.fullmatch(text):
        try:
            # A plus that was not encoded arrives as a space.
            plain = re.sub(r" (\d\d:?\d\d)$", r"+\1", text[:10] + text[10:].replace(",", "."))
            if len(text) > 10 and text[10] == " ":
                plain = text[:10] + "T" + plain[11:]
            parsed = datetime.fromisoformat(plain.upper())
        except ValueError:
            raise BadParameter(name, text, _INSTANT) from None
        aware = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
        try:
            value = round(aware.timestamp() * 1000)
        except (OverflowError, ValueError):
            raise BadParameter(name, text, _INSTANT) from None
    else:
        raise BadParameter(name, text, _INSTANT)
    if not _EARLIEST_MS <= value <= _LATEST_MS:
        raise BadParameter(name, text, "between the years 1970 and 9999")
    return value


def whole(least: int, most: int) -> Reader:
    """A reader of whole numbers in a range."""

    def reader(name: str, text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text) or not least <= int(text) <= most:
            if most < 2**62:
                raise OutOfRange(name, text, least, most)
            raise BadParameter(name, text, f"a whole number from {least} on")
        return int(text)

    return reader


def timeframe(name: str, text: str) -> int:
    """The index of a timeframe."""
    if text not in TIMEFRAME_INDEX:
        raise BadParameter(name, text, f"one of {', '.join(TIMEFRAME_INDEX)}")
    return TIMEFRAME_INDEX[text]


def timeframe_or_ticks(name: str, text: str) -> int | None:
    """The index of a timeframe, None for `tick`."""
    if text == "tick":
        return None
    if text not in TIMEFRAME_INDEX:
        raise BadParameter(name, text, f"tick or one of {', '.join(TIMEFRAME_INDEX)}")
    return TIMEFRAME_INDEX[text]


def indicators(name: str, text: str) -> tuple[Chosen, ...]:
    """Indicators in the order of the text."""
    return parse(text, name)


def word(name: str, text: str) -> str:
    """A short text of letters and digits, as an epoch is."""
    if not re.fullmatch(r"[A-Za-z0-9]{1,40}", text):
        raise BadParameter(name, text, "1 to 40 letters and digits")
    return text


def zone(name: str, given: str) -> str:
    """The name of a time zone."""
    # A plus that was not encoded arrives as a space.
    plain = given.replace(" ", "+")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+\-/]{0,63}", plain) or not knows_zone(plain):
        raise BadParameter(name, given, "a time zone's name, as Europe/Berlin or UTC")
    return plain
