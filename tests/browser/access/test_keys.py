"""Without a mouse: Tab reaches every control, each shows that it has the focus, the list of keys is true."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TooLong

from dashboard.ui.pages import PAGES
from tests.browser.access.test_axe import openers, press, settled
from tests.browser.test_done_when import state_is

#: What is open, over the page or in it.
OPEN = "dialog[open], .menu, [role=dialog], .more-tools[data-open]"

#: Parts of a page in the order in which they are read.
REGIONS = (".head-bar", "#cards", ".list-panel", ".toolbar", ".plot", ".market", ".compare", "#side", ".bottom-tabs")
#: What has the focus: a path to it, its name, whether the focus is seen (an outline, on it or on what stands for it),
#: in which part of the page it is and where; null where nothing has. Once round it says so.
FOCUSED = """(regions) => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  if (one.dataset.visited) return { again: one.dataset.visited };
  window.visits = (window.visits ?? 0) + 1;
  // Rows of tables are made anew with their prices: the same link in the same panel is the same stop.
  (window.links ??= new Set()).add(`${one.closest("section")?.id} ${one.href}`);
  one.dataset.visited = String(window.visits);
  const outlined = ({ outlineStyle, outlineWidth, outlineColor }) =>
    outlineStyle !== "none" && parseFloat(outlineWidth) >= 1 && !/, 0\\)$/.test(outlineColor);
  const seen = [one, one.closest("label"), one.parentElement].some((node) => {
    if (!node) return false;
    const style = getComputedStyle(node), after = getComputedStyle(node, "::after");
    if (outlined(style) || outlined(after)) return true;
    // The grid draws a frame instead.
    const width = Math.max(parseFloat(after.borderTopWidth) || 0, parseFloat(style.borderTopWidth) || 0);
    return node.matches(".ag-cell-focus, .ag-header-cell") && width > 0;
  });
  const others = (one.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id));
  const said = [one.ariaLabel, ...[...others, ...(one.labels ?? [])].map((node) => node?.textContent)];
  const own = one.matches("input, select") ? one.title : one.textContent || one.title;
  const name = said.find((text) => text?.trim()) ?? own;
  const box = (one.closest("label") ?? one).getBoundingClientRect();
  return {
    what: one.id || one.getAttribute("class") || one.tagName,
    name: name.trim(),
    seen,
    inside: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
    region: regions.find((part) => one.closest(part)) ?? "",
    at: [box.left, (box.top + box.bottom) / 2],
  };
}"""
#: Controls that are shown and were not reached; of a group that arrows lead through one is enough.
MISSED = """() => [...document.querySelectorAll(
  "button, a[href], input, select, textarea, [tabindex='0']",
)].filter((one) => {
  if (one.dataset.visited || one.disabled || one.tabIndex < 0) return false;
  if (!one.checkVisibility({ visibilityProperty: true })) return false;
  if (one.href && window.links.has(`${one.closest("section")?.id} ${one.href}`)) return false;
  if (one.type === "radio") return ![...document.getElementsByName(one.name)].some((other) => other.dataset.visited);
  return !one.closest(".ag-root-wrapper");
}).map((one) => one.id || one.outerHTML.slice(0, 120))"""
FORGET = """() => {
  document.querySelectorAll("[data-visited]").forEach((one) => delete one.dataset.visited);
  document.activeElement?.blur();
  window.visits = 0;
  window.links = new Set();
}"""


def walk(page: Page, key: str = "Tab") -> list[dict[str, Any]]:
    """Every stop of the key until it has gone round, or has left the page."""
    page.evaluate(FORGET)
    stops: list[dict[str, Any]] = []
    for _ in range(200):
        page.keyboard.press(key)
        found = page.evaluate(FOCUSED, list(REGIONS))
        if found is None:
            if stops:
                return stops
            continue
        if "again" in found:
            assert found["again"] == "1", (
                f"a trap: behind {stops[-1]['what']} comes {stops[int(found['again']) - 1]['what']}"
            )
            return stops
        stops.append(found)
    raise AssertionError(f"it does not end: {[stop['what'] for stop in stops][-20:]}")


def follows(stop: dict[str, Any], before: dict[str, Any]) -> bool:
    """Whether a stop lies behind one of the same part, as one reads: further right, or lower."""
    (x, y), (was_x, was_y) = stop["at"], before["at"]
    return bool(x >= was_x - 1 if abs(y - was_y) <= 12 else y > was_y)


@pytest.mark.parametrize("name", PAGES)
def test_tab_reaches_every_control_in_the_order_of_the_page_and_each_shows_it(
    enter: Callable[..., Page], name: str
) -> None:
    page = enter(PAGES[name][0], wait="#app", reduced_motion="reduce")
    state_is(page, "live")
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    page.wait_for_timeout(1500)
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        settled(page)
        stops = walk(page)
        assert [stop["what"] for stop in stops if not stop["seen"]] == [], "the focus is not seen"
        assert [stop["what"] for stop in stops if not stop["inside"]] == [], "it is not scrolled to"
        assert [stop["what"] for stop in stops if not stop["name"]] == [], "without a name"
        assert page.evaluate(MISSED) == []
        regions = [stop["region"] for stop in stops]
        assert list(dict.fromkeys(regions)) == [part for part in REGIONS if part in regions]
        assert sum(now != before for now, before in pairwise(regions)) == len(set(regions)) - 1
        lines = {".head-bar", ".toolbar", ".bottom-tabs"}
        wrong = [
            (before["what"], stop["what"])
            for before, stop in pairwise(stops)
            if stop["region"] == before["region"] in lines and not follows(stop, before)
        ]
        assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_what_a_button_opens_takes_the_focus_and_gives_it_back(enter: Callable[..., Page], name: str) -> None:
    page = enter(PAGES[name][0], wait="#app", reduced_motion="reduce")
    state_is(page, "live")
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    page.wait_for_timeout(1500)
    opened = 0
    for what, opener in openers(page):
        press(opener)
        try:
            page.wait_for_function("(open) => document.activeElement.closest(open)", arg=OPEN, timeout=15_000)
        except TooLong:
            pytest.fail(f"{what} opens nothing that has the focus")
        page.keyboard.press("Escape")
        expect(opener, f"{what} has not got the focus back").to_be_focused()
        opened += 1
    assert opened >= {"chart": 8, "market": 1, "compare": 2}[name]


def test_the_list_of_keys_is_true(enter: Callable[..., Page]) -> None:
    page = enter("/")
    state_is(page, "live")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()
    listed = page.locator("dialog[open] dt").all_inner_texts()
    page.keyboard.press("Escape")
    opens = {
        "I": ".indicator-panel",
        "C": "#compare-panel",
        "A": "#alert-form",
        "E": "#export-menu",
        "V": "dialog[open]",
        "B": "#bars-dialog[open]",
        ",": "#settings-dialog[open]",
        "?": "dialog[open]",
    }
    chart = page.locator("#chart")
    for key, what in opens.items():
        assert key in listed, key
        chart.focus()
        page.keyboard.press(key.lower())
        expect(page.locator(what).first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(what).first).not_to_be_visible()
        if "[open]" in what:
            expect(chart).to_be_focused()
        else:
            expect(page.locator("body"), f"{key} loses the focus").not_to_be_focused()
    line = page.locator(".drawing-rail [data-tool=line]")
    for shown in (False, True):
        page.keyboard.press("d")
        expect(line).to_be_visible(visible=shown)
    for key in ("/", "Control+k"):
        page.keyboard.press(key)
        expect(page.locator("#search-field")).to_be_focused()
        page.keyboard.press("Escape")
    changes = {"y": "type", "l": "scale", "1": "timeframe"}
    for key, part in changes.items():
        before = page.evaluate("(part) => window.tickboard.view[part]", part)
        page.keyboard.press(key)
        page.wait_for_function("([part, before]) => window.tickboard.view[part] !== before", arg=[part, before])
    theme = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    page.wait_for_function("(before) => getComputedStyle(document.body).backgroundColor !== before", arg=theme)
    page.wait_for_function("() => window.tickboard.chart.plot.figure?.timeframe === window.tickboard.view.timeframe")
    page.locator("#chart").focus()
    from_ = page.evaluate("window.tickboard.chart.plot.from")
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function("(before) => window.tickboard.chart.plot.from < before", arg=from_)
    page.keyboard.press("End")
    page.wait_for_function("window.tickboard.chart.plot.following")


def test_the_drawer_takes_the_focus_and_gives_it_back(enter: Callable[..., Page]) -> None:
    page = enter("/", viewport={"width": 1024, "height": 768})
    state_is(page, "live")
    button = page.locator("#side-button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#side-tabs [aria-selected=true]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(page.locator("#side")).not_to_be_visible()
