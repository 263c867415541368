"""The watchlist's tests: one product, and a page of it whose console has to stay clean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.test_done_when import log_in
from tests.browser.watchlist import kept
from tests.browser.watchlist.listed import listen, ready


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole folder."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("watchlist"), "app", {"TICK_MS": "100", "SEED": "5"}).start()
    yield made
    made.stop()


@pytest.fixture
def said() -> list[str]:
    """What a page's console says in errors and warnings."""
    return []


@pytest.fixture
def server(running: Any) -> Iterator[httpx.Client]:
    """A script of the same user, who has no watchlist yet. Before `page`, which reads them when it comes."""
    with closing(running.client()) as client:
        for each in kept.every(client):
            client.delete(f"{kept.PATH}/{each['id']}", headers={"If-Match": "*"})
        yield client


@pytest.fixture
def page(running: Any, browser: Browser, said: list[str]) -> Iterator[Page]:
    made = log_in(browser, running.url)
    listen(made, said)
    ready(made)
    yield made
    made.context.close()
    assert said == []
