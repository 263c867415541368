"""What the API needs of the rest of the product."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.api.receipts import Receipts
from dashboard.store.memory import LastTable, MemoryStore
from dashboard.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Services:
    """`freshness` gives (age in ms, stale) of every instrument; `cut` says when a streamed answer must break off;
    `chart_types` are those that the page can draw, the usual one first; `condition` tells how good the data of an
    instrument is (by its index), and how the feed does; `studying` is held while indicators are calculated for whoever
    asks, and raises ServiceUnavailable where too many are; `receipts` are those of the exports."""

    store: MemoryStore
    freshness: Callable[[LastTable], tuple[NDArray[np.float64], NDArray[np.bool_]]]
    feed_kind: str
    cut: Callable[[], bool]
    workbench: Workbench
    chart_types: tuple[str, ...]
    condition: Callable[[int], dict[str, Any]]
    studying: Callable[[], AbstractContextManager[None]]
    receipts: Receipts = field(default_factory=Receipts)

    @property
    def file_prefix(self) -> str:
        """What the names of exported files begin with: simulated data says so."""
        return "simulated_" if self.feed_kind == "SIMULATED" else ""
