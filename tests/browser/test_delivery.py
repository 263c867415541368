"""What the page loads and what it does not: files are kept for ever, a hidden tab paints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_done_when import fetch, log_in, state_is
from tests.browser.waits import tried

LISTEN = """window.violations = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.violations.push([event.effectiveDirective, event.blockedURI]));"""
#: A tab that is hidden: the browser says so and gives it no frames.
HIDE = """() => {
  const ask = window.requestAnimationFrame.bind(window);
  const waiting = [];
  let hidden = true;
  Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });
  window.requestAnimationFrame = (draw) => (hidden ? waiting.push(draw) : ask(draw));
  document.dispatchEvent(new Event('visibilitychange'));
  window.drawn = 0;
  new MutationObserver((news) => { window.drawn += news.length; })
    .observe(document.getElementById('app'), { childList: true, subtree: true, characterData: true, attributes: true });
  window.lastFrames = () => new Promise((drawn) => ask(() => ask(drawn)));
  window.showAgain = () => {
    hidden = false;
    waiting.splice(0).forEach((draw) => ask(draw));
    document.dispatchEvent(new Event('visibilitychange'));
  };
}"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("delivery"), "app", {"TICK_MS": "200", "SEED": "5"}).start()
    yield made
    made.stop()


def answers(page: Page) -> list[dict[str, Any]]:
    """A list that fills with the answers that the page gets, as Chromium's network log has them."""
    heard: list[dict[str, Any]] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    cached: set[str] = set()
    session.on("Network.requestServedFromCache", lambda event: cached.add(event["requestId"]))

    def hear(event: dict[str, Any]) -> None:
        kept = event["requestId"] in cached or event["response"].get("fromDiskCache", False)
        heard.append({"type": event["type"], "kept": kept, **event["response"]})

    session.on("Network.responseReceived", hear)
    return heard


def test_a_visit_loads_files_that_are_compressed_and_kept_and_the_next_one_loads_none(
    running: Any, browser: Browser
) -> None:
    page = log_in(browser, running.url)
    page.context.add_init_script(LISTEN)
    first = answers(page)
    page.evaluate("caches")  # the page is there; from here on it is loaded as by somebody who comes back
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto(running.url)
    page.wait_for_selector("#watchlist .ag-row .live")
    page.wait_for_selector("#chart.js-plotly-plot")
    state_is(page, "live")
    files = [answer for answer in first if answer["type"] in ("Script", "Stylesheet")]
    modules = [answer["url"] for answer in files if answer["url"].endswith(".mjs")]
    # As few files where set-up could bundle them, one by one where not.
    assert len(modules) <= 4 if any("/modules/" in url for url in modules) else len(modules) > 80, modules
    assert len(files) > 10
    for answer in files:
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        assert "/static/" in answer["url"], answer["url"]
        assert headers["cache-control"] == "public, max-age=31536000, immutable", answer["url"]
        assert headers["content-encoding"] == "br", answer["url"]
    assert [answer["url"] for answer in first if answer["status"] >= 400] == []
    assert page.evaluate("window.violations") == []
    # The layout is asked for once: the renderer takes the answer that was asked for ahead of it.
    assert len([answer for answer in first if answer["url"].endswith("/_dash-layout")]) == 1

    page.goto("about:blank")
    again = answers(page)
    page.goto(running.url)
    page.wait_for_selector("#watchlist .ag-row .live")
    page.wait_for_selector("#chart.js-plotly-plot")
    state_is(page, "live")
    assert [answer["url"] for answer in again if "/static/" in answer["url"] and not answer["kept"]] == []
    page.context.close()


def test_a_hidden_tab_paints_nothing_and_catches_up_when_it_is_shown(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url, "/?symbol=BTC-USD&timeframe=1s")
    state_is(page, "live")
    page.evaluate(HIDE)
    page.evaluate("window.lastFrames()")
    page.wait_for_timeout(500)
    before = page.evaluate("window.drawn")
    held = page.locator("#cards .card .price").all_inner_texts()
    seq = fetch(page, "/api/v1/tickers")["seq"]
    page.wait_for_timeout(3000)
    assert fetch(page, "/api/v1/tickers")["seq"] > seq
    # The latency's figures, once a second, are no prices; six cards alone would be some three hundred.
    assert page.evaluate("window.drawn") - before <= 40
    assert page.locator("#cards .card .price").all_inner_texts() == held
    page.evaluate("window.showAgain()")
    expect(page.locator("#cards .card .price").first).not_to_have_text(held[0])
    page.wait_for_function("() => window.tickboard.chart.plot.following")
    page.context.close()


def test_the_list_is_sorted_by_live_prices_and_keeps_to_the_order(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url)
    state_is(page, "live")
    page.locator(".ag-header-cell[col-id=change_percent]").click()
    page.wait_for_timeout(2500)

    def ordered() -> None:
        rows = page.locator("#watchlist .ag-center-cols-container .ag-row").evaluate_all(
            """(rows) => rows
              .sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'))
              .map((row) => Number(row.querySelector('[col-id=change_percent]').textContent.replace('−', '-')))"""
        )
        assert len(rows) == 15
        # What is drawn moves at once, the order once a second: neighbours may have changed places meanwhile.
        assert all(above >= below - 0.1 for above, below in pairwise(rows)), rows

    tried(ordered)
    page.context.close()
