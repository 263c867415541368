"""Drawings of two tabs, of a failing server, at their limits, without storage: told in a sentence, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.drawing.board import drag, drawn, place, saved, take
from tests.browser.test_chart_types import opened
from tests.browser.test_done_when import fetch, log_in, state_is
from tests.browser.waits import settled, until

MESSAGE = ".drawing-message"


@pytest.fixture
def other(running: Any, browser: Browser, page: Page) -> Iterator[Page]:
    """The same user in another browser, who hears nothing of the first one's tabs."""
    made, said = opened(browser, running)
    made.wait_for_function("() => window.tickboard.drawing.board.kept?.loaded")
    yield made
    made.context.close()
    # That a save came second is told on the page; the browser notes the answer's status besides.
    assert [line for line in said if "412" not in line] == []


def level(page: Page, y: float) -> None:
    """Draw a horizontal line."""
    take(page, "horizontal")
    page.mouse.click(*place(page, 0.5, y))


def test_the_second_save_is_told_and_offered_again_and_nothing_of_either_is_lost(page: Page, other: Page) -> None:
    level(page, 0.3)
    first = saved(page, 1)
    level(other, 0.6)
    message = other.locator(MESSAGE)
    expect(message).to_contain_text("The drawings on AAPL were changed elsewhere meanwhile")
    until(lambda: drawn(other), first)
    message.get_by_role("button", name="Put my change back").click()
    expect(message).not_to_be_visible()
    both = saved(other, 2)
    assert both[0] == first[0]
    # The first tab hears of it when it is looked at again.
    page.evaluate("performance.now = ((now) => () => now() + 10000)(performance.now.bind(performance))")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("() => window.tickboard.drawing.board.drawings.length === 2")
    assert drawn(page) == both
    level(page, 0.45)
    saved(page, 3)
    level(other, 0.8)
    expect(message).to_be_visible()
    message.get_by_role("button", name="Leave it").click()
    expect(message).not_to_be_visible()
    saved(other, 3)


def test_a_tab_of_the_same_browser_follows_at_once(page: Page) -> None:
    tab = page.context.new_page()
    tab.goto(page.url)
    tab.wait_for_function("() => window.tickboard?.drawing?.board.kept?.loaded", timeout=45_000)
    level(page, 0.3)
    (made,) = saved(page, 1)
    tab.wait_for_function("() => window.tickboard.drawing.board.drawings.length === 1")
    assert drawn(tab) == [made]
    tab.close()


def test_a_server_that_fails_is_said_and_the_rest_of_the_page_goes_on(
    running: Any, browser: Browser, page: Page
) -> None:
    lone = log_in(browser, running.url)
    state_is(lone, "live")
    lone.route("**/api/v1/drawings/**", lambda route: route.fulfill(status=500, body="no"))
    lone.click('#cards .card[data-symbol="MSFT"]')
    expect(lone.locator("#chart-symbol")).to_have_text("MSFT")
    expect(lone.locator(MESSAGE)).to_have_text(re.compile("^The drawings on MSFT could not be loaded; they are asked"))
    level(lone, 0.4)
    assert len(drawn(lone)) == 1
    state_is(lone, "live")
    # Away and back: it is there still, and another instrument has none of it.
    lone.click('#cards .card[data-symbol="GOOGL"]')
    lone.wait_for_function("() => window.tickboard.drawing.board.symbol === 'GOOGL'")
    assert drawn(lone) == []
    lone.click('#cards .card[data-symbol="MSFT"]')
    lone.wait_for_function("() => window.tickboard.drawing.board.symbol === 'MSFT'")
    assert len(drawn(lone)) == 1
    lone.unroute("**/api/v1/drawings/**")
    lone.wait_for_function(
        "() => !tickboard.drawing.board.kept.unsaved && tickboard.drawing.board.kept.loaded", timeout=90_000
    )
    expect(lone.locator(MESSAGE)).not_to_be_visible()
    assert fetch(lone, "/api/v1/drawings/MSFT")["drawings"] == drawn(lone)
    # A save that fails is kept over a reload.
    lone.route(
        "**/api/v1/drawings/**", lambda route: route.abort() if route.request.method == "PUT" else route.fallback()
    )
    level(lone, 0.7)
    expect(lone.locator(MESSAGE)).to_have_text(re.compile("could not be saved; they are kept here and tried again"))
    lone.unroute("**/api/v1/drawings/**")
    lone.reload()
    lone.wait_for_function("() => window.tickboard?.drawing?.board.drawings.length === 2", timeout=45_000)
    saved(lone, 2, "MSFT")
    lone.context.close()


