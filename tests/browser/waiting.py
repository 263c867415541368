"""Waiting for a state of the page rather than for a time: a slow machine needs longer, a fast one does not wait."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Error, Locator, Page, Route


def until(found: Callable[[], Any], wanted: Any = True, seconds: float = 15) -> None:
    """Wait until something is as wanted; what it is at last is shown where it is not."""
    end = time.monotonic() + seconds
    while (now := found()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    assert now == wanted


def at_work(page: Page) -> None:
    """Wait until every part of the page listens and the chart has drawn."""
    page.wait_for_function("() => window.tickboard?.chart.plot.figure")


def try_again(page: Page, panel: Locator, path: str) -> None:
    """Press a panel's "Try again" where `path` has failed until then: what the panel asks by its own clock before the
    press is not answered sooner, so that nothing else can have mended it. No request is met otherwise afterwards."""
    held: list[Route] = []
    pressed = False

    def wait(route: Route) -> None:
        if pressed:
            route.continue_()
        else:
            held.append(route)

    page.route(path, wait)
    panel.get_by_role("button", name="Try again").click()
    pressed = True
    for route in held:
        with contextlib.suppress(Error):  # the page may have given it up
            route.continue_()
    page.unroute_all()
