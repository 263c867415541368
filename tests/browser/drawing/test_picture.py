"""A picture of the chart has its drawings."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from dashboard.workbench.views import SCALES
from tests.browser.drawing.board import drag, hold, place, saved, take
from tests.browser.waits import settled


@pytest.mark.parametrize("scale", SCALES)
def test_a_picture_of_the_chart_has_the_drawings_where_they_are(page: Page, scale: str) -> None:
    page.select_option("#chart-scale", scale)
    settled(page, scale=scale)
    hold(page)
    take(page, "line")
    drag(page, (0.3, 0.7), (0.5, 0.4))
    take(page, "text")
    page.mouse.click(*place(page, 0.6, 0.6))
    page.keyboard.type("a < b")
    page.keyboard.press("Enter")
    line, text = saved(page, 2)
    with page.expect_download():  # of nothing: only what Plotly was asked for matters
        layout = page.evaluate(
            """async () => {
            const { plot } = window.tickboard.chart, { Plotly } = plot;
            const asked = await new Promise((resolve) => {
              plot.Plotly = { ...Plotly, toImage: async (figure) => (resolve(figure.layout), "data:,") };
              document.getElementById("export-png").click();
            });
            plot.Plotly = Plotly;
            return { shapes: asked.shapes, words: asked.annotations, x: [plot.from, plot.to], y: asked.yaxis.range };
          }"""
        )
    (made, last) = layout["shapes"]
    assert (made["type"], made["xref"], made["yref"]) == ("line", "x domain", "y domain")
    assert last["xref"] == "paper"
    (left, right), (low, high) = layout["x"], layout["y"]
    for (ms, price), at in zip(line["points"], ("0", "1"), strict=True):
        height = math.log10(price) if scale == "log" else price
        assert left + made[f"x{at}"] * (right - left) == pytest.approx(ms, abs=1)
        assert low + made[f"y{at}"] * (high - low) == pytest.approx(height, rel=1e-9)
    words, price, title = (each["text"] for each in layout["words"])
    assert "AAPL" in title
    assert words == "a &lt; b"
    assert re.match(r"[+−]?[\d.,]+%?<br>\d", price)
    assert text["text"] == "a < b"
    with page.expect_download() as caught:
        page.click("#export-png")
    assert Path(caught.value.path()).read_bytes().startswith(b"\x89PNG")
