"""Two thousand rows."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, expect

from tests.browser.test_done_when import log_in
from tests.browser.watchlist.listed import GRID, away, choose, ready, sort_by, symbols, until


def test_two_thousand_rows_are_drawn_only_where_they_are_seen_and_hold_still(product: Any, browser: Browser) -> None:
    page = log_in(browser, product(SYMBOLS="catalogue:2000", TICK_MS="100", STORE_MB="256").url)
    ready(page)
    expect(page.locator("#watchlist-count")).to_have_text("2000")
    sort_by(page, "change_percent")
    choose(page, "bid", "ask", "spread", "volume", "range")
    page.wait_for_timeout(1000)
    view = page.locator(f"{GRID} .ag-body-viewport")
    view.evaluate("(view) => { view.scrollTop = 20000; }")
    page.mouse.move(200, 500)
    page.wait_for_timeout(800)
    before: list[str] = []

    def rests() -> bool:
        was, before[:] = list(before), symbols(page)
        page.wait_for_timeout(300)
        return before == was and 20 <= len(before) <= 80

    until(rests, True)
    rows = page.locator(f"{GRID} .ag-center-cols-container")
    texts: set[str] = set()
    for _ in range(20):
        texts.add(rows.inner_text())
        page.wait_for_timeout(150)
    until(lambda: texts.add(rows.inner_text()) or len(texts) >= 5, True)
    assert symbols(page) == before
    top = view.evaluate("(view) => view.scrollTop")
    # Bids and all that lie beside the list's edge are not in the page.
    held = page.evaluate("[...window.tickboardGrid.cells.values()].reduce((sum, cells) => sum + cells.size, 0)")
    assert held <= len(before) * 6
    away(page)
    page.wait_for_timeout(2500)
    assert view.evaluate("(view) => view.scrollTop") == top
    until(lambda: symbols(page) != before, True)
    page.context.close()
