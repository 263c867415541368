"""The page when little goes well: no stream, files that come late, slow answers, browsers that tell little."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.test_done_when import LONG_MS, line_to, log_in, over_a_line, series, state_is
from tests.browser.waits import settled
from tests.line import Line

__all__ = ["line_to"]
CHECKED = "#timeframe label:has(input:checked)"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("hard"), "app", {"TICK_MS": "200", "SEED": "5"}).start()
    yield made
    made.stop()


def hold(page: Page, pattern: str | re.Pattern[str]) -> list[Route]:
    """Keep what the page asks for under such addresses waiting; fills with what has to go on some time."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(pattern, keep)
    return held


def test_another_symbol_is_followed_without_the_stream(
    product: Any, browser: Browser, line_to: Callable[[int], Line]
) -> None:
    line, page = over_a_line(product, browser, line_to, "/?timeframe=1s")
    line.drop_streams()
    state_is(page, "polling")
    page.click('#cards .card[data-symbol="MSFT"]')
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    page.wait_for_function(
        "before => window.tickboard.chart.series().length > before + 1", arg=len(series(page)), timeout=LONG_MS
    )
    state_is(page, "polling")
    page.context.close()


def test_the_watchlist_comes_to_life_however_late_its_grid_is(running: Any, browser: Browser) -> None:
    """Slow, because it was the wait of ten seconds that was too short."""
    page = log_in(browser, running.url)
    held = hold(page, "**/*async-community*")
    page.goto(running.url, wait_until="commit")
    state_is(page, "live")
    page.wait_for_timeout(11_000)
    assert held
    for route in held:
        route.continue_()
    expect(page.locator("#watchlist-filter input")).to_be_visible(timeout=LONG_MS)
    last = page.locator("#watchlist .ag-row [col-id=last] .live").first
    before = last.inner_text()
    expect(last).not_to_have_text(before, timeout=LONG_MS)
    page.context.close()


def test_a_choice_made_before_the_charts_library_has_come_is_kept(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url)
    held = hold(page, re.compile(r"plotly[\w.-]*\.js"))
    page.goto(running.url, wait_until="commit")
    state_is(page, "live")
    page.locator("#timeframe label", has_text=re.compile("^5m$")).click()
    page.select_option("#chart-type", "line")
    expect(page).to_have_url(re.compile(r"timeframe=5m.*type=line"))
    page.keyboard.press("6")
    expect(page.locator(CHECKED)).to_have_text("15m")
    for route in held:
        route.continue_()
    page.wait_for_selector("#chart.js-plotly-plot", timeout=LONG_MS)
    settled(page, timeframe="15m", type="line")
    page.context.close()


def test_a_link_shows_its_symbol_in_a_browser_that_sends_no_referer(running: Any, browser: Browser) -> None:
    def without(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "referrer-policy": "no-referrer"})

    page = log_in(browser, running.url)
    page.route("**/?symbol=*", without)
    page.goto(f"{running.url}/?symbol=MSFT&timeframe=5m&type=line")
    expect(page.locator("#chart-symbol")).to_have_text("MSFT", timeout=LONG_MS)
    page.wait_for_selector("#chart.js-plotly-plot")
    expect(page.locator(CHECKED)).to_have_text("5m")
    expect(page.locator("#chart-type")).to_have_value("line")
    expect(page).to_have_url(re.compile(r"symbol=MSFT.*timeframe=5m.*type=line"))
    expect(page.locator(".toast")).to_have_count(0)
    page.context.close()


def test_an_alert_that_is_saved_twice_over_a_slow_line_is_one_and_its_answer_counts(
    running: Any, browser: Browser
) -> None:
    page = log_in(browser, running.url)
    state_is(page, "live")
    held = hold(page, "**/_dash-update-component")
    page.keyboard.press("a")
    form = page.locator("#alert-form")
    form.locator("[name=level]").fill("888888")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(form.locator("button[type=submit]")).to_be_disabled()
    # What asks for the list: a tab that is shown again, another tab's word.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(300)
    page.unroute("**/_dash-update-component")
    for route in held:
        route.continue_()
    expect(form).not_to_be_visible()
    rules = page.locator("#alerts-list .alert", has_text="888,888")
    expect(rules).to_have_count(1)
    page.keyboard.press("a")
    form.locator("[name=level]").fill("-1")
    page.keyboard.press("Enter")
    expect(form.locator(".wrong")).not_to_be_empty()
    expect(form.locator("button[type=submit]")).to_be_enabled()
    form.locator("[name=level]").press("Escape")
    rules.get_by_role("button", name=re.compile("Delete")).click()
    expect(rules).to_have_count(0)
    page.context.close()


def test_a_key_that_is_held_down_acts_once(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url)
    clicks = page.evaluate(
        """() => {
          let clicks = 0;
          document.getElementById('export-button').addEventListener('click', (event) => {
            clicks += 1;
            event.stopImmediatePropagation();
          }, true);
          for (const repeat of [false, true, true, true]) {
            document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'e', bubbles: true, repeat }));
          }
          return clicks;
        }"""
    )
    assert clicks == 1
    page.context.close()


def test_seconds_that_are_counted_are_not_announced(
    product: Any, browser: Browser, line_to: Callable[[int], Line]
) -> None:
    line, page = over_a_line(product, browser, line_to)
    line.cut()
    expect(page.locator("#connection")).to_contain_text(re.compile(r"again in \d+ s"), timeout=LONG_MS)
    expect(page.locator("#connection [role=status]")).to_have_text(re.compile("^(Reconnecting|Offline)$"))
    assert page.locator("#connection").get_attribute("role") is None
    page.context.close()
