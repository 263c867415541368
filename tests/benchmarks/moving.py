"""Panning and zooming a chart of 100,000 bars with four indicators in Chromium: the time between two frames."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.lengthy import LengthyProduct
from tests.benchmarks.page import at
from tests.benchmarks.table import Line
from tests.conftest import CHROMIUM_FLAGS, Product, chromium

DAYS, BARS = 75, 100_000
STUDIES = "sma:20,bbands:20:2,rsi:14,macd:12:26:9"
ROUNDS, MOVED_S, LIMIT_MS = 3, 5.0, 1000 / 30
#: Between two turns of the wheel, and how many make a way in or out.
TURN_S, TURNS = 0.04, 70
#: Stamps of every frame, from now on.
STAMPS = """() => {
  const stamps = (window.stamps = []);
  const frame = (now) => { if (window.stamps === stamps) { stamps.push(now); requestAnimationFrame(frame); } };
  requestAnimationFrame(frame);
}"""
ALL_IN_VIEW = f"""() => {{
  const {{ plot }} = window.tickboard.chart, end = plot.series.newest[0] + 60000;
  plot.look(plot.axis.place(end - {BARS} * 60000), plot.axis.place(end));
  plot.moved = true;
  plot.heard('moved');
}}"""
WHOLE = f"() => window.tickboard.chart.series().length > {BARS} && window.tickboard.chart.plot.crowd.on"


def lines() -> Iterator[Line]:
    """Milliseconds from frame to frame; an idle page's are those that the screen has."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = {"TICK_MS": "1000", "SEED": "1", "SYMBOLS": "AAPL,MSFT"}
        running = LengthyProduct(Path(folder), DAYS, settings).start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        try:
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            enter(page, running, f"symbol=AAPL&timeframe=1m&indicators={STUDIES}")
            page.evaluate(ALL_IN_VIEW)
            page.wait_for_function(WHOLE, timeout=60_000)
            page.wait_for_timeout(3000)
            acts = {"idle": idle, "pan": pan, "zoom": zoom}
            taken: dict[str, list[float]] = {name: [] for name in acts}
            for _ in range(ROUNDS):
                for name, act in acts.items():
                    taken[name] += frames(page, act)
        finally:
            browser.close()
            running.stop()
    idle_ms = taken.pop("idle")
    for name, found in taken.items():
        what = {"pan": f"panning {BARS:,} bars", "zoom": f"zooming from {BARS:,} bars to a hundred and back"}[name]
        for part, named in ((statistics.median, "p50"), (lambda each: at(each, 0.95), "p95")):
            yield Line(
                f"{what}, four indicators: from frame to frame, {named}",
                part(found),
                "ms",
                "the same page, idle",
                part(idle_ms),
                limit=round(LIMIT_MS, 1),
                note=f"{1000 / part(found):.0f} frames a second, {len(found) / sum(found) * 1000:.0f} on average",
            )


def enter(page: Page, running: Product, query: str) -> None:
    """Log in and show what a query says."""
    page.goto(running.url)
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    page.wait_for_selector("#chart.js-plotly-plot", timeout=60_000)
    page.goto(f"{running.url}/?{query}")
    page.wait_for_selector("#chart.js-plotly-plot", timeout=60_000)
    page.wait_for_timeout(3000)


def frames(page: Page, act: Callable[[Page], None]) -> list[float]:
    """Milliseconds between the frames while `act` goes on."""
    page.evaluate(STAMPS)
    act(page)
    stamps: list[float] = page.evaluate("(() => { const found = window.stamps; window.stamps = []; return found; })()")
    page.wait_for_timeout(1000)
    return [later - sooner for sooner, later in pairwise(stamps)]


def idle(page: Page) -> None:
    page.wait_for_timeout(MOVED_S * 1000)


def middle(page: Page) -> tuple[float, float, float]:
    box = page.locator("#chart").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 4, box["width"] / 4


def pan(page: Page) -> None:
    """Drag the chart to and fro, a way a second."""
    x, y, reach = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    began = time.monotonic()
    while (passed := time.monotonic() - began) < MOVED_S:
        page.mouse.move(x + reach * math.sin(passed * math.pi), y)
    page.mouse.up()


def zoom(page: Page) -> None:
    """Turn the wheel forward and back, as evenly as a hand does."""
    x, y, _reach = middle(page)
    page.mouse.move(x, y)
    for way in (-1, 1):
        for _ in range(TURNS):
            page.mouse.wheel(0, way * 100)
            time.sleep(TURN_S)
