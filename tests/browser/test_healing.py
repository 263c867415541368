"""What the page does after long breaks: it follows again, fills every hole, and takes up with another market."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_done_when import chart_equals_api, fetch, line_to, log_in, over_a_line, series, state_is
from tests.browser.waits import at_work, until
from tests.conftest import Scale
from tests.line import Line

__all__ = ["line_to"]


def holds(page: Page, expression: str) -> Any:
    return page.evaluate(f"window.tickboard.chart.{expression}")


def test_a_chart_that_followed_follows_again_after_a_break_longer_than_its_view(
    product: Any, browser: Browser, line_to: Callable[[int], Line]
) -> None:
    line, page = over_a_line(product, browser, line_to, "/?symbol=BTC-USD&timeframe=1s")
    at_work(page)
    holds(page, "show(12)")
    page.wait_for_timeout(1000)
    line.cut()
    page.wait_for_timeout(25_000)
    line.mend()
    state_is(page, "live")
    page.wait_for_timeout(3000)
    follows = "({ plot, series }) => plot.following && plot.from < series().at(-1)[0] && series().at(-1)[0] < plot.to"
    until(lambda: page.evaluate(f"({follows})(window.tickboard.chart)"))
    chart_equals_api(page, "BTC-USD", "1s")


@pytest.mark.soak
def test_a_line_that_swallows_everything_is_noticed_and_another_one_taken(
    product: Any, browser: Browser, line_to: Callable[[int], Line], scale: Scale
) -> None:
    line, page = over_a_line(product, browser, line_to, "/?symbol=BTC-USD&timeframe=1s")
    # Another line may be there within a quarter of a second: looking now and then could miss it.
    page.evaluate(
        """() => {
            const pill = document.querySelector("#connection");
            window.states = new Set();
            new MutationObserver(() => window.states.add(pill.dataset.state)).observe(pill, { attributes: true });
        }"""
    )
    began = time.monotonic()
    line.stall()
    while not page.evaluate("window.states.has('reconnecting')"):
        assert time.monotonic() - began < 60, "a swallowing line was not noticed"
        page.wait_for_timeout(100)
    took = time.monotonic() - began
    print(f"a swallowing line is noticed after {took:.1f} s")
    if scale.full:
        assert took <= 10.0, f"noticed only after {took:.1f} s"
    state_is(page, "live")
    page.wait_for_timeout(2500)
    chart_equals_api(page, "BTC-USD", "1s")


def test_polls_that_are_too_far_apart_leave_no_hole(
    product: Any, browser: Browser, line_to: Callable[[int], Line]
) -> None:
    line, page = over_a_line(product, browser, line_to, "/?symbol=BTC-USD&timeframe=1s")
    at_work(page)
    line.drop_streams()
    state_is(page, "polling")
    before = series(page)[-1][0]
    line.cut()
    page.wait_for_timeout(40_000)
    line.mend()
    line.refuse_stream = True
    state_is(page, "polling")
    page.wait_for_timeout(5000)

    def whole() -> bool:
        """The page has caught up, and since the bar before the cut nothing lacks."""
        newest = fetch(page, "/api/v1/tickers/BTC-USD/bars?timeframe=1s&limit=1")["data"][-1][0]
        starts = [row[0] for row in series(page)]
        recent = [start for start in starts if start >= before]
        # A second without a step of the market has no bar; ten in a row are no chance.
        widest = max(later - earlier for earlier, later in pairwise(recent))
        return bool(newest - starts[-1] < 10_000 and widest < 10_000)

    until(whole, seconds=30)


def test_a_page_begins_anew_when_the_server_returns_with_another_market(
    product: Any, browser: Browser, tmp_path: Path
) -> None:
    running = product(TICK_MS="200")
    page = log_in(browser, running.url, "/?symbol=AAPL&timeframe=1s")
    state_is(page, "live")
    file = tmp_path / "ACME.csv"
    began = int(time.time() * 1000)
    rows = "".join(f"{began + number * 250},{100 + number / 50:.2f},1\n" for number in range(400))
    file.write_text(f"timestamp,price,quantity\n{rows}")
    running.settings["FEED"] = f"replay:{file}"
    running.restart()
    expect(page.locator("#feed-kind")).to_have_text("REPLAY", timeout=45_000)
    expect(page.locator("#chart-symbol")).to_have_text("ACME", timeout=45_000)
    expect(page).to_have_title("Tickboard (replay)")


def test_alerts_agree_in_two_tabs(product: Any, browser: Browser) -> None:
    running = product(TICK_MS="200")
    page = log_in(browser, running.url)
    state_is(page, "live")
    other = page.context.new_page()
    other.goto(running.url)
    at_work(other)
    at_work(page)
    page.bring_to_front()
    page.keyboard.press("a")
    page.fill("#alert-form [name=level]", "999999")
    page.click("#alert-form button[type=submit]")
    expect(other.locator("#alerts-list .alert")).to_have_count(1, timeout=30_000)
    page.locator("#alerts-list .alert button").last.click()
    expect(other.locator("#alerts-list .alert")).to_have_count(0, timeout=30_000)


def test_without_the_small_bundle_the_chart_is_drawn_with_the_plotly_that_dash_brings(
    product: Any, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    # As on a machine without a network at set-up: the page names the other file.
    answer = product().client().get("/_dash-component-suites/plotly/package_data/plotly.min.js")
    assert answer.status_code == 200
    assert len(answer.content) > 2_000_000
    page.set_content("<div id=gd style='width:400px;height:300px'></div>")
    page.add_script_tag(content=answer.text)
    page.evaluate("Plotly.newPlot('gd', [{type: 'candlestick', x: [1], open: [1], high: [2], low: [0], close: [1.5]}])")
    assert page.locator("#gd .box").count() >= 1
    context.close()
