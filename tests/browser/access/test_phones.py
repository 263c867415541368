"""A phone, upright and on its side: fingers on the chart, a page that scrolls, nothing cut off, names of any length."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.test_done_when import log_in, state_is

PHONE = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
UPRIGHT, ASIDE = {"width": 390, "height": 844}, {"width": 844, "height": 390}
#: What a control that is shown has to be: inside of the page's width and of whatever cuts it off.
CUT = """() => [...document.querySelectorAll("button, select, input, a[href], [role=tab]")].filter((one) => {
  if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
  // What scrolls by itself is cut by nature.
  if (one.closest("#watchlist, #cards, .market-body, .side-panel")) return false;
  const box = one.getBoundingClientRect();
  if (!box.width) return false;
  if (box.left < -1 || box.right > innerWidth + 1) return true;
  for (let node = one.parentElement; node; node = node.parentElement) {
    const style = getComputedStyle(node), around = node.getBoundingClientRect();
    const out = box.bottom > around.bottom + 1 || box.right > around.right + 1;
    if (style.overflowX === "hidden" && style.overflowY === "hidden" && out) return true;
  }
  return false;
}).map((one) => one.id || one.textContent.trim() || one.name)"""


def fingers(page: Page, kind: str, *points: tuple[float, float]) -> None:
    """A touch event as the browser itself gets it."""
    cdp: CDPSession = page.context.new_cdp_session(page)
    cdp.send(
        "Input.dispatchTouchEvent",
        {"type": kind, "touchPoints": [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]},
    )
    cdp.detach()


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
    fingers(page, "touchStart", start)
    for at in range(1, steps + 1):
        part = at / steps
        fingers(page, "touchMove", (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part))
        page.wait_for_timeout(16)
    fingers(page, "touchEnd")


def shown(page: Page) -> tuple[float, float]:
    from_, to = page.evaluate("[window.tickboard.chart.plot.from, window.tickboard.chart.plot.to]")
    return from_, to


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("#chart").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("size", [UPRIGHT, ASIDE], ids=["upright", "aside"])
def test_fingers_pan_pinch_and_tap_the_chart_and_the_page_still_scrolls(
    enter: Callable[..., Page], size: dict[str, int]
) -> None:
    page = enter("/?symbol=AAPL&timeframe=1m", viewport=size, **PHONE)
    state_is(page, "live")
    page.wait_for_timeout(500)
    page.locator("#chart").scroll_into_view_if_needed()
    x, y = middle(page)
    # A tap: the crosshair stays on the bar, with its values.
    page.touchscreen.tap(x - 60, y)
    page.wait_for_timeout(300)
    at = page.evaluate("window.tickboard.chart.overlay.at?.ms")
    assert at is not None
    assert abs(at - shown(page)[0]) < shown(page)[1] - shown(page)[0]
    # Sideways: the view moves, and is as wide as before.
    from_, to = shown(page)
    swipe(page, (x - 60, y), (x + 90, y + 4))
    page.wait_for_timeout(400)
    panned = shown(page)
    assert panned[0] < from_
    assert panned[1] - panned[0] == pytest.approx(to - from_, rel=0.02)
    # Two fingers: narrower, then wider again.
    fingers(page, "touchStart", (x - 30, y), (x + 30, y))
    for apart in range(30, 100, 7):
        fingers(page, "touchMove", (x - apart, y), (x + apart, y))
        page.wait_for_timeout(30)
    fingers(page, "touchEnd")
    page.wait_for_timeout(600)
    near = shown(page)
    assert near[1] - near[0] == pytest.approx((panned[1] - panned[0]) * 30 / 93, rel=0.25)
    fingers(page, "touchStart", (x - 90, y), (x + 90, y))
    for apart in range(90, 40, -5):
        fingers(page, "touchMove", (x - apart, y), (x + apart, y))
        page.wait_for_timeout(30)
    fingers(page, "touchEnd")
    page.wait_for_timeout(600)
    assert shown(page)[1] - shown(page)[0] > 1.4 * (near[1] - near[0])
    # Up and down: the page scrolls where there is more of it, and the chart does not move.
    before = shown(page)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(200)
    x, y = middle(page)
    y = min(y, size["height"] - 60)
    swipe(page, (x, y), (x + 2, y - 150))
    page.wait_for_timeout(600)
    more = page.evaluate("document.documentElement.scrollHeight - innerHeight")
    scrolled = page.evaluate("scrollY")
    assert (scrolled > 60) if more > 100 else (scrolled == 0)
    assert (more > 100) == (size is ASIDE)
    assert shown(page) == pytest.approx(before, abs=120_000)


@pytest.mark.parametrize("size", [UPRIGHT, ASIDE, {"width": 667, "height": 375}], ids=["upright", "aside", "small"])
def test_nothing_is_cut_off_and_the_chart_can_be_read(enter: Callable[..., Page], size: dict[str, int]) -> None:
    page = enter("/?symbol=AAPL&timeframe=1m", viewport=size, **PHONE)
    state_is(page, "live")
    page.wait_for_timeout(500)
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    plot = page.locator("#chart").bounding_box()
    assert plot is not None
    assert plot["height"] >= 220
    # A label of the time axis is whole at either edge.
    outside = page.evaluate(
        """() => {
          const home = document.querySelector("#chart").getBoundingClientRect();
          return [...document.querySelectorAll("#chart .xaxislayer-above text, #chart .xaxislayer-below text")]
            .map((one) => [one.textContent, one.getBoundingClientRect()])
            .filter(([, box]) => box.left < home.left - 0.5 || box.right > home.right + 0.5).map(([text]) => text);
        }"""
    )
    assert outside == []
    page.goto(page.url.split("?")[0] + "market")
    page.wait_for_selector(".heat-map a.tile")
    page.wait_for_timeout(500)
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("size", [UPRIGHT, ASIDE, {"width": 1024, "height": 768}], ids=["upright", "aside", "tablet"])
def test_a_long_name_breaks_nothing(product: Any, browser: Browser, tmp_path: Path, size: dict[str, int]) -> None:
    symbol = "A-VERY-LONG-NAME.OF-A-CONTRACT-2026-12"
    began = int(time.time() * 1000)
    rows = "".join(f"{began + number * 250},{symbol},{100 + number / 50:.2f},1\n" for number in range(400))
    file = tmp_path / "long.csv"
    file.write_text(f"timestamp,symbol,price,quantity\n{rows}")
    page = log_in(browser, product(FEED=f"replay:{file}").url)
    page.set_viewport_size(size)
    page.wait_for_timeout(700)
    expect(page.locator("#chart-symbol")).to_have_text(symbol)
    assert page.locator("#chart-symbol").get_attribute("title") == symbol
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.context.close()
