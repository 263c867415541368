"""Indicators as people and addresses name them: `sma:20,ema:50,bbands:20:2,macd`, read in this one place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from dashboard.errors import BadParameter
from dashboard.market.indicators.registry import INDICATORS, Indicator, Number, Parameter

MOST = 10
#: Longer texts are not looked at: ten indicators with every parameter take 230 characters at most.
LONGEST_TEXT = 400
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?", re.ASCII)
_AN_EXAMPLE = "such as sma:20,bbands:20:2,macd"


@dataclass(frozen=True, slots=True)
class Chosen:
    """An indicator with a value for each of its parameters."""

    indicator: Indicator
    values: tuple[Number, ...]

    @property
    def text(self) -> str:
        """The shortest text that `parse` reads as this with every parameter said: `bbands:20:2`."""
        return ":".join([self.indicator.name, *map(_said, self.values)])

    @property
    def columns(self) -> tuple[str, ...]:
        """A name for each output: `sma_20`, `bbands_20_2_upper`."""
        stem = self.text.replace(":", "_")
        return tuple(f"{stem}_{output}" if output else stem for output in self.indicator.outputs)


def parse(text: str, name: str = "indicators") -> tuple[Chosen, ...]:
    """The indicators that a text names, in its order: 1 to 10, in any case, parameters left out having their defaults.

    Raises BadParameter, called `name`, that says what is wrong with the first part that is.
    """
    parts = text.lower().split(",") if len(text) <= LONGEST_TEXT else []
    if not text or not 1 <= len(parts) <= MOST:
        raise BadParameter(name, text, f"a comma list of 1 to {MOST} indicators, {_AN_EXAMPLE}")
    found: dict[Chosen, None] = {}
    for part in parts:
        chosen = _one(part, name)
        if chosen in found:
            raise BadParameter(name, f"{chosen.text} twice", "a list that has each indicator once")
        found[chosen] = None
    return tuple(found)


def _one(part: str, name: str) -> Chosen:
    head, *given = part.split(":")
    indicator = INDICATORS.get(head)
    if indicator is None:
        near = _near(head)
        hint = f" (like it: {', '.join(near)})" if near else ""
        raise BadParameter(name, part, f"a comma list {_AN_EXAMPLE}, of {', '.join(INDICATORS)}{hint}")
    parameters = indicator.parameters
    if len(given) > len(parameters):
        some = f"with {len(parameters)} parameters at most" if len(parameters) > 1 else "with one parameter at most"
        raise BadParameter(name, part, f"{indicator.form} {some if parameters else 'without parameters'}")
    values = [
        _value(indicator, parameter, given[at], part, name) if at < len(given) else parameter.default
        for at, parameter in enumerate(parameters)
    ]
    by_name = {parameter.name: value for parameter, value in zip(parameters, values, strict=True)}
    for lower, higher in zip(indicator.rising, indicator.rising[1:], strict=False):
        if by_name[lower] >= by_name[higher]:
            raise BadParameter(name, part, f"{indicator.form} with {lower} below {higher}")
    return Chosen(indicator, tuple(values))


def _value(indicator: Indicator, parameter: Parameter, text: str, part: str, name: str) -> Number:
    whole = parameter.kind == "whole"
    if (_WHOLE if whole else _NUMBER).fullmatch(text):
        value = int(text) if whole else float(text)
        if parameter.minimum <= value <= parameter.maximum:
            return value
    kind = "a whole number" if whole else "a number"
    span = f"from {_said(parameter.minimum)} to {_said(parameter.maximum)}"
    raise BadParameter(name, part, f"{indicator.form} with {parameter.name} {kind} {span}")


def _near(head: str) -> list[str]:
    """Names that look like `head`, or whose titles have a word that does, best first."""
    words: dict[str, list[str]] = {each: [each] for each in INDICATORS}
    for each in INDICATORS.values():
        for word in re.findall(r"[a-z]{4,}", each.title.lower()):
            words.setdefault(word, []).append(each.name)
    matches = get_close_matches(head[:30], words, n=3, cutoff=0.6)
    return list(dict.fromkeys(name for match in matches for name in words[match]))[:4]


def _said(value: Number) -> str:
    return f"{value:.6g}"
