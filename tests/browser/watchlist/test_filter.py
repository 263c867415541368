"""The list's filter, and the search that is reached from anywhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.watchlist.listed import GRID, cell, sort_by, symbols, until


def test_the_filter_knows_symbols_names_and_classes_and_the_groups_come_back(page: Page) -> None:
    whole = symbols(page)
    field = page.locator("#watchlist-filter input")
    for text, left in (
        ("eth", ["ETH-USD"]),
        ("micros", ["MSFT"]),
        ("crypto", ["BTC-USD", "ETH-USD", "XRP-USD"]),
        ("Commodities", ["GOLD", "OIL"]),
        ("usd xr", ["XRP-USD"]),
        ("zzz", []),
    ):
        field.fill(text)
        expect(page.locator("#watchlist-count")).to_have_text(str(len(left)))
        until(lambda: symbols(page), left)
    expect(page.locator(GRID)).to_contain_text("No symbol matches the filter")
    sort_by(page, "change_percent")
    field.fill("crypto")
    until(lambda: set(symbols(page)), {"BTC-USD", "ETH-USD", "XRP-USD"})
    field.press("Escape")
    expect(field).to_have_value("")
    until(lambda: len(symbols(page)), 15)
    for _ in range(2):
        page.locator(f"{GRID} .ag-header-cell[col-id=change_percent]").click()
    until(lambda: symbols(page), whole)
    field.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.activeElement.closest('.ag-row')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")


@pytest.mark.parametrize("key", ["/", "Control+k"])
@pytest.mark.parametrize("place", ["grid", "chart", "menu"])
def test_search_is_reached_from_anywhere(page: Page, place: str, key: str) -> None:
    if place == "grid":
        cell(page, "MSFT", "last").click()
    elif place == "chart":
        page.locator("#chart").focus()
    else:
        page.click("#columns-button")
    page.keyboard.press(key)
    expect(page.locator("#search-field")).to_be_focused()
    expect(page.locator("#search-field")).to_have_value("")
    page.keyboard.type("gold")
    page.keyboard.press("Enter")
    expect(page.locator("#chart-symbol")).to_have_text("GOLD")
