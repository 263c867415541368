"""A product for the tests of keyboard, screen readers and phones, and pages in it by width and theme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.test_done_when import LONG_MS
from tests.browser.waits import at_work


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for a whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("access"), "app", {"TICK_MS": "500", "SEED": "5"}).start()
    yield made
    made.stop()


@pytest.fixture
def enter(running: Any, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Pages of profiles of their own, logged in, showing a path; closed with the test."""
    made: list[Page] = []

    def open_page(path: str = "/", wait: str = "#chart.js-plotly-plot", **context: Any) -> Page:
        page = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context}).new_page()
        made.append(page)
        page.goto(running.url + path)
        page.fill("input[name=username]", "root")
        page.fill("input[name=password]", "123456")
        page.click("button[type=submit]")
        page.wait_for_selector(wait, timeout=LONG_MS)
        if "#chart" in wait:
            at_work(page)
        return page

    yield open_page
    for page in made:
        page.context.close()
