"""Thousands of bars in view on the running page: merged candles that say so, refined as one zooms, true to each bar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_chart_types import opened
from tests.browser.test_page import chart
from tests.browser.waits import FRAMES, tried, until

STUDIES = "sma:20,bbands:20:2,rsi:14,macd:12:26:9"
LEGEND = "#chart-legend"
#: How many pixels of the sheet that draws many bars have ink.
INKED = """() => {
  const canvas = document.querySelector("canvas.dense");
  if (canvas.hidden) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 3; at < data.length; at += 4) count += data[at] > 0;
  return count;
}"""
#: Bars in view.
SEEN = "series().filter((bar) => bar[0] >= window.tickboard.chart.plot.from).length"
BOXES = "() => document.querySelectorAll('#chart .boxlayer path.box').length"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("crowd"), "app", {"TICK_MS": "200", "SEED": "3", "STORE_MB": "256"}).start()
    yield made
    made.stop()


def turn(page: Page, way: int, wanted: str) -> None:
    """Turn the wheel over the chart until something is so."""
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 4)
    for _ in range(120):
        if page.evaluate(f"({{ plot }}) => {wanted}", page.evaluate_handle("window.tickboard.chart")):
            break
        page.mouse.wheel(0, way * 100)
        page.wait_for_timeout(40)
    page.wait_for_function(f"() => (({{ plot }}) => !plot.crowd.moving && {wanted})(window.tickboard.chart)")
    page.evaluate(FRAMES)


def test_one_zooms_out_to_thousands_of_bars_changes_the_instrument_and_zooms_in_again(
    running: Any, browser: Browser
) -> None:
    page, said = opened(browser, running, f"/?symbol=AAPL&timeframe=1m&indicators={STUDIES}")
    until(lambda: page.evaluate(BOXES) > 100, True)
    assert page.evaluate(INKED) == 0
    turn(page, 1, "plot.right - plot.left > 4500 * 60000")
    page.wait_for_function("() => window.tickboard.chart.series().length > 4500")
    page.mouse.move(5, 5)
    expect(page.locator(LEGEND)).to_contain_text(re.compile(r"each candle (20|50) bars"))
    until(lambda: page.evaluate(BOXES), 0)
    until(lambda: page.evaluate(INKED) > 5000, True)
    # What is drawn holds every bar in view: its highest and lowest price, and their volumes together.
    sums = """() => {
      const { crowd, series } = window.tickboard.chart.plot;
      const sum = (bars) => bars.reduce(([high, low, volume], bar) =>
        [Math.max(high, bar[2]), Math.min(low, bar[3]), volume + bar[5]], [0, Infinity, 0]);
      return [sum(crowd.groups.bars), sum(series.rows.slice(crowd.from, crowd.to))];
    }"""

    def same() -> None:
        found, true = page.evaluate(sums)
        assert found == pytest.approx(true, rel=1e-9)

    tried(same)
    # Another instrument is shown as wide.
    wide = chart(page, SEEN)
    page.evaluate("window.tickboard.view.set({ symbol: 'MSFT' })")
    page.wait_for_function("() => window.tickboard.chart.plot.figure.symbol === 'MSFT'")
    until(lambda: chart(page, SEEN), pytest.approx(wide, abs=5))
    until(lambda: page.evaluate(INKED) > 5000, True)
    # Candles are of fewer bars the nearer one looks, and of one in the end, which Plotly draws.
    several = chart(page, "plot.crowd.each")
    turn(page, -1, "plot.right - plot.left < 1000 * 60000")
    assert 1 < chart(page, "plot.crowd.each") < several
    turn(page, -1, "plot.right - plot.left < 150 * 60000")
    page.wait_for_function(f"() => ({BOXES})() > 50")
    until(lambda: page.evaluate(INKED), 0)
    expect(page.locator(LEGEND)).not_to_contain_text("each candle")
    assert said == []
    page.context.close()
