"""The design's tokens, read from `assets/00-tokens.css`: the one source of every colour, for Plotly's template too."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
ASSETS = Path(__file__).parents[2] / "assets"
_TOKEN = re.compile(r"^\s*--([a-z0-9-]+):\s*([^;]+);", re.MULTILINE)
_PAIR = re.compile(r"light-dark\(\s*([^,]+?)\s*,\s*([^)]+?)\s*\)")


@cache
def tokens(theme: Theme) -> dict[str, str]:
    """Every custom property of the page in one theme, by its name without the dashes: `{"up": "#0b7d4d", …}`."""
    sheet = (ASSETS / "00-tokens.css").read_text("utf-8")
    side = THEMES.index(theme) + 1
    return {name: _PAIR.sub(lambda pair: pair.group(side), value).strip() for name, value in _TOKEN.findall(sheet)}
