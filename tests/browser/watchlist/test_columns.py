"""The columns by choice: their menu, what they show, what is kept of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_done_when import fetch, log_in
from tests.browser.waits import tried
from tests.browser.watchlist.listed import (
    GRID,
    ROWS,
    SIX,
    again,
    away,
    cards,
    cell,
    choose,
    drag,
    headings,
    listen,
    ready,
    sort_by,
    until,
)

NAMES = ["Last", "Chg %", "Trend", "Name", "Change", "Bid", "Ask", "Spread", "Open", "High", "Low", "Prev. close"]
NAMES += ["Volume", "Day range", "52-week range", "Volatility"]
#: The columns of who has chosen none.
USUAL = ["symbol", "last", "change_percent", "trend"]
NO_STORAGE = """
for (const name of ["getItem", "setItem", "removeItem"])
  Storage.prototype[name] = () => { throw new DOMException("storage is disabled", "SecurityError"); };
"""


def test_the_menu_of_columns_goes_by_keyboard(page: Page) -> None:
    button = page.locator("#columns-button")
    button.focus()
    page.keyboard.press("Enter")
    menu = page.locator("#columns-menu")
    expect(menu).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    assert menu.locator("label").all_inner_texts() == NAMES
    expect(menu.get_by_label("Last")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    expect(menu.get_by_label("Bid")).to_be_focused()
    page.keyboard.press("Enter")
    expect(menu.get_by_label("Bid")).to_be_checked()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(menu.get_by_label("Ask")).to_be_checked()
    page.keyboard.press("End")
    expect(menu.get_by_role("button", name="Defaults")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_label("Last")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    expect(button).to_be_focused()
    until(lambda: headings(page), ["symbol", "last", "change_percent", "trend", "bid", "ask"])


def test_every_column_shows_what_the_api_says_and_moves(product: Any, browser: Browser) -> None:
    """Over a market that steps every 20 s the two are equal; over a lively one the cells move with it."""
    page = log_in(browser, product(TICK_MS="20000", SEED="5").url)
    ready(page)
    choose(page, *(name for name in ("name", "change", "bid", "ask", "spread", "open", "high", "low")))
    choose(page, "previous_close", "volume", "range", "volatility")
    page.evaluate("document.querySelector('#watchlist').style.cssText = 'width: 1500px'")
    until(lambda: len(headings(page)), 16)
    # A step of the market that comes between the two is the last one for 20 s.
    tried(lambda: equal_to_the_api(page), 40)
    page.context.close()


def equal_to_the_api(page: Page) -> None:
    quote = fetch(page, "/api/v1/tickers/MSFT")["data"]
    texts = {name: cell(page, "MSFT", name).inner_text() for name in headings(page)}
    assert "–" not in texts.values()
    assert texts["name"] == quote["name"] == "Microsoft"
    for column in ("bid", "ask", "open", "high", "low", "previous_close"):
        assert texts[column] == f"{quote[column]:,.2f}", column
    assert texts["last"] == f"{quote['price']:,.2f}"
    assert texts["spread"] == f"{quote['ask'] - quote['bid']:,.2f}"
    assert float(texts["change"].replace("−", "-")) == pytest.approx(quote["change"], abs=0.005)
    assert texts["volume"].endswith("M")
    assert float(texts["volume"][:-1]) == pytest.approx(quote["volume"] / 1e6, abs=0.005)
    title = cell(page, "MSFT", "volume").locator(".live").get_attribute("title") or ""
    assert float(title.replace(",", "")) == pytest.approx(quote["volume"], abs=0.000501)
    bar = cell(page, "MSFT", "range").get_by_role("img")
    words = f"Day's range {quote['low']:,.2f} to {quote['high']:,.2f}, last {quote['price']:,.2f}"
    assert bar.get_attribute("aria-label") == words
    place = (quote["price"] - quote["low"]) / (quote["high"] - quote["low"])
    drawn = re.fullmatch(r"M1 8H(\d+)M\1 2V14", bar.locator(".mark").get_attribute("d") or "")
    assert drawn
    assert int(drawn[1]) == pytest.approx(1 + place * 98, abs=0.6)
    assert 0 < float(texts["volatility"]) < 1


def test_the_52_week_range_is_asked_for_when_it_is_chosen_sorted_by_and_live(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/api/v1/ranges") else None)
    page.wait_for_timeout(1500)
    assert asked == []
    choose(page, "year_range")
    bar = cell(page, "AAPL", "year_range").get_by_role("img")
    expect(bar).to_have_attribute("aria-label", re.compile(r"^52-week range [\d.,]+ to [\d.,]+, last [\d.,]+$"))
    answer = fetch(page, "/api/v1/ranges")
    low, high = next(row[1:3] for row in answer["data"] if row[0] == "AAPL")
    said = re.findall(r"\d[\d.,]*\d", (bar.get_attribute("aria-label") or "").removeprefix("52-week range"))
    numbers = [float(text.replace(",", "").rstrip(".")) for text in said]
    assert numbers[:2] == [pytest.approx(low, abs=0.005), pytest.approx(high, abs=0.005)]
    drawn = re.fullmatch(r"M1 8H(\d+)M\1 2V14", bar.locator(".mark").get_attribute("d") or "")
    assert drawn
    assert int(drawn[1]) == pytest.approx(1 + (numbers[2] - low) / (high - low) * 98, abs=2)
    expect(bar).not_to_have_attribute("aria-label", bar.get_attribute("aria-label") or "")
    sort_by(page, "year_range")
    expect(page.locator(".order-bar")).to_contain_text("By 52-week range, highest first")
    away(page)
    places = f"""() => [...document.querySelectorAll('{ROWS}')]
      .sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'))
      .map((row) => row.querySelector('[col-id=year_range] .mark').getAttribute('d'))"""

    def ordered() -> None:
        marks = [int(re.match(r"M1 8H(\d+)M", path)[1]) for path in page.evaluate(places) if path]
        assert len(marks) == 15
        assert marks == pytest.approx(sorted(marks, reverse=True), abs=2)
        assert marks[0] > marks[-1] + 5

    tried(ordered)
    again(page)
    expect(bar).to_have_attribute("aria-label", re.compile("^52-week range [0-9]"))
    assert len([url for url in asked if "ranges" in url]) == 3, "chosen, by this test, after the reload"


def test_chosen_columns_move_like_the_others_and_those_not_chosen_are_not_there(page: Page) -> None:
    assert page.locator(f"{GRID} [col-id=bid], {GRID} [col-id=range]").count() == 0
    choose(page, "bid", "range")
    bid = cell(page, "BTC-USD", "bid")
    seen: set[str] = set()
    until(lambda: seen.add(bid.inner_text()) or len(seen) >= 5, True)
    size = "window.tickboardGrid.cells.get('BTC-USD').size"
    held = page.evaluate(size)
    page.click("#columns-button")
    page.uncheck("#columns-menu [data-column=bid]")
    page.uncheck("#columns-menu [data-column=range]")
    expect(page.locator(f"{GRID} [col-id=bid]")).to_have_count(0)
    until(lambda: page.evaluate(size) < held, True)


def test_order_width_and_choice_are_kept_and_the_defaults_come_back(page: Page) -> None:
    choose(page, "bid")
    heading = page.locator(f"{GRID} .ag-header-cell[col-id=change_percent]")
    drag(page, heading, -90)
    moved = ["symbol", "change_percent", "last", "trend", "bid"]
    until(lambda: headings(page), moved)
    edge = page.locator(f"{GRID} .ag-header-cell[col-id=symbol] .ag-header-cell-resize")
    drag(page, edge, 30)
    wide = f"document.querySelector('{GRID} .ag-header-cell[col-id=symbol]').getBoundingClientRect().width"
    until(lambda: page.evaluate(wide), pytest.approx(124, abs=4))
    width = page.evaluate(wide)
    again(page)
    until(lambda: headings(page), moved)
    until(lambda: page.evaluate(wide), pytest.approx(width, abs=1))
    page.click("#columns-button")
    page.click("#columns-menu >> text=Defaults")
    expect(page.locator("#columns-menu").get_by_label("Bid")).not_to_be_checked()
    until(lambda: headings(page), USUAL)
    again(page)
    until(lambda: headings(page), USUAL)


def test_another_user_of_the_browser_has_columns_and_pins_of_their_own(page: Page) -> None:
    choose(page, "bid")
    cell(page, "BTC-USD", "symbol").click()
    page.keyboard.press("p")
    until(lambda: cards(page), [*SIX, "BTC-USD"])
    page.evaluate(
        """() => {
          for (const [name, value] of Object.entries(localStorage)) {
            if (!name.endsWith('.root')) continue;
            localStorage.setItem(name.replace('.root', '.ada'), value);
            localStorage.removeItem(name);
          }
        }"""
    )
    again(page)
    until(lambda: headings(page), USUAL)
    until(lambda: cards(page), SIX)


@pytest.mark.parametrize(
    "kept", ["{", "7", '{"columns":[{"id":"nothing"}]}', '{"columns":"x","sort":[null,{"id":"last","way":"up"}]}']
)
def test_what_was_kept_by_something_else_does_no_harm(page: Page, kept: str) -> None:
    page.evaluate(
        "kept => { for (const n of ['list', 'pins']) localStorage.setItem(`tickboard.${n}.root`, kept); }", kept
    )
    again(page)
    until(lambda: headings(page), USUAL)
    until(lambda: cards(page), SIX)


def test_without_storage_choices_last_as_long_as_the_page(running: Any, browser: Browser, said: list[str]) -> None:
    page = log_in(browser, running.url)
    page.context.add_init_script(NO_STORAGE)
    listen(page, said)
    again(page)
    choose(page, "bid")
    cell(page, "BTC-USD", "symbol").click()
    page.keyboard.press("p")
    until(lambda: headings(page), [*USUAL, "bid"])
    until(lambda: cards(page), [*SIX, "BTC-USD"])
    again(page)
    until(lambda: headings(page), USUAL)
    until(lambda: cards(page), SIX)
    assert [line for line in said if "storage is disabled" in line] == []
    page.context.close()
