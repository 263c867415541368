"""`python -m dashboard verify FILE`: whether an exported file still is what the store has.

The store lives in the memory of the running product, so this asks it over HTTP, as any client does. `files` reads a
file and its receipt, `product` talks to the server, `comparing` judges; nothing here knows the store itself.
"""

from __future__ import annotations

from pathlib import Path

from dashboard.verify import comparing, files
from dashboard.verify.comparing import Verdict
from dashboard.verify.product import Product

__all__ = ["Product", "Verdict", "verify"]


def verify(path: Path, product: Product, *, receipt: Path | None = None, closed: bool = False) -> Verdict:
    """Judge one file by its receipt (`receipt`: where that is, if not where it belongs) and what `product` has.

    `closed` leaves the bar out that was still forming when it was exported. Raises DashboardError where nothing can be
    said: no file, no receipt, no answer.
    """
    try:
        claim, rows = files.read(path, receipt)
    except files.Damaged as damage:
        return Verdict(comparing.DAMAGED, f"damaged: {damage}")
    with product:
        return comparing.judge(claim, rows, product, closed=closed)
