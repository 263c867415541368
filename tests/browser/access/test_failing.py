"""Each panel fails alone: one sentence, a way to try again, the others alive. Slow ones show that they are at work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.test_done_when import LONG_MS, state_is
from tests.browser.waits import at_work, try_again

CALLBACK = "**/_dash-update-component*"
FAULTS: dict[str, Callable[[Route], None]] = {
    "500": lambda route: route.fulfill(status=500, body="broken"),
    "cut": lambda route: route.abort("connectionreset"),
}
#: What each fault is called in a panel's sentence.
SAID = {"500": re.compile("answered (with status )?500"), "cut": re.compile("could not be reached|did not answer")}


#: How long the chart's panel shows nothing of its wait after a click, ms.
CALM = """() => {
  const panel = document.querySelector(".chart-panel");
  let clicked = 0;
  document.addEventListener("click", () => (clicked = performance.now()), { capture: true, once: true });
  new MutationObserver((_changes, watcher) => {
    if (panel.getAttribute("aria-busy") !== "true") return;
    window.calm = performance.now() - clicked;
    watcher.disconnect();
  }).observe(panel, { attributes: true });
}"""


def output_of(route: Route) -> str:
    """The store that a callback's request is for."""
    return str(json.loads(route.request.post_data or "{}").get("output", "")).split(".data")[0]


def break_callback(page: Page, store: str, fault: Callable[[Route], None]) -> None:
    page.route(CALLBACK, lambda route: fault(route) if output_of(route) == store else route.fallback())


def break_path(page: Page, path: str, fault: Callable[[Route], None]) -> None:
    def meet(route: Route) -> None:  # playwright can't hold a method of a list
        fault(route)

    page.route(path, meet)


def failed(panel: Locator) -> Locator:
    """What a panel says of its failure."""
    return panel.locator(".panel-failed.panel-message")


def unseen(page: Page) -> None:
    """Let the page believe that nobody looks, without a word: what it asks by a clock then waits."""
    page.evaluate('() => Object.defineProperty(document, "hidden", { configurable: true, get: () => true })')


def alive(page: Page, but: str = "") -> None:
    """Prices move, the line is up, and no other panel says that it failed."""
    state_is(page, "live")
    prices = "document.querySelector('#cards').innerText"
    page.wait_for_function(f"(before) => {prices} !== before", arg=page.evaluate(prices))
    others = page.locator(".panel-failed.panel-message:visible")
    expect(others).to_have_count(1 if but else 0)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_dashboards_panels_fail_one_by_one_and_come_back(enter: Callable[..., Page], fault: str) -> None:
    page = enter("/")
    state_is(page, "live")

    # The chart: another symbol can't be had; the one that was shown stays.
    chart = page.locator(".chart-panel")
    break_callback(page, "figure", FAULTS[fault])
    page.click('#cards .card[data-symbol="MSFT"]')
    expect(failed(chart)).to_contain_text("MSFT, 1m could not be read")
    expect(failed(chart)).to_contain_text(SAID[fault])
    expect(page.locator("#chart-symbol")).to_have_text("AAPL")
    alive(page, but="chart")
    try_again(page, chart, CALLBACK)
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    expect(failed(chart)).to_have_count(0)

    # Older bars of it.
    page.route("**/bars?*", FAULTS[fault])
    page.locator("#chart").focus()
    for _ in range(40):
        page.keyboard.press("-")
        if failed(chart).count():
            break
        page.wait_for_timeout(100)
    expect(failed(chart)).to_contain_text("Older bars of MSFT are missing")
    alive(page, but="chart")
    try_again(page, chart, "**/bars?*")
    expect(failed(chart)).to_have_count(0)
    page.keyboard.press("End")

    # The list: the user's lists are not saved or read; every instrument stays listed.
    listed = page.locator(".list-panel")
    page.route("**/api/v1/watchlists*", FAULTS[fault])
    page.click("#list-button")
    expect(failed(listed)).to_contain_text("Your watchlists could not be read")
    page.keyboard.press("Escape")
    expect(listed.locator(".ag-row").first).to_be_visible()
    alive(page, but="list")
    try_again(page, listed, "**/api/v1/watchlists*")
    expect(failed(listed)).to_have_count(0)

    # The alerts: a new rule says so in its form, the list with a way to try again, which outlasts that it is read.
    alerts = page.locator("#alerts-panel")
    break_callback(page, "alerts", FAULTS[fault])
    page.click("#alert-new")
    page.fill("#alert-form [name=level]", "999999")
    page.click("#alert-form button[type=submit]")
    expect(page.locator("#alert-form .wrong")).to_contain_text(SAID[fault])
    page.unroute_all()
    page.click("#alert-form button[type=submit]")
    rule = page.locator("#alerts-list .alert", has_text="999,999")
    expect(rule).to_have_count(1)
    break_callback(page, "alerts", FAULTS[fault])
    rule.get_by_role("button", name=re.compile("Delete")).click()
    expect(failed(alerts)).to_contain_text("The alerts could not be changed")
    expect(rule).to_have_count(1)
    page.unroute_all()
    with page.expect_response(CALLBACK):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(300)
    expect(failed(alerts)).to_contain_text("The alerts could not be changed")
    alive(page, but="alerts")
    try_again(page, alerts, CALLBACK)
    expect(rule).to_have_count(0)
    expect(failed(alerts)).to_have_count(0)

    # The other tabs at the side.
    for name, path in (("trades", "**/ticks?*"), ("statistics", "**/statistics?*"), ("quality", "**/quality")):
        tab = page.locator(f"#side-of-{name}")
        page.route(path, FAULTS[fault])
        page.click(f"#side-tab-{name}")
        expect(failed(tab)).to_contain_text("could not be read")
        expect(failed(tab)).to_contain_text(SAID[fault])
        alive(page, but=name)
        try_again(page, tab, path)
        expect(failed(tab)).to_have_count(0)

    # A file.
    page.route("**/export/*", FAULTS[fault])
    page.click("#export-csv")
    expect(page.locator("#toasts")).to_contain_text("The CSV was not saved")
    page.unroute_all()
    with page.expect_download():
        page.click("#export-csv")
    alive(page)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_markets_panels_fail_one_by_one_and_come_back(enter: Callable[..., Page], fault: str) -> None:
    page = enter("/market", wait=".heat-map a.tile")
    controls = {"heat": "size", "movers": "window", "breadth": "window", "correlation": "returns"}
    for name, control in controls.items():
        panel = page.locator(f"#market-{name}-panel")
        break_callback(page, f"market-{name}", FAULTS[fault])
        choice = page.locator(f"#market-{control}")
        now = choice.input_value()
        other = next(
            value
            for value in choice.locator("option").evaluate_all("all => all.map((one) => one.value)")
            if value != now
        )
        choice.select_option(other)
        expect(failed(panel)).to_contain_text("This could not be computed")
        expect(failed(panel)).to_contain_text(SAID[fault])
        expect(page.locator(".panel-failed.panel-message:visible")).to_have_count(1)
        try_again(page, panel, CALLBACK)
        expect(failed(panel)).to_have_count(0)


