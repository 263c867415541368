"""What the watchlist's tests look at and do on the page."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.test_done_when import state_is
from tests.browser.waits import until

__all__ = ["until"]

GRID = "#watchlist"
ROWS = f"{GRID} .ag-center-cols-container .ag-row"
SIX = ["AAPL", "MSFT", "GOOGL", "AMZN", "META", "TSLA"]
#: A number of a cell's text; None for a dash.
NUMBER = "(text) => text === '–' ? null : Number(text.replace('−', '-').replaceAll(',', ''))"


def listen(page: Page, said: list[str]) -> None:
    page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))


def ready(page: Page) -> None:
    state_is(page, "live")
    expect(page.locator("#watchlist-filter input")).to_be_visible()
    expect(page.locator(f"{ROWS} .live").first).to_have_text(re.compile(r"\d"))


def again(page: Page) -> None:
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot")
    page.wait_for_function("() => window.tickboard")
    ready(page)


def cell(page: Page, symbol: str, column: str) -> Locator:
    return page.locator(f'{GRID} .ag-row[row-id="{symbol}"] [col-id="{column}"]')


def headings(page: Page) -> list[str]:
    """The columns that are shown, left to right."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('#watchlist .ag-header-cell')]
          .sort((a, b) => a.getAttribute('aria-colindex') - b.getAttribute('aria-colindex'))
          .map((one) => one.getAttribute('col-id'))"""
    )
    return found


def symbols(page: Page) -> list[str]:
    """The rows that are drawn, top to bottom; a group's header by its id."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('#watchlist .ag-row')]
          .sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'))
          .map((one) => one.getAttribute('row-id'))"""
    )
    return list(dict.fromkeys(found))


def cards(page: Page) -> list[str]:
    found: list[str] = page.locator("#cards .card").evaluate_all("(all) => all.map((one) => one.dataset.symbol)")
    return found


def choose(page: Page, *columns: str) -> None:
    """Tick columns in the menu and close it."""
    page.click("#columns-button")
    for column in columns:
        page.check(f"#columns-menu [data-column={column}]")
    page.keyboard.press("Escape")


def away(page: Page) -> None:
    """The pointer and the focus where no list is."""
    page.mouse.move(1300, 20)
    page.evaluate("document.activeElement?.blur()")


def sort_by(page: Page, column: str) -> None:
    page.locator(f"{GRID} .ag-header-cell[col-id={column}]").click()
    expect(page.locator(".order-bar")).to_be_visible()


def drag(page: Page, start: Locator, x: float, y: float = 0) -> None:
    box = start.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + x / 2, box["y"] + box["height"] / 2 + y, steps=6)
    page.mouse.move(box["x"] + box["width"] / 2 + x, box["y"] + box["height"] / 2 + y, steps=6)
    page.wait_for_timeout(150)
    page.mouse.up()
