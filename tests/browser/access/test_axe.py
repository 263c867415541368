"""axe-core on every page, with all open that opens: no serious or critical issue, in both themes, wide and narrow.

A page that is put in `dashboard/ui/pages.py` is covered by that, and so is whatever a button opens that says so
(`aria-haspopup`, `aria-expanded`), each tab of a list of tabs, and each dialog that a key of the list under `?` opens.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from dashboard.ui.pages import PAGES

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
OPENERS = ":is([aria-haspopup], [aria-expanded='false']):is(button, [role=button]):visible"
#: What is open over the page, or in it.
OPENED = (
    "dialog[open], .menu:not([hidden]), [role=dialog]:not([hidden]), [role=listbox]:not([hidden]), "
    "[role=tabpanel]:not([hidden]), #alert-form:not([hidden]), .drawing-rail, .more-tools[data-open]"
)
#: Keys that open something over the page.
KEYS = ("?", "v", ",", "b", "a", "/", "d")
#: Runs axe on the document, or on what is open and was not looked at as it is built now: the same dialog by its key
#: after its button tells nothing new.
RUN = """async (opened) => {
  const built = (one) => [one, ...one.querySelectorAll("*")].map((node) =>
    [node.tagName, node.getAttribute("class"), node.getAttribute("role"), node.checkVisibility()].join()).join(" ");
  window.lookedAt ??= new Set();
  const open = opened ? [...document.querySelectorAll(opened)].filter((one) => one.checkVisibility()) : [];
  const fresh = open.filter((one) => !window.lookedAt.has(built(one)));
  for (const one of fresh) window.lookedAt.add(built(one));
  if (open.length && !fresh.length) return [];
  const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const rules = { resultTypes: ["violations"], runOnly };
  const { violations } = await axe.run(open.length ? { include: fresh } : document, rules);
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help} at ${target.join(" ")}: ${failureSummary}`));
}"""


class Inspector:
    """Collects what axe finds on a page, each once, with what was open then."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: dict[str, str] = {}

    def look(self, what: str, opened: str | None = None) -> None:
        """Run axe on the document, or on what is open of what `opened` selects."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        settled(self.page)
        for issue in self.page.evaluate(RUN, opened):
            self.found.setdefault(issue, what)

    def dress(self, theme: Theme, size: str) -> str:
        """The page in a theme and a size, in which all is looked at anew; says which."""
        width, height = SIZES[size]
        self.page.emulate_media(color_scheme=theme)
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_timeout(500)
        self.page.evaluate("delete window.lookedAt")
        return f"{theme}, {size}"

    def report(self) -> list[str]:
        return [f"with {what}: {issue}" for issue, what in self.found.items()]


def settled(page: Page) -> None:
    """Wait until nothing moves any more: a colour half-way through its transition has no contrast of its own."""
    page.evaluate(
        """async () => {
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          const ending = (one) => one.effect?.getComputedTiming().iterations !== Infinity;
          const ends = document.getAnimations().filter(ending);
          await Promise.all(ends.map((one) => one.finished.catch(() => null)));
        }"""
    )


def openers(page: Page) -> list[tuple[str, Locator]]:
    """Each thing that opens something on what is shown and was not given yet, and what it is called."""
    found = page.locator(OPENERS).evaluate_all(
        """all => all.filter((one) => !one.dataset.opener).map((one) => {
          window.openers = (window.openers ?? 0) + 1;
          one.dataset.opener = String(window.openers);
          return [one.dataset.opener, one.id || one.ariaLabel || one.textContent];
        })"""
    )
    return [(name, page.locator(f"[data-opener='{at}']")) for at, name in found]


def close(page: Page) -> None:
    """Close whatever is open, as a reader would."""
    for _ in range(3):
        page.keyboard.press("Escape")
    page.evaluate("document.querySelectorAll('dialog[open]').forEach((one) => one.close())")
    page.evaluate("document.activeElement?.blur?.()")


def press(opener: Locator) -> None:
    """As by keys: what is seen only while it has the focus can't be clicked on."""
    opener.focus()
    opener.page.keyboard.press("Enter")


def inspect(inspector: Inspector) -> None:
    """Each thing open that can be, and what opens within it."""
    page = inspector.page
    page.evaluate("document.querySelectorAll('[data-opener]').forEach((one) => delete one.dataset.opener)")
    for name, opener in openers(page):
        if opener.count() != 1 or not opener.is_visible():
            continue
        press(opener)
        inspector.look(f"{name} open", OPENED)
        within = openers(page)
        close(page)
        for inner, one in within:
            press(opener)
            if one.count() == 1 and one.is_visible():
                press(one)
                inspector.look(f"{inner} open in {name}", OPENED)
            close(page)
        if opener.count() == 1 and opener.get_attribute("aria-expanded") == "true":
            press(opener)
    for key in KEYS:
        page.keyboard.press(key)
        inspector.look(f"key {key}", OPENED)
        close(page)
    views = page.locator(".bottom-tabs button:visible")
    for at in range(views.count()):
        views.nth(at).click()
        inspector.look(f"view {views.nth(at).inner_text()}")
        tabs(inspector)
        close(page)
    if not views.count():
        tabs(inspector)


def tabs(inspector: Inspector) -> None:
    for tab in inspector.page.locator("[role=tab]:visible").all():
        tab.click()
        inspector.look(f"tab {tab.inner_text()}", OPENED)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_serious_issue_with_whatever_is_open_on_it(enter: Callable[..., Page], name: str) -> None:
    """The page itself in both themes and sizes; what opens is light where it is wide and dark where it is narrow."""
    page = enter(PAGES[name][0], wait="#app", reduced_motion="reduce")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=30_000)
    if name == "chart":
        # A table of few bars has every kind of cell that one of many has.
        page.wait_for_selector("#chart.js-plotly-plot")
        page.evaluate("window.tickboard.chart.show(20)")
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    page.wait_for_timeout(1_000)
    inspector = Inspector(page)
    for size in SIZES:
        for theme in THEMES if size == "narrow" else THEMES[::-1]:
            inspector.look(f"nothing open, {inspector.dress(theme, size)}")
        inspect(inspector)
    assert inspector.report() == [], "\n\n".join(inspector.report())


def test_the_pages_of_the_login_have_no_serious_issue(running: Any, browser: Browser) -> None:
    page = browser.new_page()
    inspector = Inspector(page)

    def look(what: str) -> None:
        for size in SIZES:
            for theme in THEMES:
                inspector.look(f"{what}, {inspector.dress(theme, size)}")

    page.goto(f"{running.url}/login")
    look("/login")
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "wrong")
    page.click("button[type=submit]")
    expect(page.locator("[role=alert], .error").first).to_be_visible()
    look("/login refused")
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    page.wait_for_url(re.compile(r"/$"))
    page.goto(f"{running.url}/account/password")
    look("/account/password")
    page.close()
    assert inspector.report() == [], "\n\n".join(inspector.report())


def test_the_inspector_sees_what_is_wrong(browser: Browser) -> None:
    """A test that cannot fail is worse than none."""
    page = browser.new_page()
    page.set_content(
        "<html lang=en><title>t</title><main><h1>x</h1><button></button><p style='color:#ccc'>pale</p></main>"
    )
    inspector = Inspector(page)
    inspector.look("a page that is wrong")
    assert {line.split(": ")[1] for line in inspector.report()} == {"button-name", "color-contrast"}
    page.close()
