"""States of indicators as plain data, with which another program (the page) goes on where the store's bars end."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dashboard.market.indicators.chosen import Chosen
from dashboard.market.indicators.columns import Columns
from dashboard.market.indicators.running import Running


def warm(chosen: Sequence[Chosen], bars: Columns) -> list[dict[str, Any]]:
    """The states of `chosen` behind `bars`, in their order: the fields of their blocks by name, without the functions.

    Numbers are JSON's: None stands for NaN, which every state has before its first value. `assets/indicators/` folds
    bars into the same states.
    """
    states = []
    for each in chosen:
        running = Running(each)
        running.close(bars)
        states.append(_plain(running.state))
    return states


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(each) for each in value.tolist()]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value):
        inner = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {name: _plain(each) for name, each in inner if not callable(each)}
    return value
