"""What the tests of drawings look at and do on the page."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page

from tests.browser.test_done_when import fetch
from tests.browser.waits import PATIENCE_MS

#: So far from where a drawing must be there may be no ink of it, px.
NEAR = 3


def drawn(page: Page) -> list[dict[str, Any]]:
    """The drawings as the page shows them."""
    rows: list[dict[str, Any]] = page.evaluate("window.tickboard.drawing.board.drawings")
    return rows


def saved(page: Page, count: int, symbol: str = "AAPL") -> list[dict[str, Any]]:
    """The drawings as the server has them, as soon as they are those shown."""
    page.wait_for_function("() => !window.tickboard.drawing.board.kept.unsaved")
    rows: list[dict[str, Any]] = fetch(page, f"/api/v1/drawings/{symbol}")["drawings"]
    assert rows == drawn(page)
    assert len(rows) == count
    return rows


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place on the screen by parts of the price pane."""
    left, top, width, height = page.evaluate(
        """() => {
        const { price } = window.tickboard.chart.overlay.panes();
        const home = document.getElementById("chart").getBoundingClientRect();
        return [home.left + price.left, home.top + price.top, price.width, price.height];
      }"""
    )
    return left + x * width, top + y * height


def hold(page: Page) -> None:
    """No bar comes any more: what is drawn stays where it is on the screen, however long the next move takes."""
    page.evaluate(
        """() => new Promise((drawn) => {
        window.tickboard.market.listeners.set("bars", new Set());
        window.tickboard.chart.plot.draw();
        requestAnimationFrame(() => requestAnimationFrame(drawn));
      })"""
    )


def take(page: Page, tool: str) -> None:
    page.click(f".drawing-rail [data-tool={tool}]")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 4) -> None:
    """Drag from a place to another, by parts of the price pane."""
    page.mouse.move(*place(page, *start))
    page.mouse.down()
    page.mouse.move(*place(page, *end), steps=steps)
    page.mouse.up()


#: Where the points of each drawing are in the market, whether there is ink of drawings near to them on the screen.
INK = """async ([points, near]) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const { plot, overlay } = window.tickboard.chart, { x, y, price } = overlay.panes();
  const home = plot.place.getBoundingClientRect(), sheet = document.querySelector("canvas.drawings");
  const at = sheet.getBoundingClientRect(), brush = sheet.getContext("2d");
  return points.map(([ms, level]) => {
    const left = home.left + price.left + x.l2p(ms + plot.shift) - at.left;
    const top = home.top + price.top + y.d2p(level) - at.top;
    if (!(left > 0 && left < price.width && top > 0 && top < price.height)) return null;
    const square = brush.getImageData(Math.round(left - near), Math.round(top - near), 2 * near + 1, 2 * near + 1).data;
    return square.some((value, n) => n % 4 === 3 && value > 100);
  });
}"""


def lies_at(page: Page, points: list[list[float]], when: str = "") -> None:
    """The sheet of drawings has ink at each of the points, once the chart has been drawn as it is to be."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while (found := page.evaluate(INK, [points, NEAR])) != [True] * len(points) and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert found == [True] * len(points), when
