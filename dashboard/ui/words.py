"""How numbers read on the page: prices with their decimals, changes with arrow and sign, shortened volumes.

`assets/page/words.mjs` says the same for what changes live; a test holds the two together.
"""

from __future__ import annotations

#: A dash for a value that does not exist.
NONE = "–"
MINUS = "−"


def price(value: float | None, decimals: int) -> str:
    """`67,455.20`; – for none."""
    return NONE if value is None else _signed(f"{value:,.{decimals}f}")


def percent(value: float | None) -> str:
    """`+0.58`, `−2.24`, in percent without its sign; – for none."""
    return NONE if value is None else _signed(f"{value:+.2f}")


def difference(value: float | None, decimals: int) -> str:
    """`+392.90`; empty for none."""
    return "" if value is None else _signed(f"{value:+,.{decimals}f}")


def direction(value: float | None) -> str:
    """`up`, `down` or `flat`: the class that colours a change."""
    if not value:
        return "flat"
    return "up" if value > 0 else "down"


def arrow(value: float | None) -> str:
    """▲ or ▼, so that colour never stands alone; empty for none or no change."""
    return {"up": "▲", "down": "▼", "flat": ""}[direction(value)]


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
