"""What `dashboard/ui/packed.py` packs, read as `assets/chart/packed.mjs` does."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from dashboard.store.change import BAR_COLUMNS


def unpacked(columns: dict[str, dict[str, Any]]) -> list[list[Any]]:
    """Rows as the API gives them."""
    assert list(columns) == list(BAR_COLUMNS)
    found = {name: _numbers(column) for name, column in columns.items()}
    first = columns["start"]["first"]
    if first is None:
        return []
    found["start"] = np.cumsum([first, *found["start"]])
    lists = [
        [int(value) for value in values] if name in ("start", "trades", "flags") else values.tolist()
        for name, values in found.items()
    ]
    return [list(row) for row in zip(*lists, strict=True)]


def _numbers(column: dict[str, Any]) -> Any:
    whole = np.frombuffer(base64.b64decode(column["bdata"]), dtype=f"<{column['dtype']}")
    return whole.astype(np.float64) / 10.0 ** column["places"]
