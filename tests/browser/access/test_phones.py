"""A phone, upright and on its side: fingers on the chart, a page that scrolls, nothing cut off, names of any length."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.test_done_when import log_in, state_is
from tests.browser.waits import at_work, until

PHONE = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}
UPRIGHT, ASIDE = {"width": 390, "height": 844}, {"width": 844, "height": 390}
#: Controls that are shown and cut off: beyond the page's width, or by what hides what sticks out of it. What can be
#: scrolled to is not cut off.
CUT = """() => [...document.querySelectorAll("button, select, input, a[href], [role=tab]")].filter((one) => {
  if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
  if (one.closest("#watchlist .ag-root-wrapper")) return false;
  const box = one.getBoundingClientRect();
  if (!box.width) return false;
  let down = false;
  for (let node = one.parentElement; node; node = node.parentElement) {
    const style = getComputedStyle(node), around = node.getBoundingClientRect();
    if (/auto|scroll/.test(style.overflowX) && node.scrollWidth > node.clientWidth) return false;
    down ||= /auto|scroll/.test(style.overflowY) && node.scrollHeight > node.clientHeight;
    const wide = box.right > around.right + 1 || box.left < around.left - 1;
    const high = !down && (box.bottom > around.bottom + 1 || box.top < around.top - 1);
    if (style.overflowX === "hidden" && wide || style.overflowY === "hidden" && high) return true;
    if (style.position === "fixed") break;
  }
  return box.left < -1 || box.right > innerWidth + 1;
}).map((one) => one.id || one.ariaLabel || one.textContent.trim() || one.name)"""
#: Controls of the toolbar, and whatever lies on the chart, that cover each other.
OVERLAPS = """() => {
  const all = [...document.querySelectorAll(".toolbar :is(h2, button, select, label), .head-bar > *, .bottom-tabs > *")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".menu, .more-tools[data-open]"))
    .filter((one) => one.getBoundingClientRect().width > 1);
  const found = [];
  for (const [at, one] of all.entries()) for (const other of all.slice(at + 1)) {
    if (one.contains(other)) continue;
    const [a, b] = [one, other].map((each) => each.getBoundingClientRect());
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 1) found.push([one, other].map((each) => each.id || each.textContent).join(" on "));
  }
  return found;
}"""
#: Lines that the toolbar takes: middles of its controls that are apart.
LINES = """() => [...document.querySelectorAll(".toolbar :is(h2, button, label)")]
  .filter((one) => one.checkVisibility() && !one.closest(".menu, .more-tools"))
  .map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => (top + bottom) / 2).sort((a, b) => a - b)
  .filter((at, index, all) => index === 0 || at - all[index - 1] > 8).length"""


class Fingers:
    """Touches as the browser itself gets them; one session, which knows the fingers that are down."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp: CDPSession = page.context.new_cdp_session(page)

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]
        self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def swipe(self, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
        """One finger from here to there."""
        self.send("touchStart", start)
        for at in range(1, steps + 1):
            part = at / steps
            self.send("touchMove", (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part))
            self.page.wait_for_timeout(16)
        self.send("touchEnd")

    def pinch(self, middle: tuple[float, float], before: float, after: float, steps: int = 10) -> None:
        """Two fingers at the same height, half as far apart as these are, px."""
        (x, y), wide = middle, before
        self.send("touchStart", (x - wide, y), (x + wide, y))
        for at in range(1, steps + 1):
            wide = before + (after - before) * at / steps
            self.send("touchMove", (x - wide, y), (x + wide, y))
            self.page.wait_for_timeout(30)
        self.send("touchEnd")


def shown(page: Page) -> tuple[float, float]:
    from_, to = page.evaluate("[window.tickboard.chart.plot.from, window.tickboard.chart.plot.to]")
    return from_, to


def still(found: Callable[[], Any]) -> Any:
    """What something is once it does not change any more for a while."""
    before = found()
    for _ in range(40):
        time.sleep(0.4)
        now = found()
        if now == before:
            return now
        before = now
    raise AssertionError(f"it does not come to rest: {before}")


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("#chart").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_fingers_move_the_charts_of_the_compare_page_and_scroll_it(enter: Callable[..., Page]) -> None:
    page = enter("/compare?charts=AAPL,MSFT,GOOGL,AMZN", wait=".cell .js-plotly-plot", viewport=UPRIGHT, **PHONE)
    state_is(page, "live")
    page.wait_for_timeout(800)
    fingers = Fingers(page)
    box = page.locator(".cell-chart").first.bounding_box()
    assert box is not None
    x, y = box["x"] + 150, box["y"] + 100

    def spans() -> list[float]:
        """First and last moment of the first chart, ms."""
        ends: list[float] = page.evaluate(
            "document.querySelector('.cell-chart')._fullLayout.xaxis.range.map((text) => Date.parse(text + 'Z'))"
        )
        return ends

    # Sideways first: a chart that follows the newest bar moves by itself.
    before = spans()
    fingers.swipe((x, y), (x + 100, y + 3))
    until(lambda: spans()[0] < before[0])
    panned = still(spans)
    scrolled = page.locator(".compare")
    fingers.swipe((x, y), (x + 2, y - 80))
    until(lambda: scrolled.evaluate("(one) => one.scrollTop") > 40)
    page.wait_for_timeout(500)
    assert spans() == panned
    scrolled.evaluate("(one) => one.scrollTo(0, 0)")
    until(lambda: scrolled.evaluate("(one) => one.scrollTop"), 0)
    page.wait_for_timeout(300)
    fingers.pinch((x, y), 30, 90)
    until(lambda: wide(spans()), pytest.approx(wide(panned) / 3, rel=0.25))


def wide(ends: Sequence[float]) -> float:
    return ends[1] - ends[0]


def whole(page: Page) -> None:
    """Nothing sticks out, is cut off or lies on another control."""
    until(lambda: page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0)
    until(lambda: page.evaluate(CUT), [])
    until(lambda: page.evaluate(OVERLAPS), [])


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
    page.wait_for_function("() => window.tickboard.chart.overlay.at?.ms")
    at = page.evaluate("window.tickboard.chart.overlay.at.ms")
    assert abs(at - shown(page)[0]) < shown(page)[1] - shown(page)[0]
    # Sideways: the view moves, and is as wide as before.
    fingers = Fingers(page)
    from_, to = shown(page)
    fingers.swipe((x - 60, y), (x + 90, y + 4))
    until(lambda: shown(page)[0] < from_)
    panned = still(lambda: shown(page))
    assert wide(panned) == pytest.approx(to - from_, rel=0.02)
    # Two fingers: narrower, then wider again.
    fingers.pinch((x, y), 30, 93)
    until(lambda: wide(shown(page)), pytest.approx(wide(panned) * 30 / 93, rel=0.25))
    near = still(lambda: shown(page))
    fingers.pinch((x, y), 90, 45)
    until(lambda: wide(shown(page)), pytest.approx(2 * wide(near), rel=0.25))
    # Up and down: the page scrolls where there is more of it, and the chart does not move.
    before = still(lambda: shown(page))
    page.evaluate("window.scrollTo(0, 0)")
    until(lambda: page.evaluate("scrollY"), 0)
    page.wait_for_timeout(200)
    x, y = middle(page)
    y = min(y, size["height"] - 60)
    fingers.swipe((x, y), (x + 2, y - 150))
    page.wait_for_timeout(600)
    more = page.evaluate("document.documentElement.scrollHeight - innerHeight")
    until(lambda: (page.evaluate("scrollY") > 60) if more > 100 else (page.evaluate("scrollY") == 0))
    assert (more > 100) == (size is ASIDE)
    assert shown(page) == before


@pytest.mark.parametrize("size", [UPRIGHT, ASIDE, {"width": 667, "height": 375}], ids=["upright", "aside", "small"])
def test_nothing_is_cut_off_and_the_chart_can_be_read(enter: Callable[..., Page], size: dict[str, int]) -> None:
    page = enter("/?symbol=AAPL&timeframe=1m", viewport=size, **PHONE)
    state_is(page, "live")
    page.wait_for_timeout(500)
    whole(page)
    until(lambda: page.evaluate(LINES), 2)
    # What is used more seldom is behind a button, in a sheet that is whole too, and keys get in and out again.
    more, sheet = page.locator("#more-button"), page.locator("#more-tools")
    expect(sheet).to_be_hidden()
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chart-type")).to_be_focused()
    whole(page)
    for name in ("#chart-scale", "#views-button", "#export-csv", "#export-png", "#export-button"):
        page.keyboard.press("Tab")
        expect(page.locator(name)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#export-menu")).to_be_visible()
    whole(page)
    page.keyboard.press("Escape")
    expect(page.locator("#export-button")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(sheet).to_be_hidden()
    plot = page.locator("#chart").bounding_box()
    assert plot is not None
    assert plot["height"] >= 220
    # A label of the time axis is whole at either edge.
    outside = """() => {
          const home = document.querySelector("#chart").getBoundingClientRect();
          return [...document.querySelectorAll("#chart .xaxislayer-above text, #chart .xaxislayer-below text")]
            .filter((one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
            .map((one) => [one.textContent, one.getBoundingClientRect()])
            .filter(([, box]) => box.left < home.left - 0.5 || box.right > home.right + 0.5).map(([text]) => text);
        }"""
    until(lambda: page.evaluate(outside), [])
    for path, there in (("market", ".heat-map a.tile"), ("compare", ".cell .js-plotly-plot")):
        page.goto(page.url.split("?")[0].removesuffix("market") + path)
        page.wait_for_selector(there)
        page.wait_for_timeout(500)
        whole(page)
    # Each chart of the Compare page that is in view is drawn to its size, and is high enough to be read.
    sizes = """() => [...document.querySelectorAll(".cell-chart.js-plotly-plot")].map((one) =>
      [one.clientHeight, one.querySelector("svg.main-svg")?.getBoundingClientRect().height ?? 0])"""

    def drawn() -> bool:
        found = page.evaluate(sizes)
        return bool(found) and all(place == pytest.approx(high, abs=1) and place >= 160 for place, high in found)

    until(drawn)


@pytest.mark.parametrize("size", [UPRIGHT, ASIDE, {"width": 1024, "height": 768}], ids=["upright", "aside", "tablet"])
def test_a_long_name_breaks_nothing(product: Any, browser: Browser, tmp_path: Path, size: dict[str, int]) -> None:
    symbol = "A-LONG-NAME.OF-2026-12-Z"
    began = int(time.time() * 1000)
    rows = "".join(f"{began + number * 250},{symbol},{100 + number / 50:.2f},1\n" for number in range(400))
    file = tmp_path / "long.csv"
    file.write_text(f"timestamp,symbol,price,quantity\n{rows}")
    page = log_in(browser, product(FEED=f"replay:{file}").url)
    at_work(page)
    page.set_viewport_size(size)
    page.wait_for_timeout(700)
    expect(page.locator("#chart-symbol")).to_have_text(symbol)
    assert page.locator("#chart-symbol").get_attribute("title") == symbol
    whole(page)
    page.context.close()