def test_parts_of_the_page_that_do_not_come_are_missed_where_they_belong(enter: Callable[..., Page]) -> None:
    page = enter("/")
    page.route(re.compile(r"/(market/market\.|modules/market-)[^/]*mjs|async-community"), lambda route: route.abort())
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot", timeout=LONG_MS)
    at_work(page)
    expect(failed(page.locator(".list-panel"))).to_contain_text("The list could not be drawn", timeout=LONG_MS)
    alive(page, but="list")
    page.locator(".pages a", has_text="Market").click()
    expect(failed(page.locator(".market-panel"))).to_have_count(4)
    page.unroute_all()
    failed(page.locator(".movers-panel")).get_by_role("button", name="Try again").click()
    page.wait_for_selector(".heat-map a.tile", timeout=LONG_MS)
    page.locator(".pages a", has_text="Dashboard").click()
    expect(page.locator(".list-panel .ag-row").first).to_be_visible()


def test_a_login_that_has_ended_leads_to_the_login_and_back_whichever_panel_asks(
    running: Any, enter: Callable[..., Page]
) -> None:
    page = enter("/")
    page.click('#cards .card[data-symbol="MSFT"]')
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    unseen(page)  # nothing but the chart asks
    page.context.clear_cookies()
    page.keyboard.press("5")
    page.wait_for_url(re.compile(r"/login\?next="))
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    page.wait_for_selector("#chart.js-plotly-plot", timeout=LONG_MS)
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    expect(page).to_have_url(re.compile("timeframe=5m"))


def test_what_takes_long_shows_it_calmly_and_an_export_can_be_ended(enter: Callable[..., Page]) -> None:
    page = enter("/")
    state_is(page, "live")
    held: list[Route] = []
    chart = page.locator(".chart-panel")
    break_callback(page, "figure", held.append)
    page.evaluate(CALM)
    page.click('#cards .card[data-symbol="MSFT"]')
    expect(chart).to_have_attribute("aria-busy", "true")
    assert page.evaluate("window.calm") >= 390
    held[0].continue_()
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    expect(chart).not_to_have_attribute("aria-busy", "true")
    page.unroute_all()

    waiting: list[Route] = []
    break_path(page, "**/statistics?*", waiting.append)
    page.click("#side-tab-statistics")
    panel = page.locator("#statistics-panel")
    expect(panel).to_have_attribute("aria-busy", "true")
    waiting[0].continue_()
    expect(panel).not_to_have_attribute("aria-busy", "true")
    page.unroute_all()

    page.route("**/export/*", lambda route: None)
    csv = page.locator("#export-csv")
    csv.click()
    expect(csv).to_have_text("Cancel")
    csv.click()
    expect(csv).to_have_text("CSV")
    expect(page.locator("#toasts")).to_contain_text("Cancelled.")
