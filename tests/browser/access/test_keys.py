"""Without a mouse: Tab reaches every control, each shows that it has the focus, the list of keys is true."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dashboard.ui.pages import PAGES
from tests.browser.test_done_when import state_is

#: What has the focus: a path to it, and whether that is seen (an outline, or a shadow, on it or on what stands for it).
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const outlined = ({ outlineStyle, outlineWidth, outlineColor }) =>
    outlineStyle !== "none" && parseFloat(outlineWidth) > 0 && !/, 0\\)$/.test(outlineColor);
  const seen = [one, one.closest("label"), one.closest(".ag-row"), one.parentElement].some((node) => {
    if (!node) return false;
    const style = getComputedStyle(node), after = getComputedStyle(node, "::after");
    if (outlined(style) || outlined(after)) return true;
    // The grid draws a frame instead.
    const width = after.borderTopWidth || style.borderTopWidth;
    return node.matches(".ag-cell-focus, .ag-header-cell") && parseFloat(width) > 0;
  });
  one.dataset.visited = "true";
  return [one.id || one.className || one.tagName, seen];
}"""
#: Controls that are shown and were not reached; of a group that arrows lead through one is enough.
MISSED = """() => [...document.querySelectorAll(
  "button, a[href], input, select, textarea, [tabindex='0']",
)].filter((one) => {
  if (one.dataset.visited || one.disabled || one.tabIndex < 0) return false;
  if (!one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
  if (one.type === "radio") return ![...document.getElementsByName(one.name)].some((other) => other.dataset.visited);
  return !one.closest(".ag-root-wrapper");
}).map((one) => one.id || one.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("name", PAGES)
def test_tab_reaches_every_control_and_each_shows_its_focus(
    enter: Callable[..., Page], name: str, width: int, height: int
) -> None:
    page = enter(PAGES[name][0], wait="#app", viewport={"width": width, "height": height}, reduced_motion="reduce")
    state_is(page, "live")
    page.wait_for_timeout(2000)
    unseen: list[str] = []
    order: list[str] = []
    for _ in range(160):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            if order:
                break
            continue
        what, seen = found
        order.append(what)
        if not seen:
            unseen.append(what)
    assert unseen == []
    assert page.evaluate(MISSED) == []
    assert len(order) < 150, "the focus went round"


def test_the_list_of_keys_is_true(enter: Callable[..., Page]) -> None:
    page = enter("/")
    state_is(page, "live")
    page.keyboard.press("?")
    listed = page.locator("dialog[open] dt").all_inner_texts()
    page.keyboard.press("Escape")
    opens = {
        "I": ".indicator-panel",
        "A": "#alert-form",
        "E": "#export-menu",
        "V": "dialog[open]",
        "D": ".drawing-rail [data-tool=line]",
        "B": "#bars-dialog[open]",
        ",": "#settings-dialog[open]",
        "?": "dialog[open]",
    }
    for key, what in opens.items():
        assert key in listed, key
        page.keyboard.press(key.lower())
        expect(page.locator(what).first).to_be_visible()
        for _ in range(2):
            page.keyboard.press("Escape")
        if key != "D":
            expect(page.locator(what).first).not_to_be_visible()
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
    page.locator("#chart").focus()
    from_ = page.evaluate("window.tickboard.chart.plot.from")
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate("window.tickboard.chart.plot.from") < from_
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