def test_the_limit_is_told_when_a_tool_is_taken_and_all_go_by_one_step(running: Any, page: Page) -> None:
    rows = [{"id": f"n{at}", "kind": "horizontal", "points": [[1_795_428_000_000, 100 + at]]} for at in range(200)]
    with closing(running.client()) as client:
        tag = client.get("/api/v1/drawings/AAPL").headers["ETag"]
        client.put("/api/v1/drawings/AAPL", json={"drawings": rows}, headers={"If-Match": tag}).raise_for_status()
    page.reload()
    page.wait_for_function("() => window.tickboard?.drawing?.board.drawings.length === 200", timeout=45_000)
    take(page, "line")
    expect(page.locator(f"{MESSAGE} span")).to_have_text(
        "200 drawings on AAPL are the most there can be; delete one first."
    )
    expect(page.locator(".drawing-hint")).not_to_be_visible()
    take(page, "select")
    expect(page.locator(MESSAGE)).not_to_be_visible()
    take(page, "style")
    page.click(".drawing-style [data-tool=clear]")
    saved(page, 0)
    expect(page.locator(MESSAGE)).not_to_be_visible()
    page.keyboard.press("Control+z")
    saved(page, 200)


def test_markup_of_another_client_stays_text_and_unknown_colours_are_drawn(running: Any, page: Page) -> None:
    text = "<img src=x onerror='window.hit=1'><b>bold</b>"
    newest = page.evaluate("window.tickboard.chart.series().at(-30)")
    rows = [
        {"id": "a", "kind": "text", "points": [[newest[0], newest[4]]], "text": text, "style": {"color": "mauve"}},
        {"id": "b", "kind": "line", "points": [[0, 1e14], [newest[0], newest[4]]], "style": {"color": "#ff8800"}},
    ]
    with closing(running.client()) as client:
        client.put("/api/v1/drawings/AAPL", json={"drawings": rows}, headers={"If-Match": "*"}).raise_for_status()
    page.reload()
    page.wait_for_function("() => window.tickboard?.drawing?.board.drawings.length === 2", timeout=45_000)
    page.locator("#chart").focus()
    page.keyboard.press("PageDown")
    page.keyboard.press("Enter")
    expect(page.locator(".drawing-write textarea")).to_have_value(text)
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    assert page.evaluate("[window.hit ?? null, document.querySelectorAll('.plot img, .plot b').length]") == [None, 0]
    assert drawn(page)[0]["text"] == text


def test_without_storage_one_draws_all_the_same(running: Any, browser: Browser, page: Page) -> None:
    bare = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    said: list[str] = []
    bare.on("pageerror", lambda error: said.append(str(error)))
    bare.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"])
          Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });"""
    )
    bare.goto(running.url)
    bare.fill("input[name=username]", "root")
    bare.fill("input[name=password]", "123456")
    bare.click("button[type=submit]")
    bare.wait_for_function("() => window.tickboard?.drawing?.board.kept?.loaded", timeout=45_000)
    take(bare, "hide")
    expect(bare.locator(".drawing-rail")).not_to_be_visible()
    bare.click(".drawing-opener")
    expect(bare.locator(".drawing-rail")).to_be_visible()
    settled(bare)
    take(bare, "line")
    drag(bare, (0.3, 0.7), (0.5, 0.4))
    saved(bare, 1)
    assert [line for line in said if "drawing" in line] == []
    bare.context.close()
