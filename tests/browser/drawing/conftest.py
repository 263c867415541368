"""A product for each file of tests of drawings, and a page of it on which nothing is drawn yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.test_chart_types import opened


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("drawings"), "app", {"TICK_MS": "300", "SEED": "7"}).start()
    yield made
    made.stop()


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    """A page in a zone that is not UTC, on which nothing is drawn yet."""
    with closing(running.client()) as client:
        for row in client.get("/api/v1/drawings").json()["data"]:
            client.delete(f"/api/v1/drawings/{row['symbol']}", headers={"If-Match": "*"})
    made, said = opened(browser, running, timezone_id="Asia/Kolkata")
    made.wait_for_function("() => window.tickboard.drawing.board.kept?.loaded")
    yield made
    made.context.close()
    assert said == []
