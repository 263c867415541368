"""A line of the table: what was measured, ours and its baseline from the same run, medians of repeats."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """`ours` and `baseline` in `unit`, of which less is better; `against` says what the baseline is."""

    what: str
    ours: float
    unit: str
    against: str
    baseline: float

    def __str__(self) -> str:
        ratio = self.baseline / self.ours if self.ours > 0 else float("inf")
        said = f"{ratio:,.1f} times less" if ratio >= 1 else f"{1 / ratio:,.2f} times more"
        ours, baseline = f"{number(self.ours)} {self.unit}", f"{number(self.baseline)} {self.unit}"
        return f"{self.what:<58} {ours:>14}   {self.against:<52} {baseline:>14}   {said}"


def number(value: float) -> str:
    """Three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def alternating(*runs: Callable[[], object], repeats: int = 5) -> list[float]:
    """Median seconds of each of `runs`, taken in turn so that a noisy neighbour hits them alike."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for times, run in zip(taken, runs, strict=True):
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in taken]
