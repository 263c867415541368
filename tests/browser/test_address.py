"""The whole view in the address: links, reload, back and forward; what a link asks for and there is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_done_when import LONG_MS, fetch, log_in, state_is
from tests.browser.test_page import chart
from tests.browser.waits import at_work, until

#: The range in the address, of times to the second, is the one that the chart shows.
WRITTEN = """() => {
  const query = new URLSearchParams(location.search), { plot } = window.tickboard.chart;
  const ms = (name) => Date.parse(query.get(name)?.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  return Math.abs(ms("start") - plot.from) <= 1000 && Math.abs(ms("end") - plot.to) <= 1000;
}"""
CHECKED = "#timeframe label:has(input:checked)"
SHOWN = "({ plot }) => [plot.from, plot.to, plot.moved]"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("views"), "app", {"TICK_MS": "200", "SEED": "9"}).start()
    yield made
    made.stop()


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    made = opened(browser, running)
    yield made
    made.context.close()


def opened(browser: Browser, product: Any, path: str = "/", **context: Any) -> Page:
    """A page of its own profile that is live and has drawn."""
    made = log_in(browser, product.url, path, **context)
    state_is(made, "live")
    at_work(made)
    return made


def shown(page: Page) -> list[Any]:
    found: list[Any] = page.evaluate(f"({SHOWN})(window.tickboard.chart)")
    return found


def test_a_range_that_was_chosen_is_in_the_address_and_a_link_shows_it(
    running: Any, browser: Browser, page: Page
) -> None:
    expect(page).not_to_have_url(re.compile("start="))
    page.locator("#chart").focus()
    for key in ("Shift+ArrowLeft", "Shift+ArrowLeft", "+"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(r"start=\d{8}T\d{6}Z&end=\d{8}T\d{6}Z"))
    page.wait_for_function(WRITTEN)  # the address follows at most once a second
    from_, to, moved = shown(page)
    assert moved
    link = page.url.removeprefix(running.url)
    other = opened(browser, running, link)
    until(lambda: shown(other), [pytest.approx(from_, abs=1000), pytest.approx(to, abs=1000), True])
    assert chart(other, "plot.place._fullLayout.xaxis.range")
    other.reload()
    other.wait_for_function("() => window.tickboard?.chart.plot.moved")
    until(lambda: shown(other)[0], pytest.approx(from_, abs=1000))
    other.keyboard.press("Escape")
    other.context.close()
    page.keyboard.press("End")
    expect(page).not_to_have_url(re.compile("start="))


def test_back_and_forward_bring_back_range_and_symbol(page: Page) -> None:
    page.click('#cards .card[data-symbol="MSFT"]')
    page.wait_for_function("() => window.tickboard.chart.plot.figure?.symbol === 'MSFT'")
    page.locator("#chart").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page).to_have_url(re.compile("symbol=MSFT.*start="))
    before = shown(page)
    page.keyboard.press("5")
    page.wait_for_function("() => window.tickboard.chart.plot.figure?.timeframe === '5m'")
    expect(page).not_to_have_url(re.compile("start="))
    until(lambda: shown(page)[2], False)
    page.go_back()
    expect(page.locator(CHECKED)).to_have_text("1m")
    page.wait_for_function("() => window.tickboard.chart.plot.moved")
    until(lambda: shown(page)[:2], [pytest.approx(before[0], abs=1000), pytest.approx(before[1], abs=1000)])
    page.go_forward()
    expect(page.locator(CHECKED)).to_have_text("5m")
    page.wait_for_function("() => !window.tickboard.chart.plot.moved")
    expect(page).not_to_have_url(re.compile("start="))


def test_each_bad_part_of_a_link_is_told_in_a_sentence_and_the_rest_applied(running: Any, browser: Browser) -> None:
    page = opened(browser, running)
    # Not waited for: what is told leaves by itself.
    page.goto(f"{running.url}/?symbol=NOPE&timeframe=5m&type=line&scale=cubic&start=yesterday&sort=beauty:desc")
    toasts = page.locator("#toasts")
    for sentence in ("no instrument NOPE", "no price scale cubic", 'can\'t be sorted by "beauty:desc"'):
        expect(toasts).to_contain_text(sentence)
    expect(toasts).to_contain_text("start must be a time such as", timeout=LONG_MS)
    expect(page.locator(CHECKED)).to_have_text("5m")
    expect(page.locator("#chart-type")).to_have_value("line")
    expect(page).not_to_have_url(re.compile("NOPE|cubic|yesterday|beauty"))
    at_work(page)
    assert chart(page, "plot.moved") is False
    page.context.close()


@pytest.mark.parametrize("range_", ["start=20010101T000000Z&end=20010101T010000Z", "start=2090-01-01&end=2090-01-02"])
def test_a_range_of_which_nothing_is_kept_is_told_and_the_newest_bars_shown(
    running: Any, browser: Browser, range_: str
) -> None:
    page = opened(browser, running)
    page.goto(f"{running.url}/?symbol=AAPL&timeframe=1m&{range_}")
    expect(page.locator("#toasts")).to_contain_text("No bar of AAPL is kept between", timeout=LONG_MS)
    expect(page).not_to_have_url(re.compile("start="))
    at_work(page)
    newest = "({ plot, series }) => !plot.moved && plot.from < series().at(-1)[0] && series().at(-1)[0] < plot.to"
    until(lambda: page.evaluate(f"({newest})(window.tickboard.chart)"))
    page.context.close()


def test_a_range_long_ago_is_asked_for_and_shown(running: Any, browser: Browser) -> None:
    """Further back than the bars that the page opens with."""
    page = opened(browser, running, "/?symbol=AAPL&timeframe=1m")
    first = page.evaluate("window.tickboard.chart.series()[0][0]")
    kept = fetch(page, f"/api/v1/tickers/AAPL/bars?timeframe=1m&end={first}&limit=500")["data"]
    assert len(kept) == 500, "the store reaches no further back than the page"
    start, end = kept[100][0], kept[200][0]
    page.goto(f"{running.url}/?symbol=AAPL&timeframe=1m&start={start}&end={end}")
    page.wait_for_function("start => window.tickboard?.chart.plot.from === start", arg=start)
    page.wait_for_function("start => window.tickboard.chart.series()[0]?.[0] <= start", arg=start)
    page.wait_for_function("() => window.tickboard.chart.plot.place.data?.at(-1)?.x.length >= 100")
    page.context.close()


def test_the_lists_order_is_in_the_address(running: Any, browser: Browser, page: Page) -> None:
    header = page.locator('#watchlist .ag-header-cell[col-id="change_percent"]')
    header.click()
    expect(page).to_have_url(re.compile("sort=change_percent:desc"))
    other = opened(browser, running, page.url.removeprefix(running.url))
    expect(other.locator('#watchlist .ag-header-cell[col-id="change_percent"]')).to_have_attribute(
        "aria-sort", "descending"
    )
    other.context.close()
    header.click()
    expect(page).to_have_url(re.compile("sort=change_percent:asc"))
    header.click()
    expect(page).not_to_have_url(re.compile("sort="))


def test_a_tab_of_the_side_panel_is_in_the_address(page: Page) -> None:
    open_view = "query => window.tickboard.view.open(new URLSearchParams(query))"
    page.get_by_role("tab", name="Trades").click()
    expect(page).to_have_url(re.compile("side=trades"))
    page.evaluate(open_view, "symbol=AAPL&timeframe=1m&type=candles&side=quality")
    expect(page.get_by_role("tab", name="Quality")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.get_by_role("tab", name="Trades")).to_have_attribute("aria-selected", "true")
    page.evaluate(open_view, "symbol=AAPL&timeframe=1m&type=candles&side=news")
    expect(page.locator("#toasts")).to_contain_text('There is no tab "news" at the side; there are alerts, trades')
