"""Opening the Compare page with nine charts, beside a bare Dash page with nine graphs of as many bars."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser

from dashboard.ui.compare.asked import BARS, MOST_CHARTS
from tests.benchmarks.table import Line
from tests.conftest import ROOT, Product, take_port

WIDE = {"width": 1440, "height": 900}
LOADS, LIMIT_S = 7, 2
#: As an analyst has them: instruments and timeframes mixed.
CHARTS = "AAPL:1m,MSFT:5m,TSLA:1s,NVDA:15m,GOLD:1h,OIL:1d,BTC-USD:1m,ETH-USD:5s,JPM:1m"
#: When every chart has its candles, ms after the navigation began: Plotly's in the page, ours painted on their sheets
#: between axes that stand.
WATCH = f"""
const painted = new Set();
const done = (count) => {{
  if (!window.nine && count === {MOST_CHARTS}) window.nine = performance.now();
}};
new MutationObserver(() => {{
  if (!window.nine) done(document.querySelectorAll('.js-plotly-plot:has(.boxlayer path.box)').length);
}}).observe(document, {{ childList: true, subtree: true }});
const {{ fill }} = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fill = function (...given) {{
  fill.apply(this, given);
  if (window.nine || !this.canvas.classList.contains('dense')) return;
  const cell = this.canvas.closest('.cell');
  if (cell?.querySelector('.js-plotly-plot .ytick')) done(painted.add(cell).size);
}};
"""


def opening(browser: Browser, running: Product, cookies: Any) -> Iterator[Line]:
    """Navigation to the candles of all nine charts; cold cache, logged in."""
    port = take_port()
    bare = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bare", str(port), str(MOST_CHARTS), str(BARS)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ours: list[float] = []
    theirs: list[float] = []
    try:
        time.sleep(5)
        for _ in range(LOADS):
            ours.append(load(browser, f"{running.url}/compare?layout={MOST_CHARTS}&charts={CHARTS}", cookies))
            theirs.append(load(browser, f"http://127.0.0.1:{port}", []))
    finally:
        bare.kill()
        bare.wait()
    yield Line(
        "navigation to the candles of nine charts on the Compare page, cold cache",
        statistics.median(ours) / 1000,
        "s",
        f"a bare Dash page with nine graphs of {BARS} bars",
        statistics.median(theirs) / 1000,
        limit=LIMIT_S,
    )


def load(browser: Browser, url: str, cookies: Any) -> float:
    """One navigation in a profile of its own: ms to the last chart's candles."""
    context = browser.new_context(viewport=WIDE)
    try:
        context.add_init_script(WATCH)
        if cookies:
            context.add_cookies(cookies)
        page = context.new_page()
        page.goto(url, wait_until="commit")
        for _ in range(1200):
            found: float | None = page.evaluate("window.nine")
            if found:
                return found
            page.wait_for_timeout(50)
        raise AssertionError(f"{url} has not {MOST_CHARTS} charts after a minute")
    finally:
        context.close()
