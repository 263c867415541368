"""The order of an own list by hand, and what two tabs, a server that fails and one that refuses make of a change."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.watchlist.kept import PATH, change, choose_list, every, held, make, menu, rows
from tests.browser.watchlist.listed import GRID, again, cell, listen, ready, sort_by, symbols, until

FIVE = ["AAPL", "MSFT", "BTC-USD", "GOLD", "JPM"]
TROUBLE = ".list-trouble"


def drag_row(page: Page, symbol: str, onto: str, *, part: float = 0.2, drop: bool = True) -> None:
    """Press on a row's symbol and release at a part of another row's height."""
    start = cell(page, symbol, "symbol").locator(".symbol").bounding_box()
    end = cell(page, onto, "symbol").bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 8, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 10, end["y"] + end["height"] * part, steps=8)
    if drop:
        page.mouse.up()


def focused_row(page: Page) -> str | None:
    found: str | None = page.evaluate("document.activeElement.closest('.ag-row')?.getAttribute('row-id')")
    return found


def test_a_row_is_dragged_to_another_place_and_shows_nothing_by_it(server: httpx.Client, page: Page) -> None:
    make(server, "Five", *FIVE)
    choose_list(page, "Five")
    until(lambda: symbols(page), FIVE)
    drag_row(page, "JPM", "MSFT", drop=False)
    expect(page.locator(".drop-line")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".drop-line")).to_have_count(0)
    wanted = ["AAPL", "JPM", "MSFT", "BTC-USD", "GOLD"]
    until(lambda: symbols(page), wanted)
    until(lambda: held(server, "Five"), wanted)
    expect(page.locator("#list-said")).to_have_text("JPM is 2 of 5")
    drag_row(page, "AAPL", "GOLD", part=0.9)
    wanted = ["JPM", "MSFT", "BTC-USD", "GOLD", "AAPL"]
    until(lambda: symbols(page), wanted)
    until(lambda: held(server, "Five"), wanted)
    expect(page.locator("#chart-symbol")).to_have_text("AAPL")
    # A press without a way is a click still, and Esc gives a drag up.
    cell(page, "GOLD", "symbol").click()
    expect(page.locator("#chart-symbol")).to_have_text("GOLD")
    drag_row(page, "MSFT", "AAPL", drop=False)
    page.keyboard.press("Escape")
    expect(page.locator(".drop-line")).to_have_count(0)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert symbols(page) == wanted
    again(page)
    until(lambda: symbols(page), wanted)


def test_a_row_is_moved_by_keyboard_and_the_focus_goes_with_it(server: httpx.Client, page: Page) -> None:
    make(server, "Five", *FIVE)
    choose_list(page, "Five")
    cell(page, "AAPL", "last").click()
    for _ in range(3):
        page.keyboard.press("Alt+ArrowDown")
    wanted = ["MSFT", "BTC-USD", "GOLD", "AAPL", "JPM"]
    until(lambda: symbols(page), wanted)
    until(lambda: held(server, "Five"), wanted)
    until(lambda: focused_row(page), "AAPL")
    page.keyboard.press("Alt+ArrowUp")
    until(lambda: symbols(page), ["MSFT", "BTC-USD", "AAPL", "GOLD", "JPM"])
    until(lambda: focused_row(page), "AAPL")
    page.keyboard.press("ArrowUp")
    until(lambda: focused_row(page), "BTC-USD")
    # The first stays the first.
    page.keyboard.press("ArrowUp")
    until(lambda: focused_row(page), "MSFT")
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_timeout(200)
    until(lambda: held(server, "Five"), ["MSFT", "BTC-USD", "AAPL", "GOLD", "JPM"])


def test_a_row_stays_in_its_group(server: httpx.Client, page: Page) -> None:
    make(server, "Five", *FIVE, group="class")
    choose_list(page, "Five")
    until(lambda: rows(page), ["AAPL", "MSFT", "JPM", "BTC-USD", "GOLD"])
    drag_row(page, "AAPL", "GOLD", part=0.9)
    until(lambda: rows(page), ["MSFT", "JPM", "AAPL", "BTC-USD", "GOLD"])
    # Those of other groups keep their places in the list.
    until(lambda: held(server, "Five"), ["MSFT", "JPM", "BTC-USD", "GOLD", "AAPL"])


def test_a_sorted_list_and_the_whole_market_say_why_they_are_not_ordered(server: httpx.Client, page: Page) -> None:
    make(server, "Five", *FIVE)
    cell(page, "MSFT", "last").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".toast").last).to_contain_text("choose or make a list")
    choose_list(page, "Five")
    sort_by(page, "change_percent")
    cell(page, "MSFT", "last").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".toast").last).to_contain_text("Clear its sort and its filter first")
    drag_row(page, "MSFT", "JPM")
    assert held(server, "Five") == FIVE


def test_of_two_tabs_the_second_is_told_and_shows_the_newest(server: httpx.Client, page: Page, said: list[str]) -> None:
    make(server, "Five", *FIVE)
    choose_list(page, "Five")
    other = page.context.new_page()
    listen(other, said)
    other.goto(page.url)
    ready(other)
    until(lambda: symbols(other), FIVE)
    cell(other, "JPM", "last").click()
    other.keyboard.press("Alt+ArrowUp")
    newest = ["AAPL", "MSFT", "BTC-USD", "JPM", "GOLD"]
    until(lambda: held(server, "Five"), newest)
    cell(page, "AAPL", "last").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(f"{TROUBLE} [role=status]")).to_have_text(
        "“Five” was changed elsewhere meanwhile: the newest is shown, without your last change."
    )
    until(lambda: symbols(page), newest)
    assert held(server, "Five") == newest
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(TROUBLE)).not_to_be_visible()
    cell(page, "AAPL", "last").click()
    page.keyboard.press("Alt+ArrowDown")
    until(lambda: held(server, "Five"), ["MSFT", "AAPL", "BTC-USD", "JPM", "GOLD"])
    said[:] = [line for line in said if "412" not in line]


def test_what_another_tab_did_is_seen_when_the_menu_opens(server: httpx.Client, page: Page) -> None:
    kept = make(server, "Five", *FIVE)
    choose_list(page, "Five")
    change(server, kept, name="Four", symbols=FIVE[:4])
    menu(page)
    expect(page.locator("#list-name")).to_have_text("Four")
    until(lambda: symbols(page), FIVE[:4])
    server.delete(f"{PATH}/{kept['id']}", headers={"If-Match": "*"})
    page.keyboard.press("Escape")
    expect(page.locator("#list-menu")).not_to_be_visible()
    menu(page)
    expect(page.locator("#list-name")).to_have_text("All instruments")
    expect(page.locator(TROUBLE)).not_to_be_visible()


def test_a_list_that_was_deleted_elsewhere_is_said_to_be(server: httpx.Client, page: Page, said: list[str]) -> None:
    kept = make(server, "Five", *FIVE)
    choose_list(page, "Five")
    server.delete(f"{PATH}/{kept['id']}", headers={"If-Match": "*"})
    cell(page, "AAPL", "last").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(f"{TROUBLE} [role=status]")).to_have_text("“Five” was deleted elsewhere.")
    expect(page.locator("#list-name")).to_have_text("All instruments")
    said[:] = [line for line in said if "404" not in line]


@pytest.mark.parametrize(
    ("status", "why"),
    [(0, "the server does not answer"), (503, "the database is locked"), (500, "the server answers 500")],
)
def test_a_change_that_is_not_saved_stays_and_is_tried_again(
    server: httpx.Client, page: Page, said: list[str], status: int, why: str
) -> None:
    def fail(route: Route) -> None:
        if route.request.method != "PUT":
            route.continue_()
        elif status == 0:
            route.abort()
        elif status == 503:
            route.fulfill(status=503, json={"detail": why}, content_type="application/problem+json")
        else:
            route.fulfill(status=500, body="<h1>broken</h1>", content_type="text/html")

    make(server, "Five", *FIVE)
    choose_list(page, "Five")
    page.route(f"**{PATH}/*", fail)
    cell(page, "AAPL", "last").click()
    page.keyboard.press("Alt+ArrowDown")
    trouble = page.locator(TROUBLE)
    expect(trouble).to_contain_text(f"“Five” is not saved: {why}.")
    wanted = ["MSFT", "AAPL", *FIVE[2:]]
    until(lambda: symbols(page), wanted)
    # Still so after another look at the server, and what is changed next is sent with it.
    with page.expect_response(lambda answer: answer.url.endswith(PATH)):
        menu(page)
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    assert symbols(page) == wanted
    assert held(server, "Five") == FIVE
    page.unroute(f"**{PATH}/*")
    trouble.get_by_role("button", name="Try again").click()
    expect(trouble).not_to_be_visible()
    until(lambda: held(server, "Five"), wanted)
    said[:] = [line for line in said if "Failed to load resource" not in line]


def test_lists_that_could_not_be_read_are_read_when_tried_again(
    server: httpx.Client, page: Page, said: list[str]
) -> None:
    make(server, "Five", *FIVE)
    choose_list(page, "Five")
    page.route(f"**{PATH}", lambda route: route.abort())
    again(page)
    trouble = page.locator(TROUBLE)
    expect(trouble).to_contain_text("Your watchlists could not be read: the server does not answer.")
    until(lambda: len(rows(page)), 15)
    page.unroute(f"**{PATH}")
    trouble.get_by_role("button", name="Try again").click()
    until(lambda: symbols(page), FIVE)
    expect(page.locator("#list-name")).to_have_text("Five")
    expect(trouble).not_to_be_visible()
    said[:] = [line for line in said if "Failed to load resource" not in line]


def test_a_list_of_a_newer_version_is_named_and_can_not_be_chosen(server: httpx.Client, page: Page) -> None:
    why = "watchlist 'New' is of format 9, which a newer version of this program has made"
    listing = {"data": [{"id": 7, "name": "New", "version": 1, "created": 1, "changed": 1, "refused": why}]}
    page.route(f"**{PATH}", lambda route: route.fulfill(json=listing))
    one = menu(page).locator(".lists button", has_text="New")
    expect(one).to_be_disabled()
    expect(one).to_have_attribute("title", why)


def test_a_quick_hand_loses_nothing(server: httpx.Client, page: Page) -> None:
    """Each change waits for the one before it: none meets the version that another of the same tab has made."""
    make(server, "Five", *FIVE)
    choose_list(page, "Five")
    cell(page, "AAPL", "last").click()
    for key in ["ArrowDown"] * 4 + ["ArrowUp"] * 2:
        page.keyboard.press(f"Alt+{key}")
    wanted = ["MSFT", "BTC-USD", "AAPL", "GOLD", "JPM"]
    until(lambda: symbols(page), wanted)
    until(lambda: held(server, "Five"), wanted)
    expect(page.locator(TROUBLE)).not_to_be_visible()
    assert len(every(server)) == 1
    expect(page.locator(f"{GRID} .ag-row-selected").first).to_have_attribute("row-id", "AAPL")
