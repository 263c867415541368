"""Attributes whose names Python can't spell: `aria-label`, `data-view`."""

from __future__ import annotations

from typing import Any


def hyphened(**named: str) -> dict[str, Any]:
    """`hyphened(aria_label="Chart")` is {"aria-label": "Chart"}, to be unpacked into one of Dash's elements."""
    return {name.replace("_", "-"): value for name, value in named.items()}
