"""Pins: which instruments have a card, by key, button and menu."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.waits import at_work
from tests.browser.watchlist.listed import GRID, SIX, again, cards, cell, symbols, until


def test_pins_by_key_button_and_menu_are_kept_live_and_said(page: Page) -> None:
    until(lambda: cards(page), SIX)
    cell(page, "BTC-USD", "last").click()
    page.keyboard.press("p")
    until(lambda: cards(page), [*SIX, "BTC-USD"])
    expect(page.locator("#pins-said")).to_have_text("BTC-USD pinned, 7 of 12 cards")
    expect(page.locator("#pins-said")).to_have_attribute("role", "status")
    price = page.locator('#cards .card[data-symbol="BTC-USD"] .price')
    before = price.inner_text()
    expect(price).not_to_have_text(before)

    row = page.locator(f'{GRID} .ag-row[row-id="AAPL"] .symbol-cell')
    row.hover()
    row.locator(".pin").click()
    until(lambda: cards(page), [*SIX[1:], "BTC-USD"])
    expect(row.locator(".pin")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#chart-symbol")).to_have_text("BTC-USD")

    cell(page, "GOLD", "last").click(button="right")
    menu = page.get_by_role("menu", name="GOLD")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    menu.get_by_role("menuitem", name="Pin GOLD to the cards").click()
    until(lambda: cards(page), [*SIX[1:], "BTC-USD", "GOLD"])
    page.click('#cards .card[data-symbol="GOLD"]')
    expect(page.locator("#chart-symbol")).to_have_text("GOLD")
    expect(page.locator('#cards .card[data-symbol="GOLD"]')).to_have_attribute("aria-pressed", "true")

    again(page)
    until(lambda: cards(page), [*SIX[1:], "BTC-USD", "GOLD"])
    page.locator("#cards .card").first.focus()
    page.keyboard.press("Delete")
    until(lambda: cards(page), [*SIX[2:], "BTC-USD", "GOLD"])
    expect(page.locator('#cards .card[data-symbol="GOOGL"]')).to_be_focused()


def test_pins_of_another_tab_are_shown_and_kept_with_those_of_this_one(page: Page) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    at_work(other)
    until(lambda: cards(other), SIX)
    for tab, symbol in ((page, "GOLD"), (other, "OIL"), (page, "BTC-USD")):
        tab.bring_to_front()
        cell(tab, symbol, "last").click()
        tab.keyboard.press("p")
        expect(tab.locator(f'#cards .card[data-symbol="{symbol}"]')).to_have_count(1)
        for each in (page, other):
            until(lambda each=each, symbol=symbol: each.locator(f'#cards .card[data-symbol="{symbol}"]').count(), 1)
    for each in (page, other):
        until(lambda each=each: cards(each), [*SIX, "GOLD", "OIL", "BTC-USD"])
    again(page)
    until(lambda: cards(page), [*SIX, "GOLD", "OIL", "BTC-USD"])
    other.close()


def test_the_rows_menu_goes_by_keyboard(page: Page) -> None:
    cell(page, "OIL", "last").click()
    page.evaluate(
        "document.activeElement.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }))"
    )
    menu = page.get_by_role("menu", name="OIL")
    expect(menu).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(menu.get_by_role("menuitem").last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    until(lambda: page.evaluate("document.activeElement.closest('.ag-row')?.getAttribute('row-id')"), "OIL")


def test_there_are_as_many_cards_as_can_be_and_none_where_all_are_unpinned(page: Page) -> None:
    every = [name for name in symbols(page) if not name.startswith("group ")]
    for symbol in every[6:13]:
        cell(page, symbol, "last").click()
        page.keyboard.press("p")
    until(lambda: cards(page), every[:12])
    expect(page.locator(".toast")).to_contain_text(f"{every[12]} is not pinned")
    expect(page.locator(".toast")).to_contain_text("12 cards are the most there can be")
    for symbol in every[:12]:
        cell(page, symbol, "last").click()
        page.keyboard.press("p")
    until(lambda: cards(page), [])
    again(page)
    until(lambda: cards(page), [])


def test_pins_of_another_market_are_passed_over_and_come_back_with_it(page: Page) -> None:
    page.evaluate("""localStorage.setItem('tickboard.pins.root', '["SOMETHING","GOLD","ELSE","V"]')""")
    again(page)
    until(lambda: cards(page), ["GOLD", "V"])
    cell(page, "GOLD", "symbol").click()
    page.keyboard.press("p")
    until(lambda: cards(page), ["V"])
    kept = "JSON.parse(localStorage.getItem('tickboard.pins.root'))"
    until(lambda: page.evaluate(kept), ["V", "SOMETHING", "ELSE"])
    page.evaluate("""localStorage.setItem('tickboard.pins.root', '["SOMETHING","ELSE"]')""")
    again(page)
    until(lambda: cards(page), SIX)
