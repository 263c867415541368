"""An order by live values that holds still while somebody is in the list."""

from __future__ import annotations

from itertools import pairwise

from playwright.sync_api import Page, expect

from tests.browser.waits import tried
from tests.browser.watchlist.listed import GRID, NUMBER, ROWS, again, away, cell, sort_by, symbols, until


def changes(page: Page) -> list[float]:
    """The changes in the order of the rows."""
    found: list[float] = page.locator(ROWS).evaluate_all(
        f"""(rows) => rows.filter((row) => row.querySelector('[col-id=change_percent]'))
          .sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'))
          .map((row) => ({NUMBER})(row.querySelector('[col-id=change_percent]').textContent))"""
    )
    return found


def shake(page: Page, best: str, price_factor: float) -> None:
    """A price of `best` that puts it elsewhere in the order; as the stream would bring it, until its next tick."""
    page.evaluate(
        """([symbol, factor]) => {
          const { market } = window.tickboard;
          const rows = market.rows.bind(market);
          market.rows = (message) => {
            if (message.data[symbol]) message.data[symbol][0] *= factor;
            rows(message);
          };
        }""",
        [best, price_factor],
    )


def test_the_order_holds_while_the_pointer_is_in_the_list_and_is_made_anew_once_it_has_left(page: Page) -> None:
    sort_by(page, "change_percent")
    cell(page, symbols(page)[4], "last").hover()
    expect(page.locator(".order-words")).to_contain_text("holding still")
    before = symbols(page)
    shake(page, before[-1], 2.0)
    texts: set[str] = set()

    def holds() -> bool:
        assert symbols(page) == before
        texts.add(page.locator(f"{GRID} .ag-center-cols-container").inner_text())
        page.wait_for_timeout(100)
        return len(texts) >= 10

    for _ in range(30):
        holds()
    until(holds, True)
    expect(page.locator(".order-words")).to_contain_text("holding still")
    expect(cell(page, before[-1], "change_percent")).to_contain_text("+")
    away(page)
    expect(page.locator(f'{GRID} .ag-row[row-id="{before[-1]}"]').first).to_have_attribute("row-index", "0")
    expect(page.locator(".order-words")).not_to_contain_text("holding still")


def test_the_order_holds_while_the_focus_is_in_the_list_until_it_is_told_to_sort(page: Page) -> None:
    sort_by(page, "change_percent")
    focused = symbols(page)[2]
    cell(page, focused, "last").click()
    page.mouse.move(1300, 20)
    expect(page.locator(".order-words")).to_contain_text("holding still")
    before = symbols(page)
    least, other = [symbol for symbol in reversed(before) if symbol != focused][:2]
    shake(page, least, 2.0)
    page.wait_for_timeout(2500)
    assert symbols(page) == before
    button = page.locator(".order-bar button")
    expect(button).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("s")
    expect(page.locator(f'{GRID} .ag-row[row-id="{least}"]').first).to_have_attribute("row-index", "0")
    # The row that had the focus has it still, wherever it went; its symbol is still the one that is selected.
    until(lambda: page.evaluate("document.activeElement.closest('.ag-row')?.getAttribute('row-id')"), focused)
    expect(page.locator(f"{GRID} .ag-row-selected").first).to_have_attribute("row-id", focused)
    shake(page, other, 4.0)
    page.wait_for_timeout(1500)
    assert symbols(page)[0] == least
    button.click()
    expect(page.locator(f'{GRID} .ag-row[row-id="{other}"]').first).to_have_attribute("row-index", "0")


def test_the_sort_is_kept_over_a_reload_with_its_groups_hidden(page: Page) -> None:
    assert any(name.startswith("group ") for name in symbols(page))
    sort_by(page, "change_percent")
    sort_by(page, "change_percent")
    away(page)
    again(page)
    expect(page.locator(f"{GRID} .ag-header-cell[col-id=change_percent]")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator(f"{GRID} .group-row")).to_have_count(0)

    def ordered() -> None:
        found = changes(page)
        assert len(found) == 15
        assert all(below <= above + 0.1 for below, above in pairwise(found)), found

    tried(ordered)
    page.locator(f"{GRID} .ag-header-cell[col-id=change_percent]").click()
    expect(page.locator(".order-bar")).not_to_be_visible()
    until(lambda: any(name.startswith("group ") for name in symbols(page)), True)
