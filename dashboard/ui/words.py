"""How numbers read on the page: prices with their decimals, changes with arrow and sign, shortened volumes.

`assets/page/words.mjs` says the same for what changes live; `tests/ui/test_words.py` holds the two together.
"""

from __future__ import annotations

import functools
from decimal import ROUND_HALF_UP, Context, Decimal

#: A dash for a value that does not exist.
NONE = "–"
MINUS = "−"
#: Wide enough for every price that is taken: 1e302 has 303 digits.
_WIDE = Context(prec=400)


def price(value: float | None, decimals: int) -> str:
    """`67,455.20`, halves rounded away from 0; – for none."""
    return NONE if value is None else _rounded(value, decimals).replace("-", MINUS)


def percent(value: float | None) -> str:
    """`+0.58`, `−2.24`, in percent without its sign; – for none."""
    return NONE if value is None else difference(value, 2)


def difference(value: float | None, decimals: int) -> str:
    """`+392.90`, without a sign where that is 0; empty for none."""
    if value is None:
        return ""
    text = _rounded(abs(value), decimals)
    return text if not text.strip("0.") else (MINUS if value < 0 else "+") + text


def direction(value: float | None) -> str:
    """`up`, `down` or `flat`: the class that colours a change."""
    if not value:
        return "flat"
    return "up" if value > 0 else "down"


def arrow(value: float | None) -> str:
    """▲ or ▼, so that colour never stands alone; empty for none or no change."""
    return {"up": "▲", "down": "▼", "flat": ""}[direction(value)]


def _rounded(value: float, decimals: int) -> str:
    """As the browser's formats round: the shortest digits that are this number, halves away from 0."""
    return f"{Decimal(repr(float(value))).quantize(_step(decimals), ROUND_HALF_UP, _WIDE):,f}"


@functools.cache
def _step(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)
