"""A list in a hidden tab: it draws nothing, and is whole when it comes back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_done_when import log_in
from tests.browser.waits import FRAMES
from tests.browser.watchlist.listed import GRID, NUMBER, ROWS, ready, symbols, until


@pytest.mark.parametrize("sort", [False, True])
def test_a_list_in_a_hidden_tab_comes_back_with_the_newest_values_where_it_was(
    product: Any, browser: Browser, sort: bool
) -> None:
    running = product(SYMBOLS="catalogue:200", TICK_MS="100", SEED="5")
    page = log_in(browser, running.url)
    page.set_viewport_size({"width": 390, "height": 700})
    page.click("[data-tab=list]")
    ready(page)
    if sort:
        page.locator(f"{GRID} .ag-header-cell[col-id=change_percent]").click()
        expect(page.locator(".order-bar")).to_be_visible()
    view = page.locator(f"{GRID} .ag-body-viewport")
    view.evaluate("(view) => { view.scrollTop = 1400; }")
    page.wait_for_timeout(400)
    until(lambda: len(symbols(page)) > 20, True)
    chosen = symbols(page)[20]
    page.evaluate("symbol => window.tickboard.view.set({ symbol })", chosen)
    page.click("[data-tab=list]")
    expect(page.locator(GRID)).to_be_visible()
    page.wait_for_timeout(300)
    top = view.evaluate("(view) => view.scrollTop")
    assert top > 500
    page.click("[data-tab=chart]")
    expect(page.locator(GRID)).not_to_be_visible()
    page.wait_for_timeout(500)
    page.evaluate(FRAMES)
    drawn = page.evaluate(
        """async () => {
          const { market } = window.tickboard;
          let heard = 0, writes = 0;
          const all = { subtree: true, characterData: true, attributes: true, childList: true };
          new MutationObserver((news) => (writes += news.length)).observe(document.querySelector('#watchlist'), all);
          await new Promise((enough) => {
            const end = market.on('ticker', () => {
              if (++heard < 100) return;
              end();
              // All instruments tick at once: what came between a paint and the look below would differ in every row.
              market.rows = () => {};
              enough();
            });
          });
          return writes;
        }"""
    )
    assert drawn <= 20
    page.click("[data-tab=list]")
    page.evaluate(FRAMES)

    def wrong() -> tuple[bool, list[str]]:
        count, found = page.evaluate(f"""() => {{
          const {{ market }} = window.tickboard;
          const rows = [...document.querySelectorAll('{ROWS}')].filter((row) => row.querySelector('.live'));
          const wrong = rows.filter((row) => {{
            const quote = market.get(row.getAttribute('row-id'));
            const shown = ({NUMBER})(row.querySelector('[col-id=last]').textContent);
            return Math.abs(shown - quote.price) > 0.5001 * 10 ** -quote.decimals;
          }});
          return [rows.length, wrong.map((row) => row.getAttribute('row-id'))];
        }}""")
        return count >= 15, found

    # No price comes any more: what is late here is the frame, not the price.
    until(wrong, (True, []))
    until(lambda: view.evaluate("(view) => view.scrollTop"), top)
    # Sorted anew it may lie outside of the view.
    selected = "() => window.dash_ag_grid.getApi('watchlist-grid').getSelectedNodes().map((node) => node.id)"
    until(lambda: page.evaluate(selected), [chosen])
    page.context.close()
