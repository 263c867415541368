"""A line of the table: what was measured, ours and its baseline from the same run, and what was asked for."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """`ours` and `baseline` in `unit`, of which less is better; `against` says what the baseline is.

    `ratio` is the most that ours / baseline may be, `limit` the most that ours may be; None where nothing is asked.
    Without a baseline `against` is empty and `baseline` 0. `note` is one sentence for the reader of RESULTS.md.
    """

    what: str
    ours: float
    unit: str
    against: str = ""
    baseline: float = 0.0
    ratio: float | None = None
    limit: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether what is asked for was reached; None where nothing is."""
        asked = []
        if self.ratio is not None:
            asked.append(self.ours <= self.ratio * self.baseline)
        if self.limit is not None:
            asked.append(self.ours <= self.limit)
        return all(asked) if asked else None

    @property
    def compared(self) -> str:
        """How ours stands to the baseline, in words."""
        if not self.against or self.baseline <= 0:
            return ""
        ratio = self.baseline / self.ours if self.ours > 0 else float("inf")
        return f"{ratio:,.1f} times less" if ratio >= 1 else f"{1 / ratio:,.2f} times more"

    @property
    def asked(self) -> str:
        """What is asked for, in words."""
        said = []
        if self.ratio is not None:
            said.append(f"≤ {self.ratio:g} times" if self.ratio >= 1 else f"{1 / self.ratio:g} times less")
        if self.limit is not None:
            said.append(f"≤ {self.limit:g} {self.unit}")
        return ", ".join(said)

    def __str__(self) -> str:
        ours = f"{number(self.ours)} {self.unit}"
        baseline = f"{number(self.baseline)} {self.unit}" if self.against else ""
        verdict = {True: " (met)", False: " (NOT met)", None: ""}[self.met]
        asked = f"   asked {self.asked}{verdict}" if self.asked else ""
        return f"{self.what:<64} {ours:>14}   {self.against:<52} {baseline:>14}   {self.compared}{asked}"

    def row(self) -> str:
        """The line as a row of a Markdown table."""
        baseline = f"{self.against}: {number(self.baseline)} {self.unit}" if self.against else ""
        verdict = {True: "yes", False: "**no**", None: ""}[self.met]
        note = f" ({self.note})" if self.note else ""
        cells = (
            self.what + note,
            f"{number(self.ours)} {self.unit}",
            baseline,
            self.compared,
            self.asked,
            verdict,
        )
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


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
