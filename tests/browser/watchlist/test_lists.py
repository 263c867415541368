"""Several watchlists: made, chosen, renamed, deleted, filled and grouped on the page, kept on the server."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.watchlist.kept import choose_list, every, held, make, menu, rows
from tests.browser.watchlist.listed import GRID, again, cell, choose, symbols, until

NAME = "#list-name"


def dialog_of(page: Page, key: str) -> None:
    menu(page).locator(f"[data-key={key}]").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def answer(page: Page, text: str | None, action: str) -> None:
    dialog = page.get_by_role("dialog")
    if text is not None:
        expect(dialog.get_by_label("Name")).to_be_focused()
        dialog.get_by_label("Name").fill(text)
    dialog.get_by_role("button", name=action).click()


def test_a_list_is_made_renamed_and_deleted(server: httpx.Client, page: Page) -> None:
    expect(page.locator(NAME)).to_have_text("All instruments")
    dialog_of(page, "new")
    expect(page.get_by_role("dialog")).to_contain_text("It begins with AAPL.")
    answer(page, "Tech", "Make")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(NAME)).to_have_text("Tech")
    until(lambda: symbols(page), ["AAPL"])
    expect(page.locator("#watchlist-count")).to_have_text("1")
    # What it is to have is asked for at once; by keyboard, one after the other, and out again.
    field = page.get_by_label("Add by symbol or name")
    for typed, symbol in (("microsoft", "MSFT"), ("eth", "ETH-USD")):
        expect(field).to_be_focused()
        page.keyboard.type(typed)
        expect(page.locator("#member-results [aria-selected=true]")).to_have_attribute("data-symbol", symbol)
        page.keyboard.press("Enter")
        expect(page.locator("#list-said")).to_have_text(f"{symbol} added to Tech")
    expect(field).to_be_focused()
    page.keyboard.type("aapl")
    expect(page.locator("#member-results .none")).to_contain_text('No other symbol or name contains "aapl".')
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#list-button")).to_be_focused()
    until(lambda: held(server, "Tech"), ["AAPL", "MSFT", "ETH-USD"])
    for symbol in ("MSFT", "ETH-USD"):
        cell(page, symbol, "last").click()
        page.keyboard.press("Delete")
    until(lambda: held(server, "Tech"), ["AAPL"])
    kept = every(server)
    assert [(each["name"], each["symbols"], each["columns"]) for each in kept] == [
        ("Tech", ["AAPL"], ["symbol", "price", "change_percent", "trend"])
    ]
    dialog_of(page, "rename")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_have_value("Tech")
    answer(page, "Technology", "Rename")
    expect(page.locator(NAME)).to_have_text("Technology")
    assert every(server)[0]["name"] == "Technology"
    again(page)
    expect(page.locator(NAME)).to_have_text("Technology")
    until(lambda: symbols(page), ["AAPL"])
    dialog_of(page, "delete")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    answer(page, None, "Delete")
    expect(page.locator(NAME)).to_have_text("All instruments")
    until(lambda: len(rows(page)), 15)
    assert every(server) == []


def test_a_name_that_is_refused_is_said_in_the_dialog_which_stays(
    server: httpx.Client, page: Page, said: list[str]
) -> None:
    make(server, "Tech", "AAPL")
    dialog_of(page, "new")
    answer(page, "Tech", "Make")
    expect(page.get_by_role("alert").last).to_have_text("There is a watchlist 'Tech' already; choose another name.")
    answer(page, "   ", "Make")
    expect(page.get_by_role("alert").last).to_contain_text("a text of 1 to 80 characters")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [each["name"] for each in every(server)] == ["Tech"]
    said[:] = [line for line in said if "409" not in line and "422" not in line]


def test_lists_are_chosen_by_keyboard_and_the_choice_is_kept(server: httpx.Client, page: Page) -> None:
    make(server, "Tech", "AAPL", "MSFT")
    make(server, "Coins", "ETH-USD", "BTC-USD")
    page.locator("#list-button").focus()
    page.keyboard.press("Enter")
    lists = menu(page).locator(".lists button")
    expect(lists).to_have_count(3)
    expect(lists.first).to_be_focused()
    expect(lists.first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(lists.nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(NAME)).to_have_text("Coins")
    expect(page.locator("#list-button")).to_be_focused()
    expect(page.locator("#list-said")).to_have_text("Coins, 2 instruments")
    until(lambda: symbols(page), ["ETH-USD", "BTC-USD"])
    price = cell(page, "BTC-USD", "last")
    before = price.inner_text()
    expect(price).not_to_have_text(before)
    again(page)
    expect(page.locator(NAME)).to_have_text("Coins")
    until(lambda: symbols(page), ["ETH-USD", "BTC-USD"])


def test_the_shown_instrument_is_added_and_removed(server: httpx.Client, page: Page) -> None:
    make(server, "Tech", "AAPL")
    make(server, "Coins", "ETH-USD", pinned=["ETH-USD"])
    expect(menu(page).locator(".lists button")).to_have_count(3)
    page.keyboard.press("Escape")
    cell(page, "NVDA", "last").click(button="right")
    page.get_by_role("menuitem", name="Add NVDA to Tech").click()
    until(lambda: held(server, "Tech"), ["AAPL", "NVDA"])
    page.click('#cards .card[data-symbol="MSFT"]')
    choose_list(page, "Tech")
    until(lambda: symbols(page), ["AAPL", "NVDA"])
    menu(page).get_by_role("button", name="Add MSFT").click()
    until(lambda: symbols(page), ["AAPL", "NVDA", "MSFT"])
    until(lambda: held(server, "Tech"), ["AAPL", "NVDA", "MSFT"])
    expect(page.locator("#list-said")).to_have_text("MSFT added to Tech")
    menu(page).get_by_role("button", name="Remove MSFT").click()
    until(lambda: held(server, "Tech"), ["AAPL", "NVDA"])
    cell(page, "AAPL", "last").click()
    page.keyboard.press("Delete")
    until(lambda: symbols(page), ["NVDA"])
    until(lambda: held(server, "Tech"), ["NVDA"])
    expect(menu(page).locator(".lists button")).to_have_count(3)
    page.keyboard.press("Escape")
    cell(page, "NVDA", "last").click(button="right")
    page.get_by_role("menuitem", name="Remove NVDA from Tech").click()
    expect(page.locator(".list-empty")).to_contain_text("Tech is empty")
    until(lambda: held(server, "Tech"), [])
    # What the list had besides is kept; what was pinned leaves with its instrument.
    choose_list(page, "Coins")
    cell(page, "ETH-USD", "last").click()
    page.keyboard.press("Delete")
    until(lambda: held(server, "Coins"), [])
    assert every(server)[1]["pinned"] == []


def test_a_list_is_grouped_by_class_or_sector_and_its_server_keeps_it(server: httpx.Client, page: Page) -> None:
    make(server, "Mixed", "JPM", "BTC-USD", "AAPL", "GOLD", "MSFT")
    choose_list(page, "Mixed")
    until(lambda: symbols(page), ["JPM", "BTC-USD", "AAPL", "GOLD", "MSFT"])
    menu(page).get_by_role("button", name="Class").click()
    by_class = ["group stock", "JPM", "AAPL", "MSFT", "group crypto", "BTC-USD", "group commodity", "GOLD"]
    until(lambda: symbols(page), by_class)
    menu(page).get_by_role("button", name="Sector").click()
    by_sector = ["JPM", "BTC-USD", "AAPL", "MSFT", "GOLD"]
    until(lambda: rows(page), by_sector)
    expect(page.locator(f"{GRID} .group-row")).to_have_text(["Finance", "Currency", "Technology", "Metal"])
    until(lambda: every(server)[0]["group"], "sector")
    again(page)
    until(lambda: rows(page), by_sector)
    choose_list(page, "All instruments")
    until(lambda: len(symbols(page)), 18)
    menu(page).get_by_role("button", name="None").click()
    until(lambda: len(symbols(page)), 15)
    again(page)
    until(lambda: len(symbols(page)), 15)
    assert every(server)[0]["group"] == "sector"


def test_what_is_not_in_this_market_stays_in_the_list(server: httpx.Client, page: Page) -> None:
    make(server, "Far", "NOPE", "AAPL", "MSFT", "ELSE")
    choose_list(page, "Far")
    until(lambda: symbols(page), ["AAPL", "MSFT"])
    expect(menu(page)).to_contain_text("2 of its symbols are not in this market.")
    page.keyboard.press("Escape")
    cell(page, "AAPL", "last").click()
    page.keyboard.press("Alt+ArrowDown")
    until(lambda: held(server, "Far"), ["NOPE", "MSFT", "AAPL", "ELSE"])


def test_the_shown_list_is_saved_as_a_file_with_the_columns_shown(server: httpx.Client, page: Page) -> None:
    make(server, "Tech", "MSFT", "AAPL")
    choose_list(page, "Tech")
    choose(page, "bid", "range")
    with page.expect_download() as caught:
        menu(page).get_by_role("link", name="Save as CSV").click()
    assert caught.value.suggested_filename.startswith("simulated_watchlist_Tech_")
    table = list(csv.reader(io.StringIO(Path(caught.value.path()).read_text())))
    assert table[0] == ["symbol", "price", "change_percent", "bid"]
    assert [row[0] for row in table[1:]] == ["MSFT", "AAPL"]


def test_the_filter_and_the_sort_work_in_a_list(server: httpx.Client, page: Page) -> None:
    make(server, "Mixed", "JPM", "BTC-USD", "AAPL", "GOLD", "MSFT")
    choose_list(page, "Mixed")
    field = page.locator("#watchlist-filter input")
    field.fill("technology")
    until(lambda: symbols(page), ["AAPL", "MSFT"])
    expect(page.locator("#watchlist-count")).to_have_text("2")
    field.press("Escape")
    page.locator(f"{GRID} .ag-header-cell[col-id=symbol]").click()
    until(lambda: symbols(page), ["AAPL", "BTC-USD", "GOLD", "JPM", "MSFT"])


@pytest.mark.parametrize("name", ["<b>Bold</b>", "Ein sehr langer Name für eine Liste, der nirgends Platz hat", "重要"])
def test_a_name_may_say_anything(server: httpx.Client, page: Page, name: str) -> None:
    make(server, name, "AAPL")
    choose_list(page, name)
    until(lambda: symbols(page), ["AAPL"])
    for selector in ("#list-button", "#watchlist-filter", "#columns-button"):
        box = page.locator(selector).bounding_box()
        panel = page.locator(".list-panel").bounding_box()
        assert box is not None
        assert panel is not None
        assert panel["x"] <= box["x"]
        assert box["x"] + box["width"] <= panel["x"] + panel["width"]
        assert box["width"] >= 24
