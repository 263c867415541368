"""What the API needs of the rest of the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.store.memory import LastTable, MemoryStore
from dashboard.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Services:
    """`freshness` gives (age in ms, stale) of every instrument; `cut` says when a streamed answer must break off;
    `chart_types` are those that the page can draw, the usual one first."""

    store: MemoryStore
    freshness: Callable[[LastTable], tuple[NDArray[np.float64], NDArray[np.bool_]]]
    feed_kind: str
    cut: Callable[[], bool]
    workbench: Workbench
    chart_types: tuple[str, ...]

    @property
    def file_prefix(self) -> str:
        """What the names of exported files begin with: simulated data says so."""
        return "simulated_" if self.feed_kind == "SIMULATED" else ""
