"""Main-thread time of a chart update in Chromium: ours against a `Plotly.react` of the same figure."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.benchmarks.table import Line
from tests.conftest import CHROMIUM_FLAGS, Product, chromium

UPDATES, EVERY_MS, ROUNDS = 40, 100, 3
#: 500 candles in view, the newest one moving; the page's own path from the news to the paint.
OURS = """
async ([updates, every]) => {
  const { market, chart } = window.tickboard;
  const { series } = chart.plot, rows = chart.series(), base = rows[rows.length - 1];
  for (let n = 0; n < updates; n++) {
    const bar = base.slice();
    bar[4] = base[4] * (1 + 0.0002 * Math.sin(n));
    bar[2] = Math.max(bar[2], bar[4]); bar[3] = Math.min(bar[3], bar[4]); bar[7] = 0;
    market.tell("bars", { symbol: series.symbol, timeframe: series.timeframe, rows: [bar], whole: true });
    await new Promise((done) => setTimeout(done, every));
  }
}"""
THEIRS = """
async ([updates, every]) => {
  const gd = document.querySelector('#chart.js-plotly-plot, #chart .js-plotly-plot');
  const { plot } = window.tickboard.chart;
  const [candles, volume] = plot.traces(plot.rows.slice(-500)), base = candles.close[499];
  for (let n = 0; n < updates; n++) {
    const close = candles.close.slice();
    close[499] = base * (1 + 0.0002 * Math.sin(n));
    window.Plotly.react(gd, [{ ...candles, close }, { ...volume }], gd.layout);
    await new Promise((done) => setTimeout(done, every));
  }
  plot.draw();
}"""
IDLE = """
async ([updates, every]) => {
  for (let n = 0; n < updates; n++) await new Promise((done) => setTimeout(done, every));
}"""


def busy_s(session: CDPSession) -> float:
    """Seconds that the page's main thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def lines() -> Iterator[Line]:
    """The line of the chart."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        running = Product(Path(folder), "app", {"TICK_MS": "60000", "SEED": "1"}).start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        try:
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.goto(running.url)
            page.fill("input[name=username]", "root")
            page.fill("input[name=password]", "123456")
            page.click("button[type=submit]")
            page.wait_for_selector("#chart.js-plotly-plot")
            page.wait_for_timeout(1000)
            page.evaluate("window.tickboard.chart.show(500)")
            page.wait_for_timeout(2000)
            taken = measure(page)
        finally:
            browser.close()
            running.stop()
    ours, theirs = (statistics.median(times) for times in taken)
    yield Line(
        "chart: main thread an update above an idle page, 500 candles, Chromium",
        ours,
        "ms",
        "Plotly.react of the same figure",
        theirs,
        limit=2,
    )


def measure(page: Page) -> tuple[list[float], list[float]]:
    """Milliseconds an update of ours and of Plotly's, net of the idle page, in turn."""
    session: Any = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    found: dict[str, list[float]] = {IDLE: [], OURS: [], THEIRS: []}
    for _ in range(ROUNDS):
        for script, times in found.items():
            began = busy_s(session)
            page.evaluate(script, [UPDATES, EVERY_MS])
            times.append((busy_s(session) - began) / UPDATES * 1000)
            page.wait_for_timeout(500)
    idle = statistics.median(found[IDLE])
    return [taken - idle for taken in found[OURS]], [taken - idle for taken in found[THEIRS]]
