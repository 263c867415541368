"""The search: Ctrl+K from anywhere, by symbol or name, with keys alone, on a phone too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_address import opened
from tests.browser.waits import at_work


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("search"), "app", {"TICK_MS": "500", "SEED": "2"}).start()
    yield made
    made.stop()


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    made = opened(browser, running)
    yield made
    made.context.close()


def finds(page: Page, text: str, symbol: str) -> None:
    """Ctrl+K, a text, Enter: the symbol is shown and the chart has the focus."""
    page.keyboard.press("Control+k")
    expect(page.locator("#search-field")).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.locator("#chart-symbol")).to_have_text(symbol)
    expect(page.locator("#chart")).to_be_focused()
    expect(page.locator("#search-results")).not_to_be_visible()


def test_by_symbol_and_by_name_from_the_page_itself(page: Page) -> None:
    finds(page, "msft", "MSFT")
    finds(page, "ether", "ETH-USD")
    finds(page, "GOLD", "GOLD")


def test_while_typing_elsewhere(page: Page) -> None:
    page.locator("#chart").focus()
    page.keyboard.press("a")
    page.fill("#alert-form [name=level]", "12")
    finds(page, "tesla", "TSLA")
    expect(page.locator("#alert-form [name=level]")).to_have_value("12")
    page.locator("#watchlist-filter input").click()
    page.keyboard.type("a")
    finds(page, "msft", "MSFT")
    page.locator("#chart-type").focus()
    finds(page, "tesla", "TSLA")


@pytest.mark.parametrize("key", ["?", "v", ","])
def test_out_of_an_open_dialog_which_is_closed(page: Page, key: str) -> None:
    page.locator("#chart").focus()
    page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_be_visible()
    finds(page, "msft", "MSFT")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_out_of_open_menus(page: Page) -> None:
    page.click("#user-button")
    expect(page.locator("#user-list")).to_be_visible()
    finds(page, "msft", "MSFT")
    expect(page.locator("#user-list")).not_to_be_visible()
    page.locator("#chart").click(button="right", position={"x": 300, "y": 200})
    expect(page.locator(".chart-menu")).to_be_visible()
    finds(page, "tesla", "TSLA")
    expect(page.locator(".chart-menu")).not_to_be_visible()


def test_arrows_go_round_and_escape_leaves_everything_as_it_was(page: Page) -> None:
    page.keyboard.press("Control+k")
    options = page.locator("#search-results [role=option]")
    expect(options).to_have_count(12)
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(options.nth(11)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    active = page.locator("#search-field").get_attribute("aria-activedescendant")
    assert active == options.nth(1).get_attribute("id")
    page.keyboard.press("Escape")
    expect(page.locator("#search-results")).not_to_be_visible()
    expect(page.locator("#chart-symbol")).to_have_text("AAPL")


def test_no_result_is_said_and_enter_does_nothing(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.locator("#search-field")).to_be_focused()
    page.keyboard.type("zzzz")
    expect(page.locator("#search-results")).to_have_text('No symbol or name contains "zzzz".')
    assert page.locator("#search-field").get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#chart-symbol")).to_have_text("AAPL")
    expect(page.locator("#search-field")).to_be_focused()


def test_by_pointer(page: Page) -> None:
    page.locator("#search-field").click()
    page.keyboard.type("ms")
    page.locator("#search-results li", has_text="MSFT").click()
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")


def test_on_a_phone_out_of_the_sheet_and_by_key(running: Any, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(running.url)
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    at_work(page)
    expect(page.locator("#search-field")).not_to_be_visible()
    page.locator(".bottom-tabs button", has_text="More").tap()
    page.locator("#search-button").tap()
    expect(page.locator("#search-field")).to_be_focused()
    page.keyboard.type("ether")
    page.locator("#search-results li").first.tap()
    expect(page.locator("#chart-symbol")).to_have_text("ETH-USD")
    expect(page.locator("#search-field")).not_to_be_visible()
    finds(page, "tesla", "TSLA")
    # Back in the field before the one that was left has been put away: it stays.
    page.evaluate("""() => {
        document.getElementById("search-button").click();
        document.getElementById("chart").focus();
        document.getElementById("search-button").click();
    }""")
    page.wait_for_timeout(300)
    expect(page.locator("#search-field")).to_be_focused()
    context.close()
